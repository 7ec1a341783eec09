// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// policies are inline policies by name. Their Deny statements are enforced; what they allow is not looked at.
type policies map[string]inline

type inline struct {
	document string
	parsed   *policy
}

// maxInline is what the inline policies of one role may have together, in characters; of a user it is 2,048.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxInlineRole = 10240
	maxInlineUser = 2048
)

// iamPolicyOperations manages inline policies.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
func iamPolicyOperations(t table) {
	handle(t, iamService, "PutRolePolicy", writes, putRolePolicy)
	handle(t, iamService, "GetRolePolicy", reads, getRolePolicy)
	handle(t, iamService, "DeleteRolePolicy", writes, deleteRolePolicy)
	handle(t, iamService, "ListRolePolicies", reads, listRolePolicies)
	handle(t, iamService, "PutUserPolicy", writes, putUserPolicy)
	handle(t, iamService, "GetUserPolicy", reads, getUserPolicy)
	handle(t, iamService, "DeleteUserPolicy", writes, deleteUserPolicy)
	handle(t, iamService, "ListUserPolicies", reads, listUserPolicies)
}

// inlinePolicies are those of the caller's user or role, in the order of their names, and those attached to the role.
func (c *credential) inlinePolicies() []*policy {
	var from policies
	switch {
	case c.role != nil:
		from = c.role.policies
	case c.user != nil:
		from = c.user.policies
	}
	var out []*policy
	for _, name := range slices.Sorted(maps.Keys(from)) {
		out = append(out, from[name].parsed)
	}
	if c.role != nil {
		out = append(out, c.role.attachedPolicies()...)
	}
	return out
}

// with is the set with one more document.
func (p policies) with(name, document string, limit int) (policies, error) {
	parsed, err := parsePolicy(document)
	if err != nil {
		return nil, failAs("MalformedPolicyDocumentException", http.StatusBadRequest, &types.MalformedPolicyDocumentException{
			Message: msg("Syntax errors in policy."),
		})
	}
	out := policies{name: {document, parsed}}
	size := len(document)
	for k, v := range p {
		if k != name {
			out[k] = v
			size += len(v.document)
		}
	}
	if size > limit {
		return nil, failAs("LimitExceededException", http.StatusConflict, &types.LimitExceededException{
			Message: msg("Maximum policy size of %d bytes exceeded", limit),
		})
	}
	return out, nil
}

// find is one document, IAM's way of encoding it.
func (p policies) find(name *string) (*string, error) {
	x, ok := p[aws.ToString(name)]
	if !ok {
		return nil, noSuchEntity("The policy with name %s cannot be found.", aws.ToString(name))
	}
	return aws.String(escape(x.document)), nil
}

func (p policies) names() []string { return append([]string{}, slices.Sorted(maps.Keys(p))...) }

func putRolePolicy(c *call, in *iam.PutRolePolicyInput) (*iam.PutRolePolicyOutput, error) {
	r, err := c.ownRole(in.RoleName)
	if err != nil {
		return nil, err
	}
	next, err := r.policies.with(aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument), maxInlineRole)
	if err != nil {
		return nil, err
	}
	c.same = r.policies[*in.PolicyName].document == *in.PolicyDocument
	r.policies = next
	return &iam.PutRolePolicyOutput{}, nil
}

func getRolePolicy(c *call, in *iam.GetRolePolicyInput) (*iam.GetRolePolicyOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	document, err := r.policies.find(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRolePolicyOutput{RoleName: aws.String(r.name), PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

func deleteRolePolicy(c *call, in *iam.DeleteRolePolicyInput) (*iam.DeleteRolePolicyOutput, error) {
	r, err := c.ownRole(in.RoleName)
	if err != nil {
		return nil, err
	}
	if _, err := r.policies.find(in.PolicyName); err != nil {
		return nil, err
	}
	delete(r.policies, *in.PolicyName)
	return &iam.DeleteRolePolicyOutput{}, nil
}

func listRolePolicies(c *call, in *iam.ListRolePoliciesInput) (*iam.ListRolePoliciesOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.ListRolePoliciesOutput{PolicyNames: r.policies.names()}, nil
}

func putUserPolicy(c *call, in *iam.PutUserPolicyInput) (*iam.PutUserPolicyOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	next, err := u.policies.with(aws.ToString(in.PolicyName), aws.ToString(in.PolicyDocument), maxInlineUser)
	if err != nil {
		return nil, err
	}
	c.same = u.policies[*in.PolicyName].document == *in.PolicyDocument
	u.policies = next
	return &iam.PutUserPolicyOutput{}, nil
}

func getUserPolicy(c *call, in *iam.GetUserPolicyInput) (*iam.GetUserPolicyOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	document, err := u.policies.find(in.PolicyName)
	if err != nil {
		return nil, err
	}
	return &iam.GetUserPolicyOutput{UserName: aws.String(u.name), PolicyName: in.PolicyName, PolicyDocument: document}, nil
}

func deleteUserPolicy(c *call, in *iam.DeleteUserPolicyInput) (*iam.DeleteUserPolicyOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	if _, err := u.policies.find(in.PolicyName); err != nil {
		return nil, err
	}
	delete(u.policies, *in.PolicyName)
	return &iam.DeleteUserPolicyOutput{}, nil
}

func listUserPolicies(c *call, in *iam.ListUserPoliciesInput) (*iam.ListUserPoliciesOutput, error) {
	u, err := c.userFor(in.UserName)
	if err != nil {
		return nil, err
	}
	return &iam.ListUserPoliciesOutput{PolicyNames: u.policies.names()}, nil
}

// trustAll is the trust policy of a role of which nothing is known: everybody in its account.
func (a *account) trustAll() string {
	return trustPolicy(a.global("iam", "root"))
}

func trustPolicy(principals ...string) string {
	type m = map[string]any
	p, _ := json.Marshal(m{"Version": "2012-10-17", "Statement": []m{{ // strings only
		"Effect": "Allow", "Principal": m{"AWS": principals}, "Action": []string{"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"},
	}}})
	return string(p)
}
