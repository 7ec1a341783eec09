// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// concern is what an event is about, by the resources that choosy runbooks look after.
type concern map[string]*state.Depended

// concerned leaves out the matches of runbooks that only look after what a protected trail depends on, where the event is
// about something else: buckets, keys and roles change all day. It returns what the event is about, for those that stay.
func (r *Responder) concerned(ctx context.Context, matches []trigger, e cloudtrail.Envelope) ([]trigger, concern, error) {
	var (
		out []trigger
		on  = map[string]*state.Depended{}
	)
	for _, m := range matches {
		if !r.isChoosy(m.runbook) {
			out = append(out, m)
			continue
		}
		resources := r.runbooks[m.runbook].Manifest.Ownership.Resources
		if _, looked := on[resources]; !looked {
			var err error
			if on[resources], err = r.within(ctx, resources, e); err != nil {
				return nil, nil, fmt.Errorf("ask whether a trail depends on it: %w", err)
			}
		}
		if on[resources] != nil {
			out = append(out, m)
		}
	}
	return out, on, nil
}

// within is what the event is about among the resources that a runbook looks after; nil for none.
func (r *Responder) within(ctx context.Context, resources string, e cloudtrail.Envelope) (*state.Depended, error) {
	if resources == runbook.BaselineResources {
		return r.dependedOn(ctx, e)
	}
	own := r.ownIn(e)
	if len(own) == 0 {
		return nil, nil
	}
	return &state.Depended{Dependency: own[0]}, nil
}

// ownIn are our own parts that the event is about: what a call touched, or what was found to be wrong without one.
func (r *Responder) ownIn(e cloudtrail.Envelope) (own []trail.Dependency) {
	if e.HasRecord() {
		return state.TouchedOwn(r.o.Services.Own, e.Record)
	}
	for _, d := range r.o.Services.Own {
		if slices.Contains(e.Resources, string(d.ARN)) {
			own = append(own, d)
		}
	}
	return own
}

// isChoosy reports whether the runbook only looks after resources of the baseline, or our own parts.
func (r *Responder) isChoosy(id string) bool {
	resources := r.runbooks[id].Manifest.Ownership.Resources
	return resources == runbook.BaselineResources || resources == runbook.OwnResources
}

// returned notes on the incidents about one of our own parts that the event of a call of ours came back: it went the whole
// way through trail, rule, queue and source.
func (r *Responder) returned(ctx context.Context, matches []trigger, on concern, d source.Delivery) error {
	part := on[runbook.OwnResources]
	if part == nil || r.o.Services.Timeline == nil {
		return nil
	}
	open, err := r.o.Services.Store.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return fmt.Errorf("list open incidents: %w", err)
	}
	record := d.Envelope.Record
	for _, inc := range open {
		if !slices.ContainsFunc(matches, func(m trigger) bool { return m.runbook == inc.Key.Runbook }) || inc.Key.Resource != string(part.ARN) {
			continue
		}
		if err := r.o.Services.Timeline.Append(ctx, incident.Entry{
			Incident: inc.ID, At: r.clock(), Kind: incident.EntryEvent, Key: incident.KeyReturned + record.RequestID,
			Text: identity.Printable(fmt.Sprintf("our own %s came back through %s", record.EventName, d.Via), 200),
		}); err != nil {
			return fmt.Errorf("note that our own call came back: %w", err)
		}
	}
	return nil
}

// dependedOn is the first, in the order of repair, of what the event is about and a protected trail depends on; nil for
// none.
func (r *Responder) dependedOn(ctx context.Context, e cloudtrail.Envelope) (*state.Depended, error) {
	if r.o.Services.Snapshots == nil {
		return nil, nil
	}
	if e.HasRecord() {
		found, err := state.TouchedBaseline(ctx, r.o.Services.Snapshots, e.Record)
		if err != nil || len(found) == 0 {
			return nil, err
		}
		return &found[0], nil
	}
	if len(e.Resources) == 0 {
		return nil, nil
	}
	found, err := state.FindDepended(ctx, r.o.Services.Snapshots, arn.ARN(e.Resources[0]))
	if errors.Is(err, incident.ErrNotFound) {
		return nil, nil
	}
	return &found, err
}

// about makes the candidate one about a resource of the baseline, by its ARN and where it lives.
func about(c incident.Candidate, d state.Depended) incident.Candidate {
	c.Key.Resource, c.Key.Account = string(d.ARN), firstNonEmpty(d.Account, c.Key.Account)
	c.Region = firstNonEmpty(d.Region, c.Region)
	c.Title = subject{name: c.Key.EventName, resource: c.Key.Resource, outcome: c.Key.Outcome}.title()
	return c
}
