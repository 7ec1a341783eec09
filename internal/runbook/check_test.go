// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheckFindsNothingWrong(t *testing.T) {
	if problems := load(t, folder()).Check(catalog{}); len(problems) > 0 {
		t.Error(problems)
	}
}

// refusals has every refusal: what is changed in the folder, and every problem that comes of it.
var refusals = []struct {
	name, file, old, replacement string
	want                         []string
}{
	{"id in another case", "runbook.yaml", "id: trail-off", "id: Trail_Off", []string{`id: "Trail_Off" is not kebab-case`, `id: "Trail_Off" is not the name of its folder, "trail-off"`}},
	{"another id", "runbook.yaml", "id: trail-off", "id: other", []string{`id: "other" is not the name of its folder, "trail-off"`}},
	{"no title", "runbook.yaml", "title: Trail turned off", "title: ' '", []string{"title: missing"}},
	{"unknown severity", "runbook.yaml", "severity: critical", "severity: urgent", []string{`severity: "urgent" is not low, medium, high or critical`}},
	{"no guide", "guide.md", guide, "", []string{"guide.md: missing or too short: what should the person who is woken up do?"}},
	{"a short guide", "guide.md", guide, "# Guide\n\nLook." + strings.Repeat("\n", 100), []string{"guide.md: missing or too short: what should the person who is woken up do?"}},

	{"no objective", "runbook.yaml", "  A trail that is turned off records again\n  within 30 s.\n", "", []string{"question 1 (objective): missing: say in words what must be true again, and how fast"}},
	{"an objective without a figure", "runbook.yaml", "within 30 s.", "at once.", []string{`question 1 (objective): cannot be tested: name a figure, such as "within 30 s"`}},
	{"a figure that measures nothing", "runbook.yaml", "within 30 s.", "in 3 steps.", []string{`question 1 (objective): cannot be tested: name a figure, such as "within 30 s"`}},
	{"a share is a figure", "runbook.yaml", "within 30 s.", "in 99.9 % of all cases.", nil},
	{"milliseconds are a figure", "runbook.yaml", "within 30 s.", "in 50ms.", nil},
	{"no concern", "runbook.yaml", "concern: configuration", "concern: ''", []string{`question 2 (concern): "" is neither configuration nor behavior`}},
	{"another concern", "runbook.yaml", "concern: configuration", "concern: money", []string{`question 2 (concern): "money" is neither configuration nor behavior`}},
	{"behavior", "runbook.yaml", "concern: configuration", "concern: behavior", nil},
	{"no evidence", "runbook.yaml", `[cloudtrail event, "cloudtrail:AssessTrail"]`, "[]", []string{"question 3 (evidence): missing: which data, where, could inform us?"}},
	{"evidence from nowhere", "runbook.yaml", "cloudtrail event", "a dream", []string{`question 3 (evidence[0]): "a dream" is neither a source nor an action that reads`}},
	{"evidence that changes something", "runbook.yaml", "cloudtrail:AssessTrail", "cloudtrail:StartLogging", []string{`question 3 (evidence[1]): "cloudtrail:StartLogging" is neither a source nor an action that reads`}},
	{"no accounts", "runbook.yaml", "accounts: all", "accounts: ''", []string{`question 4 (ownership.accounts): "" is neither "all" nor account ids`}},
	{"accounts that are none", "runbook.yaml", "accounts: all", `accounts: "111122223333 4444"`, []string{`question 4 (ownership.accounts): "111122223333 4444" is neither "all" nor account ids`}},
	{"two accounts", "runbook.yaml", "accounts: all", `accounts: "111122223333 444455556666"`, nil},
	{"permissions by hand", "runbook.yaml", "permissions: generated", "permissions: all", []string{`question 4 (ownership.permissions): want "generated": permissions come from the actions used, never by hand`}},
	{"no performance", "runbook.yaml", "objectives: {contained: 30s, human_reached: 2m, report: 10m}", "objectives: {}", []string{
		"question 5 (objectives.contained): missing: how fast is fast enough?", "question 5 (objectives.human_reached): missing: how fast is fast enough?",
		"question 5 (objectives.report): missing: how fast is fast enough?",
	}},
	{"before it happens", "runbook.yaml", "contained: 30s", "contained: -30s", []string{"question 5 (objectives.contained): missing: how fast is fast enough?"}},
	{"no report", "state-machine.asl.json", `"switchback:report:Write", "Parameters": {"stage": "final"}`, `"switchback:identity:Extract", "Parameters": {"event_id": "x"}`, []string{"question 5 (objectives.report): untrue: the state machine writes no report (report:Write)"}},
	{"no mechanism", "runbook.yaml", "mechanisms: [eventbridge]", "mechanisms: []", []string{"question 6 (mechanisms): missing: how does the evidence reach us?"}},
	{"an unknown mechanism", "runbook.yaml", "mechanisms: [eventbridge]", "mechanisms: [eventbridge, kafka]", []string{`question 6 (mechanisms[1]): "kafka" is not a source of this build`}},
	{"an action for a mechanism", "runbook.yaml", "mechanisms: [eventbridge]", `mechanisms: ["cloudtrail:AssessTrail"]`, []string{`question 6 (mechanisms[0]): "cloudtrail:AssessTrail" is not a source of this build`}},

	{"no triggers", "runbook.yaml", manifest[strings.Index(manifest, "triggers:"):strings.Index(manifest, "done:")], "", []string{"question 7 (triggers): missing: which events start the runbook?"}},
	{"a trigger without a name", "runbook.yaml", "name: stopped", "name: ''", []string{`question 7 (triggers[0].name): "" is missing or not unique`}},
	{"two triggers of a name", "runbook.yaml", "name: changed", "name: stopped", []string{`question 7 (triggers[1].name): "stopped" is missing or not unique`}},
	{"a trigger's severity", "runbook.yaml", "severity: high", "severity: big", []string{`question 7 (triggers[1].severity): "big" is not low, medium, high or critical`}},
	{"a pattern that AWS refuses", "runbook.yaml", `["StopLogging"]`, `"StopLogging"`, []string{`question 7 (triggers[0].pattern): Event pattern is not valid. Reason: "eventName" must be an object or an array`}},
	{"no state machine", "state-machine.asl.json", stateMachine, "", []string{"question 7 (state-machine.asl.json): missing: the objective in code"}},
	{"a state machine that is no JSON", "state-machine.asl.json", stateMachine, "{", []string{"question 7 (state-machine.asl.json): "}},
	{"a state that leads nowhere", "state-machine.asl.json", `"Next": "Report"`, `"Next": "Repport"`, []string{"question 7 (state-machine.asl.json/States/Tell/Next): ", "question 7 (state-machine.asl.json/States/Report): "}},
	{"an unknown action", "state-machine.asl.json", "switchback:cloudtrail:StartLogging", "switchback:cloudtrail:Nothing", []string{"question 7 (state-machine.asl.json/States/Start/Resource): there is no action cloudtrail:Nothing", `question 9 (human.approve[0]): the state machine has no action "cloudtrail:StartLogging"`}},
	{"an unknown field", "state-machine.asl.json", `"to": "security"`, `"to": "security", "urgent": true`, []string{`question 7 (state-machine.asl.json/States/Tell/Parameters/urgent): action notify:Send has no field "urgent"`}},
	{"a missing field", "state-machine.asl.json", `"to": "security"`, "", []string{`question 7 (state-machine.asl.json/States/Tell/Parameters): action notify:Send needs the field "to"`}},
	{"a task without parameters", "state-machine.asl.json", `"Parameters": {"to": "security"}, `, "", []string{"question 7 (state-machine.asl.json/States/Tell): a task of a switchback: action needs an object Parameters"}},

	{"not done", "runbook.yaml", "done: [it-restarts]", "done: []", []string{"question 8 (done): missing: which scenarios must pass?"}},
	{"a scenario that is not there", "runbook.yaml", "done: [it-restarts]", "done: [it-restarts, it-flies]", []string{"question 8 (done[1]): no scenario scenarios/it-flies.txtar"}},
	{"tell whom", "runbook.yaml", "tell: always", "tell: sometimes", []string{`question 9 (human.tell): "sometimes" is not always, succeeded or never`}},
	{"tells nobody", "state-machine.asl.json", `"switchback:notify:Send", "Parameters": {"to": "security"}`, `"switchback:identity:Extract", "Parameters": {"event_id": "x"}`, []string{"question 9 (human.tell): untrue: the state machine tells nobody (notify:Send)"}},
	{"approve what", "runbook.yaml", `approve: ["cloudtrail:StartLogging"]`, `approve: ["iam:DeleteUser"]`, []string{`question 9 (human.approve[0]): the state machine has no action "iam:DeleteUser"`}},
}

func TestCheckRefuses(t *testing.T) {
	for _, c := range refusals {
		t.Run(c.name, func(t *testing.T) {
			r := load(t, with(t, c.file, c.old, c.replacement))
			var got []string
			for i, p := range r.Check(catalog{}) {
				line := p.String()
				if i < len(c.want) && strings.HasSuffix(c.want[i], "): ") && len(line) > len(c.want[i]) {
					line = line[:len(c.want[i])] // asl's words are its own
				}
				got = append(got, line)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckAsksEveryQuestion(t *testing.T) {
	for q := '1'; q <= '9'; q++ {
		found := false
		for _, c := range refusals {
			for _, want := range c.want {
				found = found || strings.HasPrefix(want, "question "+string(q)+" ")
			}
		}
		if !found {
			t.Errorf("no refusal of question %c", q)
		}
	}
}
