// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// conclude prints the result and judges it by the account, not by what was said.
func (d *demo) conclude(ctx context.Context, list []incident.Incident) error {
	main := list[0]
	for _, inc := range list {
		if inc.Key.Outcome == incident.Succeeded {
			main = inc
		}
	}
	if d.quiet {
		one, err := d.show(ctx, oneIncident{ID: main.ID})
		if err != nil {
			return err
		}
		if err := printJSON(d.s.out, one); err != nil {
			return err
		}
	} else if err := d.summary(main, list); err != nil {
		return err
	}
	return d.judge(ctx, main)
}

func (d *demo) summary(main incident.Incident, list []incident.Incident) error {
	books, err := runbooksOf(d.installation.config)
	if err != nil {
		return err
	}
	o := objectivesOf(books, main)
	d.printf("\n%s\n\n", main.Summary)
	rows := [][]string{
		{"interval", "took", "objective", ""},
		interval("contained (accepted)", main.Times.Received, main.Times.Contained, o.Contained),
		interval("human reached", main.Times.Received, main.Times.HumanReached, o.HumanReached),
		interval("report", main.Times.Received, main.Times.Reported, o.Report),
		interval("proven (delivering)", main.Times.Received, main.Times.Proven, 0),
	}
	if err := table(d.s.out, rows); err != nil {
		return err
	}
	d.printf("\n")
	for _, inc := range list {
		d.printf("%s  %s, %s: %s\n", inc.ID, inc.Severity, inc.Key.Outcome, inc.Title)
	}
	d.printf("\nReport: %s\n", filepath.Join(d.reports(), string(main.ID), "report.html"))
	return nil
}

func interval(name string, from, to time.Time, objective runbook.Duration) []string {
	if to.IsZero() {
		return []string{name, "never", objective.String(), "MISSED"}
	}
	row := []string{name, to.Sub(from).Round(time.Millisecond).String(), "-", ""}
	if objective > 0 {
		row[2], row[3] = objective.String(), "met"
		if to.Sub(from) > time.Duration(objective) {
			row[3] = "MISSED"
		}
	}
	return row
}

// judge reads the trail back and asks whether a human was reached.
func (d *demo) judge(ctx context.Context, inc incident.Incident) error {
	target, err := trail.TargetOfARN(arn.ARN(d.seeded.TrailARN))
	if err != nil {
		return err
	}
	t, _, err := state.ReadTrail(ctx, d.system.Gate.Door(gate.Scope{}), target)
	if err != nil {
		return err
	}
	switch {
	case !t.IsLogging || inc.Times.Proven.IsZero():
		d.printf("The trail does not record again.\n")
		return errFound
	case inc.Times.HumanReached.IsZero():
		d.printf("Nobody was told.\n")
		return errFound
	}
	d.printf("The trail records again, proven by a log file that holds our own call, and people were told.\n")
	return nil
}

// watch prints the timeline as it happens.
func (d *demo) watch(e incident.Entry) {
	if e.Kind == incident.EntryState || e.Kind == incident.EntryMessage && strings.Contains(e.Text, "terminal") {
		return
	}
	d.mu.Lock()
	since := e.At.Sub(d.attack)
	d.mu.Unlock()
	d.printf("%7.3f s  %-9s %s\n", max(0, since.Seconds()), e.Kind, identity.Printable(e.Text, 160))
}

func (d *demo) printf(format string, args ...any) {
	if d.quiet {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintf(d.s.out, format, args...)
}

// terminal is the demo's channel: what people would get is printed.
type terminal struct{ d *demo }

var _ notify.Notifier = terminal{}

// Notify prints the message.
func (t terminal) Notify(_ context.Context, m incident.Message) (accepted []string, retry bool, err error) {
	for _, p := range m.To {
		accepted = append(accepted, p.Email)
	}
	if len(accepted) == 0 {
		accepted = []string{"the security channel"}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n  | To: %s (%s)\n  | Subject: %s\n  |\n", strings.Join(accepted, ", "), m.Kind, m.Subject)
	for line := range strings.Lines(m.Text) {
		b.WriteString("  | " + line)
	}
	t.d.printf("%s\n", strings.TrimRight(b.String(), "\n")+"\n")
	return accepted, false, nil
}

// ReachesHuman: whoever watches the demo.
func (terminal) ReachesHuman() bool { return true }
