// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package state reads what AWS resources look like now, through the gate: trails, their keys and buckets, and Event
// history. It changes nothing, remembers nothing and decides nothing; what a reading means is judged by internal/trail.
//
// Calls go to the account and region that own the resource, as its ARN says. What could not be read is either an error
// or said in words (gaps), never taken for empty. AWS's errors are wrapped and keep their type; a resource that is not
// there is incident.ErrNotFound.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/Welcome.html
package state
