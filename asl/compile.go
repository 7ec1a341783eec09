// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"crypto/rand"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Machine is a compiled state machine, ready to run. It is immutable and safe for concurrent use.
type Machine struct {
	scope       *scope
	timeout     time.Duration // of an execution; zero means none
	expressions Expressions
	random      func() float64
	uuid        func() string
	token       func(executionID, taskID string) string
}

// scope is one "States" object: the machine's own, a branch or the processor of a Map.
type scope struct {
	start  *state
	states map[string]*state
}

// state is a compiled state. Fields that belong to one type are in the part of that type.
type state struct {
	name    string
	kind    string // the Type
	entered string // the type of the event of its beginning
	exited  string // the type of that of its end
	jsonata bool
	next    *state // nil for terminal states
	path    string // JSON pointer into the definition

	inputPath, outputPath *ioPath
	parameters            expression // Parameters or Arguments; nil when absent
	selector              expression // ResultSelector
	resultPath            *path      // nil means $
	dropResult            bool       // ResultPath: null
	output                expression // Output (JSONata); nil when absent
	assign                []assignment

	retry []retrier
	catch []catcher

	result    any // of Pass
	hasResult bool
	task      *taskPart
	wait      *waitPart
	choice    *choicePart
	fail      *failPart
	branches  []*scope
	mapping   *mapPart
}

// ioPath is InputPath or OutputPath; a nil path is null.
type ioPath struct{ path *path }

type assignment struct {
	name  string
	value expression
}

type retrier struct {
	names       []string
	interval    float64
	maxAttempts int64
	backoff     float64
	maxDelay    float64 // zero means none
	jitter      bool
}

type catcher struct {
	names      []string
	next       *state
	resultPath *path
	dropResult bool
	output     expression
	assign     []assignment
}

// amount is a number given literally, by a path or by a JSONata expression; absent when all are zero.
type amount struct {
	field   string
	present bool
	literal number
	value   expression // path or query
	path    string     // text of the path
}

type taskPart struct {
	resource    string
	kind        Resource
	events      taskEvents
	timeout     amount
	heartbeat   amount
	credentials expression
}

// taskEvents are the types of the events of a task, and what their details begin with.
type taskEvents struct {
	scheduled, started, succeeded, failed, timedOut string
	head                                            []byte
}

type waitPart struct {
	seconds   amount
	timestamp amount
	until     string // a literal Timestamp
}

type failPart struct{ name, cause expression }

type mapPart struct {
	scope       *scope
	items       expression // nil: the effective input
	itemsField  string
	selector    expression
	batch       *batchPart
	distributed bool
	concurrency amount
	// How many failures are tolerated; both absent means none.
	toleratedCount, toleratedPercentage amount
}

type batchPart struct {
	maxItems, maxBytes amount
	input              expression
}

// Compile checks a definition and makes it ready to run. The error is a *ParseError for text that is not JSON, else a
// *CheckError with all that is wrong. The result is safe for concurrent use.
func Compile(data []byte, o Options) (*Machine, error) {
	root, err := parseDefinition(data)
	if err != nil {
		return nil, err
	}
	problems := checkDefinition(root, CheckOptions{Expressions: o.Expressions})
	if err := refusal(problems); err != nil {
		return nil, err
	}
	if o.Expressions == nil && usesJSONata(root) {
		return nil, &CheckError{[]Problem{{SeverityError, CodeUnsupported, "JSONata needs an implementation of Expressions", "/"}}}
	}
	m := &Machine{expressions: o.Expressions, random: o.Random, uuid: o.UUID, token: o.Token}
	m.useDefaults()
	c := compiler{machine: m}
	return m, c.machineOf(root)
}

func (m *Machine) useDefaults() {
	if m.random == nil {
		m.random = mathrand.Float64
	}
	if m.uuid == nil {
		m.uuid = randomUUID
	}
	if m.token == nil {
		m.token = func(executionID, taskID string) string { return executionID + ":" + taskID }
	}
}

// randomUUID returns a version 4 UUID.
func randomUUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // crypto/rand.Read never returns an error: it ends the program instead.
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// usesJSONata reports whether a machine or any state in it says QueryLanguage JSONata.
func usesJSONata(v any) bool {
	switch x := v.(type) {
	case *object:
		if language, _ := x.get("QueryLanguage"); language == "JSONata" {
			return true
		}
		return slices.ContainsFunc(x.vals, usesJSONata)
	case []any:
		return slices.ContainsFunc(x, usesJSONata)
	}
	return false
}

// compiler turns a checked definition into a Machine. Errors are faults that the check should have found; they are
// returned all the same, never ignored.
type compiler struct{ machine *Machine }

