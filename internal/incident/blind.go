// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/trail"
)

// BlindWindow is a line of the ledger of what was not recorded: a class of events that was lost in an incident.
type BlindWindow struct {
	trail.BlindWindow
	Incident ID `json:"incident"`
	// Trail is the one by whose loss it opened.
	Trail arn.ARN `json:"trail,omitempty"`
	// Backfilled is when Event history had been read for it, zero for not yet, and for what Event history does not keep.
	Backfilled time.Time `json:"backfilled,omitzero"`
}

// IsSame reports whether two windows are of one incident, account, region and class.
func (w BlindWindow) IsSame(other BlindWindow) bool {
	return w.Incident == other.Incident && w.Account == other.Account && w.Region == other.Region && w.Class == other.Class
}

// BlindWindows keeps the ledger of what was not recorded.
type BlindWindows interface {
	// PutBlindWindows adds windows. One with the same incident, account, region, class and beginning is replaced.
	PutBlindWindows(ctx context.Context, windows ...BlindWindow) error
	// ListBlindWindows returns the windows of an incident, of all for "", by beginning, account, region and class.
	ListBlindWindows(ctx context.Context, id ID) ([]BlindWindow, error)
}
