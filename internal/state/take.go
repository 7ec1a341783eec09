// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// KindTrail is the Kind of a trail's snapshot; its Content is a trail.Trail in canonical JSON.
const KindTrail = "trail"

// Where a snapshot's content comes from.
const (
	SourceRead     = "read"
	SourceEvents   = "events"
	SourceApproved = "approved"
	SourcePipeline = "pipeline" // the newest, with what a configured pipeline changed that does not reduce coverage
)

// Drift is a resource that looks weaker than its baseline, which therefore stays the baseline.
type Drift struct {
	Resource    arn.ARN            `json:"resource"`
	Kind        string             `json:"kind"`
	Since       time.Time          `json:"since"` // when the snapshot was last seen to be true
	Differences []trail.Difference `json:"differences"`
}

// Taken is the result of TakeSnapshots and TakeBaseline.
type Taken struct {
	Snapshots []Snapshot
	Drifts    []Drift
	// Gaps says in words what could not be read.
	Gaps []string
}

// taking is one run of TakeSnapshots or TakeBaseline.
type taking struct {
	Taken
	door *gate.Door
	keep Keeper
	now  time.Time
}

// TakeSnapshots reads every trail that an account owns and keeps what it looks like. A reading that is weaker than its
// trail's baseline never becomes one: it is returned as a drift, for a person to approve or for a runbook to repair.
// Organization trails are taken in the account that owns them.
//
// regions are tried in order for the list of trails; one that answers tells of all. None means the default region.
func TakeSnapshots(ctx context.Context, door *gate.Door, account string, regions []string, into Snapshots, now time.Time) (Taken, error) {
	t := taking{door: door, keep: Keeper{Into: into}, now: now}
	err := t.trails(ctx, account, regions)
	return t.Taken, err
}

// TakeBaseline does what TakeSnapshots does, and the same for everything that the account's trails depend on: by their
// baselines, not by what they look like now, and wherever it lives. A version that differs from the trusted one before it
// and only strengthens it is trusted as k finds out.
func TakeBaseline(ctx context.Context, door *gate.Door, account string, regions []string, k Keeper, now time.Time) (Taken, error) {
	t := taking{door: door, keep: k, now: now}
	if err := t.trails(ctx, account, regions); err != nil {
		return t.Taken, err
	}
	err := t.dependencies(ctx, account)
	return t.Taken, err
}

func (t *taking) trails(ctx context.Context, account string, regions []string) error {
	homes, region, err := firstAnswer(ctx, t.door, account, regions)
	if err != nil {
		return fmt.Errorf("take snapshots of %s: %w", account, err)
	}
	for _, home := range homes {
		cfg, err := t.door.Config(ctx, account, home)
		if err != nil {
			return fmt.Errorf("take snapshots of %s in %s: %w", account, home, err)
		}
		if err := t.home(ctx, cloudtrail.NewFromConfig(cfg), Place{account, home}); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.gap("%s (asked from %s): %v", home, region, err)
		}
	}
	return nil
}

func (t *taking) gap(format string, args ...any) {
	t.Gaps = append(t.Gaps, fmt.Sprintf(format, args...))
}

func firstAnswer(ctx context.Context, door *gate.Door, account string, regions []string) (homes []string, region string, err error) {
	if len(regions) == 0 {
		regions = []string{""}
	}
	var all error
	for _, region := range regions {
		homes, err := listHomes(ctx, door, account, region)
		if err == nil {
			return homes, region, nil
		}
		all = errors.Join(all, fmt.Errorf("region %s: %w", region, err))
		if ctx.Err() != nil {
			break
		}
	}
	return nil, "", all
}

func (t *taking) home(ctx context.Context, client *cloudtrail.Client, at Place) error {
	list, err := describe(ctx, client)
	if err != nil {
		return err
	}
	for _, one := range list {
		if one.HomeRegion != at.Region || at.Account != "" && one.Account() != at.Account {
			continue
		}
		if err := t.trail(ctx, FoundTrail{Trail: one, Client: client}); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.gap("%s: %v", one.ARN, err)
		}
	}
	return nil
}

