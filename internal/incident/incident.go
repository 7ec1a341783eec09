// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package incident holds the words of Switchback's own case work: the incident, its timeline, its people and messages,
// what can be undone, and the Store that keeps all of it.
//
// An incident is opened by an event that a runbook's trigger matched. Only equal keys join (runbook, account, resource,
// event name, outcome); everything else that belongs together is linked as related. The package decides nothing about
// AWS and does no I/O; stores (SQLite, DynamoDB) implement its interfaces and are held to one contract suite,
// incidenttest.
package incident

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// ID names an incident: date, runbook and eight hex digits of its first event, "20260504-cloudtrail-off-1a2b3c4d".
// It sorts by time, is valid as an STS session name, as a source identity and as a Step Functions execution name.
type ID string

// NewID derives the ID from what opened the incident, so that opening it twice gives the same one.
func NewID(runbook string, first cloudtrail.EventID, occurred time.Time) ID {
	sum := sha256.Sum256([]byte(runbook + "\x00" + string(first)))
	return ID(occurred.UTC().Format("20060102") + "-" + runbook + "-" + hex.EncodeToString(sum[:4]))
}

// EventSource is the source of the events that Switchback makes of what it finds, as EventBridge's are "aws.cloudtrail".
const EventSource = "switchback"

// Severity of an incident, ordered.
type Severity string

// The severities, lowest first.
const (
	Low      Severity = "low"
	Medium   Severity = "medium"
	High     Severity = "high"
	Critical Severity = "critical"
)

// Rank orders severities: 1 is Low, 4 is Critical, 0 is unknown.
func (s Severity) Rank() int {
	for i, known := range []Severity{Low, Medium, High, Critical} {
		if s == known {
			return i + 1
		}
	}
	return 0
}

// Outcome tells whether the call that opened the incident took effect.
type Outcome string

// A failed call (errorCode in the record) is attempted: never a stop.
const (
	Succeeded Outcome = "succeeded"
	Attempted Outcome = "attempted"
)

// Status of an incident.
type Status string

// An incident is open until a person who is not on its identity chain acknowledges it, and closed when it is also
// contained and its report is written.
const (
	Open         Status = "open"
	Acknowledged Status = "acknowledged"
	Closed       Status = "closed"
)

// Key decides which events are the same incident. Only equal keys join.
type Key struct {
	Runbook   string  `json:"runbook"`
	Account   string  `json:"account"`
	Resource  string  `json:"resource"` // ARN where there is one
	EventName string  `json:"event_name"`
	Outcome   Outcome `json:"outcome"`
}

// String is the key's storage form.
func (k Key) String() string {
	return strings.Join([]string{k.Runbook, k.Account, k.Resource, k.EventName, string(k.Outcome)}, "\n")
}

// Times are the moments that objectives and reports measure between. Zero means: not yet.
type Times struct {
	Occurred      time.Time `json:"occurred"`                // eventTime of the first record
	Delivered     time.Time `json:"delivered,omitzero"`      // when AWS handed it to our queue or bucket
	Received      time.Time `json:"received"`                // when it was durable here
	Contained     time.Time `json:"contained,omitzero"`      // accepted: the desired state read back
	Proven        time.Time `json:"proven,omitzero"`         // delivering: the effect was seen outside the API
	HumanReached  time.Time `json:"human_reached,omitzero"`  // the first message to a person was accepted by a channel
	HumanAnswered time.Time `json:"human_answered,omitzero"` // the first valid answer
	Reported      time.Time `json:"reported,omitzero"`       // the report was written
	// Again is when the newest event occurred that joined after a run had acted, and AgainReceived when it reached us:
	// Contained and Proven count from then, and are zero until they are reached anew.
	Again         time.Time `json:"again,omitzero"`
	AgainReceived time.Time `json:"again_received,omitzero"`
}

// Who is the human behind the principal, as far as the evidence goes.
type Who struct {
	Principal  string   `json:"principal"`             // ARN (or id) that made the call
	SessionKey string   `json:"session_key,omitempty"` // access key id of the call
	Status     string   `json:"status"`                // resolved, unresolved, service
	Human      string   `json:"human,omitempty"`       // user name, SAML subject, Identity Center user; "" unless resolved
	HumanARN   string   `json:"human_arn,omitempty"`
	Chain      []string `json:"chain,omitempty"` // every principal on the identity chain, nearest first; may not answer
}

// Run is one execution of the runbook's state machine for the incident.
type Run struct {
	Execution string `json:"execution"`
	// Input is the execution's: a run that was reserved and then lost to a kill is started again with it.
	Input     json.RawMessage `json:"input"`
	StartedAt time.Time       `json:"started_at"`
	// ActedAt is set durably before the run first reads the state that it compares with, and Covers is then the
	// incident's Count: the events up to there need no further run, since this one sees their effect.
	ActedAt time.Time `json:"acted_at,omitzero"`
	Covers  int       `json:"covers,omitempty"`
	// IsLooking: until it ends, the run looks again and again for what further events did, and needs no other beside it.
	IsLooking bool `json:"is_looking,omitempty"`
}

