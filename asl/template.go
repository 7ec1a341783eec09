// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// env is what paths, intrinsic calls and expressions see.
type env struct {
	call   *call
	thread *thread
	// data is what $ stands for.
	data any
	// item is $$.Map.Item of an ItemSelector; nil elsewhere.
	item *object
	// queried is the size of the results of JSONata expressions so far.
	queried int
	// states is $states without its context, for JSONata: members by turns name, value.
	states []any
}

// context makes the context object.
func (e *env) context() *object {
	o := e.call.r.contextObject(e.thread)
	if e.item != nil {
		o.add("Map", newObject("Item", e.item))
	}
	return o
}

// lookup finds a variable.
func (e *env) lookup(name string) (any, bool) {
	d, ok := e.thread.variable(name)
	if !ok {
		return nil, false
	}
	return d.value(), true
}

// undefinedVariable is the error for a variable that nothing has assigned.
type undefinedVariable struct{ path *path }

func (e *undefinedVariable) Error() string {
	return fmt.Sprintf("The variable '$%s' in the path '%s' is not defined", e.path.variable, e.path.text)
}

// rootOf returns the value that the path starts from.
func (e *env) rootOf(p *path) (any, error) {
	switch p.root {
	case rootContext:
		return e.context(), nil
	case rootVariable:
		v, ok := e.lookup(p.variable)
		if !ok {
			return nil, &undefinedVariable{p}
		}
		return v, nil
	}
	return e.data, nil
}

func (e *env) selectPath(p *path) (any, error) {
	root, err := e.rootOf(p)
	if err != nil {
		return nil, err
	}
	return p.selectFrom(root)
}

// An expression is a compiled template or a part of one. Errors are *fault.
type expression interface {
	eval(e *env) (any, error)
}

type (
	constant       struct{ value any }
	objectTemplate struct {
		keys  []string
		parts []expression
	}
	arrayTemplate []expression
	// pathField is a field "name.$" whose value is a path, intrinsicField one whose value is a call.
	pathField struct {
		path  *path
		field string
	}
	intrinsicField struct{ call *intrinsic }
	// query is a JSONata expression; where names its place in the state for messages, such as "Output/result".
	query struct{ text, where string }
)

func (c constant) eval(*env) (any, error) { return c.value, nil }

func (t *objectTemplate) eval(e *env) (any, error) {
	o := &object{keys: make([]string, 0, len(t.keys)), vals: make([]any, 0, len(t.keys))}
	for i, part := range t.parts {
		v, err := part.eval(e)
		if err != nil {
			return nil, err
		}
		o.add(t.keys[i], v)
	}
	return o, nil
}

func (t arrayTemplate) eval(e *env) (any, error) {
	items := make([]any, len(t))
	for i, part := range t {
		v, err := part.eval(e)
		if err != nil {
			return nil, err
		}
		items[i] = v
	}
	return items, nil
}

func (f *pathField) eval(e *env) (any, error) {
	root, err := e.rootOf(f.path)
	if err != nil {
		return nil, runtimeFault("%v", err)
	}
	v, err := f.path.selectFrom(root)
	if err == nil {
		return v, nil
	}
	if errors.Is(err, errTooManyNodes) {
		return nil, runtimeFault("Invalid path '%s' : %v", f.path.text, err)
	}
	fault := runtimeFault("The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
		f.path.text, f.field, clip(string(encode(root))))
	fault.alias = ErrorParameterPath
	return nil, fault
}

func (f *intrinsicField) eval(e *env) (any, error) {
	v, err := f.call.eval(e)
	if err != nil {
		fault := runtimeFault("%v", err)
		fault.alias = ErrorIntrinsicFailure
		return nil, fault
	}
	return v, nil
}

func (q *query) eval(e *env) (any, error) {
	result, err := e.call.m.expressions.Evaluate(q.text, e.bindings(q.text))
	switch {
	case errors.Is(err, ErrUnsupportedResult):
		return nil, q.fault("returned an unsupported result type.")
	case err != nil:
		return nil, q.fault("threw an error during evaluation. " + err.Error())
	case result == nil:
		return nil, q.fault("returned nothing (undefined).")
	}
	if e.queried += len(result); e.queried > maxQueriedBytes {
		return nil, q.fault("returned more data than one field may have.")
	}
	v, err := decodeLax(result)
	if err != nil {
		return nil, q.fault("returned an unsupported result type.")
	}
	return v, nil
}

// maxQueriedBytes bounds what the JSONata expressions of one field return together.
const maxQueriedBytes = 32 << 20

