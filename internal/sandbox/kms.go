// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// kmsKey is a symmetric key. Nothing is really encrypted with it.
type kmsKey struct {
	id, arn, description string
	account              *account
	created              time.Time
	policy               string
	disabled             bool
	deletion             time.Time // zero unless pending
	origin               types.OriginType
	material             bool // imported key material is there
	grants               []types.GrantListEntry
}

// The states of a key; keyGone is after its deletion.
const (
	keyEnabled  = types.KeyStateEnabled
	keyDisabled = types.KeyStateDisabled
	keyPending  = types.KeyStatePendingDeletion
	keyGone     = types.KeyState("")
	keyImport   = types.KeyStatePendingImport
)

// kmsOperations manages keys.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_Operations.html
func kmsOperations(t table) {
	handle(t, kmsService, "CreateKey", writes, createKey)
	handle(t, kmsService, "DescribeKey", reads, describeKey)
	handle(t, kmsService, "ListKeys", reads, listKeys)
	handle(t, kmsService, "DisableKey", writes, disableKey)
	handle(t, kmsService, "EnableKey", writes, enableKey)
	handle(t, kmsService, "ScheduleKeyDeletion", writes, scheduleKeyDeletion)
	handle(t, kmsService, "CancelKeyDeletion", writes, cancelKeyDeletion)
	handle(t, kmsService, "GetKeyPolicy", reads, getKeyPolicy)
	handle(t, kmsService, "PutKeyPolicy", writes, putKeyPolicy)
	handle(t, kmsService, "CreateAlias", writes, createAlias)
	handle(t, kmsService, "UpdateAlias", writes, updateAlias)
	handle(t, kmsService, "DeleteAlias", writes, deleteAlias)
	handle(t, kmsService, "ListAliases", reads, listAliases)
}

func (k *kmsKey) state(now time.Time) types.KeyState {
	switch {
	case !k.deletion.IsZero() && !now.Before(k.deletion):
		return keyGone
	case !k.deletion.IsZero():
		return keyPending
	case k.origin == types.OriginTypeExternal && !k.material:
		return keyImport
	case k.disabled:
		return keyDisabled
	default:
		return keyEnabled
	}
}

// keyByARN finds a key of any account.
func (s *Sandbox) keyByARN(keyARN string) *kmsKey {
	p, err := arn.Parse(keyARN)
	if err != nil {
		return nil
	}
	a, ok := s.accounts[p.AccountID]
	if !ok {
		return nil
	}
	if strings.HasPrefix(p.Resource, "alias/") {
		return a.aliases[keyARN]
	}
	return a.keys[keyARN]
}

// findKey finds a key by id, ARN, alias name or alias ARN.
func (c *call) findKey(name string) *kmsKey {
	switch {
	case arn.IsARN(name):
		return c.s.keyByARN(name)
	case strings.HasPrefix(name, "alias/"):
		return c.account().aliases[c.arnOf("kms", name)]
	default:
		return c.account().keys[c.arnOf("kms", "key/"+name)]
	}
}

func keyTarget(c *call) string {
	if k := c.findKey(text(c.in, "KeyId")); k != nil {
		return k.arn
	}
	return "*"
}

// keyFor finds the key of a call and asks its policy. Only some calls take an alias.
func (c *call) keyFor(name *string) (*kmsKey, error) {
	id := aws.ToString(name)
	k := c.findKey(id)
	if k == nil || k.state(c.now) == keyGone || strings.Contains(id, "alias/") && c.op.name != "DescribeKey" {
		if !arn.IsARN(id) {
			id = c.arnOf("kms", "key/"+id)
		}
		return nil, fail(http.StatusBadRequest, &types.NotFoundException{Message: msg("Key '%s' does not exist", id)})
	}
	c.resource("AWS::KMS::Key", k.arn, k.account)
	return k, c.permit(k.policy, k.arn, k.account)
}

// changeable is keyFor for calls that a pending deletion stops.
func (c *call) changeable(name *string) (*kmsKey, error) {
	k, err := c.keyFor(name)
	if err != nil {
		return nil, err
	}
	if k.state(c.now) == keyPending {
		return nil, fail(http.StatusBadRequest, &types.KMSInvalidStateException{Message: msg("%s is pending deletion.", k.arn)})
	}
	return k, nil
}

