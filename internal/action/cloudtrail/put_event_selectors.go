// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() { action.Register(action.Change(putEventSelectors{})) }

// putEventSelectors puts the whole wanted set back, classic or advanced, when the present one covers less.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutEventSelectors.html
type putEventSelectors struct{ toWant }

// selectors is what PutEventSelectors alters. None of either kind is AWS's default.
type selectors struct {
	EventSelectors         []trail.EventSelector         `json:",omitempty"`
	AdvancedEventSelectors []trail.AdvancedEventSelector `json:",omitempty"`
	found                  state.FoundTrail
}

// Info implements action.Changer.
func (putEventSelectors) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:PutEventSelectors", Summary: "put back which events a trail records", Class: restoreTrail,
		Permissions: []string{"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:PutEventSelectors"},
	}
}

// Read implements action.Changer.
func (putEventSelectors) Read(ctx context.Context, env *action.Env, p wantParams) (selectors, error) {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return selectors{}, err
	}
	classic, advanced, err := found.EventSelectors(ctx)
	t := trail.Trail{EventSelectors: classic, AdvancedEventSelectors: advanced}.Canonical()
	if string(t.JSON()) == string(trail.Trail{EventSelectors: trail.DefaultEventSelectors()}.JSON()) {
		t = trail.Trail{}
	}
	return selectors{t.EventSelectors, t.AdvancedEventSelectors, found}, err
}

// IsInPlace implements action.Changer.
func (putEventSelectors) IsInPlace(p wantParams, now selectors) (bool, string) {
	name := now.found.Trail.Name
	weaker := trail.Weakened(
		trail.Trail{EventSelectors: p.Want.Trail.EventSelectors, AdvancedEventSelectors: p.Want.Trail.AdvancedEventSelectors},
		trail.Trail{EventSelectors: now.EventSelectors, AdvancedEventSelectors: now.AdvancedEventSelectors},
	)
	if len(weaker) == 0 {
		return true, fmt.Sprintf("trail %s records every event that it should", name)
	}
	return false, fmt.Sprintf("trail %s: %s", name, weaker[0].Note)
}

// Do implements action.Changer.
func (putEventSelectors) Do(ctx context.Context, _ *action.Env, p wantParams, now selectors) (string, error) {
	return putSelectors(ctx, now.found, p.Want.Trail)
}

// putSelectors replaces the set by that of a trail.
func putSelectors(ctx context.Context, found state.FoundTrail, of trail.Trail) (string, error) {
	in := &api.PutEventSelectorsInput{TrailName: aws.String(found.CallName)}
	switch {
	case len(of.AdvancedEventSelectors) > 0:
		in.AdvancedEventSelectors = advancedToAPI(of.AdvancedEventSelectors)
	case of.HasDefaultSelectors():
		in.EventSelectors = classicToAPI(trail.DefaultEventSelectors())
	default:
		in.EventSelectors = classicToAPI(of.EventSelectors)
	}
	out, err := found.Client.PutEventSelectors(ctx, in)
	if err != nil {
		return "", fmt.Errorf("put event selectors of %s: %w", found.Trail.ARN, err)
	}
	return requestID(out.ResultMetadata), nil
}

func classicToAPI(list []trail.EventSelector) []types.EventSelector {
	var out []types.EventSelector
	for _, s := range list {
		e := types.EventSelector{
			ReadWriteType:                 types.ReadWriteType(s.ReadWriteType),
			IncludeManagementEvents:       aws.Bool(s.IncludeManagementEvents),
			ExcludeManagementEventSources: s.ExcludeManagementEventSources,
		}
		for _, d := range s.DataResources {
			e.DataResources = append(e.DataResources, types.DataResource{Type: aws.String(d.Type), Values: d.Values})
		}
		out = append(out, e)
	}
	return out
}

func advancedToAPI(list []trail.AdvancedEventSelector) []types.AdvancedEventSelector {
	var out []types.AdvancedEventSelector
	for _, s := range list {
		a := types.AdvancedEventSelector{Name: filled(s.Name)}
		for _, f := range s.FieldSelectors {
			a.FieldSelectors = append(a.FieldSelectors, types.AdvancedFieldSelector{
				Field: aws.String(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
				NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEndsWith: f.NotEndsWith,
			})
		}
		out = append(out, a)
	}
	return out
}

// Undo implements action.Changer.
func (putEventSelectors) Undo(ctx context.Context, env *action.Env, p wantParams, before selectors) error {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return err
	}
	_, err = putSelectors(ctx, found, trail.Trail{
		EventSelectors: before.EventSelectors, AdvancedEventSelectors: before.AdvancedEventSelectors,
	})
	return err
}

// Lowers implements action.Changer.
func (putEventSelectors) Lowers(selectors) bool { return true }
