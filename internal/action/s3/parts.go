// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/trail"
)

// target is the bucket of a call and its expected owner.
type target struct{ bucket, owner *string }

// part is what one call sets, or takes away where there is to be none.
type part struct {
	field string // in differences
	of    func(trail.Bucket) any
	put   func(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket)
}

// parts are in the order of putting back.
var parts = []part{
	{trail.FieldBucketACL, func(b trail.Bucket) any { return b.ACL }, putACL},
	{trail.FieldBucketOwnership, func(b trail.Bucket) any { return b.ObjectOwnership }, putOwnership},
	{trail.FieldBucketPublicAccess, func(b trail.Bucket) any { return b.PublicAccessBlock }, putPublicAccess},
	{trail.FieldBucketVersioning, func(b trail.Bucket) any { return b.Versioning.Status }, putVersioning},
	{trail.FieldBucketObjectLock, func(b trail.Bucket) any { return b.ObjectLock }, putObjectLock},
	{trail.FieldBucketEncryption, func(b trail.Bucket) any { return b.Encryption }, putEncryption},
	{trail.FieldBucketPolicy, func(b trail.Bucket) any { return b.Policy }, putPolicy},
	{trail.FieldBucketLifecycle, func(b trail.Bucket) any { return b.Lifecycle }, putLifecycle},
	{trail.FieldBucketNotification, func(b trail.Bucket) any { return b.Notification }, putNotification},
	{trail.FieldBucketReplication, func(b trail.Bucket) any { return b.Replication }, putReplication},
	{trail.FieldBucketPayer, func(b trail.Bucket) any { return b.Payer }, putPayer},
	{trail.FieldBucketLogging, func(b trail.Bucket) any { return b.Logging }, putLogging},
}

// isSame reports whether two buckets have the same part.
func (p part) isSame(a, b trail.Bucket) bool {
	x, errX := json.Marshal(p.of(a))
	y, errY := json.Marshal(p.of(b))
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// partsFor are the parts in the order for a bucket: its policy first when it denies anything, for that may be us.
func partsFor(now trail.Bucket) []part {
	if bytes.Contains(now.Policy, []byte(`"Deny"`)) {
		return policyTo(parts, 0)
	}
	return parts
}

// policyTo moves the policy to a place.
func policyTo(order []part, place int) []part {
	i := slices.IndexFunc(order, func(p part) bool { return p.field == trail.FieldBucketPolicy })
	policy := order[i]
	return slices.Insert(slices.Delete(slices.Clone(order), i, i+1), place, policy)
}

// as turns our type into the SDK's, whose members have the same names.
func as[T any](s *action.Steps, v any) (T, bool) {
	var out T
	encoded, err := json.Marshal(v)
	if err == nil {
		err = json.Unmarshal(encoded, &out)
	}
	if err != nil {
		s.Fail(fmt.Errorf("turn %T into %T: %w", v, out, err))
	}
	return out, err == nil
}

func putACL(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	grants, ok := as[[]types.Grant](s, to.ACL.Grants)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutBucketAcl, &api.PutBucketAclInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		AccessControlPolicy: &types.AccessControlPolicy{Owner: &types.Owner{ID: aws.String(to.ACL.Owner)}, Grants: grants},
	})
}

func putOwnership(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if to.ObjectOwnership == "" {
		action.Call(ctx, s, c.DeleteBucketOwnershipControls, &api.DeleteBucketOwnershipControlsInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner})
		return
	}
	action.Call(ctx, s, c.PutBucketOwnershipControls, &api.PutBucketOwnershipControlsInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnership(to.ObjectOwnership)}}},
	})
}

func putPublicAccess(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if to.PublicAccessBlock == nil {
		action.Call(ctx, s, c.DeletePublicAccessBlock, &api.DeletePublicAccessBlockInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner})
		return
	}
	b := to.PublicAccessBlock
	action.Call(ctx, s, c.PutPublicAccessBlock, &api.PutPublicAccessBlockInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: &b.BlockPublicAcls, IgnorePublicAcls: &b.IgnorePublicAcls,
			BlockPublicPolicy: &b.BlockPublicPolicy, RestrictPublicBuckets: &b.RestrictPublicBuckets,
		},
	})
}

// putVersioning leaves MFA delete alone.
func putVersioning(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if to.Versioning.Status == "" {
		s.Fail(action.NeedsPerson("versioning of bucket %s can be suspended, but it cannot go back to where it was never on", aws.ToString(on.bucket)))
		return
	}
	action.Call(ctx, s, c.PutBucketVersioning, &api.PutBucketVersioningInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatus(to.Versioning.Status)},
	})
}

