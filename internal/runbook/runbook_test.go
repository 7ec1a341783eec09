// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/runbooks"
)

func TestLoad(t *testing.T) {
	r := load(t, folder())
	want := runbook.Manifest{
		ID: "trail-off", Title: "Trail turned off", Severity: incident.Critical,
		Objective: "A trail that is turned off records again within 30 s.\n", Concern: "configuration",
		Evidence:   []string{"cloudtrail event", "cloudtrail:AssessTrail"},
		Ownership:  runbook.Ownership{Accounts: "all", Permissions: "generated"},
		Objectives: runbook.Objectives{Contained: runbook.Duration(30 * time.Second), HumanReached: runbook.Duration(2 * time.Minute), Report: runbook.Duration(10 * time.Minute)},
		Mechanisms: []string{"eventbridge"},
		Triggers: []runbook.Trigger{
			{Name: "stopped", Pattern: runbook.Pattern(`{"source":["aws.cloudtrail"],"detail":{"eventName":["StopLogging"]}}`)},
			{Name: "changed", Severity: incident.High, Pattern: runbook.Pattern(`{"source":["aws.cloudtrail"],"detail":{"eventName":["UpdateTrail"]}}`)},
		},
		Done:  []string{"it-restarts"},
		Human: runbook.Human{Tell: "always", Approve: []string{"cloudtrail:StartLogging"}},
	}
	if diff := cmp.Diff(want, r.Manifest); diff != "" {
		t.Errorf("manifest (-want +got):\n%s", diff)
	}
	if string(r.StateMachine) != stateMachine || r.Guide != guide {
		t.Error("state machine or guide is another")
	}
	if got := slices.Sorted(maps.Keys(r.Scenarios)); !slices.Equal(got, []string{"it-restarts"}) {
		t.Errorf("scenarios %v", got)
	}
	patterns, err := r.Compile()
	if err != nil || len(patterns) != 2 {
		t.Errorf("%d patterns, %v", len(patterns), err)
	}
	text, err := json.Marshal(r.Manifest)
	if err != nil || !strings.Contains(string(text), `"contained":"30s"`) || !strings.Contains(string(text), `"pattern":{"source":["aws.cloudtrail"]`) {
		t.Errorf("JSON %s, %v", text, err)
	}
}

func TestLoadNamesThePlace(t *testing.T) {
	cases := []struct{ name, old, replacement, says string }{
		{"unknown field", "title: ", "titel: ", `trail-off/runbook.yaml:2:1: unknown field "titel"`},
		{"unknown inner field", "  permissions: ", "  permission: ", `trail-off/runbook.yaml:11:3: unknown field "permission"`},
		{"field of a trigger", "    severity: high", "    sevrity: high", `trail-off/runbook.yaml:18:5: unknown field "sevrity"`},
		{"double key", "concern: ", "id: x\nconcern: ", `trail-off/runbook.yaml:7:1: mapping key "id" already defined at [1:1]`},
		{"double key in a pattern", `{"source": [`, `{"source": ["x"], "source": [`, `trail-off/runbook.yaml:16:32: mapping key "source" already defined`},
		{"text for a list", "mechanisms: [eventbridge]", "mechanisms: eventbridge", "trail-off/runbook.yaml:13:13: string was used where sequence is expected"},
		{"list for a text", "id: trail-off", "id: [trail-off]", "trail-off/runbook.yaml:1:5: cannot unmarshal"},
		{"duration without a unit", "contained: 30s", "contained: 30", `trail-off/runbook.yaml:12:25: "30" is no duration: want 30s, 10m or 24h`},
		{"duration in days", "report: 10m", "report: 1d", `trail-off/runbook.yaml:12:57: "1d" is no duration`},
		{"list for a duration", "contained: 30s", "contained: [30s]", `trail-off/runbook.yaml:12:25: "[" is no duration`},
		{"number that is none in JSON", "[UpdateTrail]", "[0x1F]", "trail-off/runbook.yaml:22:21: 0x1F is no number in JSON: quote it if it is a text"},
		{"an alias in a pattern", "source: [aws.cloudtrail]", "source: &a [aws.cloudtrail]", "trail-off/runbook.yaml:20:15: a pattern has objects, lists"},
		{"a second document", "human:\n", "---\nhuman:\n", "trail-off/runbook.yaml: want one YAML document, found more"},
		{"no YAML", "human:\n", "human: {\n", "trail-off/runbook.yaml:"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			files := with(t, "runbook.yaml", c.old, c.replacement)
			_, err := runbook.Load(fileSystem(map[string]map[string]string{"trail-off": files}), "trail-off")
			if err == nil || !strings.HasPrefix(err.Error(), "load runbook: "+c.says) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %q, want %q", err, c.says)
			}
		})
	}
}

