// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package identity holds the actions that say who made a call, and which human is behind it. Both only read; the rules
// are those of the package internal/identity.
//
// # identity:Extract
//
// Takes the facts out of one event that the incident holds as evidence. Input ("event_id" defaults to the incident's
// first event):
//
//	{"event_id": "0a6c6a43-…"}
//
// Output; members that the record does not have are absent, every text is printable and capped:
//
//	{"event_id", "event_name": "StopLogging", "event_source": "cloudtrail.…",
//	 "at": "2026-05-04T10:11:12Z", "date": "2026-05-04", "time": "10:11:12",
//	 "principal": "arn:…", "principal_type": "AssumedRole", "principal_id", "principal_name": "Admin",
//	 "principal_account", "account": "111122223333", "session_name", "source_identity", "invoked_by",
//	 "access_key_id", "mfa": true, "source_ip": "198.51.100.7", "user_agent", "agent": "AWS CLI 2.17 on Linux",
//	 "region": "eu-west-1", "place": "Europe (Ireland)", "target": "arn:… or name",
//	 "error_code", "error_message",
//	 "sentence": "role session Admin/a at 2026-05-04 10:11:12 UTC called StopLogging on … from 198.51.100.7 with …"}
//
// The sentence becomes the incident's summary while that is empty.
//
// # identity:Resolve
//
// Follows the session back, hop by hop, to the human: first through the index of issuing events that were received,
// then through Event history (by the issued key, session or instance, within the longest life of a session; the caller's
// copy of a call across accounts and console sign-ins by their moment). Input as above. Output:
//
//	{"principal": "arn:…", "session_key": "ASIA…", "status": "resolved" | "unresolved" | "service",
//	 "human": "alice", "human_arn": "arn:…",
//	 "chain": ["arn:… nearest principal", "…", "alice"],
//	 "hops": [{"eventID", "eventName": "AssumeRole", "at", "caller": "arn:…", "callerType": "IAMUser",
//	           "confidence": "key", "source": "sessions index" | "event history", "note"}],
//	 "workload": {"provider", "subject", "repository": "org/app", "ref", "actor": "who started the CI job"},
//	 "carrier": "arn:… the instance or function whose credentials these are",
//	 "nearby": [hops of those who launched that instance or had a session on it, latest first],
//	 "reason": "why it is unresolved", "missing": ["ASIA… whose issuing event would help"],
//	 "gaps": ["what could not be searched"],
//	 "sentence": "alice through role session Admin/a at …"}
//
// "human" is absent unless status is resolved. The result is kept on the incident: Who, Summary, and a timeline entry
// that names each hop's evidence. A source that cannot be searched is a gap and no failure; running it again once more
// events have come in can only turn unresolved into resolved.
//
// Both fail with Switchback.NotFound when the incident has no such event.
package identity
