// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Rule is one entry of `policy:` in the configuration. Empty fields match everything.
type Rule struct {
	// Runbook is a runbook's id, Class an action's class.
	Runbook string `yaml:"runbook" json:"runbook,omitempty"`
	Class   string `yaml:"class" json:"class,omitempty"`
	// Account is an account's 12 digits, OU the id of an organizational unit or root that it is in at any depth. Only one
	// of them can be given.
	Account string `yaml:"account" json:"account,omitempty"`
	OU      string `yaml:"ou" json:"ou,omitempty"`
	// Mode is observe, ask or act.
	Mode string `yaml:"mode" json:"mode,omitempty"`
	// Exclude takes what the entry matches out of everything: it is observed, whatever other entries say. Mode is left
	// out then.
	Exclude bool `yaml:"exclude" json:"exclude,omitempty"`
}

// Known are the values that a rule may name; a nil list is not checked.
type Known struct {
	Runbooks, Classes []string
}

// Policy decides the mode per runbook, account or OU, and action class. The zero value observes everything.
//
// The narrowest entry wins: one that matches all that another does, and less, is narrower; an account is narrower than any
// OU, and an inner OU than the outer. Where two entries match and neither is narrower (one names the runbook, the other
// the account), the more careful mode holds; an entry that names both settles it. Exclusions beat all.
type Policy struct {
	rules []rule
}

type rule struct {
	Rule
	mode   Mode
	number int
}

// ErrPolicy is wrapped by every error of ParsePolicy.
var ErrPolicy = errors.New("invalid policy")

// https://docs.aws.amazon.com/organizations/latest/APIReference/API_OrganizationalUnit.html
var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	ouPattern      = regexp.MustCompile(`^(r-[0-9a-z]{4,32}|ou-[0-9a-z]{4,32}-[0-9a-z]{8,32})$`)
)

// ParsePolicy checks the entries. It refuses unknown values, and two entries that match the same with different modes;
// errors name the entry by its number from 1.
func ParsePolicy(rules []Rule, known Known) (Policy, error) {
	var p Policy
	for i, r := range rules {
		parsed, err := parseRule(r, known)
		if err != nil {
			return Policy{}, fmt.Errorf("%w: entry %d: %w", ErrPolicy, i+1, err)
		}
		parsed.number = i + 1
		if same := p.find(parsed); same != nil {
			return Policy{}, fmt.Errorf("%w: entry %d matches the same as entry %d (%s)", ErrPolicy, i+1, same.number, same)
		}
		p.rules = append(p.rules, parsed)
	}
	return p, nil
}

func parseRule(r Rule, known Known) (rule, error) {
	if r.Account != "" && r.OU != "" {
		return rule{}, fmt.Errorf("account %q and ou %q: give one of them", r.Account, r.OU)
	}
	if r.Account != "" && !accountPattern.MatchString(r.Account) {
		return rule{}, fmt.Errorf("account %q is not 12 digits (leave it out for all, quote it in YAML)", r.Account)
	}
	if r.OU != "" && !ouPattern.MatchString(r.OU) {
		return rule{}, fmt.Errorf("ou %q is no id like ou-ab12-cd34ef56 or r-ab12 (leave it out for all)", r.OU)
	}
	if err := checkKnown("runbook", r.Runbook, known.Runbooks); err != nil {
		return rule{}, err
	}
	if err := checkKnown("class", r.Class, known.Classes); err != nil {
		return rule{}, err
	}
	if r.Exclude {
		if r.Mode != "" {
			return rule{}, fmt.Errorf("mode %q beside exclude: an exclusion is observed", r.Mode)
		}
		return rule{Rule: r, mode: Observe}, nil
	}
	mode, err := ParseMode(r.Mode)
	return rule{Rule: r, mode: mode}, err
}

func checkKnown(what, value string, known []string) error {
	if value == "" || known == nil || slices.Contains(known, value) {
		return nil
	}
	return fmt.Errorf("%s %q is none of %s", what, value, strings.Join(known, ", "))
}

// find returns the entry with the same selectors.
func (p Policy) find(r rule) *rule {
	for i := range p.rules {
		o := &p.rules[i]
		if o.Runbook == r.Runbook && o.Account == r.Account && o.OU == r.OU && o.Class == r.Class && o.Exclude == r.Exclude {
			return o
		}
	}
	return nil
}

// Subject is what a mode is asked for. OUs is the account's path from the root to its OU, outermost first.
type Subject struct {
	Runbook, Account string
	OUs              []string
	Class            string
}

// Decide returns the mode and, in words, the entry that it comes from.
func (p Policy) Decide(s Subject) (Mode, string) {
	var best *rule
	for i := range p.rules {
		r := &p.rules[i]
		switch {
		case !r.matches(s):
		case r.Exclude:
			return Observe, "excluded by " + r.String()
		case !p.isBeaten(*r, s) && (best == nil || r.mode < best.mode):
			best = r
		}
	}
	if best == nil {
		return Observe, "no policy entry matches: observe is the default"
	}
	return best.mode, best.String()
}

func (p Policy) isBeaten(r rule, s Subject) bool {
	return slices.ContainsFunc(p.rules, func(o rule) bool { return o.matches(s) && o.narrower(r, s) })
}

func (r rule) matches(s Subject) bool {
	return (r.Runbook == "" || r.Runbook == s.Runbook) && (r.Account == "" || r.Account == s.Account) &&
		(r.OU == "" || slices.Contains(s.OUs, r.OU)) && (r.Class == "" || r.Class == s.Class)
}

// narrower compares two entries that match s.
func (r rule) narrower(o rule, s Subject) bool {
	place, otherPlace := r.depth(s), o.depth(s)
	if r.Runbook == "" && o.Runbook != "" || r.Class == "" && o.Class != "" || place < otherPlace {
		return false
	}
	return r.Runbook != o.Runbook || r.Class != o.Class || place > otherPlace
}

// depth is how far in the place of an entry lies: everywhere, the OUs from the root inwards, the account.
func (r rule) depth(s Subject) int {
	switch {
	case r.Account != "":
		return len(s.OUs) + 1
	case r.OU != "":
		return slices.Index(s.OUs, r.OU) + 1
	}
	return 0
}

// String is "policy entry 3 (runbook cloudtrail-off, account 111122223333: act)".
func (r rule) String() string {
	var parts []string
	for _, f := range [...][2]string{{"runbook", r.Runbook}, {"account", r.Account}, {"ou", r.OU}, {"class", r.Class}} {
		if f[1] != "" {
			parts = append(parts, f[0]+" "+f[1])
		}
	}
	if parts == nil {
		parts = []string{"everything"}
	}
	mode := r.mode.String()
	if r.Exclude {
		mode = "exclude"
	}
	return fmt.Sprintf("policy entry %d (%s: %s)", r.number, strings.Join(parts, ", "), mode)
}
