// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"fmt"
	"math"
	"time"
)

// failed is where every failure of a state arrives: Retry, then Catch, then outwards.
func (c *call) failed(t *thread, f *fault) {
	f.locate(t)
	evaluated := f.evaluation
	if evaluated {
		f.evaluation = false
		t.previous = c.recordAside(t, "EvaluationFailed", t.beforeEntered, func() []byte { return evaluationDetails(t, f) })
	}
	fromChild := t.group != nil
	t.task, t.group = nil, nil
	if c.retry(t, f) {
		return
	}
	if (evaluated || fromChild) && (t.state.kind == "Map" || t.state.kind == "Parallel") {
		c.record(t, t.state.kind+"StateFailed", nil)
	}
	if c.caught(t, f) {
		return
	}
	c.giveUp(t, f)
}

// locate puts AWS's beginning before a cause that lacks it.
func (f *fault) locate(t *thread) {
	if f.inState {
		f.Cause = fmt.Sprintf("An error occurred while executing the state '%s' (entered at the event id #%d). %s", t.stateName, t.enteredEvent, f.Cause)
		f.inState = false
	}
}

// giveUp hands a failure to the state around the thread, or fails the execution.
func (c *call) giveUp(t *thread, f *fault) {
	if t.parent == nil {
		c.end(Failed, t.previous, &f.failure)
		return
	}
	c.childFailed(t.parent, t, f)
}

// retry arranges another attempt if the first retrier that matches has one left.
func (c *call) retry(t *thread, f *fault) bool {
	for i := range t.state.retry {
		r := &t.state.retry[i]
		if !f.matchedBy(r.names) {
			continue
		}
		if t.counters == nil {
			t.counters = make([]int64, len(t.state.retry))
		}
		if i >= len(t.counters) || t.counters[i] >= r.maxAttempts {
			return false
		}
		t.counters[i]++
		t.retries++
		t.phase, t.wake = phaseRetry, c.now.Add(r.delay(t.counters[i], c.m.random))
		return true
	}
	return false
}

// delay returns how long to wait before the n-th retry, n from 1.
func (r *retrier) delay(n int64, random func() float64) time.Duration {
	seconds := r.interval * math.Pow(r.backoff, float64(n-1))
	if r.maxDelay > 0 {
		seconds = math.Min(seconds, r.maxDelay)
	}
	seconds = math.Min(seconds, maxSeconds)
	if r.jitter {
		seconds *= random()
	}
	return time.Duration(seconds * float64(time.Second))
}

// caught goes to the first catcher that matches.
func (c *call) caught(t *thread, f *fault) bool {
	for i := range t.state.catch {
		catch := &t.state.catch[i]
		if !f.matchedBy(catch.names) {
			continue
		}
		if err := c.goToCatch(t, catch, f); err != nil {
			inner := asFault(err)
			inner.locate(t)
			c.giveUp(t, inner)
		}
		return true
	}
	return false
}

// goToCatch leaves the state by a catcher. ResultSelector, OutputPath and Output of the state do not apply.
func (c *call) goToCatch(t *thread, catch *catcher, f *fault) error {
	failure := datumOf(f.output())
	if t.state.jsonata {
		states := []any{"input", t.input.value(), "errorOutput", failure.value()}
		out, assigned, err := c.queryOutput(t, catch.output, catch.assign, failure, states)
		if err != nil {
			return err
		}
		return c.exit(t, out, assigned, catch.next)
	}
	assigned, err := evaluateAssign(catch.assign, c.env(t, failure.value()))
	if err != nil {
		return err
	}
	out, err := c.place(t, catch.resultPath, catch.dropResult, failure)
	if err != nil {
		return err
	}
	return c.exit(t, out, assigned, catch.next)
}
