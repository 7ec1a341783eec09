// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package engine runs state machines durably inside one process. What AWS's Step Functions does for deployed runbooks,
// this package does embedded: both run the same definitions (package asl), and task tokens, history and statuses mean the
// same.
//
// # Guarantees
//
// A transition is on disk before its effect is visible: the state of the execution, its history events and its next timer
// are committed together; only then are tasks handed to workers and observers told. After a kill the tasks that were
// awaited are handed out again, so a handler MUST be able to do its work again; Task.Visit tells it that it did.
//
// An execution at rest, waiting for a timer or a person, is not in memory at all. Executions at work are bounded: what
// cannot be handed to a worker soon stays in the store.
//
// Several engines, in one process or many, may share a store. An engine owns an execution while tasks of it are in its
// hands, and holds a lease; when the lease runs out or the process dies, others take over. Every commit names the version
// that it follows, so that of two engines that work on one execution all the same only one has an effect.
//
// Time is Options.Clock: Run follows it in real time and never trusts it for longer than a second, so that timers survive
// a clock that is set; RunDue does everything that is due by it and returns, for simulated time. Nothing is worked on
// unless one of the two runs.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-states.html
package engine
