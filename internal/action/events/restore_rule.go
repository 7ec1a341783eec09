// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package events

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreRule{})) }

// restoreRule puts a rule back.
type restoreRule struct{}

// Info implements action.Restorer.
func (restoreRule) Info() action.Info {
	return action.Info{
		ID: "events:RestoreRule", Summary: "put back the rule that brings us events, its targets and its event bus", Class: "restore-trail",
		Permissions: []string{
			"events:CreateEventBus", "events:DeleteEventBus", "events:DeleteRule", "events:DescribeEventBus", "events:DescribeRule",
			"events:ListTargetsByRule", "events:PutPermission", "events:PutRule", "events:PutTargets", "events:RemovePermission",
			"events:RemoveTargets", "iam:PassRole", "sts:GetCallerIdentity",
		},
	}
}

// Kind implements action.Restorer.
func (restoreRule) Kind() trail.Kind { return trail.KindRule }

// repair makes a rule what it should be; a restore and its undo differ only in what that is.
type repair struct {
	client    *api.Client
	bus, rule *string
	steps     action.Steps
}

func open(ctx context.Context, env *action.Env, d trail.Dependency) (*repair, error) {
	bus, rule, err := state.RuleName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return nil, err
	}
	return &repair{client: api.NewFromConfig(cfg), bus: &bus, rule: &rule}, nil
}

// Apply implements action.Restorer.
func (restoreRule) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Rule) (string, error) {
	r, err := open(ctx, env, d)
	if err != nil {
		return "", err
	}
	if !now.Exists {
		if err := state.CheckOwner(ctx, env.Door, d); err != nil {
			return "", err
		}
	}
	if !now.Bus.Exists {
		if !r.createBus(ctx, want.Bus) {
			return r.steps.Result(ctx)
		}
		now.Bus = trail.EventBus{Exists: true}
	}
	weaker := fields(trail.WeakenedRule(want, now))
	if slices.Contains(weaker, trail.FieldRuleBusPolicy) {
		r.busPolicy(ctx, want.Bus)
	}
	if !now.Exists {
		if r.putRule(ctx, want) {
			r.putTargets(ctx, want.Targets)
		}
		return r.steps.Result(ctx)
	}
	r.change(ctx, want, now, weaker)
	return r.steps.Result(ctx)
}

func fields(list []trail.Difference) []string {
	var out []string
	for _, d := range list {
		out = append(out, d.Field)
	}
	return out
}

// change makes to of from, a rule that is there, in the fields named. Targets that should not be go before others come:
// there is room for five.
func (r *repair) change(ctx context.Context, to, from trail.Rule, names []string) {
	if slices.ContainsFunc(names, isOfRule) {
		r.putRule(ctx, to)
	}
	var gone []string
	for _, t := range from.Targets {
		if _, ok := to.TargetIn(t.ID); !ok && slices.Contains(names, trail.FieldTarget(t.ID)) {
			gone = append(gone, t.ID)
		}
	}
	r.removeTargets(ctx, gone)
	var put []trail.RuleTarget
	for _, t := range to.Targets {
		if slices.Contains(names, trail.FieldTarget(t.ID)) {
			put = append(put, t)
		}
	}
	r.putTargets(ctx, put)
}

// isOfRule reports whether PutRule is the call that puts the field right.
func isOfRule(field string) bool {
	return slices.Contains([]string{trail.FieldRulePattern, trail.FieldRuleSchedule, trail.FieldRuleState, trail.FieldRuleRole}, field)
}

// createBus makes an event bus, with what can only be said now.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
func (r *repair) createBus(ctx context.Context, want trail.EventBus) bool {
	return action.Call(ctx, &r.steps, r.client.CreateEventBus, &api.CreateEventBusInput{
		Name: r.bus, Description: filled(want.Description), KmsKeyIdentifier: filled(want.KmsKeyIdentifier),
	})
}

// filled is nil for "": a member that is left out.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (r *repair) busPolicy(ctx context.Context, to trail.EventBus) {
	if len(to.Policy) == 0 {
		action.Call(ctx, &r.steps, r.client.RemovePermission, &api.RemovePermissionInput{EventBusName: r.bus, RemoveAllPermissions: true})
		return
	}
	action.Call(ctx, &r.steps, r.client.PutPermission, &api.PutPermissionInput{
		EventBusName: r.bus, Policy: aws.String(trail.PolicyText(to.Policy)),
	})
}

