// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// QueueURL finds the queue of an ARN; it is "" where there is none. Its account may be another one than ours: the queue's
// policy then decides.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueUrl.html
func QueueURL(ctx context.Context, client *sqs.Client, queue arn.ARN) (string, error) {
	p, err := queue.Parse()
	if err != nil || p.Service != "sqs" {
		return "", fmt.Errorf("%q is not the ARN of a queue", queue)
	}
	out, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &p.Resource, QueueOwnerAWSAccountId: &p.AccountID})
	if isNoQueue(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.QueueUrl), nil
}

func isNoQueue(err error) bool {
	var gone *types.QueueDoesNotExist
	return errors.As(err, &gone)
}

// readQueue asks twice.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
func readQueue(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	client := sqs.NewFromConfig(cfg)
	url, err := QueueURL(ctx, client, d.ARN)
	if err != nil || url == "" {
		return trail.Queue{}, err
	}
	out, err := client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if isNoQueue(err) {
		return trail.Queue{}, nil // deleted a moment ago
	}
	if err != nil {
		return nil, err
	}
	q := trail.Queue{
		Exists: true, ARN: arn.ARN(out.Attributes["QueueArn"]), CreatedTimestamp: out.Attributes["CreatedTimestamp"],
		Policy:             trail.CanonicalPolicy(out.Attributes["Policy"]),
		RedrivePolicy:      trail.CanonicalRedrive(out.Attributes["RedrivePolicy"]),
		RedriveAllowPolicy: trail.CanonicalPattern(out.Attributes["RedriveAllowPolicy"]),
	}
	if err := sameOwner(q.ARN, d.ARN); err != nil {
		return nil, err
	}
	for _, name := range trail.QueueAttributes() {
		if value := out.Attributes[name]; value != "" {
			if q.Attributes == nil {
				q.Attributes = map[string]string{}
			}
			q.Attributes[name] = value
		}
	}
	return q, nil
}