func putObjectLock(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if to.ObjectLock == nil {
		s.Fail(action.NeedsPerson("Object Lock of bucket %s is on now, and nobody can turn it off again", aws.ToString(on.bucket)))
		return
	}
	lock, ok := as[*types.ObjectLockConfiguration](s, to.ObjectLock)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutObjectLockConfiguration, &api.PutObjectLockConfigurationInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner, ObjectLockConfiguration: lock,
	})
}

func putEncryption(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if len(to.Encryption) == 0 {
		action.Call(ctx, s, c.DeleteBucketEncryption, &api.DeleteBucketEncryptionInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner})
		return
	}
	rules, ok := as[[]types.ServerSideEncryptionRule](s, to.Encryption)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutBucketEncryption, &api.PutBucketEncryptionInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{Rules: rules},
	})
}

// putPolicy never asks to remove our own access for good, which S3 would do on demand.
func putPolicy(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if len(to.Policy) == 0 {
		action.Call(ctx, s, c.DeleteBucketPolicy, &api.DeleteBucketPolicyInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner})
		return
	}
	put := func(ctx context.Context, in *api.PutBucketPolicyInput, o ...func(*api.Options)) (*api.PutBucketPolicyOutput, error) {
		out, err := c.PutBucketPolicy(ctx, in, o...)
		var answer smithy.APIError
		if errors.As(err, &answer) && answer.ErrorCode() == "MalformedPolicy" {
			return nil, action.NeedsPerson("S3 does not take the policy that bucket %s had (%.200s), as when a principal in it was deleted. An administrator of account %s "+
				"takes that out of it, and runs: %s", *on.bucket, answer.ErrorMessage(), *on.owner,
				action.ShellCommand("aws", "s3api", "put-bucket-policy", "--bucket", *on.bucket, "--expected-bucket-owner", *on.owner, "--policy", "file://policy.json"))
		}
		return out, err
	}
	action.Call(ctx, s, put, &api.PutBucketPolicyInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner, Policy: aws.String(string(to.Policy))})
}

func putLifecycle(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if to.Lifecycle == nil {
		action.Call(ctx, s, c.DeleteBucketLifecycle, &api.DeleteBucketLifecycleInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner})
		return
	}
	rules, ok := as[[]types.LifecycleRule](s, to.Lifecycle.Rules)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutBucketLifecycleConfiguration, &api.PutBucketLifecycleConfigurationInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		LifecycleConfiguration:             &types.BucketLifecycleConfiguration{Rules: rules},
		TransitionDefaultMinimumObjectSize: types.TransitionDefaultMinimumObjectSize(to.Lifecycle.TransitionDefaultMinimumObjectSize),
	})
}

// putNotification does not have the destinations looked at: a queue that is gone or refuses is put right after the bucket,
// and S3 takes nothing of a configuration in which one destination is wrong.
func putNotification(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	configuration, ok := as[*types.NotificationConfiguration](s, to.Notification)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutBucketNotificationConfiguration, &api.PutBucketNotificationConfigurationInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner, NotificationConfiguration: configuration, SkipDestinationValidation: aws.Bool(true),
	})
}

func putReplication(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	if to.Replication == nil {
		action.Call(ctx, s, c.DeleteBucketReplication, &api.DeleteBucketReplicationInput{Bucket: on.bucket, ExpectedBucketOwner: on.owner})
		return
	}
	configuration, ok := as[*types.ReplicationConfiguration](s, to.Replication)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutBucketReplication, &api.PutBucketReplicationInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner, ReplicationConfiguration: configuration,
	})
}

func putPayer(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	action.Call(ctx, s, c.PutBucketRequestPayment, &api.PutBucketRequestPaymentInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner,
		RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: types.Payer(to.Payer)},
	})
}

func putLogging(ctx context.Context, s *action.Steps, c *api.Client, on target, to trail.Bucket) {
	logging, ok := as[*types.LoggingEnabled](s, to.Logging)
	if !ok {
		return
	}
	action.Call(ctx, s, c.PutBucketLogging, &api.PutBucketLoggingInput{
		Bucket: on.bucket, ExpectedBucketOwner: on.owner, BucketLoggingStatus: &types.BucketLoggingStatus{LoggingEnabled: logging},
	})
}
