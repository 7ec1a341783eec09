// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// Tier is how often something is looked at, and what.
type Tier string

// The tiers. A trail is in all of them, a dependency in one of the last two.
const (
	TierStatus        Tier = "status"
	TierConfiguration Tier = "configuration"
	TierRest          Tier = "rest"
)

// Tiers lists them, the most frequent first.
func Tiers() []Tier { return []Tier{TierStatus, TierConfiguration, TierRest} }

// every is how often a tier is looked at.
func (o Options) every(t Tier) time.Duration {
	return map[Tier]time.Duration{TierStatus: o.Every, TierConfiguration: o.Configuration, TierRest: o.Rest}[t]
}

// dependencies are the kinds of resources that trails depend on, with the tier that each is in: first what stops delivery
// at once.
var dependencies = []struct {
	kind trail.Kind
	tier Tier
}{
	{trail.KindKey, TierConfiguration}, {trail.KindBucket, TierConfiguration}, {trail.KindRule, TierConfiguration},
	{trail.KindTopic, TierRest}, {trail.KindLogGroup, TierRest}, {trail.KindRole, TierRest}, {trail.KindQueue, TierRest},
	{trail.KindAlarm, TierRest},
}

// subject is one resource that is watched: a trail, or what trails depend on.
type subject struct {
	// snapshot is its baseline: a version that somebody trusts goes before a newer one that nobody does.
	snapshot state.Snapshot
	// trail is what the trail should be; zero for a dependency.
	trail      trail.Trail
	dependency trail.Dependency
	tiers      []Tier
}

func (s subject) arn() arn.ARN { return s.snapshot.Resource }

func (s subject) isTrail() bool { return s.snapshot.Kind == state.KindTrail }

// what names it in words.
func (s subject) what() string {
	if s.isTrail() {
		return "trail " + s.trail.Name
	}
	return string(s.dependency.Kind) + " " + string(s.arn())
}

// place is where the resource is read.
func (s subject) place() state.Place {
	if s.isTrail() {
		return state.Place{Account: s.trail.Account(), Region: s.trail.HomeRegion}
	}
	return state.Place{Account: s.dependency.Account, Region: s.dependency.Region}
}

// subjects are all that there are baselines of: trails first.
func (w *Source) subjects(ctx context.Context) ([]subject, error) {
	if w.services.Snapshots == nil {
		return nil, errors.New("no store of snapshots is wired")
	}
	snapshots, err := state.NewestBaselines(ctx, w.services.Snapshots, state.KindTrail)
	if err != nil {
		return nil, fmt.Errorf("list the protected trails: %w", err)
	}
	var all []subject
	for _, s := range snapshots {
		t, err := s.Trail()
		if err != nil {
			return nil, err
		}
		all = append(all, subject{snapshot: s, trail: t, tiers: Tiers()})
	}
	trails := len(all)
	for _, d := range dependencies {
		snapshots, err := state.NewestBaselines(ctx, w.services.Snapshots, string(d.kind))
		if err != nil {
			return nil, fmt.Errorf("list what trails depend on: %w", err)
		}
		for _, s := range snapshots {
			all = append(all, subject{snapshot: s, dependency: dependency(d.kind, s, all[:trails]), tiers: []Tier{d.tier}})
		}
	}
	w.names.Store(namesOf(all))
	return all, nil
}

// dependency says where a resource is read. The ARN of a bucket names neither account nor region: it is where it was, in
// the account that the trails know to own it.
func dependency(kind trail.Kind, s state.Snapshot, trails []subject) trail.Dependency {
	d := trail.Dependency{Kind: kind, ARN: s.Resource}
	p, err := s.Resource.Parse()
	if err != nil {
		return d // reading it will say so
	}
	d.Account, d.Region = p.AccountID, p.Region
	if kind != trail.KindBucket {
		return d
	}
	var was trail.Bucket
	if json.Unmarshal(s.Content, &was) == nil {
		d.Region = was.Region
	}
	if i := slices.IndexFunc(trails, func(s subject) bool { return s.trail.S3BucketName == p.Resource }); i >= 0 {
		d.Account = cmp.Or(trails[i].trail.S3BucketOwner, trails[i].trail.Account())
	}
	return d
}

// due are the tiers in which a resource is to be looked at now: those whose time it is in a round, and all of a resource
// that was touched.
func (w *Source) due(s subject, now time.Time, isRound bool) []Tier {
	isTouched := w.takeTouched(s.arn(), now)
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.memory.of(s.arn())
	var tiers []Tier
	for _, t := range s.tiers {
		// Rounds do not come to the nanosecond: what is due before the middle of the next one is due now.
		isDue := isRound && now.Add(w.o.Every/2).After(m.next[t])
		if isDue || isTouched {
			tiers = append(tiers, t)
		}
	}
	if len(tiers) == 0 {
		return nil
	}
	if m.since.IsZero() || now.Sub(m.LookedAt) > unbroken {
		m.since = now
	}
	m.LookedAt = now
	return tiers
}

// unbroken is how far two looks may be apart for there to be activity all the while: less than half of the time within
// which a log file must have come.
const unbroken = 10 * time.Minute

// lookingSince is since when a resource is looked at without a break.
func (w *Source) lookingSince(a arn.ARN) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.memory.of(a).since
}
