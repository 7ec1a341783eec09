// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// timersAtOnce bounds one round of RunTimers.
const timersAtOnce = 100

// RunTimers does what is due: reminders until somebody valid acknowledges, then the fallback. It returns how many timers
// it completed and when the next one is due (zero: none). A timer whose message could not be delivered stays, and is
// tried again in the next round.
func (r *Responder) RunTimers(ctx context.Context, now time.Time) (done int, next time.Time, err error) {
	due, next, err := r.o.Services.Timers.Due(ctx, now, timersAtOnce)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read timers: %w", err)
	}
	var failures []error
	for _, t := range due {
		if err := r.fire(ctx, t); err != nil {
			failures = append(failures, fmt.Errorf("timer %s of %s: %w", t.Key, t.Incident, err))
			continue
		}
		done++
	}
	return done, next, errors.Join(failures...)
}

func (r *Responder) fire(ctx context.Context, t incident.Timer) error {
	inc, err := r.o.Services.Store.Get(ctx, t.Incident)
	if err != nil {
		return err
	}
	switch {
	case isAnswers(t):
		return r.fireAnswers(ctx, inc, t)
	case t.Kind == incident.TimerLift:
		if err := r.runOutside(ctx, inc, "iam:LiftContainment", `{}`, t.Key); err != nil {
			return err
		}
	case inc.Status == incident.Open:
		params := `{"to":"fallback"}`
		if t.Kind == "reminder" {
			params = fmt.Sprintf(`{"to":"reminder","attempt":%d}`, t.Attempt)
		}
		if err := r.runOutside(ctx, inc, "notify:Send", params, t.Key); err != nil {
			return err
		}
	}
	return r.o.Services.Timers.Complete(ctx, t.Incident, t.Key)
}
