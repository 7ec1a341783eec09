// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sns

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreTopic{})) }

// restoreTopic puts a topic back.
type restoreTopic struct{}

// Info implements action.Restorer.
func (restoreTopic) Info() action.Info {
	return action.Info{
		ID: "sns:RestoreTopic", Summary: "put back a trail's topic, its policy, key and subscriptions", Class: "restore-trail",
		Permissions: []string{
			"iam:PassRole", "sns:CreateTopic", "sns:DeleteTopic", "sns:GetSubscriptionAttributes", "sns:GetTopicAttributes",
			"sns:ListSubscriptionsByTopic", "sns:SetSubscriptionAttributes", "sns:SetTopicAttributes", "sns:Subscribe", "sns:Unsubscribe",
		},
	}
}

// Kind implements action.Restorer.
func (restoreTopic) Kind() trail.Kind { return trail.KindTopic }

// Apply implements action.Restorer.
func (restoreTopic) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Topic) (string, error) {
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return "", err
	}
	r := repair{client: api.NewFromConfig(cfg), topic: d.ARN}
	if !now.Exists {
		if err := state.CheckOwner(ctx, env.Door, d); err != nil {
			return "", err
		}
		if !r.create(ctx, want) {
			return r.steps.Result(ctx)
		}
		now = trail.Topic{Exists: true, Policy: want.Policy, KmsMasterKeyId: want.KmsMasterKeyId}
	}
	for _, difference := range trail.WeakenedTopic(want, now) {
		switch difference.Field {
		case trail.FieldPolicy:
			r.set(ctx, "Policy", trail.PolicyText(want.Policy))
		case trail.FieldTopicKey:
			r.set(ctx, "KmsMasterKeyId", want.KmsMasterKeyId)
		}
	}
	for _, s := range want.Subscriptions {
		r.subscription(ctx, s, now)
	}
	return r.steps.Result(ctx)
}

// repair is one restore or revert while it is made.
type repair struct {
	client *api.Client
	topic  arn.ARN
	steps  action.Steps
}

// create makes the topic with its attributes; a name has one ARN in an account and region.
//
// https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
func (r *repair) create(ctx context.Context, want trail.Topic) bool {
	in := &api.CreateTopicInput{Name: aws.String(topicName(r.topic)), Attributes: map[string]string{}}
	if len(want.Policy) > 0 {
		in.Attributes["Policy"] = trail.PolicyText(want.Policy)
	}
	if want.KmsMasterKeyId != "" {
		in.Attributes["KmsMasterKeyId"] = want.KmsMasterKeyId
	}
	return action.Call(ctx, &r.steps, r.client.CreateTopic, in)
}

func topicName(a arn.ARN) string {
	p, err := a.Parse()
	if err != nil {
		return "" // it was read by its ARN before
	}
	return p.Resource
}

func (r *repair) set(ctx context.Context, name, value string) {
	action.Call(ctx, &r.steps, r.client.SetTopicAttributes, &api.SetTopicAttributesInput{
		TopicArn: aws.String(string(r.topic)), AttributeName: &name, AttributeValue: &value,
	})
}

// subscription puts one subscription of want right.
func (r *repair) subscription(ctx context.Context, want trail.TopicSubscription, now trail.Topic) {
	have, ok := now.SubscriptionIn(want)
	switch {
	case ok:
		r.setAttributes(ctx, have.ARN, want.Attributes, have.Attributes)
	case needsNoConfirmation(r.topic, want):
		action.Call(ctx, &r.steps, r.client.Subscribe, &api.SubscribeInput{
			TopicArn: aws.String(string(r.topic)), Protocol: &want.Protocol, Endpoint: &want.Endpoint, Attributes: want.Attributes,
		})
	}
}

// needsNoConfirmation: only what belongs to the topic's own account is subscribed by the call alone.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-send-message-to-sqs-cross-account.html
func needsNoConfirmation(topic arn.ARN, s trail.TopicSubscription) bool {
	if !slices.Contains([]string{"sqs", "lambda", "firehose"}, s.Protocol) {
		return false
	}
	of, err := topic.Parse()
	if err != nil {
		return false
	}
	endpoint, err := arn.Parse(s.Endpoint)
	return err == nil && endpoint.AccountID == of.AccountID
}

