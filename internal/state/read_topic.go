// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// readTopic asks twice and once more for each subscription.
//
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
func readTopic(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	client := sns.NewFromConfig(cfg)
	out, err := client.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: aws.String(string(d.ARN))})
	if isNoSNS(err) {
		return trail.Topic{}, nil
	}
	if err != nil {
		return nil, err
	}
	t := trail.Topic{
		Exists: true, ARN: arn.ARN(out.Attributes["TopicArn"]),
		Policy: trail.CanonicalPolicy(out.Attributes["Policy"]), KmsMasterKeyId: out.Attributes["KmsMasterKeyId"],
	}
	if t.Subscriptions, t.HasMoreSubscriptions, err = subscriptions(ctx, client, d.ARN); err != nil {
		return nil, fmt.Errorf("read the subscriptions: %w", err)
	}
	return t.Canonical(), nil
}

func isNoSNS(err error) bool {
	var gone *types.NotFoundException
	return errors.As(err, &gone)
}

func subscriptions(ctx context.Context, client *sns.Client, topic arn.ARN) (list []trail.TopicSubscription, hasMore bool, err error) {
	pages := sns.NewListSubscriptionsByTopicPaginator(client, &sns.ListSubscriptionsByTopicInput{TopicArn: aws.String(string(topic))})
	for n := 0; pages.HasMorePages(); n++ {
		if n == maxListPages {
			return list, true, nil
		}
		page, err := pages.NextPage(ctx)
		if isNoSNS(err) {
			return list, false, nil // deleted a moment ago: the next reading says so
		}
		if err != nil {
			return nil, false, err
		}
		for _, s := range page.Subscriptions {
			one, ok, err := subscription(ctx, client, s)
			if err != nil {
				return nil, false, err
			}
			if ok {
				list = append(list, one)
			}
		}
	}
	return list, false, nil
}

// subscription reads what the list does not tell; false for one that is not confirmed, or not there any more.
func subscription(ctx context.Context, client *sns.Client, s types.Subscription) (trail.TopicSubscription, bool, error) {
	if !arn.IsARN(aws.ToString(s.SubscriptionArn)) {
		return trail.TopicSubscription{}, false, nil // "PendingConfirmation" or "Deleted"
	}
	out, err := client.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: s.SubscriptionArn})
	if isNoSNS(err) {
		return trail.TopicSubscription{}, false, nil
	}
	if err != nil {
		return trail.TopicSubscription{}, false, err
	}
	one := trail.TopicSubscription{
		Protocol: aws.ToString(s.Protocol), Endpoint: aws.ToString(s.Endpoint), ARN: aws.ToString(s.SubscriptionArn),
	}
	for _, name := range trail.SubscriptionAttributes() {
		value := out.Attributes[name]
		if isUnset(name, value, out.Attributes) {
			continue
		}
		if one.Attributes == nil {
			one.Attributes = map[string]string{}
		}
		one.Attributes[name] = value
	}
	return one, out.Attributes["PendingConfirmation"] != "true", nil
}

// isUnset: SNS has several ways to say that an attribute is not set; {} is how a filter policy is taken away.
//
// https://docs.aws.amazon.com/sns/latest/dg/message-filtering-apply.html#remove-sns-filter-policy
func isUnset(name, value string, all map[string]string) bool {
	switch {
	case value == "" || value == "{}":
		return true
	case name == "RawMessageDelivery":
		return value == "false"
	case name == "FilterPolicyScope":
		return isUnset("FilterPolicy", all["FilterPolicy"], all)
	}
	return false
}
