// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreRole{})) }

// restoreRole puts a role back.
type restoreRole struct{}

// Info implements action.Restorer.
func (restoreRole) Info() action.Info {
	return action.Info{
		ID: "iam:RestoreRole", Summary: "put back the role with which CloudTrail delivers to a log group", Class: "restore-trail",
		Permissions: []string{
			"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy",
			"iam:DetachRolePolicy", "iam:GetPolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
			"iam:ListRolePolicies", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:SetDefaultPolicyVersion", "iam:TagRole",
			"iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole",
		},
	}
}

// Kind implements action.Restorer.
func (restoreRole) Kind() trail.Kind { return trail.KindRole }

// repair makes a role what it should be; a restore and its undo differ only in what that is.
type repair struct {
	client *api.Client
	role   *string
	path   *string
	steps  action.Steps
}

func open(ctx context.Context, env *action.Env, d trail.Dependency) (*repair, error) {
	path, name, err := state.RoleName(d.ARN)
	if err != nil {
		return nil, err
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return nil, err
	}
	return &repair{client: api.NewFromConfig(cfg), role: &name, path: &path}, nil
}

// Apply implements action.Restorer.
func (restoreRole) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Role) (string, error) {
	r, err := open(ctx, env, d)
	if err != nil {
		return "", err
	}
	if !now.Exists {
		if err := state.CheckOwner(ctx, env.Door, d); err != nil {
			return "", err
		}
		if !r.create(ctx, want) {
			return r.steps.Result(ctx)
		}
		versions := now.PolicyVersions
		now = bare(want)
		now.PolicyVersions = versions
	}
	r.change(ctx, want, now, trail.WeakenedRole(want, now))
	return r.steps.Result(ctx)
}

// create makes the role with its trust policy and its boundary.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
func (r *repair) create(ctx context.Context, want trail.Role) bool {
	in := &api.CreateRoleInput{
		RoleName: r.role, Path: r.path, AssumeRolePolicyDocument: aws.String(trail.PolicyText(want.AssumeRolePolicyDocument)),
	}
	if want.Description != "" {
		in.Description = &want.Description
	}
	if want.MaxSessionDuration != 0 {
		in.MaxSessionDuration = &want.MaxSessionDuration
	}
	if want.PermissionsBoundary != "" {
		in.PermissionsBoundary = &want.PermissionsBoundary
	}
	in.Tags = tagList(want.Tags)
	return action.Call(ctx, &r.steps, action.Interpret(r.client.CreateRole, func(err error) error {
		var exists *types.EntityAlreadyExistsException
		if errors.As(err, &exists) {
			return action.NeedsPerson("another role has the name %q, with another path than %q: an administrator of its account looks what "+
				"it is for, and takes it away: %s", *r.role, *r.path, action.ShellCommand("aws", "iam", "delete-role", "--role-name", *r.role))
		}
		return noPolicy(err, want.PermissionsBoundary)
	}), in)
}

func tagList(tags map[string]string) []types.Tag {
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: &k, Value: aws.String(tags[k])})
	}
	return out
}

// noPolicy is for errors that mean that a managed policy, or a version of it, is gone.
func noPolicy(err error, policyARN string) error {
	var gone *types.NoSuchEntityException
	if !errors.As(err, &gone) || policyARN == "" {
		return err
	}
	return action.NeedsPerson("policy %s, or the version of it that held, was deleted: an administrator of its account makes it again from "+
		"his own sources: %s, or create-policy-version with --set-as-default, and approves the baseline where the version has another "+
		"number then; Switchback attaches it (%v)",
		policyARN, action.ShellCommand("aws", "iam", "create-policy", "--policy-name", policyName(policyARN), "--policy-document", "file://POLICY.json"), err)
}

func policyName(policyARN string) string { return policyARN[strings.LastIndexByte(policyARN, '/')+1:] }

