// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/trail"
)

// input is what every runbook's state machine starts with.
type input struct {
	Incident    incident.ID        `json:"incident"`
	Runbook     string             `json:"runbook"`
	Trigger     string             `json:"trigger"`
	EventID     cloudtrail.EventID `json:"event_id"`
	EventName   string             `json:"event_name"`
	EventTime   time.Time          `json:"event_time"`
	Outcome     incident.Outcome   `json:"outcome"`
	Account     string             `json:"account"`
	Region      string             `json:"region"`
	Resource    string             `json:"resource"`
	PollSeconds int                `json:"poll_seconds"`
}

func (r *Responder) newRun(inc incident.Incident, c incident.Candidate) (incident.Run, error) {
	data, err := json.Marshal(input{
		Incident: inc.ID, Runbook: c.Key.Runbook, Trigger: c.Trigger, EventID: c.Event, EventName: c.Key.EventName,
		EventTime: c.OccurredAt, Outcome: c.Key.Outcome, Account: c.Key.Account, Region: c.Region,
		Resource: c.Key.Resource, PollSeconds: max(1, int(r.o.PollEvery/time.Second)),
	})
	if err != nil {
		return incident.Run{}, fmt.Errorf("make input: %w", err)
	}
	name := string(inc.ID)
	if n := len(inc.Runs); n > 0 {
		name = fmt.Sprintf("%s-%d", inc.ID, n+1)
	}
	return incident.Run{Execution: name, Input: data, StartedAt: r.clock()}, nil
}

// candidate says which incident an event belongs to. Account and region are those of the resource, from its ARN, never
// the event's, where an ARN is known.
func (r *Responder) candidate(book *runbook.Runbook, t runbook.Trigger, d source.Delivery) (incident.Candidate, error) {
	s, err := subjectOf(d.Envelope)
	if err != nil {
		return incident.Candidate{}, err
	}
	if len(s.event) > maxEventID {
		return incident.Candidate{}, fmt.Errorf("the event's id has %d bytes", len(s.event))
	}
	if s.at.IsZero() {
		s.at = r.clock() // an event that does not say when: objectives must not count from year 1
	}
	evidence, err := redactedEnvelope(d.Envelope)
	if err != nil {
		return incident.Candidate{}, err
	}
	return incident.Candidate{
		Key: incident.Key{
			Runbook: string(book.Manifest.ID), Account: s.account, Resource: s.resource, EventName: s.name, Outcome: s.outcome,
		},
		Title: s.title(), Trigger: t.Name, Severity: book.Manifest.SeverityOf(t, s.outcome),
		Region: s.region, Event: s.event, Envelope: evidence,
		OccurredAt: s.at, Delivered: d.DeliveredAt, ReceivedAt: r.clock(),
	}, nil
}

// subject is what an incident is about.
type subject struct {
	event                           cloudtrail.EventID
	name, resource, account, region string
	outcome                         incident.Outcome
	at                              time.Time
}

// subjectOf reads a CloudTrail record, or an event of another source: a finding of our own or of an AWS service. Of such
// an event the name is its detail type, the resource the first that it lists.
func subjectOf(e cloudtrail.Envelope) (subject, error) {
	if !e.HasRecord() {
		return customSubject(e)
	}
	record := &e.Record
	if record.EventID == "" {
		return subject{}, errors.New("the event has no eventID")
	}
	s := subject{event: record.EventID, name: record.EventName, outcome: incident.Succeeded, at: record.EventTime}
	s.resource, s.account, s.region = target(record)
	if record.Failed() {
		s.outcome = incident.Attempted
	}
	return s, nil
}

func customSubject(e cloudtrail.Envelope) (subject, error) {
	if e.ID == "" {
		return subject{}, errors.New("the event has neither a record nor an id")
	}
	s := subject{
		event: cloudtrail.EventID(e.ID), name: e.DetailType, account: e.Account, region: e.Region,
		outcome: incident.Succeeded, at: e.Time,
	}
	if len(e.Resources) > 0 {
		s.resource = e.Resources[0]
	}
	if p, err := arn.Parse(s.resource); err == nil {
		s.account, s.region = firstNonEmpty(p.AccountID, s.account), firstNonEmpty(p.Region, s.region)
	}
	return s, nil
}

// target returns the ARN of the resource that the call was about, and the account and region that own it.
func target(record *cloudtrail.Record) (resource, account, region string) {
	account, region = record.RecipientAccountID, record.AWSRegion
	if t, err := trail.TargetOf(*record); err == nil {
		return string(t.ARN), t.Account, t.HomeRegion
	}
	for _, res := range record.Resources {
		if res.ARN != "" {
			resource = res.ARN
			break
		}
	}
	resource = firstNonEmpty(resource, route.Resource(*record))
	if p, err := arn.Parse(resource); err == nil {
		account, region = firstNonEmpty(p.AccountID, account), firstNonEmpty(p.Region, region)
	}
	return resource, account, region
}

func (s subject) title() string {
	name := s.resource
	if p, err := arn.Parse(s.resource); err == nil {
		name = p.Name()
	}
	verb := s.name
	if s.outcome == incident.Attempted {
		verb += " attempted"
	}
	return identity.Printable(strings.TrimSpace(verb+" on "+name), 200)
}

// redactedEnvelope is the event as it came, without session tokens.
func redactedEnvelope(e cloudtrail.Envelope) (json.RawMessage, error) {
	redacted := cloudtrail.Redacted(e.Raw)
	if !json.Valid(redacted) {
		return nil, errors.New("the event is not JSON")
	}
	return redacted, nil
}

// index keeps the events that issue sessions, whatever they match: they are the way back from a role to a human.
func (r *Responder) index(ctx context.Context, record cloudtrail.Record) error {
	issue, ok := identity.IssueOf(record)
	if !ok {
		return nil
	}
	return r.o.Services.Sessions.PutIssued(ctx, incident.IssuedSession{
		AccessKeyID: issue.AccessKeyID, SessionID: issue.SessionID, EventID: record.EventID,
		IssuedAt: issue.IssuedAt, ExpiresAt: issue.ExpiresAt, Record: cloudtrail.Redacted(record.Raw),
	})
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func firstNonEmpty(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// shortHash makes an id of a text that is stable over restarts.
func shortHash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}
