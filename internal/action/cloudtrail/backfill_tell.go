// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// perSecond is how many requests are made over all regions, at most: each takes its time.
const perSecond = 4

// tell estimates how long it takes and says so on the timeline, before it begins.
func (b *backfiller) tell(ctx context.Context) error {
	c := &b.cursor
	pages, isKnown := b.sample(ctx)
	series := len(c.Orders) + max(len(c.Keys)-1, 0)
	requests := len(c.Places)*series + pages
	c.Estimate, c.IsTold, c.Began = max(pages+series, requests/perSecond), true, b.env.Now()
	if err := ctx.Err(); err != nil {
		return err
	}
	atLeast := "about"
	if !isKnown {
		atLeast = "at least"
	}
	text := fmt.Sprintf("backfill from Event history begins: %s to %s, %d regions, %s %d requests, at most one a second in each: %s %s",
		c.From.Format(time.RFC3339), c.Until.Format(time.RFC3339), len(c.Places), atLeast, requests, atLeast, time.Duration(c.Estimate)*time.Second)
	if err := b.note(ctx, "begins", incident.EntryDecision, text, nil); err != nil {
		return err
	}
	return c.save(ctx, b.env)
}

func (b *backfiller) note(ctx context.Context, what string, kind incident.EntryKind, text string, data any) error {
	var raw json.RawMessage
	if data != nil {
		var err error
		if raw, err = json.Marshal(data); err != nil {
			return fmt.Errorf("note the backfill: %w", err)
		}
	}
	err := b.env.Timeline.Append(ctx, incident.Entry{
		Incident: b.env.Incident.ID, At: b.env.Now(), Kind: kind, Text: text, Data: raw,
		Key: "backfill/" + what + "/" + b.cursor.From.UTC().Format(time.RFC3339Nano),
	})
	if err != nil {
		return fmt.Errorf("note the backfill: %w", err)
	}
	return nil
}

// out is the output as things stand.
func (b *backfiller) out(reason string) backfilled {
	c := &b.cursor
	out := backfilled{
		Done: true, NextAfter: 1, Reason: reason, From: c.From, Until: c.Until, EstimateSeconds: c.Estimate,
		Requests: c.Requests, Events: c.Events, ByOrder: []orderCount{}, Regions: []regionOutcome{},
		Lost: list(b.lost()), WhoCan: b.whoCan(), Gaps: list(c.Gaps),
	}
	for _, order := range c.Orders {
		out.ByOrder = append(out.ByOrder, orderCount{orders[order], c.Counts[order]})
	}
	for _, p := range c.Places {
		if p.Outcome == "" && p.Events == 0 {
			continue
		}
		outcome := p.Outcome
		if outcome == "" {
			outcome = "read"
		}
		out.Regions = append(out.Regions, regionOutcome{p.Region, outcome, p.Events})
	}
	if c.Size > 0 {
		out.File, out.Bytes = filepath.Join(b.folder(), c.File), c.Size
	}
	return out
}

// lost says in words what nobody can bring back.
func (b *backfiller) lost() []string {
	var out []string
	for _, w := range b.windows {
		if w.IsRecoverable() {
			continue
		}
		until := "now"
		if !w.Found.IsZero() {
			until = w.Found.UTC().Format(time.RFC3339)
		}
		out = append(out, fmt.Sprintf("%s to %s: %s, %s: Event history keeps management events only",
			w.Lost.UTC().Format(time.RFC3339), until, brief(w.Class), brief(w.Region)))
	}
	return out
}

// whoCan names who must act where a region was not read.
func (b *backfiller) whoCan() string {
	c := &b.cursor
	var regions []string
	for _, p := range c.Places {
		if c.isMissing(p.Region) {
			regions = append(regions, p.Region)
		}
	}
	if len(regions) == 0 {
		return ""
	}
	return fmt.Sprintf("an administrator of account %s: read Event history from %s to %s in %s (aws cloudtrail lookup-events), which Switchback could not",
		c.Account, c.From.Format(time.RFC3339), c.Until.Format(time.RFC3339), strings.Join(regions, ", "))
}
