// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// allowed is what planned change and pipelines leave of the comparison.
type allowed struct {
	plan *action.Plan
	// pipeline made the event; "" is none.
	pipeline string
	// fields are what this event may have changed: a call of the same kind that came after it is judged by its own event.
	fields []string
}

// isDeleted: an exception allowed that there is no trail.
func (a allowed) isDeleted() bool {
	return a.plan != nil && slices.Contains(a.plan.Overlaid, trail.FieldExists)
}

// isOverlaid: the configuration to go back to holds what an exception allowed, and is no snapshot.
func (a allowed) isOverlaid() bool { return a.plan != nil && len(a.plan.Overlaid) > 0 }

// allow takes what planned change and pipelines allow into the configuration to go back to: only where that is known, for
// what may change must be told from what may not.
func (a *assessor) allow(ctx context.Context) error {
	if !a.former.isKnown {
		return nil
	}
	plan, err := a.env.PlanOf(ctx, a.target.ARN, a.record)
	if err != nil {
		return err
	}
	if a.allowed.plan = plan; plan.Covering == nil {
		if err := a.leave(ctx); err != nil {
			return err
		}
	}
	a.former.trail, err = action.Allow(ctx, plan, a.former.trail, action.Form[trail.Trail]{
		After: after, With: func(t trail.Trail, field string, from trail.Trail) (trail.Trail, error) {
			return t.With(field, from), nil
		},
	})
	if err != nil {
		return err
	}
	a.allowed.fields = append(a.allowed.fields, plan.Fields...)
	a.gap(plan.Gaps...)
	return nil
}

// after returns the fields that the event itself changed, and the trail after it. A bucket that is new has an owner whom
// nobody knows yet.
func after(former trail.Trail, r cloudtrail.Record) ([]string, trail.Trail, error) {
	if r.EventName == trail.DeleteTrail {
		return []string{trail.FieldExists}, trail.Trail{}, nil
	}
	next, err := trail.After(former, r)
	if err != nil {
		return nil, next, err
	}
	if next.S3BucketName != former.S3BucketName {
		next.S3BucketOwner = ""
	}
	return trail.Changed(former, next), next, nil
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
	changed, next, err := after(a.former.trail, *a.record)
	if err != nil {
		return nil // what cannot be read is left to nobody
	}
	soft := slices.DeleteFunc(changed, func(f string) bool { return !trail.IsSoft(f) })
	suspect, err := a.env.Suspects(ctx, a.record)
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
	case a.allowed.plan != nil && a.allowed.plan.Covering != nil:
		a.out.Planned, a.out.Trigger.Worse = true, trail.No
		a.out.Reason = a.allowed.plan.Sentence()
		return a.env.NoteAllowed(ctx, a.record.EventID, a.out.Reason, "allowed by "+a.allowed.plan.Covering.ID, true)
	case a.record == nil && a.allowed.isOverlaid():
		// Whoever looked without an event, and found it other than the baseline, found what is planned.
		a.out.Planned, a.out.Trigger.Worse = true, trail.No
		a.out.Reason = fmt.Sprintf("trail %s is as it should be, and as planned", a.target.Name)
	case a.allowed.plan != nil && a.allowed.plan.WasCovered:
		a.out.Trigger.Worse = trail.No
	case a.allowed.pipeline != "":
		// It is told, though nothing is put back.
		a.out.Trigger.Worse = trail.Yes
		a.out.Reason = fmt.Sprintf("%s is left to the pipeline %s: it does not reduce what is recorded", fieldNames(a.allowed.fields), a.allowed.pipeline)
		return a.env.NoteAllowed(ctx, a.record.EventID, a.out.Reason, "left to the pipeline "+a.allowed.pipeline, false)
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
