// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

type incidentCommand struct {
	List    incidentListCommand    `cmd:"" help:"List incidents, newest first."`
	Show    incidentShowCommand    `cmd:"" help:"One incident with its timeline."`
	Report  incidentReportCommand  `cmd:"" help:"Print the incident's report."`
	Ack     incidentAckCommand     `cmd:"" help:"Acknowledge: a person has taken over, reminders stop."`
	Answer  incidentAnswerCommand  `cmd:"" help:"Answer \"was it you?\": evidence, which decides nothing."`
	Undo    incidentUndoCommand    `cmd:"" help:"Put back what the incident changed, newest first."`
	Approve incidentApproveCommand `cmd:"" help:"Approve what another person asked for."`
	Reject  incidentRejectCommand  `cmd:"" help:"Reject what another person asked for."`
}

// Help is the long help.
func (incidentCommand) Help() string { return "Example:\n  switchback incident list --status open" }

type incidentListCommand struct {
	outputFlag
	Status  string `help:"Only open, acknowledged or closed ones." enum:",open,acknowledged,closed" default:""`
	Account string `help:"Only those of an account." placeholder:"ID"`
	Limit   int    `help:"At most so many, the newest." default:"100"`
}

// Help is the long help.
func (incidentListCommand) Help() string {
	return `With --output json one line an incident: what incident show prints, without findings, blind_windows, answers, timeline, changes and deliveries.

Example:
  switchback incident list --status open`
}

// Run prints a line an incident; with --output json one JSON object a line.
func (c *incidentListCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if c.Limit < 1 {
		return fmt.Errorf("--limit %d: want at least 1", c.Limit)
	}
	err := withRecords(ctx, s, g, func(in *installation) error {
		list, err := c.list(ctx, in)
		if err != nil {
			return err
		}
		return c.print(s, list)
	})
	if !errors.Is(err, errNothingKept) {
		return err
	}
	// Nothing was looked for yet where nobody named the place; elsewhere that is a mistake to be told.
	fmt.Fprintf(s.err, "switchback: %v\n", err)
	return c.print(s, nil)
}

func (c *incidentListCommand) list(ctx context.Context, in *installation) ([]incident.Incident, error) {
	f := incident.Filter{Account: c.Account, Limit: c.Limit}
	if c.Status != "" {
		f.Statuses = []incident.Status{incident.Status(c.Status)}
	}
	return in.db.List(ctx, f)
}

