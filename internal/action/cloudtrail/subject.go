// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// restoreTrail is the action class of every change of this package.
const restoreTrail = "restore-trail"

// subjectParams say which event and trail a query is about.
type subjectParams struct {
	EventID cloudtrail.EventID `json:"event_id,omitempty"`
	Event   json.RawMessage    `json:"event,omitempty"`
	Trail   arn.ARN            `json:"trail,omitempty"`
}

// subject is an event, or none, and the trail that it is about.
type subject struct {
	record *cloudtrail.Record
	target trail.Target
}

// find reads the event and works out its trail. A finding is an event without a record: it says which trail, and no more.
func (p subjectParams) find(ctx context.Context, env *action.Env) (subject, error) {
	record, found, err := p.read(ctx, env)
	if err != nil {
		return subject{}, err
	}
	p.Trail = cmp.Or(p.Trail, found)
	s := subject{record: record}
	if s.target, err = p.target(record); err == nil {
		return s, nil
	}
	if record != nil && !errors.Is(err, trail.ErrNotAboutTrail) {
		t, found, failure := deviating(ctx, env, record)
		if found || failure != nil {
			return subject{record: record, target: t}, failure
		}
	}
	return subject{}, invalid(err)
}

// deviating looks for the trail of a call whose parameters cannot be read: CloudTrail leaves out what is larger than
// 100 KB, and selectors of that size are easily written. It is the first trail of the account and region that is weaker
// than its baseline.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func deviating(ctx context.Context, env *action.Env, r *cloudtrail.Record) (trail.Target, bool, error) {
	if env.Snapshots == nil {
		return trail.Target{}, false, nil
	}
	all, err := state.ProtectedTrails(ctx, env.Snapshots)
	if err != nil {
		return trail.Target{}, false, fmt.Errorf("look for the trail of %s: %w", r.EventName, err)
	}
	for _, p := range all {
		t, err := trail.TargetOfARN(p.Snapshot.Resource)
		if err != nil || t.Account != r.RecipientAccountID || t.HomeRegion != r.AWSRegion {
			continue
		}
		weaker, err := isWeaker(ctx, env, t, p.Trail)
		if err != nil || weaker {
			return t, weaker, err
		}
	}
	return trail.Target{}, false, nil
}

func isWeaker(ctx context.Context, env *action.Env, t trail.Target, want trail.Trail) (bool, error) {
	have, status, err := state.ReadTrail(ctx, env.Door, t)
	if errors.Is(err, incident.ErrNotFound) {
		return true, nil
	}
	if status.InsightsUnreadable {
		have.InsightSelectors = want.InsightSelectors
	}
	if status.TagsUnreadable {
		have.Tags = want.Tags
	}
	return err == nil && len(trail.Weakened(want, have)) > 0, err
}

// target is the trail of the parameters, else that of the event. Where both mean the same trail the event's is taken,
// for it knows whether it is certain.
func (p subjectParams) target(record *cloudtrail.Record) (trail.Target, error) {
	if record == nil && p.Trail == "" {
		return trail.Target{}, errors.New("one of event_id, event and trail is needed")
	}
	if record == nil {
		return trail.TargetOfARN(p.Trail)
	}
	ofEvent, err := trail.TargetOf(*record)
	if p.Trail == "" || err == nil && ofEvent.ARN == p.Trail {
		return ofEvent, err
	}
	return trail.TargetOfARN(p.Trail)
}

// read returns the event's record, or the trail that the event is a finding about; neither when the parameters name none.
func (p subjectParams) read(ctx context.Context, env *action.Env) (*cloudtrail.Record, arn.ARN, error) {
	raw := p.Event
	if isEmptyJSON(raw) {
		if p.EventID == "" {
			return nil, "", nil
		}
		id := env.Incident.Telling(p.EventID)
		if env.Timeline == nil {
			return nil, "", errors.New("read the event: no timeline is wired")
		}
		var err error
		raw, err = env.Timeline.Evidence(ctx, id)
		if errors.Is(err, incident.ErrNotFound) {
			return nil, "", invalid(fmt.Errorf("event %.60q is not known here", id))
		}
		if err != nil {
			return nil, "", fmt.Errorf("read event %s: %w", id, err)
		}
	}
	return parseEvent(raw)
}

// parseEvent reads a record, or the EventBridge event around it; or a finding.
func parseEvent(raw json.RawMessage) (*cloudtrail.Record, arn.ARN, error) {
	item, err := cloudtrail.NewDecoder(bytes.NewReader(raw), cloudtrail.Limits{}).Next()
	if err != nil {
		return nil, "", invalid(fmt.Errorf("read the event: %w", err))
	}
	if e := item.Envelope; e != nil && !e.HasRecord() && e.Source == incident.EventSource {
		var f trail.Finding // one of something else than a trail names none
		if err := json.Unmarshal(e.Detail, &f); err != nil {
			return nil, "", invalid(fmt.Errorf("read the finding: %w", err))
		}
		return nil, f.Trail, nil
	}
	if item.Record.EventName == "" {
		return nil, "", invalid(errors.New("read the event: it is not one of CloudTrail"))
	}
	return &item.Record, "", nil
}

func isEmptyJSON(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "", "null", "{}":
		return true
	}
	return false
}

func invalid(err error) error {
	return &asl.Error{Name: action.ErrorInvalidParameters, Cause: err.Error()}
}

// notFound names a missing trail as AWS does.
func notFound(err error) error {
	if errors.Is(err, incident.ErrNotFound) {
		return &asl.Error{Name: "CloudTrail.TrailNotFoundException", Cause: err.Error()}
	}
	return err
}