// change makes to of from where they differ. The boundary goes first: it may bound what a policy is attached for.
func (r *repair) change(ctx context.Context, to, from trail.Role, differences []trail.Difference) {
	differs := func(field string) bool {
		return slices.ContainsFunc(differences, func(d trail.Difference) bool { return d.Field == field })
	}
	if differs(trail.FieldTrust) {
		action.Call(ctx, &r.steps, r.client.UpdateAssumeRolePolicy, &api.UpdateAssumeRolePolicyInput{
			RoleName: r.role, PolicyDocument: aws.String(trail.PolicyText(to.AssumeRolePolicyDocument)),
		})
	}
	if differs(trail.FieldBoundary) {
		r.boundary(ctx, to.PermissionsBoundary)
	}
	if differs(trail.FieldMaxSession) {
		r.maxSession(ctx, to)
	}
	r.tags(ctx, to.Tags, from.Tags, differs)
	for _, name := range names(to.RolePolicyList, from.RolePolicyList) {
		if differs(trail.FieldInlinePolicy(name)) {
			r.inline(ctx, name, to.RolePolicyList)
		}
	}
	for _, p := range from.AttachedManagedPolicies {
		if _, ok := trail.FindPolicy(to.AttachedManagedPolicies, p.PolicyArn); !ok {
			action.Call(ctx, &r.steps, r.client.DetachRolePolicy, &api.DetachRolePolicyInput{RoleName: r.role, PolicyArn: &p.PolicyArn})
			r.setVersion(ctx, p.PolicyArn, to.PolicyVersions[p.PolicyArn], p.DefaultVersionID)
		}
	}
	for _, p := range to.AttachedManagedPolicies {
		if differs(trail.FieldManagedPolicy(p.PolicyArn)) {
			r.managed(ctx, p, from)
		}
	}
}

// maxSession says the description again, which the call takes with it.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html
func (r *repair) maxSession(ctx context.Context, to trail.Role) {
	in := &api.UpdateRoleInput{RoleName: r.role, MaxSessionDuration: &to.MaxSessionDuration}
	if to.Description != "" {
		in.Description = &to.Description
	}
	action.Call(ctx, &r.steps, r.client.UpdateRole, in)
}

func (r *repair) tags(ctx context.Context, to, from map[string]string, differs func(field string) bool) {
	put, gone := map[string]string{}, []string{}
	for key, value := range to {
		if differs(trail.FieldRoleTag(key)) {
			put[key] = value
		}
	}
	for key := range from {
		if _, ok := to[key]; !ok && differs(trail.FieldRoleTag(key)) {
			gone = append(gone, key)
		}
	}
	if len(gone) > 0 {
		slices.Sort(gone)
		action.Call(ctx, &r.steps, r.client.UntagRole, &api.UntagRoleInput{RoleName: r.role, TagKeys: gone})
	}
	if len(put) > 0 {
		action.Call(ctx, &r.steps, r.client.TagRole, &api.TagRoleInput{RoleName: r.role, Tags: tagList(put)})
	}
}

func names(a, b map[string]json.RawMessage) []string {
	out := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(out)
	return slices.Compact(out)
}

func (r *repair) boundary(ctx context.Context, policyARN string) {
	if policyARN == "" {
		action.Call(ctx, &r.steps, r.client.DeleteRolePermissionsBoundary, &api.DeleteRolePermissionsBoundaryInput{RoleName: r.role})
		return
	}
	action.Call(ctx, &r.steps, action.Interpret(r.client.PutRolePermissionsBoundary, func(err error) error { return noPolicy(err, policyARN) }),
		&api.PutRolePermissionsBoundaryInput{RoleName: r.role, PermissionsBoundary: &policyARN})
}

// inline puts one inline policy, or deletes it where to has none of the name.
func (r *repair) inline(ctx context.Context, name string, to map[string]json.RawMessage) {
	document, ok := to[name]
	if !ok {
		action.Call(ctx, &r.steps, r.client.DeleteRolePolicy, &api.DeleteRolePolicyInput{RoleName: r.role, PolicyName: &name})
		return
	}
	action.Call(ctx, &r.steps, r.client.PutRolePolicy, &api.PutRolePolicyInput{
		RoleName: r.role, PolicyName: &name, PolicyDocument: aws.String(trail.PolicyText(document)),
	})
}

