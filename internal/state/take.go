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
)

// Drift is a resource that looks weaker than its newest snapshot, which therefore stays the newest.
type Drift struct {
	Resource    arn.ARN            `json:"resource"`
	Since       time.Time          `json:"since"` // when the snapshot was last seen to be true
	Differences []trail.Difference `json:"differences"`
}

// Taken is the result of TakeSnapshots.
type Taken struct {
	Snapshots []Snapshot
	Drifts    []Drift
	// Gaps says in words what could not be read.
	Gaps []string
}

// TakeSnapshots reads every trail that an account owns and keeps what it looks like. A reading that is weaker than the
// newest snapshot of its trail never becomes one: it is returned as a drift, for a person to approve or for a runbook to
// repair. Organization trails are taken in the account that owns them.
//
// regions are tried in order for the list of trails; one that answers tells of all. None means the default region.
func TakeSnapshots(ctx context.Context, door *gate.Door, account string, regions []string, into Snapshots, now time.Time) (Taken, error) {
	homes, region, err := firstAnswer(ctx, door, account, regions)
	if err != nil {
		return Taken{}, fmt.Errorf("take snapshots of %s: %w", account, err)
	}
	var taken Taken
	for _, home := range homes {
		cfg, err := door.Config(ctx, account, home)
		if err != nil {
			return taken, fmt.Errorf("take snapshots of %s in %s: %w", account, home, err)
		}
		if err := taken.home(ctx, door, cloudtrail.NewFromConfig(cfg), Place{account, home}, into, now); err != nil {
			if ctx.Err() != nil {
				return taken, err
			}
			taken.Gaps = append(taken.Gaps, fmt.Sprintf("%s (asked from %s): %v", home, region, err))
		}
	}
	return taken, nil
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

func (t *Taken) home(ctx context.Context, door *gate.Door, client *cloudtrail.Client, at Place, into Snapshots, now time.Time) error {
	list, err := describe(ctx, client)
	if err != nil {
		return err
	}
	for _, one := range list {
		if one.HomeRegion != at.Region || at.Account != "" && one.Account() != at.Account {
			continue
		}
		if err := t.take(ctx, door, FoundTrail{Trail: one, Client: client}, into, now); err != nil {
			if ctx.Err() != nil {
				return err
			}
			t.Gaps = append(t.Gaps, fmt.Sprintf("%s: %v", one.ARN, err))
		}
	}
	return nil
}

func (t *Taken) take(ctx context.Context, door *gate.Door, found FoundTrail, into Snapshots, now time.Time) error {
	have, status, err := found.ReadAll(ctx)
	if err != nil {
		return err
	}
	if status.InsightsUnreadable || status.TagsUnreadable {
		return fmt.Errorf("not kept, since it was not read completely: %v", status.Gaps)
	}
	last, err := into.SnapshotBefore(ctx, have.ARN, now.Add(time.Nanosecond))
	known := err == nil
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		return fmt.Errorf("read the newest snapshot: %w", err)
	}
	var want trail.Trail
	if known {
		if want, err = last.Trail(); err != nil {
			return err
		}
	}
	have.S3BucketOwner, err = bucketOwner(ctx, door, have, want.S3BucketOwner)
	if err != nil {
		return err
	}
	if known {
		if differences := trail.Weakened(want, have); len(differences) > 0 {
			t.Drifts = append(t.Drifts, Drift{Resource: have.ARN, Since: last.LastSeenAt, Differences: differences})
			return nil
		}
	}
	s := Snapshot{Resource: have.ARN, Kind: KindTrail, TakenAt: now, LastSeenAt: now, Source: SourceRead, Content: have.JSON()}
	if err := into.PutSnapshot(ctx, s); err != nil {
		return fmt.Errorf("keep the snapshot: %w", err)
	}
	t.Snapshots = append(t.Snapshots, s)
	return nil
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