func (q *query) fault(what string) *fault {
	return &fault{
		failure:    Error{Name: ErrorQueryEvaluation, Cause: q.cause(what)},
		evaluation: true, location: q.where, inState: true,
	}
}

func (q *query) cause(what string) string {
	return fmt.Sprintf("The JSONata expression '%s' specified for the field '%s' %s", q.text, q.where, what)
}

// typeFault is the fault of a field whose value has the wrong type; x is where the value came from.
func typeFault(x expression, where, want string, v any) *fault {
	what := fmt.Sprintf("Expected '%s', but was '%s' for value: %s", want, kindName(v), clip(string(encode(v))))
	if q, ok := x.(*query); ok {
		return q.fault("returned an unexpected result type. " + what)
	}
	return runtimeFault("The field '%s' has an unexpected type. %s", where, what)
}

// bindings passes $states and those variables that the expression may name: a name in the text is enough, which may
// pass one too many, but never one too few.
func (e *env) bindings(text string) map[string]json.RawMessage {
	bound := make(map[string]json.RawMessage)
	if strings.Contains(text, "states") {
		states := newObject(e.states...)
		if strings.Contains(text, "context") || !strings.Contains(text, "$states.") {
			states.add("context", e.context())
		}
		bound["states"] = encode(states)
	}
	for i := 0; i < len(text); i++ {
		if text[i] != '$' {
			continue
		}
		s := &scanner{text: text, pos: i + 1}
		name := s.identifier()
		if v, ok := e.lookup(name); ok && name != "" && bound[name] == nil {
			bound[name] = encode(v)
		}
	}
	return bound
}

// isQuery reports whether a string of a JSONata state is an expression, and returns what stands between {% and %}.
func isQuery(text string) (string, bool) {
	if len(text) < 4 || !strings.HasPrefix(text, "{%") || !strings.HasSuffix(text, "%}") {
		return "", false
	}
	return strings.TrimSpace(text[2 : len(text)-2]), true
}

// compileTemplate compiles a payload template of a JSONPath state: fields whose names end in ".$" are evaluated.
func compileTemplate(v any) (expression, error) {
	switch x := v.(type) {
	case *object:
		return compileObject(x)
	case []any:
		parts := make(arrayTemplate, len(x))
		for i, item := range x {
			part, err := compileTemplate(item)
			if err != nil {
				return nil, err
			}
			parts[i] = part
		}
		return folded(parts, parts...), nil
	}
	return constant{v}, nil
}

func compileObject(o *object) (expression, error) {
	t := &objectTemplate{}
	for i, key := range o.keys {
		name, dynamic := strings.CutSuffix(key, ".$")
		var part expression
		var err error
		if dynamic {
			part, err = compileDynamic(o.vals[i], key)
		} else {
			part, err = compileTemplate(o.vals[i])
		}
		if err != nil {
			return nil, err
		}
		t.keys, t.parts = append(t.keys, name), append(t.parts, part)
	}
	return folded(t, t.parts...), nil
}

// compileDynamic compiles the value of a field "name.$": a path or an intrinsic call.
func compileDynamic(v any, field string) (expression, error) {
	text, ok := v.(string)
	if !ok {
		return nil, fmt.Errorf("the value for the field %q must be a string that contains a JSONPath or an intrinsic function call", clip(field))
	}
	if strings.HasPrefix(text, "$") {
		p, err := parsePath(text)
		return &pathField{p, field}, err
	}
	call, err := parseIntrinsic(text)
	return &intrinsicField{call}, err
}

// compileQueries compiles a template of a JSONata state: strings {% ... %} are evaluated, at any depth.
func compileQueries(v any, where string) expression {
	switch x := v.(type) {
	case string:
		if text, ok := isQuery(x); ok {
			return &query{text, where}
		}
	case *object:
		t := &objectTemplate{}
		for i, key := range x.keys {
			t.keys = append(t.keys, key)
			t.parts = append(t.parts, compileQueries(x.vals[i], where+"/"+key))
		}
		return folded(t, t.parts...)
	case []any:
		parts := make(arrayTemplate, len(x))
		for i, item := range x {
			parts[i] = compileQueries(item, fmt.Sprintf("%s[%d]", where, i))
		}
		return folded(parts, parts...)
	}
	return constant{v}
}

// folded returns the value itself where nothing of a template has to be evaluated.
func folded(whole expression, parts ...expression) expression {
	for _, part := range parts {
		if _, ok := part.(constant); !ok {
			return whole
		}
	}
	v, err := whole.eval(nil)
	if err != nil {
		return whole
	}
	return constant{v}
}
