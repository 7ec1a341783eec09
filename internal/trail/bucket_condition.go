// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// bucketCondition is one condition of a statement: all of them must hold, and of the values any.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition.html
type bucketCondition struct {
	operator string // as written
	key      string // lower case
	values   []string
}

func parseBucketConditions(value json.RawMessage) ([]bucketCondition, error) {
	var operators map[string]map[string]json.RawMessage
	if err := json.Unmarshal(value, &operators); err != nil {
		return nil, err
	}
	var out []bucketCondition
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		for _, key := range slices.Sorted(maps.Keys(operators[operator])) {
			values, err := conditionValues(operators[operator][key])
			if err != nil {
				return nil, err
			}
			out = append(out, bucketCondition{operator, strings.ToLower(key), sorted(values)})
		}
	}
	return out, nil
}

// conditionValues reads texts, and booleans and numbers that stand for them.
func conditionValues(value json.RawMessage) ([]string, error) {
	var list []json.RawMessage
	if json.Unmarshal(value, &list) != nil {
		list = []json.RawMessage{value}
	}
	var out []string
	for _, v := range list {
		var text string
		if v[0] != '"' {
			text = string(v)
		} else if err := json.Unmarshal(v, &text); err != nil {
			return nil, err
		}
		out = append(out, text)
	}
	return out, nil
}

// operation is an operator taken apart: "ForAnyValue:StringNotLikeIfExists".
type operation struct {
	set      string // "ForAnyValue", "ForAllValues" or ""
	name     string // without Not
	negated  bool
	ifExists bool
}

func (c bucketCondition) operation() operation {
	var o operation
	set, name, found := strings.Cut(c.operator, ":")
	if !found {
		set, name = "", c.operator
	}
	o.set = set
	name, o.ifExists = strings.CutSuffix(name, "IfExists")
	o.name = strings.Replace(name, "Not", "", 1)
	o.negated = o.name != name
	return o
}

// isSet reports whether more values mean more that meets the condition, or less where it is negated.
func (o operation) isSet() bool {
	return o.hasPatterns() || strings.HasPrefix(o.name, "StringEquals") || o.name == "Bool" || o.name == "IpAddress"
}

// hasPatterns reports whether values may hold wildcards.
func (o operation) hasPatterns() bool {
	return o.name == "StringLike" || strings.HasPrefix(o.name, "Arn")
}

// impliesAll reports whether whatever meets all of s certainly meets all of other.
func impliesAll(s, other []bucketCondition) bool {
	return !slices.ContainsFunc(other, func(o bucketCondition) bool {
		return !slices.ContainsFunc(s, func(c bucketCondition) bool { return c.implies(o) })
	})
}

func (c bucketCondition) implies(other bucketCondition) bool {
	if c.operator != other.operator || c.key != other.key {
		return false
	}
	if slices.Equal(c.values, other.values) {
		return true
	}
	o := c.operation()
	if !o.isSet() || c.hasVariables() || other.hasVariables() {
		return false
	}
	isWithin := func(p, q string) bool { return p == q }
	if o.hasPatterns() {
		isWithin = globWithin
	}
	mine, others := names{list: c.values}, names{list: other.values}
	if o.negated { // to be none of more is to be none of less
		return others.allIn(mine, isWithin)
	}
	return mine.allIn(others, isWithin)
}

func (c bucketCondition) hasVariables() bool {
	return slices.ContainsFunc(c.values, func(v string) bool { return strings.Contains(v, "${") })
}

// request is what is known about a request: for each condition key, in lower case, the values that it may have; none
// means that the key is certainly absent. Keys that are not there may be anything.
type request map[string][]string

// mayMeet reports whether the request may meet all conditions. What is not known may be.
func (r request) mayMeet(conditions []bucketCondition) bool {
	return !slices.ContainsFunc(conditions, func(c bucketCondition) bool { return !r.mayHold(c) })
}

func (r request) mayHold(c bucketCondition) bool {
	values, known := r[c.key]
	o := c.operation()
	switch {
	case !known || c.hasVariables():
		return true
	case o.name == "Null":
		return slices.ContainsFunc(c.values, func(v string) bool { return strings.EqualFold(v, "true") == (len(values) == 0) })
	case len(values) == 0: // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-logic-multiple-context-keys-or-values.html
		return o.ifExists || o.negated || o.set == "ForAllValues"
	}
	return slices.ContainsFunc(values, func(v string) bool {
		isMet, certain := o.compare(v, c.values)
		return !certain || isMet != o.negated
	})
}

// compare reports whether v is one of the values by the operator without its Not, and whether that is certain.
func (o operation) compare(v string, values []string) (isMet, certain bool) {
	var same func(p, q string) bool
	switch {
	case o.hasPatterns():
		same = globWithin
	case o.name == "StringEquals":
		same = func(p, q string) bool { return p == q }
	case o.name == "StringEqualsIgnoreCase" || o.name == "Bool":
		same = strings.EqualFold
	default:
		return false, false
	}
	return slices.ContainsFunc(values, func(q string) bool { return same(v, q) }), true
}
