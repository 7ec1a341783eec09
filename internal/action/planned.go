// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// Plan is the planned change of one resource, and whether it covers an event.
type Plan struct {
	// Covering is the exception that the event falls under, nil for none. WasCovered: it fell under one that is over.
	Covering   *incident.Exception
	WasCovered bool
	// Fields are what the covered event set and may; a call of the same kind that came after it is judged by its own event.
	Fields []string
	// Overlaid are all fields that planned changes set, until their end.
	Overlaid []string
	// Gaps say why an exception does not count.
	Gaps []string

	env    *Env
	record *cloudtrail.Record
	others []incident.Exception // that hold now
}

// Form is what planned change must know of the configurations of one kind.
type Form[T any] struct {
	// After returns the fields that the event itself changed, as differences name them, and the configuration after it.
	After func(former T, r cloudtrail.Record) (changed []string, next T, err error)
	// With returns t with one field as it is in from.
	With func(t T, field string, from T) (T, error)
}

// PlanOf looks for the planned changes of a resource, and for the one that an event falls under; record is nil without an
// event.
func (e *Env) PlanOf(ctx context.Context, resource arn.ARN, record *cloudtrail.Record) (*Plan, error) {
	p := &Plan{env: e, record: record}
	if e.Exceptions == nil {
		return p, nil
	}
	all, err := e.Exceptions.ListExceptions(ctx, incident.ExceptionFilter{Resource: resource})
	if err != nil {
		return nil, fmt.Errorf("look for planned changes of %s: %w", resource, err)
	}
	covering, err := p.covering(ctx, resource, all)
	if err != nil {
		return nil, err
	}
	for i, x := range all {
		switch {
		case i == covering:
			p.Covering = &x
		case x.Status(e.Now()) == incident.ExceptionActive:
			p.others = append(p.others, x)
		}
	}
	return p, nil
}

// covering is the index of the exception that the event falls under, -1 when there is none.
func (p *Plan) covering(ctx context.Context, resource arn.ARN, all []incident.Exception) (int, error) {
	if p.record == nil || p.record.Failed() {
		return -1, nil
	}
	now := p.env.Now()
	for i, x := range all {
		if slices.Contains(x.Accepted.Events, p.record.EventID) && x.Status(now) == incident.ExceptionOver {
			p.WasCovered = true
		}
		if !x.Covers(resource, p.record.EventName, p.record.EventTime, callers(p.record), now) {
			continue
		}
		suspect, err := p.env.Suspects(ctx, p.record)
		if err != nil {
			return -1, err
		}
		if suspect == "" {
			return i, nil
		}
		p.gap("%s does not count: who made the change is on the identity chain of %s, which is open", x.ID, suspect)
		return -1, nil
	}
	return -1, nil
}

func (p *Plan) gap(format string, args ...any) { p.Gaps = append(p.Gaps, fmt.Sprintf(format, args...)) }

// callers are whom a call may be allowed to: the user or session, and the session's role.
func callers(r *cloudtrail.Record) []string {
	role := ""
	if s := r.UserIdentity.SessionContext; s != nil {
		role = s.SessionIssuer.ARN
	}
	return []string{r.UserIdentity.ARN, role}
}

// Suspects names another open incident on whose identity chain the caller is, "" for none: a stolen identity is allowed
// nothing.
func (e *Env) Suspects(ctx context.Context, r *cloudtrail.Record) (incident.ID, error) {
	if e.Store == nil {
		return "", nil
	}
	open, err := e.Store.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return "", fmt.Errorf("look for open incidents of the caller: %w", err)
	}
	for _, inc := range open {
		if inc.ID != e.Incident.ID && slices.ContainsFunc(callers(r), inc.HasPrincipal) {
			return inc.ID, nil
		}
	}
	return "", nil
}

