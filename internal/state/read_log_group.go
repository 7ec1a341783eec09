// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// LogGroupName is the name in a log group's ARN, which trails write with ":*" at its end.
func LogGroupName(a arn.ARN) (string, error) {
	p, err := a.Parse()
	name, isGroup := strings.CutPrefix(p.Resource, "log-group:")
	if err != nil || !isGroup {
		return "", fmt.Errorf("%q is not the ARN of a log group", a)
	}
	return strings.TrimSuffix(name, ":*"), nil
}

// readLogGroup asks three times, and once more where parts of events are masked.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html
func readLogGroup(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	name, err := LogGroupName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	client := cloudwatchlogs.NewFromConfig(cfg)
	found, err := findLogGroup(ctx, client, name)
	if err != nil || found == nil {
		return trail.LogGroup{}, err
	}
	g := trail.LogGroup{
		Exists: true, ARN: arn.ARN(strings.TrimSuffix(aws.ToString(found.Arn), ":*")), CreationTime: aws.ToInt64(found.CreationTime),
		RetentionInDays: aws.ToInt32(found.RetentionInDays), KmsKeyId: aws.ToString(found.KmsKeyId), LogGroupClass: string(found.LogGroupClass),
	}
	if err := sameOwner(g.ARN, d.ARN); err != nil {
		return nil, err
	}
	if g.MetricFilters, err = metricFilters(ctx, client, name); err != nil {
		return nil, fmt.Errorf("read the metric filters: %w", err)
	}
	if g.SubscriptionFilters, err = subscriptionFilters(ctx, client, name); err != nil {
		return nil, fmt.Errorf("read the subscription filters: %w", err)
	}
	if found.DataProtectionStatus == types.DataProtectionStatusActivated {
		out, err := client.GetDataProtectionPolicy(ctx, &cloudwatchlogs.GetDataProtectionPolicyInput{LogGroupIdentifier: &name})
		if err != nil {
			return nil, fmt.Errorf("read the data protection policy: %w", err)
		}
		g.DataProtectionPolicy = trail.CanonicalPolicy(aws.ToString(out.PolicyDocument))
	}
	return g.Canonical(), nil
}

// sameOwner refuses what was found under a name in another account than the one that was meant.
func sameOwner(found, want arn.ARN) error {
	f, err := found.Parse()
	if err != nil {
		return err
	}
	w, err := want.Parse()
	if err != nil {
		return err
	}
	if f.AccountID != w.AccountID {
		return fmt.Errorf("%w %s: our credentials belong to %s", gate.ErrNoAccess, w.AccountID, f.AccountID)
	}
	return nil
}

// findLogGroup looks for the group among those whose names begin with its own; it is nil when it is not there.
func findLogGroup(ctx context.Context, client *cloudwatchlogs.Client, name string) (*types.LogGroup, error) {
	pages := cloudwatchlogs.NewDescribeLogGroupsPaginator(client, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &name})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, g := range page.LogGroups {
			if aws.ToString(g.LogGroupName) == name {
				return &g, nil
			}
		}
	}
	return nil, nil
}

func metricFilters(ctx context.Context, client *cloudwatchlogs.Client, group string) ([]trail.MetricFilter, error) {
	var out []trail.MetricFilter
	pages := cloudwatchlogs.NewDescribeMetricFiltersPaginator(client, &cloudwatchlogs.DescribeMetricFiltersInput{LogGroupName: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isNoGroup(err) {
			return nil, nil // deleted a moment ago: the next reading says so
		}
		if err != nil {
			return nil, err
		}
		for _, f := range page.MetricFilters {
			out = append(out, metricFilter(f))
		}
	}
	return out, nil
}

func isNoGroup(err error) bool {
	var gone *types.ResourceNotFoundException
	return errors.As(err, &gone)
}

func metricFilter(f types.MetricFilter) trail.MetricFilter {
	out := trail.MetricFilter{
		FilterName: aws.ToString(f.FilterName), FilterPattern: aws.ToString(f.FilterPattern), ApplyOnTransformedLogs: f.ApplyOnTransformedLogs,
		FieldSelectionCriteria: aws.ToString(f.FieldSelectionCriteria), EmitSystemFields: f.EmitSystemFieldDimensions,
	}
	for _, t := range f.MetricTransformations {
		out.MetricTransformations = append(out.MetricTransformations, trail.MetricTransformation{
			MetricName: aws.ToString(t.MetricName), MetricNamespace: aws.ToString(t.MetricNamespace), MetricValue: aws.ToString(t.MetricValue),
			DefaultValue: t.DefaultValue, Dimensions: t.Dimensions, Unit: string(t.Unit),
		})
	}
	return out
}

func subscriptionFilters(ctx context.Context, client *cloudwatchlogs.Client, group string) ([]trail.SubscriptionFilter, error) {
	var out []trail.SubscriptionFilter
	pages := cloudwatchlogs.NewDescribeSubscriptionFiltersPaginator(client, &cloudwatchlogs.DescribeSubscriptionFiltersInput{LogGroupName: &group})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if isNoGroup(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, f := range page.SubscriptionFilters {
			out = append(out, trail.SubscriptionFilter{
				FilterName: aws.ToString(f.FilterName), FilterPattern: aws.ToString(f.FilterPattern), DestinationArn: aws.ToString(f.DestinationArn),
				RoleArn: aws.ToString(f.RoleArn), Distribution: string(f.Distribution), ApplyOnTransformedLogs: f.ApplyOnTransformedLogs,
				FieldSelectionCriteria: aws.ToString(f.FieldSelectionCriteria), EmitSystemFields: f.EmitSystemFields,
			})
		}
	}
	return out, nil
}
