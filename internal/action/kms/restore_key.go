// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package kms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreKey{})) }

// restoreKey puts a key back.
type restoreKey struct{}

// Info implements action.Restorer.
func (restoreKey) Info() action.Info {
	return action.Info{
		ID: "kms:RestoreKey", Summary: "put back the state, policy and aliases of a trail's key", Class: "restore-trail",
		Permissions: []string{
			"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
			"kms:GetKeyPolicy", "kms:ListAliases", "kms:ListGrants", "kms:PutKeyPolicy", "kms:UpdateAlias",
		},
	}
}

// Kind implements action.Restorer.
func (restoreKey) Kind() trail.Kind { return trail.KindKey }

// Survey finds out where the aliases of the baseline point to now that do not point to the key.
func (restoreKey) Survey(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Key) (trail.Key, error) {
	missing := missingAliases(want, now)
	if !now.Exists || len(missing) == 0 {
		return now, nil
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return now, err
	}
	for pages := api.NewListAliasesPaginator(api.NewFromConfig(cfg), &api.ListAliasesInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return now, fmt.Errorf("look for the aliases of %s: %w", d.ARN, err)
		}
		for _, a := range page.Aliases {
			if name := aws.ToString(a.AliasName); slices.Contains(missing, name) {
				if now.AliasTargets == nil {
					now.AliasTargets = map[string]string{}
				}
				now.AliasTargets[name] = aws.ToString(a.TargetKeyId)
			}
		}
	}
	return now, nil
}

func missingAliases(want, now trail.Key) []string {
	return slices.DeleteFunc(slices.Clone(want.Aliases), func(name string) bool { return slices.Contains(now.Aliases, name) })
}

// Apply implements action.Restorer. The policy comes before EnableKey, which it may deny us, and after
// CancelKeyDeletion, without which it cannot be put. A cancelled deletion leaves the key disabled.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_CancelKeyDeletion.html
func (restoreKey) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Key) (string, error) {
	if !now.Exists {
		return "", action.NeedsPerson("key %s is gone for good, and with it what it encrypted. %s", d.ARN, otherKey)
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return "", err
	}
	client := api.NewFromConfig(cfg)
	id, weaker := keyID(d), fields(trail.WeakenedKey(want, now))
	var steps action.Steps
	if isPending(now) && slices.Contains(weaker, trail.FieldKeyState) {
		action.Call(ctx, &steps, action.Interpret(client.CancelKeyDeletion, isCancelled), &api.CancelKeyDeletionInput{KeyId: id})
	}
	if slices.Contains(weaker, trail.FieldPolicy) {
		action.Call(ctx, &steps, action.Interpret(client.PutKeyPolicy, badPolicy(d)), putPolicy(id, want))
	}
	if slices.Contains(weaker, trail.FieldKeyState) {
		enable(ctx, client, &steps, d, now)
	}
	for _, name := range missingAliases(want, now) {
		if _, elsewhere := now.AliasTargets[name]; elsewhere {
			action.Call(ctx, &steps, client.UpdateAlias, &api.UpdateAliasInput{AliasName: &name, TargetKeyId: id})
		} else {
			action.Call(ctx, &steps, client.CreateAlias, &api.CreateAliasInput{AliasName: &name, TargetKeyId: id})
		}
	}
	return steps.Result(ctx)
}

// keyID is the id in the key's ARN: no other account's key has it.
func keyID(d trail.Dependency) *string {
	p, err := d.ARN.Parse()
	if err != nil {
		return aws.String(string(d.ARN)) // it was read by its ARN before
	}
	return aws.String(p.Name())
}

func isPending(k trail.Key) bool {
	return k.KeyState == trail.KeyPendingDeletion || k.KeyState == trail.KeyPendingReplicaDeletion
}

func fields(differences []trail.Difference) []string {
	out := make([]string, 0, len(differences))
	for _, d := range differences {
		out = append(out, d.Field)
	}
	return out
}

// isCancelled takes the answer that the deletion is not pending any more for success: somebody was quicker.
func isCancelled(err error) error {
	var state *types.KMSInvalidStateException
	if errors.As(err, &state) {
		return nil
	}
	return err
}

// badPolicy is for a policy that KMS does not take back: it names somebody who is gone, or would lock us out.
func badPolicy(d trail.Dependency) func(error) error {
	return func(err error) error {
		var malformed *types.MalformedPolicyDocumentException
		if !errors.As(err, &malformed) {
			return err
		}
		return action.NeedsPerson("KMS refuses the former policy of key %s, since it names a principal that is gone or does not let us put "+
			"policies. Who can: a principal whom that policy names, after taking out who is gone: %s; where it knows nobody any more, AWS Support (%v)",
			d.ARN, action.ShellCommand("aws", "kms", "put-key-policy", "--key-id", string(d.ARN), "--policy", "file://POLICY.json"), err)
	}
}

