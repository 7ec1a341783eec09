// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// Policies are compared by what their statements match, not by how they are written: each statement is cut into atoms of
// one principal, one action and one resource, and an atom is covered when one statement of the same effect on the other
// side contains it. The answer "covered" is always right; "not covered" can be wrong, which is the safe side.

// statement is one statement of a policy.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type statement struct {
	Effect       string
	Principal    principals
	NotPrincipal principals
	Action       texts
	NotAction    texts
	Resource     texts
	NotResource  texts
	Condition    map[string]map[string]texts
}

// texts is a list of values that a document may write as its only element. Numbers and booleans stand for their text.
type texts []string

// UnmarshalJSON implements json.Unmarshaler.
func (t *texts) UnmarshalJSON(b []byte) error {
	var list []json.RawMessage
	if json.Unmarshal(b, &list) != nil {
		list = []json.RawMessage{b}
	}
	*t = texts{}
	for _, raw := range list {
		var s string
		if json.Unmarshal(raw, &s) != nil {
			s = string(raw)
		}
		*t = append(*t, s)
	}
	return nil
}

// principals are "Service cloudtrail…", "AWS arn:…"; everybody is "*".
type principals []string

const everybody = "*"

// UnmarshalJSON implements json.Unmarshaler.
func (p *principals) UnmarshalJSON(b []byte) error {
	var byKind map[string]texts
	if json.Unmarshal(b, &byKind) != nil {
		var all texts
		if err := all.UnmarshalJSON(b); err != nil {
			return err
		}
		*p = principals(all)
		return nil
	}
	*p = principals{}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		for _, name := range byKind[kind] {
			if name != everybody {
				name = kind + " " + name
			}
			*p = append(*p, name)
		}
	}
	return nil
}

// statementsOf are the statements of a canonical policy; false where it cannot be read. No policy has none.
func statementsOf(policy json.RawMessage) ([]statement, bool) {
	if len(policy) == 0 {
		return nil, true
	}
	var document struct{ Statement []statement }
	if err := json.Unmarshal(policy, &document); err != nil {
		return nil, false
	}
	return document.Statement, true
}

// policy compares two policies. Whatever was granted or denied before must be so still, and nothing may come on top: a
// new Allow may be the attacker's, and a new Deny may be aimed at CloudTrail, at us or at those who read the log files.
func (w *weakening) policy(field string, want, have json.RawMessage) {
	if bytes.Equal(want, have) {
		return
	}
	wanted, isReadable := statementsOf(want)
	present, alsoReadable := statementsOf(have)
	if !isReadable || !alsoReadable {
		w.add(field, string(want), string(have), "the policy is another one, and it cannot be judged")
		return
	}
	lost := notCovered(wanted, present)
	added := notCovered(present, slices.Concat(wanted, tlsOnly))
	notes := slices.Concat(phrases("no longer ", lost), phrases("newly ", added))
	if len(notes) > 0 {
		w.add(field, string(want), string(have), joinSome(notes))
	}
}

const (
	effectAllow = "Allow"
	effectDeny  = "Deny"
)

// tlsOnly are the statements that anybody may add: CloudTrail and the tools of its readers never come without TLS.
var tlsOnly = []statement{{
	Effect: effectDeny, Principal: principals{everybody},
	Condition: map[string]map[string]texts{"Bool": {"aws:SecureTransport": {"false"}}},
}}

// maxStatementAtoms bounds what the statements of one policy are cut into: half of them were written by an attacker. What
// is over it stays whole.
const maxStatementAtoms = 1024

// notCovered returns the atoms of list that no statement of by contains.
func notCovered(list, by []statement) []statement {
	var out []statement
	room := maxStatementAtoms
	for _, s := range list {
		atoms := s.cut(room)
		room -= len(atoms)
		for _, a := range atoms {
			if !slices.ContainsFunc(by, func(b statement) bool { return b.contains(a) }) {
				out = append(out, a)
			}
		}
	}
	return out
}

func (s statement) cut(room int) []statement {
	if max(len(s.Principal), 1)*max(len(s.Action), 1)*max(len(s.Resource), 1) > room {
		return []statement{s}
	}
	out := []statement{s}
	out = each(out, s.Principal, func(a *statement, p principals) { a.Principal = p })
	out = each(out, s.Action, func(a *statement, t texts) { a.Action = t })
	return each(out, s.Resource, func(a *statement, t texts) { a.Resource = t })
}

