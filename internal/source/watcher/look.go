// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"context"
	"errors"
	"strings"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// errGone: there is no trail to look at in this tier; the status says so.
var errGone = errors.New("the trail is gone")

// look reads what belongs to one tier, and says what is wrong with it. Findings lack where and when.
func (w *Source) look(ctx context.Context, s subject, tier Tier) ([]trail.Finding, error) {
	if !s.isTrail() {
		return w.lookAtDependency(ctx, s)
	}
	found, err := state.OpenTrail(ctx, w.door, s.arn())
	if err != nil {
		return nil, err
	}
	if tier == TierStatus {
		return w.lookAtStatus(ctx, s, found)
	}
	have := s.trail // what this tier does not read is taken to be as it should
	if tier == TierConfiguration {
		err = w.readConfiguration(ctx, &have)
	} else {
		err = readRest(ctx, found, &have)
	}
	if err != nil {
		return nil, err
	}
	return weakened(s, trail.Weakened(s.trail, have)), nil
}

func (w *Source) lookAtStatus(ctx context.Context, s subject, found state.FoundTrail) ([]trail.Finding, error) {
	pulse, err := found.Pulse(ctx)
	if errors.Is(err, incident.ErrNotFound) {
		return []trail.Finding{{Code: trail.CodeGone, Reason: s.what() + " is gone"}}, nil
	}
	if err != nil {
		return nil, err
	}
	return pulse.Ills(s.trail, w.lookingSince(s.arn()), w.services.Clock().UTC()), nil
}

// readConfiguration reads what DescribeTrails and GetEventSelectors tell.
func (w *Source) readConfiguration(ctx context.Context, have *trail.Trail) error {
	target, err := trail.TargetOfARN(have.ARN)
	if err != nil {
		return err
	}
	found, err := state.FindTrail(ctx, w.door, target)
	if errors.Is(err, incident.ErrNotFound) {
		return errGone
	}
	if err != nil {
		return err
	}
	now := found.Trail
	now.S3BucketOwner, now.IsLogging, now.InsightSelectors, now.Tags = have.S3BucketOwner, have.IsLogging, have.InsightSelectors, have.Tags
	now.EventSelectors, now.AdvancedEventSelectors, err = found.EventSelectors(ctx)
	*have = now
	return err
}

// readRest reads insight selectors and tags.
func readRest(ctx context.Context, found state.FoundTrail, have *trail.Trail) (err error) {
	if have.InsightSelectors, err = found.InsightSelectors(ctx); err != nil {
		return err
	}
	have.Tags, err = found.Tags(ctx)
	return err
}

func (w *Source) lookAtDependency(ctx context.Context, s subject) ([]trail.Finding, error) {
	have, err := state.ReadDependency(ctx, w.door, s.dependency)
	if err != nil {
		return nil, err
	}
	differences, err := trail.WeakenedDependency(s.dependency.Kind, s.snapshot.Content, have)
	if err != nil {
		return nil, err
	}
	return weakened(s, differences), nil
}

// weakened is the finding of some differences, none for none.
func weakened(s subject, differences []trail.Difference) []trail.Finding {
	if len(differences) == 0 {
		return nil
	}
	var sentences []string
	for _, d := range differences[:min(len(differences), maxTold)] {
		sentences = append(sentences, d.Sentence())
	}
	reason := s.what() + " is weaker than it was: " + strings.Join(sentences, "; ")
	return []trail.Finding{{Code: trail.CodeWeakened, Differences: differences, Reason: brief(reason)}}
}

// Bounds of a finding: half of its texts were written by whoever changed the resource.
const (
	maxTold   = 5
	maxReason = 1000
)

func brief(text string) string {
	if len(text) <= maxReason {
		return text
	}
	return strings.ToValidUTF8(text[:maxReason], "") + "…"
}
