// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Change(createEmergencyTrail{})) }

// errorTooManyTrails names the failure whose cause lists the trails of the region.
const errorTooManyTrails = "CloudTrail.MaximumNumberOfTrailsExceededException"

// emergencyName begins the name of every emergency trail.
const emergencyName = "switchback-emergency-"

// createEmergencyTrail makes a trail that stands in for one that cannot be mended: in its home region, with log files in
// the reserve bucket of another account, recording what the other one should, and starts it. An emergency trail that
// records all of that already stands in as well: a region has five trails at most. Undone, it deletes its own trail and
// no other.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
type createEmergencyTrail struct{}

type emergencyParams struct {
	// Trail is the one that is stood in for.
	Trail arn.ARN `json:"trail"`
	// Name is the rest of the emergency trail's name; the incident's id when empty.
	Name string `json:"name,omitempty"`

	home    trail.Target // of the trail to make
	want    trail.Trail  // what it is to be
	blinded *trail.Trail // the baseline of the other one, nil when there is none
	reserve action.Reserve
}

// emergency is what the action alters.
type emergency struct {
	TrailARN        arn.ARN
	Exists, Logging bool
}

// Info implements action.Changer.
func (createEmergencyTrail) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:CreateEmergencyTrail", Summary: "record into the reserve bucket, in the stead of a trail that cannot be mended",
		Class: restoreTrail,
		Permissions: []string{
			"cloudtrail:AddTags", "cloudtrail:CreateTrail", "cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors",
			"cloudtrail:GetInsightSelectors", "cloudtrail:GetTrailStatus", "cloudtrail:ListTrails", "cloudtrail:PutEventSelectors",
			"cloudtrail:StartLogging", "s3:ListBucket",
		},
	}
}

// Prepare implements action.Changer.
func (createEmergencyTrail) Prepare(ctx context.Context, env *action.Env, p emergencyParams) (emergencyParams, action.Target, error) {
	home, err := trail.TargetOfARN(p.Trail)
	if err != nil {
		return p, action.Target{}, err
	}
	p.reserve = env.Reserve
	name := emergencyName + cmp.Or(p.Name, string(env.Incident.ID))
	if name == emergencyName {
		return p, action.Target{}, errors.New("name is missing: outside of incidents there is none to take it from")
	}
	p.home = trail.Target{
		Name: name, ARN: arn.Trail(home.HomeRegion, home.Account, name), Account: home.Account, HomeRegion: home.HomeRegion, IsCertain: true,
	}
	if env.Snapshots != nil {
		known, err := fromSnapshot(ctx, env, home, env.Now())
		if err != nil {
			return p, action.Target{}, err
		}
		if known.isKnown {
			p.blinded = &known.trail
		}
	}
	p.want = p.stand()
	return p, targetOf(p.home), nil
}

// stand is the trail to make: it records what the other one did, and at least what every trail should.
func (p emergencyParams) stand() trail.Trail {
	t := trail.Desired(nil)
	if p.blinded != nil {
		t = trail.Desired(&trail.Trail{
			IsOrganizationTrail: p.blinded.IsOrganizationTrail, EventSelectors: p.blinded.EventSelectors,
			AdvancedEventSelectors: p.blinded.AdvancedEventSelectors,
		})
	}
	t.Name, t.ARN, t.HomeRegion = p.home.Name, p.home.ARN, p.home.HomeRegion
	t.S3BucketName, t.S3BucketOwner, t.KmsKeyId = p.reserve.Bucket, p.reserve.Account, p.reserve.Key
	return t
}

// Read implements action.Changer.
func (createEmergencyTrail) Read(ctx context.Context, env *action.Env, p emergencyParams) (emergency, error) {
	found, err := state.FindTrail(ctx, env.Door, p.home)
	if errors.Is(err, incident.ErrNotFound) {
		return p.other(ctx, env)
	}
	if err != nil {
		return emergency{}, err
	}
	status, err := found.Status(ctx)
	return emergency{TrailARN: p.home.ARN, Exists: true, Logging: status.IsLogging}, err
}

// other is the emergency trail of another incident that records into the reserve bucket what this one would, else our own,
// which is not there.
func (p emergencyParams) other(ctx context.Context, env *action.Env) (emergency, error) {
	none := emergency{TrailARN: p.home.ARN}
	readings, _, err := state.ReadTrails(ctx, env.Door, p.home.Account, p.home.HomeRegion)
	if err != nil {
		return none, err
	}
	for _, r := range readings {
		t := r.Trail
		if !strings.HasPrefix(t.Name, emergencyName) || t.Account() != p.home.Account || t.HomeRegion != p.home.HomeRegion {
			continue
		}
		t.S3BucketOwner = p.want.S3BucketOwner
		if len(trail.Weakened(p.want, t)) == 0 {
			return emergency{TrailARN: t.ARN, Exists: true, Logging: true}, nil
		}
	}
	return none, nil
}

