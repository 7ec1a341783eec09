// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
)

// What the inline policies of a role or user may have together, in characters without white space.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
const (
	maxInlineRole = 10240
	maxInlineUser = 2048
)

// holder is a role or user with inline policies.
type holder struct {
	client *api.Client
	arn    arn.ARN
	name   *string
	isUser bool
}

// hold opens a role or user in its own account.
func hold(ctx context.Context, env *action.Env, a arn.ARN) (holder, error) {
	p, err := a.Parse()
	if err != nil {
		return holder{}, err
	}
	partition, ok := arn.PartitionByID(p.Partition)
	if !ok {
		return holder{}, fmt.Errorf("no partition %.20q", p.Partition)
	}
	cfg, err := env.Door.Config(ctx, p.AccountID, partition.GlobalRegion)
	if err != nil {
		return holder{}, err
	}
	return holder{api.NewFromConfig(cfg), a, aws.String(lastName(p)), strings.HasPrefix(p.Resource, "user/")}, nil
}

// lastName is the name without its path.
func lastName(p arn.Parts) string { return p.Resource[strings.LastIndexByte(p.Resource, '/')+1:] }

func (h holder) limit() int {
	if h.isUser {
		return maxInlineUser
	}
	return maxInlineRole
}

// notThere makes the zero value of what IAM does not have.
func notThere[T any](v T, err error) (T, error) {
	var gone *types.NoSuchEntityException
	if errors.As(err, &gone) {
		var zero T
		return zero, nil
	}
	return v, err
}

// id is the unique id and the ARN with the path; "" where there is no such role or user.
func (h holder) id(ctx context.Context) (id, full string, err error) {
	if h.isUser {
		out, err := notThere(h.client.GetUser(ctx, &api.GetUserInput{UserName: h.name}))
		if err != nil || out == nil {
			return "", "", err
		}
		return aws.ToString(out.User.UserId), aws.ToString(out.User.Arn), nil
	}
	out, err := notThere(h.client.GetRole(ctx, &api.GetRoleInput{RoleName: h.name}))
	if err != nil || out == nil {
		return "", "", err
	}
	return aws.ToString(out.Role.RoleId), aws.ToString(out.Role.Arn), nil
}

// policy reads one inline policy, "" where there is none.
func (h holder) policy(ctx context.Context, name string) (string, error) {
	var text *string
	if h.isUser {
		out, err := notThere(h.client.GetUserPolicy(ctx, &api.GetUserPolicyInput{UserName: h.name, PolicyName: &name}))
		if err != nil || out == nil {
			return "", err
		}
		text = out.PolicyDocument
	} else {
		out, err := notThere(h.client.GetRolePolicy(ctx, &api.GetRolePolicyInput{RoleName: h.name, PolicyName: &name}))
		if err != nil || out == nil {
			return "", err
		}
		text = out.PolicyDocument
	}
	plain, err := url.PathUnescape(aws.ToString(text)) // RFC 3986: a plus is a plus
	if err != nil {
		return "", fmt.Errorf("read policy %s of %s: %w", name, h.arn, err)
	}
	return plain, nil
}

// inlineSize is what the inline policies but one take, in characters as IAM counts them.
func (h holder) inlineSize(ctx context.Context, except string) (int, error) {
	names, err := h.policyNames(ctx)
	if err != nil {
		return 0, err
	}
	size := 0
	for _, name := range names {
		if name == except {
			continue
		}
		text, err := h.policy(ctx, name)
		if err != nil {
			return 0, err
		}
		size += len(strings.Join(strings.Fields(text), ""))
	}
	return size, nil
}

func (h holder) policyNames(ctx context.Context) (names []string, err error) {
	if h.isUser {
		for p := api.NewListUserPoliciesPaginator(h.client, &api.ListUserPoliciesInput{UserName: h.name}); p.HasMorePages(); {
			page, err := p.NextPage(ctx)
			if err != nil {
				return nil, err
			}
			names = append(names, page.PolicyNames...)
		}
		return names, nil
	}
	for p := api.NewListRolePoliciesPaginator(h.client, &api.ListRolePoliciesInput{RoleName: h.name}); p.HasMorePages(); {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		names = append(names, page.PolicyNames...)
	}
	return names, nil
}

