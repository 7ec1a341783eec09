// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package digest validates CloudTrail log file integrity: it proves, from the digest files that CloudTrail signs every
// hour, which log files of a bucket are exactly those that were delivered, and names what is changed, gone, extra or
// simply not provable.
//
// [Validate] is the whole of it. It finds the accounts, regions and trails under a bucket, walks every digest chain from
// its newest digest file to its oldest, verifies signatures and links, hashes every log file, and hands each verdict to
// a callback as a [Result], in the order of the AWS CLI. Nothing is kept: memory depends on Options.Concurrency, not on
// the number or the size of files, but for eight bytes a log file that the search for unlisted ones needs, which is
// capped. Requests run in parallel and ahead of the walk; verdicts still come in order, from the caller's goroutine.
//
// I/O happens only through the [Fetcher] argument: S3 in the daemon and the command, [Evidence] for files saved on disk.
// A [Recorder] around any Fetcher saves such evidence. The package has no clock and no network of its own.
//
// Guarantees. A file is reported valid only after all of its bytes were read and matched what a digest with a verified
// signature says; a file that could not be read is reported [CodeUnreadable], never valid. A digest counts as signed
// only by a key that the Fetcher returned: who answers PublicKeys is the root of trust. What a digest chain cannot prove
// is reported too: missing newest or oldest digests, gaps, log files that no digest lists.
//
// Not here: calling AWS, retry policies beyond what a [RetryError] asks for, reading events. With Options.AWSCompatible
// the rules, the scope and the exit status are those of "aws cloudtrail validate-logs", whatever it overlooks included.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
package digest
