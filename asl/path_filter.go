// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"regexp"
	"strings"
)

// A filter is the condition of [?(...)]: node is what @ stands for, w.root what $ stands for.
type filter interface{ holds(node any, w *walk) bool }

type (
	andFilter []filter
	orFilter  []filter
	notFilter struct{ inner filter }
	// existsFilter is a path by itself: it holds where the path selects something.
	existsFilter  struct{ operand operand }
	compareFilter struct {
		left, right operand
		operator    string
		pattern     *regexp.Regexp
	}
)

func (f andFilter) holds(node any, w *walk) bool {
	for _, g := range f {
		if !g.holds(node, w) {
			return false
		}
	}
	return true
}

func (f orFilter) holds(node any, w *walk) bool {
	for _, g := range f {
		if g.holds(node, w) {
			return true
		}
	}
	return false
}

func (f notFilter) holds(node any, w *walk) bool { return !f.inner.holds(node, w) }

func (f existsFilter) holds(node any, w *walk) bool {
	v, ok := f.operand.value(node, w)
	if items, isArray := v.([]any); isArray && !f.operand.path.definite {
		return len(items) > 0
	}
	return ok
}

// operand is one side of a comparison: a literal, or a path from @ or $.
type operand struct {
	path     *path
	fromRoot bool
	literal  any
}

func (o operand) value(node any, w *walk) (any, bool) {
	if o.path == nil {
		return o.literal, true
	}
	if o.fromRoot {
		node = w.root
	}
	v, err := o.path.selectWith(node, w)
	return v, err == nil
}

func (f compareFilter) holds(node any, w *walk) bool {
	left, hasLeft := f.left.value(node, w)
	if f.pattern != nil {
		text, ok := left.(string)
		return ok && f.pattern.MatchString(text)
	}
	right, hasRight := f.right.value(node, w)
	switch f.operator {
	case "==":
		return hasLeft == hasRight && equal(left, right)
	case "!=":
		return hasLeft != hasRight || !equal(left, right)
	case "in":
		return hasLeft && contains(right, left)
	case "nin":
		return !hasLeft || !contains(right, left)
	case "contains":
		return containsValue(left, right)
	case "size":
		return hasLeft && sizeIs(left, right)
	case "empty":
		return hasLeft && equal(sizeIs(left, number("0")), right)
	}
	return hasLeft && hasRight && ordered(left, right, f.operator)
}

func contains(list, v any) bool {
	items, _ := list.([]any)
	for _, item := range items {
		if equal(item, v) {
			return true
		}
	}
	return false
}

func containsValue(left, right any) bool {
	if text, ok := left.(string); ok {
		part, isText := right.(string)
		return isText && strings.Contains(text, part)
	}
	return contains(left, right)
}

func sizeIs(v, n any) bool {
	length, err := pathLength(v)
	return err == nil && equal(length, n)
}

// ordered compares two numbers or two strings; any other pair is not ordered.
func ordered(left, right any, operator string) bool {
	var c int
	switch x := left.(type) {
	case number:
		y, ok := right.(number)
		if !ok {
			return false
		}
		c = x.compare(y)
	case string:
		y, ok := right.(string)
		if !ok {
			return false
		}
		c = compareOrdered(x, y)
	default:
		return false
	}
	switch operator {
	case "<":
		return c < 0
	case "<=":
		return c <= 0
	case ">":
		return c > 0
	}
	return c >= 0
}

const maxFilterDepth = 20

// filterStep reads (...)] after the question mark.
func (s *scanner) filterStep(p *path) error {
	s.space()
	if !s.take("(") {
		return s.fault("expected ( after ?")
	}
	f, err := s.orExpression()
	if err != nil {
		return err
	}
	s.space()
	if !s.take(")") {
		return s.fault("expected )")
	}
	p.add(step{kind: stepFilter, filter: f}, false)
	return s.closeBracket()
}

func (s *scanner) orExpression() (filter, error) {
	return s.joined("||", s.andExpression, func(fs []filter) filter { return orFilter(fs) })
}

func (s *scanner) andExpression() (filter, error) {
	return s.joined("&&", s.notExpression, func(fs []filter) filter { return andFilter(fs) })
}

func (s *scanner) joined(operator string, part func() (filter, error), join func([]filter) filter) (filter, error) {
	first, err := part()
	if err != nil {
		return nil, err
	}
	all := []filter{first}
	for s.space(); s.take(operator); s.space() {
		next, err := part()
		if err != nil {
			return nil, err
		}
		all = append(all, next)
	}
	if len(all) == 1 {
		return first, nil
	}
	return join(all), nil
}

