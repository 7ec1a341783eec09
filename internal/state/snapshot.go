// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
)

// Snapshot is the configuration of one resource as it was read (or rebuilt from events) at a moment.
type Snapshot struct {
	Resource arn.ARN   `json:"resource"`
	Kind     string    `json:"kind"` // "trail"
	TakenAt  time.Time `json:"taken_at"`
	// LastSeenAt is the newest moment at which the resource still looked exactly so.
	LastSeenAt time.Time `json:"last_seen_at"`
	// Source is "read" (from the API), "events" (rebuilt from CloudTrail) or "approved" (a person said so).
	Source  string          `json:"source"`
	Content json.RawMessage `json:"content"`
}

// Snapshots keeps what resources looked like, so that a deleted or weakened one can be put back.
type Snapshots interface {
	// PutSnapshot adds s; when the newest snapshot of the resource has equal content only its LastSeenAt moves.
	PutSnapshot(ctx context.Context, s Snapshot) error
	// SnapshotBefore returns the newest snapshot taken before the moment, or incident.ErrNotFound.
	SnapshotBefore(ctx context.Context, resource arn.ARN, before time.Time) (Snapshot, error)
	// NewestSnapshots returns the newest snapshot of every resource of a kind, sorted by resource.
	NewestSnapshots(ctx context.Context, kind string) ([]Snapshot, error)
}
