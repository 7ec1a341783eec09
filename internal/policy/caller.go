// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// freshAccount stands for an account that no policy names.
const freshAccount = "\x03account\x03"

// callers are the members of the first dimension: everybody whom the statements tell apart, by name or by a condition on
// the caller's ARN or account.
func callers(all []*Statement) []Principal {
	c := census{seen: map[string]bool{}}
	c.add(Principal{})
	c.addAccount(freshAccount)
	c.add(ServiceCaller(fresh))
	c.add(Principal{Federated, []string{fresh}})
	var arns []string
	for _, s := range all {
		for _, n := range append(slices.Clone(s.Principals), s.NotPrincipals...) {
			c.addName(n)
		}
		for i := range s.Conditions {
			if cond := &s.Conditions[i]; isDerived(cond) && cond.key == principalARNKey {
				arns = append(arns, cond.Values...)
			} else if isDerived(cond) {
				c.addAccounts(cond.Values)
			}
		}
	}
	arns = unique(arns)
	for _, a := range arns {
		if account := accountOf(a); account != a {
			c.addAccounts([]string{account})
		}
	}
	for _, a := range witnesses(arns) {
		if missing := arnFields - 1 - strings.Count(a, ":"); missing > 0 {
			a += strings.Repeat(":"+fresh, missing) // of a pattern whose star spans fields
		}
		c.add(Caller(a))
	}
	return c.all
}

// census collects principals.
type census struct {
	all  []Principal
	seen map[string]bool
}

func (c *census) add(p Principal) {
	key := string(p.Kind) + " " + strings.Join(p.Names, " ")
	if !c.seen[key] {
		c.seen[key] = true
		c.all = append(c.all, p)
	}
}

func (c *census) addName(n Name) {
	if account := n.account(); account != "" && n.Kind == AWS {
		c.addAccount(account)
	}
	if n.isEveryone() || n.whole != "" {
		return
	}
	c.add(Principal{n.Kind, []string{n.Value}})
}

func (c *census) addAccounts(patterns []string) {
	for _, account := range witnesses(patterns) {
		if account != "" {
			c.addAccount(account)
		}
	}
}

// addAccount adds two principals of an account that no policy names: a role, and one that is none.
func (c *census) addAccount(account string) {
	partition := arn.Partitions()[0].ID
	c.add(Caller(arn.Parts{Partition: partition, Service: "iam", AccountID: account, Resource: "role/" + fresh}.String()))
	c.add(Caller(arn.Parts{Partition: partition, Service: "iam", AccountID: account, Resource: "root"}.String()))
}

// noRole begins the name of an account's principals that are no roles.
const noRole = "users of "

// describe names a member of the first dimension.
func describe(p Principal) string {
	switch {
	case p.Kind == "":
		return "anonymous"
	case p.Names[0] == fresh && p.Kind == Service:
		return "any other service"
	case p.Names[0] == fresh:
		return "any other federation"
	}
	a, err := arn.Parse(p.Names[0])
	switch {
	case err != nil || a.Service != "iam":
		return readable(p.Names[0])
	case strings.Contains(a.AccountID, "\x03"):
		return "any other account"
	case a.Resource == "role/"+fresh:
		return a.AccountID
	case a.Resource == "root":
		return noRole + a.AccountID
	case strings.Contains(p.Names[0], fresh):
		return readable(p.Names[0])
	}
	return p.Names[0]
}

// readable writes the wildcards back.
func readable(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(text, fresh, "*"), freshAccount, "*"), "\x04", "?")
}
