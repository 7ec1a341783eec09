// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package notify holds the action that tells humans what happened.
//
// # notify:Send
//
// Input:
//
//	{"to": "security" | "person" | "reminder" | "fallback",
//	 "event_id": "…",        the event to tell about; absent: the incident's first
//	 "people": [{…}],        person and fallback: whom; absent: looked up again (contact:LookUp), the configured fallback
//	 "done": ["logging of trail main is on again"],   what was put back, one line each; absent: from the undo records
//	 "reminders": {"after": "15m", "every": "1h", "count": 4},   security and person: remind until acknowledged
//	 "attempt": 1,           reminder: which one this is, from 1; person: the person is reminded
//	 "why": "…"}             person and fallback: why somebody else is asked now
//
// "security" goes to the security channel in full. "person" says only what, when, from which address, what was undone
// and whom to call. "reminder" goes to security, and is not sent (skipped) once the incident is acknowledged.
// "fallback" goes to the configured fallback. All channels are tried, with retries.
//
// Output:
//
//	{"message_id": "20260504-cloudtrail-off-1a2b3c4d-security-5f6e7d8c",
//	 "accepted": true, "human_reached": true,
//	 "deliveries": [{"message", "kind", "channel": "smtp", "to": ["security@example.com"], "accepted": true,
//	                 "reaches_human": true, "attempts": 1, "error": "", "at"}],
//	 "next": {"key": "reminder/1", "kind": "reminder", "due_at": "…", "attempt": 1},    where one was scheduled
//	 "skipped": "acknowledged by bob"}                                                   where nothing was sent
//
// The message id is made of the incident, the kind and the state visit: a task that is run again after a kill sends to
// nobody who has it already. Each outcome is on the timeline and in the outbox; Times.HumanReached is set when a channel
// that reaches humans accepted.
//
// Reminders: the policy is kept with the incident (Facts "reminders"). The first send with "reminders" schedules the timer
// {Key: "reminder/1", Kind: "reminder", Attempt: 1} at "after" from the first acceptance. When it is due, run
// notify:Send with {"to": "reminder", "attempt": 1}, then complete the timer: the action has scheduled "reminder/2"
// after "every" …, and after the last one {Key: "fallback", Kind: "fallback"}, for which run {"to": "fallback"}.
//
// The first "person" of a run also begins the escalation of "was it you?" (incident.Asked): a timer {Key: "ask/1", Kind:
// "ask"} after 15 minutes, or for the manager after one where no channel took the message. Where links are configured, the
// message to a person carries one to answer with.
//
// It fails with Switchback.NotDelivered when no channel at all accepted; each channel's error is in the cause.
package notify
