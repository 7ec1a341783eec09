// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// result writes down what came of the story: each incident with its moments, states, changes and what is open, every
// message, the account after, and the newest report.
func (st *stage) result(ctx context.Context) (string, error) {
	var b strings.Builder
	list, err := st.system.Services.Store.List(ctx, incident.Filter{})
	if err != nil {
		return "", err
	}
	for i := len(list) - 1; i >= 0; i-- {
		if err := st.writeIncident(ctx, &b, list[i]); err != nil {
			return "", err
		}
	}
	if len(list) == 0 {
		b.WriteString("no incident\n\n")
	}
	st.writeMessages(&b)
	if err := st.writeTrails(ctx, &b); err != nil {
		return "", err
	}
	if st.depends {
		if err := st.writeDependencies(ctx, &b); err != nil {
			return "", err
		}
	}
	if len(st.own) > 0 {
		if err := st.writeOwn(ctx, &b); err != nil {
			return "", err
		}
	}
	if len(list) > 0 {
		err = st.writeReport(&b, list[len(list)-1])
	}
	return withoutFound(b.String(), list), err
}

// withoutFound replaces the ids of incidents that were found: they come from that of a finding, which comes from an ARN and
// so differs between partitions.
func withoutFound(text string, list []incident.Incident) string {
	for _, inc := range list {
		if inc.Key.EventName == trail.TrailStatus {
			id := string(inc.ID)
			text = strings.ReplaceAll(text, id, id[:strings.LastIndexByte(id, '-')+1]+"(id)")
		}
	}
	return text
}

func (st *stage) writeIncident(ctx context.Context, b *strings.Builder, inc incident.Incident) error {
	fmt.Fprintf(b, "incident: %s\n", inc.Title)
	fmt.Fprintf(b, "  %s, %s, %s, seen %d times\n", inc.Severity, inc.Key.Outcome, inc.Status, inc.Count)
	fmt.Fprintf(b, "  resource: %s\n", inc.Key.Resource)
	fmt.Fprintf(b, "  who: %s %s\n", inc.Who.Status, inc.Who.Human)
	fmt.Fprintf(b, "  sentence: %s\n", inc.Summary)
	for _, m := range []struct {
		name string
		at   time.Time
	}{
		{"occurred", inc.Times.Occurred}, {"received", inc.Times.Received}, {"contained", inc.Times.Contained},
		{"proven", inc.Times.Proven}, {"human reached", inc.Times.HumanReached}, {"human answered", inc.Times.HumanAnswered},
		{"reported", inc.Times.Reported},
	} {
		fmt.Fprintf(b, "  %s: %s\n", m.name, st.since(m.at))
	}
	for _, open := range inc.Open {
		fmt.Fprintf(b, "  open: %s\n", open)
	}
	writeGuide(b, inc)
	if inc.AcknowledgedBy != "" {
		fmt.Fprintf(b, "  acknowledged by: %s\n", inc.AcknowledgedBy)
	}
	if err := st.writeRuns(ctx, b, inc); err != nil {
		return err
	}
	return st.writeChanges(ctx, b, inc)
}

// since is a moment as the time from the story's beginning.
func (st *stage) since(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return "+" + t.Sub(st.begin).Round(time.Second).String()
}

func (st *stage) writeRuns(ctx context.Context, b *strings.Builder, inc incident.Incident) error {
	for i, run := range inc.Runs {
		e, err := st.system.Engine.Describe(ctx, run.Execution)
		if err != nil {
			return err
		}
		events, err := st.system.Engine.History(ctx, run.Execution, 0, asl.MaxEvents)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "  run %d: %s: %s\n", i+1, e.Status, states(events))
		if e.Error != "" {
			fmt.Fprintf(b, "    %s: %s\n", e.Error, e.Cause)
		}
	}
	return nil
}

// states lists the states that were entered; a loop is written once, with its count.
func states(events []asl.Event) string {
	var names []string
	for _, e := range events {
		if strings.HasSuffix(e.Type, "StateEntered") {
			names = append(names, e.State)
		}
	}
	return strings.Join(fold(names), " ")
}

