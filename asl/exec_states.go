// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"fmt"
	"time"
)

// enter begins the thread's current state.
func (c *call) enter(t *thread) {
	t.entered, t.retries, t.counters = c.now, 0, nil
	t.beforeEntered = t.previous
	t.enteredEvent = c.record(t, t.state.entered, func() []byte { return enteredDetails(t) })
	c.work(t)
}

// work does what the state is for; a retry comes here again. Task, Wait, Parallel and Map states go on later.
func (c *call) work(t *thread) {
	t.phase = phaseReady
	var err error
	switch t.state.kind {
	case "Pass":
		err = c.pass(t)
	case "Succeed":
		err = c.settle(t)
	case "Fail":
		err = c.failState(t)
	case "Choice":
		err = c.choose(t)
	case "Wait":
		err = c.wait(t)
	case "Task":
		err = c.startTask(t)
	case "Parallel":
		err = c.startParallel(t)
	case "Map":
		err = c.startMap(t)
	}
	if err != nil {
		c.failed(t, asFault(err))
	}
}

// env is what the state's expressions see, with data as $ and states as the members of $states.
func (c *call) env(t *thread, data any, states ...any) *env {
	return &env{call: c, thread: t, data: data, states: states}
}

func (c *call) inputEnv(t *thread, data *datum) *env {
	if t.state.jsonata {
		return c.env(t, nil, "input", t.input.value())
	}
	return c.env(t, data.value())
}

// effective returns the state's effective input: InputPath, then Parameters; or Arguments.
func (c *call) effective(t *thread) (*datum, error) {
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil || t.state.parameters == nil {
		return in, err
	}
	v, err := t.state.parameters.eval(c.inputEnv(t, in))
	return datumOf(v), err
}

// filterPath applies InputPath or OutputPath.
func (c *call) filterPath(t *thread, p *ioPath, d *datum) (*datum, error) {
	if p == nil {
		return d, nil
	}
	if p.path == nil {
		return datumOf(&object{}), nil
	}
	if p.path.root == rootData && len(p.path.steps) == 0 {
		return d, nil
	}
	v, err := c.env(t, d.value()).selectPath(p.path)
	if err != nil {
		fault := runtimeFault("Invalid path '%s' : %v", p.path.text, err)
		fault.alias = ErrorParameterPath
		return nil, fault
	}
	return datumOf(v), nil
}

func (c *call) pass(t *thread) error {
	in, err := c.effective(t)
	if err != nil {
		return err
	}
	if t.state.hasResult {
		in = datumOf(t.state.result)
	}
	return c.finish(t, in)
}

// settle ends a state that has no result of its own: Succeed, Wait.
func (c *call) settle(t *thread) error {
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return err
	}
	return c.finish(t, in)
}

func (c *call) failState(t *thread) error {
	e := c.inputEnv(t, t.input)
	f := &fault{}
	name, err := failText(t.state.fail.name, e, "Error")
	if err != nil {
		return err
	}
	cause, err := failText(t.state.fail.cause, e, "Cause")
	if err != nil {
		return err
	}
	f.set(name, cause)
	return f
}

// failText evaluates Error or Cause; nil when the state has none.
func failText(x expression, e *env, field string) (*string, error) {
	if x == nil {
		return nil, nil
	}
	v, err := x.eval(e)
	if err != nil {
		return nil, err
	}
	text, ok := v.(string)
	if !ok {
		return nil, typeFault(x, field, "string", v)
	}
	return &text, nil
}

func (c *call) choose(t *thread) error {
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return err
	}
	e := c.inputEnv(t, in)
	for i := range t.state.choice.rules {
		rule := &t.state.choice.rules[i]
		ok, err := rule.condition.holds(e)
		if err != nil {
			return err
		}
		if ok {
			return c.take(t, in, e, rule)
		}
	}
	if t.state.choice.otherwise == nil {
		f := runtimeFault("Failed to transition out of the state. The state does not point to a next state.")
		f.Name = ErrorNoChoiceMatched
		return f
	}
	return c.take(t, in, e, &choiceRule{next: t.state.choice.otherwise, assign: t.state.assign, output: t.state.output})
}

// take leaves a Choice state by a rule or by its Default.
func (c *call) take(t *thread, in *datum, e *env, rule *choiceRule) error {
	assigned, err := evaluateAssign(rule.assign, e)
	if err != nil {
		return err
	}
	out := in
	if rule.output != nil {
		v, err := rule.output.eval(e)
		if err != nil {
			return err
		}
		out = datumOf(v)
	}
	if out, err = c.filterPath(t, t.state.outputPath, out); err != nil {
		return err
	}
	return c.exit(t, out, assigned, rule.next)
}

func (c *call) wait(t *thread) error {
	in, err := c.filterPath(t, t.state.inputPath, t.input)
	if err != nil {
		return err
	}
	until, err := c.waitUntil(t, c.inputEnv(t, in))
	if err != nil {
		return err
	}
	if until.Sub(c.now) > maxSeconds*time.Second {
		return runtimeFault("Wait state delay is too long.")
	}
	if !until.After(c.now) {
		return c.settle(t)
	}
	t.phase, t.wake = phaseWait, until
	return nil
}

