// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package tellingtest gives the tests of the actions identity, contact, notify and report one incident to work on: a
// trail that alice stopped through a role, in a real store with a clock of its own.
package tellingtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
)

// Occurred is when the trail was stopped; it reached us four seconds later.
var Occurred = time.Date(2026, 5, 4, 10, 11, 12, 0, time.UTC)

// The events: alice opens a session and stops the trail with it.
const (
	StopID   cloudtrail.EventID = "0a6c6a43-0000-4000-8000-000000000002"
	AssumeID cloudtrail.EventID = "0a6c6a43-0000-4000-8000-000000000001"
	Stop                        = `{"eventVersion":"1.11","eventID":"0a6c6a43-0000-4000-8000-000000000002","eventName":"StopLogging",
"eventSource":"cloudtrail.amazonaws.com","eventTime":"2026-05-04T10:11:12Z","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7",
"userAgent":"aws-cli/2.17.60 os/linux","recipientAccountId":"111122223333","requestParameters":{"name":"main"},
"userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLE:s","arn":"arn:aws:sts::111122223333:assumed-role/Admin/s",
"accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","userName":"Admin"}}}}`
	Assume = `{"eventVersion":"1.11","eventID":"0a6c6a43-0000-4000-8000-000000000001","eventName":"AssumeRole",
"eventSource":"sts.amazonaws.com","eventTime":"2026-05-04T10:00:00Z","awsRegion":"us-east-1","recipientAccountId":"111122223333",
"userIdentity":{"type":"IAMUser","principalId":"AIDAALICE","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"},
"responseElements":{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","expiration":"May 4, 2026, 11:00:00 AM"},
"assumedRoleUser":{"assumedRoleId":"AROAEXAMPLE:s"}}}`
)

// World is one incident and everything that an action may use. Fields may be changed before Run.
type World struct {
	action.Services
	DB      *sqlite.DB
	ID      incident.ID
	Channel *Channel

	mu  sync.Mutex
	now time.Time
}

