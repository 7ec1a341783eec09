// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// policy is a policy document as far as the sandbox evaluates it. Judging policies (is it public, what does it widen) is
// the business of internal/policy, not of AWS's stand-in.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html
type policy struct {
	Statement oneOrMany[statement]
}

type statement struct {
	Effect       string
	Principal    principals
	NotPrincipal principals
	Action       oneOrMany[string]
	NotAction    oneOrMany[string]
	Resource     oneOrMany[string]
	NotResource  oneOrMany[string]
	Condition    map[string]map[string]oneOrMany[scalar]
}

// oneOrMany is a list that a document may write as its only element.
type oneOrMany[T any] []T

func (l *oneOrMany[T]) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]T)(l))
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	*l = oneOrMany[T]{v}
	return nil
}

// scalar is a condition's value: a string, or a boolean or number that stands for one.
type scalar string

func (s *scalar) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, (*string)(s))
	}
	*s = scalar(b)
	return nil
}

// principals is a Principal element: names by kind, "*" under "*".
type principals map[string]oneOrMany[string]

func (p *principals) UnmarshalJSON(b []byte) error {
	var all string
	if json.Unmarshal(b, &all) == nil {
		*p = principals{all: {all}}
		return nil
	}
	return json.Unmarshal(b, (*map[string]oneOrMany[string])(p))
}

func parsePolicy(document string) (*policy, error) {
	var p policy
	if err := json.Unmarshal([]byte(document), &p); err != nil {
		return nil, fmt.Errorf("parse policy: %w", err)
	}
	if len(p.Statement) == 0 {
		return nil, fmt.Errorf("parse policy: missing Statement")
	}
	for i, s := range p.Statement {
		if s.Effect != "Allow" && s.Effect != "Deny" {
			return nil, fmt.Errorf("parse policy: statement %d: Effect is %q", i, s.Effect)
		}
	}
	return &p, nil
}

type verdict int

const (
	silent verdict = iota
	allowed
	refused
)

// question is what is asked of a policy.
type question struct {
	action   string
	resource string // "" when the policy belongs to the only resource there is, as a role's trust
	who      *who   // nil for identity policies, which name no principal
	keys     map[string]string
}

// who are the names that a principal answers to in a Principal element.
type who struct {
	service  string   // set for a service, alone
	names    []string // ARNs and the account id
	provider string   // ARN or name of an identity provider
}

// decide evaluates the document: an explicit deny wins.
func (p *policy) decide(q question) verdict {
	out := silent
	for i := range p.Statement {
		s := &p.Statement[i]
		if !s.applies(q) {
			continue
		}
		if s.Effect == "Deny" {
			return refused
		}
		out = allowed
	}
	return out
}

func (s *statement) applies(q question) bool {
	return s.names(q.who) && s.acts(q.action) && s.covers(q.resource) && s.conditions(q.keys)
}

func (s *statement) names(w *who) bool {
	switch {
	case w == nil:
		return true
	case s.NotPrincipal != nil:
		return !s.NotPrincipal.match(w)
	default:
		return s.Principal.match(w)
	}
}

func (p principals) match(w *who) bool {
	if _, all := p["*"]; all {
		return true
	}
	switch {
	case w.service != "":
		return slices.Contains(p["Service"], w.service)
	case w.provider != "":
		return slices.Contains(p["Federated"], w.provider)
	}
	for _, name := range p["AWS"] {
		if name == "*" || slices.Contains(w.names, name) {
			return true
		}
	}
	return false
}

func (s *statement) acts(action string) bool {
	if s.NotAction != nil {
		return !anyGlob(s.NotAction, strings.ToLower(action), strings.ToLower)
	}
	return anyGlob(s.Action, strings.ToLower(action), strings.ToLower)
}

func (s *statement) covers(resource string) bool {
	switch {
	case resource == "":
		return true
	case s.NotResource != nil:
		return !anyGlob(s.NotResource, resource, nil)
	default:
		return anyGlob(s.Resource, resource, nil)
	}
}

func anyGlob(patterns []string, s string, fold func(string) string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool {
		if fold != nil {
			p = fold(p)
		}
		return glob(p, s)
	})
}

// glob matches s against a pattern of IAM: * is any text, ? any one character.
func glob(pattern, s string) bool {
	var p, i, mark int
	star := -1
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