func TestLoadOfNothing(t *testing.T) {
	for _, dir := range []string{"x", "a/b", "."} {
		if _, err := runbook.Load(fstest.MapFS{}, dir); !errors.Is(err, runbook.ErrNotFound) {
			t.Errorf("%s: %v", dir, err)
		}
	}
	r, err := runbook.Load(fstest.MapFS{"x/runbook.yaml": {}}, "x")
	if err != nil {
		t.Fatal(err)
	}
	questions := map[int]bool{}
	last := 0
	for _, p := range r.Check(catalog{}) {
		if p.Question < last {
			t.Errorf("question %d comes behind question %d", p.Question, last)
		}
		last = p.Question
		questions[last] = true
	}
	for q := range 10 {
		if !questions[q] {
			t.Errorf("nothing is said about question %d of an empty manifest", q)
		}
	}
}

func TestLoadAll(t *testing.T) {
	second := maps.Clone(folder())
	second["runbook.yaml"] = strings.Replace(manifest, "trail-off", "a-first", 1)
	folders := map[string]map[string]string{"trail-off": folder(), "a-first": second, "docs": {"readme.md": "x"}}
	all, err := runbook.LoadAll(fileSystem(folders))
	if err != nil {
		t.Fatal(err)
	}
	var ids []runbook.ID
	for _, r := range all {
		ids = append(ids, r.Manifest.ID)
	}
	if diff := cmp.Diff([]runbook.ID{"a-first", "trail-off"}, ids); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	second["runbook.yaml"] = "idd: x"
	if _, err := runbook.LoadAll(fileSystem(folders)); err == nil || !strings.Contains(err.Error(), "a-first/runbook.yaml:1:1") {
		t.Errorf("error %v", err)
	}
}

func TestLoadFromAFolderWithAnOddName(t *testing.T) {
	dir := t.TempDir() + "/odd [name]"
	if err := os.CopyFS(dir, fileSystem(map[string]map[string]string{"trail-off": folder()})); err != nil {
		t.Fatal(err)
	}
	for _, where := range []struct{ root, dir string }{{dir, "trail-off"}, {dir + "/trail-off", "."}, {dir + "/..", "odd [name]/trail-off/"}} {
		r, err := runbook.Load(os.DirFS(where.root), where.dir)
		if err != nil || len(r.Scenarios) != 1 || len(r.Check(catalog{})) > 0 {
			t.Errorf("%s in %s: %+v, %v", where.dir, where.root, r, err)
		}
	}
}

func TestShippedRunbooksLoad(t *testing.T) {
	all, err := runbook.LoadAll(runbooks.FS)
	if err != nil || len(all) == 0 {
		t.Fatalf("%d runbooks, %v", len(all), err)
	}
	for _, r := range all {
		if _, err := r.Compile(); err != nil {
			t.Error(err)
		}
		if len(r.Actions()) == 0 {
			t.Errorf("%s has no actions", r.Manifest.ID)
		}
	}
}

func TestCompileNamesTheTrigger(t *testing.T) {
	r := load(t, with(t, "runbook.yaml", "[UpdateTrail]", "UpdateTrail"))
	if _, err := r.Compile(); err == nil || !strings.HasPrefix(err.Error(), `runbook trail-off: trigger "changed": `) {
		t.Errorf("error %v", err)
	}
}