func (c *incidentListCommand) print(s *streams, list []incident.Incident) error {
	if c.isJSON() {
		return printLines(s, list)
	}
	rows := [][]string{{"INCIDENT", "SEVERITY", "STATUS", "OUTCOME", "OCCURRED", "WHAT", "WHO"}}
	for _, i := range list {
		rows = append(rows, []string{string(i.ID), string(i.Severity), string(i.Status), string(i.Key.Outcome), stamp(i.Times.Occurred), i.Title, orDash(i.Who.Human)})
	}
	return table(s.out, rows)
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// oneIncident is the argument of the commands about one.
type oneIncident struct {
	ID incident.ID `arg:"" help:"The incident's id."`
}

// get opens the incident, with a hint for an unknown one.
func (c oneIncident) get(ctx context.Context, in *installation) (incident.Incident, error) {
	inc, err := in.db.Get(ctx, c.ID)
	if errors.Is(err, incident.ErrNotFound) {
		return inc, withHint(fmt.Errorf("incident %s is not in %s", identity.Printable(string(c.ID), 100), in.config.State), "switchback incident list names them")
	}
	return inc, err
}

type incidentShowCommand struct {
	oneIncident
	outputFlag
}

// Help is the long help.
func (incidentShowCommand) Help() string {
	return `With --output json the whole incident: id, key, trigger, severity, status, title, count, events, runs, who, times, summary,
open, facts, and beside them findings (by state), blind_windows, answers, timeline, changes and deliveries.

Example:
  switchback incident show 20260504-cloudtrail-off-1a2b3c4d --output json`
}

// shown is the JSON of incident show.
type shown struct {
	incident.Incident
	Findings   map[string]json.RawMessage `json:"findings"` // what the states of the runbook found, by state
	Blind      []incident.BlindWindow     `json:"blind_windows"`
	Answers    []incident.Answer          `json:"answers"` // what people said to "was it you?"
	Timeline   []incident.Entry           `json:"timeline"`
	Changes    []incident.Undo            `json:"changes"`
	Deliveries []incident.Delivery        `json:"deliveries"`
}

// Run prints the incident.
func (c *incidentShowCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return withRecords(ctx, s, g, func(in *installation) error {
		one, err := in.show(ctx, c.oneIncident)
		if err != nil {
			return err
		}
		if c.isJSON() {
			return printJSON(s.out, one)
		}
		return printIncident(s, one)
	})
}

func (in *installation) show(ctx context.Context, c oneIncident) (shown, error) {
	inc, err := c.get(ctx, in)
	if err != nil {
		return shown{}, err
	}
	one := shown{Incident: inc}
	if one.Findings, err = in.db.ListFindings(ctx, inc.ID); err != nil {
		return one, err
	}
	if one.Blind, err = in.db.ListBlindWindows(ctx, inc.ID); err != nil {
		return one, err
	}
	if one.Answers, err = in.db.ListAnswers(ctx, inc.ID); err != nil {
		return one, err
	}
	if one.Timeline, err = in.db.Entries(ctx, inc.ID); err != nil {
		return one, err
	}
	if one.Changes, err = in.db.ListUndos(ctx, inc.ID); err != nil {
		return one, err
	}
	one.Deliveries, err = in.db.Deliveries(ctx, inc.ID)
	return one, err
}

func printIncident(s *streams, one shown) error {
	rows := [][]string{
		{"incident", string(one.ID)},
		{"what", one.Title},
		{"severity", fmt.Sprintf("%s, %s, %s, seen %d %s", one.Severity, one.Key.Outcome, one.Status, one.Count, plural(one.Count, "time", "times"))},
		{"sentence", orDash(one.Summary)},
		{"who", fmt.Sprintf("%s (%s)", orDash(one.Who.Human), orDash(one.Who.Status))},
		{"occurred", stamp(one.Times.Occurred)},
		{"received", stamp(one.Times.Received)},
		{"contained", stamp(one.Times.Contained)},
		{"proven", stamp(one.Times.Proven)},
		{"human reached", stamp(one.Times.HumanReached)},
		{"human answered", stamp(one.Times.HumanAnswered)},
	}
	for _, open := range one.Open {
		rows = append(rows, []string{"open", open})
	}
	if err := table(s.out, rows); err != nil {
		return err
	}
	if err := printBlind(s, one.Blind); err != nil {
		return err
	}
	fmt.Fprintln(s.out)
	rows = nil
	for _, e := range one.Timeline {
		rows = append(rows, []string{stamp(e.At), string(e.Kind), e.Text})
	}
	return table(s.out, rows)
}

// printBlind prints a line for each class of events that no trail recorded for a while.
func printBlind(s *streams, windows []incident.BlindWindow) error {
	if len(windows) == 0 {
		return nil
	}
	fmt.Fprintln(s.out)
	rows := [][]string{{"NOT RECORDED", "WHERE", "ACCOUNT", "LOST", "FOUND", "PROVEN", "BACKFILLED"}}
	for _, w := range windows {
		filled := stamp(w.Backfilled)
		if !w.IsRecoverable() {
			filled = "not possible"
		}
		rows = append(rows, []string{
			identity.Printable(w.Class, 200), identity.Printable(w.Region, 100), w.Account, stamp(w.Lost), stamp(w.Found), stamp(w.Proven), filled,
		})
	}
	return table(s.out, rows)
}

type incidentReportCommand struct {
	oneIncident
	Format string `help:"md, html or json." enum:"md,html,json" default:"md"`
}

// Help is the long help.
func (incidentReportCommand) Help() string {
	return "Example:\n  switchback incident report 20260504-cloudtrail-off-1a2b3c4d --format html > report.html"
}

// Run prints the report that was written.
func (c *incidentReportCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return withRecords(ctx, s, g, func(in *installation) error {
		inc, err := c.get(ctx, in)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(filepath.Join(in.reports(), string(inc.ID), "report."+c.Format))
		if isMissing(err) {
			return withHint(fmt.Errorf("incident %s has no report yet", inc.ID), "it is written by the runbook; switchback incident show %s tells how far it is", inc.ID)
		}
		if err != nil {
			return err
		}
		_, err = s.out.Write(text)
		return err
	})
}
