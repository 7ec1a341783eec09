// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/diagram"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

type runbookGraphCommand struct {
	ID        string `arg:"" help:"A runbook's id, or a folder."`
	Execution string `help:"Draw what this execution did: the path taken, durations, retries." placeholder:"NAME"`
	Format    string `help:"svg, or mermaid for Markdown." default:"svg" enum:"svg,mermaid"`
}

// Help is the long help.
func (runbookGraphCommand) Help() string {
	return `Draws the runbook's state machine on standard output. With --execution it draws the definition that the execution began
with, which states it went through, how often, how long, what was retried and what failed. The first
execution for an incident has the incident's id as its name; incident show ID --output json lists all, under runs.

Example:
  switchback runbook graph cloudtrail-off > cloudtrail-off.svg
  switchback runbook graph cloudtrail-off --execution NAME --format mermaid`
}

// Run draws.
func (c *runbookGraphCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	b, err := oneOf(g, c.ID)
	if err != nil {
		return err
	}
	definition, o := []byte(b.StateMachine), diagram.Options{Title: b.Manifest.Title}
	if c.Execution != "" {
		err := withInstallation(ctx, s, g, func(in *installation) error {
			definition, o.Trace, err = c.execution(ctx, in.db.Executions(), string(b.Manifest.ID))
			return err
		})
		if err != nil {
			return err
		}
		o.Title += ", " + c.Execution
	}
	m, err := asl.Parse(definition)
	if err != nil {
		return fmt.Errorf("runbook %s: %w", c.ID, err)
	}
	draw := diagram.SVG
	if c.Format == "mermaid" {
		draw = diagram.Mermaid
	}
	picture, err := draw(m, o)
	if err != nil {
		return fmt.Errorf("runbook %s: %w", c.ID, err)
	}
	_, err = s.out.Write(picture)
	return err
}

// execution reads what the execution ran and what it did.
func (c *runbookGraphCommand) execution(ctx context.Context, store engine.Store, runbookID string) ([]byte, *diagram.Trace, error) {
	row, err := store.Load(ctx, c.Execution)
	if errors.Is(err, incident.ErrNotFound) {
		return nil, nil, withHint(err, "switchback incident show ID --output json names the executions, under runs")
	}
	if err != nil {
		return nil, nil, err
	}
	if row.Machine != runbookID {
		return nil, nil, fmt.Errorf("execution %s is of runbook %s", identity.Printable(c.Execution, 200), identity.Printable(row.Machine, 200))
	}
	definition, err := store.Definition(ctx, row.Definition)
	if err != nil {
		return nil, nil, err
	}
	events, err := wholeHistory(ctx, store, c.Execution)
	return definition, diagram.NewTrace(events, time.Now()), err
}

// historyPage is how many events are read at a time.
const historyPage = 1000

func wholeHistory(ctx context.Context, store engine.Store, name string) ([]asl.Event, error) {
	var all []asl.Event
	for {
		var after int64
		if len(all) > 0 {
			after = all[len(all)-1].ID
		}
		page, err := store.History(ctx, name, after, historyPage)
		if err != nil || len(page) == 0 {
			return all, err
		}
		all = append(all, page...)
	}
}
