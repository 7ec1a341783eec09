// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package iam puts the IAM role back with which CloudTrail delivers to a log group: the role itself, its trust policy, its
// inline and attached policies, its permissions boundary.
//
// "iam:RestoreRole" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:role/…", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "", "note": "…", "revalidate_trail": true}
//
// A role that was made again has another unique id: note says so, since policies that name the role mean the old one, and
// revalidate_trail is true. A managed policy that was changed gets its former version back as the default; where that
// version or the policy is gone, the error Switchback.NeedsPerson says who can act. Whatever the baseline does not know
// is taken away, for it may deny or allow anything; undo puts it back.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
package iam
