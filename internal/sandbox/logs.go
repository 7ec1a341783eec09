// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// logGroup is a CloudWatch Logs log group: a name for trails to point to. Nothing is delivered into it.
type logGroup struct {
	name, arn string // the ARN without the trailing ":*"
	created   time.Time
	retention int32
}

// logsOperations manages log groups.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
func logsOperations(t table) {
	handle(t, logsService, "CreateLogGroup", writes, createLogGroup)
	handle(t, logsService, "DeleteLogGroup", writes, deleteLogGroup)
	handle(t, logsService, "DescribeLogGroups", reads, describeLogGroups)
	handle(t, logsService, "PutRetentionPolicy", writes, putRetentionPolicy)
}

// groupByARN finds a log group; trails name it with ":*" at the end.
func (s *Sandbox) groupByARN(groupARN string) *logGroup {
	p, err := arn.Parse(groupARN)
	if err != nil {
		return nil
	}
	a, ok := s.accounts[p.AccountID]
	if !ok {
		return nil
	}
	return a.groups[strings.TrimSuffix(groupARN, ":*")]
}

func (c *call) groupFor(name *string) (*logGroup, error) {
	g, ok := c.account().groups[c.arnOf("logs", "log-group:"+aws.ToString(name))]
	if !ok {
		return nil, fail(http.StatusBadRequest, &types.ResourceNotFoundException{Message: msg("The specified log group does not exist.")})
	}
	c.touch("AWS::Logs::LogGroup", g.name)
	return g, nil
}

func createLogGroup(c *call, in *cloudwatchlogs.CreateLogGroupInput) (*cloudwatchlogs.CreateLogGroupOutput, error) {
	name := aws.ToString(in.LogGroupName)
	id := c.arnOf("logs", "log-group:"+name)
	if _, ok := c.account().groups[id]; ok {
		return nil, fail(http.StatusBadRequest, &types.ResourceAlreadyExistsException{Message: msg("The specified log group already exists")})
	}
	c.account().groups[id] = &logGroup{name: name, arn: id, created: c.now}
	return &cloudwatchlogs.CreateLogGroupOutput{}, nil
}

func deleteLogGroup(c *call, in *cloudwatchlogs.DeleteLogGroupInput) (*cloudwatchlogs.DeleteLogGroupOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	delete(c.account().groups, g.arn)
	return &cloudwatchlogs.DeleteLogGroupOutput{}, nil
}

func describeLogGroups(c *call, in *cloudwatchlogs.DescribeLogGroupsInput) (*cloudwatchlogs.DescribeLogGroupsOutput, error) {
	out := &cloudwatchlogs.DescribeLogGroupsOutput{LogGroups: []types.LogGroup{}}
	prefix := c.arnOf("logs", "log-group:"+aws.ToString(in.LogGroupNamePrefix))
	for _, id := range slices.Sorted(maps.Keys(c.account().groups)) {
		if !strings.HasPrefix(id, prefix) {
			continue
		}
		g := c.account().groups[id]
		x := types.LogGroup{
			LogGroupName: aws.String(g.name), Arn: aws.String(g.arn + ":*"), LogGroupArn: aws.String(g.arn),
			CreationTime: aws.Int64(g.created.UnixMilli()),
		}
		if g.retention > 0 {
			x.RetentionInDays = aws.Int32(g.retention)
		}
		out.LogGroups = append(out.LogGroups, x)
	}
	return out, nil
}

func putRetentionPolicy(c *call, in *cloudwatchlogs.PutRetentionPolicyInput) (*cloudwatchlogs.PutRetentionPolicyOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	days := aws.ToInt32(in.RetentionInDays)
	c.same = g.retention == days
	g.retention = days
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, nil
}
