// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sqs puts the SQS queue back from which we take events: the queue itself, who may send to it, how it is
// encrypted, how long it keeps events and where those go that fail.
//
// "sqs:RestoreQueue" takes what every action of action.Restore takes and gives what every change gives, with advice:
//
//	input  {"resource": "arn:…:NAME", "account", "region", "baseline_at"}
//	output {… as every change, "who_can": "", "note": "…", "revalidate_trail": false}
//
// A deleted queue is made again under its name, which AWS refuses for 60 seconds: the error is
// "Sqs.QueueDeletedRecentlyException", and a state machine tries again. Events that a deleted or purged queue held are lost
// to it; the log files and Event history have them.
//
// Undo puts the attributes back as they were found, and deletes a queue that was made again, with what it holds by then.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
package sqs