func (s *scanner) notExpression() (filter, error) {
	s.depth++
	defer func() { s.depth-- }()
	if s.depth > maxFilterDepth {
		return nil, s.fault("filter nested deeper than %d levels", maxFilterDepth)
	}
	s.space()
	if s.peek() == '!' {
		s.pos++
		inner, err := s.notExpression()
		return notFilter{inner}, err
	}
	if !s.take("(") {
		return s.comparison()
	}
	inner, err := s.orExpression()
	if err != nil {
		return nil, err
	}
	s.space()
	if !s.take(")") {
		return nil, s.fault("expected )")
	}
	return inner, nil
}

// The operators, longest first where one begins like another.
var filterOperators = []string{"==", "!=", "<=", ">=", "=~", "<", ">", "in", "nin", "contains", "size", "empty"}

func (s *scanner) comparison() (filter, error) {
	left, err := s.operand()
	if err != nil {
		return nil, err
	}
	s.space()
	for _, operator := range filterOperators {
		if !s.take(operator) {
			continue
		}
		s.space()
		if operator == "=~" {
			pattern, err := s.regexp()
			return compareFilter{left: left, operator: operator, pattern: pattern}, err
		}
		right, err := s.operand()
		return compareFilter{left: left, right: right, operator: operator}, err
	}
	if left.path == nil {
		return nil, s.fault("expected a comparison")
	}
	return existsFilter{left}, nil
}

func (s *scanner) operand() (operand, error) {
	switch c := s.peek(); {
	case c == '@' || c == '$':
		p, err := s.path(rootsFilter)
		return operand{path: p, fromRoot: c == '$'}, err
	case c == '\'' || c == '"':
		text, err := s.quoted(c)
		return operand{literal: text}, err
	case c == '[':
		return s.listOperand()
	}
	return s.literalOperand()
}

func (s *scanner) literalOperand() (operand, error) {
	start := s.pos
	for s.pos < len(s.text) && strings.IndexByte(" )=<>!&|,]\t\r\n", s.text[s.pos]) < 0 {
		s.pos++
	}
	word := s.text[start:s.pos]
	v, err := decode([]byte(word))
	if err != nil && isWord(word) {
		// A bare word is a text, as in [?(@.key == Name)].
		return operand{literal: word}, nil
	}
	if err != nil {
		s.pos = start
		return operand{}, s.fault("expected a path or a literal")
	}
	return operand{literal: v}, nil
}

func isWord(text string) bool {
	s := &scanner{text: text}
	return text != "" && s.identifier() == text
}

func (s *scanner) listOperand() (operand, error) {
	s.pos++
	items := []any{}
	for s.space(); !s.take("]"); s.space() {
		s.depth++
		if s.depth > maxFilterDepth {
			return operand{}, s.fault("list nested deeper than %d levels", maxFilterDepth)
		}
		item, err := s.operand()
		s.depth--
		if err != nil {
			return operand{}, err
		}
		if item.path != nil {
			return operand{}, s.fault("a list holds literals only")
		}
		items = append(items, item.literal)
		s.space()
		if !s.take(",") && s.peek() != ']' {
			return operand{}, s.fault("expected , or ]")
		}
	}
	return operand{literal: items}, nil
}

// quoted reads a string literal of a filter: a backslash takes the next character as it is.
func (s *scanner) quoted(quote byte) (string, error) {
	s.pos++
	var b strings.Builder
	for ; s.pos < len(s.text); s.pos++ {
		c := s.text[s.pos]
		if c == quote {
			s.pos++
			return b.String(), nil
		}
		if c == '\\' && s.pos+1 < len(s.text) {
			s.pos++
			c = s.text[s.pos]
		}
		b.WriteByte(c)
	}
	return "", s.fault("string without a closing quote")
}

// regexp reads /pattern/ or /pattern/i; Go's syntax, which never backtracks.
func (s *scanner) regexp() (*regexp.Regexp, error) {
	if !s.take("/") {
		return nil, s.fault("expected a pattern between slashes")
	}
	end := strings.IndexByte(s.text[s.pos:], '/')
	if end < 0 {
		return nil, s.fault("pattern without a closing slash")
	}
	pattern := `^(?:` + s.text[s.pos:s.pos+end] + `)$`
	s.pos += end + 1
	if s.take("i") {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, s.fault("malformed pattern")
	}
	return re, nil
}
