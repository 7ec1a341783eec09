// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"
)

// Context are the values of a request's condition keys. A key that is absent has no values. Keys are compared without
// regard to case.
type Context map[string][]string

// Request is one call.
type Request struct {
	Principal Principal
	Action    string
	// Resource is the ARN asked for; "" for the resource that the policy hangs on.
	Resource string
	// Context may leave out what the principal says: aws:PrincipalArn and aws:PrincipalAccount.
	Context Context
	// IsIdentityPolicy: the policy hangs on the caller (or is a boundary or a service control policy of theirs), so its
	// statements name no principal.
	IsIdentityPolicy bool
}

// Decision is what one policy says to one request. In AWS it is one of several: the caller's own policies, boundaries
// and service control policies decide too.
type Decision struct {
	// Effect is Allow, Deny, or "" when no statement applies.
	Effect Effect
	// Statement is the index of the one that decided, -1 when none did.
	Statement int
	// Doubts name what was uncertain on the way, as the package comment says. A caller that must be sure of an Allow asks a
	// human when there are any.
	Doubts []string
}

// Evaluate decides as AWS does: an explicit Deny wins over an Allow, an Allow over nothing.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
func (p *Policy) Evaluate(r Request) Decision {
	q := p.question(r)
	d := Decision{Statement: -1}
	for i := range p.Statements {
		s := &p.Statements[i]
		if d.Effect == Allow && s.Effect == Allow || !s.applies(q) {
			continue
		}
		if s.isDoubtful() {
			d.Doubts = append(d.Doubts, fmt.Sprintf("statement %d is not what AWS would take", s.Index))
			if s.Effect == Deny {
				continue
			}
		}
		d.Effect, d.Statement = s.Effect, s.Index
		if s.Effect == Deny {
			break
		}
	}
	return d
}

// isDoubtful: its meaning is not certain.
func (s *Statement) isDoubtful() bool {
	return s.isOdd || slices.ContainsFunc(s.Conditions, func(c Condition) bool { return c.isVoid })
}

// question is a request made ready for many statements.
type question struct {
	Request
	action       string // lower case
	hasVariables bool
}

func (p *Policy) question(r Request) question {
	r.Principal = r.Principal.expand()
	context := r.Principal.context()
	for key, values := range r.Context {
		context[strings.ToLower(key)] = values
	}
	r.Context = context
	return question{Request: r, action: strings.ToLower(r.Action), hasVariables: p.Version == version2012}
}

// context is what a principal says by itself.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalaccount
func (p Principal) context() Context {
	c := Context{}
	if p.Kind == "" {
		c[principalAccountKey] = []string{"anonymous"}
	}
	if p.Kind != AWS {
		return c
	}
	if arn := p.arn(); arn != "" {
		c[principalARNKey] = []string{arn}
	}
	if account := p.account(); account != "" {
		c[principalAccountKey], c[callerAccountKey] = []string{account}, []string{account}
	}
	return c
}

// The keys that follow from the principal, in lower case.
const (
	principalARNKey     = "aws:principalarn"
	principalAccountKey = "aws:principalaccount"
	callerAccountKey    = "kms:calleraccount"
)

func (s *Statement) applies(q question) bool {
	if !q.IsIdentityPolicy && !s.names(q.Principal) || !s.acts(q.action) || !s.covers(q) {
		return false
	}
	return !slices.ContainsFunc(s.Conditions, func(c Condition) bool { return !c.isVoid && !c.isMet(q) })
}

func (s *Statement) names(p Principal) bool {
	if s.NotPrincipals == nil {
		return p.anyOf(s.Principals)
	}
	return !slices.ContainsFunc(s.NotPrincipals, func(n Name) bool {
		isUncertain := s.Effect == Allow && n.problem != ""
		return !isUncertain && p.is(n)
	})
}

func (s *Statement) acts(action string) bool {
	fits := func(pattern string) bool { return glob(strings.ToLower(pattern), action) }
	if s.NotActions != nil {
		return !slices.ContainsFunc(s.NotActions, fits)
	}
	return slices.ContainsFunc(s.Actions, fits)
}

func (s *Statement) covers(q question) bool {
	if q.Resource == "" {
		return true
	}
	fits := func(pattern string) bool {
		if q.hasVariables {
			var ok bool
			if pattern, ok = substitute(pattern, q.Context); !ok {
				return false
			}
		}
		return glob(pattern, alike(q.Resource, pattern))
	}
	switch {
	case s.NotResources != nil:
		return !slices.ContainsFunc(s.NotResources, fits)
	case s.Resources != nil:
		return slices.ContainsFunc(s.Resources, fits)
	}
	return true
}

func (c *Condition) isMet(q question) bool {
	want := c.Values
	if q.hasVariables && slices.ContainsFunc(want, func(v string) bool { return strings.Contains(v, "${") }) {
		want = make([]string, 0, len(c.Values))
		for _, v := range c.Values {
			if text, ok := substitute(v, q.Context); ok {
				want = append(want, text)
			}
		}
	}
	return c.holds(q.Context[c.key], want)
}