func createKey(c *call, in *kms.CreateKeyInput) (*kms.CreateKeyOutput, error) {
	id := c.ids.uuid()
	k := &kmsKey{
		id: id, arn: c.arnOf("kms", "key/"+id), account: c.account(), created: c.now,
		description: aws.ToString(in.Description), policy: aws.ToString(in.Policy), origin: cmp.Or(in.Origin, types.OriginTypeAwsKms),
	}
	if k.origin != types.OriginTypeAwsKms && k.origin != types.OriginTypeExternal {
		return nil, invalid("UnsupportedOperationException", "the sandbox has no key stores")
	}
	if k.policy == "" {
		k.policy = c.account().defaultKeyPolicy()
	}
	if err := c.checkKeyPolicy(k.policy, k.arn, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	c.account().keys[k.arn] = k
	c.resource("AWS::KMS::Key", k.arn, k.account)
	return &kms.CreateKeyOutput{KeyMetadata: k.describe(c.now)}, nil
}

// defaultKeyPolicy lets the account decide.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func (a *account) defaultKeyPolicy() string {
	type m = map[string]any
	p, _ := json.Marshal(m{"Version": "2012-10-17", "Id": "key-default-1", "Statement": []m{{ // strings only
		"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": m{"AWS": a.global("iam", "root")},
		"Action": "kms:*", "Resource": "*",
	}}})
	return string(p)
}

// checkKeyPolicy refuses what is no policy, and one that would not let the caller put another.
func (c *call) checkKeyPolicy(document, keyARN string, bypass bool) error {
	p, err := parsePolicy(document)
	if err != nil || len(document) > 32<<10 {
		return fail(http.StatusBadRequest, &types.MalformedPolicyDocumentException{Message: msg("Policy contains a statement that is not valid.")})
	}
	v := p.decide(question{action: "kms:PutKeyPolicy", resource: keyARN, who: c.by.names(), keys: c.keys()})
	if v != allowed && !bypass {
		return fail(http.StatusBadRequest, &types.MalformedPolicyDocumentException{
			Message: msg("The new key policy will not allow you to update the key policy in the future."),
		})
	}
	return nil
}

func (k *kmsKey) describe(now time.Time) *types.KeyMetadata {
	created := k.created
	m := &types.KeyMetadata{
		KeyId: aws.String(k.id), Arn: aws.String(k.arn), AWSAccountId: aws.String(k.account.id), CreationDate: &created,
		Description: aws.String(k.description), KeyState: k.state(now), Enabled: k.state(now) == keyEnabled,
		KeyManager: types.KeyManagerTypeCustomer, KeyUsage: types.KeyUsageTypeEncryptDecrypt, Origin: k.origin,
		KeySpec: types.KeySpecSymmetricDefault, MultiRegion: aws.Bool(false),
	}
	if m.KeyState == keyPending {
		m.DeletionDate = aws.Time(k.deletion)
	}
	return m
}

func describeKey(c *call, in *kms.DescribeKeyInput) (*kms.DescribeKeyOutput, error) {
	k, err := c.keyFor(in.KeyId)
	if err != nil {
		return nil, err
	}
	return &kms.DescribeKeyOutput{KeyMetadata: k.describe(c.now)}, nil
}

func listKeys(c *call, _ *kms.ListKeysInput) (*kms.ListKeysOutput, error) {
	out := &kms.ListKeysOutput{Keys: []types.KeyListEntry{}}
	for keyARN, k := range c.account().keys {
		if p, err := arn.Parse(keyARN); err == nil && p.Region == c.region && k.state(c.now) != keyGone {
			out.Keys = append(out.Keys, types.KeyListEntry{KeyArn: aws.String(k.arn), KeyId: aws.String(k.id)})
		}
	}
	slices.SortFunc(out.Keys, func(x, y types.KeyListEntry) int { return strings.Compare(*x.KeyArn, *y.KeyArn) })
	return out, nil
}

func disableKey(c *call, in *kms.DisableKeyInput) (*kms.DisableKeyOutput, error) {
	k, err := c.changeable(in.KeyId)
	if err != nil {
		return nil, err
	}
	c.same = k.disabled
	k.disabled = true
	return &kms.DisableKeyOutput{}, nil
}

