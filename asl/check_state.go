// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"slices"
	"strconv"
	"strings"
)

// language says in which query language a field may be used.
type language int

const (
	both language = iota
	pathOnly
	queryOnly
)

// fieldTable says which fields an object may have.
type fieldTable map[string]language

var machineFields = fieldTable{
	"Comment": both, "StartAt": both, "States": both, "Version": both, "TimeoutSeconds": both, "QueryLanguage": both,
}

// stateFields is the table of fields by type of state.
// https://states-language.net/spec.html#statetypes
var stateFields = map[string]fieldTable{
	"Pass":     table("Type Comment QueryLanguage Next End Assign", "InputPath OutputPath Parameters ResultPath Result", "Output"),
	"Succeed":  table("Type Comment QueryLanguage", "InputPath OutputPath", "Output"),
	"Fail":     table("Type Comment QueryLanguage Error Cause", "ErrorPath CausePath", ""),
	"Choice":   table("Type Comment QueryLanguage Choices Default Assign", "InputPath OutputPath", "Output"),
	"Wait":     table("Type Comment QueryLanguage Next End Assign Seconds Timestamp", "InputPath OutputPath SecondsPath TimestampPath", "Output"),
	"Parallel": table("Type Comment QueryLanguage Next End Assign Retry Catch Branches", "InputPath OutputPath Parameters ResultPath ResultSelector", "Arguments Output"),
	"Task": table("Type Comment QueryLanguage Next End Assign Retry Catch Resource TimeoutSeconds HeartbeatSeconds Credentials",
		"InputPath OutputPath Parameters ResultPath ResultSelector TimeoutSecondsPath HeartbeatSecondsPath", "Arguments Output"),
	"Map": table("Type Comment QueryLanguage Next End Assign Retry Catch ItemProcessor Iterator ItemSelector MaxConcurrency "+
		"ItemReader ItemBatcher ResultWriter Label ToleratedFailureCount ToleratedFailurePercentage",
		"InputPath OutputPath Parameters ResultPath ResultSelector ItemsPath MaxConcurrencyPath ToleratedFailureCountPath ToleratedFailurePercentagePath",
		"Items Output"),
}

func table(inBoth, inPath, inQuery string) fieldTable {
	t := fieldTable{}
	for l, names := range map[language]string{both: inBoth, pathOnly: inPath, queryOnly: inQuery} {
		for _, name := range strings.Fields(names) {
			t[name] = l
		}
	}
	return t
}

// fields reports fields that the table does not allow.
func (c *checker) fields(p place, allowed fieldTable, jsonata bool) {
	for _, key := range p.object.keys {
		l, ok := allowed[key]
		switch {
		case !ok:
			c.fail(p.at(key), "Field %q is not supported", clip(key))
		case l == pathOnly && jsonata:
			c.fail(p.at(key), "Field %q is not supported when QueryLanguage is JSONata", clip(key))
		case l == queryOnly && !jsonata:
			c.fail(p.at(key), "Field %q is not supported when QueryLanguage is JSONPath", clip(key))
		}
	}
}

// stateCheck checks one state.
type stateCheck struct {
	*checker
	place
	kind       string
	jsonata    bool
	siblings   *object
	outer, own map[string]bool // variables assigned in the scopes around, and in this one
}

func (s *stateCheck) check() {
	kind, ok := s.object.get("Type")
	if !ok {
		s.require(s.place, "Type")
		return
	}
	s.kind, _ = kind.(string)
	allowed, ok := stateFields[s.kind]
	if !ok {
		s.fail(s.at("Type"), "not one of the allowed values [Task, Pass, Choice, Wait, Succeed, Fail, Parallel, Map]")
		return
	}
	s.queryLanguage()
	s.fields(s.place, allowed, s.jsonata)
	s.transition()
	s.dataFlow()
	s.retriers()
	s.catchers()
	switch s.kind {
	case "Task":
		s.task()
	case "Choice":
		s.choice()
	case "Wait":
		s.wait()
	case "Fail":
		s.failTexts()
	case "Parallel":
		s.parallel()
	case "Map":
		s.mapState()
	}
}

func (s *stateCheck) queryLanguage() {
	s.oneOf(s.place, "QueryLanguage", "JSONPath", "JSONata")
	s.jsonata = isJSONata(s.object, s.machine)
	if s.machine && !s.jsonata {
		s.fail(s.pointer, "'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine")
	}
}

