// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"context"
	"fmt"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "identity:Extract", Class: "read",
		Summary: "principal, date, time, source IP, user agent and the rest of one event, and one sentence",
	}, extract))
	action.Register(action.Query(action.Info{
		ID: "identity:Resolve", Class: "read", Permissions: []string{"cloudtrail:LookupEvents"},
		Summary: "the human behind an event, hop by hop, with the evidence of each hop",
	}, resolve))
}

// eventParams name the event; both actions default to the one that opened the incident.
type eventParams struct {
	EventID cloudtrail.EventID `json:"event_id,omitempty"`
}

// event is the id under which the event was admitted, which is not always the one that it claims.
func (p eventParams) event(env *action.Env) cloudtrail.EventID {
	if p.EventID == "" && len(env.Incident.Events) > 0 {
		return env.Incident.Events[0]
	}
	return p.EventID
}

type extractResult struct {
	identity.Facts
	Sentence string `json:"sentence"`
}

func extract(ctx context.Context, env *action.Env, p eventParams) (extractResult, error) {
	r, err := record(ctx, env, p)
	if err != nil {
		return extractResult{}, err
	}
	facts := identity.Extract(r)
	out := extractResult{Facts: facts, Sentence: facts.Sentence("")}
	if env.Incident.ID == "" || env.Incident.Summary != "" {
		return out, nil
	}
	_, err = env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		i.Summary = cmp.Or(i.Summary, out.Sentence)
		return nil
	})
	return out, err
}

// record reads the event from the incident's evidence.
func record(ctx context.Context, env *action.Env, p eventParams) (cloudtrail.Record, error) {
	id := p.event(env)
	raw, err := env.Timeline.Evidence(ctx, id)
	if err != nil {
		return cloudtrail.Record{}, fmt.Errorf("read event %s: %w", identity.Printable(string(id), 100), err)
	}
	return identity.ParseEvidence(raw)
}
