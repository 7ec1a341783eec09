// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package report writes what happened in an incident, for people and for machines: who, when, what, to whom, where; the
// intervals against the runbook's objectives; the window in which nothing was recorded; the timeline; every call that
// would change something in AWS, sent or intended; messages; what can be undone; and what is still open.
//
// [Builder.Build] gathers a [Report] from the stores; [Markdown], [HTML] and [JSON] write it. The same report gives the
// same bytes. Everything that an attacker may have written is printable, capped and escaped for its medium; the HTML
// needs nothing from outside, runs no script and says so in its content security policy. [Writer] puts all three into
// the incident's folder, each atomically.
//
// The JSON is stable: version 1 only ever gains members. The package decides nothing and asks AWS nothing.
package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
)

// Version of the JSON form.
const Version = 1

// Report is everything about an incident, ready to be written; its JSON form is the schema. Times are UTC, durations
// are texts as "1m30s", absent members are not known.
type Report struct {
	Version int `json:"version"`
	// Stage is provisional while the effect is accepted and not yet proven, else final.
	Stage    string         `json:"stage"`
	Incident Case           `json:"incident"`
	Sentence string         `json:"sentence"`
	Who      incident.Who   `json:"who"`
	Facts    identity.Facts `json:"facts"` // of the first event
	Times    incident.Times `json:"times"`
	// Intervals are measured from when the event reached us.
	Intervals []Interval `json:"intervals"`
	// Window is absent for attempts.
	Window *Window `json:"window,omitempty"`
	// Guide is what a person has to run, where Switchback does not put things back by itself.
	Guide *route.Guide `json:"guide,omitempty"`
	// Blind is what was not recorded, by account, region and class of events.
	Blind    []BlindWindow       `json:"blind_windows,omitempty"`
	Open     []string            `json:"open"`
	Timeline []Line              `json:"timeline"`
	Calls    []Call              `json:"calls"`
	Messages []incident.Delivery `json:"messages"`
	Undos    []Undo              `json:"undos"`
	// Findings are the outputs of the runbook's states by name.
	Findings []Finding `json:"findings"`
}

// Case is the incident in short.
type Case struct {
	ID             incident.ID       `json:"id"`
	Title          string            `json:"title"`
	Runbook        string            `json:"runbook"`
	Trigger        string            `json:"trigger"`
	Severity       incident.Severity `json:"severity"`
	Status         incident.Status   `json:"status"`
	Outcome        incident.Outcome  `json:"outcome"`
	EventName      string            `json:"event_name"`
	Account        string            `json:"account"`
	Region         string            `json:"region"`
	Place          string            `json:"place,omitempty"`
	Resource       string            `json:"resource"`
	Count          int               `json:"count"`
	Events         []string          `json:"events"`
	Related        []incident.ID     `json:"related,omitempty"`
	AcknowledgedBy string            `json:"acknowledged_by,omitempty"`
}

// Interval is one measured promise.
type Interval struct {
	Name string `json:"name"` // "contained", "human_reached", "report"
	// Took is absent while it has not happened, Objective where the runbook states none.
	Took      *Span `json:"took,omitempty"`
	Objective *Span `json:"objective,omitempty"`
	// IsMet is absent where either is.
	IsMet *bool `json:"met,omitempty"`
}

// Window is the time in which the resource was not as it should be: for a trail, the time in which it was blind.
type Window struct {
	Kind string    `json:"kind"` // "blind", or "exposed" for anything but trails
	From time.Time `json:"from"`
	// Provisional ends when the desired state read back, Proven when its effect was seen outside the API.
	ProvisionalTo time.Time `json:"provisional_to,omitzero"`
	Provisional   *Span     `json:"provisional,omitempty"`
	ProvenTo      time.Time `json:"proven_to,omitzero"`
	Proven        *Span     `json:"proven,omitempty"`
}

// Line is one entry of the timeline.
type Line struct {
	At   time.Time          `json:"at"`
	Kind incident.EntryKind `json:"kind"`
	Text string             `json:"text"`
}

