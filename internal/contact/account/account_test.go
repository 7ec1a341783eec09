// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package account_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/contact/account"
	"github.com/switchback-project/switchback/internal/contact/contacttest"
	"github.com/switchback-project/switchback/internal/incident"
)

func put(t *testing.T, w *contacttest.World, email string) {
	t.Helper()
	_, err := awsaccount.NewFromConfig(w.Config).PutAlternateContact(t.Context(), &awsaccount.PutAlternateContactInput{
		AlternateContactType: types.AlternateContactTypeSecurity, EmailAddress: aws.String(email),
		Name: aws.String("Sec\u202e Team"), PhoneNumber: aws.String("+49 30 1"), Title: aws.String("CISO"),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	alice := incident.Who{HumanARN: "arn:aws:iam::111122223333:user/alice", Principal: "arn:aws:sts::999988887777:assumed-role/R/s"}
	role := incident.Who{Principal: "arn:aws:sts::111122223333:assumed-role/R/s"}
	found := []incident.Person{{
		Name: "Sec[U+202E] Team", Email: "security@example.com", Phone: "+49 30 1", Source: "account contact",
		Note: "security contact of account 111122223333",
	}}
	for name, tt := range map[string]struct {
		email  string
		who    incident.Who
		people []incident.Person
		note   string
	}{
		"the human's account":     {"security@example.com", alice, found, ""},
		"the principal's account": {"security@example.com", role, found, ""},
		"nobody is named":         {"", alice, nil, "names no security contact"},
		"an address that is none": {"a@example.com,b@example.com", alice, nil, "not a plain mail address"},
		"an unknown account":      {"security@example.com", incident.Who{Principal: "AROA:s"}, nil, "account is not known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := contacttest.New(t)
			if tt.email != "" {
				put(t, w, tt.email)
			}
			answer, err := account.Directory{}.LookUp(t.Context(), w.Door, tt.who)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.people, answer.People); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := strings.Join(answer.Notes, "; "); !strings.Contains(got, tt.note) || (tt.note == "") != (got == "") {
				t.Errorf("notes %q, want %q", got, tt.note)
			}
		})
	}
}

// The management account tells of its members, and of itself.
func TestLookUpThroughManagement(t *testing.T) {
	t.Parallel()
	const member = "444455556666"
	w := contacttest.New(t)
	put(t, w, "security@example.com")
	if err := w.Sandbox.AddAccount(member, "aws", ""); err != nil {
		t.Fatal(err)
	}
	d := account.Directory{Management: contacttest.Account}
	alice := incident.Who{HumanARN: "arn:aws:iam::" + member + ":user/alice"}
	if a, err := d.LookUp(t.Context(), w.Door, alice); err == nil {
		t.Errorf("got %+v from an account that manages nothing", a)
	}
	if err := w.Sandbox.AddOrganization("o-exampleorgid", contacttest.Account, member); err != nil {
		t.Fatal(err)
	}
	_, err := awsaccount.NewFromConfig(w.Config).PutAlternateContact(t.Context(), &awsaccount.PutAlternateContactInput{
		AlternateContactType: types.AlternateContactTypeSecurity, AccountId: aws.String(member), EmailAddress: aws.String("member@example.com"),
		Name: aws.String("Member"), PhoneNumber: aws.String("1"), Title: aws.String("CISO"),
	})
	if err != nil {
		t.Fatal(err)
	}
	for account, want := range map[string]string{member: "member@example.com", contacttest.Account: "security@example.com"} {
		a, err := d.LookUp(t.Context(), w.Door, incident.Who{HumanARN: "arn:aws:iam::" + account + ":user/alice"})
		if err != nil || len(a.People) != 1 || a.People[0].Email != want || !strings.HasSuffix(a.People[0].Note, account) {
			t.Errorf("%s: got %+v, %v, want %s", account, a, err, want)
		}
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{"{}": true, `management: "111122223333"`: true, "management: x": false, "other: x": false} {
		_, err := contact.Open(contact.Config{Type: "account contact", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, contact.Services{})
		if (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestLookUpIsDown(t *testing.T) {
	t.Parallel()
	w := contacttest.New(t)
	alice := incident.Who{HumanARN: "arn:aws:iam::111122223333:user/alice"}
	if err := w.Sandbox.Deny(contacttest.Account, "account:GetAlternateContact"); err != nil {
		t.Fatal(err)
	}
	if answer, err := (account.Directory{}).LookUp(t.Context(), w.Door, alice); err == nil {
		t.Errorf("got %+v without an error", answer)
	}
	if _, err := (account.Directory{}).LookUp(t.Context(), nil, alice); err == nil {
		t.Error("no error without a way to AWS")
	}
}
