// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package events puts the EventBridge rule back that brings us events: the rule itself with its pattern and state, its
// targets, its event bus and who may send events there.
//
// "events:RestoreRule" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:rule/NAME", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "", "note": "", "revalidate_trail": false}
//
// A rule is put whole, with its state: EnableRule would make of a rule that gets all management events one that does not
// get those of calls that read. A target that the baseline does not know is removed: it copies every event to somebody,
// and takes the place of ours, since a rule has room for five. AWS answers a target that it refuses without an error; such
// an entry is an error here.
//
// Undo puts the rule, its targets and the bus back as they were found, and deletes what was made again.
//
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
package events
