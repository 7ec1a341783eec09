// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package iam puts the IAM role back with which CloudTrail delivers to a log group: the role itself, its trust policy, its
// inline and attached policies, its permissions boundary; and it ends what sessions can do.
//
// # iam:RestoreRole
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
// # iam:PlanContainment, iam:ContainSession, iam:VerifyContainment, iam:LiftContainment
//
// To contain is to end what a session, the sessions that it opened, and the credentials that opened it can do. First a
// plan, which changes nothing:
//
//	input  {"event_id": "…", "spare": ["AROA…:name", "AKIA…"]}   the incident's first event by default
//	output {"subject", "at", "until", "targets": [{"arn", "id", "sessions": [{"id", "from", "open", "expires_at"}], "keys"}],
//	        "others": [{"who", "why"}], "steps": [{"outcome", "who", "why", "until", "left", "who_can", "command"}], "gaps", "summary"}
//
// A person approves the plan, others and all; iam:ContainSession takes {"plan": the output} and does exactly that, never
// without approval. It gives what every change gives, with advice. Each role or user gets one inline policy that denies its
// sessions, by aws:userid and aws:TokenIssueTime, and whose own condition ends it at "until"; long-term keys become
// inactive, and stay so until somebody undoes it. A session that can be opened anew (its opener is a password, a provider,
// a service, or out of reach) is denied under its id for as long as the plan lasts; any other only up to two minutes after
// the deny was made. iam:VerifyContainment asks IAM's simulator, for each session and for one that nobody has:
//
//	input  {"plan": …}
//	output {"refused": ["AROA…:name"], "allowed": [], "others_refused": [], "is_contained": true, "at": "…"}
//
// iam:LiftContainment, which a timer runs, takes away what is left of an incident's denies once they are over.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_disable-perms.html
package iam
