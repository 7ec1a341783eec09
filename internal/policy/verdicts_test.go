// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/conformancetest"
	"github.com/switchback-project/switchback/internal/policy"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// verdictCase is one recorded verdict of another tool, with the lists that it was given.
type verdictCase struct {
	Test    string
	Subject string
	Config  struct {
		Accounts      names `json:"allowed_accounts"`
		Organizations names `json:"allowed_orgid"`
		Units         names `json:"allowed_org_units"`
		VPCs          names `json:"allowed_vpc"`
		Endpoints     names `json:"allowed_vpce"`
		Patterns      names `json:"whitelist_patterns"`
		EveryoneOnly  bool  `json:"everyone_only"`
		ReturnAllowed bool  `json:"return_allowed"`
	}
	Expected bool `json:"expected_violation"`
	Policy   json.RawMessage
}

// names is a list; the recording writes an empty one as an object.
type names []string

func (n *names) UnmarshalJSON(b []byte) error {
	if string(b) == "{}" {
		return nil
	}
	return json.Unmarshal(b, (*[]string)(n))
}

// document is the policy; some recordings have only the statement.
func (c verdictCase) document() string {
	if c.Subject == "statement" {
		return `{"Statement":` + string(c.Policy) + `}`
	}
	return string(c.Policy)
}

// violates is our answer to the question that the recording asked.
func (c verdictCase) violates(t *testing.T) bool {
	var list []string
	for _, n := range []names{c.Config.Accounts, c.Config.Organizations, c.Config.Units, c.Config.VPCs, c.Config.Endpoints, c.Config.Patterns} {
		list = append(list, n...)
	}
	trust, odd := policy.ParseTrust(list)
	if len(odd) > 0 {
		t.Errorf("%s: odd trust: %v", c.Test, odd)
	}
	p := parse(t, c.document())
	if c.Config.EveryoneOnly {
		return p.IsPublic()
	}
	v := p.Judge(policy.Options{Trust: trust})
	return v.IsSafe() == c.Config.ReturnAllowed
}

const (
	verdictFile    = "policy-verdicts/cloud-custodian.crossaccount.jsonl"
	deviationsFile = "../../docs/policy-deviations.md"
)

// TestConformance: every recorded verdict agrees or is listed in docs/policy-deviations.md, and what is listed differs.
func TestConformance(t *testing.T) {
	cases := conformancetest.ReadLines[verdictCase](t, thirdparty.Path(t, verdictFile))
	if len(cases) != 115 {
		t.Errorf("%d cases, want 115", len(cases))
	}
	listed := readDeviations(t)
	got := map[string]string{}
	nth := map[string]int{}
	for _, c := range cases {
		nth[c.Test]++
		if c.violates(t) != c.Expected {
			got[fmt.Sprintf("%s#%d", c.Test, nth[c.Test])] = inShort(parse(t, c.document()))
		}
	}
	if diff := cmp.Diff(listed, got); diff != "" {
		t.Errorf("docs/policy-deviations.md differs (-listed +differs):\n%s", diff)
	}
	t.Logf("conformance: %-46s %6d %6d %6d", verdictFile, len(cases), len(cases)-len(got), len(got))
}

// readDeviations reads the table: test name and number, the policy in short, AWS's rule.
func readDeviations(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(deviationsFile)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), " | ")
		if !strings.HasPrefix(line, "| `test_") {
			continue
		}
		if len(cells) != 3 || !strings.Contains(cells[2], "https://docs.aws.amazon.com/") {
			t.Fatalf("line without test, policy and AWS's page: %s", line)
		}
		out[strings.Trim(cells[0], "` ")] = strings.Trim(cells[1], "` ")
	}
	return out
}

// inShort is what decides, in one line.
func inShort(p *policy.Policy) string {
	var all []string
	for _, s := range p.Statements {
		text := string(s.Effect)
		for _, n := range s.Principals {
			text += " " + n.Value
		}
		for i, c := range s.Conditions {
			text += []string{" and", " if"}[max(0, 1-i)] + " " + c.String()
		}
		all = append(all, text)
	}
	return strings.Join(all, "; ")
}

func parse(tb testing.TB, text string) *policy.Policy {
	tb.Helper()
	p, err := policy.Parse([]byte(text))
	if err != nil {
		tb.Fatalf("%s: %v", text, err)
	}
	return p
}
