// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Errors of stores, by meaning.
var (
	ErrNotFound = errors.New("not found")
	ErrConflict = errors.New("changed meanwhile")
)

// Candidate is an event that matched a trigger and wants an incident.
type Candidate struct {
	Key        Key
	Title      string
	Trigger    string
	Severity   Severity
	Region     string
	Event      cloudtrail.EventID
	Envelope   json.RawMessage // as it came, kept as evidence
	OccurredAt time.Time
	Delivered  time.Time
	ReceivedAt time.Time
}

// Disposition tells what became of a candidate.
type Disposition string

// What Admit can answer.
const (
	Opened    Disposition = "opened"
	Joined    Disposition = "joined"
	Duplicate Disposition = "duplicate" // this event (by eventID, per runbook) was admitted before
)

// Store keeps incidents. Every method is durable when it returns.
type Store interface {
	// Admit deduplicates the event, then opens an incident or joins the one with the same key that is not closed, in
	// one step. An event that comes again returns Duplicate and the incident it belongs to.
	Admit(ctx context.Context, c Candidate) (Incident, Disposition, error)
	// Get returns ErrNotFound for an unknown id.
	Get(ctx context.Context, id ID) (Incident, error)
	// Unclosed returns the incident that an event with the key would join, or ErrNotFound.
	Unclosed(ctx context.Context, k Key) (Incident, error)
	// List returns incidents, newest first.
	List(ctx context.Context, f Filter) ([]Incident, error)
	// Update reads, changes and writes one incident without interference. An error of change leaves it untouched.
	Update(ctx context.Context, id ID, change func(*Incident) error) (Incident, error)
}

// Filter narrows List; its zero value means all.
type Filter struct {
	Statuses []Status
	Runbook  string
	Account  string
	Limit    int
	// Before continues a listing: only incidents that sort after this id.
	Before ID
}

// Timeline keeps the entries of incidents, and the raw events.
type Timeline interface {
	// Append adds entries; one whose Key the incident has already is left out.
	Append(ctx context.Context, entries ...Entry) error
	// Entries returns the timeline in order of Seq.
	Entries(ctx context.Context, id ID) ([]Entry, error)
	// Evidence returns the envelope of an admitted event as it came, or ErrNotFound.
	Evidence(ctx context.Context, id cloudtrail.EventID) (json.RawMessage, error)
}

// Findings keeps what the states of runbooks found, apart from the incident: they are large, and only reports read them.
type Findings interface {
	// PutFinding keeps the newest output of a state.
	PutFinding(ctx context.Context, id ID, state string, output json.RawMessage) error
	// ListFindings returns the outputs by state.
	ListFindings(ctx context.Context, id ID) (map[string]json.RawMessage, error)
}

// Undos keeps what can be taken back.
type Undos interface {
	// RecordUndo stores u unless its key is there; the stored record is returned.
	RecordUndo(ctx context.Context, u Undo) (Undo, error)
	// MarkDone says that the change was verified.
	MarkDone(ctx context.Context, id ID, key string) error
	MarkUndone(ctx context.Context, id ID, key, by string, at time.Time) error
	// DropUndo removes the record of a change that certainly did not happen: it never left, or AWS refused it.
	DropUndo(ctx context.Context, id ID, key string) error
	// ListUndos returns the records of an incident, newest first.
	ListUndos(ctx context.Context, id ID) ([]Undo, error)
}

// Timers keeps reminders and escalations over restarts.
type Timers interface {
	Schedule(ctx context.Context, t Timer) error
	// Due returns timers due at now, oldest first, and the time of the next one after now (zero: none).
	Due(ctx context.Context, now time.Time, limit int) ([]Timer, time.Time, error)
	// Complete removes a timer; CancelTimers all of an incident but those of the kind TimerLift.
	Complete(ctx context.Context, id ID, key string) error
	CancelTimers(ctx context.Context, id ID) error
}

// Pauses keeps the flags that stop mutations, for every process that opens the store.
type Pauses interface {
	AddPause(ctx context.Context, p Pause) error
	EndPause(ctx context.Context, id string) error
	// ActivePauses returns those that are not over at now.
	ActivePauses(ctx context.Context, now time.Time) ([]Pause, error)
}

// Outbox makes messages repeatable: one is sent again only when the process died between hand-over and commit.
type Outbox interface {
	// Sent returns the deliveries of a message on each channel that accepted it.
	Sent(ctx context.Context, message string) ([]Delivery, error)
	RecordDelivery(ctx context.Context, id ID, d Delivery) error
	Deliveries(ctx context.Context, id ID) ([]Delivery, error)
}

// Sessions is the index from an issued access key to the event that issued it (AssumeRole*, GetFederationToken,
// GetSessionToken), kept as long as the longest session.
type Sessions interface {
	PutIssued(ctx context.Context, s IssuedSession) error
	// IssuedBy returns every issuing event of the key or the session id ("AROA…:name"), oldest first.
	IssuedBy(ctx context.Context, keyOrSession string) ([]IssuedSession, error)
}

// Hearings keeps when each source of events was last heard of, over restarts.
type Hearings interface {
	// PutHeard keeps the later of each moment that is known and that h gives.
	PutHeard(ctx context.Context, h Heard) error
	// Heard lists the sources, sorted.
	Heard(ctx context.Context) ([]Heard, error)
}

// Heard is when a source last brought something.
type Heard struct {
	Source string `json:"source"` // its name in the configuration, "sqs/1"
	// At is when an event came; CanaryAt when one of our own came, which we caused to see whether it would. Zero: never.
	At       time.Time `json:"at,omitzero"`
	CanaryAt time.Time `json:"canary_at,omitzero"`
}

// Newest is when anything came.
func (h Heard) Newest() time.Time {
	if h.CanaryAt.After(h.At) {
		return h.CanaryAt
	}
	return h.At
}

// IssuedSession is one issuing event.
type IssuedSession struct {
	AccessKeyID string             `json:"access_key_id"`
	SessionID   string             `json:"session_id"` // assumedRoleId: "AROA…:name"
	EventID     cloudtrail.EventID `json:"event_id"`
	IssuedAt    time.Time          `json:"issued_at"`
	ExpiresAt   time.Time          `json:"expires_at"`
	Record      json.RawMessage    `json:"record"` // redacted: no session token
}
