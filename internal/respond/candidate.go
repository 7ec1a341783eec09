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
	record := &d.Envelope.Record
	if record.EventID == "" {
		return incident.Candidate{}, errors.New("the event has no eventID")
	}
	evidence, err := redactedEnvelope(d.Envelope)
	if err != nil {
		return incident.Candidate{}, err
	}
	resource, account, region := target(record)
	outcome := incident.Succeeded
	if record.Failed() {
		outcome = incident.Attempted
	}
	return incident.Candidate{
		Key: incident.Key{
			Runbook: string(book.Manifest.ID), Account: account, Resource: resource,
			EventName: record.EventName, Outcome: outcome,
		},
		Title: title(record, resource, outcome), Trigger: t.Name, Severity: book.Manifest.SeverityOf(t, outcome),
		Region: region, Event: record.EventID, Envelope: evidence,
		OccurredAt: record.EventTime, Delivered: d.DeliveredAt, ReceivedAt: r.clock(),
	}, nil
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
	if p, err := arn.Parse(resource); err == nil {
		account, region = firstNonEmpty(p.AccountID, account), firstNonEmpty(p.Region, region)
	}
	return resource, account, region
}

func title(record *cloudtrail.Record, resource string, outcome incident.Outcome) string {
	name := resource
	if p, err := arn.Parse(resource); err == nil {
		name = p.Name()
	}
	verb := record.EventName
	if outcome == incident.Attempted {
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
