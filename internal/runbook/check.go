// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/eventpattern"
)

// Catalog is what a runbook may name: actions with their fields, and sources. The wiring passes what is linked in.
type Catalog interface {
	asl.Catalog
	// IsRead reports whether the action exists and changes nothing.
	IsRead(action string) bool
	// IsSource reports whether events can come in under this name ("cloudtrail event", "s3 log files").
	IsSource(name string) bool
	// Permissions returns the IAM actions that an action needs.
	Permissions(action string) []string
}

// Problem is one reason to refuse a runbook.
type Problem struct {
	Question int    `json:"question,omitempty"` // 1 to 9; 0 for what concerns the folder as a whole
	Field    string `json:"field"`              // "objective", "triggers[0].pattern", "state-machine.asl.json/States/X"
	Message  string `json:"message"`
	Warning  bool   `json:"warning,omitempty"`
}

// String is one line for people.
func (p Problem) String() string {
	if p.Question == 0 {
		return fmt.Sprintf("%s: %s", p.Field, p.Message)
	}
	return fmt.Sprintf("question %d (%s): %s", p.Question, p.Field, p.Message)
}

var (
	kebab  = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	figure = regexp.MustCompile(`(?i)\b\d+(\.\d+)?\s*(%|(ms|s|sec|seconds?|m|min|minutes?|h|hours?|days?)\b)`)
)

// Check returns every problem of the runbook, by question. It is fine when none of them is an error.
func (r *Runbook) Check(c Catalog) []Problem {
	k := &checker{r: r, m: &r.Manifest, catalog: c}
	k.head()
	k.objective()
	k.evidence()
	k.ownership()
	k.objectives()
	k.triggers()
	k.stateMachine()
	k.done()
	k.human()
	slices.SortStableFunc(k.problems, func(a, b Problem) int { return a.Question - b.Question })
	return k.problems
}

type checker struct {
	r        *Runbook
	m        *Manifest
	catalog  Catalog
	problems []Problem
}

func (k *checker) fault(question int, field, format string, args ...any) {
	k.problems = append(k.problems, Problem{Question: question, Field: field, Message: fmt.Sprintf(format, args...)})
}

func (k *checker) head() {
	if !kebab.MatchString(string(k.m.ID)) {
		k.fault(0, "id", "%q is not kebab-case", k.m.ID)
	}
	if k.r.folder != "" && k.r.folder != string(k.m.ID) {
		k.fault(0, "id", "%q is not the name of its folder, %q", k.m.ID, k.r.folder)
	}
	if strings.TrimSpace(k.m.Title) == "" {
		k.fault(0, "title", "missing")
	}
	if k.m.Severity.Rank() == 0 {
		k.fault(0, "severity", "%q is not low, medium, high or critical", k.m.Severity)
	}
	if len(strings.TrimSpace(k.r.Guide)) < 80 {
		k.fault(0, GuideFile, "missing or too short: what should the person who is woken up do?")
	}
}

func (k *checker) objective() {
	switch {
	case strings.TrimSpace(k.m.Objective) == "":
		k.fault(1, "objective", "missing: say in words what must be true again, and how fast")
	case !figure.MatchString(k.m.Objective):
		k.fault(1, "objective", "cannot be tested: name a figure, such as \"within 30 s\"")
	}
	if k.m.Concern != "configuration" && k.m.Concern != "behavior" {
		k.fault(2, "concern", "%q is neither configuration nor behavior", k.m.Concern)
	}
}

func (k *checker) evidence() {
	if len(k.m.Evidence) == 0 {
		k.fault(3, "evidence", "missing: which data, where, could inform us?")
	}
	for i, e := range k.m.Evidence {
		if !k.catalog.IsSource(e) && !k.catalog.IsRead(e) {
			k.fault(3, fmt.Sprintf("evidence[%d]", i), "%q is neither a source nor an action that reads", e)
		}
	}
	if len(k.m.Mechanisms) == 0 {
		k.fault(6, "mechanisms", "missing: how does the evidence reach us?")
	}
	for i, m := range k.m.Mechanisms {
		if !k.catalog.IsSource(m) {
			k.fault(6, fmt.Sprintf("mechanisms[%d]", i), "%q is not a source of this build", m)
		}
	}
}