// set puts an inline policy, or deletes it where text is empty.
func (h holder) set(ctx context.Context, s *action.Steps, name, text string) {
	because := func(err error) error { return h.because(err, name, text) }
	switch {
	case h.isUser && text == "":
		action.Call(ctx, s, action.Interpret(h.client.DeleteUserPolicy, because), &api.DeleteUserPolicyInput{UserName: h.name, PolicyName: &name})
	case h.isUser:
		action.Call(ctx, s, action.Interpret(h.client.PutUserPolicy, because), &api.PutUserPolicyInput{UserName: h.name, PolicyName: &name, PolicyDocument: &text})
	case text == "":
		action.Call(ctx, s, action.Interpret(h.client.DeleteRolePolicy, because), &api.DeleteRolePolicyInput{RoleName: h.name, PolicyName: &name})
	default:
		action.Call(ctx, s, action.Interpret(h.client.PutRolePolicy, because), &api.PutRolePolicyInput{RoleName: h.name, PolicyName: &name, PolicyDocument: &text})
	}
}

// setKey activates or deactivates a long-term key.
func (h holder) setKey(ctx context.Context, s *action.Steps, id string, status types.StatusType) {
	because := func(err error) error {
		if !action.IsDenied(err) {
			return err
		}
		return h.whoCan(err, action.ShellCommand("aws", "iam", "update-access-key", "--user-name", *h.name, "--access-key-id", id, "--status", string(status)))
	}
	action.Call(ctx, s, action.Interpret(h.client.UpdateAccessKey, because), &api.UpdateAccessKeyInput{UserName: h.name, AccessKeyId: &id, Status: status})
}

// keys are the long-term keys of a user with their status.
func (h holder) keys(ctx context.Context) (map[string]types.StatusType, error) {
	out, err := h.client.ListAccessKeys(ctx, &api.ListAccessKeysInput{UserName: h.name})
	if err != nil {
		return nil, err
	}
	all := map[string]types.StatusType{}
	for _, k := range out.AccessKeyMetadata {
		all[aws.ToString(k.AccessKeyId)] = k.Status
	}
	return all, nil
}

// because says who can act where IAM refuses a policy.
func (h holder) because(err error, name, text string) error {
	var full *types.LimitExceededException
	var protected *types.UnmodifiableEntityException
	switch {
	case errors.As(err, &full):
		return action.NeedsPerson("%s (%v); %s", h.full(), err, h.byHand(name, text))
	case errors.As(err, &protected):
		return action.NeedsPerson("%s: only AWS changes it (%v)", h.arn, err)
	case action.IsDenied(err):
		return h.whoCan(err, h.byHand(name, text))
	}
	return err
}

func (h holder) full() string {
	return fmt.Sprintf("the inline policies of %s have no room: together they may have %d characters", h.arn, h.limit())
}

func (h holder) whoCan(err error, command string) error {
	return fmt.Errorf("who can: an administrator of the account of %s: %s (%w)", h.arn, command, err)
}

// byHand is the command that puts or deletes the policy.
func (h holder) byHand(name, text string) string {
	verb, kind := "put", "role"
	if h.isUser {
		kind = "user"
	}
	if text == "" {
		verb = "delete"
	}
	words := []string{"aws", "iam", verb + "-" + kind + "-policy", "--" + kind + "-name", *h.name, "--policy-name", name}
	if text != "" {
		words = append(words, "--policy-document", text)
	}
	return action.ShellCommand(words...)
}

// denyName is that of the deny of one incident: two incidents do not undo each other's.
func denyName(env *action.Env) string {
	const prefix = "Switchback-Contain"
	id := string(env.Incident.ID)
	switch {
	case id == "":
		return prefix
	case entityName.MatchString(id) && len(id) <= 100:
		return prefix + "-" + id
	}
	sum := sha256.Sum256([]byte(id))
	return prefix + "-" + hex.EncodeToString(sum[:8])
}
