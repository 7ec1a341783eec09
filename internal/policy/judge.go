// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// Options are what [Policy.Judge] compares with. The zero value trusts nobody and has no baseline.
type Options struct {
	// Account owns the resource; it is trusted.
	Account  string
	Trust    Trust
	Baseline *Policy
}

// Verdict is what a policy was found to be. Its lists are never nil.
type Verdict struct {
	IsPublic bool `json:"public"`
	// External are those admitted and not trusted; see [Policy.External].
	External []Grant `json:"external"`
	// Services are the AWS services admitted.
	Services []Grant `json:"services"`
	// Widens is what the policy allows beyond its baseline; empty without one.
	Widens     []Widening         `json:"widens"`
	Statements []StatementVerdict `json:"statements"`
	Warnings   []string           `json:"warnings"`
}

// StatementVerdict is one statement's part in it.
type StatementVerdict struct {
	Statement int      `json:"statement"`
	Sid       string   `json:"sid,omitempty"`
	Effect    Effect   `json:"effect"`
	IsPublic  bool     `json:"public"`
	Access    []string `json:"access"`
	// Reasons say why it is public, or what keeps it from being so.
	Reasons []string `json:"reasons"`
}

// IsSafe tells that the policy is neither public, nor open to anybody who is not trusted, nor wider than its baseline.
func (v *Verdict) IsSafe() bool { return !v.IsPublic && len(v.External) == 0 && len(v.Widens) == 0 }

// Judge answers all questions at once.
func (p *Policy) Judge(o Options) Verdict {
	v := Verdict{
		IsPublic: p.IsPublic(), External: nonNil(p.External(o.Trust.own(o.Account))), Services: nonNil(p.Services()),
		Widens: []Widening{}, Statements: []StatementVerdict{}, Warnings: []string{},
	}
	if o.Baseline != nil {
		v.Widens = nonNil(p.Widens(o.Baseline))
	}
	for i := range p.Statements {
		s := &p.Statements[i]
		v.Statements = append(v.Statements, StatementVerdict{
			Statement: s.Index, Sid: s.Sid, Effect: s.Effect, IsPublic: s.IsPublic(), Access: s.access(), Reasons: s.reasons(),
		})
	}
	for _, w := range p.Warnings {
		v.Warnings = append(v.Warnings, w.String())
	}
	return v
}

func (s *Statement) reasons() []string {
	switch {
	case s.Effect == Deny:
		return []string{"a Deny makes no policy less public"}
	case !s.grants():
		return []string{"it grants nobody anything"}
	}
	name := s.namesAnyone()
	if name == "" {
		return []string{"its principals are fixed"}
	}
	var out []string
	for _, g := range s.guards() {
		out = append(out, "restricted by "+g.String())
	}
	if len(out) > 0 {
		return out
	}
	out = []string{"open to anybody by " + quote(name)}
	for i := range s.Conditions {
		c := &s.Conditions[i]
		out = append(out, c.String()+" does not restrict: "+c.whyNot(s))
	}
	return out
}

// whyNot says why a condition is no guard.
func (c *Condition) whyNot(s *Statement) string {
	switch {
	case c.isVoid:
		return "AWS does not know it"
	case namings[c.key] == byNothing && strings.Contains(c.key, ":resource"):
		return "the key is about the resource"
	case namings[c.key] == byNothing:
		return "the key does not say who"
	case len(c.Values) == 0:
		return "it has no values"
	case (c.op.ifExists || c.op.set == allValues) && !s.asksFor(c.key):
		return "it holds without the key too"
	case !c.isPositive(s):
		return "it does not say who is admitted"
	case namings[c.key] == byAddress:
		return "a range is too broad"
	}
	bad := slices.IndexFunc(c.Values, func(v string) bool { return !namings[c.key].isFixedValue(v, s) })
	return quote(c.Values[bad]) + " is not fixed"
}