// transition checks Next and End.
func (s *stateCheck) transition() {
	s.text(s.place, "Comment")
	end, hasEnd := s.object.get("End")
	if _, ok := end.(bool); hasEnd && !ok {
		s.fail(s.at("End"), "must be a boolean")
	}
	_, hasNext := s.object.get("Next")
	if s.kind == "Choice" || s.kind == "Succeed" || s.kind == "Fail" {
		return
	}
	switch {
	case hasNext && end == true:
		s.fail(s.pointer, "may have only one of [Next, End]")
	case !hasNext && end != true:
		s.fail(s.pointer, "must have one of [Next, End]")
	}
	s.target(s.place, "Next")
}

// target checks a field that names another state of the same scope.
func (s *stateCheck) target(p place, field string) {
	v, ok := p.object.get(field)
	if !ok {
		return
	}
	name, isText := v.(string)
	if !isText {
		s.fail(p.at(field), "must be a string")
		return
	}
	if _, ok := s.siblings.get(name); !ok {
		s.report(SeverityError, CodeTransition, p.at(field), "Missing '%s' target: %s", field, clip(name))
	}
}

// dataFlow checks the fields that move data; fields that the type does not have were reported before.
func (s *stateCheck) dataFlow() {
	s.assign(s.place)
	if s.jsonata {
		for _, field := range []string{"Arguments", "Output", "ItemSelector"} {
			s.queries(s.place, field, s.resultIn(field))
		}
		return
	}
	for _, field := range []string{"InputPath", "OutputPath"} {
		s.path(s.place, field, true)
	}
	s.resultPath(s.place)
	for _, field := range []string{"Parameters", "ResultSelector", "ItemSelector"} {
		if v, ok := s.object.get(field); ok {
			s.template(v, s.at(field))
		}
	}
}

// resultIn reports whether $states.result exists in a field.
func (s *stateCheck) resultIn(field string) queryScope {
	works := s.kind == "Task" || s.kind == "Parallel" || s.kind == "Map"
	return queryScope{result: works && (field == "Output" || field == "Assign")}
}

func (s *stateCheck) text(p place, field string) {
	if v, ok := p.object.get(field); ok {
		if _, isText := v.(string); !isText {
			s.fail(p.at(field), "must be a string")
		}
	}
}

// path checks a field that holds a path, or null.
func (s *stateCheck) path(p place, field string, nullable bool) {
	v, ok := p.object.get(field)
	if !ok || v == nil && nullable {
		return
	}
	text, isText := v.(string)
	if !isText {
		s.fail(p.at(field), "must be a JSONPath")
		return
	}
	if _, err := parsePath(text); err != nil {
		s.fail(p.at(field), "%v", err)
	}
}

// referencePath checks a ...Path field: a path that names one node.
func (s *stateCheck) referencePath(p place, field string) {
	v, ok := p.object.get(field)
	if !ok {
		return
	}
	text, isText := v.(string)
	if !isText {
		s.fail(p.at(field), "must be a Reference Path")
		return
	}
	parsed, err := parsePath(text)
	switch {
	case err != nil:
		s.fail(p.at(field), "%v", err)
	case !parsed.definite:
		s.fail(p.at(field), "%q is not a Reference Path", clip(text))
	}
}

// resultPath checks ResultPath: a Reference Path into the data, or null.
func (s *stateCheck) resultPath(p place) {
	v, ok := p.object.get("ResultPath")
	if !ok || v == nil {
		return
	}
	text, _ := v.(string)
	parsed, err := parsePath(text)
	switch {
	case err != nil:
		s.fail(p.at("ResultPath"), "%v", err)
	case parsed.root != rootData:
		s.fail(p.at("ResultPath"), "ResultPath must begin with a single $")
	case !parsed.isReference():
		s.fail(p.at("ResultPath"), "%q is not a Reference Path", clip(text))
	}
}

// template checks a payload template of a JSONPath state.
func (s *stateCheck) template(v any, pointer string) {
	switch x := v.(type) {
	case *object:
		s.templateObject(x, pointer)
	case []any:
		for i, item := range x {
			s.template(item, pointer+"/"+strconv.Itoa(i))
		}
	}
}

func (s *stateCheck) templateObject(o *object, pointer string) {
	for i, key := range o.keys {
		at := pointer + "/" + escapePointer(key)
		name, dynamic := strings.CutSuffix(key, ".$")
		if !dynamic {
			s.template(o.vals[i], at)
			continue
		}
		if _, twice := o.get(name); twice {
			s.fail(at, "duplicate field %q: the name without .$ exists too", clip(name))
		}
		if _, err := compileDynamic(o.vals[i], key); err != nil {
			s.fail(at, "%v", err)
		}
	}
}

