// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/runbook"
)

// catalog is a build with a few actions and sources.
type catalog struct{}

var _ runbook.Catalog = catalog{}

var actions = map[string]struct {
	fields      []asl.Field
	isChange    bool
	permissions []string
}{
	"identity:Extract":        {fields: []asl.Field{{Name: "event_id", Required: true}}},
	"notify:Send":             {fields: []asl.Field{{Name: "to", Required: true}}},
	"report:Write":            {fields: []asl.Field{{Name: "stage", Required: true}}},
	"cloudtrail:AssessTrail":  {permissions: []string{"cloudtrail:GetTrail", "cloudtrail:GetTrailStatus"}},
	"cloudtrail:StartLogging": {isChange: true, permissions: []string{"cloudtrail:StartLogging", "cloudtrail:GetTrailStatus"}},
}

func (catalog) Action(id string) ([]asl.Field, bool) {
	a, ok := actions[id]
	return a.fields, ok
}

func (catalog) IsRead(id string) bool {
	a, ok := actions[id]
	return ok && !a.isChange
}

func (catalog) IsSource(name string) bool {
	return slices.Contains([]string{"cloudtrail event", "eventbridge", "s3 log files"}, name)
}

func (catalog) Permissions(id string) []string { return actions[id].permissions }

const manifest = `id: trail-off
title: Trail turned off
severity: critical
objective: >
  A trail that is turned off records again
  within 30 s.
concern: configuration
evidence: [cloudtrail event, "cloudtrail:AssessTrail"]
ownership:
  accounts: all
  permissions: generated
objectives: {contained: 30s, human_reached: 2m, report: 10m}
mechanisms: [eventbridge]
triggers:
  - name: stopped
    pattern: {"source": ["aws.cloudtrail"], "detail": {"eventName": ["StopLogging"]}}
  - name: changed
    severity: high
    pattern:
      source: [aws.cloudtrail]
      detail:
        eventName: [UpdateTrail]
done: [it-restarts]
human:
  tell: always
  approve: ["cloudtrail:StartLogging"]
`

const stateMachine = `{"StartAt": "Start", "States": {
  "Start": {"Type": "Task", "Resource": "switchback:cloudtrail:StartLogging.waitForTaskToken", "Parameters": {}, "Next": "Tell"},
  "Tell": {"Type": "Task", "Resource": "switchback:notify:Send", "Parameters": {"to": "security"}, "Next": "Report"},
  "Report": {"Type": "Task", "Resource": "switchback:report:Write", "Parameters": {"stage": "final"}, "End": true}}}`

var guide = "# What to do\n\n" + strings.Repeat("Look at the report and call somebody. ", 3)

// folder is a runbook that Check finds nothing wrong with.
func folder() map[string]string {
	return map[string]string{
		"runbook.yaml": manifest, "state-machine.asl.json": stateMachine, "guide.md": guide,
		"scenarios/it-restarts.txtar": "-- scenario.yaml --\n", "scenarios/notes.md": "no scenario",
	}
}

// fileSystem has folders of runbooks.
func fileSystem(folders map[string]map[string]string) fstest.MapFS {
	fsys := fstest.MapFS{}
	for dir, files := range folders {
		for name, text := range files {
			fsys[dir+"/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return fsys
}

func load(t testing.TB, files map[string]string) *runbook.Runbook {
	t.Helper()
	r, err := runbook.Load(fileSystem(map[string]map[string]string{"trail-off": files}), "trail-off")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// with is the folder with one text of one file replaced; it must be there.
func with(t testing.TB, file, old, replacement string) map[string]string {
	t.Helper()
	files := maps.Clone(folder())
	if !strings.Contains(files[file], old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	files[file] = strings.ReplaceAll(files[file], old, replacement)
	return files
}
