// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudwatch

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatch"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreAlarm{})) }

// restoreAlarm puts an alarm back.
type restoreAlarm struct{}

// Info implements action.Restorer.
func (restoreAlarm) Info() action.Info {
	return action.Info{
		ID: "cloudwatch:RestoreAlarms", Summary: "put back an alarm on what a trail records, and its actions", Class: "restore-trail",
		Permissions: []string{
			"cloudwatch:DeleteAlarms", "cloudwatch:DescribeAlarms", "cloudwatch:DisableAlarmActions", "cloudwatch:EnableAlarmActions",
			"cloudwatch:PutCompositeAlarm", "cloudwatch:PutMetricAlarm", "sts:GetCallerIdentity",
		},
	}
}

// Kind implements action.Restorer.
func (restoreAlarm) Kind() trail.Kind { return trail.KindAlarm }

// repair makes an alarm what it should be.
type repair struct {
	client *api.Client
	name   string
	steps  action.Steps
}

func open(ctx context.Context, env *action.Env, d trail.Dependency) (*repair, error) {
	name, err := state.AlarmName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return nil, err
	}
	return &repair{client: api.NewFromConfig(cfg), name: name}, nil
}

// Apply implements action.Restorer.
func (restoreAlarm) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Alarm) (string, error) {
	r, err := open(ctx, env, d)
	if err != nil {
		return "", err
	}
	if !now.Exists {
		if err := state.CheckOwner(ctx, env.Door, d); err != nil {
			return "", err
		}
	}
	r.change(ctx, want, now)
	return r.steps.Result(ctx)
}

// change makes to of from. An alarm of another type has the name until it is deleted.
func (r *repair) change(ctx context.Context, to, from trail.Alarm) {
	weaker := trail.WeakenedAlarm(to, from)
	isOther := func(d trail.Difference) bool { return d.Field != trail.FieldActionsEnabled }
	switch {
	case from.Exists && to.Type != from.Type:
		if r.remove(ctx) {
			r.put(ctx, to)
		}
	case !from.Exists || slices.ContainsFunc(weaker, isOther):
		r.put(ctx, to)
	case !to.ActionsEnabled && from.ActionsEnabled:
		action.Call(ctx, &r.steps, r.client.DisableAlarmActions, &api.DisableAlarmActionsInput{AlarmNames: []string{r.name}})
	case len(weaker) > 0:
		action.Call(ctx, &r.steps, r.client.EnableAlarmActions, &api.EnableAlarmActionsInput{AlarmNames: []string{r.name}})
	}
}

func (r *repair) remove(ctx context.Context) bool {
	return action.Call(ctx, &r.steps, r.client.DeleteAlarms, &api.DeleteAlarmsInput{AlarmNames: []string{r.name}})
}

// put puts an alarm whole: AWS forgets what is left out.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
func (r *repair) put(ctx context.Context, to trail.Alarm) {
	text, err := json.Marshal(to.Definition)
	if err != nil {
		r.steps.Fail(err)
		return
	}
	if to.Type == trail.CompositeAlarm {
		var in api.PutCompositeAlarmInput
		if err := json.Unmarshal(text, &in); err != nil {
			r.steps.Fail(fmt.Errorf("read the alarm of the baseline: %w", err))
			return
		}
		in.AlarmName, in.ActionsEnabled = &r.name, aws.Bool(to.ActionsEnabled)
		in.AlarmActions, in.OKActions, in.InsufficientDataActions = to.AlarmActions, to.OKActions, to.InsufficientDataActions
		action.Call(ctx, &r.steps, r.client.PutCompositeAlarm, &in)
		return
	}
	var in api.PutMetricAlarmInput
	if err := json.Unmarshal(text, &in); err != nil {
		r.steps.Fail(action.NeedsPerson("alarm %q is of a kind that Switchback cannot put (%v): its owner deploys it again, or runs: %s",
			r.name, err, action.ShellCommand("aws", "cloudwatch", "put-metric-alarm", "--cli-input-json", string(text))))
		return
	}
	in.AlarmName, in.ActionsEnabled = &r.name, aws.Bool(to.ActionsEnabled)
	in.AlarmActions, in.OKActions, in.InsufficientDataActions = to.AlarmActions, to.OKActions, to.InsufficientDataActions
	action.Call(ctx, &r.steps, r.client.PutMetricAlarm, &in)
}

// Revert implements action.Restorer.
func (restoreAlarm) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Alarm) error {
	r, err := open(ctx, env, d)
	if err != nil {
		return err
	}
	switch {
	case before.Exists && !now.Exists:
		return action.NeedsPerson("alarm %q is gone since: there is nothing to put its former settings on", r.name)
	case before.Exists:
		r.change(ctx, before, now)
	default:
		r.remove(ctx)
	}
	_, err = r.steps.Result(ctx)
	return err
}

// WhenRefused implements action.Refused.
func (restoreAlarm) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: an administrator of the account of %s, with aws cloudwatch put-metric-alarm", d.ARN)
}
