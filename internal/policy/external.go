// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import "slices"

// Grant is what somebody may do by one statement.
type Grant struct {
	// Principal is as the policy writes it. Somebody whom only a condition names stands as an account or organization id,
	// or as the ARN, unit or network that the condition names.
	Principal string `json:"principal"`
	// Account is the principal's account, where it has one.
	Account string `json:"account,omitempty"`
	// By is "Principal", or the condition key that names the principal.
	By string `json:"by"`
	// Access are the statement's actions; after NotAction, "* except " and the action that is not granted.
	Access []string `json:"access"`
	// Statement counts from 0.
	Statement int `json:"statement"`
}

// External lists who is admitted and not trusted, one entry a principal and statement, in the order of the statements:
// accounts, organizations and federations, by the Principal element or by a condition. Whoever a public statement
// admits has no name; services are listed by [Policy.Services].
func (p *Policy) External(t Trust) []Grant {
	var all []Grant
	for i := range p.Statements {
		s := &p.Statements[i]
		if s.Effect == Allow && s.grants() {
			all = append(all, s.external(t)...)
		}
	}
	return all
}

// Services lists the AWS services that are admitted.
func (p *Policy) Services() []Grant {
	var all []Grant
	for i := range p.Statements {
		s := &p.Statements[i]
		if s.Effect != Allow || !s.grants() {
			continue
		}
		for _, n := range s.Principals {
			if n.Kind == Service && (n.Value == "*" || n.problem == "") {
				all = append(all, s.grant(n.Value, "", byPrincipal))
			}
		}
	}
	return distinct(all)
}

const byPrincipal = "Principal"

func (s *Statement) grant(principal, account, by string) Grant {
	if !IsAccountID(account) {
		account = ""
	}
	return Grant{Principal: principal, Account: account, By: by, Access: s.access(), Statement: s.Index}
}

// access is what the statement's action elements say.
func (s *Statement) access() []string {
	if s.NotActions == nil {
		return slices.Clone(s.Actions)
	}
	all := []string{}
	for _, a := range s.NotActions {
		all = append(all, "* except "+a)
	}
	if len(all) == 0 {
		return []string{"*"}
	}
	return all
}

// external: all conditions must hold, so one that admits trusted accounts only answers for the whole statement. One that
// admits trusted organizations only answers for whoever is not named by another condition.
func (s *Statement) external(t Trust) []Grant {
	guards := s.guards()
	named, isOpen := s.named(t)
	if len(named) == 0 && !isOpen {
		return nil
	}
	networks := s.untrusted(guards, t, func(n naming) bool { return n == byNetwork })
	if slices.ContainsFunc(guards, func(g guard) bool { return g.naming.namesAccount() && g.areTrusted(t) }) {
		return networks
	}
	if slices.ContainsFunc(guards, func(g guard) bool { return g.naming.namesOrganization() && g.areTrusted(t) }) {
		named = nil
	}
	all := append(named, networks...)
	if isOpen {
		all = append(all, s.untrusted(guards, t, naming.namesSomebody)...)
	}
	return distinct(all)
}

// named are the untrusted principals. Open means that conditions decide who else is admitted: everybody, or those for
// whom a service acts.
func (s *Statement) named(t Trust) (named []Grant, isOpen bool) {
	isOpen = s.namesAnyone() != ""
	for _, n := range s.Principals {
		switch {
		case n.isEveryone():
		case n.Kind == Service:
			isOpen = true
		case n.isOriginAccess() || t.trustsName(n):
		default:
			named = append(named, s.grant(n.Value, n.account(), byPrincipal))
		}
	}
	return named, isOpen
}

// untrusted are those whom conditions of some namings admit and the list does not hold.
func (s *Statement) untrusted(guards []guard, t Trust, some func(naming) bool) []Grant {
	var all []Grant
	for _, g := range guards {
		if !some(g.naming) {
			continue
		}
		for _, v := range g.Values {
			if g.naming.trusts(t, v) || g.naming == bySourceARN && accountOf(v) == "" {
				continue // a bucket's ARN does not say whose it is
			}
			principal, account := g.naming.principal(v, g.key)
			all = append(all, s.grant(principal, account, g.Key))
		}
	}
	return all
}

func (g guard) areTrusted(t Trust) bool {
	return !slices.ContainsFunc(g.Values, func(v string) bool { return !g.naming.trusts(t, v) })
}

func (n naming) namesAccount() bool {
	return n == byAccount || n == byARN || n == bySourceARN || n == byAccessPoint
}

func (n naming) namesOrganization() bool { return n == byOrganization || n == byOrganizationPath }

func (n naming) namesSomebody() bool {
	return n.namesAccount() || n.namesOrganization() || n == byUserID
}

// trusts tells whether a fixed value names somebody on the list.
func (n naming) trusts(t Trust, v string) bool {
	switch n {
	case byNetwork:
		return len(t.networks) == 0 || slices.Contains(t.networks, v)
	case byOrganization:
		return slices.Contains(t.organizations, v)
	case byOrganizationPath:
		return t.trustsPath(v)
	}
	return t.trustsAccount(accountOf(v)) || slices.ContainsFunc(t.names, func(pattern string) bool { return glob(pattern, v) })
}

// principal is under which name an untrusted value is listed: an account where it names no principal more exactly.
func (n naming) principal(v, key string) (name, account string) {
	if !n.namesAccount() {
		return v, ""
	}
	account = accountOf(v)
	if account == "" || key == "aws:principalarn" {
		return v, account
	}
	return account, account
}

// distinct leaves out what is said already.
func distinct(all []Grant) []Grant {
	type key struct {
		principal string
		statement int
	}
	seen := map[key]bool{}
	return slices.DeleteFunc(all, func(g Grant) bool {
		k := key{g.Principal, g.Statement}
		isKnown := seen[k]
		seen[k] = true
		return isKnown
	})
}