func (t *taking) trail(ctx context.Context, found FoundTrail) error {
	have, status, err := found.ReadAll(ctx)
	if err != nil {
		return err
	}
	if status.InsightsUnreadable || status.TagsUnreadable {
		return fmt.Errorf("not kept, since it was not read completely: %v", status.Gaps)
	}
	base, err := BaselineBefore(ctx, t.keep.Into, have.ARN, t.now.Add(time.Nanosecond))
	known := err == nil
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		return fmt.Errorf("read the baseline: %w", err)
	}
	var want trail.Trail
	if known {
		if want, err = base.Trail(); err != nil {
			return err
		}
	}
	have.S3BucketOwner, err = bucketOwner(ctx, t.door, have, want.S3BucketOwner)
	if err != nil {
		return err
	}
	var differences []trail.Difference
	if known {
		differences = trail.Weakened(want, have)
	}
	home := trail.Dependency{ARN: have.ARN, Account: have.Account(), Region: have.HomeRegion}
	return t.take(ctx, home, KindTrail, have.JSON(), differences)
}

// take keeps a reading, or notes a drift where it is weaker than the baseline.
func (t *taking) take(ctx context.Context, d trail.Dependency, kind string, content json.RawMessage, weaker []trail.Difference) error {
	if len(weaker) > 0 {
		base, err := BaselineBefore(ctx, t.keep.Into, d.ARN, t.now.Add(time.Nanosecond))
		if err != nil {
			return fmt.Errorf("read the baseline: %w", err)
		}
		t.Drifts = append(t.Drifts, Drift{Resource: d.ARN, Kind: kind, Since: base.LastSeenAt, Differences: weaker})
		return nil
	}
	s := Snapshot{Resource: d.ARN, Kind: kind, TakenAt: t.now, LastSeenAt: t.now, Source: SourceRead, Content: content}
	s, gaps, err := t.keep.Keep(ctx, t.door, d, s)
	t.Gaps = append(t.Gaps, gaps...)
	if err != nil {
		return fmt.Errorf("keep the snapshot: %w", err)
	}
	t.Snapshots = append(t.Snapshots, s)
	return nil
}

// dependencies takes what the account's trails depend on.
func (t *taking) dependencies(ctx context.Context, account string) error {
	all, err := ProtectedTrails(ctx, t.keep.Into)
	if err != nil {
		return err
	}
	var list []trail.Dependency
	for _, p := range all {
		if account == "" || p.Trail.Account() == account {
			list = append(list, trail.Dependencies(p.Trail)...)
		}
	}
	for _, d := range trail.InOrder(list) {
		if err := t.dependency(ctx, d); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.gap("%s: %v", d.ARN, err)
		}
	}
	return nil
}

func (t *taking) dependency(ctx context.Context, d trail.Dependency) error {
	if !CanRead(d.Kind) {
		return nil
	}
	have, err := ReadDependency(ctx, t.door, d)
	if err != nil {
		return err
	}
	base, err := BaselineBefore(ctx, t.keep.Into, d.ARN, t.now.Add(time.Nanosecond))
	if errors.Is(err, incident.ErrNotFound) {
		if !Exists(have) {
			return errors.New("there is none, and what it looked like is not known")
		}
		return t.take(ctx, d, string(d.Kind), have, nil)
	}
	if err != nil {
		return fmt.Errorf("read the baseline: %w", err)
	}
	weaker, err := trail.WeakenedDependency(d.Kind, base.Content, have)
	if err != nil {
		return err
	}
	return t.take(ctx, d, string(d.Kind), have, weaker)
}

// Trail is the configuration that a trail's snapshot holds.
func (s Snapshot) Trail() (trail.Trail, error) {
	var t trail.Trail
	if s.Kind != KindTrail {
		return t, fmt.Errorf("read snapshot of %s: it is one of a %q", s.Resource, s.Kind)
	}
	if err := json.Unmarshal(s.Content, &t); err != nil {
		return t, fmt.Errorf("read snapshot of %s: %w", s.Resource, err)
	}
	return t, nil
}

// bucketOwner finds out whose the trail's bucket is: the account that it was known to belong to, or the trail's own.
// A bucket of a third account, which we cannot tell from one that we may not look at, has no known owner; one that does
// not belong to its known owner any more is reported as another's.
func bucketOwner(ctx context.Context, door *gate.Door, t trail.Trail, known string) (string, error) {
	owner := known
	if owner == "" {
		owner = t.Account()
	}
	_, err := ReadBucket(ctx, door, t.S3BucketName, owner, Place{t.Account(), t.HomeRegion})
	switch {
	case err == nil:
		return owner, nil
	case ctx.Err() != nil:
		return "", err
	case known != "" && errors.Is(err, ErrBucketDenied):
		return notOwner + known, nil
	}
	return "", nil
}

// notOwner marks a bucket that its owner does not own any more; it differs from every account.
const notOwner = "not "
