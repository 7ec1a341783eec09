// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	actioncontact "github.com/switchback-project/switchback/internal/action/contact"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

type directory struct {
	people []incident.Person
	err    error
}

func (d directory) LookUp(context.Context, *gate.Door, incident.Who) (contact.Answer, error) {
	return contact.Answer{People: d.people}, d.err
}

type output struct {
	People []incident.Person `json:"people"`
	Notes  []string          `json:"notes"`
	Source string            `json:"source"`
}

func TestLookUp(t *testing.T) {
	t.Parallel()
	fallback := incident.Person{Name: "On call", Email: "oncall@example.com", Source: "fallback"}
	hint := incident.Person{Name: "alice", Email: "a@example.com", Source: "iam tags", IsHint: true}
	for name, tt := range map[string]struct {
		directory directory
		want      output
		entry     string
	}{
		"known": {
			directory{people: []incident.Person{{Name: "Alice", Source: "file"}}},
			output{[]incident.Person{{Name: "Alice", Source: "file"}}, []string{}, "file"},
			"decision: to contact: Alice from file",
		},
		"down": {
			directory{err: errors.New("down")},
			output{[]incident.Person{fallback}, []string{"dir: could not be asked: down"}, "fallback"},
			"decision: to contact: On call from fallback; dir: could not be asked: down",
		},
		"a hint": {
			directory{people: []incident.Person{hint}},
			output{[]incident.Person{fallback, hint}, []string{}, "fallback"},
			"decision: to contact: On call from fallback, alice from iam tags (a hint)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			w.People = contact.NewChain([]contact.Link{{Name: "dir", Directory: tt.directory}}, fallback)
			var out output
			for range 2 { // again after a kill: on the timeline once
				if err := w.Run(t, "contact:LookUp", "v", `{}`, &out); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(tt.want, out); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var last []string
			for _, e := range w.Entries(t) {
				if len(e) > 20 && e[:20] == tt.entry[:20] {
					last = append(last, e)
				}
			}
			if diff := cmp.Diff([]string{tt.entry}, last); diff != "" {
				t.Errorf("timeline (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLookUpNobody(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.People = contact.NewChain(nil)
	if err := w.Run(t, "contact:LookUp", "v", `{}`, nil); tellingtest.ErrorName(err) != actioncontact.ErrorNobody {
		t.Errorf("got %v", err)
	}
}

// People that say no notes are asked all the same.
func TestLookUpPlain(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.Update(t, func(i *incident.Incident) { i.Who.Human = "alice" })
	var out output
	if err := w.Run(t, "contact:LookUp", "v", `{}`, &out); err != nil || out.People[0].Name != "Alice Example" || out.Notes == nil {
		t.Errorf("got %+v, %v", out, err)
	}
}
