// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os/user"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

type pauseCommand struct {
	For     time.Duration `required:"" help:"How long; it ends by itself."`
	Reason  string        `required:"" help:"Why; it is announced."`
	Account string        `help:"Only in this account."`
	Runbook string        `help:"Only this runbook."`
}

// Help is the long help.
func (pauseCommand) Help() string {
	return `Stops every mutation that it covers, in every process on this state folder, at once. Responses go on reading,
telling and reporting. It is announced to the security channel and ends by itself.

Example:
  switchback pause --for 1h --reason "migration of the log bucket" --account 111122223333`
}

// longestPause bounds what one command can do to the protection.
const longestPause = 24 * time.Hour

// Run sets the flag, then announces it.
func (c *pauseCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if c.For <= 0 || c.For > longestPause {
		return withHint(fmt.Errorf("--for %s: want more than nothing and at most %s", c.For, longestPause), "pause again when it ends")
	}
	return withInstallation(ctx, s, g, func(in *installation) error {
		u, err := user.Current()
		if err != nil {
			return fmt.Errorf("who are you: %w", err)
		}
		now := in.clock().UTC()
		p := incident.Pause{
			ID: "pause-" + rand.Text()[:8], Account: c.Account, Runbook: c.Runbook, Reason: c.Reason, By: u.Username,
			CreatedAt: now, Until: now.Add(c.For),
		}
		if err := in.db.AddPause(ctx, p); err != nil {
			return err
		}
		fmt.Fprintf(s.out, "%s: mutations stop %s until %s\n", p.ID, coverage(p), stamp(p.Until))
		return in.announce(ctx, p.ID, fmt.Sprintf("%s paused all changes %s until %s UTC: %s", p.By, coverage(p), stamp(p.Until), p.Reason))
	})
}

func coverage(p incident.Pause) string {
	text := "of every runbook"
	if p.Runbook != "" {
		text = "of the runbook " + p.Runbook
	}
	if p.Account != "" {
		return text + " in account " + p.Account
	}
	return text + " in every account"
}

// announce tells the security channel. What was done stays done when nobody can be told; that is an error to see.
func (in *installation) announce(ctx context.Context, id, text string) error {
	if err := in.openDecisions(ctx); err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	text = identity.Printable(text, 1000)
	_, err := in.system.Services.Messenger.Send(ctx, incident.Message{
		ID: id, Kind: incident.Notice, Severity: incident.High, Subject: text, Text: text, At: in.clock(),
	})
	if err != nil {
		return withHint(fmt.Errorf("announce: %w", err), "it is done all the same; tell the security team yourself")
	}
	return nil
}

type resumeCommand struct {
	ID string `arg:"" optional:"" help:"The pause to end; default: all."`
}

// Help is the long help.
func (resumeCommand) Help() string {
	return "Example:\n  switchback resume"
}

// Run ends the pauses.
func (c *resumeCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return withInstallation(ctx, s, g, func(in *installation) error {
		pauses, err := in.db.ActivePauses(ctx, in.clock())
		if err != nil {
			return err
		}
		ended := 0
		for _, p := range pauses {
			if c.ID != "" && p.ID != c.ID {
				continue
			}
			if err := in.db.EndPause(ctx, p.ID); err != nil {
				return err
			}
			ended++
			fmt.Fprintf(s.out, "%s: ended\n", p.ID)
			if err := in.announce(ctx, p.ID+"-end", fmt.Sprintf("the pause %s (%s) was ended", p.ID, p.Reason)); err != nil {
				return err
			}
		}
		if ended == 0 {
			return withHint(errors.New("no such pause is active"), "pauses end by themselves")
		}
		return nil
	})
}