// New opens the incident ten seconds after it occurred.
func New(t *testing.T) *World {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	inc, _, err := db.Admit(t.Context(), incident.Candidate{
		Key: incident.Key{
			Runbook: "cloudtrail-off", Account: "111122223333", EventName: "StopLogging", Outcome: incident.Succeeded,
			Resource: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
		},
		Title: "StopLogging on main", Trigger: "logging stopped", Severity: incident.Critical, Region: "eu-west-1",
		Event: StopID, Envelope: json.RawMessage(Stop), OccurredAt: Occurred, ReceivedAt: Occurred.Add(4 * time.Second),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &World{DB: db, ID: inc.ID, Channel: &Channel{}, now: Occurred.Add(10 * time.Second)}
	w.Services = action.Services{
		Clock: w.Now, Store: db, Timeline: db, Undos: db, Timers: db, Outbox: db, Sessions: db, Hearings: db, People: People{},
	}
	w.UseChannels(t, notify.Channel{Name: "mail", Notifier: w.Channel})
	return w
}

// UseChannels replaces the channels.
func (w *World) UseChannels(t *testing.T, channels ...notify.Channel) {
	t.Helper()
	d, err := notify.NewDispatcher(w.DB, channels, notify.Options{
		Clock: w.Now, Sleep: func(context.Context, time.Duration) error { return nil }, Call: "the security team, +49 30 1234567",
		Security: []incident.Person{{Name: "Security", Email: "security@example.com"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Messenger = d
}

// Now is the world's time.
func (w *World) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// Pass lets time pass.
func (w *World) Pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// Index gives the store's index of sessions an issuing event.
func (w *World) Index(t *testing.T, text string) {
	t.Helper()
	r, err := cloudtrail.ParseRecord([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	i, ok := identity.IssueOf(r)
	if !ok {
		t.Fatalf("it issues nothing: %s", text)
	}
	err = w.DB.PutIssued(t.Context(), incident.IssuedSession{
		AccessKeyID: i.AccessKeyID, SessionID: i.SessionID, EventID: r.EventID, IssuedAt: i.IssuedAt, ExpiresAt: i.ExpiresAt, Record: r.Raw,
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Incident is as it stands.
func (w *World) Incident(t *testing.T) incident.Incident {
	t.Helper()
	inc, err := w.DB.Get(t.Context(), w.ID)
	if err != nil {
		t.Fatal(err)
	}
	return inc
}

// Entries are the texts of the timeline, with their kinds.
func (w *World) Entries(t *testing.T) []string {
	t.Helper()
	entries, err := w.DB.Entries(t.Context(), w.ID)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, fmt.Sprintf("%s: %s", e.Kind, e.Text))
	}
	return all
}

// Open opens another incident, of an event that is no call, and goes on with it.
func (w *World) Open(t *testing.T, event string) {
	t.Helper()
	e, err := cloudtrail.ParseEnvelope([]byte(event))
	if err != nil {
		t.Fatal(err)
	}
	inc, _, err := w.DB.Admit(t.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "found", Account: e.Account, EventName: e.DetailType, Outcome: incident.Succeeded},
		Title: e.DetailType, Severity: incident.High, Event: cloudtrail.EventID(e.ID), Envelope: e.Raw, OccurredAt: e.Time, ReceivedAt: w.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.ID = inc.ID
}

// Update changes the incident.
func (w *World) Update(t *testing.T, change func(i *incident.Incident)) {
	t.Helper()
	if _, err := w.DB.Update(t.Context(), w.ID, func(i *incident.Incident) error { change(i); return nil }); err != nil {
		t.Fatal(err)
	}
}

// Run runs an action for the incident, in the state visit, and decodes its output into out.
func (w *World) Run(t *testing.T, id, visit, params string, out any) error {
	t.Helper()
	a, ok := action.Get(id)
	if !ok {
		t.Fatalf("no action %s", id)
	}
	env := &action.Env{Services: w.Services, Incident: w.Incident(t), Task: action.Task{Execution: "x", State: "S", Visit: visit}}
	text, err := a.Run(t.Context(), env, json.RawMessage(params))
	if err != nil {
		return err
	}
	if len(text) > 20_000 {
		t.Errorf("an output of %d bytes", len(text))
	}
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return nil
}

// ErrorName is the name that a state machine sees, "" for none.
func ErrorName(err error) string {
	if named := (*asl.Error)(nil); errors.As(err, &named) {
		return named.Name
	}
	return ""
}

// Channel keeps what it is given, or fails.
type Channel struct {
	mu       sync.Mutex
	messages []incident.Message
	Err      error
	IsLog    bool
}

// Notify implements notify.Notifier.
func (c *Channel) Notify(_ context.Context, m incident.Message) ([]string, bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.Err != nil {
		return nil, false, c.Err
	}
	c.messages = append(c.messages, m)
	var to []string
	for _, p := range m.To {
		to = append(to, p.Email)
	}
	return to, false, nil
}

// ReachesHuman implements notify.Notifier.
func (c *Channel) ReachesHuman() bool { return !c.IsLog }

// Messages are those that it was given.
func (c *Channel) Messages() []incident.Message {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]incident.Message(nil), c.messages...)
}

// People knows alice and the fallback.
type People struct{}

// LookUp implements action.People.
func (People) LookUp(_ context.Context, _ *gate.Door, who incident.Who) ([]incident.Person, error) {
	if who.Human == "alice" {
		return []incident.Person{{Name: "Alice Example", Email: "alice@example.com", Source: "file"}}, nil
	}
	return []incident.Person{{Name: "On call", Email: "oncall@example.com", Source: "fallback"}}, nil
}

// History is a history of records that filters as the real ones do.
type History struct {
	Records []cloudtrail.Record
	Gaps    []string
	Err     error
}

// Lookup implements state.History.
func (h History) Lookup(_ context.Context, _ *gate.Door, q state.Query) ([]cloudtrail.Record, []string, error) {
	var found []cloudtrail.Record
	for i := range h.Records {
		if r := &h.Records[i]; q.Matches(r) && r.AWSRegion == q.Region {
			found = append(found, *r)
		}
	}
	return found, h.Gaps, h.Err
}
