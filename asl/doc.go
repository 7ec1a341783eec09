// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package asl parses, checks and interprets state machines in the Amazon States Language.
//
// Parse reads a definition into a StateMachine for those who look at it (diagrams, exports). Check reports everything
// that AWS would refuse of a standard state machine. Compile turns a definition into a Machine, which runs it.
//
// The interpreter is pure: it has no clock, no goroutine, no file and no network. Every call takes the current time and
// a Run, the durable state of one execution; it advances the Run as far as it can without waiting, and returns Effects:
// the history events that happened and the tasks to be done. The caller stores the Run (its JSON form is compact and
// stable), then makes the effects visible, does the tasks, and comes back with TaskSucceeded or TaskFailed, or with Tick
// when Run.Wake says that a timer is due. A Run may be stored and read back between any two calls; the history and the
// output do not depend on it.
//
// One call runs a bounded number of transitions. When a machine would go on without waiting, Run.Wake returns a time
// that is due already and the next Tick continues; so a state that loops for ever costs bounded memory a call, and ends
// at MaxEvents.
//
// A Machine is safe for concurrent use; a Run belongs to one goroutine at a time.
//
// The package runs standard (not express) machines, JSONPath by itself and JSONata through the interface Expressions.
// It differs from AWS, knowingly, in this:
//
//   - Distributed Map states run their child executions inside the execution, with its context object; they run at most
//     1,000 of them at a time. ItemReader and ResultWriter, which need S3, are refused.
//   - ToleratedFailureCount, ToleratedFailurePercentage and ItemBatcher work in inline Map states too.
//   - Names of errors that AWS documents but reports under another name (States.ParameterPathFailure,
//     States.IntrinsicFailure, States.HeartbeatTimeout, States.BranchFailed) match in ErrorEquals as well.
//   - Inputs and outputs with a duplicate key are refused, where AWS takes the last.
//   - A branch of a Parallel that fails without waiting keeps the branches after it from being started.
//
// Semantics: https://states-language.net/spec.html and
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-amazon-states-language.html
package asl
