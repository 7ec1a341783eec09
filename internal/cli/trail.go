// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

type trailCommand struct {
	Baseline trailBaselineCommand `cmd:"" help:"The approved state to go back to."`
}

// Help is the long help.
func (trailCommand) Help() string { return "Example:\n  switchback trail baseline show" }

type trailBaselineCommand struct {
	Show    trailBaselineShowCommand    `cmd:"" help:"Trails and what they depend on: which version decides, and who trusts it."`
	Approve trailBaselineApproveCommand `cmd:"" help:"Say that a version is what it should be."`
	Diff    trailBaselineDiffCommand    `cmd:"" help:"What differs: the baseline and what is there now, or two versions."`
}

// Help is the long help.
func (trailBaselineCommand) Help() string { return "Example:\n  switchback trail baseline diff" }

// someResources are the arguments of the commands about baselines.
type someResources struct {
	Resources []arn.ARN `arg:"" optional:"" name:"arn" help:"ARNs of trails, keys, buckets, topics, log groups, roles; default: all."`
}

// of picks the baselines that are asked for, in their order.
func (c someResources) of(ctx context.Context, in *installation) ([]state.Baseline, error) {
	all, err := state.Baselines(ctx, in.db)
	if err != nil || len(c.Resources) == 0 {
		return all, err
	}
	var out []state.Baseline
	for _, resource := range c.Resources {
		i := indexOf(all, resource)
		if i < 0 {
			return nil, withHint(fmt.Errorf("no baseline of %s is kept", identity.Printable(string(resource), 300)), "switchback trail baseline show names them")
		}
		out = append(out, all[i])
	}
	return out, nil
}

func indexOf(all []state.Baseline, resource arn.ARN) int {
	for i, b := range all {
		if b.ARN == resource {
			return i
		}
	}
	return -1
}

type trailBaselineShowCommand struct {
	someResources
	outputFlag
}

// Help is the long help.
func (trailBaselineShowCommand) Help() string {
	return `What trails and the things that they depend on are put back to, newest trusted version first of all; where nobody has
approved one, the newest that was seen, which is only shown. It reads what is kept, and asks nobody. With --output json
one line each: kind, resource, account, region, trails, version, versions, taken_at, last_seen_at, source, trusted,
trusted_by, trusted_at, trust_reason, writer, written_by_event, newer (versions that nobody trusts yet), content.

Example:
  switchback trail baseline show --output json | jq 'select(.trusted | not)'`
}

// baselineLine is the JSON of trail baseline show.
type baselineLine struct {
	Kind     trail.Kind `json:"kind"`
	Resource arn.ARN    `json:"resource"`
	Account  string     `json:"account"`
	Region   string     `json:"region"`
	Trails   []string   `json:"trails"`
	// Version is the one that decides, of Versions; the Newer ones behind it are trusted by nobody.
	Version     int             `json:"version"`
	Versions    int             `json:"versions"`
	TakenAt     time.Time       `json:"taken_at"`
	LastSeenAt  time.Time       `json:"last_seen_at"`
	Source      string          `json:"source"`
	Trusted     bool            `json:"trusted"`
	TrustedBy   string          `json:"trusted_by"`
	TrustedAt   time.Time       `json:"trusted_at,omitzero"`
	TrustReason string          `json:"trust_reason"`
	Writer      string          `json:"writer"`
	WrittenBy   string          `json:"written_by_event"`
	Newer       int             `json:"newer"`
	Content     json.RawMessage `json:"content"`
}

// Run prints the baselines.
func (c *trailBaselineShowCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return withRecords(ctx, s, g, func(in *installation) error {
		all, err := c.of(ctx, in)
		if err != nil {
			return err
		}
		lines := make([]baselineLine, 0, len(all))
		for _, b := range all {
			lines = append(lines, baselineLineOf(b))
		}
		if c.isJSON() {
			return printLines(s, lines)
		}
		return printBaselines(s, lines)
	})
}

func baselineLineOf(b state.Baseline) baselineLine {
	n, v := b.Current()
	return baselineLine{
		Kind: b.Kind, Resource: b.ARN, Account: b.Account, Region: b.Region, Trails: b.Trails, Version: n, Versions: len(b.Versions),
		TakenAt: v.TakenAt, LastSeenAt: v.LastSeenAt, Source: v.Source, Trusted: v.IsTrusted(), TrustedBy: v.TrustedBy,
		TrustedAt: v.TrustedAt, TrustReason: v.TrustReason, Writer: v.Writer, WrittenBy: string(v.WrittenBy),
		Newer: len(b.Versions) - n, Content: v.Content,
	}
}

func printBaselines(s *streams, lines []baselineLine) error {
	rows := [][]string{{"KIND", "RESOURCE", "VERSION", "TAKEN", "LAST SEEN", "TRUSTED BY", "SINCE"}}
	untrusted := 0
	for _, l := range lines {
		version := strconv.Itoa(l.Version)
		if l.Newer > 0 {
			version += fmt.Sprintf(" (%d newer)", l.Newer)
		}
		by := l.TrustedBy
		if !l.Trusted {
			by = "nobody"
			untrusted++
		}
		rows = append(rows, []string{string(l.Kind), string(l.Resource), version, stamp(l.TakenAt), stamp(l.LastSeenAt), by, stamp(l.TrustedAt)})
	}
	if err := table(s.out, rows); err != nil {
		return err
	}
	if untrusted > 0 {
		fmt.Fprintf(s.err, "hint: %d of %d nobody has approved: switchback trail baseline diff, then switchback trail baseline approve\n", untrusted, len(lines))
	}
	return nil
}

