// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// list is a directory that always answers the same.
type list struct {
	people, left []incident.Person
	notes        []string
	err          error
}

func (l list) LookUp(context.Context, *gate.Door, incident.Who) (contact.Answer, error) {
	return contact.Answer{People: l.people, Left: l.left, Notes: l.notes}, l.err
}

// users is a directory that knows one user of the operating system.
type users struct {
	list
	name string
}

func (u users) ByOSUser(name string) (incident.Person, []string, bool) {
	return incident.Person{Name: u.name}, []string{u.name}, name == u.name
}

func TestFind(t *testing.T) {
	t.Parallel()
	alice := incident.Person{Name: "alice", Source: contact.SourceFile}
	hint := incident.Person{Name: "hint", Source: contact.SourceIAMTags, IsHint: true}
	owner := incident.Person{Name: "owner", Source: contact.SourceAccount}
	last := incident.Person{Name: "last", Source: "ignored"}
	file, tags, account := list{people: []incident.Person{alice}}, list{people: []incident.Person{hint}}, list{people: []incident.Person{owner}}
	nobody := list{notes: []string{"knows nobody"}}
	down := list{err: errors.New("connection refused\u202e")}
	for name, tt := range map[string]struct {
		file, tags, account list
		want, notes         string
	}{
		"the file knows":         {file, tags, account, "alice/file", ""},
		"only a hint":            {nobody, tags, nobody, "last/fallback hint/iam tags", "file: knows nobody; account: knows nobody"},
		"a hint and the account": {nobody, tags, account, "owner/account contact hint/iam tags", "file: knows nobody"},
		"the account":            {nobody, nobody, account, "owner/account contact", "file: knows nobody; tags: knows nobody"},
		"nobody":                 {nobody, nobody, nobody, "last/fallback", "file: knows nobody; tags: knows nobody; account: knows nobody"},
		"the file is down":       {down, tags, account, "owner/account contact hint/iam tags", "file: could not be asked: connection refused[U+202E]"},
		"everything is down":     {down, down, down, "last/fallback", "file: could not be asked: connection refused[U+202E]; tags: could not be asked: connection refused[U+202E]; account: could not be asked: connection refused[U+202E]"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := contact.NewChain([]contact.Link{{Name: "file", Directory: tt.file}, {Name: "tags", Directory: tt.tags}, {Name: "account", Directory: tt.account}}, last)
			people, notes, err := c.Find(t.Context(), nil, incident.Who{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, p := range people {
				got = append(got, p.Name+"/"+p.Source)
			}
			if diff := cmp.Diff([]string{tt.want, tt.notes}, []string{strings.Join(got, " "), strings.Join(notes, "; ")}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			first, err := c.LookUp(t.Context(), nil, incident.Who{})
			if err != nil || first[0].Note != tt.notes {
				t.Errorf("LookUp: %+v, %v", first, err)
			}
		})
	}
}

func TestFindNobodyAtAll(t *testing.T) {
	t.Parallel()
	c := contact.NewChain([]contact.Link{{Name: "tags", Directory: list{people: []incident.Person{{Name: "hint", IsHint: true}}}}})
	if people, err := c.LookUp(t.Context(), nil, incident.Who{}); !errors.Is(err, contact.ErrNobody) {
		t.Errorf("got %+v, %v: a hint must never be the only addressee", people, err)
	}
}

func TestFindEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	c := contact.NewChain([]contact.Link{{Name: "down", Directory: list{err: context.Canceled}}}, incident.Person{Name: "last"})
	if _, _, err := c.Find(ctx, nil, incident.Who{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestByOSUser(t *testing.T) {
	t.Parallel()
	c := contact.NewChain([]contact.Link{{Name: "a", Directory: list{}}, {Name: "b", Directory: users{name: "alice"}}, {Name: "c", Directory: users{name: "bob"}}})
	if p, names, ok := c.ByOSUser("bob"); !ok || p.Name != "bob" || len(names) != 1 {
		t.Errorf("got %+v, %v, %t", p, names, ok)
	}
	if _, _, ok := c.ByOSUser("mallory"); ok {
		t.Error("an unmapped user is somebody")
	}
}

func TestCheckEmail(t *testing.T) {
	t.Parallel()
	for email, ok := range map[string]bool{
		"alice@example.com": true, "a.b+c@sub.example.com": true, "jürgen@example.com": true,
		"": false, "alice": false, "Alice <alice@example.com>": false, "a@example.com,b@example.com": false,
		"a@example.com\r\nBcc: b@example.com": false, `"a b"@example.com`: false, " a@example.com": false,
		"a@" + strings.Repeat("x", 300) + ".com": false, "(c)a@example.com": false, "a@[127.0.0.1]": true,
	} {
		if err := contact.CheckEmail(email); (err == nil) != ok {
			t.Errorf("%.60q: %v", email, err)
		}
	}
}

func FuzzCheckEmail(f *testing.F) {
	f.Add("alice@example.com")
	f.Add("a@b\r\nBcc: c@d")
	f.Fuzz(func(t *testing.T, s string) {
		if contact.CheckEmail(s) == nil && strings.ContainsAny(s, "\r\n\t ,;<>\"\x00") {
			t.Fatalf("accepted %q", s)
		}
	})
}