// Allow returns the configuration to go back to as planned changes have it: former with what they set. What a covered event
// set is noted durably, so that later events are held against it; an event that cannot be read is not covered. Former must
// be known, for what may change must be told from what may not.
func Allow[T any](ctx context.Context, p *Plan, former T, form Form[T]) (T, error) {
	var err error
	for _, x := range p.others {
		if former, err = overlay(p, x, former, form); err != nil {
			return former, err
		}
	}
	if p.Covering == nil {
		return former, nil
	}
	x := *p.Covering
	p.Covering = nil
	changed, next, err := form.After(former, *p.record)
	if err != nil {
		p.gap("%s does not count: what the event changed cannot be read: %s", x.ID, cut(err.Error()))
		return overlay(p, x, former, form)
	}
	fields := slices.DeleteFunc(slices.Clone(changed), func(f string) bool { return !x.Allows(f) })
	if len(fields) < len(changed) {
		p.gap("%s does not allow all that was changed: %s", x.ID, cut(fmt.Sprint(changed)))
	}
	if len(fields) == 0 {
		return overlay(p, x, former, form)
	}
	x, err = p.env.Exceptions.UpdateException(ctx, x.ID, func(x *incident.Exception) error {
		return take(x, p.record, fields, former, next, form)
	})
	if err != nil {
		return former, fmt.Errorf("note what %s allowed: %w", x.ID, err)
	}
	p.Covering, p.Fields = &x, fields
	return overlay(p, x, former, form)
}

// take puts the fields of next into the exception, but those that a later event set already.
func take[T any](x *incident.Exception, r *cloudtrail.Record, fields []string, former, next T, form Form[T]) error {
	accepted, err := acceptedOf(*x, former)
	if err != nil {
		return err
	}
	newer := slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return r.EventTime.Before(x.Accepted.Fields[f]) })
	for _, f := range newer {
		if accepted, err = form.With(accepted, f, next); err != nil {
			return err
		}
	}
	state, err := json.Marshal(accepted)
	if err != nil {
		return fmt.Errorf("keep what %s allowed: %w", x.ID, err)
	}
	x.Accept(r.EventID, r.EventTime, newer, state)
	return nil
}

func acceptedOf[T any](x incident.Exception, otherwise T) (T, error) {
	if len(x.Accepted.State) == 0 {
		return otherwise, nil
	}
	var t T
	if err := json.Unmarshal(x.Accepted.State, &t); err != nil {
		return t, fmt.Errorf("read what %s allowed: %w", x.ID, err)
	}
	return t, nil
}

// overlay takes over what covered changes set before, in a fixed order.
func overlay[T any](p *Plan, x incident.Exception, former T, form Form[T]) (T, error) {
	accepted, err := acceptedOf(x, former)
	if err != nil {
		return former, err
	}
	for _, f := range slices.Sorted(maps.Keys(x.Accepted.Fields)) {
		if former, err = form.With(former, f, accepted); err != nil {
			return former, err
		}
		p.Overlaid = append(p.Overlaid, f)
	}
	return former, nil
}

// Sentence says who planned the event, by which exception.
func (p *Plan) Sentence() string {
	x := p.Covering
	return fmt.Sprintf("%s is planned: %s (%s) by %s, approved by %s", p.record.EventName, x.ID, x.Ticket, x.AddedBy, x.ApprovedBy)
}

// NoteAllowed notes on the incident why nothing is put back, and, where that is planned, that no more is to be contained.
// Where a harmful event joined before, only the timeline says it.
func (e *Env) NoteAllowed(ctx context.Context, event cloudtrail.EventID, reason, standing string, isPlanned bool) error {
	if e.Incident.ID == "" || e.Store == nil || e.Timeline == nil {
		return nil
	}
	now := e.Now()
	if err := e.Timeline.Append(ctx, incident.Entry{
		Incident: e.Incident.ID, At: now, Kind: incident.EntryDecision, Text: reason, Key: "allowed/" + string(event),
	}); err != nil {
		return fmt.Errorf("note what is allowed: %w", err)
	}
	_, err := e.Store.Update(ctx, e.Incident.ID, func(i *incident.Incident) error {
		if i.Times.Contained.IsZero() && isPlanned {
			i.Times.Contained = now
		}
		if len(i.Runs) <= 1 {
			i.Standing, i.Severity = standing, incident.Low
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note what is allowed: %w", err)
	}
	return nil
}

// DependencyForm is the form of what a trail depends on, as package state reads it.
func DependencyForm(kind trail.Kind) Form[json.RawMessage] {
	return Form[json.RawMessage]{
		After: func(former json.RawMessage, r cloudtrail.Record) ([]string, json.RawMessage, error) {
			next, err := trail.AfterDependency(kind, former, r)
			if err != nil {
				return nil, nil, err
			}
			changed, err := trail.ChangedDependency(kind, former, next)
			return changed, next, err
		},
		With: func(content json.RawMessage, field string, from json.RawMessage) (json.RawMessage, error) {
			return trail.WithField(kind, content, field, from)
		},
	}
}
