// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	actionnotify "github.com/switchback-project/switchback/internal/action/notify"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

type output struct {
	MessageID    string              `json:"message_id"`
	Accepted     bool                `json:"accepted"`
	HumanReached bool                `json:"human_reached"`
	Deliveries   []incident.Delivery `json:"deliveries"`
	Next         *struct {
		Key, Kind string
		DueAt     time.Time `json:"due_at"`
		Attempt   int
	}
	Skipped string
}

func send(t *testing.T, w *tellingtest.World, visit, params string) output {
	t.Helper()
	var out output
	if err := w.Run(t, "notify:Send", visit, params, &out); err != nil {
		t.Fatalf("%s: %v", params, err)
	}
	return out
}

func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		params, human string
		want          string // kind and addresses
	}{
		"security":                   {`{"to":"security"}`, "alice", "security security@example.com"},
		"the person":                 {`{"to":"person"}`, "alice", "person alice@example.com"},
		"nobody is known":            {`{"to":"person"}`, "", "person oncall@example.com"},
		"people that were looked up": {`{"to":"person","people":[{"name":"C","email":"c@example.com","source":"file"}]}`, "alice", "person c@example.com"},
		"a hint is never alone":      {`{"to":"person","people":[{"name":"H","email":"h@example.com","source":"iam tags","is_hint":true}]}`, "alice", "person oncall@example.com,h@example.com"},
		"the fallback":               {`{"to":"fallback"}`, "alice", "fallback oncall@example.com"},
		"a reminder":                 {`{"to":"reminder","attempt":1}`, "alice", "reminder security@example.com"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			w.Update(t, func(i *incident.Incident) { i.Who.Human = tt.human })
			out := send(t, w, "x/Tell/1", tt.params)
			messages := w.Channel.Messages()
			if len(messages) != 1 || !out.Accepted || !out.HumanReached {
				t.Fatalf("got %+v, %d messages", out, len(messages))
			}
			var to []string
			for _, p := range messages[0].To {
				to = append(to, p.Email)
			}
			if got := string(messages[0].Kind) + " " + strings.Join(to, ","); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if at := w.Incident(t).Times.HumanReached; !at.Equal(w.Now()) {
				t.Errorf("human reached at %s", at)
			}
		})
	}
}

func TestWhatThePersonIsTold(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.Update(t, func(i *incident.Incident) { i.Who.Human = "alice" })
	undo := incident.Undo{
		Incident: w.ID, Key: "u", Action: "cloudtrail:StartLogging", Account: "111122223333", Region: "eu-west-1", CreatedAt: w.Now(),
		Target: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", Params: json.RawMessage(`{}`), Before: json.RawMessage(`{}`),
	}
	if _, err := w.DB.RecordUndo(t.Context(), undo); err != nil {
		t.Fatal(err)
	}
	send(t, w, "before", `{"to":"person"}`)
	if err := w.DB.MarkDone(t.Context(), w.ID, "u"); err != nil {
		t.Fatal(err)
	}
	send(t, w, "after", `{"to":"person"}`)
	send(t, w, "said", `{"to":"person","done":["The trail is on again."]}`)
	for i, want := range []string{"Nothing yet.", "StartLogging on main, read back as it should be", "The trail is on again."} {
		text := w.Channel.Messages()[i].Text
		for _, part := range []string{want, "StopLogging on main", "198.51.100.7", "+49 30 1234567"} {
			if !strings.Contains(text, part) {
				t.Errorf("message %d does not say %q:\n%s", i, part, text)
			}
		}
	}
}

// A task that is run again after a kill tells nobody twice; another visit is another message.
func TestSendAgain(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	const params = `{"to":"security","reminders":{"after":"15m","every":"1h","count":2}}`
	first := send(t, w, "x/Tell/1", params)
	w.Pass(time.Minute)
	again := send(t, w, "x/Tell/1", params)
	if diff := cmp.Diff(first, again); diff != "" || len(w.Channel.Messages()) != 1 {
		t.Errorf("%d messages (-first +again):\n%s", len(w.Channel.Messages()), diff)
	}
	if other := send(t, w, "x/Tell/2", params); other.MessageID == first.MessageID || len(w.Channel.Messages()) != 2 {
		t.Errorf("got %+v", other)
	}
	var told int
	for _, e := range w.Entries(t) {
		if e == "message: message to security accepted by mail for security@example.com" {
			told++
		}
	}
	if told != 2 {
		t.Errorf("timeline %q", w.Entries(t))
	}
}

