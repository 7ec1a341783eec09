// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// relation says that an event and a finding are about the same: whoever stops a trail may be told by the event, found by
// the watcher, or both, in any order, and it is one incident all the same.
type relation struct {
	// known is the incident that says already what a finding says; nil for none.
	known *incident.Incident
	// finding is the incident of the finding that the event is the cause of; nil for none.
	finding *incident.Incident
}

// relate looks for the incident that an event belongs to though its key says otherwise.
func (r *Responder) relate(ctx context.Context, c incident.Candidate, e cloudtrail.Envelope) (relation, error) {
	if f, ok := findingOf(e); ok {
		known, err := r.knownAs(ctx, c, f)
		return relation{known: known}, err
	}
	if !e.HasRecord() || c.Key.Outcome != incident.Succeeded {
		return relation{}, nil
	}
	if _, err := trail.TargetOf(e.Record); err != nil {
		return relation{}, nil // no call on a trail
	}
	finding, err := r.caused(ctx, c, e.Record)
	return relation{finding: finding}, err
}

// findingOf reads a finding about a trail.
func findingOf(e cloudtrail.Envelope) (f trail.Finding, ok bool) {
	if e.HasRecord() || e.Source != incident.EventSource || e.DetailType != trail.TrailStatus {
		return f, false
	}
	err := json.Unmarshal(e.Detail, &f)
	return f, err == nil
}

// knownAs returns the incident that the finding adds nothing to: that of the call behind it, unless that was put right
// before; or one whose changes were taken back by people who may.
func (r *Responder) knownAs(ctx context.Context, c incident.Candidate, f trail.Finding) (*incident.Incident, error) {
	for _, name := range f.Explaining() {
		inc, err := r.unclosed(ctx, c.Key, name)
		if err != nil {
			return nil, err
		}
		if inc == nil {
			continue
		}
		at := inc.Times.Occurred
		if inc.Times.Again.After(at) {
			at = inc.Times.Again
		}
		isOver := !inc.Times.Contained.IsZero() && f.FoundAt.After(inc.Times.Contained)
		if f.IsExplainedBy(name, at) && !isOver {
			return inc, nil
		}
	}
	return r.undone(ctx, c, f)
}

// recent bounds how many incidents are looked through for one that was undone.
const recent = 100

// undone looks for an incident about the resource of which a change was taken back since it was last well: what the
// watcher finds then is our own doing, which two people decided.
func (r *Responder) undone(ctx context.Context, c incident.Candidate, f trail.Finding) (*incident.Incident, error) {
	list, err := r.o.Services.Store.List(ctx, incident.Filter{Runbook: c.Key.Runbook, Account: c.Key.Account, Limit: recent})
	if err != nil {
		return nil, fmt.Errorf("look for what was undone: %w", err)
	}
	for i := range list {
		if list[i].Key.Resource != c.Key.Resource {
			continue
		}
		undos, err := r.o.Services.Undos.ListUndos(ctx, list[i].ID)
		if err != nil {
			return nil, fmt.Errorf("look for what was undone: %w", err)
		}
		if slices.ContainsFunc(undos, func(u incident.Undo) bool { return !u.UndoneAt.Before(f.LastGood) && !u.UndoneAt.IsZero() }) {
			return &list[i], nil
		}
	}
	return nil, nil
}

// caused returns the incident of a finding that the call is behind, unless another call is known to be.
func (r *Responder) caused(ctx context.Context, c incident.Candidate, record cloudtrail.Record) (*incident.Incident, error) {
	inc, err := r.unclosed(ctx, c.Key, trail.TrailStatus)
	if err != nil || inc == nil || inc.Cause != "" && inc.Cause != c.Event {
		return nil, err
	}
	last, err := r.lastSeen(ctx, c)
	if err != nil {
		return nil, err
	}
	findings, err := r.findings(ctx, *inc)
	if err != nil || !slices.ContainsFunc(findings, func(f trail.Finding) bool { return f.IsCausedBy(record, last) }) {
		return nil, err
	}
	return inc, nil
}

// findings are those among the incident's events.
func (r *Responder) findings(ctx context.Context, inc incident.Incident) ([]trail.Finding, error) {
	var all []trail.Finding
	for _, id := range inc.Events {
		raw, err := r.o.Services.Timeline.Evidence(ctx, id)
		if err != nil {
			return nil, fmt.Errorf("read finding %s: %w", id, err)
		}
		e, err := cloudtrail.ParseEnvelope(raw)
		if err != nil {
			return nil, fmt.Errorf("read finding %s: %w", id, err)
		}
		if f, ok := findingOf(e); ok {
			all = append(all, f)
		}
	}
	return all, nil
}

// isSought reports whether the call behind a finding is still being looked for: until then nobody can be told to be off the
// identity chain.
func (r *Responder) isSought(ctx context.Context, inc incident.Incident) (bool, error) {
	if inc.Key.EventName != trail.TrailStatus || inc.Cause != "" || r.clock().Sub(inc.Times.Received) >= trail.SoughtFor {
		return false, nil
	}
	findings, err := r.findings(ctx, inc)
	return slices.ContainsFunc(findings, func(f trail.Finding) bool { return len(f.Explaining()) > 0 }), err
}

// lastSeen is what the trail should be, nil where nobody knows.
func (r *Responder) lastSeen(ctx context.Context, c incident.Candidate) (*trail.Trail, error) {
	s, err := r.o.Services.Snapshots.SnapshotBefore(ctx, arn.ARN(c.Key.Resource), r.clock())
	if errors.Is(err, incident.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the newest snapshot of %s: %w", c.Key.Resource, err)
	}
	t, err := s.Trail()
	return &t, err
}

// unclosed is the incident of another event name on the same resource, nil where there is none.
func (r *Responder) unclosed(ctx context.Context, k incident.Key, eventName string) (*incident.Incident, error) {
	k.EventName = eventName
	inc, err := r.o.Services.Store.Unclosed(ctx, k)
	if errors.Is(err, incident.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("look for what is known of %s: %w", k.Resource, err)
	}
	return &inc, nil
}

// corroborate notes on the incident that knows already that the watcher has found so too.
func (r *Responder) corroborate(ctx context.Context, inc incident.Incident, c incident.Candidate, f trail.Finding) error {
	return r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: inc.ID, At: c.ReceivedAt, Kind: incident.EntryEvent, Data: c.Envelope, Key: "event/" + string(c.Event),
		Text: identity.Printable("the watcher has found so too: "+f.Reason, 300),
	})
}

// keepCause notes who is behind a finding, and when it was. It is the same thing that happened, told twice: it counts once.
func (r *Responder) keepCause(ctx context.Context, id incident.ID, c incident.Candidate) (incident.Incident, error) {
	return r.o.Services.Store.Update(ctx, id, func(i *incident.Incident) error {
		if i.Cause == "" {
			i.Cause, i.Times.Occurred = c.Event, c.OccurredAt.UTC()
			i.Count--
		}
		chain(i, c)
		return nil
	})
}

// needsTelling reports whether no run has told of the cause, or is going to: one that has not begun to act will find it.
func needsTelling(i *incident.Incident, cause cloudtrail.EventID) bool {
	return !slices.ContainsFunc(i.Runs, func(run incident.Run) bool {
		var in input
		return run.ActedAt.IsZero() || json.Unmarshal(run.Input, &in) == nil && in.EventID == cause
	})
}
