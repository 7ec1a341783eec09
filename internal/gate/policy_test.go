// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/gate"
)

const (
	root    = "r-ab12"
	prod    = "ou-ab12-11112222"
	payment = "ou-ab12-33334444"
)

func TestPolicy(t *testing.T) {
	rules := []gate.Rule{
		{Mode: "observe"},                                        // 1
		{OU: prod, Mode: "ask"},                                  // 2
		{OU: payment, Mode: "act"},                               // 3
		{Account: other, Mode: "ask"},                            // 4
		{Runbook: "cloudtrail-off", Mode: "act"},                 // 5
		{Runbook: "cloudtrail-off", Account: other, Mode: "act"}, // 6
		{Runbook: "ec2-login", Class: "contain", Mode: "ask"},    // 7
		{Class: "forensics", Exclude: true},                      // 8
	}
	subject := func(runbook, account, class string, ous ...string) gate.Subject {
		return gate.Subject{Runbook: runbook, Account: account, Class: class, OUs: ous}
	}
	for name, tc := range map[string]struct {
		s    gate.Subject
		mode gate.Mode
		from string
	}{
		"everything else":              {subject("bucket-public", account, "restore"), gate.Observe, "entry 1 (everything: observe)"},
		"an OU":                        {subject("bucket-public", account, "restore", root, prod), gate.Ask, "entry 2"},
		"the inner OU":                 {subject("bucket-public", account, "restore", root, prod, payment), gate.Act, "entry 3"},
		"the account beats its OU":     {subject("bucket-public", other, "restore", root, prod, payment), gate.Ask, "entry 4"},
		"a runbook":                    {subject("cloudtrail-off", account, "restore"), gate.Act, "entry 5"},
		"runbook and OU: the careful":  {subject("cloudtrail-off", account, "restore", root, prod), gate.Ask, "entry 2"},
		"runbook and account together": {subject("cloudtrail-off", other, "restore", root, prod), gate.Act, "entry 6 (runbook cloudtrail-off, account 444455556666: act)"},
		"runbook and class":            {subject("ec2-login", account, "contain"), gate.Ask, "entry 7"},
		"another class":                {subject("ec2-login", account, "restore"), gate.Observe, "entry 1"},
		"exclusions beat all":          {subject("cloudtrail-off", other, "forensics"), gate.Observe, "excluded by policy entry 8 (class forensics: exclude)"},
	} {
		t.Run(name, func(t *testing.T) {
			known := gate.Known{Runbooks: []string{"cloudtrail-off", "ec2-login"}, Classes: []string{"contain", "forensics"}}
			p, err := gate.ParsePolicy(rules, known)
			if err != nil {
				t.Fatal(err)
			}
			if mode, reason := p.Decide(tc.s); mode != tc.mode || !strings.Contains(reason, tc.from) {
				t.Errorf("%s from %s, want %s from %s", mode, reason, tc.mode, tc.from)
			}
			backwards := slices.Clone(rules)
			slices.Reverse(backwards)
			if p, err = gate.ParsePolicy(backwards, known); err != nil {
				t.Fatal(err)
			}
			if mode, reason := p.Decide(tc.s); mode != tc.mode {
				t.Errorf("with the entries backwards: %s from %s, want %s", mode, reason, tc.mode)
			}
		})
	}
	if mode, reason := (gate.Policy{}).Decide(subject("cloudtrail-off", account, "restore")); mode != gate.Observe || reason == "" {
		t.Errorf("zero policy: %s, %q", mode, reason)
	}
}

func TestPolicyRefuses(t *testing.T) {
	known := gate.Known{Runbooks: []string{"cloudtrail-off"}, Classes: []string{"restore"}}
	for name, tc := range map[string]struct {
		rules []gate.Rule
		want  string
	}{
		"an unknown mode":         {[]gate.Rule{{Mode: "act"}, {Runbook: "cloudtrail-off", Mode: "obey"}}, `entry 2: mode "obey" is none of observe, ask, act`},
		"no mode":                 {[]gate.Rule{{}}, `entry 1: mode ""`},
		"an unknown runbook":      {[]gate.Rule{{Runbook: "cloudtrail-of", Mode: "act"}}, `entry 1: runbook "cloudtrail-of" is none of cloudtrail-off`},
		"an unknown class":        {[]gate.Rule{{Class: "destroy", Mode: "act"}}, `class "destroy"`},
		"an account's name":       {[]gate.Rule{{Account: "prod", Mode: "act"}}, "not 12 digits"},
		"an account short of a 0": {[]gate.Rule{{Account: "11122223333", Mode: "act"}}, "not 12 digits"},
		"an OU's name":            {[]gate.Rule{{OU: "Production", Mode: "act"}}, "no id like"},
		"account and OU":          {[]gate.Rule{{Account: account, OU: prod, Mode: "act"}}, "give one of them"},
		"a mode for an exclusion": {[]gate.Rule{{Account: account, Exclude: true, Mode: "act"}}, "an exclusion is observed"},
		"a contradiction":         {[]gate.Rule{{Account: account, Mode: "act"}, {Mode: "ask"}, {Account: account, Mode: "ask"}}, "entry 3 matches the same as entry 1"},
	} {
		_, err := gate.ParsePolicy(tc.rules, known)
		if !errors.Is(err, gate.ErrPolicy) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: error %v, want %q", name, err, tc.want)
		}
	}
}

func TestPolicyIsAppliedPerAccount(t *testing.T) {
	p, err := gate.ParsePolicy([]gate.Rule{{OU: prod, Mode: "ask"}, {Account: other, Mode: "act"}}, gate.Known{})
	if err != nil {
		t.Fatal(err)
	}
	g := open(t, gate.Options{Backend: backendFunc(accepts), Policy: &p, OUs: func(a string) []string {
		if a == account {
			return []string{root, prod}
		}
		return nil
	}})
	for place, want := range map[string]error{account: gate.ErrNeedsApproval, other: nil, "777788889999": gate.ErrDryRun} {
		cfg, err := g.Door(act).Config(t.Context(), place, region)
		if err != nil {
			t.Fatal(err)
		}
		if err := stopLogging(t.Context(), cfg); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", place, err, want)
		}
	}
}

func TestModes(t *testing.T) {
	for _, m := range []gate.Mode{gate.Observe, gate.Ask, gate.Act} {
		if got, err := gate.ParseMode(m.String()); got != m || err != nil {
			t.Errorf("%s: %s, %v", m, got, err)
		}
	}
	if s := gate.Mode(7).String(); s != "mode(7)" {
		t.Error(s)
	}
}
