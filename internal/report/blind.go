// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// BlindWindow is a class of events that no trail recorded for a while.
type BlindWindow struct {
	Account string    `json:"account"`
	Region  string    `json:"region"`
	Class   string    `json:"class"`
	Trail   string    `json:"trail,omitempty"`
	Lost    time.Time `json:"lost"`
	Found   time.Time `json:"found,omitzero"`
	Proven  time.Time `json:"proven,omitzero"`
	// Provisional and Proof are how long it took from Lost to Found and to Proven.
	Provisional *Span `json:"provisional,omitempty"`
	Proof       *Span `json:"proof,omitempty"`
	// Missing says what became of the events: "backfilled", "pending", "lost" for what Event history does not keep.
	Missing string `json:"missing"`
}

// What became of the events of a blind window.
const (
	backfilled = "backfilled"
	pending    = "pending"
	lost       = "lost"
)

// blindWindows are those of the incident, the first maxLines of them.
func (b Builder) blindWindows(ctx context.Context, id incident.ID) ([]BlindWindow, error) {
	out := []BlindWindow{}
	if b.Blind == nil {
		return out, nil
	}
	all, err := b.Blind.ListBlindWindows(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("build report of %s: list blind windows: %w", id, err)
	}
	for w := range slices.Values(all[:min(len(all), maxLines)]) {
		out = append(out, BlindWindow{
			Account: name(w.Account), Region: name(w.Region), Class: name(w.Class), Trail: name(string(w.Trail)),
			Lost: w.Lost.UTC(), Found: w.Found.UTC(), Proven: w.Proven.UTC(),
			Provisional: span(w.Lost, w.Found), Proof: span(w.Lost, w.Proven), Missing: missing(w),
		})
	}
	return out, nil
}

func missing(w incident.BlindWindow) string {
	switch {
	case !w.IsRecoverable():
		return lost
	case w.Backfilled.IsZero():
		return pending
	}
	return backfilled
}
