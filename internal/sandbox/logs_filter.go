// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// logFilterOperations manages what is made of the events of a log group. Nothing is: no events come.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutSubscriptionFilter.html
func logFilterOperations(t table) {
	handle(t, logsService, "PutMetricFilter", writes, putMetricFilter)
	handle(t, logsService, "DeleteMetricFilter", writes, deleteMetricFilter)
	handle(t, logsService, "DescribeMetricFilters", reads, describeMetricFilters)
	handle(t, logsService, "PutSubscriptionFilter", writes, putSubscriptionFilter)
	handle(t, logsService, "DeleteSubscriptionFilter", writes, deleteSubscriptionFilter)
	handle(t, logsService, "DescribeSubscriptionFilters", reads, describeSubscriptionFilters)
	handle(t, logsService, "PutDataProtectionPolicy", writes, putDataProtectionPolicy)
	handle(t, logsService, "GetDataProtectionPolicy", reads, getDataProtectionPolicy)
	handle(t, logsService, "DeleteDataProtectionPolicy", writes, deleteDataProtectionPolicy)
}

// fullGroupFor is groupFor for what groups of the class for infrequent access lack.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CloudWatch_Logs_Log_Classes.html
func (c *call) fullGroupFor(name *string) (*logGroup, error) {
	g, err := c.groupFor(name)
	if err == nil && g.class != types.LogGroupClassStandard {
		return nil, fail(http.StatusBadRequest, &types.InvalidOperationException{Message: msg("log group %s is of the class %s", g.name, g.class)})
	}
	return g, err
}

func noFilter() error {
	return fail(http.StatusBadRequest, &types.ResourceNotFoundException{Message: msg("The specified filter does not exist.")})
}

func putMetricFilter(c *call, in *cloudwatchlogs.PutMetricFilterInput) (*cloudwatchlogs.PutMetricFilterOutput, error) {
	g, err := c.fullGroupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if aws.ToString(in.FilterName) == "" || len(in.MetricTransformations) != 1 {
		return nil, badGroup("a metric filter has a name and one metric transformation")
	}
	old, known := g.metrics[*in.FilterName]
	next := types.MetricFilter{
		FilterName: in.FilterName, FilterPattern: in.FilterPattern, LogGroupName: aws.String(g.name), CreationTime: aws.Int64(c.now.UnixMilli()),
		MetricTransformations: in.MetricTransformations, ApplyOnTransformedLogs: in.ApplyOnTransformedLogs,
		FieldSelectionCriteria: in.FieldSelectionCriteria, EmitSystemFieldDimensions: in.EmitSystemFieldDimensions,
	}
	if known {
		next.CreationTime = old.CreationTime
	}
	c.same = known && sameJSON(old, next)
	g.metrics[*in.FilterName] = next
	return &cloudwatchlogs.PutMetricFilterOutput{}, nil
}

func deleteMetricFilter(c *call, in *cloudwatchlogs.DeleteMetricFilterInput) (*cloudwatchlogs.DeleteMetricFilterOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if _, ok := g.metrics[aws.ToString(in.FilterName)]; !ok {
		return nil, noFilter()
	}
	delete(g.metrics, *in.FilterName)
	return &cloudwatchlogs.DeleteMetricFilterOutput{}, nil
}

func describeMetricFilters(c *call, in *cloudwatchlogs.DescribeMetricFiltersInput) (*cloudwatchlogs.DescribeMetricFiltersOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DescribeMetricFiltersOutput{MetricFilters: byName(g.metrics)}, nil
}

func byName[F any](filters map[string]F) []F {
	out := []F{}
	for _, name := range slices.Sorted(maps.Keys(filters)) {
		out = append(out, clone(filters[name]))
	}
	return out
}

// maxSubscriptionFilters is how many a log group may have.
//
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
const maxSubscriptionFilters = 2

