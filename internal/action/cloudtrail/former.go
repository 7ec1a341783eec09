// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// Where the configuration to go back to comes from.
const (
	sourceApproved = "approved"
	sourceSnapshot = "snapshot"
	sourceEvents   = "events"
	sourcePipeline = "pipeline"
	sourceBaseline = "baseline"
	sourceNone     = "none"
)

// former is what a trail looked like before the event.
type former struct {
	isKnown bool
	// trail is the configuration when it is known, else what the events tell of it.
	trail  trail.Trail
	source string
	at     time.Time
	// snapshot is when the stored snapshot was taken, zero when there is none.
	snapshot time.Time
	// isTrusted: somebody answers for it. isDemanded: it is only what the baseline of trail.Desired asks for.
	isTrusted, isDemanded bool
	gaps                  []string
}

// findFormer looks for a snapshot from before the event, then for past calls. Without an event it is what the trail should
// look like now. Where there is such a snapshot the newest of all counts: snapshots never follow a weakening, and an event
// that comes late (or is a replayed old log file) must not bring back what the trail was long ago.
func findFormer(ctx context.Context, env *action.Env, r *cloudtrail.Record, target trail.Target) (former, error) {
	before := env.Now()
	if r != nil {
		before = r.EventTime
	}
	f, err := fromSnapshot(ctx, env, target, before)
	if err != nil {
		return former{}, err
	}
	switch {
	case r == nil:
	case f.isKnown:
		f, err = fromSnapshot(ctx, env, target, env.Now().Add(time.Nanosecond))
	default:
		f, err = fromEvents(ctx, env, r, target)
	}
	if err != nil {
		return former{}, err
	}
	// A stop shows that the trail was meant to log, whatever was seen last.
	if f.isKnown && r != nil && isStop(r) {
		f.trail.IsLogging = true
	}
	return f, nil
}

// isStop: the call ended the trail's logging.
func isStop(r *cloudtrail.Record) bool {
	return !r.Failed() && (r.EventName == trail.StopLogging || r.EventName == trail.DeleteTrail)
}

// fromSnapshot reads the baseline as it was known before the moment. CloudTrail's times are cut to the second: where there
// is no older one, a snapshot of that very second is taken, for snapshots never follow a weakening.
func fromSnapshot(ctx context.Context, env *action.Env, target trail.Target, before time.Time) (former, error) {
	none := former{source: sourceNone}
	if env.Snapshots == nil {
		return none, nil
	}
	s, err := state.BaselineBefore(ctx, env.Snapshots, target.ARN, before)
	if errors.Is(err, incident.ErrNotFound) {
		s, err = state.BaselineBefore(ctx, env.Snapshots, target.ARN, before.Truncate(time.Second).Add(time.Second))
	}
	if errors.Is(err, incident.ErrNotFound) {
		return none, nil
	}
	if err != nil {
		return none, fmt.Errorf("read the newest snapshot of %s: %w", target.ARN, err)
	}
	t, err := s.Trail()
	if err != nil {
		return none, err
	}
	source := map[string]string{state.SourceApproved: sourceApproved, state.SourceEvents: sourceEvents, state.SourcePipeline: sourcePipeline}[s.Source]
	if source == "" {
		source = sourceSnapshot
	}
	return former{isKnown: true, trail: t, source: source, at: s.LastSeenAt, snapshot: s.TakenAt, isTrusted: s.IsTrusted()}, nil
}

const (
	// suspicion is how long before the event its session's own calls do not decide what the trail should be.
	suspicion = time.Hour
	// staleness is the age from which an event no longer says what the trail should be: the calls before it may be
	// history by now.
	staleness = 24 * time.Hour
)

// fromEvents rebuilds the configuration from the calls of the last 90 days.
func fromEvents(ctx context.Context, env *action.Env, r *cloudtrail.Record, target trail.Target) (former, error) {
	f := former{source: sourceNone, at: r.EventTime.Add(-time.Second)}
	records, gaps, err := pastCalls(ctx, env, target, r.EventTime)
	if err != nil {
		return former{}, err
	}
	f.gaps = gaps
	earlier := records[:0]
	for _, one := range records {
		if one.EventID != r.EventID {
			earlier = append(earlier, one)
		}
	}
	if len(earlier) == 0 {
		f.gaps = append(f.gaps, "no past calls on the trail were found")
		return f, nil
	}
	t, complete, missing := trail.Rebuild(target.ARN, earlier, func(one cloudtrail.Record) bool {
		return sameSession(&one, r) && r.EventTime.Sub(one.EventTime) < suspicion
	})
	age := env.Now().Sub(r.EventTime)
	f.trail, f.isKnown, f.source = t, complete && t.S3BucketName != "" && age <= staleness, sourceEvents
	f.gaps = append(f.gaps, missing...)
	if age > staleness {
		f.gaps = append(f.gaps, fmt.Sprintf("the event is %s old: what was so before it is only a suggestion", age.Truncate(time.Hour)))
	}
	return f, nil
}

// sameSession: made with the same key, by the same principal, or by a session of the same role. A new session of a role
// costs its holder one call.
func sameSession(a, b *cloudtrail.Record) bool {
	for _, id := range []func(*cloudtrail.Record) string{accessKey, principalARN, issuerARN} {
		if id(a) != "" && id(a) == id(b) {
			return true
		}
	}
	return false
}

func accessKey(r *cloudtrail.Record) string { return r.UserIdentity.AccessKeyID }

func principalARN(r *cloudtrail.Record) string { return r.UserIdentity.ARN }

func issuerARN(r *cloudtrail.Record) string {
	if r.UserIdentity.SessionContext == nil {
		return ""
	}
	return r.UserIdentity.SessionContext.SessionIssuer.ARN
}

// historyAge is how far back past calls are looked for: what Event history keeps.
const historyAge = 90 * 24 * time.Hour

// pastCalls are the calls on the trail until a moment, by its name and by its ARN.
func pastCalls(ctx context.Context, env *action.Env, target trail.Target, until time.Time) ([]cloudtrail.Record, []string, error) {
	if env.History == nil {
		return nil, []string{"past calls were not searched: no history is at hand"}, nil
	}
	var found []cloudtrail.Record
	var gaps []string
	seen := map[cloudtrail.EventID]bool{}
	for _, name := range []string{string(target.ARN), target.Name} {
		records, missing, err := env.History.Lookup(ctx, env.Door, state.Query{
			Account: target.Account, Region: target.HomeRegion, From: until.Add(-historyAge), To: until,
			EventNames: trail.Changes(), ResourceName: name,
		})
		if ctx.Err() != nil {
			return nil, nil, err
		}
		if err != nil {
			missing = append(missing, fmt.Sprintf("past calls on %s were not searched: %v", name, err))
		}
		gaps = append(gaps, missing...)
		for _, r := range records {
			if !seen[r.EventID] && isAbout(r, target) {
				seen[r.EventID] = true
				found = append(found, r)
			}
		}
	}
	return found, gaps, nil
}

// isAbout: the call was about the trail, or cannot be read well enough to say that it was not.
func isAbout(r cloudtrail.Record, target trail.Target) bool {
	of, err := trail.TargetOf(r)
	return err == nil && of.ARN == target.ARN || err != nil && !errors.Is(err, trail.ErrNotAboutTrail)
}

// suggestion is what the trail may have looked like, for a person to approve: what the events tell, else what it is now,
// raised to the baseline.
func (f former) suggestion(have trail.Trail) trail.Trail {
	last := have
	if f.trail.S3BucketName != "" {
		last = f.trail
	}
	return trail.Desired(&last)
}
