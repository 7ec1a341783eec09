// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxPathBytes bounds the length of a path, an intrinsic call or a JSONata expression.
const maxPathBytes = 64 << 10

// parsePath compiles the text of a JSONPath: "$...", "$$..." or "$variable...".
func parsePath(text string) (*path, error) {
	if len(text) > maxPathBytes {
		return nil, fmt.Errorf("path is longer than %d bytes", maxPathBytes)
	}
	s := &scanner{text: text}
	p, err := s.path(rootsAll)
	if err != nil {
		return nil, err
	}
	if s.pos < len(text) {
		return nil, s.fault("unexpected %q", firstRune(text[s.pos:]))
	}
	return p, nil
}

// scanner reads paths, filters and intrinsic calls, which contain one another.
type scanner struct {
	text  string
	pos   int
	depth int
}

func (s *scanner) fault(format string, args ...any) error {
	return fmt.Errorf("invalid path %q at character %d: %s", clip(s.text), s.pos+1, fmt.Sprintf(format, args...))
}

func (s *scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) take(token string) bool {
	if strings.HasPrefix(s.text[s.pos:], token) {
		s.pos += len(token)
		return true
	}
	return false
}

func (s *scanner) space() {
	for s.pos < len(s.text) && strings.IndexByte(" \t\r\n", s.text[s.pos]) >= 0 {
		s.pos++
	}
}

// roots says what a path may start with.
type roots int

const (
	rootsAll    roots = iota // $ $$ $name
	rootsFilter              // @ $
)

// path reads a path up to the first character that cannot belong to it.
func (s *scanner) path(allowed roots) (*path, error) {
	start := s.pos
	p := &path{definite: true}
	if err := s.root(p, allowed); err != nil {
		return nil, err
	}
	for s.pos < len(s.text) && (s.peek() == '.' || s.peek() == '[') {
		if p.function != "" {
			return nil, s.fault("nothing may follow %s()", p.function)
		}
		if err := s.step(p); err != nil {
			return nil, err
		}
	}
	p.text = s.text[start:s.pos]
	return p, nil
}

func (s *scanner) root(p *path, allowed roots) error {
	if allowed == rootsFilter {
		if !s.take("@") && !s.take("$") {
			return s.fault("expected @ or $")
		}
		return nil
	}
	if !s.take("$") {
		return s.fault("a path starts with $")
	}
	if s.take("$") {
		p.root = rootContext
		return nil
	}
	if name := s.identifier(); name != "" {
		p.root, p.variable = rootVariable, name
	}
	return nil
}

// identifier reads the name of a variable.
func (s *scanner) identifier() string {
	start := s.pos
	for s.pos < len(s.text) {
		r, size := utf8.DecodeRuneInString(s.text[s.pos:])
		if !isNameRune(r, s.pos == start) {
			break
		}
		s.pos += size
	}
	return s.text[start:s.pos]
}

// isNameRune follows Unicode's ID_Start and ID_Continue.
func isNameRune(r rune, first bool) bool {
	if r == '_' || unicode.IsLetter(r) || unicode.Is(unicode.Nl, r) {
		return true
	}
	return !first && (unicode.IsDigit(r) || unicode.In(r, unicode.Mn, unicode.Mc, unicode.Pc))
}

func (s *scanner) step(p *path) error {
	if s.take("..") {
		return s.descend(p)
	}
	if s.take(".") {
		return s.dotStep(p)
	}
	return s.bracket(p)
}

func (s *scanner) descend(p *path) error {
	p.add(step{kind: stepDescend}, false)
	if s.peek() == '[' {
		return s.bracket(p)
	}
	return s.dotStep(p)
}

func (p *path) add(st step, definite bool) {
	p.steps = append(p.steps, st)
	p.definite = p.definite && definite
}

// dotStep reads what follows a dot: a name, a wildcard or a function call.
func (s *scanner) dotStep(p *path) error {
	if s.take("*") {
		p.add(step{kind: stepAll}, false)
		return nil
	}
	name := s.dotName()
	if name == "" {
		return s.fault("expected a name")
	}
	if s.take("()") {
		if pathFunctions[name] == nil {
			return s.fault("unknown function %s()", clip(name))
		}
		p.function = name
		return nil
	}
	p.add(step{kind: stepName, name: name}, true)
	return nil
}

// dotName takes everything that does not have a meaning of its own: a name in dot notation may hold hyphens, colons and
// letters of any script, but no blank.
func (s *scanner) dotName() string {
	start := s.pos
	for s.pos < len(s.text) && strings.IndexByte(".[]()*,'\"=<>!&|?@{}\\ \t\r\n", s.text[s.pos]) < 0 {
		s.pos++
	}
	return s.text[start:s.pos]
}

