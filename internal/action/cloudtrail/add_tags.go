// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Change(addTags{})) }

// addTags puts back tags that were removed or changed. Tags that are not wanted stay.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AddTags.html
type addTags struct{ toWant }

// tags is what AddTags alters: the wanted tags as far as they are there.
type tags struct {
	Tags  map[string]string
	found state.FoundTrail
}

// Info implements action.Changer.
func (addTags) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:AddTags", Summary: "put back a trail's tags", Class: restoreTrail,
		Permissions: []string{"cloudtrail:AddTags", "cloudtrail:DescribeTrails", "cloudtrail:ListTags"},
	}
}

// Read implements action.Changer.
func (addTags) Read(ctx context.Context, env *action.Env, p wantParams) (tags, error) {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return tags{}, err
	}
	all, err := found.Tags(ctx)
	wanted := map[string]string{}
	for k := range p.Want.Trail.Tags {
		if v, ok := all[k]; ok {
			wanted[k] = v
		}
	}
	return tags{wanted, found}, err
}

// IsInPlace implements action.Changer.
func (addTags) IsInPlace(p wantParams, now tags) (bool, string) {
	var missing []string
	for _, d := range trail.Weakened(trail.Trail{Tags: p.Want.Trail.Tags}, trail.Trail{Tags: now.Tags}) {
		missing = append(missing, d.Field)
	}
	if len(missing) == 0 {
		return true, fmt.Sprintf("trail %s has its tags", now.found.Trail.Name)
	}
	return false, fmt.Sprintf("trail %s lacks %s", now.found.Trail.Name, strings.Join(missing, ", "))
}

// Do implements action.Changer.
func (addTags) Do(ctx context.Context, _ *action.Env, p wantParams, now tags) (string, error) {
	return putTags(ctx, now.found, p.Want.Trail.Tags)
}

func putTags(ctx context.Context, found state.FoundTrail, list map[string]string) (string, error) {
	out, err := found.Client.AddTags(ctx, &api.AddTagsInput{ResourceId: aws.String(string(found.Trail.ARN)), TagsList: tagList(list)})
	if err != nil {
		return "", fmt.Errorf("add tags to %s: %w", found.Trail.ARN, err)
	}
	return requestID(out.ResultMetadata), nil
}

// Undo implements action.Changer.
func (addTags) Undo(ctx context.Context, env *action.Env, p wantParams, before tags) error {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return err
	}
	if len(before.Tags) > 0 {
		if _, err := putTags(ctx, found, before.Tags); err != nil {
			return err
		}
	}
	return removeTags(ctx, found, p.Want.Trail.Tags, before.Tags)
}

// removeTags removes the wanted tags that were not there before.
func removeTags(ctx context.Context, found state.FoundTrail, wanted, before map[string]string) error {
	added := map[string]string{}
	for k, v := range wanted {
		if _, ok := before[k]; !ok {
			added[k] = v
		}
	}
	if len(added) == 0 {
		return nil
	}
	id := found.Trail.ARN
	_, err := found.Client.RemoveTags(ctx, &api.RemoveTagsInput{ResourceId: aws.String(string(id)), TagsList: tagList(added)})
	if err != nil {
		return fmt.Errorf("remove tags from %s: %w", id, err)
	}
	return nil
}

// Lowers implements action.Changer. Whoever changed the tags may have opened the trail to somebody by them.
func (addTags) Lowers(tags) bool { return true }
