// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
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
	key       string
	class     types.LogGroupClass
	// protection is the data protection policy, "" for none.
	protection    string
	streams       map[string]types.LogStream
	metrics       map[string]types.MetricFilter
	subscriptions map[string]types.SubscriptionFilter
}

// logsOperations manages log groups.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Operations.html
func logsOperations(t table) {
	handle(t, logsService, "CreateLogGroup", writes, createLogGroup)
	handle(t, logsService, "DeleteLogGroup", writes, deleteLogGroup)
	handle(t, logsService, "DescribeLogGroups", reads, describeLogGroups)
	handle(t, logsService, "PutRetentionPolicy", writes, putRetentionPolicy)
	handle(t, logsService, "DeleteRetentionPolicy", writes, deleteRetentionPolicy)
	handle(t, logsService, "CreateLogStream", writes, createLogStream)
	handle(t, logsService, "DeleteLogStream", writes, deleteLogStream)
	handle(t, logsService, "DescribeLogStreams", reads, describeLogStreams)
	handle(t, logsService, "AssociateKmsKey", writes, associateKmsKey)
	handle(t, logsService, "DisassociateKmsKey", writes, disassociateKmsKey)
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
	g := &logGroup{
		name: name, arn: id, created: c.now, class: cmp.Or(in.LogGroupClass, types.LogGroupClassStandard),
		streams: map[string]types.LogStream{}, metrics: map[string]types.MetricFilter{}, subscriptions: map[string]types.SubscriptionFilter{},
	}
	if in.KmsKeyId != nil {
		if err := c.encryptGroup(g, *in.KmsKeyId); err != nil {
			return nil, err
		}
	}
	c.account().groups[id] = g
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
			CreationTime: aws.Int64(g.created.UnixMilli()), LogGroupClass: g.class, MetricFilterCount: aws.Int32(int32(len(g.metrics))),
		}
		if g.key != "" {
			x.KmsKeyId = aws.String(g.key)
		}
		if g.protection != "" {
			x.DataProtectionStatus = types.DataProtectionStatusActivated
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
	if !slices.Contains(retentions, days) {
		return nil, badGroup("1 validation error detected: Value '%d' at 'retentionInDays' failed to satisfy constraint", days)
	}
	c.same = g.retention == days
	g.retention = days
	return &cloudwatchlogs.PutRetentionPolicyOutput{}, nil
}

// retentions are the numbers of days that a log group may keep events for.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
var retentions = []int32{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func badGroup(format string, args ...any) error {
	return fail(http.StatusBadRequest, &types.InvalidParameterException{Message: msg(format, args...)})
}

func deleteRetentionPolicy(c *call, in *cloudwatchlogs.DeleteRetentionPolicyInput) (*cloudwatchlogs.DeleteRetentionPolicyOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	c.same = g.retention == 0
	g.retention = 0
	return &cloudwatchlogs.DeleteRetentionPolicyOutput{}, nil
}

// encryptGroup takes an enabled key of the account's own region.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
func (c *call) encryptGroup(g *logGroup, keyARN string) error {
	p, err := arn.Parse(keyARN)
	k := c.s.keyByARN(keyARN)
	if err != nil || k == nil || p.Region != c.region || k.state(c.now) != keyEnabled {
		return badGroup("The specified KMS Key Id could not be found or is not enabled.")
	}
	g.key = keyARN
	return nil
}

func associateKmsKey(c *call, in *cloudwatchlogs.AssociateKmsKeyInput) (*cloudwatchlogs.AssociateKmsKeyOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	before := g.key
	if err := c.encryptGroup(g, aws.ToString(in.KmsKeyId)); err != nil {
		return nil, err
	}
	c.same = before == g.key
	return &cloudwatchlogs.AssociateKmsKeyOutput{}, nil
}

func disassociateKmsKey(c *call, in *cloudwatchlogs.DisassociateKmsKeyInput) (*cloudwatchlogs.DisassociateKmsKeyOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	c.same = g.key == ""
	g.key = ""
	return &cloudwatchlogs.DisassociateKmsKeyOutput{}, nil
}
