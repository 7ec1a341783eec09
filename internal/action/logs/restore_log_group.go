// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreLogGroup{})) }

// restoreLogGroup puts a log group back.
type restoreLogGroup struct{}

// Info implements action.Restorer.
func (restoreLogGroup) Info() action.Info {
	return action.Info{
		ID: "logs:RestoreLogGroup", Summary: "put back a trail's log group, its retention, key and filters", Class: "restore-trail",
		Permissions: []string{
			"iam:PassRole", "logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:DeleteDataProtectionPolicy", "logs:DeleteLogGroup",
			"logs:DeleteMetricFilter", "logs:DeleteRetentionPolicy", "logs:DeleteSubscriptionFilter", "logs:DescribeLogGroups",
			"logs:DescribeMetricFilters", "logs:DescribeSubscriptionFilters", "logs:DisassociateKmsKey", "logs:GetDataProtectionPolicy",
			"logs:PutDataProtectionPolicy", "logs:PutMetricFilter", "logs:PutRetentionPolicy", "logs:PutSubscriptionFilter",
		},
	}
}

// Kind implements action.Restorer.
func (restoreLogGroup) Kind() trail.Kind { return trail.KindLogGroup }

// repair makes a log group what it should be; a restore and its undo differ only in what that is.
type repair struct {
	client *api.Client
	group  *string
	steps  action.Steps
}

func open(ctx context.Context, env *action.Env, d trail.Dependency) (*repair, error) {
	name, err := state.LogGroupName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return nil, err
	}
	return &repair{client: api.NewFromConfig(cfg), group: &name}, nil
}

// Apply implements action.Restorer.
func (restoreLogGroup) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.LogGroup) (string, error) {
	r, err := open(ctx, env, d)
	if err != nil {
		return "", err
	}
	if !now.Exists {
		if err := state.CheckOwner(ctx, env.Door, d); err != nil {
			return "", err
		}
		if !r.create(ctx, want) {
			return r.steps.Result(ctx)
		}
		now = trail.LogGroup{Exists: true, KmsKeyId: want.KmsKeyId, LogGroupClass: want.LogGroupClass}
	}
	var weaker []string
	for _, difference := range trail.WeakenedLogGroup(want, now) {
		weaker = append(weaker, difference.Field)
	}
	r.change(ctx, want, now, func(field string) bool { return slices.Contains(weaker, field) })
	return r.steps.Result(ctx)
}

// create makes the group, with what can only be said now. Where somebody else was quicker AWS refuses it, and the next run
// puts right what that group lacks.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html
func (r *repair) create(ctx context.Context, want trail.LogGroup) bool {
	in := &api.CreateLogGroupInput{LogGroupName: r.group, LogGroupClass: types.LogGroupClass(want.LogGroupClass)}
	if want.KmsKeyId != "" {
		in.KmsKeyId = &want.KmsKeyId
	}
	return action.Call(ctx, &r.steps, r.client.CreateLogGroup, in)
}

// change makes to of from in the fields that are to be changed. Subscription filters that should not be go before others
// come: there is room for two.
func (r *repair) change(ctx context.Context, to, from trail.LogGroup, isChanged func(field string) bool) {
	if isChanged(trail.FieldGroupKey) {
		r.key(ctx, to.KmsKeyId)
	}
	if isChanged(trail.FieldRetention) {
		r.retention(ctx, to.RetentionInDays)
	}
	if isChanged(trail.FieldDataProtection) {
		r.dataProtection(ctx, to)
	}
	for _, f := range to.MetricFilters {
		if isChanged(trail.FieldMetricFilter(f.FilterName)) {
			action.Call(ctx, &r.steps, r.client.PutMetricFilter, r.metricFilter(f))
		}
	}
	for _, f := range trail.AddedSubscriptionFilters(to, from) {
		if isChanged(trail.FieldSubscriptionFilter(f.FilterName)) {
			action.Call(ctx, &r.steps, r.client.DeleteSubscriptionFilter, &api.DeleteSubscriptionFilterInput{LogGroupName: r.group, FilterName: &f.FilterName})
		}
	}
	for _, f := range to.SubscriptionFilters {
		if isChanged(trail.FieldSubscriptionFilter(f.FilterName)) {
			action.Call(ctx, &r.steps, r.client.PutSubscriptionFilter, r.subscriptionFilter(f))
		}
	}
}

func (r *repair) key(ctx context.Context, id string) {
	if id == "" {
		action.Call(ctx, &r.steps, r.client.DisassociateKmsKey, &api.DisassociateKmsKeyInput{LogGroupName: r.group})
		return
	}
	action.Call(ctx, &r.steps, r.client.AssociateKmsKey, &api.AssociateKmsKeyInput{LogGroupName: r.group, KmsKeyId: &id})
}

func (r *repair) retention(ctx context.Context, days int32) {
	if days == 0 {
		action.Call(ctx, &r.steps, r.client.DeleteRetentionPolicy, &api.DeleteRetentionPolicyInput{LogGroupName: r.group})
		return
	}
	action.Call(ctx, &r.steps, r.client.PutRetentionPolicy, &api.PutRetentionPolicyInput{LogGroupName: r.group, RetentionInDays: &days})
}

