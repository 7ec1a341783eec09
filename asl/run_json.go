// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"time"
)

// The stored form of a Run, as it is read. Names are short because thousands of executions wait at a time; members that
// are zero are left out; times are Unix nanoseconds. New members may be added, old ones keep their meaning.

const runVersion = 1

type runJSON struct {
	Version   int             `json:"v"`
	ID        string          `json:"id"`
	Name      string          `json:"n"`
	Role      string          `json:"ro"`
	MachineID string          `json:"mi"`
	Machine   string          `json:"mn"`
	Started   int64           `json:"st"`
	Status    Status          `json:"s"`
	Input     json.RawMessage `json:"in"`
	Output    json.RawMessage `json:"out"`
	Failure   *failureJSON    `json:"f"`
	Deadline  int64           `json:"d"`
	LastEvent int64           `json:"e"`
	Hidden    int64           `json:"h"`
	LastTask  int64           `json:"lt"`
	Root      *threadJSON     `json:"t"`
}

type failureJSON struct {
	Error *string `json:"e"`
	Cause *string `json:"c"`
}

type threadJSON struct {
	State         string                     `json:"s"`
	Phase         phase                      `json:"p"`
	Input         json.RawMessage            `json:"in"` // absent: the execution's input
	Entered       int64                      `json:"et"`
	EnteredEvent  int64                      `json:"e"`
	BeforeEntered int64                      `json:"b"`
	Previous      int64                      `json:"l"`
	Vars          map[string]json.RawMessage `json:"va"`
	Retries       int64                      `json:"r"`
	Counters      []int64                    `json:"c"`
	Wake          int64                      `json:"w"`
	Task          *taskJSON                  `json:"t"`
	Group         *groupJSON                 `json:"g"`
	Index         int                        `json:"i"`
}

type taskJSON struct {
	ID          string          `json:"id"`
	Resource    string          `json:"r"`
	Token       string          `json:"k"`
	Parameters  json.RawMessage `json:"p"` // absent: the state's input
	Credentials json.RawMessage `json:"c"`
	Attempt     int64           `json:"a"`
	Submitted   bool            `json:"s"`
	Deadline    int64           `json:"d"`
	Heartbeat   int64           `json:"h"`
	Every       int64           `json:"he"`
}