var accountList = regexp.MustCompile(`^(all|\d{12}( \d{12})*)$`)

func (k *checker) ownership() {
	if !accountList.MatchString(k.m.Ownership.Accounts) {
		k.fault(4, "ownership.accounts", "%q is neither \"all\" nor account ids", k.m.Ownership.Accounts)
	}
	if r := k.m.Ownership.Resources; !slices.Contains([]string{"", "all", BaselineResources, OwnResources}, r) {
		k.fault(4, "ownership.resources", "%q is none of \"all\", %q and %q", r, BaselineResources, OwnResources)
	}
	if k.m.Ownership.Permissions != "generated" {
		k.fault(4, "ownership.permissions", "want \"generated\": permissions come from the actions used, never by hand")
	}
}

func (k *checker) objectives() {
	for _, o := range []struct {
		name  string
		value Duration
	}{{"contained", k.m.Objectives.Contained}, {"human_reached", k.m.Objectives.HumanReached}, {"report", k.m.Objectives.Report}} {
		if o.value <= 0 {
			k.fault(5, "objectives."+o.name, "missing: how fast is fast enough?")
		}
	}
	if !k.uses(reportAction) {
		k.fault(5, "objectives.report", "untrue: the state machine writes no report (%s)", reportAction)
	}
}

// The actions that the answers to questions 5 and 9 promise.
const (
	reportAction = "report:Write"
	notifyAction = "notify:Send"
)

// uses reports whether the state machine names the action. A state machine that cannot be read gets the benefit of the
// doubt: that is a fault of its own.
func (k *checker) uses(action string) bool {
	return !json.Valid(k.r.StateMachine) || slices.Contains(k.r.Actions(), action)
}

func (k *checker) triggers() {
	if len(k.m.Triggers) == 0 {
		k.fault(7, "triggers", "missing: which events start the runbook?")
	}
	seen := map[string]bool{}
	for i, t := range k.m.Triggers {
		field := fmt.Sprintf("triggers[%d]", i)
		if t.Name == "" || seen[t.Name] {
			k.fault(7, field+".name", "%q is missing or not unique", t.Name)
		}
		seen[t.Name] = true
		if t.Severity != "" && t.Severity.Rank() == 0 {
			k.fault(7, field+".severity", "%q is not low, medium, high or critical", t.Severity)
		}
		if _, err := eventpattern.Compile([]byte(t.Pattern)); err != nil {
			k.fault(7, field+".pattern", "%v", err)
		}
	}
}

func (k *checker) stateMachine() {
	if len(k.r.StateMachine) == 0 {
		k.fault(7, StateMachineFile, "missing: the objective in code")
		return
	}
	for _, p := range asl.Check(k.r.StateMachine, asl.CheckOptions{Catalog: k.catalog}) {
		k.problems = append(k.problems, Problem{7, StateMachineFile + p.Path, p.Message, p.Severity == asl.SeverityWarning})
	}
}

func (k *checker) done() {
	if len(k.m.Done) == 0 {
		k.fault(8, "done", "missing: which scenarios must pass?")
	}
	for i, name := range k.m.Done {
		if _, ok := k.r.Scenarios[name]; !ok {
			k.fault(8, fmt.Sprintf("done[%d]", i), "no scenario %s/%s.txtar", ScenarioFolder, name)
		}
	}
}

func (k *checker) human() {
	if !slices.Contains([]string{"always", "succeeded", "never"}, k.m.Human.Tell) {
		k.fault(9, "human.tell", "%q is not always, succeeded or never", k.m.Human.Tell)
	}
	if k.m.Human.Tell != "never" && !k.uses(notifyAction) {
		k.fault(9, "human.tell", "untrue: the state machine tells nobody (%s)", notifyAction)
	}
	for i, a := range k.m.Human.Approve {
		if !k.uses(a) {
			k.fault(9, fmt.Sprintf("human.approve[%d]", i), "the state machine has no action %q", a)
		}
	}
}
