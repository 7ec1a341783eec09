// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sns puts the SNS topic of a trail back: the topic itself, its policy, its key, its subscriptions.
//
// "sns:RestoreTopic" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:topic", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "…", "note": "", "revalidate_trail": false}
//
// A deleted topic is made again under its name, which gives it its ARN. Queues, functions and delivery streams of the
// topic's own account are subscribed again. Everybody else (mail, HTTP, other accounts) has to confirm, and a new
// subscriber may be somebody's new tool: they do not keep the restore from succeeding, who_can has the commands.
//
// Undo deletes a topic that was made again and subscriptions that were made again, and puts attributes back.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-permissions-for-sns-notifications.html
package sns