func (c *call) waitUntil(t *thread, e *env) (time.Time, error) {
	w := t.state.wait
	if w.seconds.present {
		seconds, err := w.seconds.waitSeconds(e)
		// A longer delay is refused by the caller; clamped here so that the sum cannot overflow.
		return c.now.Add(time.Duration(min(seconds, maxSeconds+1)) * time.Second), err
	}
	v := any(w.until)
	if w.timestamp.value != nil {
		var err error
		if v, err = w.timestamp.value.eval(e); err != nil {
			return time.Time{}, err
		}
	}
	until, ok := timestampOf(v)
	if ok {
		return until, nil
	}
	if t.state.jsonata {
		return time.Time{}, queryFault("Timestamp", "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time format string: %s",
			clip(string(encode(v))))
	}
	return time.Time{}, runtimeFault("The TimestampPath parameter does not reference a valid ISO-8601 extended offset date-time format string: %s == %s",
		w.timestamp.path, clip(scalarText(v)))
}

// waited ends a Wait state whose time has come.
func (c *call) waited(t *thread) {
	t.phase = phaseReady
	if err := c.settle(t); err != nil {
		c.failed(t, asFault(err))
	}
}

// maxSeconds is the largest number of seconds in a Wait, a timeout or a retry.
const maxSeconds = 99999999

// finish takes the result of a state through the second half of the data flow and leaves the state.
func (c *call) finish(t *thread, result *datum) error {
	if t.state.jsonata {
		return c.finishQuery(t, result)
	}
	var assigned map[string]*datum
	var err error
	if len(t.state.assign) > 0 {
		if assigned, err = evaluateAssign(t.state.assign, c.env(t, result.value())); err != nil {
			return err
		}
	}
	if t.state.selector != nil {
		v, err := t.state.selector.eval(c.env(t, result.value()))
		if err != nil {
			return err
		}
		result = datumOf(v)
	}
	if result, err = c.place(t, t.state.resultPath, t.state.dropResult, result); err != nil {
		return err
	}
	if result, err = c.filterPath(t, t.state.outputPath, result); err != nil {
		return err
	}
	return c.exit(t, result, assigned, t.state.next)
}

// place puts a result into the raw input, as ResultPath says.
func (c *call) place(t *thread, p *path, drop bool, result *datum) (*datum, error) {
	if drop {
		return t.input, nil
	}
	if p == nil {
		return result, nil
	}
	v, ok := p.put(t.input.value(), result.value())
	if !ok {
		f := runtimeFault("Unable to apply ResultPath '%s' to the input '%s'", p.text, clip(string(t.input.json())))
		f.Name = ErrorResultPathMatch
		return nil, f
	}
	return datumOf(v), nil
}

func (c *call) finishQuery(t *thread, result *datum) error {
	states := []any{"input", t.input.value()}
	if t.state.canRetry() {
		states = append(states, "result", result.value())
	}
	out, assigned, err := c.queryOutput(t, t.state.output, t.state.assign, result, states)
	if err != nil {
		return err
	}
	return c.exit(t, out, assigned, t.state.next)
}

// queryOutput evaluates Output and Assign of a JSONata state or catcher, both from the values at entry.
func (c *call) queryOutput(t *thread, output expression, assign []assignment, otherwise *datum, states []any) (*datum, map[string]*datum, error) {
	e := c.env(t, nil, states...)
	assigned, err := evaluateAssign(assign, e)
	if err != nil || output == nil {
		return otherwise, assigned, err
	}
	v, err := output.eval(e)
	return datumOf(v), assigned, err
}

func evaluateAssign(assign []assignment, e *env) (map[string]*datum, error) {
	if len(assign) == 0 {
		return nil, nil
	}
	assigned := make(map[string]*datum, len(assign))
	size := 0
	for _, a := range assign {
		v, err := a.value.eval(e)
		if err != nil {
			return nil, err
		}
		d := datumOf(v)
		if !d.fits(MaxDataBytes - size) {
			return nil, runtimeFault("The variables assigned exceed %d bytes.", MaxDataBytes)
		}
		size += len(d.json())
		assigned[a.name] = d
	}
	return assigned, nil
}

// tooLarge is the fault of a result over MaxDataBytes; AWS's cause has no beginning here.
func tooLarge(state string) *fault {
	return &fault{failure: Error{
		Name:  ErrorDataLimitExceeded,
		Cause: fmt.Sprintf("The state/task '%s' returned a result with a size exceeding the maximum number of bytes service limit.", state),
	}}
}

// exit leaves the state with its output and goes to the next one, or ends the thread.
func (c *call) exit(t *thread, output *datum, assigned map[string]*datum, next *state) error {
	if !output.fits(MaxDataBytes) || !t.holds(assigned) {
		return tooLarge(t.stateName)
	}
	c.record(t, t.state.exited, func() []byte { return exitedDetails(t, output, assigned) })
	for name, d := range assigned {
		if t.vars == nil {
			t.vars = make(map[string]*datum, len(assigned))
		}
		t.vars[name] = d
	}
	t.input, t.task, t.group, t.phase = output, nil, nil, phaseReady
	if next == nil {
		c.done(t)
		return nil
	}
	t.state, t.stateName = next, next.name
	c.push(t)
	return nil
}

// holds reports whether the thread's variables stay within their limit with those that are being assigned.
func (t *thread) holds(assigned map[string]*datum) bool {
	if len(assigned) == 0 {
		return true
	}
	total := 0
	for name, d := range t.vars {
		if assigned[name] == nil {
			total += len(d.json())
		}
	}
	for _, d := range assigned {
		total += len(d.json())
	}
	return total <= MaxVariableBytes
}

// done ends a thread: its input is its output now.
func (c *call) done(t *thread) {
	if t.parent == nil {
		c.succeed(t)
		return
	}
	c.childDone(t.parent, t)
}
