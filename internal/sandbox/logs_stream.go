// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// createLogStream makes a stream: a name, for no events come.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogStream.html
func createLogStream(c *call, in *cloudwatchlogs.CreateLogStreamInput) (*cloudwatchlogs.CreateLogStreamOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	name := aws.ToString(in.LogStreamName)
	if name == "" || strings.ContainsAny(name, ":*") {
		return nil, badGroup("logStreamName %.200q is not the name of a stream", name)
	}
	if _, ok := g.streams[name]; ok {
		return nil, fail(http.StatusBadRequest, &types.ResourceAlreadyExistsException{Message: msg("The specified log stream already exists")})
	}
	g.streams[name] = types.LogStream{
		LogStreamName: aws.String(name), Arn: aws.String(g.arn + ":log-stream:" + name), CreationTime: aws.Int64(c.now.UnixMilli()),
	}
	return &cloudwatchlogs.CreateLogStreamOutput{}, nil
}

func deleteLogStream(c *call, in *cloudwatchlogs.DeleteLogStreamInput) (*cloudwatchlogs.DeleteLogStreamOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	if _, ok := g.streams[aws.ToString(in.LogStreamName)]; !ok {
		return nil, fail(http.StatusBadRequest, &types.ResourceNotFoundException{Message: msg("The specified log stream does not exist.")})
	}
	delete(g.streams, *in.LogStreamName)
	return &cloudwatchlogs.DeleteLogStreamOutput{}, nil
}

// describeLogStreams lists all of them at once.
func describeLogStreams(c *call, in *cloudwatchlogs.DescribeLogStreamsInput) (*cloudwatchlogs.DescribeLogStreamsOutput, error) {
	g, err := c.groupFor(in.LogGroupName)
	if err != nil {
		return nil, err
	}
	out := &cloudwatchlogs.DescribeLogStreamsOutput{LogStreams: []types.LogStream{}}
	for _, s := range byName(g.streams) {
		if strings.HasPrefix(*s.LogStreamName, aws.ToString(in.LogStreamNamePrefix)) {
			out.LogStreams = append(out.LogStreams, s)
		}
	}
	return out, nil
}
