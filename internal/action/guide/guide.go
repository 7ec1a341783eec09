// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package guide holds the action that says what a person has to run, where Switchback does not put things back by itself.
// The routes and their commands are internal/route's; the action only finds the one that an event took.
//
// # guide:Write
//
// Looks up the route of the event and fills its commands in. Input:
//
//	{"event_id": "…"}   the incident's first event by default
//
// Output:
//
//	{"route": "detector-off: guardduty DeleteDetector", "class": "guide", "what": "GuardDuty is off …",
//	 "who_can": "an administrator of the account", "commands": ["aws guardduty create-detector --enable --region 'eu-west-1'"],
//	 "notes": []}
//
// The commands are one line each, for a POSIX shell; every value that the event gave is quoted, and left out with a note
// where quoting is not enough. "who_can" stands only where somebody has to act. An alert leaves nothing to put back: the
// incident is contained once it was written. The guide is kept with the incident, for its messages and its report. An
// event that took no known route is "alert", and says so.
package guide

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "guide:Write", Class: "read", Summary: "what a person has to run to put back what the event did, and who may",
	}, write))
}

type params struct {
	EventID cloudtrail.EventID `json:"event_id,omitempty"`
}

// standing is how an incident stands that has nothing to be put back.
const standing = "nothing to put back: a person must look"

func write(ctx context.Context, env *action.Env, p params) (route.Guide, error) {
	if p.EventID == "" && len(env.Incident.Events) > 0 {
		p.EventID = env.Incident.Events[0]
	}
	raw, err := env.Timeline.Evidence(ctx, p.EventID)
	if err != nil {
		return route.Guide{}, fmt.Errorf("read event %s: %w", identity.Printable(string(p.EventID), 100), err)
	}
	record, err := identity.ParseEvidence(raw)
	if err != nil {
		return route.Guide{}, err
	}
	g := guideOf(env.Incident.Key.Runbook, record)
	if env.Incident.ID == "" {
		return told(g), nil
	}
	if err := keep(ctx, env, g, record); err != nil {
		return route.Guide{}, err
	}
	return told(g), nil
}

// guideOf asks the runbook's own routes first.
func guideOf(runbook string, record cloudtrail.Record) route.Guide {
	for _, of := range []string{runbook, ""} {
		if routes := route.Match(of, record); len(routes) > 0 {
			return routes[0].Guide(record)
		}
	}
	return route.Guide{
		Class: route.ClassAlert, Commands: []string{},
		What: fmt.Sprintf("no known route is %s of %s", identity.Printable(record.EventName, 100), identity.Printable(record.EventSource, 100)),
	}
}

// told is the output. The pipeline opens a point for a person where an output says who can act; of an alert nobody has to.
func told(g route.Guide) route.Guide {
	if g.Class != route.ClassGuide {
		g.WhoCan = ""
	}
	return g
}

func keep(ctx context.Context, env *action.Env, g route.Guide, record cloudtrail.Record) error {
	data, err := json.Marshal(g)
	if err != nil {
		return fmt.Errorf("encode guide: %w", err)
	}
	_, err = env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[route.Fact] = data
		if g.Class == route.ClassAlert && !record.Failed() && i.Times.Contained.IsZero() {
			i.Times.Contained, i.Standing = env.Clock().UTC(), standing
		}
		return nil
	})
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s: %s; %d commands for a person", g.Class, g.What, len(g.Commands))
	return env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: env.Clock(), Kind: incident.EntryDecision, Text: text, Data: data, Key: "guide/" + env.Task.Visit,
	})
}
