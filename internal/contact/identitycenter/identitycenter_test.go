// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identitycenter_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/identitystore/types"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/contact/contacttest"
	"github.com/switchback-project/switchback/internal/contact/identitycenter"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

const (
	store  = "d-1234567890"
	issuer = "https://idp.example.com"
)

var options = identitycenter.Options{IdentityStore: store, Account: contacttest.Account, Region: contacttest.Region, Issuer: issuer}

// add makes a user; the first email is primary.
func add(t *testing.T, w *contacttest.World, name, shown string, emails ...string) (id string) {
	t.Helper()
	in := &identitystore.CreateUserInput{
		IdentityStoreId: aws.String(store), UserName: &name, DisplayName: &shown,
		Name: &types.Name{GivenName: aws.String("G"), FamilyName: aws.String("F")},
	}
	for i, e := range emails {
		in.Emails = append(in.Emails, types.Email{Value: aws.String(e), Primary: i == 0})
	}
	root, err := w.Sandbox.Root(contacttest.Account)
	if err != nil {
		t.Fatal(err)
	}
	out, err := identitystore.NewFromConfig(gate.BackendConfig(w.Sandbox, contacttest.Account, contacttest.Region, root, "")).CreateUser(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return *out.UserId
}

// company is an account with users, and the id of Alice.
func company(t *testing.T) (*contacttest.World, string) {
	t.Helper()
	w := contacttest.New(t)
	id := add(t, w, "alice", "Alice Example", "alice@example.com", "a.example@example.com")
	add(t, w, "Sam.One", "Sam Example", "sam1@example.com")
	add(t, w, "sam.two", "Sam Example", "sam2@example.com")
	add(t, w, "gone", "Gone Example", "gone@example.com")
	add(t, w, "mute", "Mute Example", "not an address")
	add(t, w, "odd", "Odd\u202eelpmaxE <!channel>", "a@example.com\r\nBcc: b@example.com", "odd@example.com")
	add(t, w, "sa", "Service", "sa@example.com")
	add(t, w, "SA", "Service", "sa2@example.com")
	for user, disabled := range map[string]bool{"gone": true, "alice": false} {
		if err := w.Sandbox.ProvisionUser(contacttest.Account, user, disabled, types.ExternalId{Issuer: aws.String(issuer), Id: aws.String("00u-" + user)}); err != nil {
			t.Fatal(err)
		}
	}
	return w, id
}

func open(t *testing.T, w *contacttest.World, o identitycenter.Options) *identitycenter.Directory {
	t.Helper()
	d, err := identitycenter.New(o, w.Clock)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// told is an answer in one line.
func told(a contact.Answer) string {
	var all []string
	for _, p := range a.People {
		text := p.Name + " <" + p.Email + ">"
		if p.IsHint {
			text += "? " + p.Note
		}
		all = append(all, text)
	}
	for _, p := range a.Left {
		all = append(all, "gone: "+p.Name+", "+p.Note)
	}
	return strings.Join(append(all, a.Notes...), "; ")
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	w, aliceID := company(t)
	d := open(t, w, options)
	const alice = "Alice Example <alice@example.com>"
	iam := "arn:aws:iam::111122223333:user/"
	for name, tt := range map[string]struct {
		who  incident.Who
		want string
	}{
		"by id":                   {incident.Who{Human: aliceID}, alice},
		"by an id of nobody":      {incident.Who{Human: "1234567890-00000000-0000-4000-8000-000000000000"}, "user 1234567890-00000000-0000-4000-8000-000000000000 is gone"},
		"by name":                 {incident.Who{Human: "alice"}, alice},
		"by mail":                 {incident.Who{Human: "alice@example.com"}, alice},
		"by a second mail":        {incident.Who{Human: "a.example@example.com"}, alice},
		"by external id":          {incident.Who{Human: "00u-alice"}, alice},
		"by name in capitals":     {incident.Who{Human: "ALICE"}, alice},
		"by mail in capitals":     {incident.Who{Human: "Alice@Example.com"}, alice},
		"an IAM user's namesake":  {incident.Who{Human: "alice", HumanARN: iam + "alice"}, alice + "? has the same name in Identity Center as the IAM user"},
		"an IAM user like an id":  {incident.Who{Human: aliceID, HumanARN: iam + aliceID}, alice + "? has the same name in Identity Center as the IAM user"},
		"one of a shown name":     {incident.Who{Human: "alice example"}, alice + "? is shown by that name in Identity Center; it is not unique"},
		"two of a shown name":     {incident.Who{Human: "Sam Example"}, `Sam Example <sam1@example.com>? one of 2 users called "Sam Example"; Sam Example <sam2@example.com>? one of 2 users called "Sam Example"; 2 users are called "Sam Example": none of them is certain`},
		"two but for capitals":    {incident.Who{Human: "Sa"}, `Service <sa@example.com>? one of 2 users called "Sa"; Service <sa2@example.com>? one of 2 users called "Sa"; 2 users are called "Sa": none of them is certain`},
		"disabled":                {incident.Who{Human: "gone"}, "gone: Gone Example, disabled in Identity Center"},
		"disabled, by mail":       {incident.Who{Human: "gone@example.com"}, "gone: Gone Example, disabled in Identity Center"},
		"without an address":      {incident.Who{Human: "mute"}, "Mute Example has no address"},
		"hostile user":            {incident.Who{Human: "odd"}, "Odd[U+202E]elpmaxE <!channel> <odd@example.com>"},
		"nobody":                  {incident.Who{Human: "mallory"}, "knows nobody of that name"},
		"hostile name":            {incident.Who{Human: "alice\r\nBcc: x"}, `no user can be called "alice\r\nBcc: x" (13 bytes)`},
		"reversed name":           {incident.Who{Human: "\u202eecila"}, `no user can be called "\u202eecila" (8 bytes)`},
		"a name of 100 KB":        {incident.Who{Human: strings.Repeat("a", 100_000)}, `no user can be called "` + strings.Repeat("a", 60) + `" (100000 bytes)`},
		"an unresolved human":     {incident.Who{Principal: "alice", Chain: []string{aliceID}}, ""},
		"an id that others chose": {incident.Who{Human: "mallory", Chain: []string{aliceID}}, "knows nobody of that name"},
	} {
		a, err := d.LookUp(t.Context(), w.Door, tt.who)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(tt.want, told(a)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestLookUpIsDown(t *testing.T) {
	t.Parallel()
	throttled := func(r gate.Request) error {
		if r.Service != "identitystore" {
			return nil
		}
		return &types.ThrottlingException{Message: aws.String("Rate exceeded")}
	}
	for name, tt := range map[string]struct {
		o    func(o *identitycenter.Options)
		fail func(r gate.Request) error
		deny string
		want string
	}{
		"another store":           {o: func(o *identitycenter.Options) { o.IdentityStore = "d-0000000000" }, want: "identity store d-0000000000 is not in account 111122223333, region us-east-1"},
		"another region":          {o: func(o *identitycenter.Options) { o.Region = "eu-west-1" }, want: "not in account 111122223333, region eu-west-1"},
		"throttled":               {fail: throttled, want: "get user id: "},
		"denied":                  {deny: "identitystore:GetUserId", want: "AccessDeniedException"},
		"denied to describe":      {deny: "identitystore:DescribeUser", want: "AccessDeniedException"},
		"denied, though by id":    {deny: "identitystore:*", want: "AccessDeniedException"},
		"there is no way to them": {want: "no way to AWS"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, _ := company(t)
			o := options
			if tt.o != nil {
				tt.o(&o)
			}
			if tt.deny != "" {
				if err := w.Sandbox.Deny(contacttest.Account, tt.deny); err != nil {
					t.Fatal(err)
				}
			}
			w.Fail = tt.fail
			door := w.Door
			if tt.want == "no way to AWS" {
				door = nil
			}
			a, err := open(t, w, o).LookUp(t.Context(), door, incident.Who{Human: "alice"})
			if err == nil || !strings.Contains(err.Error(), tt.want) || len(a.People) > 0 {
				t.Errorf("got %+v, %v, want %q", a, err, tt.want)
			}
			// Through the chain that is a note, and the fallback is asked.
			chain := contact.NewChain([]contact.Link{{Name: "identity center", Directory: open(t, w, o)}}, incident.Person{Name: "Security", Phone: "1"})
			people, notes, err := chain.Find(t.Context(), door, incident.Who{Human: "alice"})
			if err != nil || people[0].Name != "Security" || len(notes) != 1 || !strings.Contains(notes[0], "could not be asked") {
				t.Errorf("chain: got %+v, %q, %v", people, notes, err)
			}
		})
	}
}

// Names that nobody has are looked for in the list, and that is asked for once a minute at most.
func TestLookUpLists(t *testing.T) {
	t.Parallel()
	w, _ := company(t)
	for i := range 250 {
		add(t, w, fmt.Sprintf("user%d", i), fmt.Sprintf("User %d", i), fmt.Sprintf("user%d@example.com", i))
	}
	calls := 0
	w.Fail = func(r gate.Request) error {
		if r.Operation == "ListUsers" {
			calls++
		}
		return nil
	}
	d := open(t, w, options)
	for i := range 50 {
		a, err := d.LookUp(t.Context(), w.Door, incident.Who{Human: fmt.Sprintf("USER%d", 200+i)})
		if want := fmt.Sprintf("User %[1]d <user%[1]d@example.com>", 200+i); err != nil || told(a) != want {
			t.Fatalf("got %q, %v, want %q", told(a), err, want)
		}
	}
	if calls != 3 {
		t.Errorf("%d pages were read for 258 users, want 3", calls)
	}
	w.Pass(2 * time.Minute)
	add(t, w, "late", "Late", "late@example.com")
	if a, err := d.LookUp(t.Context(), w.Door, incident.Who{Human: "LATE"}); err != nil || told(a) != "Late <late@example.com>" || calls != 6 {
		t.Errorf("got %q, %v after %d pages", told(a), err, calls)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	const good = "identity_store: d-1234567890\naccount: \"111122223333\"\nregion: eu-west-1\n"
	for text, ok := range map[string]bool{
		good: true, good + "issuer: https://idp.example.com\n": true, good + "profile: x\n": false, "{}": false,
		strings.Replace(good, "d-1", "x-1", 1): false, strings.Replace(good, "3333", "333", 1): false, strings.Replace(good, "eu-west-1", "\"\"", 1): false,
	} {
		_, err := contact.Open(contact.Config{Type: "identity center", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, contact.Services{Clock: time.Now})
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := identitycenter.New(options, nil); err == nil {
		t.Error("accepted no clock")
	}
}
