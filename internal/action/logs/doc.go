// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package logs puts the CloudWatch Logs log group of a trail back: the group itself, how long it keeps events, its key,
// what it masks, its metric filters and its subscription filters.
//
// "logs:RestoreLogGroup" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:log-group:NAME", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "…", "note": "…", "revalidate_trail": true}
//
// revalidate_trail is true where the group is not the one of the baseline but was made again, by us or by somebody else:
// CloudTrail delivers again after an UpdateTrail with the ARNs that the trail has. The events that a deleted group held
// are lost to CloudWatch; the log files have them.
//
// A log group has room for two subscription filters. One that the baseline does not know is removed: it copies every
// event to somebody, and may keep ours out. Undo puts it back, with everything else, and deletes a group that was made
// again, with the events that came since.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/send-cloudtrail-events-to-cloudwatch-logs.html
package logs
