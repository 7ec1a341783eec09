// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package cloudwatch puts CloudWatch alarms back that warn of what a trail records.
//
// "cloudwatch:RestoreAlarms" takes what every action of action.Restore takes and gives what every change gives:
//
//	input  {"resource": "arn:…:alarm:NAME", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "", "note": "", "revalidate_trail": false}
//
// An alarm is put whole; where only its actions were turned off they are turned on again. The state that somebody set is
// not touched: CloudWatch sets it anew with the next evaluation.
//
// Undo puts the alarm back as it was found, and deletes one that was made again.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudwatch-alarms-for-cloudtrail.html
package cloudwatch
