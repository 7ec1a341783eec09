// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"encoding/json"
	"strings"
)

// StateMachine is a definition for those who look at it: diagrams, exports, lists of the actions that it uses. It holds
// what the text says, checked only for being JSON; Check judges it, Compile makes it run.
type StateMachine struct {
	Comment       string
	QueryLanguage string // as written; "" means JSONPath
	StartAt       string
	// States are in the order of the definition.
	States []*State
}

// State is one state of a definition.
type State struct {
	Name    string
	Type    string // "Task", "Pass", "Choice", "Wait", "Succeed", "Fail", "Parallel" or "Map"
	Comment string
	// Path is the JSON pointer to the state, such as "/States/X".
	Path string
	// Next is empty for states that end their branch (End, Succeed, Fail) and for Choice.
	Next string
	End  bool
	// Resource and Parameters are those of a Task; Parameters are the Arguments of a JSONata state.
	Resource   string
	Parameters json.RawMessage
	// Choices and Default are the ways out of a Choice.
	Choices []Choice
	Default string
	// Retry and Catch belong to Task, Parallel and Map.
	Retry []Retrier
	Catch []Catcher
	// Branches are those of a Parallel; of a Map it is one, its processor.
	Branches []*StateMachine
	// Definition is the JSON text of the whole state, compact, keys in order.
	Definition json.RawMessage
}

// Choice is a rule of a Choice state.
type Choice struct {
	Next    string
	Comment string
	// Condition is the rule for people: the JSONata expression, or the JSON text of the comparison.
	Condition string
}

// Retrier is an element of Retry, with AWS's defaults filled in.
type Retrier struct {
	ErrorEquals     []string
	IntervalSeconds float64
	MaxAttempts     int64
	BackoffRate     float64
	MaxDelaySeconds float64 // 0 means none
	JitterStrategy  string  // "NONE" or "FULL"
}

// Catcher is an element of Catch.
type Catcher struct {
	ErrorEquals []string
	Next        string
}

// Parse reads a definition. The error is a *ParseError with the position: the text is not JSON, not an object, has a
// duplicate key, or is larger than MaxDefinitionBytes. Fields of a wrong type are left zero; Check reports them.
func Parse(data []byte) (*StateMachine, error) {
	root, err := parseDefinition(data)
	if err != nil {
		return nil, err
	}
	return describeMachine(root, ""), nil
}

func describeMachine(o *object, pointer string) *StateMachine {
	m := &StateMachine{}
	m.Comment, _ = member[string](o, "Comment")
	m.QueryLanguage, _ = member[string](o, "QueryLanguage")
	m.StartAt, _ = member[string](o, "StartAt")
	states, ok := member[*object](o, "States")
	if !ok {
		return m
	}
	for i, name := range states.keys {
		if definition, ok := states.vals[i].(*object); ok {
			m.States = append(m.States, describeState(definition, name, pointer+"/States/"+escapePointer(name)))
		}
	}
	return m
}

func describeState(o *object, name, pointer string) *State {
	s := &State{Name: name, Path: pointer, Definition: encode(o)}
	s.Type, _ = member[string](o, "Type")
	s.Comment, _ = member[string](o, "Comment")
	s.Next, _ = member[string](o, "Next")
	s.End, _ = member[bool](o, "End")
	s.Resource, _ = member[string](o, "Resource")
	s.Default, _ = member[string](o, "Default")
	for _, field := range []string{"Parameters", "Arguments"} {
		if v, ok := o.get(field); ok {
			s.Parameters = encode(v)
		}
	}
	for _, rule := range objectsOf(o, "Choices") {
		s.Choices = append(s.Choices, describeChoice(rule))
	}
	for _, r := range retriers(o) {
		s.Retry = append(s.Retry, r.describe())
	}
	for _, c := range objectsOf(o, "Catch") {
		next, _ := member[string](c, "Next")
		s.Catch = append(s.Catch, Catcher{ErrorEquals: names(c), Next: next})
	}
	s.Branches = describeBranches(o, pointer)
	return s
}

func describeBranches(o *object, pointer string) []*StateMachine {
	var all []*StateMachine
	parent := place{object: o, pointer: pointer}
	items, _ := member[[]any](o, "Branches")
	for i, item := range items {
		if branch, ok := item.(*object); ok {
			all = append(all, describeMachine(branch, parent.item("Branches", i, branch).pointer))
		}
	}
	for _, field := range []string{"ItemProcessor", "Iterator"} {
		if processor, ok := member[*object](o, field); ok {
			all = append(all, describeMachine(processor, parent.at(field)))
		}
	}
	return all
}

// objectsOf returns the objects in an array field.
func objectsOf(o *object, field string) []*object {
	items, _ := member[[]any](o, field)
	var all []*object
	for _, item := range items {
		if inner, ok := item.(*object); ok {
			all = append(all, inner)
		}
	}
	return all
}

func describeChoice(o *object) Choice {
	var c Choice
	c.Next, _ = member[string](o, "Next")
	c.Comment, _ = member[string](o, "Comment")
	if text, ok := member[string](o, "Condition"); ok {
		c.Condition = strings.TrimSpace(text)
		return c
	}
	rest := &object{}
	for i, key := range o.keys {
		switch key {
		case "Next", "Comment", "Assign", "Output":
		default:
			rest.add(key, o.vals[i])
		}
	}
	c.Condition = string(encode(rest))
	return c
}

func (r *retrier) describe() Retrier {
	d := Retrier{
		ErrorEquals: r.names, IntervalSeconds: r.interval, MaxAttempts: r.maxAttempts,
		BackoffRate: r.backoff, MaxDelaySeconds: r.maxDelay, JitterStrategy: "NONE",
	}
	if r.jitter {
		d.JitterStrategy = "FULL"
	}
	return d
}

// Walk calls visit for every state of the machine and of the machines inside it, outer states first, in the order of the
// definition. It ends when visit returns false.
func (m *StateMachine) Walk(visit func(*State) bool) bool {
	for _, s := range m.States {
		if !visit(s) {
			return false
		}
		for _, inner := range s.Branches {
			if !inner.Walk(visit) {
				return false
			}
		}
	}
	return true
}
