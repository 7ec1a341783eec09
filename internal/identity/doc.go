// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package identity says who made a call: the principal, its session, and hop by hop the human who started it.
//
// [Extract] takes the facts out of one record and puts them into one sentence. [Resolve] follows temporary credentials
// back through the events that issued them: calls of STS, by the key that they issued; console sign-ins and switches of
// roles, by principal and moment; the copies of a call across accounts, by their shared id. They are found through an
// [Index], which may be memory, a database, files or Event history. [Waiting] says which chains an event that comes late
// may complete. [Printable] is how text that an attacker wrote becomes fit for people's eyes.
//
// An answer is evidence and says how strong: each hop names its event and how it was linked. What the evidence does not
// carry stays unresolved; the free text of a role session's name never resolves anything, and two events that tell
// different stories about one key resolve nothing. The package has no clock and no network, and is safe for concurrent use.
//
// It does not judge whether the human meant it, and it does not know how to reach them (see internal/contact).
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
package identity