// managed attaches a policy, and makes the version the default that was it.
func (r *repair) managed(ctx context.Context, p trail.AttachedPolicy, from trail.Role) {
	now, isAttached := trail.FindPolicy(from.AttachedManagedPolicies, p.PolicyArn)
	if !isAttached {
		now.DefaultVersionID = from.PolicyVersions[p.PolicyArn]
		call := action.Interpret(r.client.AttachRolePolicy, func(err error) error { return noPolicy(err, p.PolicyArn) })
		if !action.Call(ctx, &r.steps, call, &api.AttachRolePolicyInput{RoleName: r.role, PolicyArn: &p.PolicyArn}) {
			return
		}
	}
	r.setVersion(ctx, p.PolicyArn, p.DefaultVersionID, now.DefaultVersionID)
}

// setVersion makes a version the default of a policy; "" is that of a policy of AWS, or of one that nobody asked about.
func (r *repair) setVersion(ctx context.Context, policyARN, to, from string) {
	if to == "" || to == from {
		return
	}
	action.Call(ctx, &r.steps, action.Interpret(r.client.SetDefaultPolicyVersion, func(err error) error { return noPolicy(err, policyARN) }),
		&api.SetDefaultPolicyVersionInput{PolicyArn: &policyARN, VersionId: &to})
}

// Survey finds out which versions hold of policies of the baseline that are not attached.
func (restoreRole) Survey(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Role) (trail.Role, error) {
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return now, err
	}
	for _, p := range want.AttachedManagedPolicies {
		if _, ok := trail.FindPolicy(now.AttachedManagedPolicies, p.PolicyArn); ok || p.DefaultVersionID == "" {
			continue
		}
		version, err := state.DefaultPolicyVersion(ctx, api.NewFromConfig(cfg), p.PolicyArn)
		if err != nil {
			return now, fmt.Errorf("read policy %s: %w", p.PolicyArn, err)
		}
		if version == "" {
			continue
		}
		if now.PolicyVersions == nil {
			now.PolicyVersions = map[string]string{}
		}
		now.PolicyVersions[p.PolicyArn] = version
	}
	return now, nil
}

// Revert implements action.Restorer.
func (restoreRole) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Role) error {
	r, err := open(ctx, env, d)
	if err != nil {
		return err
	}
	switch {
	case before.Exists && (!now.Exists || before.RoleID != now.RoleID):
		return action.NeedsPerson("role %s is gone since, or another one: there is nothing to put its former policies on", *r.role)
	case before.Exists:
		r.change(ctx, before, now, differences(before, now))
	default:
		r.change(ctx, trail.Role{PolicyVersions: before.PolicyVersions}, now, trail.WeakenedRole(bare(now), now))
		action.Call(ctx, &r.steps, r.client.DeleteRole, &api.DeleteRoleInput{RoleName: r.role})
	}
	_, err = r.steps.Result(ctx)
	return err
}

// bare is what may be left of a role that is to be deleted.
func bare(r trail.Role) trail.Role {
	return trail.Role{
		Exists: true, AssumeRolePolicyDocument: r.AssumeRolePolicyDocument, PermissionsBoundary: r.PermissionsBoundary,
		MaxSessionDuration: r.MaxSessionDuration, Tags: r.Tags,
	}
}

// differences are all between two roles, whichever is the weaker.
func differences(a, b trail.Role) []trail.Difference {
	return slices.Concat(trail.WeakenedRole(a, b), trail.WeakenedRole(b, a))
}

// Guide implements action.Guide.
func (restoreRole) Guide(d trail.Dependency, want, now trail.Role) (action.Advice, []string) {
	if !now.Exists || want.RoleID == now.RoleID {
		return action.Advice{}, nil
	}
	return action.Advice{RevalidateTrail: true, Note: fmt.Sprintf("role %s was made again and has the unique id %s, no longer %s: "+
		"policies that name the role must be saved again, and CloudTrail takes it after an UpdateTrail with the same log group and role",
		d.ARN, now.RoleID, want.RoleID)}, nil
}

// WhenRefused implements action.Refused.
func (restoreRole) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: an administrator of the account of %s, with aws iam", d.ARN)
}