// Call is one call that would change something in AWS.
type Call struct {
	At        time.Time    `json:"at"`
	Action    string       `json:"action,omitempty"`
	Service   string       `json:"service"`
	Operation string       `json:"operation"`
	Target    string       `json:"target,omitempty"`
	Account   string       `json:"account"`
	Region    string       `json:"region"`
	Outcome   gate.Outcome `json:"outcome"`
	RequestID string       `json:"request_id,omitempty"`
	Reason    string       `json:"reason,omitempty"`
}

// Undo is one change that can be, or was, taken back.
type Undo struct {
	Key     string    `json:"key"`
	Action  string    `json:"action"`
	Target  string    `json:"target"`
	Account string    `json:"account"`
	Region  string    `json:"region"`
	At      time.Time `json:"at"`
	// State is "possible", "undone", or "unconfirmed" for a change that may not have happened.
	State    string    `json:"state"`
	UndoneAt time.Time `json:"undone_at,omitzero"`
	UndoneBy string    `json:"undone_by,omitempty"`
	Lowers   bool      `json:"lowers_protection"`
}

// Finding is what one state of the runbook found out.
type Finding struct {
	State  string          `json:"state"`
	Output json.RawMessage `json:"output"`
}

// Span is a duration that is written as text.
type Span time.Duration

// String is Go's duration syntax, to the millisecond.
func (s Span) String() string { return time.Duration(s).Round(time.Millisecond).String() }

// MarshalText is String.
func (s Span) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Objectives bound the intervals of an incident, each from the moment the event reached us. Zero: none is stated.
type Objectives struct {
	Contained, HumanReached, Report time.Duration
}

// Builder gathers reports.
type Builder struct {
	Store    incident.Store
	Timeline incident.Timeline
	// Findings may be nil: the report then has none.
	Findings incident.Findings
	// Blind may be nil too.
	Blind  incident.BlindWindows
	Undos  incident.Undos
	Outbox incident.Outbox
	// Objectives of a runbook; nil: none are stated.
	Objectives func(runbook string) Objectives
}

// Build gathers the report of an incident as it stands. It wraps incident.ErrNotFound for an unknown id.
func (b Builder) Build(ctx context.Context, id incident.ID) (Report, error) {
	inc, err := b.Store.Get(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("build report of %s: %w", id, err)
	}
	entries, err := b.Timeline.Entries(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("build report of %s: read timeline: %w", id, err)
	}
	undos, err := b.Undos.ListUndos(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("build report of %s: list undo records: %w", id, err)
	}
	messages, err := b.Outbox.Deliveries(ctx, id)
	if err != nil {
		return Report{}, fmt.Errorf("build report of %s: list messages: %w", id, err)
	}
	facts, err := b.facts(ctx, inc)
	if err != nil {
		return Report{}, fmt.Errorf("build report of %s: %w", id, err)
	}
	var goals Objectives
	if b.Objectives != nil {
		goals = b.Objectives(inc.Key.Runbook)
	}
	var found map[string]json.RawMessage
	if b.Findings != nil {
		if found, err = b.Findings.ListFindings(ctx, id); err != nil {
			return Report{}, fmt.Errorf("build report of %s: list findings: %w", id, err)
		}
	}
	r := compose(inc, facts, goals, entries, found, undos, messages)
	r.Blind, err = b.blindWindows(ctx, id)
	return r, err
}

// facts are those of the event that tells who did it; what cannot be read leaves them empty, and the report says so by their absence.
func (b Builder) facts(ctx context.Context, inc incident.Incident) (identity.Facts, error) {
	id := inc.Telling("")
	if id == "" {
		return identity.Facts{}, nil
	}
	raw, err := b.Timeline.Evidence(ctx, id)
	if errors.Is(err, incident.ErrNotFound) {
		return identity.Facts{}, nil
	}
	if err != nil {
		return identity.Facts{}, fmt.Errorf("read event %s: %w", id, err)
	}
	r, err := identity.ParseEvidence(raw)
	if err != nil {
		return identity.Facts{}, nil
	}
	return identity.Extract(r), nil
}
