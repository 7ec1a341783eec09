// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// Parse reads a document. The error is an [*Error]; whatever else is wrong is a warning.
func Parse(text []byte) (*Policy, error) {
	r := &reader{text: text, policy: &Policy{}}
	if err := r.document(); err != nil {
		return nil, err
	}
	return r.policy, nil
}

// reader reads one document. Positions are offsets into text, which the first pass has found to be JSON: later passes
// meet no syntax error.
type reader struct {
	text   []byte
	policy *Policy

	// The lines before the last position asked for, and where that one's line begins.
	counted, lines, lineStart int
}

func (r *reader) document() error {
	end, err := jsonscan.Value(r.text, 0)
	var syntax *jsonscan.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return r.fail(syntax.Offset, "not JSON: %s", syntax.Problem)
	case err != nil:
		return r.fail(len(r.text), "not JSON: %v", err)
	}
	if rest := jsonscan.Space(r.text, end); rest < len(r.text) {
		return r.fail(rest, "not JSON: more after the document's end")
	}
	start := jsonscan.Space(r.text, 0)
	members, _ := r.members(start)
	if members == nil {
		return r.fail(start, "not a policy: no JSON object")
	}
	return r.elements(start, members)
}

func (r *reader) elements(start int, members []member) error {
	found := false
	for _, m := range members {
		switch m.name {
		case "Version":
			r.version(m)
		case "Id":
			r.policy.ID, _ = r.scalar(m.at)
		case "Statement":
			found = true
			if err := r.statements(m.at); err != nil {
				return err
			}
		default:
			r.warn(m.at, "unknown element %s", quote(m.name))
		}
	}
	if !found {
		return r.fail(start, "not a policy: no Statement")
	}
	if len(r.policy.Statements) == 0 {
		r.warn(start, "no statement: the policy grants nothing")
	}
	return nil
}

func (r *reader) version(m member) {
	r.policy.Version, _ = r.scalar(m.at)
	if v := r.policy.Version; v != version2012 && v != "2008-10-17" {
		r.warn(m.at, "unknown Version %s", quote(v))
	}
}

// statements reads one or many. Two elements of the name both count: which one AWS would take is not known.
func (r *reader) statements(at int) error {
	switch r.text[at] {
	case '{':
		return r.statement(at)
	case '[':
		for _, at := range r.list(at) {
			if err := r.statement(at); err != nil {
				return err
			}
		}
		return nil
	}
	return r.fail(at, "not a policy: Statement is neither an object nor a list")
}

func (r *reader) statement(at int) error {
	index := len(r.policy.Statements)
	members, isOdd := r.members(at)
	effect := slices.IndexFunc(members, func(m member) bool { return m.name == "Effect" })
	if effect < 0 {
		return r.fail(at, "statement %d has no Effect", index)
	}
	line, _ := r.position(at)
	s := Statement{Index: index, Line: line, isOdd: isOdd}
	s.Effect = r.effect(&s, members)
	for _, m := range members {
		r.element(&s, m)
	}
	if counts(members, strings.Clone)["Condition"] > 1 {
		for i := range s.Conditions {
			s.Conditions[i].isVoid = true
		}
	}
	r.complete(&s, at)
	r.policy.Statements = append(r.policy.Statements, s)
	return nil
}

// effect reads every Effect there is: one Allow is enough.
func (r *reader) effect(s *Statement, members []member) Effect {
	effect := Deny
	for _, m := range members {
		if m.name != "Effect" {
			continue
		}
		text, _ := r.scalar(m.at)
		if text == string(Allow) || text == string(Deny) {
			if text == string(Allow) {
				effect = Allow
			}
			continue
		}
		s.isOdd = true
		r.warn(m.at, "Effect %s is neither Allow nor Deny", quote(text))
		if !strings.EqualFold(text, string(Deny)) {
			effect = Allow
		}
	}
	return effect
}

func (r *reader) element(s *Statement, m member) {
	switch m.name {
	case "Effect":
	case "Sid":
		s.Sid, _ = r.scalar(m.at)
	case "Principal":
		s.Principals = append(nonNil(s.Principals), r.names(s, m.at)...)
	case "NotPrincipal":
		s.NotPrincipals = r.exclusion(s, m, s.NotPrincipals)
	case "Action":
		s.Actions = append(nonNil(s.Actions), r.patterns(s, m)...)
	case "NotAction":
		s.NotActions = r.excluded(s, m, s.NotActions)
	case "Resource":
		s.Resources = append(nonNil(s.Resources), r.patterns(s, m)...)
	case "NotResource":
		s.NotResources = r.excluded(s, m, s.NotResources)
	case "Condition":
		r.conditions(s, m.at)
	default:
		r.warn(m.at, "unknown element %s", quote(m.name))
	}
}

