// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// allowed is what planned change and pipelines leave of the comparison.
type allowed struct {
	// exception covers the event; nil: none does. wasCovered: one did, and is over.
	exception  *incident.Exception
	wasCovered bool
	// pipeline made the event, and fields are what it may; "" is none.
	pipeline string
	// fields are what this event may have changed: a call of the same kind that came after it is judged by its own event.
	fields []string
	// deleted: an exception allowed that there is no trail.
	deleted bool
	// overlaid: the configuration to go back to holds what an exception allowed, and is no snapshot.
	overlaid bool
}

// allow takes what planned change and pipelines allow into the configuration to go back to: only where that is known, for
// what may change must be told from what may not.
func (a *assessor) allow(ctx context.Context) error {
	if !a.former.isKnown {
		return nil
	}
	var all []incident.Exception
	if a.env.Exceptions != nil {
		var err error
		if all, err = a.env.Exceptions.ListExceptions(ctx, incident.ExceptionFilter{Resource: a.target.ARN}); err != nil {
			return fmt.Errorf("look for planned changes of %s: %w", a.target.ARN, err)
		}
	}
	covering, err := a.covering(ctx, all)
	if err != nil {
		return err
	}
	if covering < 0 {
		if err := a.leave(ctx); err != nil {
			return err
		}
	}
	for i, e := range all {
		if i != covering && e.Status(a.env.Now()) == incident.ExceptionActive {
			if err := a.overlay(e); err != nil {
				return err
			}
		}
	}
	if covering < 0 {
		return nil
	}
	return a.accept(ctx, all[covering])
}

// covering is the index of the exception that the event falls under, -1 when there is none.
func (a *assessor) covering(ctx context.Context, all []incident.Exception) (int, error) {
	if a.record == nil || a.record.Failed() {
		return -1, nil
	}
	now := a.env.Now()
	for i, e := range all {
		if slices.Contains(e.Accepted.Events, a.record.EventID) && e.Status(now) == incident.ExceptionOver {
			a.allowed.wasCovered = true
		}
		if !e.Covers(a.target.ARN, a.record.EventName, a.record.EventTime, principals(a.record), now) {
			continue
		}
		suspect, err := a.isSuspect(ctx)
		if err != nil {
			return -1, err
		}
		if suspect == "" {
			return i, nil
		}
		a.gap(fmt.Sprintf("%s does not count: who made the change is on the identity chain of %s, which is open", e.ID, suspect))
		return -1, nil
	}
	return -1, nil
}

// principals are whom a call may be allowed to: the user or session, and the session's role.
func principals(r *cloudtrail.Record) []string { return []string{principalARN(r), issuerARN(r)} }

// isSuspect names another open incident on whose identity chain the caller is: a stolen identity is allowed nothing.
func (a *assessor) isSuspect(ctx context.Context) (incident.ID, error) {
	if a.env.Store == nil {
		return "", nil
	}
	open, err := a.env.Store.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return "", fmt.Errorf("look for open incidents of the caller: %w", err)
	}
	for _, inc := range open {
		if inc.ID != a.env.Incident.ID && slices.ContainsFunc(principals(a.record), inc.HasPrincipal) {
			return inc.ID, nil
		}
	}
	return "", nil
}

// changes are the fields that the event itself changed, and the trail after it. A bucket that is new has an owner whom
// nobody knows yet.
func (a *assessor) changes() ([]string, trail.Trail, error) {
	if a.record.EventName == trail.DeleteTrail {
		return []string{trail.FieldExists}, trail.Trail{}, nil
	}
	next, err := trail.After(a.former.trail, *a.record)
	if err != nil {
		return nil, next, err
	}
	if next.S3BucketName != a.former.trail.S3BucketName {
		next.S3BucketOwner = ""
	}
	return trail.Changed(a.former.trail, next), next, nil
}

// accept notes durably what a covered event set, so that later events are held against it, and takes it over. What
// cannot be read is not covered.
func (a *assessor) accept(ctx context.Context, e incident.Exception) error {
	changed, next, err := a.changes()
	if err != nil {
		a.gap(fmt.Sprintf("%s does not count: what the event changed cannot be read: %s", e.ID, brief(err.Error())))
		return a.overlay(e)
	}
	fields := slices.DeleteFunc(slices.Clone(changed), func(f string) bool { return !e.Allows(f) })
	if len(fields) < len(changed) {
		a.gap(fmt.Sprintf("%s does not allow all that was changed: %s", e.ID, brief(fmt.Sprint(changed))))
	}
	if len(fields) == 0 {
		return a.overlay(e)
	}
	e, err = a.env.Exceptions.UpdateException(ctx, e.ID, func(e *incident.Exception) error { return a.take(e, fields, next) })
	if err != nil {
		return fmt.Errorf("note what %s allowed: %w", e.ID, err)
	}
	a.allowed.exception, a.allowed.fields = &e, fields
	return a.overlay(e)
}

// take puts the fields of next into the exception, but those that a later event set already.
func (a *assessor) take(e *incident.Exception, fields []string, next trail.Trail) error {
	accepted, err := acceptedTrail(*e, a.former.trail)
	if err != nil {
		return err
	}
	at := a.record.EventTime
	newer := slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return at.Before(e.Accepted.Fields[f]) })
	for _, f := range newer {
		accepted = accepted.With(f, next)
	}
	e.Accept(a.record.EventID, at, newer, accepted.JSON())
	return nil
}

