// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/incident"
)

// live is an execution that is at work in this process.
type live struct {
	users int // who holds or waits for mu; guarded by Engine.mu

	mu  sync.Mutex
	row Row
	run *asl.Run // nil: to be loaded, or ended
	// tasks are those in the hands of this engine, queued or at work.
	tasks map[string]*work
}

// acquire locks an execution in this process.
func (e *Engine) acquire(name string) *live {
	e.mu.Lock()
	l := e.live[name]
	if l == nil {
		l = &live{}
		e.live[name] = l
	}
	l.users++
	e.mu.Unlock()
	l.mu.Lock()
	return l
}

// release unlocks it. An execution that nobody here works on is forgotten: it lives in the store.
func (e *Engine) release(name string, l *live) {
	e.mu.Lock()
	l.users--
	if l.users == 0 && len(l.tasks) == 0 {
		delete(e.live, name)
	}
	e.mu.Unlock()
	l.mu.Unlock()
}

// transition is something that moves an execution.
type transition struct {
	do func(*asl.Machine, *asl.Run, time.Time) (asl.Effects, error)
	// done is the task that do ends, if it ends one.
	done string
	// version is one that was seen in the store: a copy in memory that is older is stale.
	version int64
	// isTakenUp says that tasks may be awaited which nobody has in hand.
	isTakenUp bool
}

// step makes one transition of an execution durable, then lets its effects out. When another engine was faster it is made
// again on what that one left. It returns asl.ErrNoTask for an execution that has ended.
func (e *Engine) step(ctx context.Context, name string, t transition) error {
	l := e.acquire(name)
	defer e.release(name, l)
	for {
		err := e.attempt(ctx, name, l, t)
		if err == nil {
			return nil
		}
		l.run = nil // whatever it is now, the store knows better
		if !errors.Is(err, incident.ErrConflict) {
			return fmt.Errorf("execution %s: %w", name, err)
		}
	}
}

func (e *Engine) attempt(ctx context.Context, name string, l *live, t transition) error {
	m, err := e.load(ctx, name, l, t.version)
	if err != nil {
		return err
	}
	if l.run == nil || t.isTakenUp && !e.mayOwn(l.row) {
		return asl.ErrNoTask
	}
	fx, err := t.do(m, l.run, e.o.Clock())
	if err != nil {
		return err
	}
	tasks := fx.Tasks
	if t.isTakenUp {
		tasks = l.untaken()
	}
	return e.commit(ctx, l, fx, tasks, append(fx.Cancelled, t.done))
}

// mayOwn reports whether no other engine has tasks of the execution in hand.
func (e *Engine) mayOwn(row Row) bool { return row.Owner == "" || row.Owner == e.o.Owner }

// load brings the Run into memory; it stays nil for an execution that has ended.
func (e *Engine) load(ctx context.Context, name string, l *live, version int64) (*asl.Machine, error) {
	if l.run == nil || l.row.Version < version {
		row, err := e.store.Load(ctx, name)
		if err != nil {
			return nil, err
		}
		l.row, l.run = row, nil
		if row.Run == nil || !e.mayOwn(row) {
			l.dropAll() // it ended elsewhere, or another engine took it over
		}
		if row.Run == nil {
			return nil, nil
		}
		run := new(asl.Run)
		if err := json.Unmarshal(row.Run, run); err != nil {
			return nil, err
		}
		l.run = run
	}
	return e.machine(ctx, l.row.Definition)
}

// untaken returns the tasks that are awaited and that nobody has in hand. A task that was handed over already and waits
// for the answer by its token is not one.
func (l *live) untaken() []asl.TaskRequest {
	var tasks []asl.TaskRequest
	for _, t := range l.run.Pending() {
		if l.tasks[t.ID] == nil && !t.IsSubmitted {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// commit writes the transition and then, and only then, lets its effects out: tasks to be handed to workers, and tasks
// that nobody waits for any more.
func (e *Engine) commit(ctx context.Context, l *live, fx asl.Effects, tasks []asl.TaskRequest, gone []string) error {
	now := e.o.Clock()
	row, err := nextRow(l.row, l.run, now)
	if err != nil {
		return err
	}
	// Another engine's execution stays its own: it is told to look. So is whoever comes first when there is no room here.
	if len(tasks) > 0 && !(e.mayOwn(row) && e.pool.hasRoom()) {
		row.Wake, tasks = now, nil
	}
	if e.mayOwn(row) {
		row.Owner = ""
		if row.Status == asl.Running && len(tasks)+l.count(gone) > 0 {
			row.Owner = e.o.Owner
		}
	}
	if err := e.store.Commit(ctx, Change{Row: row, Events: fx.Events}); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	l.row = row
	for _, id := range gone {
		l.drop(id)
	}
	e.letOut(l, fx.Events, tasks)
	return nil
}

// nextRow is the row of a run after a transition.
func nextRow(row Row, run *asl.Run, now time.Time) (Row, error) {
	row.Version++
	row.Status, row.Wake = run.Status(), run.Wake()
	if row.Status == asl.Running {
		// Not json.Marshal, which would check and copy what MarshalJSON wrote.
		state, err := run.MarshalJSON()
		row.Run = state
		return row, err
	}
	row.Run, row.Owner, row.Output, row.StoppedAt = nil, "", run.Output(), now
	if f := run.Failure(); f != nil {
		row.Error, row.Cause = f.Name, f.Cause
	}
	return row, nil
}

// letOut makes the effects of a durable transition visible.
func (e *Engine) letOut(l *live, events []asl.Event, tasks []asl.TaskRequest) {
	// What the store keeps need not stay in memory, for as long as a task may take.
	l.row.Run = nil
	if e.o.Observe != nil && len(events) > 0 {
		e.o.Observe(l.row.Execution, events)
	}
	for _, t := range tasks {
		e.dispatch(l, t)
	}
	if l.row.Status != asl.Running {
		l.run = nil
		l.dropAll()
		e.tellEnd(l.row.Execution)
	}
	// The loop looks by itself before long.
	if w := l.row.Wake; !w.IsZero() && w.Before(e.o.Clock().Add(longestSleep)) {
		e.alarm.set(w)
	}
}

func (e *Engine) tellEnd(x Execution) {
	if e.o.Ended == nil {
		return
	}
	e.pool.add(func(ctx context.Context) {
		if err := e.o.Ended(ctx, x); err != nil && ctx.Err() == nil {
			e.o.Logger.ErrorContext(ctx, "after the end of an execution", slog.String("execution", x.Name), slog.Any("error", err))
		}
	})
}

// count is how many tasks are in hand without those that are gone.
func (l *live) count(gone []string) int {
	n := 0
	for id := range l.tasks {
		if !slices.Contains(gone, id) {
			n++
		}
	}
	return n
}

// drop lets go of a task: nobody waits for it any more, or it is done.
func (l *live) drop(id string) {
	if w := l.tasks[id]; w != nil {
		w.letGo()
		delete(l.tasks, id)
	}
}

func (l *live) dropAll() {
	for id := range l.tasks {
		l.drop(id)
	}
}
