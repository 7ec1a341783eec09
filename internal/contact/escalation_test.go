// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// staff is a directory that knows managers, by the name of the human, and who is on call.
type staff struct {
	list
	managers map[string]incident.Person
	onCall   []incident.Person
	down     error
}

func (s staff) ManagersOf(_ context.Context, _ *gate.Door, who incident.Who) (contact.Answer, error) {
	if m, ok := s.managers[who.Human]; ok {
		return contact.Answer{People: []incident.Person{m}}, s.down
	}
	return contact.Answer{}, s.down
}

func (s staff) OnCall(context.Context) (contact.Answer, error) {
	return contact.Answer{People: s.onCall}, s.down
}

// hangs is a directory that never answers.
type hangs struct{}

func (hangs) LookUp(ctx context.Context, _ *gate.Door, _ incident.Who) (contact.Answer, error) {
	<-ctx.Done()
	return contact.Answer{}, ctx.Err()
}

func human(name, source string) incident.Person {
	return incident.Person{Name: name, Email: name + "@example.com", Source: source}
}

func hint(name string) incident.Person {
	p := human(name, contact.SourceFile)
	p.IsHint = true
	return p
}

// told is an escalation in one line a step.
func told(e contact.Escalation) []string {
	var all []string
	for _, step := range e.Steps {
		text := string(step.Role) + ":"
		for _, p := range step.People {
			text += " " + p.Name + "/" + p.Source
			if p.IsHint {
				text += "?"
			}
			if p.Note != "" {
				text += " (" + p.Note + ")"
			}
		}
		all = append(all, text)
	}
	return append(all, e.Notes...)
}

func TestEscalation(t *testing.T) {
	t.Parallel()
	alice, bob, carol, last := human("alice", "file"), human("bob", "file"), human("carol", "file"), human("last", "")
	alias := func(p incident.Person, email string) incident.Person { p.Email = email; return p }
	bob.Note = "manager of alice"
	office := staff{managers: map[string]incident.Person{"alice": bob}, onCall: []incident.Person{carol}}
	only := func(people ...incident.Person) list { return list{people: people} }
	with := func(s staff, l list) staff { s.list = l; return s }
	const fallback = "fallback: last/fallback"
	for name, tt := range map[string]struct {
		links []contact.Directory
		want  []string
	}{
		"all of them": {
			[]contact.Directory{with(office, only(alice))},
			[]string{"person: alice/file", "manager: bob/manager (manager of alice, from d0)", "on-call: carol/on-call (from d0)", fallback},
		},
		"another directory knows the manager": {
			[]contact.Directory{only(alice), office},
			[]string{"person: alice/file", "manager: bob/manager (manager of alice, from d1)", "on-call: carol/on-call (from d1)", fallback},
		},
		"it knows them by address": {
			[]contact.Directory{only(alias(alice, "a@example.com")), staff{managers: map[string]incident.Person{"a@example.com": bob}}},
			[]string{"person: alice/file", "manager: bob/manager (manager of alice, from d1)", fallback},
		},
		"not the manager of the account's contact": {
			[]contact.Directory{only(human("owner", contact.SourceAccount)), staff{managers: map[string]incident.Person{"owner@example.com": bob}}},
			[]string{"person: owner/account contact", fallback},
		},
		"nobody but the fallback": {[]contact.Directory{list{}}, []string{fallback}},
		"nobody is known": {
			[]contact.Directory{staff{onCall: []incident.Person{carol}}}, []string{"on-call: carol/on-call (from d0)", fallback},
		},
		"two of one name": {
			[]contact.Directory{list{people: []incident.Person{hint("sam1"), hint("sam2")}, notes: []string{"2 people are called sam"}}},
			[]string{fallback + " sam1/file? sam2/file?", "d0: 2 people are called sam"},
		},
		"two of one name, and another directory tells": {
			[]contact.Directory{only(hint("sam1"), hint("sam2")), only(human("sam2", "identity center"))},
			[]string{"person: sam2/identity center sam1/file?", fallback},
		},
		"hints have an end": {
			[]contact.Directory{only(hint("1"), hint("2"), hint("3"), hint("4"), hint("5"), hint("6"), hint("7"))},
			[]string{fallback + " 1/file? 2/file? 3/file? 4/file? 5/file?"},
		},
		"who left is not contacted": {
			[]contact.Directory{with(office, list{left: []incident.Person{{Name: "alice", Email: "alice@example.com", Note: "left on 2026-04-01"}}})},
			[]string{
				"manager: bob/manager (manager of alice, from d0)", "on-call: carol/on-call (from d0)", fallback,
				"d0: alice has left and is not contacted: who uses that identity? left on 2026-04-01",
			},
		},
		"who left, and is known elsewhere": {
			[]contact.Directory{list{left: []incident.Person{{Name: "alice", Email: "Alice@example.com"}}}, only(alice), only(hint("alice"))},
			[]string{
				fallback, "d0: alice has left and is not contacted: who uses that identity?",
				"d1: alice is said to be still there: not contacted", "d2: alice is said to be still there: not contacted",
			},
		},
		"nobody is asked twice": {
			[]contact.Directory{staff{list: only(alice), managers: map[string]incident.Person{"alice": alice}, onCall: []incident.Person{alias(last, "LAST@example.com")}}},
			[]string{"person: alice/file", "on-call: last/on-call (from d0)", "manager: alice is asked before", "fallback: last is asked before"},
		},
		"a directory is down": {
			[]contact.Directory{staff{list: list{err: errors.New("connection refused")}, down: errors.New("connection refused")}, with(office, only(alice))},
			[]string{
				"person: alice/file", "manager: bob/manager (manager of alice, from d1)", "on-call: carol/on-call (from d1)", fallback,
				"d0: could not be asked: connection refused",
			},
		},
		"hostile words": {
			[]contact.Directory{list{notes: []string{"\u202e<!channel>\r\nBcc: x"}, err: errors.New(strings.Repeat("x", 100_000))}},
			[]string{fallback, "d0: [U+202E]<!channel>[U+000D][U+000A]Bcc: x", "d0: could not be asked: " + strings.Repeat("x", 476) + "… (100024 bytes)"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var links []contact.Link
			for i, d := range tt.links {
				links = append(links, contact.Link{Name: fmt.Sprint("d", i), Directory: d})
			}
			chain := contact.NewChain(links, last)
			e, err := chain.Escalation(t.Context(), nil, incident.Who{Human: "alice"})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, told(e)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			// The first message goes where the escalation begins.
			first, _, err := chain.Find(t.Context(), nil, incident.Who{Human: "alice"})
			if err != nil || first[0].Name != e.Steps[0].People[0].Name || first[0].IsHint {
				t.Errorf("Find: %+v, %v", first, err)
			}
		})
	}
}

