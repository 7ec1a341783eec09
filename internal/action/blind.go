// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// maxWindows bounds the windows of one loss: selectors have hundreds of values, which an attacker may have written.
const maxWindows = 200

// LostAt is when an event took effect, or, without one (nil), when the loss was noticed.
func (e *Env) LostAt(r *cloudtrail.Record) time.Time {
	at := e.Now()
	if r != nil {
		at = r.EventTime.UTC()
	}
	if again := e.Incident.Times.Again.UTC(); again.After(at) {
		return again
	}
	return at
}

// OpenBlind keeps new windows of the incident, which opened by the loss of a trail. Where one is not proven to have ended,
// it goes on instead. It returns how many were left out, for there were too many.
func (e *Env) OpenBlind(ctx context.Context, of arn.ARN, windows []trail.BlindWindow) (left int, err error) {
	if len(windows) == 0 {
		return 0, nil
	}
	known, err := e.Blind.ListBlindWindows(ctx, e.Incident.ID)
	if err != nil {
		return 0, fmt.Errorf("read the blind windows: %w", err)
	}
	if left = len(windows) - maxWindows; left > 0 {
		windows = windows[:maxWindows]
	}
	var put []incident.BlindWindow
	for _, w := range windows {
		next := incident.BlindWindow{BlindWindow: w, Incident: e.Incident.ID, Trail: of}
		if isNew(&next, known) {
			put = append(put, next)
		}
	}
	if err := e.Blind.PutBlindWindows(ctx, put...); err != nil {
		return 0, fmt.Errorf("keep the blind windows: %w", err)
	}
	return max(left, 0), nil
}

// isNew reports whether a loss is not in the ledger yet. Where the one before is not proven to have ended, it goes on.
func isNew(next *incident.BlindWindow, known []incident.BlindWindow) bool {
	for _, k := range known {
		switch {
		case !k.IsSame(*next), !k.Proven.IsZero() && k.Proven.Before(next.Lost):
			continue
		case !k.Proven.IsZero(), k.Found.IsZero(), !next.Lost.After(k.Found):
			return false // the same event once more
		}
		next.Lost, next.Trail = k.Lost, k.Trail
	}
	return true
}
