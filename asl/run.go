// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"encoding/json"
	"fmt"
	"sort"
	"strconv"
	"time"
)

// Run is the durable state of one execution. Its JSON form is what to store: it holds neither the definition nor the
// history. A Run belongs to one goroutine at a time.
type Run struct {
	machine  *Machine // that root is bound to; nil after it was read from storage
	info     ExecutionInfo
	input    *datum
	status   Status
	output   *datum
	failure  *Error
	deadline time.Time
	// lastEvent is the ID of the last event; hidden counts those inside child executions of distributed Maps.
	lastEvent, hidden int64
	lastTask          int64
	root              *thread
}

// phase says what a thread waits for.
type phase string

const (
	phaseReady phase = ""  // nothing: its current state is to be entered
	phaseWait  phase = "w" // the time of a Wait state
	phaseTask  phase = "t" // the end of a task
	phaseRetry phase = "r" // the delay of a Retry
	phaseGroup phase = "g" // the branches of a Parallel or the iterations of a Map
)

// thread is a walk through one "States" object: the execution's own, a branch's or an iteration's.
type thread struct {
	// Not stored; see bind.
	parent *thread
	scope  *scope
	state  *state
	silent bool // inside a distributed Map: its events are not part of the history
	gone   bool // ended, or cut off by a failing sibling
	queued bool // among the ready threads of a call

	stateName string
	phase     phase
	input     *datum // raw input of the current state
	entered   time.Time
	// enteredEvent and previous are the IDs of the event that entered the state, of the one before it, and of the last.
	enteredEvent, beforeEntered, previous int64
	vars                                  map[string]*datum
	retries                               int64   // RetryCount of the current state
	counters                              []int64 // retries by retrier
	wake                                  time.Time
	task                                  *awaited
	group                                 *group
	index                                 int // among its siblings
}

// awaited is the task that a thread waits for.
type awaited struct {
	id, resource, token string
	parameters          *datum // nil: the state's input
	credentials         *datum
	attempt             int64
	submitted           bool
	deadline, heartbeat time.Time
	heartbeatEvery      time.Duration
}

// group is a Parallel or Map state at work.
type group struct {
	items    []*datum // of a Map: what is iterated over; nil for Parallel
	next     int      // index of the first child not started
	limit    int      // of children at work
	children []*thread
	results  []*datum
	// resultBytes is the size of the results so far.
	resultBytes int
	failures    int
	// tolerated is the number of failures that do not fail the state; < 0 where the first failure fails it.
	tolerated int
	// lastDone is the ID of the last MapIterationSucceeded.
	lastDone int64
}

// Status returns where the execution stands.
func (r *Run) Status() Status { return r.status }

// Info returns what Start was told.
func (r *Run) Info() ExecutionInfo { return r.info }

// Input returns the input of the execution.
func (r *Run) Input() json.RawMessage { return r.input.json() }

// Output returns the output of a succeeded execution; nil otherwise.
func (r *Run) Output() json.RawMessage {
	if r.output == nil {
		return nil
	}
	return r.output.json()
}

// Failure returns why an execution failed, timed out or was aborted; nil otherwise.
func (r *Run) Failure() *Error { return r.failure }

// LastEventID returns the ID of the last history event so far.
func (r *Run) LastEventID() int64 { return r.lastEvent }

// Wake returns when Tick has something to do: the earliest timer, or a time that has passed already when transitions are
// due now. It is zero when only the end of a task can move the execution, and when it has ended.
func (r *Run) Wake() time.Time {
	if r.status != Running {
		return time.Time{}
	}
	earliest := r.deadline
	r.root.each(func(t *thread) { earliest = earlier(earliest, t.timer()) })
	return earliest
}

// timer returns when the thread itself has something to do by the clock; zero for never.
func (t *thread) timer() time.Time {
	switch t.phase {
	case phaseTask:
		return earlier(t.task.deadline, t.task.heartbeat)
	}
	return t.wake
}

// earlier returns the earlier of two times, of which zero means never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// each visits the thread and the threads below it, in order.
func (t *thread) each(visit func(*thread)) {
	if t == nil {
		return
	}
	visit(t)
	if t.group != nil {
		for _, child := range t.group.children {
			child.each(visit)
		}
	}
}

// Current returns the names of the states that the execution is in, outermost first.
func (r *Run) Current() []string {
	var names []string
	if r.status == Running {
		r.root.each(func(t *thread) { names = append(names, t.stateName) })
	}
	return names
}

// Pending returns the tasks awaited right now: what must be handed to workers again after a restart, but for those that
// were submitted and only lack their answer.
func (r *Run) Pending() []TaskRequest {
	var tasks []TaskRequest
	if r.status == Running {
		r.root.each(func(t *thread) {
			if t.phase == phaseTask {
				tasks = append(tasks, r.request(t))
			}
		})
	}
	return tasks
}

func (r *Run) request(t *thread) TaskRequest {
	parameters := t.task.parameters
	if parameters == nil {
		parameters = t.input
	}
	request := TaskRequest{
		ID: t.task.id, State: t.stateName, Visit: t.visit(), EnteredAt: t.entered, Resource: t.task.resource, Parameters: parameters.json(),
		Token: t.task.token, Context: r.contextText(t), Attempt: int(t.task.attempt), IsSubmitted: t.task.submitted,
		Deadline: t.task.deadline, HeartbeatDeadline: t.task.heartbeat,
	}
	if t.task.credentials != nil {
		request.Credentials = t.task.credentials.json()
	}
	return request
}