func putSubscriptionFilter(c *call, in *cloudwatchlogs.PutSubscriptionFilterInput) (*cloudwatchlogs.PutSubscriptionFilterOutput, error) {
	g, err := c.fullGroupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.FilterName)
	old, known := g.subscriptions[name]
	if !known && len(g.subscriptions) >= maxSubscriptionFilters {
		return nil, fail(http.StatusBadRequest, &types.LimitExceededException{Message: msg("Resource limit exceeded.")})
	}
	p, err := arn.Parse(aws.ToString(in.DestinationArn))
	if err != nil || !slices.Contains([]string{"kinesis", "firehose", "lambda", "logs"}, p.Service) {
		return nil, badGroup("destinationArn %.200q is none that events can be sent to", aws.ToString(in.DestinationArn))
	}
	next := types.SubscriptionFilter{
		FilterName: in.FilterName, FilterPattern: in.FilterPattern, LogGroupName: aws.String(g.name), CreationTime: aws.Int64(c.now.UnixMilli()),
		DestinationArn: in.DestinationArn, RoleArn: in.RoleArn, Distribution: in.Distribution, ApplyOnTransformedLogs: in.ApplyOnTransformedLogs,
		FieldSelectionCriteria: in.FieldSelectionCriteria, EmitSystemFields: in.EmitSystemFields,
	}
	if next.Distribution == "" {
		next.Distribution = types.DistributionByLogStream
	}
	if known {
		next.CreationTime = old.CreationTime
	}
	c.same = known && sameJSON(old, next)
	g.subscriptions[name] = next
	return &cloudwatchlogs.PutSubscriptionFilterOutput{}, nil
}

func deleteSubscriptionFilter(c *call, in *cloudwatchlogs.DeleteSubscriptionFilterInput) (*cloudwatchlogs.DeleteSubscriptionFilterOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if _, ok := g.subscriptions[aws.ToString(in.FilterName)]; !ok {
		return nil, noFilter()
	}
	delete(g.subscriptions, *in.FilterName)
	return &cloudwatchlogs.DeleteSubscriptionFilterOutput{}, nil
}

func describeSubscriptionFilters(c *call, in *cloudwatchlogs.DescribeSubscriptionFiltersInput) (*cloudwatchlogs.DescribeSubscriptionFiltersOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.DescribeSubscriptionFiltersOutput{SubscriptionFilters: byName(g.subscriptions)}, nil
}

// putDataProtectionPolicy masks parts of events.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutDataProtectionPolicy.html
func putDataProtectionPolicy(c *call, in *cloudwatchlogs.PutDataProtectionPolicyInput) (*cloudwatchlogs.PutDataProtectionPolicyOutput, error) {
	g, err := c.fullGroupFor(in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	var document struct {
		Name      string
		Statement []members
	}
	if json.Unmarshal([]byte(aws.ToString(in.PolicyDocument)), &document) != nil || document.Name == "" || len(document.Statement) == 0 {
		return nil, badGroup("the policy document is not valid")
	}
	c.same = g.protection == *in.PolicyDocument
	g.protection = *in.PolicyDocument
	return &cloudwatchlogs.PutDataProtectionPolicyOutput{LogGroupIdentifier: in.LogGroupIdentifier, PolicyDocument: in.PolicyDocument}, nil
}

func getDataProtectionPolicy(c *call, in *cloudwatchlogs.GetDataProtectionPolicyInput) (*cloudwatchlogs.GetDataProtectionPolicyOutput, error) {
	g, err := c.groupFor(in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	return &cloudwatchlogs.GetDataProtectionPolicyOutput{LogGroupIdentifier: in.LogGroupIdentifier, PolicyDocument: aws.String(g.protection)}, nil
}

func deleteDataProtectionPolicy(c *call, in *cloudwatchlogs.DeleteDataProtectionPolicyInput) (*cloudwatchlogs.DeleteDataProtectionPolicyOutput, error) {
	g, err := c.groupFor(in.LogGroupIdentifier)
	if err != nil {
		return nil, err
	}
	c.same = g.protection == ""
	g.protection = ""
	return &cloudwatchlogs.DeleteDataProtectionPolicyOutput{}, nil
}
