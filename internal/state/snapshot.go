// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Snapshot is a version of one resource's configuration, as it was read (or rebuilt from events) at a moment.
type Snapshot struct {
	Resource arn.ARN   `json:"resource"`
	Kind     string    `json:"kind"` // "trail", or a trail.Kind
	TakenAt  time.Time `json:"taken_at"`
	// LastSeenAt is the newest moment at which the resource still looked exactly so.
	LastSeenAt time.Time `json:"last_seen_at"`
	// Source is "read" (from the API), "events" (rebuilt from CloudTrail), "approved" (a person said so) or "pipeline" (left
	// to a pipeline of the configuration).
	Source  string          `json:"source"`
	Content json.RawMessage `json:"content"`
	// TrustedBy is the person who answers for the content: who approved it, or the version that it only strengthens.
	// "" while nobody does: what is not trusted is shown, and decides nothing where something trusted is there.
	TrustedBy string    `json:"trusted_by,omitempty"`
	TrustedAt time.Time `json:"trusted_at,omitzero"`
	// TrustReason says in words why: "approved", "as the trusted version of …", "only strengthens …".
	TrustReason string `json:"trust_reason,omitempty"`
	// Writer is the principal of the newest call that made the content what it is, WrittenBy the event of that call. "" where
	// that was not looked for, or not found.
	Writer    string             `json:"writer,omitempty"`
	WrittenBy cloudtrail.EventID `json:"written_by_event,omitempty"`
}

// IsTrusted reports whether somebody answers for the content.
func (s Snapshot) IsTrusted() bool { return s.TrustedBy != "" }

// Trusted returns s as it is once somebody answers for it.
func (s Snapshot) Trusted(by, reason string, at time.Time) Snapshot {
	s.TrustedBy, s.TrustReason, s.TrustedAt = by, reason, at.UTC()
	return s
}

// Snapshots keeps what resources looked like, so that a deleted or weakened one can be put back.
type Snapshots interface {
	// PutSnapshot adds s; when the newest snapshot of the resource has equal content only its LastSeenAt moves.
	PutSnapshot(ctx context.Context, s Snapshot) error
	// TrustSnapshot keeps, of the version of s.Resource that was taken at s.TakenAt, the fields of s that say who trusts and
	// who wrote it. Without such a version it is incident.ErrNotFound.
	TrustSnapshot(ctx context.Context, s Snapshot) error
	// SnapshotVersions returns every version of a resource, oldest first.
	SnapshotVersions(ctx context.Context, resource arn.ARN) ([]Snapshot, error)
	// SnapshotBefore returns the newest snapshot taken before the moment, or incident.ErrNotFound.
	SnapshotBefore(ctx context.Context, resource arn.ARN, before time.Time) (Snapshot, error)
	// NewestSnapshots returns the newest snapshot of every resource of a kind, sorted by resource.
	NewestSnapshots(ctx context.Context, kind string) ([]Snapshot, error)
}
