// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// maxName bounds each name that is kept and returned, in bytes; AWS's own are shorter. A state's output stays small.
const maxName = 300

type resolveResult struct {
	incident.Who
	Hops []identity.Hop `json:"hops"`
	// Workload, Carrier and Nearby are there when a machine did it, or may have.
	Workload *identity.Workload `json:"workload,omitempty"`
	Carrier  string             `json:"carrier,omitempty"`
	Nearby   []identity.Hop     `json:"nearby,omitempty"`
	// Reason is there when the status is unresolved, and Missing what would have to come for another attempt to get
	// further: keys, sessions, shared events.
	Reason   string   `json:"reason,omitempty"`
	Missing  []string `json:"missing,omitempty"`
	Gaps     []string `json:"gaps,omitempty"`
	Sentence string   `json:"sentence"`
}

func resolve(ctx context.Context, env *action.Env, p eventParams) (resolveResult, error) {
	e, err := read(ctx, env, p)
	if err != nil {
		return resolveResult{}, err
	}
	out := nobody(e)
	if e.HasRecord() {
		index := sourcesOf(env)
		res, err := identity.Resolve(ctx, e.Record, index)
		if err != nil {
			return resolveResult{}, err
		}
		out = result(e.Record, res)
		out.Gaps = index.History.Gaps()
	}
	if env.Incident.ID == "" {
		return out, nil
	}
	return out, keep(ctx, env, p.event(env), out)
}

// nobody is the answer for a finding, until the call behind it is known.
func nobody(e cloudtrail.Envelope) resolveResult {
	return resolveResult{
		Who: incident.Who{Status: string(identity.Unresolved)}, Hops: []identity.Hop{},
		Reason: "no call behind what was found is known", Sentence: identity.FindingSentence(e),
	}
}

func result(r cloudtrail.Record, res identity.Resolution) resolveResult {
	facts := identity.Extract(r)
	out := resolveResult{Sentence: facts.Sentence(res.Human)}
	chain := res.Principals(r)
	res = res.Printable(maxName)
	out.Who = incident.Who{
		Principal: facts.Principal, SessionKey: facts.AccessKeyID, Status: string(res.Status), Human: res.Human, HumanARN: res.HumanARN,
	}
	out.Hops, out.Nearby, out.Workload, out.Carrier, out.Reason = res.Chain, res.Nearby, res.Workload, res.Carrier, res.Reason
	for _, name := range chain {
		out.Chain = append(out.Chain, identity.Printable(name, maxName))
	}
	for _, clue := range res.Missing {
		out.Missing = append(out.Missing, clue.ID)
	}
	return out
}

// keep puts the answer on the incident. An answer never gets worse: what was resolved stays, since a source that is
// down now knew it then. The chain only grows, also by the principals of events that joined later: none of them may
// answer.
func keep(ctx context.Context, env *action.Env, event cloudtrail.EventID, out resolveResult) error {
	_, err := env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		chain := i.Who.Chain
		isFirst := len(i.Events) == 0 || i.Telling("") == event
		if isFirst && (i.Who.Status != string(identity.Resolved) || out.Status == string(identity.Resolved)) {
			i.Who, i.Summary = out.Who, out.Sentence
		}
		i.Who.Chain = union(chain, out.Chain)
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep who it was: %w", err)
	}
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode who it was: %w", err)
	}
	return env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: env.Clock(), Kind: incident.EntryDecision, Text: text(out), Data: data,
		Key: fmt.Sprintf("resolve/%s/%s/%s", event, out.Status, out.Human),
	})
}

func union(all, more []string) []string {
	const most = 200 // far more than a chain has: only a flood of joined events reaches it
	all = slices.Clone(all)
	for _, name := range more {
		if len(all) < most && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

// text is the resolution on one line: who, and through which events.
func text(out resolveResult) string {
	var steps []string
	for _, hop := range out.Hops {
		steps = append(steps, fmt.Sprintf("%s %s by %s (%s)", hop.EventName, hop.EventID, hop.Caller, hop.Confidence))
	}
	via := ""
	if len(steps) > 0 {
		via = "; " + strings.Join(steps, ", ")
	}
	switch out.Status {
	case string(identity.Resolved):
		return "the human is " + out.Human + via
	case string(identity.Service):
		return "no human: a service or workload" + machine(out) + via
	}
	return "the human is unresolved: " + out.Reason + via
}

// machine says what is known of it.
func machine(out resolveResult) string {
	var known []string
	if w := out.Workload; w != nil {
		for _, part := range []struct{ word, value string }{{"subject", w.Subject}, {"repository", w.Repository}, {"started by", w.Actor}} {
			if part.value != "" {
				known = append(known, part.word+" "+part.value)
			}
		}
	}
	if out.Carrier != "" {
		known = append(known, "on "+out.Carrier)
	}
	for _, hop := range out.Nearby {
		known = append(known, fmt.Sprintf("%s by %s (%s)", hop.EventName, hop.Caller, hop.Confidence))
	}
	if len(known) == 0 {
		return ""
	}
	return " (" + strings.Join(known, ", ") + ")"
}
