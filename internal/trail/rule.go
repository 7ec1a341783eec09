// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Rule is the configuration of the EventBridge rule that brings us events, with that of its event bus, in AWS's words.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html
type Rule struct {
	Exists bool    `json:"Exists"`
	ARN    arn.ARN `json:"Arn,omitempty"`
	// EventPattern is canonical; see CanonicalPattern.
	EventPattern       json.RawMessage `json:"EventPattern,omitempty"`
	ScheduleExpression string          `json:"ScheduleExpression,omitempty"`
	State              string          `json:"State,omitempty"`
	RoleArn            string          `json:"RoleArn,omitempty"`
	// Description matters only when the rule is put again.
	Description string       `json:"Description,omitempty"`
	Targets     []RuleTarget `json:"Targets,omitempty"` // sorted by their ids
	// Bus is the rule's event bus.
	Bus EventBus `json:"EventBus"`
}

// RuleTarget is where a rule sends events.
type RuleTarget struct {
	ID  string `json:"Id"`
	ARN string `json:"Arn"`
	// Definition is the whole target as PutTargets takes it, with sorted members.
	Definition json.RawMessage `json:"Definition"`
}

// EventBus is what a rule's event bus is. The default bus of an account is always there.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeEventBus.html
type EventBus struct {
	Exists bool `json:"Exists"`
	// Policy says who else may send events to the bus, canonical; see CanonicalPolicy.
	Policy json.RawMessage `json:"Policy,omitempty"`
	// Description and KmsKeyIdentifier matter only when the bus is made again.
	Description      string `json:"Description,omitempty"`
	KmsKeyIdentifier string `json:"KmsKeyIdentifier,omitempty"`
}

// Fields of a rule that callers tell apart. Those of targets end in the target's id.
const (
	FieldRuleBus       = "EventBus.Exists"
	FieldRuleBusPolicy = "EventBus.Policy"
	FieldRulePattern   = "EventPattern"
	FieldRuleSchedule  = "ScheduleExpression"
	FieldRuleState     = "State"
	FieldRuleRole      = "RoleArn"
	fieldTargets       = "Targets."
)

// FieldTarget is the field of a difference in a target.
func FieldTarget(id string) string { return fieldTargets + brief(id) }

// States of a rule, from weak to strong. Only in the last does it get the events of calls that read.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
var ruleStates = []string{"DISABLED", "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"}

// TargetIn finds the target of an id.
func (r Rule) TargetIn(id string) (RuleTarget, bool) {
	i := slices.IndexFunc(r.Targets, func(t RuleTarget) bool { return t.ID == id })
	if i < 0 {
		return RuleTarget{}, false
	}
	return r.Targets[i], true
}

// WeakenedRule returns, in a fixed order, everything in which have is weaker than want.
func WeakenedRule(want, have Rule) []Difference {
	w := weakening{}
	w.flag(FieldRuleBus, want.Bus.Exists, have.Bus.Exists, "the event bus is gone, with its rules")
	w.policy(FieldRuleBusPolicy, want.Bus.Policy, have.Bus.Policy)
	if w.gone(want.Exists, have.Exists, "the rule is gone: no events reach us") {
		return w.found
	}
	if !patternCovers(have.EventPattern, want.EventPattern) {
		w.add(FieldRulePattern, string(want.EventPattern), string(have.EventPattern), "events that matched do not match any more")
	}
	w.same(FieldRuleSchedule, want.ScheduleExpression, have.ScheduleExpression, "the rule runs at other times")
	if slices.Index(ruleStates, have.State) < slices.Index(ruleStates, want.State) {
		w.add(FieldRuleState, want.State, have.State, stateNote(have.State))
	}
	w.same(FieldRuleRole, want.RoleArn, have.RoleArn, "events are sent with another role, or with none")
	w.targets(want, have)
	return w.found
}

func stateNote(state string) string {
	if state == ruleStates[1] {
		return "events of calls that read do not reach us any more"
	}
	return "no events reach us"
}

func (w *weakening) targets(want, have Rule) {
	for _, t := range want.Targets {
		now, ok := have.TargetIn(t.ID)
		switch {
		case !ok:
			w.add(FieldTarget(t.ID), t.ARN, "", "the target gets no events any more")
		case !bytes.Equal(now.Definition, t.Definition):
			w.add(FieldTarget(t.ID), string(t.Definition), string(now.Definition), "the target is another one, or gets something else")
		}
	}
	for _, t := range have.Targets {
		if _, known := want.TargetIn(t.ID); !known {
			w.add(FieldTarget(t.ID), "", t.ARN, "events are sent to a new target")
		}
	}
}

// patternCovers reports whether every event that matches the pattern narrow matches wide as well. The answer true is
// always right; false can be wrong, which is the safe side. No pattern is that of a rule with a schedule.
func patternCovers(wide, narrow json.RawMessage) bool {
	if bytes.Equal(wide, narrow) {
		return true
	}
	var w, n any
	if len(wide) == 0 || len(narrow) == 0 || json.Unmarshal(wide, &w) != nil || json.Unmarshal(narrow, &n) != nil {
		return false
	}
	return covers(w, n)
}

// covers: a field that is not named matches everything, and a list matches by any of its values. What is in a $or is not
// looked into, nor is what an operator takes.
func covers(wide, narrow any) bool {
	switch w := wide.(type) {
	case map[string]any:
		n, ok := narrow.(map[string]any)
		for name, x := range w {
			y, named := n[name]
			if !ok || !named || strings.HasPrefix(name, "$") && !bytes.Equal(mustJSON(x), mustJSON(y)) || !covers(x, y) {
				return false
			}
		}
		return ok
	case []any:
		n, ok := narrow.([]any)
		return ok && !slices.ContainsFunc(n, func(y any) bool {
			return !slices.ContainsFunc(w, func(x any) bool { return bytes.Equal(mustJSON(x), mustJSON(y)) })
		})
	}
	return false
}

// CanonicalPattern is an event pattern, or another JSON document of AWS that is no policy, with its keys sorted. What is no
// JSON object, too large, or has a key twice is kept as a JSON string of the document; [PolicyText] still gives it back.
func CanonicalPattern(document string) json.RawMessage {
	if document == "" {
		return nil
	}
	if _, err := parseDocument(document); err != nil {
		return mustJSON(document)
	}
	var v any
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return mustJSON(document)
	}
	return mustJSON(v)
}

// Canonical returns r in the one form in which equal rules are equal.
func (r Rule) Canonical() Rule {
	r.Targets = canonicalList(r.Targets, func(t RuleTarget) RuleTarget { return t })
	return r
}
