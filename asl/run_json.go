// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
)

// The stored form of a Run. Names are short because thousands of executions wait at a time; members that are zero are
// left out; times are Unix nanoseconds. New members may be added, old ones keep their meaning.

const runVersion = 1

type runJSON struct {
	Version   int             `json:"v"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"n,omitempty"`
	Role      string          `json:"ro,omitempty"`
	MachineID string          `json:"mi,omitempty"`
	Machine   string          `json:"mn,omitempty"`
	Started   int64           `json:"st"`
	Status    Status          `json:"s"`
	Input     json.RawMessage `json:"in"`
	Output    json.RawMessage `json:"out,omitempty"`
	Failure   *failureJSON    `json:"f,omitempty"`
	Deadline  int64           `json:"d,omitempty"`
	LastEvent int64           `json:"e,omitempty"`
	Hidden    int64           `json:"h,omitempty"`
	LastTask  int64           `json:"lt,omitempty"`
	Root      *threadJSON     `json:"t,omitempty"`
}

type failureJSON struct {
	Error *string `json:"e,omitempty"`
	Cause *string `json:"c,omitempty"`
}

type threadJSON struct {
	State         string                     `json:"s"`
	Phase         phase                      `json:"p,omitempty"`
	Input         json.RawMessage            `json:"in,omitempty"` // absent: the execution's input
	Entered       int64                      `json:"et,omitempty"`
	EnteredEvent  int64                      `json:"e,omitempty"`
	BeforeEntered int64                      `json:"b,omitempty"`
	Previous      int64                      `json:"l,omitempty"`
	Vars          map[string]json.RawMessage `json:"va,omitempty"`
	Retries       int64                      `json:"r,omitempty"`
	Counters      []int64                    `json:"c,omitempty"`
	Wake          int64                      `json:"w,omitempty"`
	Task          *taskJSON                  `json:"t,omitempty"`
	Group         *groupJSON                 `json:"g,omitempty"`
	Index         int                        `json:"i,omitempty"`
}

type taskJSON struct {
	ID          string          `json:"id"`
	Resource    string          `json:"r"`
	Token       string          `json:"k,omitempty"`
	Parameters  json.RawMessage `json:"p,omitempty"` // absent: the state's input
	Credentials json.RawMessage `json:"c,omitempty"`
	Attempt     int64           `json:"a"`
	Submitted   bool            `json:"s,omitempty"`
	Deadline    int64           `json:"d,omitempty"`
	Heartbeat   int64           `json:"h,omitempty"`
	Every       int64           `json:"he,omitempty"`
}

type groupJSON struct {
	Items     []json.RawMessage `json:"it,omitempty"`
	IsMap     bool              `json:"m,omitempty"`
	Next      int               `json:"n"`
	Limit     int               `json:"l"`
	Children  []*threadJSON     `json:"c,omitempty"`
	Results   []json.RawMessage `json:"r,omitempty"` // null for those to come: results are wrapped in an array of one
	Failures  int               `json:"f,omitempty"`
	Tolerated int               `json:"to,omitempty"`
	LastDone  int64             `json:"ld,omitempty"`
}