// putPolicy never asks to bypass the lock-out safety check.
func putPolicy(id *string, k trail.Key) *api.PutKeyPolicyInput {
	return &api.PutKeyPolicyInput{KeyId: id, PolicyName: aws.String("default"), Policy: aws.String(trail.PolicyText(k.Policy))}
}

// otherKey is the way out when a key cannot be had back.
const otherKey = "To give the trail another key, an administrator of the trail's account runs: " +
	"aws cloudtrail update-trail --name TRAIL --kms-key-id OTHER-KEY-ARN"

func enable(ctx context.Context, client *api.Client, steps *action.Steps, d trail.Dependency, now trail.Key) {
	switch {
	case isPending(now), now.KeyState == trail.KeyDisabled:
		action.Call(ctx, steps, client.EnableKey, &api.EnableKeyInput{KeyId: keyID(d)})
	case now.KeyState == trail.KeyPendingImport:
		steps.Fail(action.NeedsPerson("the imported material of key %s was deleted or has expired. Whoever keeps it imports the same "+
			"material: aws kms get-parameters-for-import --key-id %s …, then aws kms import-key-material --key-id %s …", d.ARN, d.ARN, d.ARN))
	default:
		steps.Fail(action.NeedsPerson("key %s is in the state %.40s; an administrator of its account finds out why: "+
			"aws kms describe-key --key-id %s. %s", d.ARN, now.KeyState, d.ARN, otherKey))
	}
}

// Revert implements action.Restorer. A deletion is not scheduled again: after its waiting period nobody could take it
// back, and no role of ours may do that.
func (restoreKey) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Key) error {
	if isPending(before) && !isPending(now) {
		return action.NeedsPerson("the deletion of key %s was cancelled, and is not scheduled again by Switchback. "+
			"An administrator of its account runs: aws kms schedule-key-deletion --key-id %s", d.ARN, d.ARN)
	}
	cfg, err := state.HomeConfig(ctx, env.Door, d)
	if err != nil {
		return err
	}
	client, id := api.NewFromConfig(cfg), keyID(d)
	var steps action.Steps
	for _, name := range now.Aliases {
		target, elsewhere := before.AliasTargets[name]
		switch {
		case elsewhere:
			action.Call(ctx, &steps, client.UpdateAlias, &api.UpdateAliasInput{AliasName: &name, TargetKeyId: &target})
		case !slices.Contains(before.Aliases, name):
			action.Call(ctx, &steps, client.DeleteAlias, &api.DeleteAliasInput{AliasName: &name})
		}
	}
	if before.KeyState == trail.KeyDisabled && now.KeyState == trail.KeyEnabled {
		action.Call(ctx, &steps, client.DisableKey, &api.DisableKeyInput{KeyId: id})
	}
	if !bytes.Equal(before.Policy, now.Policy) {
		action.Call(ctx, &steps, action.Interpret(client.PutKeyPolicy, badPolicy(d)), putPolicy(id, before))
	}
	_, err = steps.Result(ctx)
	return err
}

// Guide implements action.Guide: CloudTrail uses the key by its policy and needs no grants.
func (restoreKey) Guide(d trail.Dependency, want, now trail.Key) (action.Advice, []string) {
	var commands []string
	for _, g := range want.Grants {
		if !now.HasMoreGrants && !hasGrant(now, g) {
			words := []string{"aws", "kms", "create-grant", "--key-id", string(d.ARN), "--grantee-principal", g.GranteePrincipal, "--operations"}
			commands = append(commands, action.ShellCommand(append(words, g.Operations...)...))
		}
	}
	for _, g := range now.Grants {
		if !want.HasMoreGrants && !hasGrant(want, g) {
			commands = append(commands, action.ShellCommand("aws", "kms", "revoke-grant", "--key-id", string(d.ARN), "--grant-id", g.GrantID))
		}
	}
	if len(commands) == 0 || !now.Exists {
		return action.Advice{}, nil
	}
	return action.Advice{WhoCan: "grants of the key changed: an administrator of its account looks at them and runs: " +
		action.ShortList(commands)}, []string{trail.FieldGrants}
}

func hasGrant(k trail.Key, g trail.KeyGrant) bool {
	return slices.ContainsFunc(k.Grants, func(x trail.KeyGrant) bool { return x.GrantID == g.GrantID })
}

// WhenRefused implements action.Refused. Nobody but AWS gets past a key policy, not even the account's root user.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html
func (restoreKey) WhenRefused(d trail.Dependency) string {
	return fmt.Sprintf("who can: a principal that the policy of key %s still lets aws kms put-key-policy; where it locks everybody out, "+
		"only AWS Support, asked by the account's root user", d.ARN)
}
