// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package s3

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Restore(restoreBucket{})) }

// restoreBucket puts a bucket back.
type restoreBucket struct{}

var (
	_ action.Restorer[trail.Bucket] = restoreBucket{}
	_ action.Guide[trail.Bucket]    = restoreBucket{}
	_ action.Refused                = restoreBucket{}
)

// Info implements action.Restorer.
func (restoreBucket) Info() action.Info {
	return action.Info{
		ID: "s3:RestoreBucket", Summary: "put back a trail's bucket and what protects it", Class: "restore-bucket",
		Permissions: []string{
			"iam:PassRole", "s3:CreateBucket", "s3:DeleteBucketPolicy", "s3:GetBucketAcl", "s3:GetBucketLogging", "s3:GetBucketNotification",
			"s3:GetBucketObjectLockConfiguration", "s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock",
			"s3:GetBucketRequestPayment", "s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration",
			"s3:GetReplicationConfiguration", "s3:ListAllMyBuckets", "s3:ListBucket", "s3:PutBucketAcl", "s3:PutBucketLogging",
			"s3:PutBucketNotification", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketPolicy",
			"s3:PutBucketPublicAccessBlock", "s3:PutBucketRequestPayment", "s3:PutBucketVersioning", "s3:PutEncryptionConfiguration",
			"s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
		},
	}
}

// Kind implements action.Restorer.
func (restoreBucket) Kind() trail.Kind { return trail.KindBucket }

// Apply implements action.Restorer. The order is that of what stands on what: access control lists go before the ownership
// that forbids them, versioning before Object Lock and replication. The policy comes late, since it may forbid the rest to
// us, but first where the present one may do that already.
func (restoreBucket) Apply(ctx context.Context, env *action.Env, d trail.Dependency, want, now trail.Bucket) (string, error) {
	var steps action.Steps
	if err := apply(ctx, env, &steps, d, want, now); err != nil {
		steps.Fail(err)
	}
	return steps.Result(ctx)
}

func apply(ctx context.Context, env *action.Env, steps *action.Steps, d trail.Dependency, want, now trail.Bucket) error {
	if !now.Exists {
		if !create(ctx, env, steps, d, want) {
			return nil
		}
		made, err := read(ctx, env, d)
		if err != nil {
			return fmt.Errorf("read the bucket that was made: %w", err)
		}
		now = made
	}
	if err := isTheSame(d, want, now); err != nil {
		return err
	}
	client, err := clientFor(ctx, env, d, now)
	if err != nil {
		return err
	}
	var weaker []string
	for _, difference := range trail.WeakenedBucket(want, now) {
		weaker = append(weaker, difference.Field)
	}
	to := goal(want, now)
	for _, p := range partsFor(now) {
		if slices.Contains(weaker, p.field) {
			p.put(ctx, steps, client, target{aws.String(now.Name), aws.String(d.Account)}, to)
		}
	}
	return nil
}

// goal is want, with what is stronger or was added by others since.
func goal(want, now trail.Bucket) trail.Bucket {
	to := want
	to.Notification = want.Notification.With(now.Notification)
	if want.PublicAccessBlock != nil && now.PublicAccessBlock != nil {
		a, b := want.PublicAccessBlock, now.PublicAccessBlock
		to.PublicAccessBlock = &trail.PublicAccessBlock{
			BlockPublicAcls: a.BlockPublicAcls || b.BlockPublicAcls, IgnorePublicAcls: a.IgnorePublicAcls || b.IgnorePublicAcls,
			BlockPublicPolicy: a.BlockPublicPolicy || b.BlockPublicPolicy, RestrictPublicBuckets: a.RestrictPublicBuckets || b.RestrictPublicBuckets,
		}
	}
	return to
}

// read is the bucket as it is now.
func read(ctx context.Context, env *action.Env, d trail.Dependency) (trail.Bucket, error) {
	var b trail.Bucket
	content, err := state.ReadDependency(ctx, env.Door, d)
	if err != nil {
		return b, err
	}
	return b, json.Unmarshal(content, &b)
}

func clientFor(ctx context.Context, env *action.Env, d trail.Dependency, b trail.Bucket) (*api.Client, error) {
	cfg, err := env.Door.Config(ctx, d.Account, b.Region)
	if err != nil {
		return nil, err
	}
	return api.NewFromConfig(cfg), nil
}

// isTheSame refuses another bucket of the name: nothing of ours goes there.
func isTheSame(d trail.Dependency, want, now trail.Bucket) error {
	switch {
	case now.Owner != want.Owner || now.Owner != d.Account:
		return foreign(d, fmt.Sprintf("bucket %s belonged to account %s and does not any more: nothing was sent there", want.Name, want.Owner))
	case now.Region != want.Region:
		return action.NeedsPerson("bucket %s was in %s and is another now, in %s. An administrator of account %s saves what is in it, and runs: %s; "+
			"then this can be run again", want.Name, want.Region, now.Region, d.Account,
			action.ShellCommand("aws", "s3api", "delete-bucket", "--bucket", want.Name, "--expected-bucket-owner", d.Account, "--region", now.Region))
	}
	return nil
}

// foreign is the refusal of a bucket that is somebody else's. It is the gate's kind of error too: what would have been sent
// was not, and there is nothing to undo.
func foreign(d trail.Dependency, why string) error {
	return &gate.NotSent{
		Call:   gate.Call{Service: api.ServiceID, Account: d.Account, Region: d.Region, Target: string(d.ARN), IsMutation: true},
		Reason: &asl.Error{Name: action.ErrorForeignBucket, Cause: why},
	}
}