func (c *compiler) machineOf(root *object) error {
	if v, ok := root.get("TimeoutSeconds"); ok {
		n, _ := v.(number)
		seconds, _ := n.int()
		c.machine.timeout = time.Duration(seconds) * time.Second
	}
	s, err := c.scopeOf(root, isJSONata(root, false), "")
	c.machine.scope = s
	return err
}

// isJSONata returns the query language of a machine or state: its own, else the inherited one.
func isJSONata(o *object, inherited bool) bool {
	if language, ok := o.get("QueryLanguage"); ok {
		return language == "JSONata"
	}
	return inherited
}

func (c *compiler) scopeOf(o *object, jsonata bool, pointer string) (*scope, error) {
	states, _ := member[*object](o, "States")
	s := &scope{states: make(map[string]*state, len(states.keys))}
	for _, name := range states.keys {
		s.states[name] = &state{name: name, path: pointer + "/States/" + escapePointer(name)}
	}
	for i, name := range states.keys {
		definition, _ := states.vals[i].(*object)
		if err := c.state(s, s.states[name], definition, jsonata); err != nil {
			return nil, fmt.Errorf("compile state %q: %w", name, err)
		}
	}
	start, _ := member[string](o, "StartAt")
	s.start = s.states[start]
	return s, nil
}

// member returns a member of a given type.
func member[T any](o *object, key string) (T, bool) {
	v, ok := o.get(key)
	t, isT := v.(T)
	return t, ok && isT
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func (c *compiler) state(s *scope, st *state, o *object, inherited bool) error {
	st.kind, _ = member[string](o, "Type")
	st.entered, st.exited = st.kind+"StateEntered", st.kind+"StateExited"
	st.jsonata = isJSONata(o, inherited)
	if next, ok := member[string](o, "Next"); ok {
		st.next = s.states[next]
	}
	f := &fields{object: o, jsonata: st.jsonata}
	c.flow(st, f)
	st.retry = retriers(o)
	st.catch = f.catchers(s)
	c.part(s, st, f, inherited)
	return f.err
}

// flow compiles the fields of the data flow, which most types share.
func (c *compiler) flow(st *state, f *fields) {
	st.assign = f.assignments(f.object)
	if st.jsonata {
		st.parameters = f.template("Arguments")
		st.output = f.template("Output")
		return
	}
	st.inputPath, st.outputPath = f.ioPath("InputPath"), f.ioPath("OutputPath")
	if st.kind != "Map" {
		st.parameters = f.template("Parameters")
	}
	st.selector = f.template("ResultSelector")
	st.resultPath, st.dropResult = f.resultPath(f.object)
}

func (c *compiler) part(s *scope, st *state, f *fields, inherited bool) {
	switch st.kind {
	case "Pass":
		st.result, st.hasResult = f.object.get("Result")
	case "Task":
		st.task = f.task()
	case "Wait":
		st.wait = f.wait()
	case "Choice":
		st.choice = f.choice(s)
	case "Fail":
		st.fail = &failPart{name: f.text("Error"), cause: f.text("Cause")}
	case "Parallel":
		st.branches = c.branches(f, inherited, st.path)
	case "Map":
		st.mapping = c.mapping(f, inherited, st.path)
	}
}

func (c *compiler) branches(f *fields, inherited bool, pointer string) []*scope {
	items, _ := member[[]any](f.object, "Branches")
	var scopes []*scope
	for i, item := range items {
		o, _ := item.(*object)
		s, err := c.scopeOf(o, inherited, fmt.Sprintf("%s/Branches/%d", pointer, i))
		f.keep(err)
		scopes = append(scopes, s)
	}
	return scopes
}

func (c *compiler) mapping(f *fields, inherited bool, pointer string) *mapPart {
	field := "ItemProcessor"
	processor, ok := member[*object](f.object, field)
	if !ok {
		field = "Iterator"
		processor, _ = member[*object](f.object, field)
	}
	s, err := c.scopeOf(processor, inherited, pointer+"/"+field)
	f.keep(err)
	m := &mapPart{scope: s, batch: f.batch()}
	if config, ok := member[*object](processor, "ProcessorConfig"); ok {
		mode, _ := config.get("Mode")
		m.distributed = mode == "DISTRIBUTED"
	}
	m.items, m.itemsField = f.items()
	m.selector = f.template("ItemSelector")
	if m.selector == nil && !f.jsonata {
		m.selector = f.template("Parameters")
	}
	m.concurrency = f.amount("MaxConcurrency")
	m.toleratedCount = f.amount("ToleratedFailureCount")
	m.toleratedPercentage = f.amount("ToleratedFailurePercentage")
	return m
}
