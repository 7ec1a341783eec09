// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// openBlind writes down since when which classes of events are not recorded, others being the account's other trails. It
// is on the way to the repair, and writes once.
func (a *assessor) openBlind(ctx context.Context, others []trail.Trail) error {
	id := a.env.Incident.ID
	if a.env.Blind == nil || id == "" || a.out.Trigger.Failed {
		return nil
	}
	facts := []trail.Fact{{Account: a.target.Account, Trail: a.before(), IsProven: true}}
	for _, t := range others {
		facts = append(facts, trail.Fact{Account: a.target.Account, Trail: t, IsProven: true})
	}
	after := trail.Fact{At: a.env.LostAt(a.record), Account: a.target.Account, Trail: a.before(), IsGone: true}
	if list := a.after(); len(list) == 1 {
		after.Trail, after.IsGone = list[0], false
		after.Trail.ARN = a.target.ARN
	}
	if a.wasStopped() {
		after.Trail.IsLogging = false
	}
	return a.putBlind(ctx, trail.BlindWindows(append(facts, after)))
}

// wasStopped: the trail is as it should be again, but the event that somebody stopped it by is true.
func (a *assessor) wasStopped() bool {
	return a.out.Verdict == verdictFine && a.exists && a.record != nil && isStop(a.record) && !a.out.Trigger.Failed
}

// putBlind keeps new windows.
func (a *assessor) putBlind(ctx context.Context, windows []trail.BlindWindow) error {
	left, err := a.env.OpenBlind(ctx, a.target.ARN, windows)
	if left > 0 {
		a.gap(fmt.Sprintf("%d blind windows are left out of the ledger", left))
	}
	return err
}

// closeBlind notes that what was lost in the incident is recorded again: accepted, or proven.
func closeBlind(ctx context.Context, env *action.Env, at time.Time, isProven bool) error {
	if env.Blind == nil || env.Incident.ID == "" {
		return nil
	}
	known, err := env.Blind.ListBlindWindows(ctx, env.Incident.ID)
	if err != nil {
		return fmt.Errorf("read the blind windows: %w", err)
	}
	var put []incident.BlindWindow
	for _, w := range known {
		if !w.Proven.IsZero() || !w.Found.IsZero() && !isProven {
			continue
		}
		if w.Found.IsZero() {
			w.Found = at
		}
		if isProven {
			w.Proven = at
		}
		put = append(put, w)
	}
	if err := env.Blind.PutBlindWindows(ctx, put...); err != nil {
		return fmt.Errorf("note that the trail records again: %w", err)
	}
	return nil
}

// otherTrails are the account's trails but the one that is assessed, as far as they could be read.
func (a *assessor) otherTrails(ctx context.Context) ([]trail.Trail, error) {
	readings, gaps, err := state.ReadTrails(ctx, a.env.Door, a.target.Account, a.target.HomeRegion)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		// The trail counts as the last one: the safe side.
		gaps = append(gaps, "other trails were not read: "+brief(err.Error()))
	}
	a.gap(gaps...)
	return state.Without(state.Trails(readings), a.target.ARN), nil
}
