// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package kms puts the KMS key of a trail back: its state, its policy, its aliases.
//
// "kms:RestoreKey" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:key/…", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "…", "note": "", "revalidate_trail": false}
//
// It cancels a pending deletion, enables the key, puts the policy and moves aliases back, and does only what is needed of
// that. Grants that were revoked or are new do not keep the restore from succeeding, for CloudTrail needs none: who_can
// has the commands. What the trail cannot do without and we cannot mend (the key is gone, its imported material was
// deleted) is the error Switchback.NeedsPerson, whose cause says who can. A policy that locks us out is
// Kms.AccessDeniedException, whose cause names AWS Support: the lock-out safety check of PutKeyPolicy is never bypassed.
//
// Undo puts policy, aliases and a disabled state back. It never schedules a deletion, which nobody could take back.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
package kms