// NeedsRun reports whether events have joined whose effect no run has seen or will see.
func (i Incident) NeedsRun() bool {
	for _, run := range i.Runs {
		if run.ActedAt.IsZero() || run.Covers >= i.Count || run.IsLooking {
			return false
		}
	}
	return len(i.Runs) == 0 || i.Key.Outcome == Succeeded
}

// Incident is one case.
type Incident struct {
	ID       ID       `json:"id"`
	Key      Key      `json:"key"`
	Title    string   `json:"title"`
	Trigger  string   `json:"trigger"`
	Severity Severity `json:"severity"`
	Status   Status   `json:"status"`
	// Region is that of the resource (from its ARN), not of the event.
	Region string               `json:"region"`
	Count  int                  `json:"count"`
	Events []cloudtrail.EventID `json:"events"` // first MaxEvents of them; Count has all
	// Cause is the event that tells who did it and how, where the first one does not: the call behind a finding of ours.
	Cause   cloudtrail.EventID `json:"cause,omitempty"`
	Times   Times              `json:"times"`
	Summary string             `json:"summary,omitempty"` // WHO at WHEN called WHAT on WHOM …
	Who     Who                `json:"who"`
	Runs    []Run              `json:"runs,omitempty"`
	Related []ID               `json:"related,omitempty"`
	// Standing says how it stands once contained, where that puts nothing back: "evidence kept". Empty: put back.
	Standing string `json:"standing,omitempty"`
	// AcknowledgedBy is the person who stopped the reminders.
	AcknowledgedBy string `json:"acknowledged_by,omitempty"`
	// Open lists what a human still has to look at, in words.
	Open []string `json:"open,omitempty"`
	// Facts are notes of actions and decisions about the incident itself; what states found is in Findings.
	Facts map[string]json.RawMessage `json:"facts,omitempty"`
}

// IsDone reports whether nothing is left for a human to look at: it was contained, or there was nothing to contain, it is
// reported, and nothing is open. An incident that is not done is never closed by an acknowledgement.
func (i Incident) IsDone() bool {
	isContained := i.Key.Outcome == Attempted || !i.Times.Contained.IsZero()
	return isContained && !i.Times.Reported.IsZero() && len(i.Open) == 0
}

// Telling is the event that tells who did it and how: event, where one is asked for, else the first; and the cause where
// that is a finding of ours, which has no caller. Empty where there is none.
func (i Incident) Telling(event cloudtrail.EventID) cloudtrail.EventID {
	var first cloudtrail.EventID
	if len(i.Events) > 0 {
		first = i.Events[0]
	}
	if i.Cause != "" && (event == "" || event == first) {
		return i.Cause
	}
	return cmp.Or(event, first)
}

// MaxEvents bounds the event ids that an incident lists itself.
const MaxEvents = 50

// IsOnChain reports whether person (a user name, mail address or ARN) is on the incident's identity chain: such a
// person may annotate but never acknowledge, approve, undo or stop an escalation, since with a stolen identity the
// resolved human is the attacker. A user and a session count by their own names too, whoever's account they are of: to
// keep one honest namesake from answering is better than to let the attacker.
func (i Incident) IsOnChain(names ...string) bool {
	for _, on := range append([]string{i.Who.Principal, i.Who.Human, i.Who.HumanARN}, i.Who.Chain...) {
		for _, name := range names {
			if isSame(name, on) {
				return true
			}
		}
	}
	return false
}

func isSame(a, b string) bool {
	for _, x := range spellings(a) {
		for _, y := range spellings(b) {
			if strings.EqualFold(x, y) {
				return true
			}
		}
	}
	return false
}

// spellings are a name as it is, and the user or session that it ends with, when it is an ARN of one or the id of a
// session, "AROA…:name".
func spellings(name string) []string {
	name = strings.TrimSpace(name)
	if name == "" {
		return nil
	}
	all := []string{name}
	if p, err := arn.Parse(name); err == nil {
		kind, _, _ := strings.Cut(p.Resource, "/")
		if last := p.Resource[strings.LastIndexByte(p.Resource, '/')+1:]; last != "" && slices.Contains(people, kind) {
			all = append(all, last)
		}
		return all
	}
	if id, session, ok := strings.Cut(name, ":"); ok && session != "" && strings.HasPrefix(id, "AROA") {
		all = append(all, session)
	}
	return all
}

// people are the kinds of IAM's and STS's resources whose last part names somebody.
var people = []string{"user", "assumed-role", "federated-user"}
