// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

type trailBaselineApproveCommand struct {
	someResources
	outputFlag
	Live bool `help:"Approve what is there now, also where it is weaker than the version approved before; needs ARNs."`
}

// Help is the long help.
func (trailBaselineApproveCommand) Help() string {
	return `Says that the newest version that is kept of each resource is what it should be: from then on Switchback puts the
resource back to it. Without ARNs it is said of everything that nobody has approved yet; where nothing is kept, what is
there now is taken first.

The person is the operating system's user, mapped by the directory (os_users). An unmapped user approves nothing, nor does
anybody on the identity chain of an open incident, and nothing that such a person wrote becomes a baseline: exit status 1.
With --output json one line each: kind, resource, version, approved, by, refused, weaker (than the version before: field,
want, have, note), gaps (what could not be found out about who wrote it).

Example:
  switchback trail baseline diff && switchback trail baseline approve
  switchback trail baseline approve --live ARN`
}

// approvedLine is the JSON of trail baseline approve.
type approvedLine struct {
	Kind     trail.Kind `json:"kind"`
	Resource arn.ARN    `json:"resource"`
	Version  int        `json:"version"`
	Approved bool       `json:"approved"`
	By       string     `json:"by"`
	// Refused says why it was not approved.
	Refused string             `json:"refused,omitempty"`
	Weaker  []trail.Difference `json:"weaker"`
	Gaps    []string           `json:"gaps"`
}

// Run approves and says so.
func (c *trailBaselineApproveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if c.Live && len(c.Resources) == 0 {
		return withHint(errors.New("--live: name what is approved as it is now"), "switchback trail baseline diff shows what differs")
	}
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	if err := conf.checkState(); err != nil {
		return err
	}
	return withInstallation(ctx, s, g, func(in *installation) error {
		who, err := in.whoAnswers()
		if err != nil {
			return err
		}
		if err := in.openReading(ctx); err != nil {
			return err
		}
		if err := in.takeWhereNone(ctx); err != nil {
			return err
		}
		all, err := c.of(ctx, in)
		if err != nil {
			return err
		}
		refusal, err := in.mayApprove(ctx, who)
		if err != nil {
			return err
		}
		return c.approve(ctx, s, approval{in, who, refusal}, all)
	})
}

// takeWhereNone takes the baseline where none is kept.
func (in *installation) takeWhereNone(ctx context.Context) error {
	all, err := state.Baselines(ctx, in.db)
	if err != nil || len(all) > 0 {
		return err
	}
	return in.firstSnapshots(ctx)
}

// mayApprove returns why the person may not approve, nil when they may.
func (in *installation) mayApprove(ctx context.Context, who respond.Answerer) (refusal, failure error) {
	if !who.IsKnown {
		return respond.ErrUnknownPerson, nil
	}
	open, err := in.db.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return nil, err
	}
	for _, inc := range open {
		if inc.IsOnChain(who.Names...) {
			return fmt.Errorf("%w (%s)", respond.ErrOnChain, inc.ID), nil
		}
	}
	return nil, nil
}

// approval is who approves, and why they may not.
type approval struct {
	in      *installation
	who     respond.Answerer
	refusal error
}

func (c *trailBaselineApproveCommand) approve(ctx context.Context, s *streams, a approval, all []state.Baseline) error {
	var failures []error
	done := 0
	for _, b := range all {
		if n, newest := b.Newest(); !c.Live && newest.IsTrusted() {
			if len(c.Resources) > 0 {
				done++
				failures = append(failures, c.print(s, approvedLine{
					Kind: b.Kind, Resource: b.ARN, Version: n, Approved: true, By: newest.TrustedBy, Weaker: []trail.Difference{}, Gaps: []string{},
				}))
			}
			continue
		}
		done++
		line, err := a.one(ctx, b, c.Live)
		if err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", b.ARN, err))
			continue
		}
		if line.Refused != "" {
			failures = append(failures, errFound)
		}
		failures = append(failures, c.print(s, line))
	}
	if done == 0 && !c.isJSON() {
		fmt.Fprintln(s.out, "nothing waits for approval")
	}
	if errors.Is(a.refusal, respond.ErrUnknownPerson) && done > 0 {
		fmt.Fprintln(s.err, "hint: directories: in the configuration, and os_users: in the file of people, say who you are")
	}
	return errors.Join(failures...)
}

