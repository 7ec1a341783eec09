// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"

	api "github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreQueue{})) }

// restoreQueue puts a queue back.
type restoreQueue struct{}

// Info implements action.Restorer.
func (restoreQueue) Info() action.Info {
	return action.Info{
		ID: "sqs:RestoreQueue", Summary: "put back the queue from which we take events, its policy, key and limits", Class: "restore-trail",
		Permissions: []string{
			"sqs:CreateQueue", "sqs:DeleteQueue", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SetQueueAttributes",
			"sts:GetCallerIdentity",
		},
	}
}

// Kind implements action.Restorer.
func (restoreQueue) Kind() trail.Kind { return trail.KindQueue }

// Apply implements action.Restorer.
func (restoreQueue) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Queue) (string, error) {
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return "", err
	}
	client, steps := api.NewFromConfig(cfg), action.Steps{}
	if !now.Exists {
		if err := state.CheckOwner(ctx, env.Door, d); err != nil {
			return "", err
		}
		p, err := d.ARN.Parse()
		if err != nil {
			return "", err
		}
		action.Call(ctx, &steps, client.CreateQueue, &api.CreateQueueInput{QueueName: &p.Resource, Attributes: attributes(want)})
		return steps.Result(ctx)
	}
	wanted, change := attributes(want), map[string]string{}
	for _, difference := range trail.WeakenedQueue(want, now) {
		if difference.Field != kindOfQueue {
			change[difference.Field] = wanted[difference.Field] // "" takes an attribute away
		}
	}
	set(ctx, &steps, client, d, change)
	return steps.Result(ctx)
}

// kindOfQueue is an attribute that only a new queue can be given.
const kindOfQueue = "FifoQueue"

// attributes are all of a queue, as its calls take them. KMS and SQS cannot both encrypt.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
func attributes(q trail.Queue) map[string]string {
	out := maps.Clone(q.Attributes)
	if out == nil {
		out = map[string]string{}
	}
	for name, policy := range map[string]json.RawMessage{
		trail.FieldPolicy: q.Policy, trail.FieldQueueRedrive: q.RedrivePolicy, trail.FieldQueueRedriveAllow: q.RedriveAllowPolicy,
	} {
		if len(policy) > 0 {
			out[name] = trail.PolicyText(policy)
		}
	}
	if out[trail.FieldQueueKey] != "" {
		delete(out, trail.FieldQueueSSE)
	}
	return out
}

// set sets attributes in one call.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func set(ctx context.Context, steps *action.Steps, client *api.Client, d trail.Dependency, change map[string]string) {
	url, err := state.QueueURL(ctx, client, d.ARN)
	switch {
	case err != nil:
		steps.Fail(err)
	case url == "":
		steps.Fail(fmt.Errorf("queue %s was deleted a moment ago", d.ARN))
	case len(change) > 0:
		action.Call(ctx, steps, client.SetQueueAttributes, &api.SetQueueAttributesInput{QueueUrl: &url, Attributes: change})
	}
}

// Revert implements action.Restorer.
func (restoreQueue) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Queue) error {
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return err
	}
	client, steps := api.NewFromConfig(cfg), action.Steps{}
	switch {
	case before.Exists && !now.Exists:
		return action.NeedsPerson("queue %s is gone since: there is nothing to put its former settings on", d.ARN)
	case !before.Exists:
		url, err := state.QueueURL(ctx, client, d.ARN)
		if err != nil || url == "" {
			return err
		}
		action.Call(ctx, &steps, client.DeleteQueue, &api.DeleteQueueInput{QueueUrl: &url})
	default:
		set(ctx, &steps, client, d, differing(attributes(before), attributes(now)))
	}
	_, err = steps.Result(ctx)
	return err
}

// differing are the attributes of to where from has others; "" takes one away.
func differing(to, from map[string]string) map[string]string {
	out := map[string]string{}
	for name, value := range to {
		if from[name] != value {
			out[name] = value
		}
	}
	for name := range from {
		if _, ok := to[name]; !ok && name != trail.FieldQueueSSE {
			out[name] = ""
		}
	}
	return out
}

// Guide implements action.Guide.
func (restoreQueue) Guide(d trail.Dependency, want, now trail.Queue) (action.Advice, []string) {
	if !now.Exists {
		return action.Advice{}, nil
	}
	var advice action.Advice
	if want.CreatedTimestamp != now.CreatedTimestamp {
		advice.Note = "the queue was made again: events that it held are in the log files and in Event history only"
	}
	if want.Attributes[kindOfQueue] == now.Attributes[kindOfQueue] {
		return advice, nil
	}
	p, err := d.ARN.Parse()
	if err != nil {
		return advice, nil // it was read by its ARN before
	}
	advice.WhoCan = fmt.Sprintf("queue %.100q was made again as one of another kind, which cannot be changed: an administrator of its account "+
		"deletes it (%s); Switchback then makes it again", p.Resource, action.ShellCommand("aws", "sqs", "get-queue-url", "--queue-name", p.Resource))
	return advice, []string{kindOfQueue}
}

// WhenRefused implements action.Refused.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-creating-custom-policies.html
func (restoreQueue) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: a principal of the account of %s that the queue's policy still lets aws sqs set-queue-attributes; "+
		"where it locks everybody out, the account's root user", d.ARN)
}