// create makes the bucket again, in the account and region where it was. A name that is free again is anybody's: who is
// quicker has it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
func create(ctx context.Context, env *action.Env, steps *action.Steps, d trail.Dependency, want trail.Bucket) bool {
	caller, err := state.ReadCaller(ctx, env.Door, d.Account, want.Region)
	if err != nil {
		steps.Fail(err)
		return false
	}
	if caller.Account != want.Owner {
		steps.Fail(fmt.Errorf("%w %s: our credentials belong to %s", gate.ErrNoAccess, want.Owner, caller.Account))
		return false
	}
	client, err := clientFor(ctx, env, d, want)
	if err != nil {
		steps.Fail(err)
		return false
	}
	in := &api.CreateBucketInput{Bucket: aws.String(want.Name)}
	if want.Region != arn.Partitions()[0].GlobalRegion { // the oldest region is no location
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(want.Region)}
	}
	if want.ObjectLock != nil {
		in.ObjectLockEnabledForBucket = aws.Bool(true)
	}
	return action.Call(ctx, steps, func(ctx context.Context, in *api.CreateBucketInput, o ...func(*api.Options)) (*api.CreateBucketOutput, error) {
		out, err := client.CreateBucket(ctx, in, o...)
		var (
			taken *types.BucketAlreadyExists
			own   *types.BucketAlreadyOwnedByYou
		)
		switch {
		case errors.As(err, &taken):
			return nil, foreign(d, fmt.Sprintf("bucket %s was deleted, and another account has taken its name: the trail needs another bucket", want.Name))
		case errors.As(err, &own):
			return &api.CreateBucketOutput{}, nil // somebody of ours was quicker
		}
		return out, err
	}, in)
}

// Revert implements action.Restorer. It goes the other way round, and the policy comes last: it may keep us out. No role of
// ours may delete a bucket of log files.
func (restoreBucket) Revert(ctx context.Context, env *action.Env, d trail.Dependency, before, now trail.Bucket) error {
	var steps action.Steps
	if err := revert(ctx, env, &steps, d, before, now); err != nil {
		steps.Fail(err)
	}
	_, err := steps.Result(ctx)
	return err
}

func revert(ctx context.Context, env *action.Env, steps *action.Steps, d trail.Dependency, before, now trail.Bucket) error {
	if !before.Exists {
		return action.NeedsPerson("bucket %s was made again, and is not deleted by Switchback, for log files may be in it by now. "+
			"An administrator of account %s runs: %s", now.Name, d.Account,
			action.ShellCommand("aws", "s3api", "delete-bucket", "--bucket", now.Name, "--expected-bucket-owner", d.Account, "--region", now.Region))
	}
	if !now.Exists {
		return action.NeedsPerson("bucket %s is gone: there is nothing to take back. To make it again, an administrator of account %s runs: %s",
			before.Name, d.Account, action.ShellCommand("aws", "s3api", "create-bucket", "--bucket", before.Name, "--region", before.Region))
	}
	if err := isTheSame(d, before, now); err != nil {
		return err
	}
	client, err := clientFor(ctx, env, d, now)
	if err != nil {
		return err
	}
	on := target{aws.String(now.Name), aws.String(d.Account)}
	order := slices.Clone(parts)
	slices.Reverse(order)
	order = policyTo(order, len(order)-1)
	for _, p := range order {
		if !p.isSame(before, now) {
			p.put(ctx, steps, client, on, before)
		}
	}
	return nil
}

// Guide implements action.Guide: a trail delivers without MFA delete, which only the root user turns on.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/MultiFactorAuthenticationDelete.html
func (restoreBucket) Guide(d trail.Dependency, want, now trail.Bucket) (action.Advice, []string) {
	var advice action.Advice
	if now.Exists && want.Lifecycle != nil && now.Lifecycle == nil {
		advice.Note = "the bucket has no lifecycle rules any more: log files are kept for ever"
	}
	isOff := slices.ContainsFunc(trail.WeakenedBucket(want, now), func(x trail.Difference) bool { return x.Field == trail.FieldBucketMFADelete })
	if !isOff {
		return advice, nil
	}
	command := action.ShellCommand("aws", "s3api", "put-bucket-versioning", "--bucket", now.Name, "--expected-bucket-owner", d.Account,
		"--versioning-configuration", "Status=Enabled,MFADelete=Enabled", "--mfa", "DEVICE-ARN CODE")
	advice.WhoCan = fmt.Sprintf("MFA delete is off: the root user of account %s runs, with its MFA device: %s", d.Account, command)
	return advice, []string{trail.FieldBucketMFADelete}
}

// WhenRefused implements action.Refused: past a bucket policy that denies everybody gets only the root of the account.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/troubleshoot-403-errors.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_root-user-privileged-task.html
func (restoreBucket) WhenRefused(d trail.Dependency) string {
	p, err := d.ARN.Parse()
	if err != nil {
		return "" // it was read by this ARN
	}
	task := arn.Parts{Partition: p.Partition, Service: "iam", AccountID: "aws", Resource: "policy/root-task/S3UnlockBucketPolicy"}
	return fmt.Sprintf("root needed where the bucket's policy (a resource-based policy) refuses us: as root of account %s, or with %s, run: %s; then run this again",
		d.Account, action.ShellCommand("aws", "sts", "assume-root", "--target-principal", d.Account, "--task-policy-arn", "arn="+task.String()),
		action.ShellCommand("aws", "s3api", "delete-bucket-policy", "--bucket", p.Resource, "--expected-bucket-owner", d.Account))
}
