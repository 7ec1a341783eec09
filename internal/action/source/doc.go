// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package source holds the action that proves that a source of events is heard again. It asks nobody but our own store.
//
// # source:ProveHeard
//
// Input: the event that said that the source is silent ("event_id" defaults to the incident's first event).
//
//	{"event_id": "0a6c6a43-…"}
//
// Output:
//
//	{"source": "sqs/1", "heard": true, "proven": true, "at": "…", "reason": "one sentence",
//	 "last_heard": "…",   when it last brought something; absent: never
//	 "last_canary": "…"}  when it last brought the event of a call of our own; absent: never
//
// Heard is what came after the incident began, or happened again. Then the incident is contained, and with a canary, which
// shows that the whole way is open, proven. It looks once; loop over it with a Wait state.
//
// It fails with Switchback.NotFound when the incident has no such event, and with Switchback.InvalidParameters when the
// event names no source.
package source
