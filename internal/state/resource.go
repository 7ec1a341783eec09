// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// ReadResource reads the configuration of a trail or of what one depends on, as its snapshots hold it. Of a trail that is
// gone it is nil. known is an earlier version, which may be nil: it tells whose a trail's bucket was.
func ReadResource(ctx context.Context, door *gate.Door, d trail.Dependency, known json.RawMessage) (json.RawMessage, error) {
	if d.Kind != KindTrail {
		return ReadDependency(ctx, door, d)
	}
	var last trail.Trail
	if known != nil {
		if err := json.Unmarshal(known, &last); err != nil {
			return nil, fmt.Errorf("read the known version of %s: %w", d.ARN, err)
		}
	}
	target, err := trail.TargetOfARN(d.ARN)
	if err != nil {
		return nil, err
	}
	have, status, err := ReadTrail(ctx, door, target)
	switch {
	case errors.Is(err, incident.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case status.InsightsUnreadable || status.TagsUnreadable:
		return nil, fmt.Errorf("read trail %s: not completely: %v", d.ARN, status.Gaps)
	}
	if have.S3BucketOwner, err = bucketOwner(ctx, door, have, last.S3BucketOwner); err != nil {
		return nil, err
	}
	return have.JSON(), nil
}

// WeakenedResource compares two configurations of a kind as ReadResource returns them, and returns everything in which
// have is weaker than want.
func WeakenedResource(kind trail.Kind, want, have json.RawMessage) ([]trail.Difference, error) {
	if kind != KindTrail {
		return trail.WeakenedDependency(kind, want, have)
	}
	if have == nil {
		return []trail.Difference{{Field: "Exists", Want: "true", Have: "false", Note: "the trail is gone"}}, nil
	}
	var w, h trail.Trail
	if err := errors.Join(json.Unmarshal(want, &w), json.Unmarshal(have, &h)); err != nil {
		return nil, fmt.Errorf("compare two versions of a trail: %w", err)
	}
	return trail.Weakened(w, h), nil
}

// Baseline is everything that is kept about one resource.
type Baseline struct {
	trail.Dependency
	// Trails are those that depend on it, or the trail itself.
	Trails []string
	// Versions are all of it, oldest first; never empty.
	Versions []Snapshot
}

// Newest is the newest version, with its number from 1.
func (b Baseline) Newest() (int, Snapshot) { return len(b.Versions), b.Versions[len(b.Versions)-1] }

// Trusted is the newest trusted version, with its number from 1; 0 when nobody has approved any.
func (b Baseline) Trusted() (int, Snapshot) {
	for i := len(b.Versions) - 1; i >= 0; i-- {
		if b.Versions[i].IsTrusted() {
			return i + 1, b.Versions[i]
		}
	}
	return 0, Snapshot{}
}

// Current is the version that decides: the newest trusted one, else the newest.
func (b Baseline) Current() (int, Snapshot) {
	if n, s := b.Trusted(); n > 0 {
		return n, s
	}
	return b.Newest()
}

// Baselines returns what is kept about every protected trail, followed by what they depend on in the order of repair, and
// by our own parts.
func Baselines(ctx context.Context, from Snapshots) ([]Baseline, error) {
	trails, err := ProtectedTrails(ctx, from)
	if err != nil {
		return nil, err
	}
	var all, list []trail.Dependency
	by := map[arn.ARN][]string{}
	for _, p := range trails {
		self := trail.Dependency{Kind: KindTrail, ARN: p.Trail.ARN, Account: p.Trail.Account(), Region: p.Trail.HomeRegion}
		all = append(all, self)
		by[self.ARN] = []string{string(p.Trail.ARN)}
		for _, d := range trail.Dependencies(p.Trail) {
			list = append(list, d)
			by[d.ARN] = append(by[d.ARN], string(p.Trail.ARN))
		}
	}
	var out []Baseline
	for _, d := range append(all, trail.InOrder(list)...) {
		versions, err := from.SnapshotVersions(ctx, d.ARN)
		if err != nil {
			return nil, err
		}
		if len(versions) > 0 {
			out = append(out, Baseline{d, by[d.ARN], versions})
		}
	}
	own, err := ownBaselines(ctx, from, out)
	return append(out, own...), err
}
