// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

func createRole(c *call, in *iam.CreateRoleInput) (*iam.CreateRoleOutput, error) {
	name := aws.ToString(in.RoleName)
	if _, ok := c.account().roles[name]; ok {
		return nil, alreadyExists("Role with name %s already exists.", name)
	}
	r := &role{
		name: name, path: pathOr(in.Path), id: c.ids.unique("AROA"), created: c.now, trust: aws.ToString(in.AssumeRolePolicyDocument),
		maxSession: defaultMaxSession, tags: iamTags(in.Tags), description: aws.ToString(in.Description),
	}
	if in.PermissionsBoundary != nil {
		p, err := c.managedPolicy(in.PermissionsBoundary)
		if err != nil {
			return nil, err
		}
		r.boundary = p.arn
	}
	if err := checkTrust(r.trust); err != nil {
		return nil, err
	}
	assign(&r.maxSession, in.MaxSessionDuration)
	r.arn = c.account().global("iam", "role"+r.path+name)
	c.account().roles[name] = r
	c.touch(iamRoleType, name)
	shown := r.describe()
	shown.MaxSessionDuration = nil // only reads show it
	return &iam.CreateRoleOutput{Role: shown}, nil
}

func checkTrust(document string) error {
	if _, err := parsePolicy(document); err != nil {
		return failAs("MalformedPolicyDocumentException", http.StatusBadRequest, &types.MalformedPolicyDocumentException{
			Message: msg("This policy contains invalid Json"),
		})
	}
	return nil
}

// describe shows the role; IAM URL-encodes policy documents.
func (r *role) describe() *types.Role {
	out := &types.Role{
		RoleName: aws.String(r.name), Path: aws.String(r.path), RoleId: aws.String(r.id), Arn: aws.String(r.arn),
		CreateDate: aws.Time(r.created), AssumeRolePolicyDocument: aws.String(escape(r.trust)), MaxSessionDuration: aws.Int32(r.maxSession),
	}
	if r.description != "" {
		out.Description = aws.String(r.description)
	}
	if r.boundary != "" {
		out.PermissionsBoundary = &types.AttachedPermissionsBoundary{
			PermissionsBoundaryArn: aws.String(r.boundary), PermissionsBoundaryType: types.PermissionsBoundaryAttachmentTypePolicy,
		}
	}
	if len(r.tags) > 0 {
		out.Tags = shownTags(r.tags)
	}
	return out
}

// escape is RFC 3986, as IAM does it.
func escape(document string) string { return strings.ReplaceAll(url.QueryEscape(document), "+", "%20") }

func getRole(c *call, in *iam.GetRoleInput) (*iam.GetRoleOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.GetRoleOutput{Role: r.describe()}, nil
}

func deleteRole(c *call, in *iam.DeleteRoleInput) (*iam.DeleteRoleOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	if len(r.policies) > 0 {
		return nil, failAs("DeleteConflictException", http.StatusConflict, &types.DeleteConflictException{Message: msg("Cannot delete entity, must delete policies first.")})
	}
	if len(r.attached) > 0 {
		return nil, failAs("DeleteConflictException", http.StatusConflict, &types.DeleteConflictException{Message: msg("Cannot delete entity, must detach all policies first.")})
	}
	delete(c.account().roles, r.name)
	return &iam.DeleteRoleOutput{}, nil
}

func updateAssumeRolePolicy(c *call, in *iam.UpdateAssumeRolePolicyInput) (*iam.UpdateAssumeRolePolicyOutput, error) {
	r, err := c.ownRole(in.RoleName)
	if err != nil {
		return nil, err
	}
	if err := checkTrust(aws.ToString(in.PolicyDocument)); err != nil {
		return nil, err
	}
	c.same = r.trust == *in.PolicyDocument
	r.trust = *in.PolicyDocument
	return &iam.UpdateAssumeRolePolicyOutput{}, nil
}

// updateRole keeps a description that is not said; the length of sessions becomes an hour again.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
func updateRole(c *call, in *iam.UpdateRoleInput) (*iam.UpdateRoleOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	next := *r
	next.maxSession = defaultMaxSession
	assign(&next.maxSession, in.MaxSessionDuration)
	assign(&next.description, in.Description)
	if next.maxSession < defaultMaxSession || next.maxSession > 12*defaultMaxSession {
		return nil, invalid("ValidationError", "Value %d at 'maxSessionDuration' failed to satisfy constraint", next.maxSession)
	}
	c.same = next.maxSession == r.maxSession && next.description == r.description
	*r = next
	return &iam.UpdateRoleOutput{}, nil
}

func tagRole(c *call, in *iam.TagRoleInput) (*iam.TagRoleOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	r.tags, c.same = merged(r.tags, in.Tags)
	return &iam.TagRoleOutput{}, nil
}

func untagRole(c *call, in *iam.UntagRoleInput) (*iam.UntagRoleOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	before := r.tags
	for _, k := range in.TagKeys {
		r.tags = r.tags.without(k)
	}
	c.same = before.equal(r.tags)
	return &iam.UntagRoleOutput{}, nil
}

func listRoleTags(c *call, in *iam.ListRoleTagsInput) (*iam.ListRoleTagsOutput, error) {
	r, err := c.roleFor(in.RoleName)
	if err != nil {
		return nil, err
	}
	return &iam.ListRoleTagsOutput{Tags: shownTags(r.tags)}, nil
}
