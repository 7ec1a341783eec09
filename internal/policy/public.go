// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"
)

// IsPublic tells whether S3 would call the policy public: some Allow is not bound to fixed values.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
func (p *Policy) IsPublic() bool {
	return slices.ContainsFunc(p.Statements, func(s Statement) bool { return s.IsPublic() })
}

// IsPublic tells whether the statement alone makes its policy public.
func (s *Statement) IsPublic() bool {
	return s.Effect == Allow && s.grants() && s.namesAnyone() != "" && len(s.guards()) == 0
}

// grants: there is an action and somebody who gets it.
func (s *Statement) grants() bool {
	hasAction := len(s.Actions) > 0 || s.NotActions != nil
	hasResource := s.Resources == nil || len(s.Resources) > 0
	return hasAction && hasResource && (len(s.Principals) > 0 || s.NotPrincipals != nil)
}

// namesAnyone says by which name the statement is open to callers that it does not name; "" when it is not.
func (s *Statement) namesAnyone() string {
	if s.NotPrincipals != nil {
		return "NotPrincipal"
	}
	for _, n := range s.Principals {
		if n.isEveryone() || n.Kind == Federated && s.isOpenTo(n) {
			return n.Value
		}
	}
	return ""
}

// isOpenTo: everybody has, or can get, an identity with a provider of the web, so S3 calls a policy public that names one.
// A role's trust is made for such providers: there it is a federation.
func (s *Statement) isOpenTo(n Name) bool {
	return !strings.HasPrefix(n.Value, "arn:") && !s.isTrust()
}

// isTrust: all that the statement allows are ways into a role.
func (s *Statement) isTrust() bool {
	return len(s.Actions) > 0 && !slices.ContainsFunc(s.Actions, func(a string) bool {
		service, _, _ := strings.Cut(a, ":")
		return !strings.EqualFold(service, "sts")
	})
}