func (r *repair) dataProtection(ctx context.Context, to trail.LogGroup) {
	if len(to.DataProtectionPolicy) == 0 {
		action.Call(ctx, &r.steps, r.client.DeleteDataProtectionPolicy, &api.DeleteDataProtectionPolicyInput{LogGroupIdentifier: r.group})
		return
	}
	action.Call(ctx, &r.steps, r.client.PutDataProtectionPolicy, &api.PutDataProtectionPolicyInput{
		LogGroupIdentifier: r.group, PolicyDocument: aws.String(trail.PolicyText(to.DataProtectionPolicy)),
	})
}

func (r *repair) metricFilter(f trail.MetricFilter) *api.PutMetricFilterInput {
	in := &api.PutMetricFilterInput{
		LogGroupName: r.group, FilterName: &f.FilterName, FilterPattern: &f.FilterPattern, ApplyOnTransformedLogs: f.ApplyOnTransformedLogs,
		FieldSelectionCriteria: filled(f.FieldSelectionCriteria), EmitSystemFieldDimensions: f.EmitSystemFields,
	}
	for _, t := range f.MetricTransformations {
		in.MetricTransformations = append(in.MetricTransformations, types.MetricTransformation{
			MetricName: &t.MetricName, MetricNamespace: &t.MetricNamespace, MetricValue: &t.MetricValue,
			DefaultValue: t.DefaultValue, Dimensions: t.Dimensions, Unit: types.StandardUnit(t.Unit),
		})
	}
	return in
}

func (r *repair) subscriptionFilter(f trail.SubscriptionFilter) *api.PutSubscriptionFilterInput {
	return &api.PutSubscriptionFilterInput{
		LogGroupName: r.group, FilterName: &f.FilterName, FilterPattern: &f.FilterPattern, DestinationArn: &f.DestinationArn,
		RoleArn: filled(f.RoleArn), Distribution: types.Distribution(f.Distribution), ApplyOnTransformedLogs: f.ApplyOnTransformedLogs,
		FieldSelectionCriteria: filled(f.FieldSelectionCriteria), EmitSystemFields: f.EmitSystemFields,
	}
}

// filled is nil for "": a member that is left out.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Revert implements action.Restorer.
func (restoreLogGroup) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.LogGroup) error {
	r, err := open(ctx, env, d)
	if err != nil {
		return err
	}
	switch {
	case before.Exists && !now.Exists:
		return action.NeedsPerson("log group %s is gone since: there is nothing to put its former settings on", *r.group)
	case !before.Exists:
		action.Call(ctx, &r.steps, r.client.DeleteLogGroup, &api.DeleteLogGroupInput{LogGroupName: r.group})
	default:
		r.change(ctx, before, now, changed(before, now))
		r.dropMetricFilters(ctx, before, now)
	}
	_, err = r.steps.Result(ctx)
	return err
}

// changed tells, field by field, whether two configurations differ in any way.
func changed(before, now trail.LogGroup) func(field string) bool {
	different := map[string]bool{
		trail.FieldGroupKey:       before.KmsKeyId != now.KmsKeyId,
		trail.FieldRetention:      before.RetentionInDays != now.RetentionInDays,
		trail.FieldDataProtection: !bytes.Equal(before.DataProtectionPolicy, now.DataProtectionPolicy),
	}
	for _, both := range [][2]trail.LogGroup{{before, now}, {now, before}} {
		for _, difference := range trail.WeakenedLogGroup(both[0], both[1]) {
			different[difference.Field] = true
		}
	}
	return func(field string) bool { return different[field] }
}

// dropMetricFilters deletes those that were made again.
func (r *repair) dropMetricFilters(ctx context.Context, before, now trail.LogGroup) {
	for _, f := range now.MetricFilters {
		if !slices.ContainsFunc(before.MetricFilters, func(x trail.MetricFilter) bool { return x.FilterName == f.FilterName }) {
			action.Call(ctx, &r.steps, r.client.DeleteMetricFilter, &api.DeleteMetricFilterInput{LogGroupName: r.group, FilterName: &f.FilterName})
		}
	}
}

// Guide implements action.Guide.
func (restoreLogGroup) Guide(d trail.Dependency, want, now trail.LogGroup) (action.Advice, []string) {
	if !now.Exists {
		return action.Advice{}, nil
	}
	var advice action.Advice
	if want.CreationTime != now.CreationTime {
		advice.RevalidateTrail = true
		advice.Note = "the log group was made again: the events that it held are only in the log files now, and CloudTrail delivers to it " +
			"after an UpdateTrail with the same log group and role"
	}
	if want.LogGroupClass == now.LogGroupClass {
		return advice, nil
	}
	name, err := state.LogGroupName(d.ARN)
	if err != nil {
		return advice, nil // it was read by its ARN before
	}
	advice.WhoCan = fmt.Sprintf("log group %.200q was made again in the class %.40q, which cannot be changed: an administrator of its account "+
		"saves what it holds and runs: %s; Switchback then makes it again", name, now.LogGroupClass,
		action.ShellCommand("aws", "logs", "delete-log-group", "--log-group-name", name))
	return advice, []string{trail.FieldGroupClass}
}

// WhenRefused implements action.Refused.
func (restoreLogGroup) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: an administrator of the account of %s, with aws logs", d.ARN)
}
