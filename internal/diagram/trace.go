// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// Trace is what an execution did, by the names of its states.
type Trace struct {
	// Status is how the execution ended, or asl.Running.
	Status asl.Status
	// Took is the time from the first event to the last, or to now.
	Took time.Duration

	visits map[string]*visits
	steps  map[step]bool
}

// visits are those of one state.
type visits struct {
	count, exits int
	// starts counts the attempts of a task, or of the branches or iterations of a state.
	starts int
	// took is the sum of the times between entry and exit; last is when the last event was, from the beginning.
	took, last time.Duration
	// failure names the last error of the state; isCaught says that a Catch led out of it the last time.
	failure  string
	isCaught bool
}

// step is a transition. From is empty for the first state of a machine, a branch or an iteration.
type step struct {
	from, to string
	isCatch  bool
}

// NewTrace reads the whole history of an execution, in order. One that has not ended is drawn as it is at now.
func NewTrace(events []asl.Event, now time.Time) *Trace {
	r := reading{
		trace: &Trace{Status: asl.Running, visits: map[string]*visits{}, steps: map[step]bool{}},
		byID:  make(map[int64]asl.Event, len(events)),
	}
	for i, e := range events {
		if i == 0 {
			r.begin = e.Timestamp
		}
		r.byID[e.ID] = e
		r.take(e)
		r.trace.Took = e.Timestamp.Sub(r.begin)
	}
	if r.trace.Status == asl.Running && len(events) > 0 {
		r.trace.Took = max(r.trace.Took, now.Sub(r.begin))
	}
	for _, v := range r.trace.visits {
		// A visit without an exit lasts until now, or was cut off at the state's last event; take has subtracted its entry.
		end := v.last
		if r.trace.Status == asl.Running {
			end = r.trace.Took
		}
		v.took += time.Duration(v.count-v.exits) * end
	}
	return r.trace
}

// reading is a history that is being read.
type reading struct {
	trace *Trace
	byID  map[int64]asl.Event // those before
	begin time.Time
}

func (r *reading) take(e asl.Event) {
	if e.State == "" {
		r.end(e.Type)
		return
	}
	v := r.trace.visits[e.State]
	if v == nil {
		v = &visits{}
		r.trace.visits[e.State] = v
	}
	v.last = e.Timestamp.Sub(r.begin)
	switch {
	case strings.HasSuffix(e.Type, "StateEntered"):
		v.count++
		v.took -= v.last
		r.trace.steps[r.stepTo(e)] = true
	case strings.HasSuffix(e.Type, "StateExited"):
		v.exits++
		v.took += v.last
		v.isCaught = isFailure(r.byID[e.PreviousEventID].Type)
	case isFailure(e.Type):
		v.failure = errorName(e.Details)
	case isAttempt(e.Type):
		v.starts++
	}
}

func (r *reading) end(eventType string) {
	for status, name := range map[asl.Status]string{
		asl.Succeeded: "ExecutionSucceeded", asl.Failed: "ExecutionFailed", asl.TimedOut: "ExecutionTimedOut", asl.Aborted: "ExecutionAborted",
	} {
		if name == eventType {
			r.trace.Status = status
		}
	}
}

// stepTo returns the transition that led to the event of a state's entry.
func (r *reading) stepTo(e asl.Event) step {
	before := r.byID[e.PreviousEventID]
	if !strings.HasSuffix(before.Type, "StateExited") {
		return step{to: e.State}
	}
	return step{from: before.State, to: e.State, isCatch: isFailure(r.byID[before.PreviousEventID].Type)}
}

// isFailure reports whether the event says that a state's work failed, whatever came of it.
func isFailure(eventType string) bool {
	return strings.HasSuffix(eventType, "Failed") || strings.HasSuffix(eventType, "TimedOut")
}

// isAttempt reports whether the event begins an attempt: a state that is tried again has more of them than entries.
func isAttempt(eventType string) bool {
	return strings.HasSuffix(eventType, "Scheduled") || eventType == "ParallelStateStarted" || eventType == "MapStateStarted"
}

func errorName(details json.RawMessage) string {
	var d struct {
		Error string `json:"error"`
	}
	// Some failures have no details; then there is no name.
	_ = json.Unmarshal(details, &d)
	return d.Error
}

// outcome is how a state looks in the picture of an execution.
type outcome string

const (
	idle    outcome = "idle" // not visited
	running outcome = "running"
	done    outcome = "done"
	caught  outcome = "caught" // left by a Catch the last time
	failed  outcome = "failed" // the execution ended in it, and not well
)

func (t *Trace) outcomeOf(state string) outcome {
	v := t.visits[state]
	switch {
	case v == nil:
		return idle
	case v.count > v.exits && t.Status == asl.Running:
		return running
	case v.count > v.exits:
		return failed
	case v.isCaught:
		return caught
	}
	return done
}

// story says in a line what happened in a state: how often, how long, what went wrong.
func (t *Trace) story(state string) string {
	v := t.visits[state]
	if v == nil {
		return ""
	}
	parts := []string{durationText(v.took)}
	if v.count > 1 {
		parts = append([]string{count(v.count, "visit", "visits")}, parts...)
	}
	if retries := v.starts - v.count; retries > 0 {
		parts = append(parts, count(retries, "retry", "retries"))
	}
	if o := t.outcomeOf(state); v.failure != "" && (o == caught || o == failed) {
		parts = append(parts, v.failure)
	} else if o == running {
		parts = append(parts, "running")
	}
	return strings.Join(parts, " · ")
}

// summary says in a line how the execution ended.
func (t *Trace) summary() string {
	return string(t.Status) + " · " + durationText(t.Took)
}