// putRule puts the rule whole: AWS forgets what is left out.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
func (r *repair) putRule(ctx context.Context, to trail.Rule) bool {
	in := &api.PutRuleInput{
		Name: r.rule, EventBusName: r.bus, State: types.RuleState(to.State), ScheduleExpression: filled(to.ScheduleExpression),
		RoleArn: filled(to.RoleArn), Description: filled(to.Description),
	}
	if len(to.EventPattern) > 0 {
		in.EventPattern = aws.String(trail.PolicyText(to.EventPattern))
	}
	return action.Call(ctx, &r.steps, r.client.PutRule, in)
}

// putTargets: what AWS refuses of a list it says in its answer only.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutTargets.html
func (r *repair) putTargets(ctx context.Context, list []trail.RuleTarget) {
	if len(list) == 0 {
		return
	}
	in := &api.PutTargetsInput{Rule: r.rule, EventBusName: r.bus}
	for _, t := range list {
		var target types.Target
		if err := json.Unmarshal(t.Definition, &target); err != nil {
			r.steps.Fail(fmt.Errorf("read target %.100q of the baseline: %w", t.ID, err))
			return
		}
		in.Targets = append(in.Targets, target)
	}
	action.Call(ctx, &r.steps, func(ctx context.Context, in *api.PutTargetsInput, o ...func(*api.Options)) (*api.PutTargetsOutput, error) {
		out, err := r.client.PutTargets(ctx, in, o...)
		if err == nil && out.FailedEntryCount > 0 {
			return nil, refusedTargets(len(in.Targets), len(out.FailedEntries), func(i int) (id, code, text *string) {
				f := out.FailedEntries[i]
				return f.TargetId, f.ErrorCode, f.ErrorMessage
			})
		}
		return out, err
	}, in)
}

func (r *repair) removeTargets(ctx context.Context, ids []string) {
	if len(ids) == 0 {
		return
	}
	action.Call(ctx, &r.steps, func(ctx context.Context, in *api.RemoveTargetsInput, o ...func(*api.Options)) (*api.RemoveTargetsOutput, error) {
		out, err := r.client.RemoveTargets(ctx, in, o...)
		if err == nil && out.FailedEntryCount > 0 {
			return nil, refusedTargets(len(in.Ids), len(out.FailedEntries), func(i int) (id, code, text *string) {
				f := out.FailedEntries[i]
				return f.TargetId, f.ErrorCode, f.ErrorMessage
			})
		}
		return out, err
	}, &api.RemoveTargetsInput{Rule: r.rule, EventBusName: r.bus, Ids: ids})
}

// refusedTargets is the error of entries that AWS refused.
func refusedTargets(asked, failed int, entry func(i int) (id, code, text *string)) error {
	var list []string
	for i := range failed {
		id, code, text := entry(i)
		list = append(list, fmt.Sprintf("%s: %s: %s", aws.ToString(id), aws.ToString(code), aws.ToString(text)))
	}
	return fmt.Errorf("AWS refused %d of %d targets of the rule: %s", failed, asked, action.ShortList(list))
}

// Revert implements action.Restorer.
func (restoreRule) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Rule) error {
	r, err := open(ctx, env, d)
	if err != nil {
		return err
	}
	if before.Exists && !now.Exists {
		return action.NeedsPerson("rule %s is gone since: there is nothing to put its former settings on", *r.rule)
	}
	if before.Bus.Exists && !bytes.Equal(before.Bus.Policy, now.Bus.Policy) {
		r.busPolicy(ctx, before.Bus)
	}
	if before.Exists {
		r.change(ctx, before, now, changed(before, now))
	} else if now.Exists {
		r.deleteRule(ctx, now)
	}
	if !before.Bus.Exists && now.Bus.Exists {
		action.Call(ctx, &r.steps, r.client.DeleteEventBus, &api.DeleteEventBusInput{Name: r.bus})
	}
	_, err = r.steps.Result(ctx)
	return err
}

// deleteRule: one with targets cannot be deleted.
func (r *repair) deleteRule(ctx context.Context, now trail.Rule) {
	var ids []string
	for _, t := range now.Targets {
		ids = append(ids, t.ID)
	}
	r.removeTargets(ctx, ids)
	action.Call(ctx, &r.steps, r.client.DeleteRule, &api.DeleteRuleInput{Name: r.rule, EventBusName: r.bus})
}

// changed are the fields in which two rules differ in any way.
func changed(before, now trail.Rule) []string {
	return slices.Concat(fields(trail.WeakenedRule(before, now)), fields(trail.WeakenedRule(now, before)))
}

// WhenRefused implements action.Refused.
func (restoreRule) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: an administrator of the account of %s, with aws events put-rule and put-targets; a rule that a service "+
		"manages only that service", d.ARN)
}
