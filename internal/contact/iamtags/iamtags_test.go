// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iamtags_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/contact/contacttest"
	"github.com/switchback-project/switchback/internal/contact/iamtags"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

const day = 24 * time.Hour

var alice = incident.Who{Human: "alice", HumanARN: "arn:aws:iam::111122223333:user/team/alice"}

// downHistory cannot be asked.
type downHistory struct{}

func (downHistory) Lookup(context.Context, *gate.Door, state.Query) ([]cloudtrail.Record, []string, error) {
	return nil, nil, errors.New("down")
}

func newAlice(t *testing.T) *contacttest.World {
	t.Helper()
	w := contacttest.New(t)
	_, err := iam.NewFromConfig(w.Config).CreateUser(t.Context(), &iam.CreateUserInput{UserName: aws.String("alice"), Path: aws.String("/team/")})
	if err != nil {
		t.Fatal(err)
	}
	tag(t, w, "Email", "alice@example.com")
	return w
}

func tag(t *testing.T, w *contacttest.World, key, value string) {
	t.Helper()
	_, err := iam.NewFromConfig(w.Config).TagUser(t.Context(), &iam.TagUserInput{
		UserName: aws.String("alice"), Tags: []types.Tag{{Key: aws.String(key), Value: aws.String(value)}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	hint := func(note string) []incident.Person {
		return []incident.Person{{Name: "alice", Email: "alice@example.com", Source: "iam tags", IsHint: true, Note: note}}
	}
	for name, tt := range map[string]struct {
		story   func(t *testing.T, w *contacttest.World)
		history func(w *contacttest.World) state.History
		who     incident.Who
		want    []incident.Person
		note    string
	}{
		"unchanged for long": {
			story: func(_ *testing.T, w *contacttest.World) { w.Pass(31 * day) }, who: alice,
			want: hint("tags unchanged for 30 days"),
		},
		"tagged lately": {
			story: func(t *testing.T, w *contacttest.World) {
				w.Pass(60 * day)
				tag(t, w, "email", "mallory@example.com")
				w.Pass(day)
			},
			who: alice, note: "ignored: TagUser by arn:aws:iam::111122223333:root on 2026-07-03",
		},
		"created lately": {
			story: func(_ *testing.T, w *contacttest.World) { w.Pass(day) }, who: alice, note: "ignored: ",
		},
		"the history is down": {
			story:   func(_ *testing.T, w *contacttest.World) { w.Pass(day) },
			history: func(*contacttest.World) state.History { return downHistory{} }, who: alice,
			want: hint("whether the tags changed lately cannot be seen: down"),
		},
		"no history": {
			history: func(*contacttest.World) state.History { return nil }, who: alice,
			want: hint("whether the tags changed lately cannot be seen: no event history"),
		},
		"an address that is none": {
			story: func(t *testing.T, w *contacttest.World) {
				tag(t, w, "Email", "alice@example.com evil@example.com")
				w.Pass(31 * day)
			},
			who: alice,
		},
		"the user is gone": {who: incident.Who{HumanARN: "arn:aws:iam::111122223333:user/bob"}, note: "user bob is gone"},
		"no IAM user":      {who: incident.Who{Human: "carol"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newAlice(t)
			if tt.story != nil {
				tt.story(t, w)
			}
			services := contact.Services{Clock: w.Clock, History: state.EventHistory{Clock: w.Clock}}
			if tt.history != nil {
				services.History = tt.history(w)
			}
			answer, err := iamtags.New(iamtags.Options{}, services).LookUp(t.Context(), w.Door, tt.who)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, answer.People); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if got := strings.Join(answer.Notes, "; "); !strings.HasPrefix(got, tt.note) || (tt.note == "") != (got == "") {
				t.Errorf("notes %q, want %q", got, tt.note)
			}
		})
	}
}

func TestLookUpIsDown(t *testing.T) {
	t.Parallel()
	w := newAlice(t)
	if err := w.Sandbox.Deny(contacttest.Account, "iam:ListUserTags"); err != nil {
		t.Fatal(err)
	}
	d := iamtags.New(iamtags.Options{}, contact.Services{Clock: w.Clock})
	if answer, err := d.LookUp(t.Context(), w.Door, alice); err == nil {
		t.Errorf("got %+v without an error", answer)
	}
}
