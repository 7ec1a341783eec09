// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/incident"
)

// ErrorOther is the name of a failure that a handler gave no name.
const ErrorOther = "Switchback.Error"

// The pauses between attempts to commit the end of a task while the store fails.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// work is a task in the hands of this engine, queued or at work.
type work struct {
	Task
	engine *Engine

	mu     sync.Mutex
	cancel context.CancelFunc // of the handler's context, once there is one
	isGone bool               // nobody waits any more
}

// dispatch hands a task to a worker. The execution's lock is held.
func (e *Engine) dispatch(l *live, request asl.TaskRequest) {
	if l.tasks == nil {
		l.tasks = map[string]*work{}
	}
	w := e.newWork(l.row.Execution, request)
	l.tasks[request.ID] = w
	if e.o.IsUrgent != nil && e.o.IsUrgent(request.Resource) {
		e.pool.addUrgent(w.perform)
		return
	}
	e.pool.add(w.perform)
}

// enteredLayout is how a visit names its time: as $$.State.EnteredTime does.
const enteredLayout = "2006-01-02T15:04:05.999Z07:00"

func (e *Engine) newWork(x Execution, request asl.TaskRequest) *work {
	w := &work{engine: e}
	w.Task = Task{
		TaskRequest: request, ExecutionName: x.Name, Machine: x.Machine, Heartbeat: w.heartbeat,
		Visit: x.Name + "/" + request.State + "/" + request.Visit + "/" + request.EnteredAt.UTC().Format(enteredLayout),
	}
	return w
}

func (w *work) heartbeat(ctx context.Context) error {
	return w.engine.step(ctx, w.ExecutionName, transition{do: func(m *asl.Machine, r *asl.Run, now time.Time) (asl.Effects, error) {
		return m.TaskHeartbeat(r, w.ID, now)
	}})
}

// begin returns the context of the handler, which ends when nobody waits any more and when the engine is closed.
func (w *work) begin(closing context.Context) (ctx context.Context, cancel context.CancelFunc) {
	ctx, cancel = context.WithCancel(closing)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cancel = cancel
	if w.isGone {
		cancel()
	}
	return ctx, cancel
}

// letGo says that nobody waits any more.
func (w *work) letGo() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.isGone = true
	if w.cancel != nil {
		w.cancel()
	}
}

// perform calls the handler and reports what came of it.
func (w *work) perform(closing context.Context) {
	ctx, cancel := w.begin(closing)
	defer cancel()
	if ctx.Err() != nil {
		return
	}
	output, failure := w.engine.handler(ctx, w.Task)
	w.engine.conclude(closing, w, transition{done: w.ID, do: func(m *asl.Machine, r *asl.Run, now time.Time) (asl.Effects, error) {
		return report(m, r, &w.Task, output, failure, now)
	}})
}

// conclude makes the end of a task durable, however often the store fails.
func (e *Engine) conclude(closing context.Context, w *work, end transition) {
	for pause := firstRetry; closing.Err() == nil; pause = min(2*pause, lastRetry) {
		err := e.step(closing, w.ExecutionName, end)
		if isOver(err) {
			e.forget(w)
		}
		if err == nil || isOver(err) || closing.Err() != nil {
			return
		}
		e.o.Logger.ErrorContext(closing, "end of a task", slog.String("execution", w.ExecutionName), slog.String("state", w.State), slog.Any("error", err))
		select {
		case <-closing.Done():
		case <-time.After(pause):
		}
	}
}

// forget drops a task that was not waited for in the end.
func (e *Engine) forget(w *work) {
	l := e.acquire(w.ExecutionName)
	defer e.release(w.ExecutionName, l)
	l.drop(w.ID)
}

// report tells the machine what came of a task.
func report(m *asl.Machine, r *asl.Run, t *Task, output json.RawMessage, failure error, now time.Time) (asl.Effects, error) {
	if failure != nil {
		return m.TaskFailed(r, t.ID, failureOf(failure), now)
	}
	end := m.TaskSucceeded
	if t.Token != "" {
		end = m.TaskSubmitted
	}
	fx, err := end(r, t.ID, output, now)
	if errors.Is(err, asl.ErrInvalidOutput) {
		return m.TaskFailed(r, t.ID, failureOf(err), now)
	}
	return fx, err
}

// isOver reports whether nobody waits for the task any more.
func isOver(err error) bool {
	return errors.Is(err, asl.ErrNoTask) || errors.Is(err, incident.ErrNotFound)
}

// failureOf names an error for Retry and Catch.
func failureOf(err error) asl.Error {
	var value asl.Error
	if errors.As(err, &value) {
		return value
	}
	var pointer *asl.Error
	if errors.As(err, &pointer) {
		return *pointer
	}
	return asl.Error{Name: ErrorOther, Cause: err.Error()}
}
