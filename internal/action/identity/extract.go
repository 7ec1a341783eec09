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

// event is the id under which the event was admitted, which is not always the one that it claims. For a finding it is the
// call behind it, once that is known.
func (p eventParams) event(env *action.Env) cloudtrail.EventID {
	return env.Incident.Telling(p.EventID)
}

type extractResult struct {
	identity.Facts
	Sentence string `json:"sentence"`
}

func extract(ctx context.Context, env *action.Env, p eventParams) (extractResult, error) {
	e, err := read(ctx, env, p)
	if err != nil {
		return extractResult{}, err
	}
	out := extractResult{Facts: identity.FactsOfFinding(e), Sentence: identity.FindingSentence(e)}
	if e.HasRecord() {
		out.Facts = identity.Extract(e.Record)
		out.Sentence = out.Facts.Sentence("")
	}
	if env.Incident.ID == "" || env.Incident.Summary != "" {
		return out, nil
	}
	_, err = env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		i.Summary = cmp.Or(i.Summary, out.Sentence)
		return nil
	})
	return out, err
}

// read reads the event from the incident's evidence: an EventBridge event, or a mere record.
func read(ctx context.Context, env *action.Env, p eventParams) (cloudtrail.Envelope, error) {
	id := p.event(env)
	raw, err := env.Timeline.Evidence(ctx, id)
	if err != nil {
		return cloudtrail.Envelope{}, fmt.Errorf("read event %s: %w", identity.Printable(string(id), 100), err)
	}
	if e, err := cloudtrail.ParseEnvelope(raw); err == nil {
		return e, nil
	}
	r, err := identity.ParseEvidence(raw)
	return cloudtrail.Envelope{Record: r}, err
}
