// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/switchback-project/switchback/internal/arn"
)

// Alarm is the configuration of a CloudWatch alarm on what a trail records, in AWS's words. The state in which the alarm is
// does not belong to it: CloudWatch sets it anew with the next evaluation.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
type Alarm struct {
	Exists bool    `json:"Exists"`
	ARN    arn.ARN `json:"AlarmArn,omitempty"`
	// Type is "MetricAlarm" or "CompositeAlarm".
	Type           string `json:"AlarmType,omitempty"`
	ActionsEnabled bool   `json:"ActionsEnabled,omitempty"`
	// The actions are ARNs, sorted.
	AlarmActions            []string `json:"AlarmActions,omitempty"`
	OKActions               []string `json:"OKActions,omitempty"`
	InsufficientDataActions []string `json:"InsufficientDataActions,omitempty"`
	// Definition is what the alarm watches: the other members that PutMetricAlarm or PutCompositeAlarm take, where they are
	// set, each with sorted members.
	Definition map[string]json.RawMessage `json:"Definition,omitempty"`
}

// Types of alarms.
const (
	MetricAlarm    = "MetricAlarm"
	CompositeAlarm = "CompositeAlarm"
)

// Fields of an alarm that callers tell apart. The others are those of its definition and its actions.
const (
	FieldAlarmType      = "AlarmType"
	FieldActionsEnabled = "ActionsEnabled"
	// alarmDescription is for people only.
	alarmDescription = "AlarmDescription"
)

// WeakenedAlarm returns, in a fixed order, everything in which have is weaker than want. What the alarm watches must be the
// same: a number that is better for one alarm is worse for another.
func WeakenedAlarm(want, have Alarm) []Difference {
	w := weakening{}
	if w.gone(want.Exists, have.Exists, "the alarm is gone: nobody is warned") {
		return w.found
	}
	w.same(FieldAlarmType, want.Type, have.Type, "the alarm was made again as one of another kind")
	w.flag(FieldActionsEnabled, want.ActionsEnabled, have.ActionsEnabled, "the alarm warns nobody")
	w.actions("AlarmActions", want.AlarmActions, have.AlarmActions)
	w.actions("OKActions", want.OKActions, have.OKActions)
	w.actions("InsufficientDataActions", want.InsufficientDataActions, have.InsufficientDataActions)
	names := slices.Concat(slices.Collect(maps.Keys(want.Definition)), slices.Collect(maps.Keys(have.Definition)))
	for _, name := range sorted(names) {
		if name != alarmDescription {
			w.same(name, string(want.Definition[name]), string(have.Definition[name]), "the alarm watches something else")
		}
	}
	return w.found
}

func (w *weakening) actions(field string, want, have []string) {
	lost, added := missingFrom(want, have), missingFrom(have, want)
	if len(lost)+len(added) == 0 {
		return
	}
	var notes []string
	for _, a := range lost {
		notes = append(notes, "no longer "+brief(a))
	}
	for _, a := range added {
		notes = append(notes, "newly "+brief(a))
	}
	w.add(field, string(mustJSON(want)), string(mustJSON(have)), joinSome(notes))
}

// Canonical returns a in the one form in which equal alarms are equal.
func (a Alarm) Canonical() Alarm {
	a.AlarmActions, a.OKActions = sorted(a.AlarmActions), sorted(a.OKActions)
	a.InsufficientDataActions = sorted(a.InsufficientDataActions)
	return a
}
