// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// openBlind writes down since when which classes of events are not delivered, where a dependency's loss stopped delivery.
// Where it only may have, the trail's status decides: while log files come, nothing is lost. It is on the way to the
// repair, and writes once.
func (a *assessment) openBlind(ctx context.Context, env *action.Env, record *cloudtrail.Record) error {
	if !a.Blind || env.Blind == nil || env.Incident.ID == "" || record != nil && record.Failed() {
		return nil
	}
	var lost []trail.Trail
	for _, t := range a.protects {
		isLost, err := a.isLost(ctx, env, t)
		if err != nil {
			return err
		}
		if isLost {
			lost = append(lost, t)
		}
	}
	for _, id := range accountsOf(lost) {
		own := slices.DeleteFunc(slices.Clone(lost), func(t trail.Trail) bool { return t.Account() != id })
		if err := a.openWindows(ctx, env, record, own); err != nil {
			return err
		}
	}
	return nil
}

// isLost reports whether a trail does not deliver for want of what it depends on.
func (a *assessment) isLost(ctx context.Context, env *action.Env, t trail.Trail) (bool, error) {
	on := trail.Dependencies(t)
	isBlind := false
	for _, d := range a.Dependencies {
		if !slices.ContainsFunc(on, func(o trail.Dependency) bool { return o.Kind == d.Kind && o.ARN == d.Resource }) {
			continue
		}
		if d.stops {
			return true, nil
		}
		isBlind = isBlind || d.Blind
	}
	if !isBlind {
		return false, nil
	}
	found, err := state.OpenTrail(ctx, env.Door, t.ARN)
	if err != nil {
		return false, nil //nolint:nilerr // where we may not ask, AssessTrail says so; nothing is known to be lost
	}
	pulse, err := found.Pulse(ctx)
	if ctx.Err() != nil {
		return false, err
	}
	if err != nil {
		a.gap(fmt.Sprintf("whether %s delivers was not read: %v", t.ARN, err))
	}
	return pulse.LogFileError != "", nil
}

// openWindows opens the windows of one account, whose trails lost were lost together.
func (a *assessment) openWindows(ctx context.Context, env *action.Env, record *cloudtrail.Record, lost []trail.Trail) error {
	id, at := lost[0].Account(), a.lostAt(env, record)
	readings, gaps, err := state.ReadTrails(ctx, env.Door, id, lost[0].HomeRegion)
	if ctx.Err() != nil {
		return err
	}
	if err != nil { // the trails count as the last ones: the safe side
		gaps = append(gaps, fmt.Sprintf("other trails were not read: %v", err))
	}
	a.gap(gaps...)
	others := state.Trails(readings)
	var facts []trail.Fact
	for _, t := range lost {
		others = state.Without(others, t.ARN)
		facts = append(facts, trail.Fact{Account: id, Trail: t, IsProven: true}, trail.Fact{At: at, Account: id, Trail: t, IsGone: true})
	}
	for _, t := range others {
		facts = append(facts, trail.Fact{Account: id, Trail: t, IsProven: true})
	}
	left, err := env.OpenBlind(ctx, lost[0].ARN, trail.BlindWindows(facts))
	if left > 0 {
		a.gap(fmt.Sprintf("%d blind windows are left out of the ledger", left))
	}
	return err
}

// lostAt is when delivery stopped: at the event, else at the first write since all was well that may have been it, else now.
func (a *assessment) lostAt(env *action.Env, record *cloudtrail.Record) time.Time {
	at := env.LostAt(record)
	if record != nil {
		return at
	}
	for _, w := range a.Writers {
		isOf := func(d dependency) bool {
			return d.Blind && string(d.Resource) == w.Resource && w.EventTime.After(d.lastGood)
		}
		if w.EventTime.Before(at) && w.EventTime.After(env.Incident.Times.Again) && slices.ContainsFunc(a.Dependencies, isOf) {
			at = w.EventTime.UTC()
		}
	}
	return at
}

func (a *assessment) gap(gaps ...string) {
	for _, gap := range gaps {
		if len(a.Gaps) < maxList {
			a.Gaps = append(a.Gaps, brief(identity.Printable(gap, maxNote)))
		}
	}
}

func accountsOf(trails []trail.Trail) []string {
	var ids []string
	for _, t := range trails {
		if id := t.Account(); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// others are the trails but the first.
func others(trails []arn.ARN) []arn.ARN { return append([]arn.ARN{}, trails[min(1, len(trails)):]...) }
