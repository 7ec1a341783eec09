// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import "strings"

func (s *stateCheck) choice() {
	s.require(s.place, "Choices")
	s.target(s.place, "Default")
	rules := s.objects(s.place, "Choices")
	if items, ok := member[[]any](s.object, "Choices"); ok && len(items) == 0 {
		s.fail(s.at("Choices"), "must be a non-empty array")
	}
	for _, p := range rules {
		s.require(p, "Next")
		s.target(p, "Next")
		s.assignIn(p, queryScope{})
		if s.jsonata {
			s.queryRule(p)
			continue
		}
		s.rule(p, true)
	}
}

var queryRuleFields = table("Condition Next Comment Assign Output", "", "")

func (s *stateCheck) queryRule(p place) {
	s.fields(p, queryRuleFields, true)
	s.require(p, "Condition")
	s.queries(p, "Output", queryScope{})
	v, ok := p.object.get("Condition")
	if !ok {
		return
	}
	switch v.(type) {
	case bool:
	case string:
		s.query(p, "Condition")
	default:
		s.fail(p.at("Condition"), "must be a boolean or a JSONata expression")
	}
}

// rule checks a rule of a JSONPath state; Next and Assign belong to the outermost only.
func (s *stateCheck) rule(p place, outermost bool) {
	operators := 0
	for i, key := range p.object.keys {
		switch key {
		case "Comment":
			s.text(p, key)
		case "Variable":
			s.referencePath(p, key)
		case "And", "Or":
			operators++
			s.nestedRules(p, key)
		case "Not":
			operators++
			if inner, ok := s.objectField(p, key); ok {
				s.rule(inner, false)
			}
		case "Next", "Assign":
			if !outermost {
				s.fail(p.at(key), "Field %q is not supported in a nested rule", key)
			}
		default:
			operators++
			s.operator(p, key, p.object.vals[i])
		}
	}
	if operators != 1 {
		s.fail(p.pointer, "must have exactly one operator, but has %d", operators)
	}
}

func (s *stateCheck) nestedRules(p place, field string) {
	rules := s.objects(p, field)
	if items, ok := member[[]any](p.object, field); ok && len(items) == 0 {
		s.fail(p.at(field), "must be a non-empty array")
	}
	for _, inner := range rules {
		s.rule(inner, false)
	}
}

// operator checks a comparison and the type of its operand.
func (s *stateCheck) operator(p place, name string, operand any) {
	if _, ok := choiceTests[name]; !ok && name != "IsPresent" {
		s.fail(p.at(name), "Field %q is not supported", clip(name))
		return
	}
	s.require(p, "Variable")
	if strings.HasSuffix(name, "Path") {
		s.referencePath(p, name)
		return
	}
	want := operandKind(name)
	if want == "timestamp" {
		if text, ok := operand.(string); !ok || !isRFC3339(text) {
			s.fail(p.at(name), "String does not match RFC3339 timestamp")
		}
		return
	}
	if kindName(operand) != want {
		s.fail(p.at(name), "must be a %s", want)
	}
}

func operandKind(operator string) string {
	switch {
	case strings.HasPrefix(operator, "Is"), strings.HasPrefix(operator, "Boolean"):
		return "boolean"
	case strings.HasPrefix(operator, "Numeric"):
		return "number"
	case strings.HasPrefix(operator, "Timestamp"):
		return "timestamp"
	}
	return "string"
}