// fold replaces a sequence that repeats at once by the sequence and its count, shortest first: a b a b a b is (a b)x3.
func fold(names []string) []string {
	for size := 1; size <= 6; size++ {
		var out []string
		for i := 0; i < len(names); {
			n := 1
			for i+(n+1)*size <= len(names) && equal(names[i:i+size], names[i+n*size:i+(n+1)*size]) {
				n++
			}
			if n < 2 {
				out = append(out, names[i])
				i++
				continue
			}
			out = append(out, fmt.Sprintf("(%s)x%d", strings.Join(names[i:i+size], " "), n))
			i += n * size
		}
		names = out
	}
	return names
}

func equal(a, b []string) bool { return strings.Join(a, "\n") == strings.Join(b, "\n") }

func (st *stage) writeChanges(ctx context.Context, b *strings.Builder, inc incident.Incident) error {
	undos, err := st.system.Services.Undos.ListUndos(ctx, inc.ID)
	if err != nil {
		return err
	}
	for i := len(undos) - 1; i >= 0; i-- {
		u := undos[i]
		fmt.Fprintf(b, "  change: %s on %s", u.Action, u.Target)
		if !u.UndoneAt.IsZero() {
			fmt.Fprintf(b, ", undone by %s", u.UndoneBy)
		}
		b.WriteString("\n")
	}
	entries, err := st.system.Services.Timeline.Entries(ctx, inc.ID)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Kind == incident.EntryAnswer || e.Kind == incident.EntryProblem || strings.HasSuffix(e.Text, string(gate.Intended)) {
			fmt.Fprintf(b, "  %s: %s %s\n", e.Kind, st.since(e.At), e.Text)
		}
	}
	b.WriteString("\n")
	return nil
}

func (st *stage) writeMessages(b *strings.Builder) {
	b.WriteString("messages:\n")
	for _, m := range st.post.messages {
		var to []string
		for _, p := range m.To {
			to = append(to, p.Email)
		}
		fmt.Fprintf(b, "  %s %s to [%s]: %s\n", st.since(m.At), m.Kind, strings.Join(to, " "), m.Subject)
	}
	b.WriteString("\n")
}

// writeTrails reads the trails through the gate, as anybody would.
func (st *stage) writeTrails(ctx context.Context, b *strings.Builder) error {
	readings, _, err := state.ReadTrails(ctx, st.system.Gate.Door(gate.Scope{}), st.place.Account, st.place.Region)
	if err != nil {
		return err
	}
	b.WriteString("trails:\n")
	for _, r := range readings {
		t, _, err := state.ReadTrail(ctx, st.system.Gate.Door(gate.Scope{}), trail.Target{
			Name: r.Trail.Name, ARN: r.Trail.ARN, Account: st.place.Account, HomeRegion: r.Trail.HomeRegion, IsCertain: true,
		})
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "  %s\n", t.JSON())
	}
	b.WriteString("\n")
	return nil
}

// findings begins the part of a report that repeats the outputs of the states, which are shown above.
const findings = "## Findings"

func (st *stage) writeReport(b *strings.Builder, inc incident.Incident) error {
	text, err := os.ReadFile(filepath.Join(st.dir, "reports", string(inc.ID), "report.md"))
	if err != nil {
		return fmt.Errorf("read report: %w", err)
	}
	b.WriteString("report:\n")
	facts, _, _ := strings.Cut(string(text), findings)
	for line := range strings.Lines(strings.TrimRight(facts, "\n") + "\n") {
		b.WriteString("| " + line)
	}
	return nil
}

// maxDiff bounds the lines that Diff shows.
const maxDiff = 12

// Diff shows where two expectations part: the first lines that differ.
func Diff(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	var out strings.Builder
	shown := 0
	for i := range max(len(a), len(b)) {
		w, g := line(a, i), line(b, i)
		if w == g {
			continue
		}
		if shown++; shown > maxDiff {
			out.WriteString("and more\n")
			break
		}
		fmt.Fprintf(&out, "line %d:\n- %s\n+ %s\n", i+1, w, g)
	}
	return out.String()
}

func line(lines []string, i int) string {
	if i < len(lines) {
		return lines[i]
	}
	return "(nothing)"
}
