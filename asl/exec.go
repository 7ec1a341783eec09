// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"encoding/json"
	"fmt"
	"time"
)

// What one call does at most before it leaves the rest to the next Tick. It bounds the memory of Effects.
const (
	maxEventsPerCall = 1000
	maxBytesPerCall  = 8 << 20
)

// reservedEvents is what is kept of MaxEvents for the end of the execution.
const reservedEvents = 8

// maxHiddenEvents bounds what the child executions of distributed Maps do, which the history does not show.
const maxHiddenEvents = 1_000_000

// call is one call of a method of Machine: it moves a Run and gathers the effects.
type call struct {
	m             *Machine
	r             *Run
	now           time.Time
	fx            Effects
	bytes, hidden int // bytes of event details, and events of child executions, so far
	// ready holds the threads that can go on, the next one last.
	ready []*thread
}

// Start begins an execution. Input is JSON text; empty text means {}. It returns ErrInvalidInput for input that AWS would
// refuse.
func (m *Machine) Start(info ExecutionInfo, input json.RawMessage, now time.Time) (*Run, Effects, error) {
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	if len(input) > MaxDataBytes {
		return nil, Effects{}, fmt.Errorf("%w: %d bytes are more than %d", ErrInvalidInput, len(input), MaxDataBytes)
	}
	in, err := decodeDatum(input)
	if err != nil {
		return nil, Effects{}, fmt.Errorf("%w: %w", ErrInvalidInput, err)
	}
	if info.StartedAt.IsZero() {
		info.StartedAt = now
	}
	info.StartedAt = info.StartedAt.UTC().Round(0)
	r := &Run{machine: m, info: info, input: in, status: Running}
	if m.timeout > 0 {
		r.deadline = now.UTC().Round(0).Add(m.timeout)
	}
	r.root = &thread{scope: m.scope, state: m.scope.start, stateName: m.scope.start.name, input: r.input}
	fx, err := m.perform(r, now, func(c *call) error {
		c.emit("ExecutionStarted", "", 0, c.startedDetails())
		c.push(r.root)
		return nil
	})
	return r, fx, err
}

// TaskSucceeded ends a task with its output, which is JSON text. It returns ErrNoTask when the task is not awaited (any
// more) and ErrInvalidOutput for text that is not JSON; both leave the Run as it was. Output of more than MaxDataBytes
// fails the task with States.DataLimitExceeded.
func (m *Machine) TaskSucceeded(r *Run, taskID string, output json.RawMessage, now time.Time) (Effects, error) {
	return m.perform(r, now, func(c *call) error {
		t, err := c.find(taskID)
		if err != nil {
			return err
		}
		if len(output) > MaxDataBytes {
			c.taskFailed(t, tooLarge(t.stateName))
			return nil
		}
		result, err := decodeDatum(output)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalidOutput, err)
		}
		c.taskSucceeded(t, result)
		return nil
	})
}

// TaskFailed ends a task with an error; Retry and Catch of the state decide what comes next. It returns ErrNoTask when
// the task is not awaited.
func (m *Machine) TaskFailed(r *Run, taskID string, failure Error, now time.Time) (Effects, error) {
	return m.perform(r, now, func(c *call) error {
		t, err := c.find(taskID)
		if err != nil {
			return err
		}
		c.taskFailed(t, &fault{failure: failure, task: true})
		return nil
	})
}

// TaskSubmitted says that a task that is answered from outside (.waitForTaskToken, .sync) was handed over; output is what
// the handing over returned, as JSON text (empty means {}). It adds the TaskSubmitted event and is optional: without it
// TaskSucceeded adds that event. It returns ErrNoTask when the task is not awaited; a second call changes nothing.
func (m *Machine) TaskSubmitted(r *Run, taskID string, output json.RawMessage, now time.Time) (Effects, error) {
	return m.perform(r, now, func(c *call) error {
		t, err := c.find(taskID)
		if err != nil {
			return err
		}
		if len(output) == 0 || len(output) > MaxDataBytes {
			output = json.RawMessage("{}")
		}
		result, err := decodeDatum(output)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrInvalidOutput, err)
		}
		c.submitted(t, result)
		return nil
	})
}

// TaskHeartbeat says that a task is still being worked on: its heartbeat timeout starts anew. It returns ErrNoTask when
// the task is not awaited. It adds no event.
func (m *Machine) TaskHeartbeat(r *Run, taskID string, now time.Time) (Effects, error) {
	return m.perform(r, now, func(c *call) error {
		t, err := c.find(taskID)
		if err != nil {
			return err
		}
		if t.task.heartbeatEvery > 0 {
			t.task.heartbeat = c.now.Add(t.task.heartbeatEvery)
		}
		return nil
	})
}

// Tick fires every timer that is due at now, in the order of their times: ends of Wait states and of retry delays,
// timeouts of tasks, heartbeats and the execution; and goes on with transitions that an earlier call left over. Nothing
// happens when no timer is due or the execution has ended.
func (m *Machine) Tick(r *Run, now time.Time) (Effects, error) {
	return m.perform(r, now, func(c *call) error {
		for r.status == Running {
			t, due := c.nextDue()
			if due.IsZero() || due.After(now) || c.isSpent() {
				return nil
			}
			c.fire(t, due)
			c.advance()
		}
		return nil
	})
}

