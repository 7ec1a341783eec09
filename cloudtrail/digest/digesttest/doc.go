// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package digesttest acts as CloudTrail for tests and benchmarks of log file integrity validation: it delivers log files
// and signed digest files into buckets in memory, for any number of trails, accounts, regions and hours, and lets a test
// do to them whatever an attacker could.
//
// A [World] is a digest.Fetcher; its [World.Handler] speaks enough of S3 and CloudTrail for an HTTP client, the AWS CLI
// included. The keys are made anew in each process. Nothing here is fit for anything but tests.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
package digesttest