type groupJSON struct {
	Items     []json.RawMessage `json:"it"`
	IsMap     bool              `json:"m"`
	Next      int               `json:"n"`
	Limit     int               `json:"l"`
	Children  []*threadJSON     `json:"c"`
	Results   []json.RawMessage `json:"r"` // null for those to come: results are wrapped in an array of one
	Failures  int               `json:"f"`
	Tolerated int               `json:"to"`
	LastDone  int64             `json:"ld"`
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

func datumFrom(text json.RawMessage) *datum {
	if text == nil {
		return nil
	}
	d := &datum{text: text}
	if bytes.Contains(text, []byte(`\u`)) {
		// json.Marshal escapes < > & on the way out; the text must be what it was, whether it was stored or not.
		d.text = encode(d.value())
	}
	return d
}

// MarshalJSON writes the stored form, by hand because every transition does. Called directly it saves the second pass
// that json.Marshal makes over the text.
func (r *Run) MarshalJSON() ([]byte, error) {
	d := append(make([]byte, 0, 2*len(r.input.json())+runBytes), '{')
	d = appendInt(d, "v", runVersion)
	d = appendTextUnlessEmpty(d, "id", r.info.ID)
	d = appendTextUnlessEmpty(d, "n", r.info.Name)
	d = appendTextUnlessEmpty(d, "ro", r.info.RoleARN)
	d = appendTextUnlessEmpty(d, "mi", r.info.StateMachineID)
	d = appendTextUnlessEmpty(d, "mn", r.info.StateMachineName)
	d = appendInt(d, "st", unixNano(r.info.StartedAt))
	d = appendText(d, "s", string(r.status))
	d = appendDatum(d, "in", r.input)
	d = appendDatum(d, "out", r.output)
	if r.failure != nil {
		d = append(r.failure.appendStored(append(appendName(d, "f"), '{')), '}')
	}
	d = appendTime(d, "d", r.deadline)
	d = appendUnlessZero(d, "e", r.lastEvent)
	d = appendUnlessZero(d, "h", r.hidden)
	d = appendUnlessZero(d, "lt", r.lastTask)
	if r.root != nil {
		d = append(r.root.appendStored(append(appendName(d, "t"), '{'), r), '}')
	}
	return append(d, '}'), nil
}

// runBytes is about what the stored form of an execution in a single state takes beside the data.
const runBytes = 512

func appendTextUnlessEmpty(d []byte, name, text string) []byte {
	if text == "" {
		return d
	}
	return appendText(d, name, text)
}

func appendUnlessZero(d []byte, name string, n int64) []byte {
	if n == 0 {
		return d
	}
	return appendInt(d, name, n)
}

func appendTime(d []byte, name string, t time.Time) []byte {
	return appendUnlessZero(d, name, unixNano(t))
}

func appendTrue(d []byte, name string, isTrue bool) []byte {
	if !isTrue {
		return d
	}
	return append(appendName(d, name), "true"...)
}

func appendDatum(d []byte, name string, v *datum) []byte {
	if v == nil {
		return d
	}
	return append(appendName(d, name), v.json()...)
}

// appendList appends an array of n elements, unless it is empty.
func appendList(d []byte, name string, n int, element func(d []byte, i int) []byte) []byte {
	if n == 0 {
		return d
	}
	d = append(appendName(d, name), '[')
	for i := range n {
		if i > 0 {
			d = append(d, ',')
		}
		d = element(d, i)
	}
	return append(d, ']')
}

// appendStored appends the members that the error has, each of the methods of this name the members of its value.
func (e *Error) appendStored(d []byte) []byte {
	if e.HasName() {
		d = appendText(d, "e", e.Name)
	}
	if e.HasCause() {
		d = appendText(d, "c", e.Cause)
	}
	return d
}

func (t *thread) appendStored(d []byte, r *Run) []byte {
	d = appendText(d, "s", t.stateName)
	d = appendTextUnlessEmpty(d, "p", string(t.phase))
	if !bytes.Equal(t.input.json(), r.input.json()) {
		d = appendDatum(d, "in", t.input)
	}
	d = appendTime(d, "et", t.entered)
	d = appendUnlessZero(d, "e", t.enteredEvent)
	d = appendUnlessZero(d, "b", t.beforeEntered)
	d = appendUnlessZero(d, "l", t.previous)
	if len(t.vars) > 0 {
		d = append(appendName(d, "va"), '{')
		for _, name := range sortedNames(t.vars) {
			d = appendDatum(d, name, t.vars[name])
		}
		d = append(d, '}')
	}
	d = appendUnlessZero(d, "r", t.retries)
	d = appendList(d, "c", len(t.counters), func(d []byte, i int) []byte { return strconv.AppendInt(d, t.counters[i], 10) })
	d = appendTime(d, "w", t.wake)
	if t.task != nil {
		d = append(t.task.appendStored(append(appendName(d, "t"), '{')), '}')
	}
	if t.group != nil {
		d = append(t.group.appendStored(append(appendName(d, "g"), '{'), r), '}')
	}
	return appendUnlessZero(d, "i", int64(t.index))
}

func (a *awaited) appendStored(d []byte) []byte {
	d = appendText(d, "id", a.id)
	d = appendText(d, "r", a.resource)
	d = appendTextUnlessEmpty(d, "k", a.token)
	d = appendDatum(d, "p", a.parameters)
	d = appendDatum(d, "c", a.credentials)
	d = appendInt(d, "a", a.attempt)
	d = appendTrue(d, "s", a.submitted)
	d = appendTime(d, "d", a.deadline)
	d = appendTime(d, "h", a.heartbeat)
	return appendUnlessZero(d, "he", int64(a.heartbeatEvery))
}

func (g *group) appendStored(d []byte, r *Run) []byte {
	d = appendList(d, "it", len(g.items), func(d []byte, i int) []byte { return append(d, g.items[i].json()...) })
	d = appendTrue(d, "m", g.items != nil)
	d = appendInt(d, "n", int64(g.next))
	d = appendInt(d, "l", int64(g.limit))
	d = appendList(d, "c", len(g.children), func(d []byte, i int) []byte {
		return append(g.children[i].appendStored(append(d, '{'), r), '}')
	})
	d = appendList(d, "r", len(g.results), func(d []byte, i int) []byte {
		if g.results[i] == nil {
			return append(d, "null"...)
		}
		return append(append(append(d, '['), g.results[i].json()...), ']')
	})
	d = appendUnlessZero(d, "f", int64(g.failures))
	d = appendUnlessZero(d, "to", int64(g.tolerated))
	return appendUnlessZero(d, "ld", g.lastDone)
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
