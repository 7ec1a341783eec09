// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// DefaultBus is the name of the event bus that every account has.
const DefaultBus = "default"

// RuleName is the name in a rule's ARN, and that of its event bus.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html#amazoneventbridge-resources-for-iam-policies
func RuleName(a arn.ARN) (bus, name string, err error) {
	p, err := a.Parse()
	name, isRule := strings.CutPrefix(p.Resource, "rule/")
	if err != nil || !isRule || name == "" {
		return "", "", fmt.Errorf("%q is not the ARN of a rule", a)
	}
	// Names of partner buses have slashes, names of rules do not.
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		return name[:i], name[i+1:], nil
	}
	return DefaultBus, name, nil
}

// readRule asks three times.
//
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_DescribeRule.html
func readRule(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	busName, name, err := RuleName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	client := eventbridge.NewFromConfig(cfg)
	bus, err := readBus(ctx, client, d.ARN, busName)
	if err != nil || !bus.Exists {
		return trail.Rule{Bus: bus}, err
	}
	out, err := client.DescribeRule(ctx, &eventbridge.DescribeRuleInput{Name: &name, EventBusName: &busName})
	if isNoEvents(err) {
		return trail.Rule{Bus: bus}, nil
	}
	if err != nil {
		return nil, err
	}
	r := trail.Rule{
		Exists: true, ARN: arn.ARN(aws.ToString(out.Arn)), EventPattern: trail.CanonicalPattern(aws.ToString(out.EventPattern)),
		ScheduleExpression: aws.ToString(out.ScheduleExpression), State: string(out.State), RoleArn: aws.ToString(out.RoleArn),
		Description: aws.ToString(out.Description), Bus: bus,
	}
	if err := sameOwner(r.ARN, d.ARN); err != nil {
		return nil, err
	}
	if r.Targets, err = ruleTargets(ctx, client, busName, name); err != nil {
		return nil, fmt.Errorf("read the targets: %w", err)
	}
	return r.Canonical(), nil
}

func isNoEvents(err error) bool {
	var gone *types.ResourceNotFoundException
	return errors.As(err, &gone)
}

func readBus(ctx context.Context, client *eventbridge.Client, rule arn.ARN, name string) (trail.EventBus, error) {
	out, err := client.DescribeEventBus(ctx, &eventbridge.DescribeEventBusInput{Name: &name})
	if isNoEvents(err) {
		return trail.EventBus{}, nil
	}
	if err != nil {
		return trail.EventBus{}, fmt.Errorf("read the event bus: %w", err)
	}
	if err := sameOwner(arn.ARN(aws.ToString(out.Arn)), rule); err != nil {
		return trail.EventBus{}, err
	}
	return trail.EventBus{
		Exists: true, Policy: trail.CanonicalPolicy(aws.ToString(out.Policy)),
		Description: aws.ToString(out.Description), KmsKeyIdentifier: aws.ToString(out.KmsKeyIdentifier),
	}, nil
}

func ruleTargets(ctx context.Context, client *eventbridge.Client, bus, rule string) ([]trail.RuleTarget, error) {
	var out []trail.RuleTarget
	in := &eventbridge.ListTargetsByRuleInput{Rule: &rule, EventBusName: &bus}
	for range maxListPages {
		page, err := client.ListTargetsByRule(ctx, in)
		if isNoEvents(err) {
			return nil, nil // deleted a moment ago: the next reading says so
		}
		if err != nil {
			return nil, err
		}
		for _, t := range page.Targets {
			definition, err := definitionOf(t)
			if err != nil {
				return nil, err
			}
			out = append(out, trail.RuleTarget{ID: aws.ToString(t.Id), ARN: aws.ToString(t.Arn), Definition: definition})
		}
		if aws.ToString(page.NextToken) == "" {
			return out, nil
		}
		in.NextToken = page.NextToken
	}
	return nil, fmt.Errorf("rule %s has more targets than AWS allows", rule)
}

// definitionOf is a typed value of the SDK in the names of the API, with what is not set left out and sorted members.
func definitionOf(v any) (json.RawMessage, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(text, &tree); err != nil {
		return nil, err
	}
	return json.Marshal(pruned(tree))
}

// pruned leaves out the members of objects that are null or empty; to AWS that is the same as leaving them out.
func pruned(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for name, member := range x {
			member = pruned(member)
			x[name] = member
			list, isList := member.([]any)
			if member == nil || member == "" || isList && len(list) == 0 {
				delete(x, name)
			}
		}
	case []any:
		for i := range x {
			x[i] = pruned(x[i])
		}
	}
	return v
}
