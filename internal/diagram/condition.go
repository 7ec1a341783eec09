// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
)

// conditionText shortens the rule of a Choice for people: the JSONata expression without its braces, or the comparison
// as "outcome = "attempted" and not trail present".
func conditionText(condition string) string {
	if text, ok := strings.CutPrefix(condition, "{%"); ok {
		return strings.TrimSpace(strings.TrimSuffix(text, "%}"))
	}
	var rule map[string]json.RawMessage
	if json.Unmarshal([]byte(condition), &rule) != nil {
		return condition
	}
	return ruleText(rule, 0)
}

// maxRuleDepth is how deep nested rules are written out.
const maxRuleDepth = 4

func ruleText(rule map[string]json.RawMessage, depth int) string {
	if depth > maxRuleDepth {
		return "…"
	}
	if inner, ok := rule["Not"]; ok {
		return "not " + innerText(inner, depth)
	}
	if inner, ok := rule["And"]; ok {
		return listText(inner, " and ", depth)
	}
	if inner, ok := rule["Or"]; ok {
		return listText(inner, " or ", depth)
	}
	return comparisonText(rule)
}

func innerText(raw json.RawMessage, depth int) string {
	var rule map[string]json.RawMessage
	if json.Unmarshal(raw, &rule) != nil {
		return "…"
	}
	text := ruleText(rule, depth+1)
	if rule["And"] != nil || rule["Or"] != nil {
		return "(" + text + ")"
	}
	return text
}

func listText(raw json.RawMessage, word string, depth int) string {
	var rules []json.RawMessage
	if json.Unmarshal(raw, &rules) != nil {
		return "…"
	}
	var parts []string
	for _, r := range rules {
		parts = append(parts, innerText(r, depth))
	}
	return strings.Join(parts, word)
}

// comparisons are the ends of the names of comparison operators and how people write them, longest first.
var comparisons = []struct{ suffix, sign string }{
	{"LessThanEquals", "≤"}, {"GreaterThanEquals", "≥"}, {"LessThan", "<"}, {"GreaterThan", ">"}, {"Equals", "="}, {"Matches", "matches"},
}

func comparisonText(rule map[string]json.RawMessage) string {
	variable := strings.TrimPrefix(unquoted(rule["Variable"]), "$.")
	operators := make([]string, 0, len(rule))
	for name := range rule {
		if name != "Variable" {
			operators = append(operators, name)
		}
	}
	slices.Sort(operators)
	if len(operators) == 0 {
		return variable
	}
	return variable + " " + operatorText(operators[0], rule[operators[0]])
}

func operatorText(operator string, value json.RawMessage) string {
	if kind, ok := strings.CutPrefix(operator, "Is"); ok {
		text := "is " + strings.ToLower(kind)
		if bytes.Equal(value, []byte("false")) {
			text = "is not " + strings.ToLower(kind)
		}
		return text
	}
	name, isPath := strings.CutSuffix(operator, "Path")
	shown := string(value)
	if isPath {
		shown = strings.TrimPrefix(unquoted(value), "$.")
	}
	for _, c := range comparisons {
		if strings.HasSuffix(name, c.suffix) {
			return c.sign + " " + shown
		}
	}
	return operator + " " + shown
}

// unquoted is the text of a JSON string, or the JSON itself.
func unquoted(raw json.RawMessage) string {
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return string(raw)
	}
	return text
}