func TestEscalationOfNobody(t *testing.T) {
	t.Parallel()
	chain := contact.NewChain([]contact.Link{{Name: "d", Directory: list{people: []incident.Person{hint("sam")}, notes: []string{"why"}}}})
	e, err := chain.Escalation(t.Context(), nil, incident.Who{})
	if !errors.Is(err, contact.ErrNobody) || len(e.Steps) > 0 || len(e.Notes) != 1 {
		t.Errorf("got %+v, %v", e, err)
	}
}

func TestAfter(t *testing.T) {
	t.Parallel()
	e := contact.Escalation{Steps: []contact.Step{{Role: contact.Person}, {Role: contact.OnCall}, {Role: contact.Fallback}}}
	for after, want := range map[contact.Role]contact.Role{"": contact.Person, contact.Person: contact.OnCall, contact.Manager: contact.OnCall, contact.OnCall: contact.Fallback, contact.Fallback: ""} {
		if step, ok := e.After(after); step.Role != want || ok != (want != "") {
			t.Errorf("after %q: got %q, %t, want %q", after, step.Role, ok, want)
		}
	}
}

// What hangs is down: the others are asked all the same.
func TestADirectoryHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		chain := contact.NewChain([]contact.Link{{Name: "hangs", Directory: hangs{}}, {Name: "file", Directory: list{people: []incident.Person{human("alice", "file")}}}})
		people, notes, err := chain.Find(t.Context(), nil, incident.Who{Human: "alice"})
		if err != nil || people[0].Name != "alice" || len(notes) != 1 || !strings.Contains(notes[0], "hangs: could not be asked") {
			t.Errorf("got %+v, %q, %v", people, notes, err)
		}
	})
}
