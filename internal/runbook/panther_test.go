// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/thirdparty"
	"github.com/switchback-project/switchback/runbooks"
)

// pantherTable is testdata/panther.yaml.
type pantherTable struct {
	Rules     []pantherRule `yaml:"rules"`
	Elsewhere []pantherRule `yaml:"elsewhere"`
}

type pantherRule struct {
	Rule     string   `yaml:"rule"`
	Triggers []string `yaml:"triggers"`
	Reason   string   `yaml:"reason"`
	Parts    []struct {
		Test   int    `yaml:"test"`
		Reason string `yaml:"reason"`
	} `yaml:"parts"`
}

// isListed reports whether our verdict about a test, counted from 1, is known to part from panther's.
func (r pantherRule) isListed(test int) bool {
	for _, p := range r.Parts {
		if p.Test == test && p.Reason != "" {
			return true
		}
	}
	return false
}

type pantherTest struct {
	Rule     string          `json:"rule_id"`
	Expected bool            `json:"expected"`
	Event    json.RawMessage `json:"event"`

	number int // in its rule, from 1
}

// builtIn are the triggers of every runbook, by runbook and name.
type builtIn struct {
	ids      []string
	set      eventpattern.Set[string]
	triggers []string
}

func newBuiltIn(t *testing.T) *builtIn {
	t.Helper()
	books, err := runbook.LoadAll(runbooks.FS)
	if err != nil {
		t.Fatal(err)
	}
	b := &builtIn{}
	for _, book := range books {
		patterns, err := book.Compile()
		if err != nil {
			t.Fatal(err)
		}
		b.ids = append(b.ids, string(book.Manifest.ID))
		for i, p := range patterns {
			name := string(book.Manifest.ID) + "/" + book.Manifest.Triggers[i].Name
			b.triggers = append(b.triggers, name)
			b.set.Add(name, p)
		}
	}
	return b
}

// started are the triggers that start for the event, none where AWS refused the call.
func (b *builtIn) started(t *testing.T, event json.RawMessage) []string {
	t.Helper()
	var record struct{ EventSource, ErrorCode string }
	if err := json.Unmarshal(event, &record); err != nil {
		t.Fatal(err)
	}
	if record.ErrorCode != "" {
		return nil
	}
	service, _, _ := strings.Cut(record.EventSource, ".")
	envelope, err := json.Marshal(map[string]any{"source": "aws." + service, "detail-type": "AWS API Call via CloudTrail", "detail": event})
	if err != nil {
		t.Fatal(err)
	}
	names, err := b.set.MatchJSON(envelope)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func readPanther(t *testing.T) (pantherTable, []pantherTest) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "panther.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var table pantherTable
	if err := yaml.UnmarshalWithOptions(text, &table, yaml.Strict()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(thirdparty.Path(t, "panther/tests.dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	var tests []pantherTest
	count := map[string]int{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var test pantherTest
		if err := json.Unmarshal(lines.Bytes(), &test); err != nil {
			t.Fatal(err)
		}
		count[test.Rule]++
		test.number = count[test.Rule]
		tests = append(tests, test)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, r := range append(slices.Clone(table.Rules), table.Elsewhere...) {
		if count[r.Rule] == 0 {
			t.Errorf("%s has no tests", r.Rule)
		}
	}
	return table, tests
}

// Every verdict of panther's rules about trails is ours, or is listed with the reason.
func TestPanther(t *testing.T) {
	table, tests := readPanther(t)
	b := newBuiltIn(t)
	rules := map[string]pantherRule{}
	for _, r := range table.Rules {
		rules[r.Rule] = r
		b.checkNames(t, r)
	}
	elsewhere := map[string]pantherRule{}
	for _, r := range table.Elsewhere {
		elsewhere[r.Rule] = r
		b.checkNames(t, r)
	}
	agree, parts, pending := 0, 0, 0
	for _, test := range tests {
		name := fmt.Sprintf("%s test %d", test.Rule, test.number)
		started := b.started(t, test.Event)
		rule, ok := rules[test.Rule]
		if !ok {
			if other := elsewhere[test.Rule]; !isWithin(started, other.Triggers) {
				t.Errorf("%s starts %q: not listed under elsewhere", name, started)
			}
			continue
		}
		if b.isPending(rule) {
			pending++
			continue
		}
		starts := slices.ContainsFunc(started, func(name string) bool { return slices.Contains(rule.Triggers, name) })
		switch isSame := starts == test.Expected; {
		case isSame == rule.isListed(test.number):
			t.Errorf("%s: panther says %t, we start %q; listed as parting: %t", name, test.Expected, started, rule.isListed(test.number))
		case isSame:
			agree++
		default:
			parts++
		}
	}
	t.Logf("%d rules: %d verdicts agree, %d part for a listed reason, %d wait for a runbook; %d events of other rules",
		len(rules), agree, parts, pending, len(tests)-agree-parts-pending)
	if agree < 13 {
		t.Errorf("only %d verdicts agree", agree)
	}
}

func isWithin(some, all []string) bool {
	return !slices.ContainsFunc(some, func(s string) bool { return !slices.Contains(all, s) })
}

// checkNames holds the names of a row against the triggers that exist.
func (b *builtIn) checkNames(t *testing.T, r pantherRule) {
	t.Helper()
	if len(r.Triggers) == 0 {
		t.Errorf("%s is mapped to nothing", r.Rule)
	}
	for _, name := range r.Triggers {
		id, _, _ := strings.Cut(name, "/")
		if slices.Contains(b.ids, id) && !slices.Contains(b.triggers, name) {
			t.Errorf("%s: there is no trigger %s", r.Rule, name)
		}
	}
}

// isPending reports whether a rule is mapped to a runbook that this build does not have yet.
func (b *builtIn) isPending(r pantherRule) bool {
	return slices.ContainsFunc(r.Triggers, func(name string) bool {
		id, _, _ := strings.Cut(name, "/")
		return !slices.Contains(b.ids, id)
	})
}
