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
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

// The sources of issuing events, as hops name them.
const (
	fromSessions = "sessions index"
	fromHistory  = "event history"
)

// maxName bounds each name that is kept and returned, in bytes; AWS's own are shorter. A state's output stays small.
const maxName = 300

type resolveResult struct {
	incident.Who
	Hops []identity.Hop `json:"hops"`
	// Reason is there when the status is unresolved.
	Reason   string   `json:"reason,omitempty"`
	Gaps     []string `json:"gaps,omitempty"`
	Sentence string   `json:"sentence"`
}

func resolve(ctx context.Context, env *action.Env, p eventParams) (resolveResult, error) {
	r, err := record(ctx, env, p)
	if err != nil {
		return resolveResult{}, err
	}
	index := &sources{env: env}
	res, err := identity.Resolve(ctx, r, index)
	if err != nil {
		return resolveResult{}, err
	}
	out := result(r, res)
	out.Gaps = index.gaps
	if env.Incident.ID == "" {
		return out, nil
	}
	return out, keep(ctx, env, p.event(env), out)
}

func result(r cloudtrail.Record, res identity.Resolution) resolveResult {
	facts := identity.Extract(r)
	out := resolveResult{
		Who: incident.Who{
			Principal: facts.Principal, SessionKey: facts.AccessKeyID, Status: string(res.Status),
			Human: identity.Printable(res.Human, maxName), HumanARN: identity.Printable(res.HumanARN, maxName),
		},
		Hops: []identity.Hop{}, Reason: identity.Printable(res.Reason, maxName), Sentence: facts.Sentence(res.Human),
	}
	for _, name := range res.Principals(r) {
		out.Chain = append(out.Chain, identity.Printable(name, maxName))
	}
	for _, hop := range res.Chain {
		hop.Caller = identity.Printable(hop.Caller, maxName)
		out.Hops = append(out.Hops, hop)
	}
	return out
}

// keep puts the answer on the incident. An answer never gets worse: what was resolved stays, since a source that is
// down now knew it then. The chain only grows, also by the principals of events that joined later: none of them may
// answer.
func keep(ctx context.Context, env *action.Env, event cloudtrail.EventID, out resolveResult) error {
	_, err := env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		chain := i.Who.Chain
		isFirst := len(i.Events) == 0 || i.Events[0] == event
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
		return "no human: a service or workload" + via
	}
	return "the human is unresolved: " + out.Reason + via
}

// sources look for issuing events among those that were received, and then in Event history.
type sources struct {
	env  *action.Env
	gaps []string
}

var _ identity.Index = (*sources)(nil)

// IssuedBy implements identity.Index. A source that fails is a gap.
func (s *sources) IssuedBy(ctx context.Context, id string, use identity.Use) ([]identity.Found, error) {
	found, err := s.received(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 || s.env.History == nil {
		return found, nil
	}
	return s.history(ctx, id, use)
}

func (s *sources) received(ctx context.Context, id string) ([]identity.Found, error) {
	issued, err := s.env.Sessions.IssuedBy(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("search the sessions index: %w", err)
	}
	var found []identity.Found
	for _, i := range issued {
		r, err := cloudtrail.ParseRecord(i.Record)
		if err != nil {
			s.gap(fmt.Sprintf("issuing event %s cannot be read: %v", i.EventID, err))
			continue
		}
		found = append(found, identity.Found{Record: r, Source: fromSessions})
	}
	return found, nil
}

// history asks where STS may have recorded the call: the region of the use, and the partition's global region.
func (s *sources) history(ctx context.Context, id string, use identity.Use) ([]identity.Found, error) {
	q := state.Query{
		Account: use.Account, From: use.At.Add(-identity.LongestSession), To: use.At,
		EventNames: identity.IssuerNames(), ResourceName: id,
	}
	if strings.HasPrefix(id, "ASIA") {
		q.IssuedKeyID, q.ResourceName = id, ""
	}
	var found []identity.Found
	for _, region := range regions(use.Region) {
		q.Region = region
		records, gaps, err := s.env.History.Lookup(ctx, s.env.Door, q)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("search event history: %w", ctx.Err())
		}
		if err != nil {
			gaps = append(gaps, fmt.Sprintf("event history of %s in %s: %v", use.Account, region, err))
		}
		for _, gap := range gaps {
			s.gap(gap)
		}
		for _, r := range records {
			found = append(found, identity.Found{Record: r, Source: fromHistory})
		}
	}
	return found, nil
}

func regions(used string) []string {
	global := arn.PartitionOf(used).GlobalRegion
	if used == "" || used == global {
		return []string{global}
	}
	return []string{used, global}
}

func (s *sources) gap(text string) {
	const most = 10
	if text = identity.Printable(text, maxName); len(s.gaps) < most && !slices.Contains(s.gaps, text) {
		s.gaps = append(s.gaps, text)
	}
}