// one approves one resource.
func (a approval) one(ctx context.Context, b state.Baseline, isLive bool) (approvedLine, error) {
	n, newest := b.Newest()
	line := approvedLine{Kind: b.Kind, Resource: b.ARN, Version: n, By: a.who.Name, Weaker: []trail.Difference{}, Gaps: []string{}}
	if a.refusal != nil {
		line.Refused = a.refusal.Error()
		return line, nil
	}
	door := a.in.system.Gate.Door(gate.Scope{Action: "baseline"})
	if isLive {
		var err error
		if newest, err = a.live(ctx, door, b); err != nil {
			return line, err
		}
		line.Version++
		if string(newest.Content) == string(b.Versions[n-1].Content) {
			newest.TakenAt, line.Version = b.Versions[n-1].TakenAt, n
		}
	}
	_, before := b.Current()
	weaker, err := state.WeakenedResource(b.Kind, before.Content, newest.Content)
	if err != nil {
		return line, err
	}
	line.Weaker = append(line.Weaker, weaker...)
	return a.keep(ctx, door, b, newest, line)
}

// live is what is there now, as a version that is yet to be kept.
func (a approval) live(ctx context.Context, door *gate.Door, b state.Baseline) (state.Snapshot, error) {
	_, known := b.Current()
	content, err := state.ReadResource(ctx, door, b.Dependency, known.Content)
	if err != nil {
		return state.Snapshot{}, err
	}
	if content == nil || b.Kind != state.KindTrail && !state.Exists(content) {
		return state.Snapshot{}, errors.New("it is not there: what does not exist cannot be gone back to")
	}
	now := a.in.clock().UTC()
	return state.Snapshot{Resource: b.ARN, Kind: string(b.Kind), TakenAt: now, LastSeenAt: now, Source: state.SourceApproved, Content: content}, nil
}

// keep makes the version the baseline, on record first.
func (a approval) keep(ctx context.Context, door *gate.Door, b state.Baseline, s state.Snapshot, line approvedLine) (approvedLine, error) {
	s, suspect, gaps, err := a.in.keeper().Examine(ctx, door, b.Dependency, s)
	line.Gaps = append(line.Gaps, gaps...)
	if err != nil {
		return line, err
	}
	if suspect != nil {
		line.Refused = suspect.Error()
		return line, nil
	}
	body, err := json.Marshal(map[string]any{
		"decided": "approve baseline", "by": a.who.Name, "resource": b.ARN, "taken_at": s.TakenAt, "content": s.Content, "weaker": line.Weaker,
	})
	if err != nil {
		return line, fmt.Errorf("record approval: %w", err)
	}
	if err := a.in.ledger.Append(ctx, ledger.Entry{At: a.in.clock(), Kind: ledger.Decision, Body: body}); err != nil {
		return line, err
	}
	if err := a.in.db.PutSnapshot(ctx, s); err != nil {
		return line, err
	}
	line.Approved = true
	return line, a.in.db.TrustSnapshot(ctx, s.Trusted(a.who.Name, "approved", a.in.clock()))
}

func (c *trailBaselineApproveCommand) print(s *streams, l approvedLine) error {
	if c.isJSON() {
		return printJSON(s.out, l)
	}
	verdict := fmt.Sprintf("version %d approved by %s", l.Version, l.By)
	if l.Refused != "" {
		verdict = "not approved: " + l.Refused
	}
	fmt.Fprintf(s.out, "%s %s: %s\n", l.Kind, identity.Printable(string(l.Resource), 300), identity.Printable(verdict, 500))
	for _, d := range l.Weaker {
		fmt.Fprintf(s.out, "  weaker than before: %s\n", identity.Printable(d.Sentence(), 300))
	}
	for _, gap := range l.Gaps {
		fmt.Fprintf(s.err, "warning: %s\n", identity.Printable(gap, 300))
	}
	return nil
}
