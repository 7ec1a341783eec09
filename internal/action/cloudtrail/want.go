// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

// config is a trail's configuration as actions hand it on: the trail itself, or a reference to its snapshot where it is too large for a state
// machine's data.
type config struct {
	Trail    trail.Trail
	Snapshot *snapshotRef
}

type snapshotRef struct {
	Resource arn.ARN
	TakenAt  time.Time
}

// UnmarshalJSON reads either form, strictly.
func (w *config) UnmarshalJSON(b []byte) error {
	var ref struct{ Snapshot *snapshotRef }
	if err := json.Unmarshal(b, &ref); err != nil {
		return err
	}
	if ref.Snapshot != nil {
		w.Snapshot = ref.Snapshot
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(&w.Trail)
}

// MarshalJSON writes the form that w is in, {} for neither.
func (w config) MarshalJSON() ([]byte, error) {
	switch {
	case w.Snapshot != nil:
		return json.Marshal(map[string]any{"Snapshot": w.Snapshot})
	case w.isEmpty():
		return []byte("{}"), nil
	}
	return w.Trail.JSON(), nil
}

func (w config) isEmpty() bool { return w.Snapshot == nil && w.Trail.Name == "" && w.Trail.ARN == "" }

// resolve returns the configuration itself, which must be one of the trail.
func (w config) resolve(ctx context.Context, env *action.Env, of arn.ARN) (trail.Trail, error) {
	t := w.Trail
	if w.isEmpty() {
		return t, errors.New("want is empty: no configuration to go back to is known")
	}
	if w.Snapshot != nil {
		var err error
		if t, err = w.Snapshot.read(ctx, env); err != nil {
			return t, err
		}
	}
	if t.ARN != "" && t.ARN != of {
		return t, fmt.Errorf("want is the configuration of %s, not of %s", t.ARN, of)
	}
	if t.S3BucketName == "" {
		return t, errors.New("want has no S3BucketName: it is not a whole configuration")
	}
	return t, nil
}

func (r snapshotRef) read(ctx context.Context, env *action.Env) (trail.Trail, error) {
	if env.Snapshots == nil {
		return trail.Trail{}, errors.New("want refers to a snapshot, and no store of snapshots is wired")
	}
	s, err := env.Snapshots.SnapshotBefore(ctx, r.Resource, r.TakenAt.Add(time.Nanosecond))
	if err != nil {
		return trail.Trail{}, fmt.Errorf("read snapshot of %s at %s: %w", r.Resource, r.TakenAt, err)
	}
	if !s.TakenAt.Equal(r.TakenAt) {
		return trail.Trail{}, fmt.Errorf("read snapshot of %s at %s: it is gone", r.Resource, r.TakenAt)
	}
	return s.Trail()
}

// wantParams are the parameters of changes that go back to a configuration.
type wantParams struct {
	Trail arn.ARN `json:"trail"`
	Want  config  `json:"want"`
}

// toWant is what these changes have in common.
type toWant struct{}

// Prepare finds the trail's home and reads the snapshot that want may refer to.
func (toWant) Prepare(ctx context.Context, env *action.Env, p wantParams) (wantParams, action.Target, error) {
	home, err := trail.TargetOfARN(p.Trail)
	if err != nil {
		return p, action.Target{}, err
	}
	t, err := p.Want.resolve(ctx, env, p.Trail)
	if err != nil {
		return p, action.Target{}, err
	}
	p.Want = config{Trail: t}
	return p, targetOf(home), nil
}

func targetOf(t trail.Target) action.Target {
	return action.Target{Account: t.Account, Region: t.HomeRegion, ARN: string(t.ARN)}
}
