// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package gate is the one door to AWS. Nothing else in Switchback makes a client with credentials in it: an action, a
// source or a command asks a Door for an aws.Config, and every call of every client made from that configuration passes
// here, on the way out and on the way back.
//
//	g, err := gate.Open(ctx, gate.Options{Journal: store, Guard: store, Policy: &policy})
//	cfg, err := g.Door(gate.Scope{Incident: "42", Action: "cloudtrail:StartLogging", Mode: gate.Act}).Config(ctx, account, region)
//	_, err = cloudtrail.NewFromConfig(cfg).StartLogging(ctx, in)
//
// # What passes
//
// A call is one of three things, by its key "ServiceID.Operation":
//
//   - A read is on the list in reads.go. Reads always pass. AssumeRole and GetCallerIdentity count as reads.
//   - Plumbing is one of a few calls on a queue or channel that the Scope names as our own: receiving, extending and
//     deleting messages there is how events reach us, publishing and mailing how people hear of them, and both must work
//     while everything else is only observed. It always passes.
//   - Everything else is a mutation: also what AWS adds tomorrow, also SendCommand, also signing a URL for one.
//
// A mutation passes in this order, and stays here at the first no, with a *NotSent that wraps the sentinel:
//
//  1. the mode, the least of Options.DryRun, Options.Policy and Scope.Mode: ErrDryRun, or ErrNeedsApproval;
//  2. credentials: who calls is known before anything is promised;
//  3. the Guard (the pause flag, limits shared between processes): ErrPaused, and also when it cannot be asked;
//  4. the budget of the class and account: ErrBudget;
//  5. Journal.Intend, durable before the call leaves: ErrNotJournalled;
//  6. before each attempt the quota's token, and after any wait the Guard once more.
//
// # Why it cannot be forgotten
//
// The gate is the last middleware of the SDK's Initialize step, behind validation, so it judges what will be sent. Code
// that takes the middleware out again (a client's Options can) meets the gate a second time: the HTTP client refuses
// requests that did not pass, and the credentials refuse to be read for them. What this package cannot stop is code that
// brings its own HTTP client and its own credentials; the floors test and the linter keep such imports out.
//
// The sign-in calls of the SDK's own credential chain (IMDS, Identity Center, web identity) are made by that chain and are
// not journalled; the roles of Options.Accounts are assumed through the gate.
//
// # What is ours
//
// Every call carries the user agent "switchback/VERSION" and "incident/ID"; the role session is "switchback-ID" and has
// the incident as source identity. Anybody can imitate those, so the loop guard asks Gate.IsOwn: it knows the request ids
// that AWS (or the backend) gave to our calls.
//
// # Retries and pace
//
// Retries happen here and nowhere else: the SDK's standard retryer with five attempts. Calls wait for the quota of their
// API before each attempt (rates.go). A custom endpoint gets S3 path style and no host prefixes.
//
// Budgets and pace live in this process. A limit that several processes share belongs into the Guard.
//
// https://docs.aws.amazon.com/sdk-for-go/v2/developer-guide/middleware.html
package gate
