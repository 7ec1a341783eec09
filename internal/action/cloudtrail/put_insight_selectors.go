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

func init() { action.Register(action.Change(putInsightSelectors{})) }

// putInsightSelectors turns on again the Insights that were turned off.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_PutInsightSelectors.html
type putInsightSelectors struct{ toWant }

// insights is what PutInsightSelectors alters.
type insights struct {
	InsightSelectors []trail.InsightSelector
	found            state.FoundTrail
}

// Info implements action.Changer.
func (putInsightSelectors) Info() action.Info {
	return action.Info{
		ID: "cloudtrail:PutInsightSelectors", Summary: "put back which Insights a trail records", Class: restoreTrail,
		Permissions: []string{"cloudtrail:DescribeTrails", "cloudtrail:GetInsightSelectors", "cloudtrail:PutInsightSelectors"},
	}
}

// Read implements action.Changer.
func (putInsightSelectors) Read(ctx context.Context, env *action.Env, p wantParams) (insights, error) {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return insights{}, err
	}
	list, err := found.InsightSelectors(ctx)
	return insights{trail.Trail{InsightSelectors: list}.Canonical().InsightSelectors, found}, err
}

// IsInPlace implements action.Changer.
func (putInsightSelectors) IsInPlace(p wantParams, now insights) (bool, string) {
	name := now.found.Trail.Name
	weaker := trail.Weakened(
		trail.Trail{InsightSelectors: p.Want.Trail.InsightSelectors}, trail.Trail{InsightSelectors: now.InsightSelectors})
	if len(weaker) == 0 {
		return true, fmt.Sprintf("trail %s has every kind of Insights that it should", name)
	}
	return false, fmt.Sprintf("trail %s: %s", name, weaker[0].Note)
}

// Do implements action.Changer.
func (putInsightSelectors) Do(ctx context.Context, _ *action.Env, p wantParams, now insights) (string, error) {
	return putInsights(ctx, now.found, p.Want.Trail.InsightSelectors)
}

func putInsights(ctx context.Context, found state.FoundTrail, list []trail.InsightSelector) (string, error) {
	in := &api.PutInsightSelectorsInput{TrailName: aws.String(found.CallName), InsightSelectors: []types.InsightSelector{}}
	for _, s := range list {
		i := types.InsightSelector{InsightType: types.InsightType(s.InsightType)}
		for _, c := range s.EventCategories {
			i.EventCategories = append(i.EventCategories, types.SourceEventCategory(c))
		}
		in.InsightSelectors = append(in.InsightSelectors, i)
	}
	out, err := found.Client.PutInsightSelectors(ctx, in)
	if err != nil {
		return "", fmt.Errorf("put insight selectors of %s: %w", found.Trail.ARN, err)
	}
	return requestID(out.ResultMetadata), nil
}

// Undo implements action.Changer.
func (putInsightSelectors) Undo(ctx context.Context, env *action.Env, p wantParams, before insights) error {
	found, err := find(ctx, env, p.Trail)
	if err != nil {
		return err
	}
	_, err = putInsights(ctx, found, before.InsightSelectors)
	return err
}

// Lowers implements action.Changer.
func (putInsightSelectors) Lowers(insights) bool { return true }