// assign checks Assign of a state, a choice rule or a catcher.
func (s *stateCheck) assign(p place) {
	s.assignIn(p, s.resultIn("Assign"))
}

func (s *stateCheck) assignIn(p place, scope queryScope) {
	v, ok := p.object.get("Assign")
	if !ok {
		return
	}
	assign, isObject := v.(*object)
	if !isObject {
		s.fail(p.at("Assign"), "must be an object")
		return
	}
	inside := p.inside("Assign", assign)
	for _, key := range assign.keys {
		s.variableName(inside.at(key), strings.TrimSuffix(key, ".$"))
	}
	if s.jsonata {
		s.queries(p, "Assign", scope)
		return
	}
	s.template(assign, inside.pointer)
}

func (s *stateCheck) variableName(at, name string) {
	scan := &scanner{text: name}
	switch {
	case name == "" || scan.identifier() != name:
		s.fail(at, "%q is not the name of a variable", clip(name))
	case len([]rune(name)) > maxNameRunes:
		s.fail(at, "the name of a variable must have 1 to %d characters", maxNameRunes)
	case name == "states":
		s.fail(at, "the variable name states is reserved")
	case s.outer[name]:
		s.fail(at, "the variable %q is assigned in an outer scope", clip(name))
	}
}

// variables returns what the states inside a Parallel or inline Map must not assign.
func (s *stateCheck) variables() map[string]bool {
	all := map[string]bool{}
	for name := range s.outer {
		all[name] = true
	}
	for name := range s.own {
		all[name] = true
	}
	return all
}

// objects returns the objects of a field that holds an array of them.
func (s *stateCheck) objects(p place, field string) []place {
	v, ok := p.object.get(field)
	if !ok {
		return nil
	}
	items, isArray := v.([]any)
	if !isArray {
		s.fail(p.at(field), "must be an array of objects")
		return nil
	}
	var all []place
	for i, item := range items {
		o, ok := item.(*object)
		if !ok {
			s.fail(p.item(field, i, nil).pointer, "must be an object")
			continue
		}
		all = append(all, p.item(field, i, o))
	}
	return all
}

var (
	retrierFields = table("ErrorEquals IntervalSeconds MaxAttempts BackoffRate MaxDelaySeconds JitterStrategy Comment", "", "")
	catcherFields = table("ErrorEquals Next Comment Assign", "ResultPath", "Output")
)

func (s *stateCheck) retriers() {
	all := s.objects(s.place, "Retry")
	for i, p := range all {
		s.fields(p, retrierFields, s.jsonata)
		s.errorEquals(p, i == len(all)-1)
		s.number(p, "IntervalSeconds", integer, 1, maxSeconds)
		s.number(p, "MaxAttempts", integer, 0, maxSeconds)
		s.number(p, "BackoffRate", fraction, 1, 1e15)
		s.number(p, "MaxDelaySeconds", integer, 1, 31622400)
		s.oneOf(p, "JitterStrategy", "FULL", "NONE")
		if _, ok := p.object.get("MaxDelaySeconds"); ok && numberOr(p.object, "MaxDelaySeconds", 0) <= numberOr(p.object, "IntervalSeconds", 1) {
			s.fail(p.at("MaxDelaySeconds"), "must be greater than IntervalSeconds")
		}
	}
}

func (s *stateCheck) catchers() {
	all := s.objects(s.place, "Catch")
	for i, p := range all {
		s.fields(p, catcherFields, s.jsonata)
		s.errorEquals(p, i == len(all)-1)
		s.require(p, "Next")
		s.target(p, "Next")
		s.assignIn(p, queryScope{errorOutput: true})
		if s.jsonata {
			s.queries(p, "Output", queryScope{errorOutput: true})
			continue
		}
		s.resultPath(p)
	}
}

func (s *stateCheck) errorEquals(p place, last bool) {
	s.require(p, "ErrorEquals")
	v, ok := p.object.get("ErrorEquals")
	if !ok {
		return
	}
	items, isArray := v.([]any)
	if !isArray || len(items) == 0 {
		s.fail(p.at("ErrorEquals"), "must be a non-empty array of strings")
		return
	}
	for i, item := range items {
		if _, ok := item.(string); !ok {
			s.fail(p.item("ErrorEquals", i, nil).pointer, "must be a string")
		}
	}
	if slices.Contains(items, any(ErrorAll)) && (len(items) > 1 || !last) {
		s.fail(p.at("ErrorEquals"), "%s must be alone in its array, and in the last element", ErrorAll)
	}
}