// setAttributes makes the attributes of a subscription those of to, where they differ.
func (r *repair) setAttributes(ctx context.Context, subscription string, to, from map[string]string) {
	for _, name := range trail.SubscriptionAttributes() {
		isMoot := name == "FilterPolicyScope" && to["FilterPolicy"] == ""
		if isMoot || to[name] == from[name] {
			continue
		}
		action.Call(ctx, &r.steps, r.client.SetSubscriptionAttributes, &api.SetSubscriptionAttributesInput{
			SubscriptionArn: &subscription, AttributeName: &name, AttributeValue: aws.String(valueOf(name, to[name])),
		})
	}
}

// valueOf spells what takes an attribute away.
//
// https://docs.aws.amazon.com/sns/latest/dg/message-filtering-apply.html#remove-sns-filter-policy
func valueOf(name, value string) string {
	if value != "" {
		return value
	}
	switch name {
	case "FilterPolicy":
		return "{}"
	case "FilterPolicyScope":
		return "MessageAttributes" // what it is when nobody said
	case "RawMessageDelivery":
		return "false"
	}
	return ""
}

// Revert implements action.Restorer.
func (restoreTopic) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Topic) error {
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return err
	}
	r := repair{client: api.NewFromConfig(cfg), topic: d.ARN}
	if !before.Exists {
		action.Call(ctx, &r.steps, r.client.DeleteTopic, &api.DeleteTopicInput{TopicArn: aws.String(string(d.ARN))})
		_, err := r.steps.Result(ctx)
		return err
	}
	for _, s := range now.Subscriptions {
		was, ok := before.SubscriptionIn(s)
		if ok {
			r.setAttributes(ctx, s.ARN, was.Attributes, s.Attributes)
			continue
		}
		action.Call(ctx, &r.steps, r.client.Unsubscribe, &api.UnsubscribeInput{SubscriptionArn: &s.ARN})
	}
	if before.KmsMasterKeyId != now.KmsMasterKeyId {
		r.set(ctx, "KmsMasterKeyId", before.KmsMasterKeyId)
	}
	if !bytes.Equal(before.Policy, now.Policy) {
		r.set(ctx, "Policy", trail.PolicyText(before.Policy))
	}
	_, err = r.steps.Result(ctx)
	return err
}

// Guide implements action.Guide: a subscriber who must confirm, and one who is new, are for a person.
func (restoreTopic) Guide(d trail.Dependency, want, now trail.Topic) (action.Advice, []string) {
	var commands, beyond []string
	if !now.Exists {
		return action.Advice{}, nil
	}
	for _, s := range want.Subscriptions {
		if _, ok := now.SubscriptionIn(s); ok || now.HasMoreSubscriptions || needsNoConfirmation(d.ARN, s) {
			continue
		}
		commands = append(commands, subscribeCommand(d.ARN, s)+" and has it confirmed there")
		beyond = append(beyond, trail.FieldSubscription(s))
	}
	for _, s := range now.Subscriptions {
		if _, ok := want.SubscriptionIn(s); ok || want.HasMoreSubscriptions {
			continue
		}
		commands = append(commands, action.ShellCommand("aws", "sns", "unsubscribe", "--subscription-arn", s.ARN)+
			fmt.Sprintf(" unless %.40s %.100q is known", s.Protocol, s.Endpoint))
		beyond = append(beyond, trail.FieldNewSubscription(s))
	}
	if len(commands) == 0 {
		return action.Advice{}, nil
	}
	return action.Advice{WhoCan: "subscriptions changed: an administrator of the topic's account runs: " + action.ShortList(commands)}, beyond
}

func subscribeCommand(topic arn.ARN, s trail.TopicSubscription) string {
	words := []string{
		"aws", "sns", "subscribe", "--topic-arn", string(topic), "--protocol", s.Protocol, "--notification-endpoint", s.Endpoint,
	}
	if len(s.Attributes) > 0 {
		words = append(words, "--attributes")
	}
	for _, name := range slices.Sorted(maps.Keys(s.Attributes)) {
		words = append(words, fmt.Sprintf("%s=%q", name, s.Attributes[name]))
	}
	return action.ShellCommand(words...)
}

// WhenRefused implements action.Refused.
//
// https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-language-api-permissions-reference.html
func (restoreTopic) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: a principal of the account of %s that the topic's policy still lets aws sns set-topic-attributes; "+
		"where it locks everybody out, the account's root user, else AWS Support", d.ARN)
}
