// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// BaselineBefore returns what a resource should look like, as far as was known before a moment: the newest trusted version
// that was taken before it, and where there is none the newest of all. Without any it is incident.ErrNotFound.
func BaselineBefore(ctx context.Context, from Snapshots, resource arn.ARN, before time.Time) (Snapshot, error) {
	newest, err := from.SnapshotBefore(ctx, resource, before)
	if err != nil || newest.IsTrusted() {
		return newest, err
	}
	all, err := from.SnapshotVersions(ctx, resource)
	if err != nil {
		return Snapshot{}, err
	}
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].IsTrusted() && all[i].TakenAt.Before(before) {
			return all[i], nil
		}
	}
	return newest, nil
}

// Protected is a trail that has a baseline.
type Protected struct {
	Trail trail.Trail
	// Snapshot is the baseline.
	Snapshot Snapshot
}

// NewestBaselines returns the baseline of each resource of a kind, as BaselineBefore chooses it, sorted by ARN.
func NewestBaselines(ctx context.Context, from Snapshots, kind string) ([]Snapshot, error) {
	all, err := from.NewestSnapshots(ctx, kind)
	if err != nil {
		return nil, err
	}
	for i, newest := range all {
		if newest.IsTrusted() {
			continue
		}
		if all[i], err = BaselineBefore(ctx, from, newest.Resource, newest.TakenAt.Add(time.Nanosecond)); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// ProtectedTrails returns the trails that have a baseline, sorted by ARN.
func ProtectedTrails(ctx context.Context, from Snapshots) ([]Protected, error) {
	all, err := NewestBaselines(ctx, from, KindTrail)
	if err != nil {
		return nil, fmt.Errorf("list protected trails: %w", err)
	}
	out := make([]Protected, 0, len(all))
	for _, base := range all {
		t, err := base.Trail()
		if err != nil {
			return nil, fmt.Errorf("list protected trails: %w", err)
		}
		out = append(out, Protected{t, base})
	}
	return out, nil
}

// Depended is a resource that protected trails depend on.
type Depended struct {
	trail.Dependency
	// Trails are those that depend on it, sorted by ARN; never empty.
	Trails []arn.ARN
}

// DependedOn finds those of the touched resources that protected trails depend on, in the order of repair.
func DependedOn(ctx context.Context, from Snapshots, touched []trail.Touch) ([]Depended, error) {
	if len(touched) == 0 {
		return nil, nil
	}
	trails, err := ProtectedTrails(ctx, from)
	if err != nil {
		return nil, err
	}
	by := map[arn.ARN][]arn.ARN{}
	var found []trail.Dependency
	for _, p := range trails {
		for _, d := range trail.Dependencies(p.Trail) {
			for _, touch := range touched {
				if touch.Is(d) {
					found = append(found, d)
					by[d.ARN] = append(by[d.ARN], p.Trail.ARN)
					break
				}
			}
		}
	}
	var out []Depended
	for _, d := range trail.InOrder(found) {
		out = append(out, Depended{d, by[d.ARN]})
	}
	return out, nil
}

// TouchedBaseline finds what a record is about among that which protected trails depend on, in the order of repair.
func TouchedBaseline(ctx context.Context, from Snapshots, r cloudtrail.Record) ([]Depended, error) {
	touched, err := Touched(ctx, from, r)
	if err != nil {
		return nil, err
	}
	return DependedOn(ctx, from, touched)
}

// Touched is trail.Touched with the keys that the aliases in a record stood for by the keys' baselines: the record of a
// call that takes an alias away from a key does not name the key.
//
// https://docs.aws.amazon.com/kms/latest/developerguide/ct-updatealias.html
func Touched(ctx context.Context, from Snapshots, r cloudtrail.Record) ([]trail.Touch, error) {
	touched := trail.Touched(r)
	if !slices.ContainsFunc(touched, trail.Touch.IsAlias) {
		return touched, nil
	}
	keys, err := from.NewestSnapshots(ctx, string(trail.KindKey))
	if err != nil {
		return nil, fmt.Errorf("list keys with a baseline: %w", err)
	}
	for _, newest := range keys {
		base, err := BaselineBefore(ctx, from, newest.Resource, newest.TakenAt.Add(time.Nanosecond))
		if err != nil {
			return nil, fmt.Errorf("read the baseline of %s: %w", newest.Resource, err)
		}
		var key trail.Key
		if err := json.Unmarshal(base.Content, &key); err != nil {
			return nil, fmt.Errorf("read the baseline of %s: %w", newest.Resource, err)
		}
		p, err := newest.Resource.Parse()
		if err != nil {
			return nil, fmt.Errorf("read the baseline of a key: %w", err)
		}
		if slices.ContainsFunc(touched, func(t trail.Touch) bool {
			return t.IsAlias() && t.Account == p.AccountID && t.Region == p.Region && slices.Contains(key.Aliases, t.Name)
		}) {
			touched = append(touched, trail.Touch{Kind: trail.KindKey, Name: string(newest.Resource), Account: p.AccountID, Region: p.Region})
		}
	}
	return touched, nil
}

// FindDepended finds a resource by its ARN among that which protected trails depend on; incident.ErrNotFound when none
// does.
func FindDepended(ctx context.Context, from Snapshots, resource arn.ARN) (Depended, error) {
	var touches []trail.Touch
	for _, kind := range trail.Kinds() {
		touches = append(touches, trail.Touch{Kind: kind, Name: string(resource)})
	}
	found, err := DependedOn(ctx, from, touches)
	switch {
	case err != nil:
		return Depended{}, err
	case len(found) == 0:
		return Depended{}, fmt.Errorf("no protected trail depends on %s: %w", resource, incident.ErrNotFound)
	}
	return found[0], nil
}
