// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Change(createTrail{})) }

// createTrail makes a deleted trail again, with its tags. It does not start it, and leaves selectors to the actions that
// put them. A trail that is there is left alone, whatever it looks like: UpdateTrail puts it right.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
type createTrail struct{ toWant }

// existence is what CreateTrail alters.
type existence struct{ Exists bool }

// Info implements action.Changer.
func (createTrail) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:CreateTrail", Summary: "make a deleted trail again from its former configuration", Class: restoreTrail,
		Permissions: []string{
			"cloudtrail:AddTags", "cloudtrail:CreateTrail", "cloudtrail:DescribeTrails", "iam:PassRole", "s3:ListBucket",
		},
	}
}

// Read implements action.Changer.
func (createTrail) Read(ctx context.Context, env *action.Env, p wantParams) (existence, error) {
	home, err := trail.TargetOfARN(p.Trail)
	if err != nil {
		return existence{}, err
	}
	_, err = state.FindTrail(ctx, env.Door, home)
	if errors.Is(err, incident.ErrNotFound) {
		return existence{}, nil
	}
	return existence{Exists: err == nil}, err
}

// IsInPlace implements action.Changer.
func (createTrail) IsInPlace(p wantParams, now existence) (bool, string) {
	if now.Exists {
		return true, fmt.Sprintf("trail %s exists", p.Trail)
	}
	return false, fmt.Sprintf("trail %s does not exist", p.Trail)
}

// Do implements action.Changer.
func (createTrail) Do(ctx context.Context, env *action.Env, p wantParams, _ existence) (string, error) {
	home, err := trail.TargetOfARN(p.Trail)
	if err != nil {
		return "", err
	}
	client, err := ownersClient(ctx, env, home)
	if err != nil {
		return "", err
	}
	if err := stillOwned(ctx, env, home, p.Want.Trail); err != nil {
		return "", err
	}
	out, err := client.CreateTrail(ctx, createInput(home, p.Want.Trail))
	var exists *types.TrailAlreadyExistsException
	if errors.As(err, &exists) {
		return "", nil // somebody was quicker; reading back tells
	}
	if err != nil {
		return "", fmt.Errorf("create trail %s: %w", p.Trail, err)
	}
	return requestID(out.ResultMetadata), nil
}

// ownersClient calls CloudTrail in the trail's home, after making sure that our credentials there are the owner's: a name
// means another trail in another account.
func ownersClient(ctx context.Context, env *action.Env, home trail.Target) (*api.Client, error) {
	caller, err := state.ReadCaller(ctx, env.Door, home.Account, home.HomeRegion)
	if err != nil {
		return nil, err
	}
	if caller.Account != home.Account {
		return nil, fmt.Errorf("%w %s: our credentials belong to %s", gate.ErrNoAccess, home.Account, caller.Account)
	}
	cfg, err := env.Door.Config(ctx, home.Account, home.HomeRegion)
	if err != nil {
		return nil, err
	}
	return api.NewFromConfig(cfg), nil
}

// stillOwned refuses a bucket that is known to have belonged to an account and does not any more: whoever deletes a bucket
// and makes it anew elsewhere would get the log files from us. HeadBucket with the expected owner worked when the snapshot
// was taken, so that a refusal now means a change.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
func stillOwned(ctx context.Context, env *action.Env, home trail.Target, want trail.Trail) error {
	if want.S3BucketOwner == "" {
		return nil
	}
	_, err := state.ReadBucket(ctx, env.Door, want.S3BucketName, want.S3BucketOwner, state.Place{Account: home.Account, Region: home.HomeRegion})
	if errors.Is(err, state.ErrBucketDenied) {
		return &asl.Error{Name: action.ErrorForeignBucket, Cause: fmt.Sprintf(
			"bucket %s belonged to account %s and does not any more, or we may not look at it any more: trail %s was not pointed at it",
			want.S3BucketName, want.S3BucketOwner, want.Name)}
	}
	return nil // a bucket that is gone or cannot be reached is for CloudTrail to refuse
}

func createInput(home trail.Target, t trail.Trail) *api.CreateTrailInput {
	in := &api.CreateTrailInput{
		Name: aws.String(home.Name), S3BucketName: aws.String(t.S3BucketName), S3KeyPrefix: filled(t.S3KeyPrefix),
		SnsTopicName:               filled(topicFor(home, t)),
		IncludeGlobalServiceEvents: aws.Bool(t.IncludeGlobalServiceEvents || t.IsMultiRegionTrail),
		IsMultiRegionTrail:         aws.Bool(t.IsMultiRegionTrail),
		EnableLogFileValidation:    aws.Bool(t.LogFileValidationEnabled),
		CloudWatchLogsLogGroupArn:  filled(t.CloudWatchLogsLogGroupArn),
		CloudWatchLogsRoleArn:      filled(t.CloudWatchLogsRoleArn),
		KmsKeyId:                   filled(t.KmsKeyId),
		TagsList:                   tagList(t.Tags),
	}
	if t.IsOrganizationTrail {
		in.IsOrganizationTrail = aws.Bool(true)
	}
	return in
}

// topicFor is the topic as the API wants it: a mere name in the trail's own account and region, else the ARN.
func topicFor(home trail.Target, t trail.Trail) string {
	p, err := arn.Parse(t.Topic())
	if err != nil || p.AccountID != home.Account || p.Region != home.HomeRegion {
		return t.Topic()
	}
	return p.Resource
}

func tagList(tags map[string]string) []types.Tag {
	var out []types.Tag
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}

// filled is nil for "": a member that is left out.
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Undo implements action.Changer.
func (createTrail) Undo(ctx context.Context, env *action.Env, p wantParams, _ existence) error {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return err
	}
	if _, err = found.Client.DeleteTrail(ctx, &api.DeleteTrailInput{Name: aws.String(found.CallName)}); err != nil {
		return fmt.Errorf("delete trail %s: %w", p.Trail, err)
	}
	return nil
}

// Lowers implements action.Changer.
func (createTrail) Lowers(existence) bool { return true }