// Abort ends a running execution from outside, as StopExecution does; failure may be empty. Nothing happens when the
// execution has ended.
func (m *Machine) Abort(r *Run, failure Error, now time.Time) (Effects, error) {
	return m.perform(r, now, func(c *call) error {
		if r.status == Running {
			c.end(Aborted, r.lastEvent, &failure)
		}
		return nil
	})
}

// perform runs one call: what it does first, then all that follows without waiting.
func (m *Machine) perform(r *Run, now time.Time, first func(*call) error) (fx Effects, err error) {
	if err := m.bind(r); err != nil {
		return Effects{}, err
	}
	// Stored times have neither a zone nor a monotonic clock; histories must not depend on what was stored.
	c := &call{m: m, r: r, now: now.UTC().Round(0)}
	defer func() {
		if p := recover(); p != nil {
			d, ok := p.(damaged)
			if !ok {
				panic(p)
			}
			fx, err = Effects{}, fmt.Errorf("%w: %w", ErrInvalidRun, d.err)
		}
	}()
	if err := first(c); err != nil {
		return Effects{}, err
	}
	c.advance()
	return c.fx, nil
}

// push makes a thread ready. It may be so already: a Map stays ready below the iteration that it has just started.
func (c *call) push(t *thread) {
	if !t.queued {
		t.queued = true
		c.ready = append(c.ready, t)
	}
}

// isSpent reports whether the call has done enough; what is ready then waits for the next Tick.
func (c *call) isSpent() bool {
	return len(c.fx.Events)+c.hidden >= maxEventsPerCall || c.bytes >= maxBytesPerCall
}

// advance runs every thread until it has to wait.
func (c *call) advance() {
	for len(c.ready) > 0 && c.r.status == Running {
		t := c.ready[len(c.ready)-1]
		c.ready = c.ready[:len(c.ready)-1]
		t.queued = false
		switch {
		case t.gone || t.phase != phaseReady && t.phase != phaseGroup:
		case c.isSpent():
			t.wake = c.now
		case c.r.lastEvent > MaxEvents-reservedEvents || c.r.hidden > maxHiddenEvents:
			c.end(Failed, t.previous, &Error{Name: ErrorRuntime, Cause: causeHistoryLimit})
		default:
			c.step(t)
		}
	}
	c.ready = c.ready[:0]
}

func (c *call) step(t *thread) {
	t.wake = time.Time{}
	if t.phase == phaseGroup {
		c.startNext(t)
		return
	}
	c.enter(t)
}

// find returns the thread that waits for a task.
func (c *call) find(taskID string) (*thread, error) {
	var found *thread
	if c.r.status == Running {
		c.r.root.each(func(t *thread) {
			if t.phase == phaseTask && t.task.id == taskID {
				found = t
			}
		})
	}
	if found == nil {
		return nil, fmt.Errorf("%w: %q", ErrNoTask, clip(taskID))
	}
	return found, nil
}

// nextDue returns the thread with the earliest timer; nil for the timeout of the execution itself.
func (c *call) nextDue() (*thread, time.Time) {
	var first *thread
	earliest := c.r.deadline
	c.r.root.each(func(t *thread) {
		if timer := t.timer(); !timer.IsZero() && (earliest.IsZero() || timer.Before(earliest)) {
			first, earliest = t, timer
		}
	})
	return first, earliest
}

func (c *call) fire(t *thread, due time.Time) {
	if t == nil {
		c.end(TimedOut, c.r.lastEvent, &Error{Name: ErrorTimeout})
		return
	}
	switch t.phase {
	case phaseWait:
		t.wake = time.Time{}
		c.waited(t)
	case phaseRetry:
		t.wake = time.Time{}
		c.work(t)
	case phaseTask:
		c.timedOut(t, due.Equal(t.task.heartbeat) && !due.Equal(t.task.deadline))
	default:
		c.push(t)
	}
}

// end ends the execution.
func (c *call) end(status Status, previous int64, failure *Error) {
	types := map[Status]string{Failed: "ExecutionFailed", TimedOut: "ExecutionTimedOut", Aborted: "ExecutionAborted"}
	c.cancel(c.r.root)
	c.r.status, c.r.failure, c.r.root = status, failure, nil
	c.emitLast(types[status], previous, errorDetails(*failure))
}

func (c *call) succeed(t *thread) {
	c.r.status, c.r.output, c.r.root = Succeeded, t.input, nil
	details := appendText([]byte{'{'}, "output", t.input.json())
	c.emitLast("ExecutionSucceeded", t.previous, append(details, `,"outputDetails":{"truncated":false}}`...))
}

// cancel takes back the tasks of a thread and of all below it.
func (c *call) cancel(t *thread) {
	t.each(func(t *thread) {
		t.gone = true
		if t.phase == phaseTask {
			c.cancelTask(t.task.id)
		}
	})
}

// cancelTask forgets a task that this call has only just started; of others it says that nobody awaits them.
func (c *call) cancelTask(id string) {
	for i, request := range c.fx.Tasks {
		if request.ID == id {
			c.fx.Tasks = append(c.fx.Tasks[:i], c.fx.Tasks[i+1:]...)
			return
		}
	}
	c.fx.Cancelled = append(c.fx.Cancelled, id)
}
