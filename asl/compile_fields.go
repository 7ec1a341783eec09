// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import "strings"

// fields reads the fields of one state and keeps the first error.
type fields struct {
	object  *object
	jsonata bool
	err     error
}

func (f *fields) keep(err error) {
	if f.err == nil {
		f.err = err
	}
}

func (f *fields) path(text string) *path {
	p, err := parsePath(text)
	f.keep(err)
	return p
}

func (f *fields) ioPath(name string) *ioPath {
	v, ok := f.object.get(name)
	if !ok {
		return nil
	}
	text, isText := v.(string)
	if !isText {
		return &ioPath{}
	}
	return &ioPath{f.path(text)}
}

// resultPath reads ResultPath of a state or a catcher. "$" is the default and gives nil.
func (f *fields) resultPath(o *object) (p *path, drop bool) {
	v, ok := o.get("ResultPath")
	if !ok || v == "$" {
		return nil, false
	}
	text, isText := v.(string)
	if !isText {
		return nil, true
	}
	return f.path(text), false
}

// template compiles a payload template of either query language.
func (f *fields) template(name string) expression {
	v, ok := f.object.get(name)
	if !ok {
		return nil
	}
	return f.compile(v, name)
}

func (f *fields) compile(v any, where string) expression {
	if f.jsonata {
		return compileQueries(v, where)
	}
	t, err := compileTemplate(v)
	f.keep(err)
	return t
}

func (f *fields) assignments(o *object) []assignment {
	assign, ok := member[*object](o, "Assign")
	if !ok {
		return nil
	}
	var all []assignment
	for i, key := range assign.keys {
		if name, dynamic := strings.CutSuffix(key, ".$"); dynamic && !f.jsonata {
			value, err := compileDynamic(assign.vals[i], key)
			f.keep(err)
			all = append(all, assignment{name, value})
			continue
		}
		all = append(all, assignment{key, f.compile(assign.vals[i], "Assign/"+key)})
	}
	return all
}

// reference compiles a path or intrinsic call of a ...Path field.
func (f *fields) reference(text, field string) expression {
	x, err := compileDynamic(text, field)
	f.keep(err)
	return x
}

// text reads Error or Cause of a Fail state: literal, ...Path or JSONata.
func (f *fields) text(name string) expression {
	if v, ok := f.object.get(name); ok {
		if f.jsonata {
			return compileQueries(v, name)
		}
		return constant{v}
	}
	if text, ok := member[string](f.object, name+"Path"); ok {
		return f.reference(text, name+"Path")
	}
	return nil
}

// amount reads a number: Name literally or as JSONata, or NamePath.
func (f *fields) amount(name string) amount { return f.amountOf(f.object, name, name) }

func (f *fields) amountOf(o *object, name, where string) amount {
	if v, ok := o.get(name); ok {
		n, _ := v.(number)
		a := amount{field: where, present: true, literal: n}
		if text, isText := v.(string); isText {
			a.value = compileQueries(text, where)
		}
		return a
	}
	if text, ok := member[string](o, name+"Path"); ok {
		return amount{field: where + "Path", present: true, value: f.reference(text, where+"Path"), path: text}
	}
	return amount{}
}

func (f *fields) task() *taskPart {
	resource, _ := member[string](f.object, "Resource")
	kind := ParseResource(resource)
	return &taskPart{
		resource:    resource,
		kind:        kind,
		events:      eventsOf(kind),
		timeout:     f.amount("TimeoutSeconds"),
		heartbeat:   f.amount("HeartbeatSeconds"),
		credentials: f.template("Credentials"),
	}
}

func eventsOf(k Resource) taskEvents {
	stem := k.eventStem()
	return taskEvents{
		scheduled: stem + "Scheduled", started: stem + "Started", succeeded: stem + "Succeeded", failed: stem + "Failed",
		timedOut: stem + "TimedOut", head: resourceDetails(k),
	}
}

func (f *fields) wait() *waitPart {
	w := &waitPart{seconds: f.amount("Seconds"), timestamp: f.amount("Timestamp")}
	if text, ok := member[string](f.object, "Timestamp"); ok {
		w.until = text
	}
	return w
}

func (f *fields) batch() *batchPart {
	o, ok := member[*object](f.object, "ItemBatcher")
	if !ok {
		return nil
	}
	b := &batchPart{
		maxItems: f.amountOf(o, "MaxItemsPerBatch", "ItemBatcher/MaxItemsPerBatch"),
		maxBytes: f.amountOf(o, "MaxInputBytesPerBatch", "ItemBatcher/MaxInputBytesPerBatch"),
	}
	if v, ok := o.get("BatchInput"); ok {
		b.input = f.compile(v, "ItemBatcher/BatchInput")
	}
	return b
}

// items reads what a Map iterates over.
func (f *fields) items() (expression, string) {
	if f.jsonata {
		return f.template("Items"), "Items"
	}
	if text, ok := member[string](f.object, "ItemsPath"); ok {
		return f.reference(text, "ItemsPath"), "ItemsPath"
	}
	return nil, "ItemsPath"
}

func retriers(o *object) []retrier {
	var all []retrier
	for _, r := range objectsOf(o, "Retry") {
		strategy, _ := r.get("JitterStrategy")
		all = append(all, retrier{
			names:       names(r),
			interval:    numberOr(r, "IntervalSeconds", 1),
			maxAttempts: int64(numberOr(r, "MaxAttempts", 3)),
			backoff:     numberOr(r, "BackoffRate", 2),
			maxDelay:    numberOr(r, "MaxDelaySeconds", 0),
			jitter:      strategy == "FULL",
		})
	}
	return all
}

func names(o *object) []string {
	items, _ := member[[]any](o, "ErrorEquals")
	var all []string
	for _, item := range items {
		name, _ := item.(string)
		all = append(all, name)
	}
	return all
}

func numberOr(o *object, name string, otherwise float64) float64 {
	if n, ok := member[number](o, name); ok {
		return n.float()
	}
	return otherwise
}

func (f *fields) catchers(s *scope) []catcher {
	var all []catcher
	for _, o := range objectsOf(f.object, "Catch") {
		next, _ := member[string](o, "Next")
		c := catcher{names: names(o), next: s.states[next], assign: f.assignments(o)}
		if v, ok := o.get("Output"); ok && f.jsonata {
			c.output = f.compile(v, "Catch/Output")
		}
		c.resultPath, c.dropResult = f.resultPath(o)
		all = append(all, c)
	}
	return all
}
