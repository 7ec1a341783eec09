// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

// ownParts is what this installation consists of in AWS: what own lists, and the queues that its sources read.
func (c config) ownParts() ([]trail.Dependency, error) {
	list := c.Own
	for _, e := range c.Sources {
		if queue := e.queue(); queue != "" {
			list = append(list, queue)
		}
	}
	parts, err := trail.OwnParts(list)
	if err != nil {
		return nil, fmt.Errorf("own: %w", err)
	}
	return parts, nil
}

// queue is the ARN of the queue that a source reads; "" where it reads none, or one of another endpoint than AWS's.
func (e entry) queue() arn.ARN {
	var fields struct {
		QueueURL string `yaml:"queue_url"`
	}
	if e.Type != "sqs" || e.node == nil || yaml.NodeToValue(e.node, &fields) != nil {
		return ""
	}
	u, err := url.Parse(fields.QueueURL)
	if err != nil {
		return ""
	}
	host := strings.Split(u.Hostname(), ".")
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(host) < 3 || host[0] != "sqs" || len(path) != 2 || !isAccountID(path[0]) {
		return ""
	}
	return arn.Parts{Partition: arn.PartitionOf(host[1]).ID, Service: "sqs", Region: host[1], AccountID: path[0], Resource: path[1]}.ARN()
}
