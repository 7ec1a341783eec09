// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"time"
)

// Restore is that a run of a runbook put a resource back: what fights and repeat offenders are seen by.
type Restore struct {
	Resource  string    `json:"resource"` // ARN
	Execution string    `json:"execution"`
	Incident  ID        `json:"incident"`
	Actor     string    `json:"actor,omitempty"` // the principal whose doing was put back
	At        time.Time `json:"at"`
}

// Restores keeps them.
type Restores interface {
	// RecordRestore keeps r; of one resource and execution the first stands.
	RecordRestore(ctx context.Context, r Restore) error
	// ListRestores returns those that the filter means, oldest first.
	ListRestores(ctx context.Context, f RestoreFilter) ([]Restore, error)
}

// RestoreFilter narrows ListRestores; empty fields mean all.
type RestoreFilter struct {
	Resource, Actor string
	// Since leaves out those before it.
	Since time.Time
}
