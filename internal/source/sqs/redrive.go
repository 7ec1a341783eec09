// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// SendBack puts the body of a dead letter back into the queue, where it is received like any other message. The dead
// letter may be removed when it returns nil.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html
func (q *Source) SendBack(ctx context.Context, body []byte) error {
	cfg, err := q.door().Config(ctx, q.o.Account, q.o.Region)
	if err != nil {
		return fmt.Errorf("open queue: %w", err)
	}
	in := &sqs.SendMessageInput{QueueUrl: &q.o.QueueURL, MessageBody: aws.String(string(body))}
	if _, err := sqs.NewFromConfig(cfg).SendMessage(ctx, in); err != nil {
		return fmt.Errorf("send back to %s: %w", q.o.QueueURL, err)
	}
	return nil
}