func (s *scanner) bracket(p *path) error {
	s.pos++
	s.space()
	switch c := s.peek(); {
	case c == '*':
		s.pos++
		p.add(step{kind: stepAll}, false)
	case c == '?':
		s.pos++
		return s.filterStep(p)
	case c == '\'' || c == '"':
		return s.names(p)
	case c == '(':
		return s.fromEnd(p)
	default:
		return s.indexes(p)
	}
	return s.closeBracket()
}

// fromEnd reads (@.length-1)], an old way to write the index -1.
func (s *scanner) fromEnd(p *path) error {
	s.pos++
	if !s.take("@.length") {
		return s.fault("expected @.length")
	}
	s.take("()")
	s.space()
	if s.peek() != '-' {
		return s.fault("expected a minus sign")
	}
	index, ok, err := s.integer()
	if err != nil || !ok || index >= 0 || !s.take(")") {
		return s.fault("expected a number and )")
	}
	p.add(step{kind: stepIndex, index: index}, true)
	return s.closeBracket()
}

func (s *scanner) closeBracket() error {
	s.space()
	if !s.take("]") {
		return s.fault("expected ]")
	}
	return nil
}

// names reads 'a'] or 'a','b']. A name reaches to the closing quote that is followed by ] or a comma, taking every
// character literally: AWS does not know escapes here.
func (s *scanner) names(p *path) error {
	var names []string
	for {
		name, err := s.quotedName()
		if err != nil {
			return err
		}
		names = append(names, name)
		s.space()
		if s.take("]") {
			break
		}
		if !s.take(",") {
			return s.fault("expected , or ]")
		}
		s.space()
	}
	if len(names) == 1 {
		p.add(step{kind: stepName, name: names[0]}, true)
		return nil
	}
	p.add(step{kind: stepNames, names: names}, true)
	return nil
}

func (s *scanner) quotedName() (string, error) {
	quote := s.peek()
	if quote != '\'' && quote != '"' {
		return "", s.fault("expected a quoted name")
	}
	s.pos++
	start := s.pos
	for ; s.pos < len(s.text); s.pos++ {
		if s.text[s.pos] != quote {
			continue
		}
		rest := strings.TrimLeft(s.text[s.pos+1:], " \t")
		if strings.HasPrefix(rest, "]") || s.nextNameFollows(rest, quote) {
			name := s.text[start:s.pos]
			s.pos++
			return name, nil
		}
	}
	return "", s.fault("name without a closing quote")
}

func (s *scanner) nextNameFollows(rest string, quote byte) bool {
	rest, ok := strings.CutPrefix(rest, ",")
	rest = strings.TrimLeft(rest, " \t")
	return ok && rest != "" && rest[0] == quote
}

// indexes reads 0] or 0,1] or 1:2].
func (s *scanner) indexes(p *path) error {
	first, ok, err := s.integer()
	if err != nil {
		return err
	}
	s.space()
	if s.take(":") {
		return s.slice(p, first, ok)
	}
	if !ok {
		return s.fault("expected an index, a name in quotes, * or ?")
	}
	list := []int{first}
	for s.take(",") {
		s.space()
		next, ok, err := s.integer()
		if err != nil || !ok {
			return s.fault("expected an index")
		}
		list = append(list, next)
		s.space()
	}
	if len(list) == 1 {
		p.add(step{kind: stepIndex, index: first}, true)
		return s.closeBracket()
	}
	p.add(step{kind: stepIndexes, indexes: list}, false)
	return s.closeBracket()
}

func (s *scanner) slice(p *path, from int, hasFrom bool) error {
	st := step{kind: stepSlice, from: from, to: openTo}
	if !hasFrom {
		st.from = openFrom
	}
	s.space()
	to, ok, err := s.integer()
	if err != nil {
		return err
	}
	if ok {
		st.to = to
	}
	p.add(st, false)
	return s.closeBracket()
}

func (s *scanner) integer() (int, bool, error) {
	start := s.pos
	s.take("-")
	for s.pos < len(s.text) && s.text[s.pos] >= '0' && s.text[s.pos] <= '9' {
		s.pos++
	}
	if s.pos == start {
		return 0, false, nil
	}
	n, err := strconv.ParseInt(s.text[start:s.pos], 10, 32)
	if err != nil {
		return 0, false, s.fault("malformed index")
	}
	return int(n), true, nil
}