// Reminders come until somebody acknowledges, then the fallback is told.
func TestReminders(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		acknowledgeAfter int // timers; 0: never
		want             []string
	}{
		"nobody answers": {0, []string{"security +0s", "reminder +15m0s", "reminder +1h15m0s", "fallback +2h15m0s"}},
		"after one":      {1, []string{"security +0s", "reminder +15m0s"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			begun := w.Now()
			send(t, w, "v", `{"to":"security","reminders":{"after":"15m","every":"1h","count":2}}`)
			for fired := 0; ; fired++ {
				if tt.acknowledgeAfter > 0 && fired == tt.acknowledgeAfter {
					w.Update(t, func(i *incident.Incident) { i.Status, i.AcknowledgedBy = incident.Acknowledged, "bob" })
				}
				timer, ok := due(t, w)
				if !ok {
					break
				}
				out := send(t, w, timer.Key, fmt.Sprintf(`{"to":%q,"attempt":%d}`, timer.Kind, timer.Attempt))
				if acknowledged := tt.acknowledgeAfter > 0 && fired >= tt.acknowledgeAfter; (out.Skipped == "acknowledged by bob") != acknowledged {
					t.Errorf("timer %d: skipped %q", fired, out.Skipped)
				}
				if err := w.DB.Complete(t.Context(), w.ID, timer.Key); err != nil {
					t.Fatal(err)
				}
			}
			var got []string
			for _, m := range w.Channel.Messages() {
				got = append(got, fmt.Sprintf("%s +%s", m.Kind, m.At.Sub(begun)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Events that join do not put the reminders off: whoever goes on attacking would never be escalated.
func TestRemindersAreNotPutOff(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	const params = `{"to":"security","reminders":{"after":"15m","every":"1h","count":2}}`
	first := send(t, w, "run/1", params)
	w.Pass(10 * time.Minute)
	if second := send(t, w, "run/2", params); second.Next != nil {
		t.Errorf("scheduled again: %+v", second.Next)
	}
	if timer, ok := due(t, w); !ok || !timer.DueAt.Equal(first.Next.DueAt) {
		t.Errorf("got %+v, want it at %s", timer, first.Next.DueAt)
	}
}

// due lets time pass until the next timer, and returns it.
func due(t *testing.T, w *tellingtest.World) (incident.Timer, bool) {
	t.Helper()
	timers, next, err := w.DB.Due(t.Context(), w.Now(), 10)
	if err != nil {
		t.Fatal(err)
	}
	if len(timers) == 0 && next.IsZero() {
		return incident.Timer{}, false
	}
	if len(timers) == 0 {
		w.Pass(next.Sub(w.Now()))
		return due(t, w)
	}
	return timers[0], true
}

// Where nobody can be told the task fails by name, the timeline says why, and the reminders come all the same.
func TestNotDelivered(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.Channel.Err = errors.New("dead")
	err := w.Run(t, "notify:Send", "v", `{"to":"security","reminders":{"after":"15m","every":"1h","count":2}}`, nil)
	if tellingtest.ErrorName(err) != actionnotify.ErrorNotDelivered || !strings.Contains(err.Error(), "dead") {
		t.Errorf("got %v", err)
	}
	if inc := w.Incident(t); !inc.Times.HumanReached.IsZero() {
		t.Errorf("human reached at %s", inc.Times.HumanReached)
	}
	if _, ok := due(t, w); !ok {
		t.Error("nobody will be reminded")
	}
	entries := w.Entries(t)
	if last := entries[len(entries)-1]; last != "problem: message to security not accepted by mail after 1 attempts: dead" {
		t.Errorf("timeline %q", entries)
	}
}

// A log is no human.
func TestOnlyTheLog(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.UseChannels(t, notify.Channel{Name: "log", Notifier: &tellingtest.Channel{IsLog: true}})
	out := send(t, w, "v", `{"to":"security"}`)
	if !out.Accepted || out.HumanReached || !w.Incident(t).Times.HumanReached.IsZero() {
		t.Errorf("got %+v, reached at %s", out, w.Incident(t).Times.HumanReached)
	}
}

func TestWrongParameters(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	for _, params := range []string{
		`{}`, `{"to":"everybody"}`, `{"to":"reminder"}`, `{"to":"security","unknown":1}`,
		`{"to":"security","reminders":{"after":"soon","every":"1h","count":1}}`,
		`{"to":"security","reminders":{"after":"0s","every":"1h","count":1}}`,
	} {
		if err := w.Run(t, "notify:Send", "v", params, nil); tellingtest.ErrorName(err) != action.ErrorInvalidParameters {
			t.Errorf("%s: got %v", params, err)
		}
	}
	if n := len(w.Channel.Messages()); n > 0 {
		t.Errorf("%d messages were sent all the same", n)
	}
}
