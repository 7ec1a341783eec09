// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sandbox is an AWS of our own behind the gate: accounts, principals, trails, buckets, keys, queues, and a
// CloudTrail that records every call and delivers what it records. The demo, the scenarios, game days and replay run
// in it without credentials and without a network.
//
// A [Sandbox] is a [gate.Backend]: it answers the typed inputs of aws-sdk-go-v2 with typed outputs and the typed
// errors that AWS documents. What it does is held to a third party by the contract suite of internal/gate/gatetest,
// which runs against moto too.
//
// Guarantees:
//
//   - Every call leaves the event record that CloudTrail would write: in Event history, in the queues of [Sandbox.Subscribe]
//     while a trail is logging, and in log files in the buckets of the trails that cover it.
//   - Time is the clock it was given; ids come from a seed. The same calls at the same times give the same account.
//   - With a state file, a change is on disk before the caller has its answer, see [Open].
//   - It is safe for concurrent use. One lock guards everything, calls never wait inside it.
//
// What it is not: it checks no signatures; a user or role may do everything that nothing denies (a [Sandbox.Deny], an
// inline or attached policy's Deny, a resource policy), for allowing by policy is AWS's business and not ours to test; it
// delivers no digest files; an operation that it does not know is refused as NotImplemented, never answered by a guess.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/Welcome.html
package sandbox
