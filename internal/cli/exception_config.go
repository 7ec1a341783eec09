// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
)

// pipelineConfig is automation that may change what does not reduce coverage.
type pipelineConfig struct {
	Name           string `yaml:"name"`
	Role           string `yaml:"role_arn"`
	Provider       string `yaml:"oidc_provider"`
	Subject        string `yaml:"oidc_subject"`
	SourceIdentity string `yaml:"source_identity"`
}

func (p pipelineConfig) pipeline() action.Pipeline {
	return action.Pipeline{Name: p.Name, Role: arn.ARN(p.Role), Provider: p.Provider, Subject: p.Subject, SourceIdentity: p.SourceIdentity}
}

type fightConfig struct {
	Window span `yaml:"window"`
}

// checkOwn finds what is wrong about our own parts and the pipelines.
func (c config) checkOwn() error {
	for i, own := range c.Own {
		if _, err := own.Parse(); err != nil {
			return fmt.Errorf("own[%d]: %.200q is no ARN", i, own)
		}
	}
	for i, p := range c.Pipelines {
		if err := p.pipeline().Check(); err != nil {
			return fmt.Errorf("pipelines[%d]: %w", i, err)
		}
	}
	return nil
}

// guardedParts are the ARNs of what is ours, which no exception covers: what the configuration lists, the roles that we assume, the queues that we read.
func (c config) guardedParts() []string {
	var all []string
	for _, own := range c.Own {
		all = append(all, string(own))
	}
	for _, a := range c.Accounts {
		all = append(all, a.Role)
	}
	for _, e := range c.Sources {
		if e.Type == "sqs" {
			all = append(all, queueOf(e))
		}
	}
	return slices.DeleteFunc(all, func(own string) bool { return own == "" })
}

// queueOf is the ARN of the queue of a source, "" where its URL does not tell: https://sqs.REGION.SUFFIX/ACCOUNT/NAME, or of
// any host where the source names its region.
func queueOf(e entry) string {
	var q struct {
		URL    string `yaml:"queue_url"`
		Region string `yaml:"region"`
	}
	if e.node == nil || yaml.NodeToValue(e.node, &q) != nil {
		return ""
	}
	u, err := url.Parse(q.URL)
	if err != nil {
		return ""
	}
	if host := strings.Split(u.Hostname(), "."); q.Region == "" && len(host) > 2 && host[0] == "sqs" {
		q.Region = host[1]
	}
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	if len(path) != 2 || q.Region == "" {
		return ""
	}
	return arn.Parts{
		Partition: arn.PartitionOf(q.Region).ID, Service: "sqs", Region: q.Region, AccountID: path[0], Resource: path[1],
	}.String()
}