func enableKey(c *call, in *kms.EnableKeyInput) (*kms.EnableKeyOutput, error) {
	k, err := c.changeable(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.state(c.now) == keyImport {
		return nil, fail(http.StatusBadRequest, &types.KMSInvalidStateException{Message: msg("%s is pending import.", k.arn)})
	}
	c.same = !k.disabled
	k.disabled = false
	return &kms.EnableKeyOutput{}, nil
}

func scheduleKeyDeletion(c *call, in *kms.ScheduleKeyDeletionInput) (*kms.ScheduleKeyDeletionOutput, error) {
	k, err := c.changeable(in.KeyId)
	if err != nil {
		return nil, err
	}
	days := int32(30)
	if in.PendingWindowInDays != nil {
		days = *in.PendingWindowInDays
	}
	if days < 7 || days > 30 {
		return nil, invalid("ValidationException", "PendingWindowInDays must be between 7 and 30.")
	}
	k.deletion = c.now.Add(time.Duration(days) * 24 * time.Hour)
	return &kms.ScheduleKeyDeletionOutput{
		KeyId: aws.String(k.arn), DeletionDate: aws.Time(k.deletion), KeyState: keyPending, PendingWindowInDays: aws.Int32(days),
	}, nil
}

// cancelKeyDeletion leaves the key disabled.
func cancelKeyDeletion(c *call, in *kms.CancelKeyDeletionInput) (*kms.CancelKeyDeletionOutput, error) {
	k, err := c.keyFor(in.KeyId)
	if err != nil {
		return nil, err
	}
	if k.state(c.now) != keyPending {
		return nil, fail(http.StatusBadRequest, &types.KMSInvalidStateException{Message: msg("%s is not pending deletion.", k.arn)})
	}
	k.deletion, k.disabled = time.Time{}, true
	return &kms.CancelKeyDeletionOutput{KeyId: aws.String(k.arn)}, nil
}

// defaultPolicyName is the only name a key policy may have.
const defaultPolicyName = "default"

func getKeyPolicy(c *call, in *kms.GetKeyPolicyInput) (*kms.GetKeyPolicyOutput, error) {
	k, err := c.keyFor(in.KeyId)
	if err != nil {
		return nil, err
	}
	if in.PolicyName != nil && *in.PolicyName != defaultPolicyName {
		return nil, fail(http.StatusBadRequest, &types.NotFoundException{Message: msg("No such policy exists")})
	}
	return &kms.GetKeyPolicyOutput{Policy: aws.String(k.policy), PolicyName: aws.String(defaultPolicyName)}, nil
}

func putKeyPolicy(c *call, in *kms.PutKeyPolicyInput) (*kms.PutKeyPolicyOutput, error) {
	k, err := c.changeable(in.KeyId)
	if err != nil {
		return nil, err
	}
	if err := c.checkKeyPolicy(aws.ToString(in.Policy), k.arn, in.BypassPolicyLockoutSafetyCheck); err != nil {
		return nil, err
	}
	c.same = k.policy == *in.Policy
	k.policy = *in.Policy
	return &kms.PutKeyPolicyOutput{}, nil
}

// alias is the ARN of an alias, which records list beside its key; of a key that loses it they list nothing.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-updatealias.html
func (c *call) alias(name *string) string {
	alias := c.arnOf("kms", aws.ToString(name))
	c.resource("AWS::KMS::Alias", alias, c.account())
	return alias
}

func createAlias(c *call, in *kms.CreateAliasInput) (*kms.CreateAliasOutput, error) {
	alias := c.alias(in.AliasName)
	k, err := c.changeable(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	if _, ok := c.account().aliases[alias]; ok {
		return nil, fail(http.StatusBadRequest, &types.AlreadyExistsException{Message: msg("An alias with the name %s already exists", alias)})
	}
	c.account().aliases[alias] = k
	return &kms.CreateAliasOutput{}, nil
}

// updateAlias moves an alias to another key of the account and region.
func updateAlias(c *call, in *kms.UpdateAliasInput) (*kms.UpdateAliasOutput, error) {
	alias := c.alias(in.AliasName)
	old, ok := c.account().aliases[alias]
	if !ok {
		return nil, fail(http.StatusBadRequest, &types.NotFoundException{Message: msg("Alias %s is not found.", alias)})
	}
	k, err := c.changeable(in.TargetKeyId)
	if err != nil {
		return nil, err
	}
	if err := c.permit(old.policy, old.arn, old.account); err != nil {
		return nil, err
	}
	c.same = old == k
	c.account().aliases[alias] = k
	return &kms.UpdateAliasOutput{}, nil
}

func deleteAlias(c *call, in *kms.DeleteAliasInput) (*kms.DeleteAliasOutput, error) {
	alias := c.alias(in.AliasName)
	k, ok := c.account().aliases[alias]
	if !ok {
		return nil, fail(http.StatusBadRequest, &types.NotFoundException{Message: msg("Alias %s is not found.", alias)})
	}
	c.resource("AWS::KMS::Key", k.arn, k.account)
	delete(c.account().aliases, alias)
	return &kms.DeleteAliasOutput{}, nil
}

func listAliases(c *call, in *kms.ListAliasesInput) (*kms.ListAliasesOutput, error) {
	out := &kms.ListAliasesOutput{Aliases: []types.AliasListEntry{}}
	only := c.findKey(aws.ToString(in.KeyId))
	for alias, k := range c.account().aliases {
		p, err := arn.Parse(alias)
		if err != nil || p.Region != c.region || in.KeyId != nil && k != only {
			continue
		}
		out.Aliases = append(out.Aliases, types.AliasListEntry{
			AliasArn: aws.String(alias), AliasName: aws.String(p.Resource), TargetKeyId: aws.String(k.id),
		})
	}
	slices.SortFunc(out.Aliases, func(x, y types.AliasListEntry) int { return strings.Compare(*x.AliasArn, *y.AliasArn) })
	return out, nil
}