// IsInPlace implements action.Changer.
func (createEmergencyTrail) IsInPlace(p emergencyParams, now emergency) (bool, string) {
	switch {
	case now.Logging:
		return true, fmt.Sprintf("trail %s stands in for %s", now.TrailARN, p.Trail)
	case now.Exists:
		return false, fmt.Sprintf("trail %s is there and does not record", p.home.Name)
	}
	return false, fmt.Sprintf("no trail stands in for %s", p.Trail)
}

// Do implements action.Changer.
func (createEmergencyTrail) Do(ctx context.Context, env *action.Env, p emergencyParams, now emergency) (string, error) {
	if p.reserve.Bucket == "" {
		return "", &asl.Error{Name: action.ErrorNoReserveBucket, Cause: "no trail can stand in for " + string(p.Trail) +
			": name a bucket in another account (reserve_bucket: in the configuration)"}
	}
	client, err := ownersClient(ctx, env, p.home)
	if err != nil {
		return "", err
	}
	if err := p.reserved(ctx, env); err != nil {
		return "", err
	}
	if !now.Exists {
		if err := p.create(ctx, client); err != nil {
			return "", err
		}
	}
	if !p.want.HasDefaultSelectors() {
		made := state.FoundTrail{Trail: p.want, CallName: p.home.Name, Client: client}
		if _, err := putSelectors(ctx, made, p.want); err != nil {
			return "", err
		}
	}
	out, err := client.StartLogging(ctx, &api.StartLoggingInput{Name: aws.String(p.home.Name)})
	if err != nil {
		return "", fmt.Errorf("start logging of %s: %w", p.home.ARN, err)
	}
	return requestID(out.ResultMetadata), nil
}

// reserved refuses a reserve bucket that is not the configured account's any more. It is looked at from that account; where
// we may not go there, CloudTrail is left to judge the bucket's policy.
func (p emergencyParams) reserved(ctx context.Context, env *action.Env) error {
	if p.reserve.Account == "" {
		return nil
	}
	_, err := state.ReadBucket(ctx, env.Door, p.reserve.Bucket, p.reserve.Account, state.Place{Account: p.reserve.Account, Region: p.home.HomeRegion})
	if errors.Is(err, state.ErrBucketDenied) {
		return &asl.Error{Name: action.ErrorForeignBucket, Cause: fmt.Sprintf(
			"the reserve bucket %s does not belong to account %s, or we may not look at it: no trail was pointed at it", p.reserve.Bucket, p.reserve.Account)}
	}
	return nil
}

func (p emergencyParams) create(ctx context.Context, client *api.Client) error {
	_, err := client.CreateTrail(ctx, createInput(p.home, p.want))
	var exists *types.TrailAlreadyExistsException
	var full *types.MaximumNumberOfTrailsExceededException
	switch {
	case errors.As(err, &exists):
		return nil // an earlier attempt
	case errors.As(err, &full):
		return p.full(ctx, client, err)
	case err != nil:
		return fmt.Errorf("create trail %s: %w", p.home.ARN, err)
	}
	return nil
}

// full names the trails of a region that can have no more: which of them can go is for a person to say.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html
func (p emergencyParams) full(ctx context.Context, client *api.Client, cause error) error {
	list, err := client.DescribeTrails(ctx, &api.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)})
	if err != nil {
		return fmt.Errorf("create trail %s: %w", p.home.ARN, errors.Join(cause, err))
	}
	var names []string
	for _, t := range list.TrailList {
		names = append(names, brief(aws.ToString(t.TrailARN)))
	}
	return &asl.Error{Name: errorTooManyTrails, Cause: fmt.Sprintf(
		"region %s of account %s has as many trails as it can have (%s): an administrator must delete one that is not needed (aws cloudtrail delete-trail)",
		p.home.HomeRegion, p.home.Account, strings.Join(names, ", "))}
}

// Undo implements action.Changer.
func (createEmergencyTrail) Undo(ctx context.Context, env *action.Env, p emergencyParams, before emergency) error {
	if before.Exists {
		return nil // it was there before us: only started, and left so
	}
	found, err := find(ctx, env, p.home.ARN)
	if err != nil {
		return err
	}
	if _, err = found.Client.DeleteTrail(ctx, &api.DeleteTrailInput{Name: aws.String(found.CallName)}); err != nil {
		return fmt.Errorf("delete trail %s: %w", p.home.ARN, err)
	}
	return nil
}

// Lowers implements action.Changer.
func (createEmergencyTrail) Lowers(emergency) bool { return true }
