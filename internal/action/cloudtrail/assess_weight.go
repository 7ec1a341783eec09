// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// What an assessment may hold; a state machine carries it from state to state.
const (
	maxInline = 4 << 10 // bytes of a configuration
	maxList   = 12      // differences, lost classes, gaps
	maxNote   = 160     // bytes of a difference's texts, and of errors
)

// weigh judges what the trail's state means for the account, over all its trails.
func (a *assessor) weigh(ctx context.Context) error {
	others, err := a.otherTrails(ctx)
	if err != nil {
		return err
	}
	if a.out.Verdict == verdictFine {
		return a.openBlind(ctx, others)
	}
	lost := trail.Lost(append(slices.Clone(others), a.before()), append(slices.Clone(others), a.after()...))
	for _, cell := range lost {
		a.out.Lost = append(a.out.Lost, cell.String())
	}
	differences := a.out.Differences
	if !a.exists {
		differences = []trail.Difference{{Field: trail.FieldIsLogging}}
	}
	a.out.Severity = trail.SeverityOf(differences, lost)
	return a.openBlind(ctx, others)
}

// keepSeverity gives the incident the severity that was found by looking at all trails, instead of the one that its event
// has by name; where it happened again, the worst counts. An attempt keeps its own, and so does what turned out to be
// fine. It writes only what changes: this is on the way to the repair.
func (a *assessor) keepSeverity(ctx context.Context) error {
	found := incident.Severity(a.out.Severity)
	inc := a.env.Incident
	if a.out.Trigger.Failed || a.out.Verdict == verdictFine || inc.ID == "" || inc.Severity == found || a.env.Store == nil {
		return nil
	}
	_, err := a.env.Store.Update(ctx, inc.ID, func(i *incident.Incident) error {
		if len(i.Runs) <= 1 || found.Rank() > i.Severity.Rank() {
			i.Severity = found
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the severity of %s: %w", inc.ID, err)
	}
	return nil
}

// before is the trail as it recorded, as far as that is known. Of a trail that is gone without a trace it is assumed that
// it recorded all management events.
func (a *assessor) before() trail.Trail {
	t := a.former.trail
	switch {
	case a.former.isKnown:
	case a.exists && !a.isWeakening():
		t = a.have
	case a.exists:
		t = a.former.suggestion(a.have)
	default:
		t = trail.Desired(nil)
	}
	t.ARN, t.HomeRegion, t.IsLogging = a.target.ARN, a.target.HomeRegion, true
	return t
}

// after is the trail as it records now. One that delivers to another place does not count: nobody knows whose it is.
func (a *assessor) after() []trail.Trail {
	if !a.exists || slices.ContainsFunc(a.out.Differences, trail.Difference.IsDestination) {
		return nil
	}
	return []trail.Trail{a.have}
}

// finish fills in the configurations and cuts everything to size.
func (a *assessor) finish(ctx context.Context) (assessment, error) {
	a.out.WantSource, a.out.WantAt = a.former.source, a.former.at
	a.out.Want = config{Trail: a.former.trail}
	if !a.former.isKnown && a.exists && a.out.Verdict == verdictUnknown {
		a.out.Want = config{Trail: a.former.suggestion(a.have)}
		if a.former.source == sourceNone {
			a.out.WantSource = sourceBaseline
		}
	}
	if a.out.Verdict == verdictUnknown && a.out.WhoCan == "" {
		a.out.WhoCan = "a person who knows what the trail looked like: approve or correct the suggested configuration"
	}
	if a.exists {
		a.out.Have = config{Trail: a.short(a.have)}
	}
	if a.out.Severity == "" {
		a.out.Severity = trail.Low
	}
	if err := a.reference(ctx); err != nil {
		return assessment{}, err
	}
	if err := a.keepSeverity(ctx); err != nil {
		return assessment{}, err
	}
	a.out.Differences = shorten(a.out.Differences)
	a.out.Lost, a.out.Gaps = list(a.out.Lost), list(a.out.Gaps)
	return a.out, nil
}

// short leaves the selectors out where they make a configuration too large to hand around.
func (a *assessor) short(t trail.Trail) trail.Trail {
	if len(t.JSON()) <= maxInline {
		return t
	}
	a.gap("the trail as it is now is shown without its selectors and tags, which are large")
	t.EventSelectors, t.AdvancedEventSelectors, t.InsightSelectors, t.Tags = nil, nil, nil, nil
	return t
}

// reference replaces a large configuration by a reference to its snapshot, which is stored if there is none. One that holds
// what an exception allows for now is no snapshot, and is carried whole.
func (a *assessor) reference(ctx context.Context) error {
	t := a.out.Want.Trail
	if a.allowed.isOverlaid() || a.former.isDemanded || a.out.Want.isEmpty() || len(t.JSON()) <= maxInline || a.env.Snapshots == nil {
		return nil // what is only demanded must not become a version that could be gone back to
	}
	if a.former.snapshot.IsZero() {
		if !a.former.isKnown {
			a.out.Want = config{Trail: a.short(t)}
			return nil
		}
		s := state.Snapshot{
			Resource: t.ARN, Kind: state.KindTrail, Source: state.SourceEvents, Content: t.JSON(),
			TakenAt: a.former.at, LastSeenAt: a.former.at,
		}
		if err := a.env.Snapshots.PutSnapshot(ctx, s); err != nil {
			return fmt.Errorf("keep the rebuilt configuration of %s: %w", t.ARN, err)
		}
		a.former.snapshot = a.former.at
	}
	a.out.Want = config{Snapshot: &snapshotRef{Resource: t.ARN, TakenAt: a.former.snapshot.In(time.UTC)}}
	return nil
}

func shorten(differences []trail.Difference) []trail.Difference {
	out := make([]trail.Difference, 0, min(len(differences), maxList))
	for _, d := range differences[:min(len(differences), maxList)] {
		d.Field, d.Want, d.Have, d.Note = brief(d.Field), brief(d.Want), brief(d.Have), brief(d.Note)
		out = append(out, d)
	}
	return out
}

// list cuts a list of texts, and says so in its last line.
func list(texts []string) []string {
	out := make([]string, 0, min(len(texts), maxList+1))
	for _, text := range texts[:min(len(texts), maxList)] {
		out = append(out, brief(text))
	}
	if n := len(texts) - len(out); n > 0 {
		out = append(out, fmt.Sprintf("and %d more", n))
	}
	return out
}

// brief cuts a text that others wrote.
func brief(s string) string {
	if len(s) <= maxNote {
		return s
	}
	return strings.ToValidUTF8(s[:maxNote], "") + "…"
}