// each makes of every statement one for each value.
func each[L ~[]string](list []statement, values L, set func(*statement, L)) []statement {
	if len(values) < 2 {
		return list
	}
	var out []statement
	for _, s := range list {
		for _, v := range values {
			set(&s, L{v})
			out = append(out, s)
		}
	}
	return out
}

// contains reports whether every request that a matches is matched by s, with the same effect.
func (s statement) contains(a statement) bool {
	return s.Effect == a.Effect &&
		element(s.Principal, s.NotPrincipal, a.Principal, a.NotPrincipal, samePrincipal) &&
		element(s.Action, s.NotAction, a.Action, a.NotAction, actionContains) &&
		element(s.Resource, s.NotResource, a.Resource, a.NotResource, resourceContains) &&
		s.conditionsContain(a)
}

// element compares one element and its opposite. Absent, it matches everything, as the Resource of a trust policy does.
func element[L ~[]string](wide, wideNot, narrow, narrowNot L, contains func(wide, narrow string) bool) bool {
	within := func(list, of L) bool {
		return !slices.ContainsFunc(list, func(n string) bool {
			return !slices.ContainsFunc(of, func(w string) bool { return contains(w, n) })
		})
	}
	switch {
	case wide == nil && wideNot == nil:
		return true
	case wideNot != nil:
		return narrowNot != nil && within(wideNot, narrowNot)
	}
	return narrow != nil && within(narrow, wide)
}

func samePrincipal(wide, narrow string) bool { return wide == everybody || wide == narrow }

// actionContains and resourceContains report whether what the pattern narrow matches is matched by wide; only a star at
// the end of wide is understood. Names of actions have no case.
func actionContains(wide, narrow string) bool {
	begin, isGlob := beginningOf(wide)
	if !isGlob {
		return strings.EqualFold(wide, narrow)
	}
	return len(narrow) >= len(begin) && strings.EqualFold(narrow[:len(begin)], begin)
}

func resourceContains(wide, narrow string) bool {
	begin, isGlob := beginningOf(wide)
	return wide == narrow || isGlob && strings.HasPrefix(narrow, begin)
}

func beginningOf(pattern string) (begin string, isGlob bool) {
	begin, rest, isGlob := strings.Cut(pattern, "*")
	return begin, isGlob && rest == "" && !strings.Contains(begin, "?")
}

// conditionsContain: every condition of s must be in a, at least as narrow. Conditions that only a has make it narrower.
func (s statement) conditionsContain(a statement) bool {
	for operator, keys := range s.Condition {
		for key, values := range keys {
			narrow := a.condition(operator, key)
			if narrow == nil {
				return false
			}
			wide := []string(values)
			if strings.Contains(operator, "Not") {
				wide, narrow = narrow, wide
			}
			if !isSubset(narrow, wide) {
				return false
			}
		}
	}
	return true
}

// condition is the list of values of a condition; names of keys have no case.
func (s statement) condition(operator, key string) []string {
	for k, values := range s.Condition[operator] {
		if strings.EqualFold(k, key) {
			return values
		}
	}
	return nil
}

func isSubset(small, large []string) bool {
	return !slices.ContainsFunc(small, func(v string) bool { return !slices.Contains(large, v) })
}

// phrases say what atoms do, those about services first: delivery hangs on them.
func phrases(verb string, atoms []statement) []string {
	slices.SortStableFunc(atoms, func(a, b statement) int { return cmp.Compare(a.rank(), b.rank()) })
	var out []string
	for _, a := range atoms {
		if p := verb + a.describe(); !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

func (s statement) rank() int {
	if slices.ContainsFunc(s.Principal, func(p string) bool { return strings.HasPrefix(p, "Service ") }) {
		return 0
	}
	return 1
}

// describe says what a statement does: "allows Service cloudtrail… kms:GenerateDataKey* of *".
func (s statement) describe() string {
	words := []string{map[string]string{effectAllow: "allows", effectDeny: "denies"}[s.Effect]}
	if words[0] == "" {
		words[0] = "says"
	}
	for _, part := range []struct {
		prefix string
		values []string
	}{
		{"", s.Principal}, {"all but ", s.NotPrincipal}, {"", s.Action}, {"all but ", s.NotAction},
		{"of ", s.Resource}, {"of all but ", s.NotResource},
	} {
		if len(part.values) > 0 {
			words = append(words, part.prefix+brief(strings.Join(part.values, ", ")))
		}
	}
	if len(s.Condition) > 0 {
		words = append(words, "under conditions")
	}
	return strings.Join(words, " ")
}
