// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// RoleName takes a role's ARN apart: the path has a slash at both ends.
func RoleName(a arn.ARN) (path, name string, err error) {
	p, err := a.Parse()
	rest, isRole := strings.CutPrefix(p.Resource, "role/")
	if err != nil || !isRole {
		return "", "", fmt.Errorf("%q is not the ARN of a role", a)
	}
	i := strings.LastIndexByte(rest, '/') + 1
	return "/" + rest[:i], rest[i:], nil
}

// readRole asks three times, and once more for each policy that AWS does not own.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
func readRole(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	_, name, err := RoleName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := HomeConfig(ctx, door, d)
	if err != nil {
		return nil, err
	}
	client := iam.NewFromConfig(cfg)
	out, err := client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if isNoEntity(err) {
		return trail.Role{}, nil
	}
	if err != nil {
		return nil, err
	}
	r, err := roleFromAPI(out.Role)
	if err != nil {
		return nil, err
	}
	if err := sameOwner(r.ARN, d.ARN); err != nil {
		return nil, err
	}
	if r.ARN != d.ARN {
		return trail.Role{}, nil // one of the same name with another path
	}
	if r.RolePolicyList, err = rolePolicies(ctx, client, name); err != nil {
		return nil, fmt.Errorf("read the inline policies: %w", err)
	}
	if r.AttachedManagedPolicies, err = attachedPolicies(ctx, client, name); err != nil {
		return nil, fmt.Errorf("read the attached policies: %w", err)
	}
	return r.Canonical(), nil
}

func isNoEntity(err error) bool {
	var gone *types.NoSuchEntityException
	return errors.As(err, &gone)
}

func roleFromAPI(r *types.Role) (trail.Role, error) {
	out := trail.Role{
		Exists: true, ARN: arn.ARN(aws.ToString(r.Arn)), RoleID: aws.ToString(r.RoleId), Description: aws.ToString(r.Description),
		MaxSessionDuration: aws.ToInt32(r.MaxSessionDuration), Tags: map[string]string{},
	}
	for _, t := range r.Tags {
		out.Tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	if r.PermissionsBoundary != nil {
		out.PermissionsBoundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
	}
	var err error
	out.AssumeRolePolicyDocument, err = decodeDocument(r.AssumeRolePolicyDocument)
	return out, err
}

// decodeDocument undoes the percent-encoding in which IAM answers (RFC 3986).
func decodeDocument(encoded *string) (json.RawMessage, error) {
	document, err := url.PathUnescape(aws.ToString(encoded))
	if err != nil {
		return nil, fmt.Errorf("decode a policy document: %w", err)
	}
	return trail.CanonicalPolicy(document), nil
}

func rolePolicies(ctx context.Context, client *iam.Client, role string) (map[string]json.RawMessage, error) {
	out := map[string]json.RawMessage{}
	for pages := iam.NewListRolePoliciesPaginator(client, &iam.ListRolePoliciesInput{RoleName: &role}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if isNoEntity(err) {
			return nil, nil // deleted a moment ago: the next reading says so
		}
		if err != nil {
			return nil, err
		}
		for _, name := range page.PolicyNames {
			got, err := client.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
			if isNoEntity(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if out[name], err = decodeDocument(got.PolicyDocument); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func attachedPolicies(ctx context.Context, client *iam.Client, role string) ([]trail.AttachedPolicy, error) {
	var out []trail.AttachedPolicy
	for pages := iam.NewListAttachedRolePoliciesPaginator(client, &iam.ListAttachedRolePoliciesInput{RoleName: &role}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if isNoEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		for _, p := range page.AttachedPolicies {
			one := trail.AttachedPolicy{PolicyArn: aws.ToString(p.PolicyArn)}
			if one.DefaultVersionID, err = DefaultPolicyVersion(ctx, client, one.PolicyArn); err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}

// awsAccount stands in the place of the account in ARNs of AWS's own policies.
const awsAccount = "aws"

// DefaultPolicyVersion asks which version of a managed policy holds; "" for policies of AWS, and for one that is gone.
func DefaultPolicyVersion(ctx context.Context, client *iam.Client, policyARN string) (string, error) {
	if p, err := arn.Parse(policyARN); err == nil && p.AccountID == awsAccount {
		return "", nil
	}
	out, err := client.GetPolicy(ctx, &iam.GetPolicyInput{PolicyArn: &policyARN})
	if isNoEntity(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return aws.ToString(out.Policy.DefaultVersionId), nil
}
