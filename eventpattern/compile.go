// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"maps"
	"slices"
)

// rule is one combination of a pattern's $or operands: fields that must all match.
type rule struct {
	fields []field
}

// field is a path of a pattern and its alternatives.
type field struct {
	path string
	// values match a leaf.
	values alternatives
	// absent also accepts events without a leaf at the path: {"exists": false}.
	absent bool
}

// maxFields bounds the fields of all rules of a pattern together: $or operands multiply what stands beside them.
const maxFields = 200_000

// compiler expands a pattern into rules while it walks over it in the order of the text.
type compiler struct {
	rules []map[string]*field
	// fields counts the entries of all rules ever made, wildcards the '*' seen.
	fields, wildcards int
}

func compile(pattern []byte) ([]rule, error) {
	root, err := parse(pattern)
	if err != nil {
		return nil, err
	}
	if root.kind != kindObject {
		return nil, invalidf("Filter is not an object")
	}
	c := compiler{rules: []map[string]*field{{}}}
	if err := c.object(&root, "", false); err != nil {
		return nil, err
	}
	rules := make([]rule, len(c.rules))
	for i, fields := range c.rules {
		for _, path := range slices.Sorted(maps.Keys(fields)) {
			rules[i].fields = append(rules[i].fields, *fields[path])
		}
	}
	return rules, nil
}

// object adds the fields of an object at a path, which is empty or ends with a dot.
func (c *compiler) object(n *node, prefix string, insideOr bool) error {
	if len(n.members) == 0 {
		return invalidf("Empty objects are not allowed")
	}
	for i := range n.members {
		m := &n.members[i]
		if m.name == "$or" {
			isOr, err := c.isOr(&m.value)
			if err != nil {
				return err
			}
			if isOr {
				if err := c.or(&m.value, prefix); err != nil {
					return err
				}
				continue
			}
		}
		if insideOr && reservedNames[m.name] {
			return invalidf("%s is Ruler reserved fieldName which cannot be used inside $or.", m.name)
		}
		if err := c.member(m, prefix, insideOr); err != nil {
			return err
		}
	}
	return nil
}

func (c *compiler) member(m *member, prefix string, insideOr bool) error {
	switch m.value.kind {
	case kindObject:
		return c.object(&m.value, prefix+m.name+".", insideOr)
	case kindArray:
		return c.field(&m.value, prefix+m.name)
	}
	return invalidf("\"%s\" must be an object or an array", m.name)
}

// field adds a path's alternatives to all rules so far.
func (c *compiler) field(n *node, path string) error {
	if len(n.list) == 0 {
		return invalidf("Empty arrays are not allowed")
	}
	f := &field{path: path}
	for i := range n.list {
		m, err := c.alternative(&n.list[i])
		if err != nil {
			return err
		}
		if m.op == opAbsent {
			f.absent = true
			continue
		}
		f.values.add(m)
	}
	f.values.index()
	if c.fields += len(c.rules); c.fields > maxFields {
		return tooManyFields()
	}
	for _, rule := range c.rules {
		rule[path] = f // the alternatives written last count
	}
	return nil
}

func tooManyFields() error {
	return invalidf("Rule is too complex - its $or combinations have more than %d fields", maxFields)
}

// isOr tells whether a member named $or is the relationship: a list of two or more objects without reserved names.
// Otherwise it is a field of that name, as long as that makes sense.
func (c *compiler) isOr(n *node) (bool, error) {
	if n.kind == kindObject {
		return false, nil
	}
	if n.kind != kindArray {
		return false, invalidf("It must be an Array followed with $or.")
	}
	reserved := false
	for i := range n.list {
		if n.list[i].kind != kindObject {
			return false, nil
		}
		for j := range n.list[i].members {
			reserved = reserved || reservedNames[n.list[i].members[j].name]
		}
	}
	if !reserved && len(n.list) < 2 {
		return false, invalidf("There must have at least 2 Objects in $or relationship.")
	}
	return !reserved, nil
}

// or replaces the rules by their combinations with each operand.
func (c *compiler) or(n *node, prefix string) error {
	before := c.rules
	if len(before)*len(n.list) > MaxCombinations {
		return invalidf("Event pattern has more than %d combinations of $or", MaxCombinations)
	}
	var after []map[string]*field
	for i := range n.list {
		c.rules = make([]map[string]*field, len(before))
		for j, rule := range before {
			if c.fields += len(rule); c.fields > maxFields {
				return tooManyFields()
			}
			c.rules[j] = maps.Clone(rule)
		}
		if err := c.object(&n.list[i], prefix, true); err != nil {
			return err
		}
		after = append(after, c.rules...)
		if len(after) > MaxCombinations {
			return invalidf("Event pattern has more than %d combinations of $or", MaxCombinations)
		}
	}
	c.rules = after
	return nil
}

// reservedNames cannot be fields inside $or; a list of objects that uses one as a name is no $or relationship.
var reservedNames = map[string]bool{
	"exactly": true, "equals-ignore-case": true, "prefix": true, "suffix": true, "anything-but": true, "exists": true,
	"wildcard": true, "numeric": true, "cidr": true, "=": true, "<": true, "<=": true, ">": true, ">=": true,
	"regex": true, "not-wildcard": true, "not-equals-ignore-case": true, "date-after": true, "date-on-or-after": true,
	"date-before": true, "date-on-or-before": true, "in-date-range": true, "ip-address-in-range": true,
	"ip-address-not-in-range": true,
}
