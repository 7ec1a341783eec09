// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package contact holds the action that finds out how to reach the human of an incident.
//
// # contact:LookUp
//
// Asks the configured directories, in the order of internal/contact: the directory file, Identity Center, an HTTP
// service, IAM tags (only a hint), the account's security contact; where nobody is found, or who was found has left, their
// manager, whoever is on call, the fallback. Input: none, {} (the human is the incident's, see identity:Resolve).
// Output:
//
//	{"people": [{"name": "Alice Example", "email": "alice@example.com", "slack": "U012AB3CD", "phone",
//	             "source": "file" | "identity center" | "http" | "iam tags" | "account contact" | "manager" | "on-call" |
//	                       "fallback", "is_hint": false, "note"}],
//	 "notes": ["iam tags: ignored, changed on 2026-05-01"],
//	 "source": "file"}
//
// People are listed best first and never empty; "source" is that of the first. A directory that is down is a note. The
// answer is kept on the timeline. It fails with Switchback.NobodyToContact only where no fallback is configured either.
package contact
