// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// Reading is one trail of a list, as far as it could be read.
type Reading struct {
	Trail  trail.Trail
	Status Status
	// Account is where it was read from; its owner is Trail.Account().
	Account string
}

// ReadTrails reads every trail that records an account, of all its regions, organization trails as the account sees them
// included, sorted by ARN. One ListTrails tells them all; region is where to ask it. A trail that could not be read
// completely is left out and named in the gaps: a caller who judges coverage must not count on it. Tags are not read.
func ReadTrails(ctx context.Context, door *gate.Door, account, region string) ([]Reading, []string, error) {
	homes, err := listHomes(ctx, door, account, region)
	if err != nil {
		return nil, nil, fmt.Errorf("list trails of %s: %w", account, err)
	}
	var readings []Reading
	var gaps []string
	for _, home := range homes {
		list, missing, err := readHome(ctx, door, account, home)
		if err != nil {
			if ctx.Err() != nil {
				return nil, nil, err
			}
			missing = append(missing, fmt.Sprintf("trails at home in %s were not read: %v", home, err))
		}
		readings, gaps = append(readings, list...), append(gaps, missing...)
	}
	slices.SortFunc(readings, func(a, b Reading) int { return strings.Compare(string(a.Trail.ARN), string(b.Trail.ARN)) })
	return readings, gaps, nil
}

// listHomes are the home regions of the account's trails, sorted.
func listHomes(ctx context.Context, door *gate.Door, account, region string) ([]string, error) {
	cfg, err := door.Config(ctx, account, region)
	if err != nil {
		return nil, err
	}
	var homes []string
	pages := cloudtrail.NewListTrailsPaginator(cloudtrail.NewFromConfig(cfg), &cloudtrail.ListTrailsInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, t := range page.Trails {
			homes = append(homes, aws.ToString(t.HomeRegion))
		}
	}
	slices.Sort(homes)
	return slices.Compact(homes), nil
}

func readHome(ctx context.Context, door *gate.Door, account, region string) ([]Reading, []string, error) {
	cfg, err := door.Config(ctx, account, region)
	if err != nil {
		return nil, nil, err
	}
	client := cloudtrail.NewFromConfig(cfg)
	list, err := describe(ctx, client)
	if err != nil {
		return nil, nil, err
	}
	var readings []Reading
	var gaps []string
	for _, t := range list {
		if t.HomeRegion != region {
			continue // a shadow: it is read at home
		}
		r, err := (FoundTrail{Trail: t, Client: client}).readCoverage(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil, nil, err
			}
			gaps = append(gaps, fmt.Sprintf("trail %s was not read: %v", t.ARN, err))
			continue
		}
		r.Account = account
		readings = append(readings, r)
		gaps = append(gaps, r.Status.Gaps...)
	}
	return readings, gaps, nil
}

// readCoverage reads what decides which events the trail records.
func (f FoundTrail) readCoverage(ctx context.Context) (Reading, error) {
	t := f.Trail
	status, err := f.Status(ctx)
	if err != nil {
		return Reading{}, err
	}
	t.IsLogging = status.IsLogging
	if t.EventSelectors, t.AdvancedEventSelectors, err = f.EventSelectors(ctx); err != nil {
		return Reading{}, err
	}
	if t.InsightSelectors, err = f.InsightSelectors(ctx); err != nil {
		if ctx.Err() != nil {
			return Reading{}, err
		}
		status.InsightsUnreadable = true
		status.Gaps = append(status.Gaps, fmt.Sprintf("insight selectors of %s were not read: %v", t.ARN, err))
	}
	return Reading{Trail: t.Canonical(), Status: status}, nil
}

// Trails are the configurations of a list of readings.
func Trails(list []Reading) []trail.Trail {
	out := make([]trail.Trail, 0, len(list))
	for _, r := range list {
		out = append(out, r.Trail)
	}
	return out
}

// Without returns the trails but the one with the ARN.
func Without(list []trail.Trail, a arn.ARN) []trail.Trail {
	return slices.DeleteFunc(slices.Clone(list), func(t trail.Trail) bool { return t.ARN == a })
}
