// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package s3 puts the bucket of a trail back: its configuration, and log files that were deleted from it.
//
// # The bucket
//
// "s3:RestoreBucket" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:bucket", "account", "region", "baseline_at"}   region may be left out
//	output {… as every change, "who_can": "…", "note": "…", "revalidate_trail": false}
//
// It makes a deleted bucket again, in the same account and region, and puts back what is weaker than in the baseline:
// access control list and ownership, public access block, versioning, Object Lock, encryption, policy, lifecycle,
// notifications, replication, who pays, access logging. One call a part, and only for parts that are weaker. A part is put
// back as a whole, but for notifications: destinations that others added stay. What AWS refuses does not keep the rest from
// being put back. Lifecycle rules that are gone are not put back: without them log files are kept longer, and note says so.
//
// Every call names the expected owner. A bucket of the name that belongs to another account is the error
// Switchback.ForeignBucket, and nothing is sent; so is one that somebody makes before us. A bucket policy that keeps us out
// is S3.AccessDeniedException, whose cause has the command with which the account's root unlocks it. MFA delete is the
// root's too: it does not keep the restore from succeeding, and who_can has the command.
//
// Undo puts every part back as it was, the policy last, since it may keep us out. It does not delete a bucket that was made
// again, and nobody can take Object Lock or versioning from a bucket: that is Switchback.NeedsPerson.
//
// # Log files
//
// "s3:RestoreObjects" takes away the delete markers of log files, so that the versions under them are current again.
//
//	input  {"resource": "arn:…:bucket", "account", "region",
//	        "since": "…",        only markers that were put then or later
//	        "keys": ["…"],       objects that are known to be deleted, a thousand at most
//	        "prefix": "…"}       or all below it; without both, all of the bucket
//	output {… as every change}   before and after: {"deleted": ["…"], "lost": ["…"]}
//
// Only objects with the name of a log file or digest file count, and only delete markers are ever removed. It looks at
// 50,000 versions and restores 5,000 objects at most. What is more, and keys of which no version is left, is the error
// Switchback.NeedsPerson, whose cause says what to run. Undo puts markers on the same objects again.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html
package s3