func TestSeverityOf(t *testing.T) {
	m := runbook.Manifest{Severity: incident.Critical}
	cases := []struct {
		trigger incident.Severity
		outcome incident.Outcome
		want    incident.Severity
	}{
		{"", incident.Succeeded, incident.Critical},
		{incident.High, incident.Succeeded, incident.High},
		{"", incident.Attempted, incident.Medium},
		{incident.High, incident.Attempted, incident.Medium},
		{incident.Low, incident.Attempted, incident.Low},
		{incident.Medium, incident.Attempted, incident.Medium},
	}
	for _, c := range cases {
		if got := m.SeverityOf(runbook.Trigger{Severity: c.trigger}, c.outcome); got != c.want {
			t.Errorf("%q %s: %s, want %s", c.trigger, c.outcome, got, c.want)
		}
	}
}

func TestActions(t *testing.T) {
	nested := `{"StartAt":"A","States":{
		"A":{"Type":"Parallel","Branches":[{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"switchback:notify:Send","Parameters":{},"End":true}}},
			{"StartAt":"C","States":{"C":{"Type":"Map","ItemProcessor":{"StartAt":"D","States":{"D":{"Type":"Task","Resource":"switchback:cloudtrail:AssessTrail","End":true}}},"End":true}}}],"Next":"E"},
		"E":{"Type":"Map","Iterator":{"StartAt":"F","States":{"F":{"Type":"Task","Resource":"switchback:cloudtrail:StartLogging.waitForTaskToken","End":true}}},"Next":"G"},
		"G":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke","Next":"H"},
		"H":{"Type":"Pass","Result":{"Type":"Task","Resource":"switchback:iam:DeleteUser"},"Resource":"switchback:iam:DeleteRole","Next":"I"},
		"I":{"Type":"Task","Resource":"switchback:notify:Send","Parameters":{"States":{"x":{"Type":"Task","Resource":"switchback:iam:DeleteKey"}}},"End":true}}}`
	cases := []struct {
		name, machine        string
		actions, permissions []string
	}{
		{"three states", stateMachine, []string{"cloudtrail:StartLogging", "notify:Send", "report:Write"}, []string{"cloudtrail:GetTrailStatus", "cloudtrail:StartLogging"}},
		{
			"nested, and what only looks like a task", nested, []string{"cloudtrail:AssessTrail", "cloudtrail:StartLogging", "notify:Send"},
			[]string{"cloudtrail:GetTrail", "cloudtrail:GetTrailStatus", "cloudtrail:StartLogging"},
		},
		{"none", `{"States":{}}`, nil, nil},
		{"no JSON", `{`, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := runbook.Runbook{StateMachine: json.RawMessage(c.machine)}
			if diff := cmp.Diff(c.actions, r.Actions()); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.permissions, r.Permissions(catalog{})); diff != "" {
				t.Errorf("permissions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestActionOf(t *testing.T) {
	for resource, want := range map[string]string{
		"switchback:cloudtrail:StartLogging":                  "cloudtrail:StartLogging",
		"switchback:cloudtrail:StartLogging.waitForTaskToken": "cloudtrail:StartLogging",
		"arn:aws:states:::lambda:invoke.waitForTaskToken":     "",
		"${SwitchbackActionsCloudtrail}":                      "",
		"":                                                    "",
	} {
		if got := runbook.ActionOf(resource); got != want {
			t.Errorf("%q: %q, want %q", resource, got, want)
		}
	}
}

func TestEventNames(t *testing.T) {
	cases := []struct {
		pattern string
		want    []string
	}{
		{`{"source":["aws.cloudtrail"],"detail":{"eventName":["StopLogging","DeleteTrail"]}}`, []string{"StopLogging", "DeleteTrail"}},
		{`{"detail":{"eventName":["StopLogging",{"prefix":"Delete"}]}}`, []string{"StopLogging"}},
		{`{"source":["aws.cloudtrail"]}`, nil},
		{`{"detail":{"eventName":"StopLogging"}}`, nil},
		{`{`, nil},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, runbook.Trigger{Pattern: runbook.Pattern(c.pattern)}.EventNames()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.pattern, diff)
		}
	}
}
