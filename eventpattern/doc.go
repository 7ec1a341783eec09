// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventpattern matches events against the event patterns of Amazon EventBridge, with EventBridge's verdicts.
//
// [Compile] checks a pattern completely and refuses what EventBridge refuses, with its words. A [Pattern] matches single
// events; a [Set] matches an event against hundreds of patterns at once, at a cost that does not grow with their number.
// Every JSON object is an event.
//
// # Semantics
//
// A pattern names fields; each holds a list of alternatives. An event matches when every field named has a value that
// matches one alternative. Fields inside arrays of objects are found in any element, but several fields under one array
// must match in the same element. Path steps are joined by dots, so {"a.b": …} and {"a": {"b": …}} are the same, in
// patterns and events. A field named twice in a pattern, also once beside and once inside a $or, has the alternatives
// written last. Numbers compare as float64, strings by code points.
//
// Where a name occurs twice in one object of an event, both values are seen.
//
// # Bounds
//
// Patterns are at most [MaxPatternSize] long, with at most [MaxCombinations] combinations of $or operands and a bounded
// number of wildcards; events are nested at most 1000 levels deep. What exceeds them is refused by a named error.
// Matching time is linear in the size of the event, but for events whose names contain dots, or repeat, in front of
// arrays of objects: there the search is cut off after a fixed number of steps, see [ErrTooComplex].
//
// The package is not an event bus: it knows no rules, targets or states of rules, no clock and no network.
//
// Language: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html
package eventpattern
