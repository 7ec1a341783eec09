// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// TakeOwn does for our own parts what TakeBaseline does for what trails depend on. Parts of kinds that are only watched
// have no baseline.
func TakeOwn(ctx context.Context, door *gate.Door, parts []trail.Dependency, k Keeper, now time.Time) (Taken, error) {
	t := taking{door: door, keep: k, now: now}
	for _, d := range parts {
		if err := t.dependency(ctx, d); err != nil {
			if ctx.Err() != nil {
				return t.Taken, err
			}
			t.gap("%s: %v", d.ARN, err)
		}
	}
	return t.Taken, nil
}

// TouchedOwn finds which of our own parts a record is about, in the order of repair.
func TouchedOwn(parts []trail.Dependency, r cloudtrail.Record) []trail.Dependency {
	touched := trail.Touched(r)
	return slices.DeleteFunc(slices.Clone(parts), func(d trail.Dependency) bool {
		return !slices.ContainsFunc(touched, func(t trail.Touch) bool { return t.Is(d) })
	})
}

// ownBaselines are those of resources that no trail depends on: our own parts, in the order of repair.
func ownBaselines(ctx context.Context, from Snapshots, known []Baseline) ([]Baseline, error) {
	var out []Baseline
	for _, kind := range trail.Kinds() {
		newest, err := from.NewestSnapshots(ctx, string(kind))
		if err != nil {
			return nil, err
		}
		for _, s := range newest {
			if slices.ContainsFunc(known, func(b Baseline) bool { return b.ARN == s.Resource }) {
				continue
			}
			p, err := s.Resource.Parse()
			if err != nil || p.AccountID == "" {
				continue // the bucket of a trail that is no longer protected
			}
			versions, err := from.SnapshotVersions(ctx, s.Resource)
			if err != nil {
				return nil, err
			}
			out = append(out, Baseline{
				Dependency: trail.Dependency{Kind: kind, ARN: s.Resource, Account: p.AccountID, Region: p.Region}, Versions: versions,
			})
		}
	}
	return out, nil
}
