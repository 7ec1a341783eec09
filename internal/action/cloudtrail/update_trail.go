// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Change(updateTrail{})) }

// updateTrail puts a trail's configuration back in one call, when something in it was weakened, or when CloudTrail has to
// look anew at what it names. What is stronger than wanted stays so.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
type updateTrail struct{}

type updateParams struct {
	Trail arn.ARN `json:"trail"`
	Want  config  `json:"want"`
	// Revalidate sends the call also where nothing was weakened.
	Revalidate bool `json:"revalidate,omitempty"`
	// sent is set once that was done.
	sent *bool
}

// configuration is what UpdateTrail alters.
type configuration struct {
	Trail trail.Trail
	found state.FoundTrail
}

// Info implements action.Changer.
func (updateTrail) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:UpdateTrail", Summary: "put back what was weakened in a trail's configuration", Class: restoreTrail,
		Permissions: []string{"cloudtrail:DescribeTrails", "cloudtrail:UpdateTrail", "iam:PassRole", "s3:ListBucket"},
	}
}

// Prepare implements action.Changer.
func (updateTrail) Prepare(ctx context.Context, env *action.Env, p updateParams) (updateParams, action.Target, error) {
	want, target, err := toWant{}.Prepare(ctx, env, wantParams{p.Trail, p.Want})
	p.Want, p.sent = want.Want, new(bool)
	return p, target, err
}

// Read implements action.Changer.
func (updateTrail) Read(ctx context.Context, env *action.Env, p updateParams) (configuration, error) {
	found, err := find(ctx, env, p.Trail)
	return configuration{Trail: found.Trail.Canonical(), found: found}, err
}

// IsInPlace implements action.Changer.
func (updateTrail) IsInPlace(p updateParams, now configuration) (bool, string) {
	if p.Revalidate && !*p.sent {
		return false, fmt.Sprintf("what trail %s names is to be looked at anew", now.Trail.Name)
	}
	var fields []string
	for _, d := range updates(p.Want.Trail, now.Trail) {
		fields = append(fields, d.Field)
	}
	if len(fields) == 0 {
		return true, fmt.Sprintf("trail %s is configured as wanted", now.Trail.Name)
	}
	return false, fmt.Sprintf("trail %s deviates in %s", now.Trail.Name, strings.Join(fields, ", "))
}

// updates are the differences that UpdateTrail puts right.
func updates(want, have trail.Trail) []trail.Difference {
	return slices.DeleteFunc(trail.Weakened(want, have), func(d trail.Difference) bool { return !d.IsUpdate() })
}

// Do implements action.Changer.
func (updateTrail) Do(ctx context.Context, env *action.Env, p updateParams, now configuration) (string, error) {
	want := p.Want.Trail
	home, err := trail.TargetOfARN(p.Trail)
	if err != nil {
		return "", err
	}
	if err := stillOwned(ctx, env, home, want); err != nil {
		return "", err
	}
	want.IsMultiRegionTrail = want.IsMultiRegionTrail || now.Trail.IsMultiRegionTrail
	want.IncludeGlobalServiceEvents = want.IncludeGlobalServiceEvents || now.Trail.IncludeGlobalServiceEvents || want.IsMultiRegionTrail
	want.LogFileValidationEnabled = want.LogFileValidationEnabled || now.Trail.LogFileValidationEnabled
	want.IsOrganizationTrail = want.IsOrganizationTrail || now.Trail.IsOrganizationTrail
	*p.sent = true
	return update(ctx, now.found, want)
}

// update sets every field that a call can set.
func update(ctx context.Context, found state.FoundTrail, to trail.Trail) (string, error) {
	home, err := trail.TargetOfARN(found.Trail.ARN)
	if err != nil {
		return "", err
	}
	have := found.Trail
	in := &api.UpdateTrailInput{
		Name: aws.String(found.CallName), S3BucketName: aws.String(to.S3BucketName),
		S3KeyPrefix:                set(to.S3KeyPrefix, have.S3KeyPrefix),
		SnsTopicName:               set(topicFor(home, to), have.Topic()),
		IncludeGlobalServiceEvents: aws.Bool(to.IncludeGlobalServiceEvents),
		IsMultiRegionTrail:         aws.Bool(to.IsMultiRegionTrail),
		EnableLogFileValidation:    aws.Bool(to.LogFileValidationEnabled),
		CloudWatchLogsLogGroupArn:  set(to.CloudWatchLogsLogGroupArn, have.CloudWatchLogsLogGroupArn),
		CloudWatchLogsRoleArn:      set(to.CloudWatchLogsRoleArn, have.CloudWatchLogsRoleArn),
		KmsKeyId:                   set(to.KmsKeyId, have.KmsKeyId),
	}
	// Accounts outside of an organization need not hear of it.
	if to.IsOrganizationTrail != have.IsOrganizationTrail {
		in.IsOrganizationTrail = aws.Bool(to.IsOrganizationTrail)
	}
	out, err := found.Client.UpdateTrail(ctx, in)
	if err != nil {
		return "", fmt.Errorf("update trail %s: %w", found.Trail.ARN, err)
	}
	return requestID(out.ResultMetadata), nil
}

// set gives a member its value, empties it where there is one to empty, and else leaves it out.
func set(to, have string) *string {
	if to == "" && have == "" {
		return nil
	}
	return aws.String(to)
}

// Undo implements action.Changer.
func (updateTrail) Undo(ctx context.Context, env *action.Env, p updateParams, before configuration) error {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return err
	}
	_, err = update(ctx, found, before.Trail)
	return err
}

// Lowers implements action.Changer.
func (updateTrail) Lowers(configuration) bool { return true }
