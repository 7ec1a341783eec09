// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/jsonscan"
)

// ErrorOther is the name of a failure that a handler gave no name.
const ErrorOther = "Switchback.Error"

// The pauses between attempts to commit the end of a task while the store fails.
const (
	firstRetry = 100 * time.Millisecond
	lastRetry  = 5 * time.Second
)

// dispatch hands a task to a worker. The execution's lock is held.
func (e *Engine) dispatch(l *live, request asl.TaskRequest) {
	if l.tasks == nil {
		l.tasks = map[string]context.CancelFunc{}
	}
	ctx, cancel := context.WithCancel(e.pool.ctx)
	l.tasks[request.ID] = cancel
	t := e.task(l.row.Execution, request)
	add := e.pool.add
	if e.o.IsUrgent != nil && e.o.IsUrgent(request.Resource) {
		add = e.pool.addUrgent
	}
	add(func(closing context.Context) {
		defer cancel()
		e.perform(ctx, closing, t)
	})
}

func (e *Engine) task(x Execution, request asl.TaskRequest) Task {
	return Task{
		TaskRequest: request, ExecutionName: x.Name, Machine: x.Machine,
		Visit: x.Name + "/" + request.State + "/" + request.Visit + "/" + enteredTime(request.Context),
		Heartbeat: func(ctx context.Context) error {
			return e.step(ctx, x.Name, transition{do: func(m *asl.Machine, r *asl.Run, now time.Time) (asl.Effects, error) {
				return m.TaskHeartbeat(r, request.ID, now)
			}})
		},
	}
}

// enteredTime reads State.EnteredTime from the context object, which is asl's own. Without it the state's name alone
// names the visit.
func enteredTime(context json.RawMessage) string {
	var entered []byte
	_, _ = jsonscan.Members(context, 0, func(name []byte, at int) (int, error) {
		if string(name) != "State" {
			return jsonscan.Value(context, at)
		}
		return jsonscan.Members(context, at, func(name []byte, at int) (int, error) {
			if string(name) != "EnteredTime" {
				return jsonscan.Value(context, at)
			}
			content, _, end, err := jsonscan.String(context, at)
			entered = content
			return end, err
		})
	})
	return string(entered)
}

// perform calls the handler and reports what came of it. ctx ends when nobody waits any more or the engine is closed,
// closing only then.
func (e *Engine) perform(ctx, closing context.Context, t Task) {
	if ctx.Err() != nil {
		return
	}
	output, failure := e.handler(ctx, t)
	end := transition{done: t.ID, do: func(m *asl.Machine, r *asl.Run, now time.Time) (asl.Effects, error) {
		return report(m, r, t, output, failure, now)
	}}
	for pause := firstRetry; closing.Err() == nil; pause = min(2*pause, lastRetry) {
		err := e.step(closing, t.ExecutionName, end)
		if isOver(err) {
			e.forget(t)
		}
		if err == nil || isOver(err) || closing.Err() != nil {
			return
		}
		e.o.Logger.ErrorContext(closing, "end of a task", slog.String("execution", t.ExecutionName), slog.String("state", t.State), slog.Any("error", err))
		select {
		case <-closing.Done():
		case <-time.After(pause):
		}
	}
}

// forget drops a task that was not waited for in the end.
func (e *Engine) forget(t Task) {
	l := e.acquire(t.ExecutionName)
	defer e.release(t.ExecutionName, l)
	l.drop(t.ID)
}

// report tells the machine what came of a task.
func report(m *asl.Machine, r *asl.Run, t Task, output json.RawMessage, failure error, now time.Time) (asl.Effects, error) {
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
