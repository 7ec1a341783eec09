// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// simulationOperations tell what policies would do, and what keys did.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func simulationOperations(t table) {
	handle(t, iamService, "SimulatePrincipalPolicy", reads, simulatePrincipalPolicy)
	handle(t, iamService, "GetAccessKeyLastUsed", reads, getAccessKeyLastUsed)
}

// simulatePrincipalPolicy evaluates the inline and attached policies of a user or role, with the context that the input
// gives.
func simulatePrincipalPolicy(c *call, in *iam.SimulatePrincipalPolicyInput) (*iam.SimulatePrincipalPolicyOutput, error) {
	by, err := c.simulated(aws.ToString(in.PolicySourceArn))
	if err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for _, e := range in.ContextEntries {
		if len(e.ContextKeyValues) > 0 {
			keys[strings.ToLower(aws.ToString(e.ContextKeyName))] = e.ContextKeyValues[0]
		}
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	out := &iam.SimulatePrincipalPolicyOutput{EvaluationResults: []types.EvaluationResult{}}
	for _, action := range in.ActionNames {
		for _, resource := range resources {
			out.EvaluationResults = append(out.EvaluationResults, types.EvaluationResult{
				EvalActionName: aws.String(action), EvalResourceName: aws.String(resource),
				EvalDecision: simulate(by, question{action: action, resource: resource, keys: keys}),
			})
		}
	}
	return out, nil
}

func (c *call) simulated(principal string) (*credential, error) {
	p, err := arn.Parse(principal)
	name := p.Resource[strings.LastIndexByte(p.Resource, '/')+1:]
	switch {
	case err == nil && p.AccountID == c.account().id && strings.HasPrefix(p.Resource, "role/"):
		if r, ok := c.account().roles[name]; ok && r.arn == principal {
			return &credential{account: c.account(), role: r}, nil
		}
	case err == nil && p.AccountID == c.account().id && strings.HasPrefix(p.Resource, "user/"):
		if u, ok := c.account().users[name]; ok && u.arn == principal {
			return &credential{account: c.account(), user: u}, nil
		}
	default:
		return nil, fail(http.StatusBadRequest, &types.InvalidInputException{Message: msg("Invalid Entity Arn: %.200s", principal)})
	}
	return nil, noSuchEntity("The entity %s cannot be found.", principal)
}

func simulate(by *credential, q question) types.PolicyEvaluationDecisionType {
	out := types.PolicyEvaluationDecisionTypeImplicitDeny
	for _, p := range by.inlinePolicies() {
		switch p.decide(q) {
		case refused:
			return types.PolicyEvaluationDecisionTypeExplicitDeny
		case allowed:
			out = types.PolicyEvaluationDecisionTypeAllowed
		}
	}
	return out
}

// getAccessKeyLastUsed looks into Event history; AWS is some minutes late.
func getAccessKeyLastUsed(c *call, in *iam.GetAccessKeyLastUsedInput) (*iam.GetAccessKeyLastUsedOutput, error) {
	k, ok := c.s.credentials[aws.ToString(in.AccessKeyId)]
	if !ok || k.user == nil || !k.issued.IsZero() || k.account != c.account() {
		return nil, fail(http.StatusForbidden, apiError(accessDenied, "The access key is none of this account."))
	}
	last := &types.AccessKeyLastUsed{Region: aws.String("N/A"), ServiceName: aws.String("N/A")}
	for region, h := range c.account().history {
		for _, e := range h.events {
			if e.key == k.key && (last.LastUsedDate == nil || e.at.After(*last.LastUsedDate)) {
				service, _, _ := strings.Cut(e.source, ".")
				last = &types.AccessKeyLastUsed{LastUsedDate: aws.Time(e.at), Region: aws.String(region), ServiceName: aws.String(service)}
			}
		}
	}
	return &iam.GetAccessKeyLastUsedOutput{UserName: aws.String(k.user.name), AccessKeyLastUsed: last}, nil
}