type trailBaselineDiffCommand struct {
	someResources
	outputFlag
	From int `help:"Compare from this version; default: the one that decides." placeholder:"N"`
	To   int `help:"Compare to this version; default: what is there now." placeholder:"N"`
}

// Help is the long help.
func (trailBaselineDiffCommand) Help() string {
	return `What is weaker now than the baseline, field by field; with --from and --to what is weaker in a later version than in an
earlier one. What is only stronger is said to have changed. Exit status 1 when something is weaker, 2 when something could
not be read. With --output json one line each: kind, resource, from, to (0: now), weaker, changed, differences (field, want,
have, note), error.

Example:
  switchback trail baseline diff
  switchback trail baseline diff ARN --from 1 --to 2`
}

// diffLine is the JSON of trail baseline diff.
type diffLine struct {
	Kind        trail.Kind         `json:"kind"`
	Resource    arn.ARN            `json:"resource"`
	From        int                `json:"from"`
	To          int                `json:"to"`
	Weaker      bool               `json:"weaker"`
	Changed     bool               `json:"changed"`
	Differences []trail.Difference `json:"differences"`
	Error       string             `json:"error,omitempty"`
}

// Run compares and prints.
func (c *trailBaselineDiffCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return with(ctx, s, g, openKept, func(in *installation) error {
		all, err := c.of(ctx, in)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			return withHint(errors.New("no baseline is kept"), "switchback serve, or switchback trail baseline approve, takes it")
		}
		if c.To == 0 {
			if err := in.openReading(ctx); err != nil {
				return err
			}
		}
		return c.compare(ctx, s, in, all)
	})
}

// compare prints every comparison; what could not be made weighs more than what was found.
func (c *trailBaselineDiffCommand) compare(ctx context.Context, s *streams, in *installation, all []state.Baseline) error {
	var failures []error
	for _, b := range all {
		line, err := c.line(ctx, in, b)
		switch {
		case ctx.Err() != nil:
			return err
		case err != nil:
			line.Error = identity.Printable(err.Error(), 500)
			failures = append(failures, fmt.Errorf("%s: %w", b.ARN, err))
		case line.Weaker:
			failures = append(failures, errFound)
		}
		if err := c.print(s, line); err != nil {
			return err
		}
	}
	return errors.Join(failures...)
}

func (c *trailBaselineDiffCommand) line(ctx context.Context, in *installation, b state.Baseline) (diffLine, error) {
	from, want := b.Current()
	line := diffLine{Kind: b.Kind, Resource: b.ARN, From: from, To: c.To, Differences: []trail.Difference{}}
	var err error
	if c.From != 0 {
		line.From = c.From
		if want, err = versionOf(b, c.From); err != nil {
			return line, err
		}
	}
	have := state.Snapshot{}
	if c.To != 0 {
		have, err = versionOf(b, c.To)
	} else {
		have.Content, err = state.ReadResource(ctx, in.system.Gate.Door(gate.Scope{Action: "baseline"}), b.Dependency, want.Content)
	}
	if err != nil {
		return line, err
	}
	weaker, err := state.WeakenedResource(b.Kind, want.Content, have.Content)
	line.Differences = append(line.Differences, weaker...)
	line.Weaker, line.Changed = len(weaker) > 0, string(want.Content) != string(have.Content)
	return line, err
}

func versionOf(b state.Baseline, n int) (state.Snapshot, error) {
	if n < 1 || n > len(b.Versions) {
		return state.Snapshot{}, fmt.Errorf("there is no version %d: it has %d", n, len(b.Versions))
	}
	return b.Versions[n-1], nil
}

func (c *trailBaselineDiffCommand) print(s *streams, l diffLine) error {
	if c.isJSON() {
		return printJSON(s.out, l)
	}
	verdict := "as the baseline"
	switch {
	case l.Error != "":
		verdict = "could not be compared: " + l.Error
	case l.Weaker:
		verdict = "weaker"
	case l.Changed:
		verdict = "changed, and nothing is weaker"
	}
	fmt.Fprintf(s.out, "%s %s: %s\n", l.Kind, identity.Printable(string(l.Resource), 300), verdict)
	for _, d := range l.Differences {
		fmt.Fprintf(s.out, "  %s\n", identity.Printable(d.Sentence(), 300))
		fmt.Fprintf(s.out, "    - %s\n    + %s\n", identity.Printable(orDash(d.Want), 500), identity.Printable(orDash(d.Have), 500))
	}
	return nil
}

// openReading opens the gate for a command that only looks.
func (in *installation) openReading(ctx context.Context) error {
	in.extra.dryRun = true
	return in.openDecisions(ctx)
}