func unixNano(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func fromUnixNano(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

func textOf(d *datum) json.RawMessage {
	if d == nil {
		return nil
	}
	return d.json()
}

func datumFrom(text json.RawMessage) *datum {
	if text == nil {
		return nil
	}
	d := &datum{text: text}
	if bytes.Contains(text, []byte(`\u`)) {
		// encoding/json escapes < > & on the way out; the text must be what it was, whether it was stored or not.
		d.text = encode(d.value())
	}
	return d
}

// MarshalJSON writes the stored form. Called directly it saves the second pass that json.Marshal makes over the text.
func (r *Run) MarshalJSON() ([]byte, error) {
	j := runJSON{
		Version: runVersion, ID: r.info.ID, Name: r.info.Name, Role: r.info.RoleARN, MachineID: r.info.StateMachineID,
		Machine: r.info.StateMachineName, Started: unixNano(r.info.StartedAt), Status: r.status, Input: textOf(r.input),
		Output: textOf(r.output), Deadline: unixNano(r.deadline), LastEvent: r.lastEvent, Hidden: r.hidden, LastTask: r.lastTask,
	}
	if r.failure != nil {
		j.Failure = &failureJSON{}
		if r.failure.HasName() {
			j.Failure.Error = &r.failure.Name
		}
		if r.failure.HasCause() {
			j.Failure.Cause = &r.failure.Cause
		}
	}
	if r.root != nil {
		j.Root = r.root.stored(r)
	}
	return json.Marshal(j)
}

func (t *thread) stored(r *Run) *threadJSON {
	j := &threadJSON{
		State: t.stateName, Phase: t.phase, Entered: unixNano(t.entered), EnteredEvent: t.enteredEvent,
		BeforeEntered: t.beforeEntered, Previous: t.previous, Retries: t.retries, Counters: t.counters,
		Wake: unixNano(t.wake), Index: t.index,
	}
	if text := t.input.json(); !bytes.Equal(text, r.input.json()) {
		j.Input = text
	}
	if len(t.vars) > 0 {
		j.Vars = make(map[string]json.RawMessage, len(t.vars))
		for name, d := range t.vars {
			j.Vars[name] = d.json()
		}
	}
	if t.task != nil {
		j.Task = t.task.stored()
	}
	if t.group != nil {
		j.Group = t.group.stored(r)
	}
	return j
}

func (a *awaited) stored() *taskJSON {
	return &taskJSON{
		ID: a.id, Resource: a.resource, Token: a.token, Parameters: textOf(a.parameters), Credentials: textOf(a.credentials),
		Attempt: a.attempt, Submitted: a.submitted, Deadline: unixNano(a.deadline), Heartbeat: unixNano(a.heartbeat),
		Every: int64(a.heartbeatEvery),
	}
}

func (g *group) stored(r *Run) *groupJSON {
	j := &groupJSON{
		IsMap: g.items != nil, Next: g.next, Limit: g.limit, Failures: g.failures, Tolerated: g.tolerated,
		LastDone: g.lastDone,
	}
	for _, item := range g.items {
		j.Items = append(j.Items, item.json())
	}
	for _, child := range g.children {
		j.Children = append(j.Children, child.stored(r))
	}
	for _, result := range g.results {
		if result == nil {
			j.Results = append(j.Results, json.RawMessage("null"))
			continue
		}
		j.Results = append(j.Results, append(append([]byte{'['}, result.json()...), ']'))
	}
	return j
}

// UnmarshalJSON reads the stored form. Called directly it saves the second pass that json.Unmarshal makes over the text.
// Every error wraps ErrInvalidRun.
func (r *Run) UnmarshalJSON(data []byte) error {
	var j runJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidRun, err)
	}
	if j.Version != runVersion || j.Input == nil || j.Root == nil && j.Status == Running {
		return fmt.Errorf("%w: version %d is unknown or incomplete", ErrInvalidRun, j.Version)
	}
	*r = Run{
		info: ExecutionInfo{
			ID: j.ID, Name: j.Name, RoleARN: j.Role, StateMachineID: j.MachineID, StateMachineName: j.Machine,
			StartedAt: fromUnixNano(j.Started),
		},
		status: j.Status, input: datumFrom(j.Input), output: datumFrom(j.Output), deadline: fromUnixNano(j.Deadline),
		lastEvent: j.LastEvent, hidden: j.Hidden, lastTask: j.LastTask,
	}
	if j.Failure != nil {
		r.failure = &Error{}
		r.failure.set(j.Failure.Error, j.Failure.Cause)
	}
	if j.Root != nil {
		r.root = j.Root.thread(r)
	}
	return nil
}

func (e *Error) set(name, cause *string) {
	if name != nil {
		e.Name, e.EmptyName = *name, *name == ""
	}
	if cause != nil {
		e.Cause, e.EmptyCause = *cause, *cause == ""
	}
}

func (j *threadJSON) thread(r *Run) *thread {
	t := &thread{
		stateName: j.State, phase: j.Phase, input: datumFrom(j.Input), entered: fromUnixNano(j.Entered),
		enteredEvent: j.EnteredEvent, beforeEntered: j.BeforeEntered, previous: j.Previous, retries: j.Retries,
		counters: j.Counters, wake: fromUnixNano(j.Wake), index: j.Index,
	}
	if t.input == nil {
		t.input = r.input
	}
	if len(j.Vars) > 0 {
		t.vars = make(map[string]*datum, len(j.Vars))
		for name, text := range j.Vars {
			t.vars[name] = datumFrom(text)
		}
	}
	if j.Task != nil {
		t.task = j.Task.awaited()
	}
	if j.Group != nil {
		t.group = j.Group.group(r)
	}
	return t
}

func (j *taskJSON) awaited() *awaited {
	return &awaited{
		id: j.ID, resource: j.Resource, token: j.Token, parameters: datumFrom(j.Parameters),
		credentials: datumFrom(j.Credentials), attempt: j.Attempt, submitted: j.Submitted,
		deadline: fromUnixNano(j.Deadline), heartbeat: fromUnixNano(j.Heartbeat), heartbeatEvery: time.Duration(j.Every),
	}
}

func (j *groupJSON) group(r *Run) *group {
	g := &group{next: j.Next, limit: j.Limit, failures: j.Failures, tolerated: j.Tolerated, lastDone: j.LastDone}
	if j.IsMap {
		g.items = make([]*datum, 0, len(j.Items))
	}
	for _, item := range j.Items {
		g.items = append(g.items, datumFrom(item))
	}
	for _, child := range j.Children {
		g.children = append(g.children, child.thread(r))
	}
	for _, result := range j.Results {
		if len(result) < 3 || result[0] != '[' {
			g.results = append(g.results, nil)
			continue
		}
		d := datumFrom(result[1 : len(result)-1])
		g.results = append(g.results, d)
		g.resultBytes += len(d.text)
	}
	return g
}
