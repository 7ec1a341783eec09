// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/incident"
)

// links gives everybody the same link, or none.
type links struct {
	err  error
	link *incident.Link
}

func (l links) Link(_ context.Context, link incident.Link) (string, error) {
	*l.link = link
	return "https://answers.example.com/a/token", l.err
}

// The person, and nobody else, gets a link to answer with; where none can be made the message goes out without.
func TestLinkInMessages(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		params   string
		err      error
		wantLink bool
	}{
		"person":           {`{"to":"person"}`, nil, true},
		"manager":          {`{"to":"person","why":"alice has not answered.","people":[{"name":"Mia","email":"mia@example.com","source":"manager"}]}`, nil, true},
		"security":         {`{"to":"security"}`, nil, false},
		"fallback":         {`{"to":"fallback"}`, nil, false},
		"without its keys": {`{"to":"person"}`, errors.New("keys are gone"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			w.Update(t, func(i *incident.Incident) { i.Who.Human = "alice" })
			var asked incident.Link
			w.Links = links{tt.err, &asked}
			out := send(t, w, "x/Tell/1", tt.params)
			m := w.Channel.Messages()[0]
			inText := strings.Contains(m.Text, "\nhttps://answers.example.com/a/token\n")
			inHTML := strings.Contains(m.HTML, `<a href="https://answers.example.com/a/token">`)
			if inText != tt.wantLink || inHTML != tt.wantLink {
				t.Errorf("link in text: %t, in HTML: %t\n%s", inText, inHTML, m.Text)
			}
			if tt.wantLink && (asked.Message != out.MessageID || asked.Incident != w.ID || asked.IsPerson != (name == "person") || len(asked.Verdicts) != 3) {
				t.Errorf("asked for %+v", asked)
			}
			if name == "manager" && !strings.Contains(m.Text, "alice has not answered.") {
				t.Errorf("it does not say why:\n%s", m.Text)
			}
			if isSaid := strings.Contains(strings.Join(w.Entries(t), "\n"), "keys are gone"); isSaid != (tt.err != nil) {
				t.Errorf("timeline %q", w.Entries(t))
			}
		})
	}
}

// Who was asked and is silent is asked again after a quarter of an hour; where the mail bounces the manager comes after a minute.
// Another run puts nothing off.
func TestEscalationBegins(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		want incident.Rung
		due  time.Duration
	}{
		"told":    {nil, incident.AskAgain, 15 * time.Minute},
		"bounced": {errors.New("no such mailbox"), incident.AskManager, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			w.Update(t, func(i *incident.Incident) { i.Who.Human = "alice" })
			w.Channel.Err = tt.err
			begun := w.Now()
			for _, visit := range []string{"run/1", "run/2"} {
				if err := w.Run(t, "notify:Send", visit, `{"to":"person"}`, new(output)); (err == nil) != (tt.err == nil) {
					t.Errorf("%s: %v", visit, err)
				}
				w.Pass(10 * time.Second)
			}
			timer, ok := due(t, w)
			if !ok || timer.Kind != incident.TimerAsk || incident.Rung(timer.Attempt) != tt.want || !timer.DueAt.Equal(begun.Add(tt.due)) {
				t.Errorf("got %+v, want rung %d after %s", timer, tt.want, tt.due)
			}
		})
	}
}
