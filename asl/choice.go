// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"strings"
	"time"
)

// choicePart is a Choice state: rules in order, the first that holds decides.
// https://docs.aws.amazon.com/step-functions/latest/dg/state-choice.html
type choicePart struct {
	rules     []choiceRule
	otherwise *state // Default; nil when absent
}

type choiceRule struct {
	condition condition
	next      *state
	assign    []assignment
	output    expression
}

// A condition is a compiled rule. Errors are *fault.
type condition interface {
	holds(e *env) (bool, error)
}

type (
	allOf      []condition
	anyOf      []condition
	noneOf     struct{ inner condition }
	comparison struct {
		variable *path
		test     test
		// Of the operator's operand: a literal, or a path.
		literal any
		operand *path
		// present marks IsPresent, for which a missing variable is no error.
		present bool
	}
	queryCondition struct{ condition expression }
)

// test compares the variable's value with the operand.
type test func(value, operand any) bool

func (c allOf) holds(e *env) (bool, error) {
	for _, inner := range c {
		if ok, err := inner.holds(e); err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func (c anyOf) holds(e *env) (bool, error) {
	for _, inner := range c {
		if ok, err := inner.holds(e); err != nil || ok {
			return ok, err
		}
	}
	return false, nil
}

func (c noneOf) holds(e *env) (bool, error) {
	ok, err := c.inner.holds(e)
	return !ok, err
}

func (c *comparison) holds(e *env) (bool, error) {
	value, err := e.selectPath(c.variable)
	if c.present {
		return (err == nil) == (c.literal == true), nil
	}
	if err != nil {
		return false, choiceFault(c.variable, err)
	}
	operand := c.literal
	if c.operand != nil {
		if operand, err = e.selectPath(c.operand); err != nil {
			return false, choiceFault(c.operand, err)
		}
	}
	return c.test(value, operand), nil
}

func choiceFault(p *path, err error) *fault {
	return runtimeFault("Invalid path '%s': The choice state's condition path references an invalid value. %v", p.text, err)
}

func (c queryCondition) holds(e *env) (bool, error) {
	v, err := c.condition.eval(e)
	if err != nil {
		return false, err
	}
	ok, isBool := v.(bool)
	if !isBool {
		return false, typeFault(c.condition, "Condition", "boolean", v)
	}
	return ok, nil
}

// choiceTests holds every operator but IsPresent. The operators with Path compare alike.
var choiceTests = makeChoiceTests()

func makeChoiceTests() map[string]test {
	tests := map[string]test{
		"BooleanEquals": func(v, w any) bool {
			a, ok1 := v.(bool)
			b, ok2 := w.(bool)
			return ok1 && ok2 && a == b
		},
		"IsNull":      func(v, w any) bool { return (v == nil) == (w == true) },
		"IsNumeric":   isKind("number"),
		"IsString":    isKind("string"),
		"IsBoolean":   isKind("boolean"),
		"IsTimestamp": func(v, w any) bool { _, ok := timestampOf(v); return ok == (w == true) },
	}
	orders := map[string]func(int) bool{
		"Equals":            func(c int) bool { return c == 0 },
		"LessThan":          func(c int) bool { return c < 0 },
		"GreaterThan":       func(c int) bool { return c > 0 },
		"LessThanEquals":    func(c int) bool { return c <= 0 },
		"GreaterThanEquals": func(c int) bool { return c >= 0 },
	}
	for name, accept := range orders {
		tests["String"+name] = orderedTest(compareStrings, accept)
		tests["Numeric"+name] = orderedTest(compareNumbers, accept)
		tests["Timestamp"+name] = orderedTest(compareTimestamps, accept)
	}
	for name, t := range tests {
		if !strings.HasPrefix(name, "Is") {
			tests[name+"Path"] = t
		}
	}
	tests["StringMatches"] = func(v, w any) bool {
		text, ok1 := v.(string)
		pattern, ok2 := w.(string)
		return ok1 && ok2 && wildcardMatch(pattern, text)
	}
	return tests
}

func isKind(kind string) test {
	return func(v, w any) bool { return (kindName(v) == kind) == (w == true) }
}

// orderedTest makes a test from an order, which reports false for values that it does not order.
func orderedTest(order func(v, w any) (int, bool), accept func(int) bool) test {
	return func(v, w any) bool {
		c, ok := order(v, w)
		return ok && accept(c)
	}
}

// compareStrings orders by UTF-16 code unit, as Java does.
func compareStrings(v, w any) (int, bool) {
	a, ok1 := v.(string)
	b, ok2 := w.(string)
	if !ok1 || !ok2 {
		return 0, false
	}
	return compareUTF16(a, b), true
}

func compareNumbers(v, w any) (int, bool) {
	a, ok1 := v.(number)
	b, ok2 := w.(number)
	if !ok1 || !ok2 {
		return 0, false
	}
	return a.compare(b), true
}

func compareTimestamps(v, w any) (int, bool) {
	a, ok1 := timestampOf(v)
	b, ok2 := timestampOf(w)
	return a.Compare(b), ok1 && ok2
}

func timestampOf(v any) (time.Time, bool) {
	text, _ := v.(string)
	return parseTimestamp(text)
}

// parseTimestamp reads an RFC 3339 timestamp with upper-case T and a zone.
func parseTimestamp(text string) (time.Time, bool) {
	if len(text) > 64 || len(text) < 11 || text[10] != 'T' {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	return t, err == nil
}

// compareUTF16 differs from the order of bytes only where one string has a surrogate pair and the other a character
// from U+E000 to U+FFFF.
func compareUTF16(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	for i := 0; i < len(ra) && i < len(rb); i++ {
		x, y := ra[i], rb[i]
		if x == y {
			continue
		}
		if x >= 0xe000 && y >= 0xe000 && (x > 0xffff) != (y > 0xffff) {
			x, y = y, x
		}
		return int(x) - int(y)
	}
	return len(ra) - len(rb)
}

// wildcardMatch matches a StringMatches pattern: * stands for any text, \* and \\ for themselves. Time is linear: the
// leftmost place of each piece between two stars is as good as any.
func wildcardMatch(pattern, text string) bool {
	pieces := wildcardPieces(pattern)
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return text == first
	}
	if len(text) < len(first)+len(last) || !strings.HasPrefix(text, first) || !strings.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		i := strings.Index(text, piece)
		if i < 0 {
			return false
		}
		text = text[i+len(piece):]
	}
	return true
}

// wildcardPieces cuts a pattern at its stars.
func wildcardPieces(pattern string) []string {
	var pieces []string
	var piece []byte
	for i := 0; i < len(pattern); i++ {
		switch {
		case pattern[i] == '\\' && i+1 < len(pattern):
			i++
			piece = append(piece, pattern[i])
		case pattern[i] == '*':
			pieces = append(pieces, string(piece))
			piece = piece[:0]
		default:
			piece = append(piece, pattern[i])
		}
	}
	return append(pieces, string(piece))
}

func (f *fields) choice(s *scope) *choicePart {
	c := &choicePart{}
	if name, ok := member[string](f.object, "Default"); ok {
		c.otherwise = s.states[name]
	}
	for _, o := range objectsOf(f.object, "Choices") {
		next, _ := member[string](o, "Next")
		rule := choiceRule{condition: f.condition(o), next: s.states[next], assign: f.assignments(o)}
		if v, ok := o.get("Output"); ok && f.jsonata {
			rule.output = f.compile(v, "Output")
		}
		c.rules = append(c.rules, rule)
	}
	return c
}

func (f *fields) condition(o *object) condition {
	if v, ok := o.get("Condition"); ok && f.jsonata {
		return queryCondition{compileQueries(v, "Condition")}
	}
	if _, ok := o.get("And"); ok {
		return allOf(f.conditions(objectsOf(o, "And")))
	}
	if _, ok := o.get("Or"); ok {
		return anyOf(f.conditions(objectsOf(o, "Or")))
	}
	if inner, ok := member[*object](o, "Not"); ok {
		return noneOf{f.condition(inner)}
	}
	return f.comparison(o)
}

func (f *fields) conditions(rules []*object) []condition {
	var all []condition
	for _, o := range rules {
		all = append(all, f.condition(o))
	}
	return all
}

func (f *fields) comparison(o *object) condition {
	variable, _ := member[string](o, "Variable")
	c := &comparison{variable: f.path(variable), test: func(_, _ any) bool { return false }}
	for i, key := range o.keys {
		if key == "IsPresent" {
			c.present, c.literal = true, o.vals[i]
			return c
		}
		t, ok := choiceTests[key]
		if !ok {
			continue
		}
		c.test, c.literal = t, o.vals[i]
		if text, isText := c.literal.(string); isText && strings.HasSuffix(key, "Path") {
			c.operand = f.path(text)
		}
		return c
	}
	return c
}