func acceptedTrail(e incident.Exception, otherwise trail.Trail) (trail.Trail, error) {
	if len(e.Accepted.State) == 0 {
		return otherwise, nil
	}
	var t trail.Trail
	if err := json.Unmarshal(e.Accepted.State, &t); err != nil {
		return t, fmt.Errorf("read what %s allowed: %w", e.ID, err)
	}
	return t, nil
}

// overlay takes over what covered changes set before.
func (a *assessor) overlay(e incident.Exception) error {
	accepted, err := acceptedTrail(e, a.former.trail)
	if err != nil {
		return err
	}
	for f := range e.Accepted.Fields {
		a.former.trail = a.former.trail.With(f, accepted)
		a.allowed.deleted = a.allowed.deleted || f == trail.FieldExists
		a.allowed.overlaid = true
	}
	return nil
}

// leave leaves what does not reduce coverage to a pipeline that may change it: the baseline follows it.
func (a *assessor) leave(ctx context.Context) error {
	if a.record == nil || a.record.Failed() || a.env.Snapshots == nil {
		return nil
	}
	p, ok, err := a.env.PipelineOf(ctx, *a.record)
	if err != nil || !ok {
		return err
	}
	changed, next, err := a.changes()
	if err != nil {
		return nil // what cannot be read is left to nobody
	}
	soft := slices.DeleteFunc(changed, func(f string) bool { return !trail.IsSoft(f) })
	suspect, err := a.isSuspect(ctx)
	if err != nil || suspect != "" || len(soft) == 0 {
		return err
	}
	for _, f := range soft {
		a.former.trail = a.former.trail.With(f, next)
	}
	a.allowed.pipeline, a.allowed.fields = p.Name, soft
	a.former.at, a.former.snapshot = a.env.Now(), a.env.Now()
	s := state.Snapshot{
		Resource: a.target.ARN, Kind: state.KindTrail, Source: state.SourcePipeline, Content: a.former.trail.JSON(),
		TakenAt: a.former.snapshot, LastSeenAt: a.former.at,
	}
	if a.former.isTrusted {
		s = s.Trusted("configuration", "the pipeline "+p.Name+" may change "+strings.Join(soft, ", "), a.env.Now())
	}
	return a.env.Snapshots.PutSnapshot(ctx, s)
}

// conclude says what became of an event that was allowed, and looks for a fight about what was not.
func (a *assessor) conclude(ctx context.Context) error {
	switch {
	case a.out.Steps != (steps{}):
		return a.fight(ctx)
	case a.out.Verdict != verdictFine:
		return nil
	case a.allowed.exception != nil:
		e := a.allowed.exception
		a.out.Planned, a.out.Trigger.Worse = true, trail.No
		a.out.Reason = fmt.Sprintf("%s is planned: %s (%s) by %s, approved by %s", a.record.EventName, e.ID, e.Ticket, e.AddedBy, e.ApprovedBy)
		return a.keepAllowed(ctx, "allowed by "+e.ID)
	case a.record == nil && a.allowed.overlaid:
		// Whoever looked without an event, and found it other than the baseline, found what is planned.
		a.out.Planned, a.out.Trigger.Worse = true, trail.No
		a.out.Reason = fmt.Sprintf("trail %s is as it should be, and as planned", a.target.Name)
	case a.allowed.wasCovered:
		a.out.Trigger.Worse = trail.No
	case a.allowed.pipeline != "":
		// It is told, though nothing is put back.
		a.out.Trigger.Worse = trail.Yes
		a.out.Reason = fmt.Sprintf("%s is left to the pipeline %s: it does not reduce what is recorded", fieldNames(a.allowed.fields), a.allowed.pipeline)
		return a.keepAllowed(ctx, "left to the pipeline "+a.allowed.pipeline)
	}
	return nil
}

func fieldNames(fields []string) string {
	var all []trail.Difference
	for _, f := range fields {
		all = append(all, trail.Difference{Field: f})
	}
	return fieldsOf(all)
}

// keepAllowed notes on the incident why nothing is put back. Where a harmful event joined before, only the timeline says it.
func (a *assessor) keepAllowed(ctx context.Context, standing string) error {
	id := a.env.Incident.ID
	if id == "" || a.env.Store == nil || a.env.Timeline == nil {
		return nil
	}
	if err := a.env.Timeline.Append(ctx, incident.Entry{
		Incident: id, At: a.env.Now(), Kind: incident.EntryDecision, Text: a.out.Reason, Key: "allowed/" + string(a.record.EventID),
	}); err != nil {
		return fmt.Errorf("note that %s is allowed: %w", a.record.EventName, err)
	}
	_, err := a.env.Store.Update(ctx, id, func(i *incident.Incident) error {
		if i.Times.Contained.IsZero() && a.out.Planned {
			i.Times.Contained = a.env.Now()
		}
		if len(i.Runs) <= 1 {
			i.Standing, i.Severity = standing, incident.Low
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that %s is allowed: %w", a.record.EventName, err)
	}
	return nil
}

// fight looks whether what is to be put back was put back again and again; then it waits a little, and is escalated.
func (a *assessor) fight(ctx context.Context) error {
	f, err := a.env.Fight(ctx, a.target.ARN)
	if err != nil || f.BackOff == 0 {
		return err
	}
	a.out.BackOffSeconds, a.out.Severity = int(f.BackOff.Seconds()), trail.Critical
	if a.env.Store == nil || a.env.Timeline == nil || a.env.Timers == nil {
		return errors.New("escalate a fight: no stores are wired")
	}
	return a.env.Escalate(ctx, f)
}
