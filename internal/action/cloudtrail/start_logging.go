// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/smithy-go/middleware"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Change(startLogging{})) }

// startLogging turns a trail on again in its home region.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_StartLogging.html
type startLogging struct{}

type startParams struct {
	Trail arn.ARN `json:"trail"`
}

// logging is what StartLogging alters.
type logging struct {
	IsLogging bool
	found     state.FoundTrail
}

// Info implements action.Changer.
func (startLogging) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:StartLogging", Summary: "turn a trail's logging on", Class: restoreTrail,
		Permissions: []string{"cloudtrail:DescribeTrails", "cloudtrail:GetTrailStatus", "cloudtrail:StartLogging", "s3:ListBucket"},
	}
}

// Prepare implements action.Changer.
func (startLogging) Prepare(_ context.Context, _ *action.Env, p startParams) (startParams, action.Target, error) {
	home, err := trail.TargetOfARN(p.Trail)
	return p, targetOf(home), err
}

// Read implements action.Changer.
func (startLogging) Read(ctx context.Context, env *action.Env, p startParams) (logging, error) {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return logging{}, err
	}
	status, err := found.Status(ctx)
	return logging{IsLogging: status.IsLogging, found: found}, err
}

// IsInPlace implements action.Changer.
func (startLogging) IsInPlace(p startParams, now logging) (bool, string) {
	if now.IsLogging {
		return true, fmt.Sprintf("trail %s is logging", now.found.Trail.Name)
	}
	return false, fmt.Sprintf("trail %s is not logging", now.found.Trail.Name)
}

// Do implements action.Changer.
func (startLogging) Do(ctx context.Context, env *action.Env, p startParams, now logging) (string, error) {
	if err := stillTheirs(ctx, env, p.Trail, now.found.Trail); err != nil {
		return "", err
	}
	out, err := now.found.Client.StartLogging(ctx, &api.StartLoggingInput{Name: aws.String(now.found.CallName)})
	if err != nil {
		return "", fmt.Errorf("start logging of %s: %w", now.found.Trail.ARN, err)
	}
	return requestID(out.ResultMetadata), nil
}

// stillTheirs refuses to start a trail towards a bucket that its baseline knows as somebody else's.
func stillTheirs(ctx context.Context, env *action.Env, a arn.ARN, have trail.Trail) error {
	home, err := trail.TargetOfARN(a)
	if err != nil {
		return err
	}
	known, err := fromSnapshot(ctx, env, home, env.Now())
	if err != nil || !known.isKnown || known.trail.S3BucketName != have.S3BucketName {
		return err
	}
	return stillOwned(ctx, env, home, known.trail)
}

// Undo implements action.Changer.
func (startLogging) Undo(ctx context.Context, env *action.Env, p startParams, _ logging) error {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return err
	}
	if _, err = found.Client.StopLogging(ctx, &api.StopLoggingInput{Name: aws.String(found.CallName)}); err != nil {
		return fmt.Errorf("stop logging of %s: %w", p.Trail, err)
	}
	return nil
}

// Lowers implements action.Changer.
func (startLogging) Lowers(logging) bool { return true }

// find finds a trail at home; one that is not there is CloudTrail's own exception.
func find(ctx context.Context, env *action.Env, a arn.ARN) (state.FoundTrail, error) {
	home, err := trail.TargetOfARN(a)
	if err != nil {
		return state.FoundTrail{}, invalid(err)
	}
	found, err := state.FindTrail(ctx, env.Door, home)
	return found, notFound(err)
}

// requestID is AWS's id of the call: the requestID of the event record that it leaves.
func requestID(m middleware.Metadata) string {
	id, _ := awsmiddleware.GetRequestIDMetadata(m)
	return id
}
