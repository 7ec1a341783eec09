// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/report"
)

// maxEventID is far more than the 36 bytes of AWS's ids.
const maxEventID = 128

// distinct is the id of an event whose eventID another event had before, about something else. AWS never does that; whoever
// can write into our queue or bucket may, so that we take a real stop for an event that we know.
func distinct(c incident.Candidate) cloudtrail.EventID {
	return c.Event + cloudtrail.EventID("#"+shortHash(c.Key.String()))
}

// isAnother reports whether the incident of a known eventID cannot be that of the candidate.
func isAnother(known, k incident.Key) bool { return known != k && known != together(k) }

// together is the key of attempts on whatever it may be.
func together(k incident.Key) incident.Key {
	if k.Outcome == incident.Attempted {
		k.Resource = ""
	}
	return k
}

// What makes a crowd of attempts: so many incidents in an account within the time.
const (
	crowd     = 8
	crowdTime = time.Hour
	crowdLook = 100 // incidents that are looked at
)

// gather puts attempts on resources that we never saw into one incident once there are many. Anybody may call for a trail
// of any name and be refused: a case for each would bury the real one under messages, and keep its reads waiting for the
// quota behind theirs.
func (r *Responder) gather(ctx context.Context, c incident.Candidate) (incident.Candidate, error) {
	if c.Key.Outcome != incident.Attempted || c.Key.Resource == "" || r.o.Services.Snapshots == nil {
		return c, nil
	}
	_, err := r.o.Services.Snapshots.SnapshotBefore(ctx, arn.ARN(c.Key.Resource), r.clock().Add(time.Nanosecond))
	if err == nil {
		return c, nil
	}
	if !errors.Is(err, incident.ErrNotFound) {
		return c, fmt.Errorf("ask whether %.200s is known: %w", c.Key.Resource, err)
	}
	recent, err := r.o.Services.Store.List(ctx, incident.Filter{Runbook: c.Key.Runbook, Account: c.Key.Account, Limit: crowdLook})
	if err != nil {
		return c, fmt.Errorf("look for other attempts: %w", err)
	}
	n := 0
	for _, inc := range recent {
		if inc.Key.Outcome == incident.Attempted && r.clock().Sub(inc.Times.Received) < crowdTime {
			n++
		}
	}
	if n >= crowd {
		c.Key = together(c.Key)
		c.Title = identity.Printable(c.Key.EventName, 100) + " attempted on many that were never seen"
	}
	return c, nil
}

// happenedAgain: what was put right, proven and acknowledged was so before this event. It is to be put right and proven
// anew, and somebody who knows of it must acknowledge it: nobody stops a trail twice in the shadow of one answer.
func happenedAgain(i *incident.Incident, c incident.Candidate) {
	i.Times.Again, i.Times.AgainReceived = c.OccurredAt.UTC(), c.ReceivedAt.UTC()
	i.Times.Contained, i.Times.Proven = time.Time{}, time.Time{}
	if i.Status == incident.Acknowledged {
		i.Status, i.AcknowledgedBy = incident.Open, ""
		delete(i.Facts, report.RemindersFact) // those of before were cancelled: they begin anew
		maps.DeleteFunc(i.Facts, func(name string, _ json.RawMessage) bool { return strings.HasPrefix(name, action.PageFact) })
	}
}

// chain puts those whom the event itself names on the identity chain at once: until the runbook has followed the session
// back to a human, they at least must not answer.
func chain(i *incident.Incident, c incident.Candidate) {
	r, err := identity.ParseEvidence(c.Envelope)
	if err != nil {
		return // no record names anybody
	}
	for _, name := range (identity.Resolution{}).Principals(r) {
		i.Who.Chain = withName(i.Who.Chain, identity.Printable(name, maxChained))
	}
}

// Bounds of the chain, as identity:Resolve keeps them.
const (
	maxChained = 300
	maxChain   = 200
)

func withName(all []string, name string) []string {
	for _, have := range all {
		if have == name {
			return all
		}
	}
	if len(all) >= maxChain {
		return all
	}
	return append(all, name)
}
