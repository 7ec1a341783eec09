// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"strconv"
	"time"
)

// startTask hands a task out.
func (c *call) startTask(t *thread) error {
	part := t.state.task
	c.r.lastTask++
	// The task is there before its parameters, because $$.Task.Token may be one of them.
	t.task = &awaited{id: strconv.FormatInt(c.r.lastTask, 10), resource: part.resource, attempt: t.retries + 1}
	if part.kind.Integration == WaitForTaskToken {
		t.task.token = c.m.token(c.r.info.ID, t.task.id)
	}
	in, err := c.effective(t)
	if err != nil {
		return err
	}
	if !in.fits(MaxDataBytes) {
		return tooLarge(t.stateName)
	}
	if in != t.input {
		t.task.parameters = in
	}
	timeout, err := c.deadlines(t)
	if err != nil {
		return err
	}
	t.phase = phaseTask
	request := c.r.request(t)
	c.record(t, part.events.scheduled, func() []byte { return scheduledDetails(t, request, timeout, t.task.heartbeatEvery) })
	c.record(t, part.events.started, func() []byte { return append(part.details(0), '}') })
	c.fx.Tasks = append(c.fx.Tasks, request)
	return nil
}

// deadlines evaluates the timeouts and the credentials of a task, whose $ is the effective input's raw form.
func (c *call) deadlines(t *thread) (timeout time.Duration, err error) {
	part := t.state.task
	if part.credentials == nil && !part.timeout.present && !part.heartbeat.present {
		return 0, nil
	}
	raw, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return 0, err
	}
	e := c.inputEnv(t, raw)
	if part.credentials != nil {
		v, err := part.credentials.eval(e)
		if err != nil {
			return 0, err
		}
		t.task.credentials = datumOf(v)
	}
	if timeout, err = part.timeout.seconds(e); err != nil {
		return 0, err
	}
	if timeout > 0 {
		t.task.deadline = c.now.Add(timeout)
	}
	every, err := part.heartbeat.seconds(e)
	if err != nil {
		return 0, err
	}
	if timeout > 0 && every >= timeout {
		return 0, runtimeFault("The heartbeat of %s must be smaller than the timeout of %s.", every, timeout)
	}
	if every > 0 {
		t.task.heartbeatEvery, t.task.heartbeat = every, c.now.Add(every)
	}
	return timeout, nil
}

func (c *call) submitted(t *thread, output *datum) {
	part := t.state.task
	if t.task.submitted || !part.kind.waitsForAnswer() || part.kind.eventStem() != "Task" {
		return
	}
	t.task.submitted = true
	c.record(t, "TaskSubmitted", func() []byte { return part.outputDetails(output) })
}

func (c *call) taskSucceeded(t *thread, output *datum) {
	part := t.state.task
	if part.kind.waitsForAnswer() {
		c.submitted(t, datumOf(&object{}))
	}
	c.record(t, part.events.succeeded, func() []byte { return part.outputDetails(output) })
	t.phase = phaseReady
	if err := c.finish(t, output); err != nil {
		c.failed(t, asFault(err))
	}
}

func (c *call) taskFailed(t *thread, f *fault) {
	part := t.state.task
	c.record(t, part.events.failed, func() []byte { return part.failedDetails(f.failure) })
	t.phase = phaseReady
	c.failed(t, f)
}

// timedOut ends a task whose time is up. AWS reports a missed heartbeat as States.Timeout too, and lets ErrorEquals name
// it States.HeartbeatTimeout.
func (c *call) timedOut(t *thread, heartbeat bool) {
	c.cancelTask(t.task.id)
	f := &fault{failure: Error{Name: ErrorTimeout}, task: true}
	if heartbeat {
		f.alias = ErrorHeartbeatTimeout
	}
	part := t.state.task
	c.record(t, part.events.timedOut, func() []byte { return part.failedDetails(f.failure) })
	t.phase = phaseReady
	c.failed(t, f)
}
