// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"path/filepath"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/sandbox"
)

// TestAttachedDeny: an attached policy binds its role, by the version that is the default.
func TestAttachedDeny(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	roles := iam.NewFromConfig(w.root(account, region))
	deny := `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"cloudtrail:StopLogging","Resource":"*"}]}`
	allow := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	made := must(roles.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: aws.String("p"), PolicyDocument: &deny}))(t).Policy
	must(roles.AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String("Deploy"), PolicyArn: made.Arn}))(t)
	session := w.as(assume(t, w, "alice"), region)
	if err := w.stop(session); code(err) != "AccessDeniedException" {
		t.Errorf("with the policy: %v, want a refusal", err)
	}
	must(roles.CreatePolicyVersion(t.Context(), &iam.CreatePolicyVersionInput{PolicyArn: made.Arn, PolicyDocument: &allow, SetAsDefault: true}))(t)
	if err := w.stop(session); err != nil {
		t.Errorf("with its other version: %v", err)
	}
}

// TestPendingImportStopsTrails: a key without its material is no key for a trail.
func TestPendingImportStopsTrails(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	keys := kms.NewFromConfig(w.root(account, region))
	made := must(keys.CreateKey(t.Context(), &kms.CreateKeyInput{Origin: types.OriginTypeExternal}))(t).KeyMetadata
	_, err := w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, KmsKeyId: made.Arn})
	if code(err) != "KmsException" {
		t.Errorf("a trail with the key: %v, want KmsException", err)
	}
}

// TestDependenciesSurvive: what a trail depends on is there after a restart, as it was.
func TestDependenciesSurvive(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sandbox.jsonl")
	c := &clock{now: start}
	w := reopen(t, path, c)
	ctx, cfg := t.Context(), w.root(account, region)
	topic := must(sns.NewFromConfig(cfg).CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("t")}))(t).TopicArn
	must(sns.NewFromConfig(cfg).Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("email"), Endpoint: aws.String("soc@example.com")}))(t)
	must(0, w.ConfirmSubscription(*topic, "soc@example.com"))(t)
	group := aws.String("/trail")
	must(cloudwatchlogs.NewFromConfig(cfg).CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group, KmsKeyId: &w.KeyARN}))(t)
	must(kms.NewFromConfig(cfg).CreateGrant(ctx, &kms.CreateGrantInput{
		KeyId: &w.KeyARN, GranteePrincipal: &w.RoleARN, Operations: []types.GrantOperation{types.GrantOperationDecrypt},
	}))(t)
	read := func(w *world) []any {
		cfg := w.root(account, region)
		return []any{
			must(sns.NewFromConfig(cfg).ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic}))(t).Subscriptions[0].SubscriptionArn,
			must(cloudwatchlogs.NewFromConfig(cfg).DescribeLogGroups(ctx, &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: group}))(t).LogGroups[0].KmsKeyId,
			must(kms.NewFromConfig(cfg).ListGrants(ctx, &kms.ListGrantsInput{KeyId: &w.KeyARN}))(t).Grants[0].GrantId,
		}
	}
	want := read(w)
	w = reopen(t, path, c, w)
	if d := cmp.Diff(want, read(w)); d != "" {
		t.Errorf("after the restart (-before +after):\n%s", d)
	}
	if err := w.ConfirmSubscription(*topic, "nobody@example.com"); err == nil {
		t.Error("somebody confirmed who never subscribed")
	}
}
