// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloudtrail reads and writes AWS CloudTrail event records, in every wrapper they travel in.
//
// [ParseRecord] and [ParseEnvelope] parse one record or EventBridge event. A [Decoder] streams them out of log files,
// arrays, JSON lines, EventBridge events and the output of `aws cloudtrail lookup-events`, compressed or not, told
// apart by content, in memory bounded by [Limits]. [LogFile] writes what CloudTrail delivers to S3, [ParseObjectKey]
// reads the names it delivers under.
//
// The package is tolerant where AWS's formats vary (booleans as text, several spellings of a time, fields that are
// absent, null or new) and strict where tolerance would hide damage: text that is not JSON, a known field of a wrong
// type, a stream cut short. Nothing is lost: Raw holds each record byte by byte as it was read.
//
// It is not a client of AWS, does not sort or deduplicate, does not validate log file integrity (see the package
// digest), and never checks names of regions, services or event types against a list. It knows no clock and no
// network. Values are safe for concurrent reading; a Decoder belongs to one goroutine.
//
// Formats: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference.html
package cloudtrail
