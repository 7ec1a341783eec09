// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// longestSleep bounds how long the loop trusts the clock, which may be set, and relies on nobody else changing the store.
const longestSleep = time.Second

// Run works on executions in real time, keeps the lease, takes over from engines that died and prunes, until ctx is done.
func (e *Engine) Run(ctx context.Context) error {
	defer e.pool.drive()()
	housekeeping := time.NewTicker(e.o.Lease / 3)
	defer housekeeping.Stop()
	e.keepHouse(ctx)
	for ctx.Err() == nil {
		e.alarm.expect(time.Time{}) // whatever is set while we look rings
		_, next, err := e.takeUp(ctx)
		if err != nil && ctx.Err() == nil {
			e.o.Logger.ErrorContext(ctx, "look for executions", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
		case <-housekeeping.C:
			e.keepHouse(ctx)
		case <-e.alarm.rung:
		case <-time.After(e.sleep(next)):
		}
	}
	return ctx.Err()
}

func (e *Engine) sleep(next time.Time) time.Duration {
	e.alarm.expect(next)
	if next.IsZero() {
		return longestSleep
	}
	// Without its monotonic reading a time is compared by the wall clock, as the store's are.
	return min(max(next.Sub(e.o.Clock().Round(0)), time.Millisecond), longestSleep)
}

// RunDue does everything that is due by the clock and waits until nothing moves any more: how scenarios run in simulated
// time. It returns when something is due next (zero: nothing is).
func (e *Engine) RunDue(ctx context.Context) (next time.Time, err error) {
	defer e.pool.drive()()
	if err := e.renewInTime(ctx); err != nil {
		return time.Time{}, err
	}
	for {
		e.pool.wait()
		if err := errors.Join(e.takeFailure(), ctx.Err()); err != nil {
			return time.Time{}, err
		}
		taken, next, err := e.takeUp(ctx)
		if err != nil || taken == 0 {
			return next, err
		}
	}
}

// takeUp asks workers to look at executions that are due, as many as there is room for.
func (e *Engine) takeUp(ctx context.Context) (taken int, next time.Time, err error) {
	limit := e.pool.roomForMany()
	if limit == 0 {
		return 0, time.Time{}, nil // the alarm rings when there is
	}
	due, next, err := e.store.Due(ctx, e.o.Owner, e.o.Clock(), limit)
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read what is due: %w", err)
	}
	for _, d := range due {
		if e.beginTick(d.Name) {
			taken++
			e.addTick(d)
		}
	}
	if len(due) == limit && e.pool.roomForMany() > 0 {
		e.alarm.ring() // there is more
	}
	return taken, next, nil
}

// addTick lets a worker look at an execution; where tasks may be urgent, so is the look that leads to them.
func (e *Engine) addTick(d Due) {
	tick := func(closing context.Context) { e.tick(closing, d) }
	if e.o.IsUrgent != nil {
		e.pool.addUrgent(tick)
		return
	}
	e.pool.add(tick)
}

func (e *Engine) beginTick(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ticking[name] {
		return false
	}
	e.ticking[name] = true
	return true
}

// tick fires the timers of an execution and takes up what nobody has in hand.
func (e *Engine) tick(ctx context.Context, d Due) {
	err := e.step(ctx, d.Name, transition{version: d.Version, isTakenUp: true, do: (*asl.Machine).Tick})
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.ticking, d.Name)
	if err != nil && !isOver(err) && ctx.Err() == nil {
		e.failure = err
		e.o.Logger.ErrorContext(ctx, "take up an execution", slog.String("execution", d.Name), slog.Any("error", err))
	}
}

func (e *Engine) takeFailure() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	err := e.failure
	e.failure = nil
	return err
}

// alarm wakes the loop earlier than it planned.
type alarm struct {
	rung chan struct{}
	mu   *sync.Mutex
	plan *time.Time // zero: as late as it likes
}

func newAlarm() alarm {
	return alarm{rung: make(chan struct{}, 1), mu: new(sync.Mutex), plan: new(time.Time)}
}

// expect notes until when the loop sleeps.
func (a alarm) expect(next time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	*a.plan = next
}

// set makes sure that the loop looks at t.
func (a alarm) set(t time.Time) {
	a.mu.Lock()
	isEarlier := a.plan.IsZero() || t.Before(*a.plan)
	if isEarlier {
		*a.plan = t
	}
	a.mu.Unlock()
	if isEarlier {
		a.ring()
	}
}

func (a alarm) ring() {
	select {
	case a.rung <- struct{}{}:
	default:
	}
}
