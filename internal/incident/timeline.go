// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"encoding/json"
	"time"
)

// Entry is one line of an incident's timeline.
type Entry struct {
	Incident ID        `json:"incident"`
	Seq      int64     `json:"seq"` // by the store, from 1
	At       time.Time `json:"at"`
	Kind     EntryKind `json:"kind"`
	Text     string    `json:"text"` // one line for people
	// Data holds the details, JSON.
	Data json.RawMessage `json:"data,omitempty"`
	// Key makes a repeated append a no-op: what is done again after a kill is written once.
	Key string `json:"key,omitempty"`
}

// KeyReturned begins the keys of entries that say that the event of a call of our own came back; its request id follows.
const KeyReturned = "returned/"

// EntryKind sorts the entries of a timeline.
type EntryKind string

// The kinds of timeline entries.
const (
	EntryEvent    EntryKind = "event"    // a CloudTrail event arrived
	EntryDecision EntryKind = "decision" // Switchback decided something
	EntryState    EntryKind = "state"    // a state of the runbook was entered or left
	EntryCall     EntryKind = "call"     // a call to AWS, sent or intended
	EntryProof    EntryKind = "proof"    // an effect was read back
	EntryMessage  EntryKind = "message"  // a message was sent, or could not be
	EntryAnswer   EntryKind = "answer"   // a person said something
	EntryReport   EntryKind = "report"   // a report was written
	EntryUndo     EntryKind = "undo"     // a change was taken back
	EntryProblem  EntryKind = "problem"  // something could not be done; a human must look
)

// Undo says how to take one change back. It is durable before the change is made.
type Undo struct {
	Incident  ID              `json:"incident"`
	Key       string          `json:"key"` // execution, state and visit: the first record wins
	Action    string          `json:"action"`
	Account   string          `json:"account"`
	Region    string          `json:"region"`
	Target    string          `json:"target"` // ARN
	Params    json.RawMessage `json:"params"`
	Before    json.RawMessage `json:"before"` // what the action read before it changed anything
	CreatedAt time.Time       `json:"created_at"`
	// Done is set once the change was verified: a record without it belongs to a change that may not have happened.
	Done     bool      `json:"done"`
	UndoneAt time.Time `json:"undone_at,omitzero"`
	UndoneBy string    `json:"undone_by,omitempty"`
	// Lowers tells that taking the change back lowers protection: a second person is needed and it is announced.
	Lowers bool `json:"lowers"`
}

// TimerLift is the kind of timer that takes away what is left of a containment that is over. It outlives reminders: nobody's
// answer cancels it.
const TimerLift = "lift"

// Timer is something the incident does later: a reminder, an escalation.
type Timer struct {
	Incident ID        `json:"incident"`
	Key      string    `json:"key"` // unique in the incident; scheduling it again moves it
	Kind     string    `json:"kind"`
	DueAt    time.Time `json:"due_at"`
	Attempt  int       `json:"attempt"`
}

// Pause stops every mutation that it covers until it expires. Empty fields cover all.
type Pause struct {
	ID        string    `json:"id"`
	Account   string    `json:"account,omitempty"`
	Runbook   string    `json:"runbook,omitempty"`
	Reason    string    `json:"reason"`
	By        string    `json:"by"`
	CreatedAt time.Time `json:"created_at"`
	Until     time.Time `json:"until"`
}

// Covers reports whether p stops a mutation of the runbook in the account at now.
func (p Pause) Covers(account, runbook string, now time.Time) bool {
	return now.Before(p.Until) &&
		(p.Account == "" || p.Account == account) &&
		(p.Runbook == "" || p.Runbook == runbook)
}