func nonNil[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// complete says what is missing, and takes what contradicts itself for the widest it may mean.
func (r *reader) complete(s *Statement, at int) {
	if s.Actions == nil && s.NotActions == nil {
		r.warn(at, "statement %d has no Action: taken for every action", s.Index)
		s.Actions, s.isOdd = []string{"*"}, true
	}
	if s.Principals != nil && s.NotPrincipals != nil || s.Actions != nil && s.NotActions != nil || s.Resources != nil && s.NotResources != nil {
		r.warn(at, "statement %d has an element and its Not element: taken for the widest", s.Index)
		s.isOdd = true
		widest(&s.Principals, &s.NotPrincipals, newName(AWS, "*"))
		widest(&s.Actions, &s.NotActions, "*")
		widest(&s.Resources, &s.NotResources, "*")
	}
	if len(s.Principals) == 0 && s.NotPrincipals == nil {
		r.warn(at, "statement %d names no Principal: it grants nobody anything", s.Index)
	}
}

func widest[T any](list, not *[]T, all T) {
	if *list != nil && *not != nil {
		*list, *not = []T{all}, nil
	}
}

// patterns reads one or many texts of Action or Resource. What is no text may be any.
func (r *reader) patterns(s *Statement, m member) []string {
	texts, ok := r.texts(m.at)
	if !ok {
		s.isOdd = true
		r.warn(m.at, "%s is neither a text nor a list of texts", m.name)
		return append(texts, "*")
	}
	for _, t := range texts {
		if !isASCII(t) {
			r.warn(m.at, "%s %s has letters that AWS does not use", m.name, quote(t))
		}
	}
	return texts
}

// excluded reads NotAction or NotResource: what is uncertain excludes nothing.
func (r *reader) excluded(s *Statement, m member, before []string) []string {
	texts, ok := r.texts(m.at)
	if !ok {
		s.isOdd = true
		r.warn(m.at, "%s is neither a text nor a list of texts", m.name)
	}
	if before != nil || texts == nil {
		return []string{}
	}
	return texts
}

// exclusion reads NotPrincipal: what is uncertain excludes nobody.
func (r *reader) exclusion(s *Statement, m member, before []Name) []Name {
	names := r.names(s, m.at)
	if before != nil || names == nil {
		return []Name{}
	}
	return names
}

// names reads a Principal: a text, a list (which AWS refuses), or an object of kinds.
func (r *reader) names(s *Statement, at int) []Name {
	if r.text[at] != '{' {
		names := r.kind(s, AWS, at)
		if text, _ := r.scalar(at); text != "*" && names != nil {
			r.warn(at, "Principal has no kind: read as AWS")
		}
		return names
	}
	members, isOdd := r.members(at)
	s.isOdd = s.isOdd || isOdd
	var names []Name
	for _, m := range members {
		names = append(names, r.kind(s, Kind(m.name), m.at)...)
	}
	return names
}

func (r *reader) kind(s *Statement, kind Kind, at int) []Name {
	if bytes.HasPrefix(r.text[at:], []byte("null")) {
		return nil
	}
	texts, ok := r.texts(at)
	if !ok {
		texts = append(texts, oddPrincipal)
	}
	var names []Name
	for _, t := range texts {
		if t == "" {
			r.warn(at, "empty principal: it is nobody")
			continue
		}
		n := newName(kind, t)
		if n.problem != "" {
			s.isOdd = true
			r.warn(at, "principal %s %s: taken for everybody", quote(t), n.problem)
		}
		names = append(names, n)
	}
	return names
}

// conditions reads the block. A void condition restricts nobody.
func (r *reader) conditions(s *Statement, at int) {
	operators, isOdd := r.members(at)
	if operators == nil {
		s.isOdd = true
		r.warn(at, "Condition is no object: it restricts nobody")
		return
	}
	s.isOdd = s.isOdd || isOdd
	times := counts(operators, strings.Clone)
	for _, o := range operators {
		op, known := parseOperator(o.name)
		if !known {
			r.warn(o.at, "unknown operator %s: it restricts nobody", quote(o.name))
		}
		r.keys(s, o, op, !known || times[o.name] > 1)
	}
}

func (r *reader) keys(s *Statement, o member, op operator, isVoid bool) {
	keys, isOdd := r.members(o.at)
	if keys == nil {
		s.isOdd = true
		r.warn(o.at, "operator %s holds no object: it restricts nobody", quote(o.name))
	}
	s.isOdd = s.isOdd || isOdd
	times := counts(keys, strings.ToLower)
	for _, k := range keys {
		values, ok := r.texts(k.at)
		if !ok {
			r.warn(k.at, "values of %s are neither a text nor a list of texts: they restrict nobody", quote(k.name))
		}
		if isUnknownKey(k.name) {
			r.warn(k.at, "unknown condition key %s: it restricts nobody", quote(k.name))
		}
		s.Conditions = append(s.Conditions, Condition{
			Operator: o.name, Key: k.name, Values: values, op: op, key: strings.ToLower(k.name),
			isVoid: isVoid || !ok || times[strings.ToLower(k.name)] > 1,
		})
	}
}

// counts says how often each name is there.
func counts(members []member, fold func(string) string) map[string]int {
	out := make(map[string]int, len(members))
	for _, m := range members {
		out[fold(m.name)]++
	}
	return out
}

// member is a member of an object.
type member struct {
	name string
	at   int
}

// members lists an object's members; nil when there is no object at the position. A name that comes twice is a warning.
func (r *reader) members(at int) (all []member, isOdd bool) {
	if r.text[at] != '{' {
		return nil, false
	}
	all = []member{}
	seen := map[string]bool{}
	_, err := jsonscan.Members(r.text, at, func(name []byte, at int) (int, error) {
		m := member{string(name), at}
		if seen[m.name] {
			isOdd = true
			r.warn(at, "%s is there twice: taken for the widest", quote(m.name))
		}
		seen[m.name] = true
		all = append(all, m)
		return jsonscan.Value(r.text, at)
	})
	return all, isOdd || err != nil
}

// list gives the positions of a list's elements.
func (r *reader) list(at int) []int {
	var all []int
	_, err := jsonscan.Elements(r.text, at, func(at int) (int, error) {
		all = append(all, at)
		return jsonscan.Value(r.text, at)
	})
	if err != nil {
		return nil // document has found the text to be JSON
	}
	return all
}

// texts reads a text or a list of them; ok is false when something else is among them.
func (r *reader) texts(at int) (texts []string, ok bool) {
	positions := []int{at}
	if r.text[at] == '[' {
		positions = r.list(at)
	}
	texts, ok = make([]string, 0, len(positions)), true
	for _, at := range positions {
		text, isText := r.scalar(at)
		if !isText {
			ok = false
			continue
		}
		texts = append(texts, text)
	}
	return texts, ok
}

// scalar reads a text, or a number or boolean that stands for one.
func (r *reader) scalar(at int) (string, bool) {
	switch r.text[at] {
	case '{', '[', 'n':
		return "", false
	case '"':
		content, plain, _, err := jsonscan.String(r.text, at)
		if plain || err != nil {
			return string(content), err == nil
		}
		return jsonscan.Unquote(content), true
	}
	end, err := jsonscan.Value(r.text, at)
	return string(r.text[at:end]), err == nil
}

func (r *reader) fail(at int, format string, args ...any) error {
	line, column := r.position(at)
	return &Error{line, column, fmt.Sprintf(format, args...)}
}

func (r *reader) warn(at int, format string, args ...any) {
	if len(r.policy.Warnings) >= maxWarnings {
		return
	}
	line, column := r.position(at)
	r.policy.Warnings = append(r.policy.Warnings, Warning{line, column, fmt.Sprintf(format, args...)})
}

// maxWarnings bounds what a hostile document can have us say.
const maxWarnings = 100

// position counts on from the place asked for before: places come mostly in order.
func (r *reader) position(at int) (line, column int) {
	at = min(at, len(r.text))
	if at < r.counted {
		r.counted, r.lines, r.lineStart = 0, 0, 0
	}
	part := r.text[r.counted:at]
	r.lines += bytes.Count(part, []byte("\n"))
	if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
		r.lineStart = r.counted + i + 1
	}
	r.counted = at
	return r.lines + 1, at - r.lineStart + 1
}

// quote shows text that an attacker may have written: letters that look like others become visible.
func quote(text string) string {
	const limit = 200
	if len(text) > limit {
		return fmt.Sprintf("%+q… (%d bytes)", text[:limit], len(text))
	}
	return fmt.Sprintf("%+q", text)
}

func isASCII(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