// visit names the visit of the thread's current state.
func (t *thread) visit() string {
	if !t.silent || t.parent == nil {
		return strconv.FormatInt(t.enteredEvent, 10)
	}
	return t.parent.visit() + "." + strconv.Itoa(t.index)
}

// contextObject makes $$ as the thread's current state sees it.
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
func (r *Run) contextObject(t *thread) *object {
	execution := newObject("Id", r.info.ID, "Input", r.input.value(), "Name", r.info.Name, "RoleArn", r.info.RoleARN,
		"StartTime", formatTime(r.info.StartedAt), "RedriveCount", number("0"))
	current := newObject("Name", t.stateName, "EnteredTime", formatTime(t.entered))
	if t.state != nil && t.state.canRetry() || t.task != nil {
		current.add("RetryCount", intNumber(t.retries))
	}
	c := newObject("Execution", execution, "State", current,
		"StateMachine", newObject("Id", r.info.StateMachineID, "Name", r.info.StateMachineName))
	if t.task != nil && t.task.token != "" {
		c.add("Task", newObject("Token", t.task.token))
	}
	return c
}

// contextText writes what contextObject makes, without making it: every task takes it along.
func (r *Run) contextText(t *thread) []byte {
	in := r.input.json()
	d := append(make([]byte, 0, len(in)+contextBytes), `{"Execution":{`...)
	d = appendText(d, "Id", r.info.ID)
	d = append(appendName(d, "Input"), in...)
	d = appendText(d, "Name", r.info.Name)
	d = appendText(d, "RoleArn", r.info.RoleARN)
	d = appendTimeText(d, "StartTime", r.info.StartedAt)
	d = append(d, `,"RedriveCount":0},"State":{`...)
	d = appendText(d, "Name", t.stateName)
	d = appendTimeText(d, "EnteredTime", t.entered)
	if t.state != nil && t.state.canRetry() || t.task != nil {
		d = appendInt(d, "RetryCount", t.retries)
	}
	d = append(d, `},"StateMachine":{`...)
	d = appendText(d, "Id", r.info.StateMachineID)
	d = append(appendText(d, "Name", r.info.StateMachineName), '}')
	if t.task != nil && t.task.token != "" {
		d = append(appendText(append(d, `,"Task":{`...), "Token", t.task.token), '}')
	}
	return append(d, '}')
}

// contextBytes is about the size of a context object without the input.
const contextBytes = 512

func (st *state) canRetry() bool {
	return st.kind == "Task" || st.kind == "Parallel" || st.kind == "Map"
}

// timeLayout is ISO 8601 with milliseconds; trailing zeros of the fraction are dropped, as AWS does.
const timeLayout = "2006-01-02T15:04:05.999Z07:00"

func formatTime(t time.Time) string { return t.UTC().Format(timeLayout) }

func appendTimeText(d []byte, name string, t time.Time) []byte {
	return append(t.UTC().AppendFormat(append(appendName(d, name), '"'), timeLayout), '"')
}

// bind ties a Run that was read from storage to the machine: every thread finds its state again.
func (m *Machine) bind(r *Run) error {
	if r.machine == m || r.root == nil {
		r.machine = m
		return nil
	}
	if r.machine != nil {
		return fmt.Errorf("%w: it was started by another machine", ErrInvalidRun)
	}
	if err := r.root.bind(nil, m.scope); err != nil {
		return err
	}
	r.machine = m
	return nil
}

func (t *thread) bind(parent *thread, s *scope) error {
	t.parent, t.scope, t.state = parent, s, s.states[t.stateName]
	if t.state == nil {
		return fmt.Errorf("%w: no state %q", ErrInvalidRun, clip(t.stateName))
	}
	if parent != nil {
		t.silent = parent.silent || parent.state.isDistributed()
	}
	if t.phase == phaseTask && t.task == nil || t.phase == phaseGroup && t.group == nil {
		return fmt.Errorf("%w: state %q is incomplete", ErrInvalidRun, clip(t.stateName))
	}
	if t.group == nil {
		return nil
	}
	for _, child := range t.group.children {
		inner := t.state.childScope(child.index)
		if inner == nil {
			return fmt.Errorf("%w: state %q has no branch %d", ErrInvalidRun, clip(t.stateName), child.index)
		}
		if err := child.bind(t, inner); err != nil {
			return err
		}
	}
	return nil
}

func (st *state) isDistributed() bool { return st.mapping != nil && st.mapping.distributed }

// childScope returns what the i-th branch or iteration runs; nil when there is none.
func (st *state) childScope(i int) *scope {
	if st.mapping != nil {
		return st.mapping.scope
	}
	if i < 0 || i >= len(st.branches) {
		return nil
	}
	return st.branches[i]
}

// variable finds a variable in the thread and, unless a distributed Map lies between, in the threads around it.
func (t *thread) variable(name string) (*datum, bool) {
	for ; t != nil; t = t.parent {
		if d, ok := t.vars[name]; ok {
			return d, true
		}
		if t.parent != nil && t.parent.state.isDistributed() {
			return nil, false
		}
	}
	return nil, false
}

// sortedNames returns the names of variables in order, for output that must not depend on the map.
func sortedNames(vars map[string]*datum) []string {
	names := make([]string, 0, len(vars))
	for name := range vars {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}
