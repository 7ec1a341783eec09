// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// params say which event or resource is assessed.
type params struct {
	EventID  cloudtrail.EventID `json:"event_id,omitempty"`
	Event    json.RawMessage    `json:"event,omitempty"`
	Resource arn.ARN            `json:"resource,omitempty"`
}

// subject is what an assessment is about: a trail, or resources that were touched.
type subject struct {
	record  *cloudtrail.Record // nil without an event, and for one that is no call
	trail   arn.ARN
	touched []trail.Touch
}

// touches reports whether the subject is about a resource.
func (s subject) touches(d trail.Dependency) bool {
	return slices.ContainsFunc(s.touched, func(t trail.Touch) bool { return t.Is(d) })
}

func (p params) find(ctx context.Context, env *action.Env) (subject, error) {
	var s subject
	var err error
	if s.record, err = p.record(ctx, env); err != nil {
		return s, err
	}
	switch {
	case p.Resource != "":
		s.about(p.Resource)
	case s.record == nil:
		return s, invalid(errors.New("one of event_id, event and resource is needed"))
	default:
		if of, err := trail.TargetOf(*s.record); err == nil {
			s.trail = of.ARN
		}
		s.touched, err = state.Touched(ctx, env.Snapshots, *s.record)
		return s, err
	}
	return s, nil
}

// about makes the subject one resource, whatever kind it is.
func (s *subject) about(resource arn.ARN) {
	if _, err := trail.TargetOfARN(resource); err == nil {
		s.trail = resource
		return
	}
	for _, kind := range trail.Kinds() {
		s.touched = append(s.touched, trail.Touch{Kind: kind, Name: string(resource)})
	}
}

// record is the event's record; nil when the parameters name none, or an event that is no call.
func (p params) record(ctx context.Context, env *action.Env) (*cloudtrail.Record, error) {
	raw := p.Event
	if len(bytes.TrimSpace(raw)) == 0 || string(raw) == "null" {
		if p.EventID == "" {
			return nil, nil
		}
		if env.Timeline == nil {
			return nil, errors.New("read the event: no timeline is wired")
		}
		var err error
		if raw, err = env.Timeline.Evidence(ctx, p.EventID); isNotFound(err) {
			return nil, invalid(fmt.Errorf("event %.60q is not known here", p.EventID))
		} else if err != nil {
			return nil, fmt.Errorf("read event %s: %w", p.EventID, err)
		}
	}
	item, err := cloudtrail.NewDecoder(bytes.NewReader(raw), cloudtrail.Limits{}).Next()
	switch {
	case err != nil:
		return nil, invalid(fmt.Errorf("read the event: %w", err))
	case item.Record.EventName == "":
		return nil, nil
	}
	return &item.Record, nil
}

func invalid(err error) error {
	return &asl.Error{Name: action.ErrorInvalidParameters, Cause: err.Error()}
}
