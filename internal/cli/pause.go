// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/notify"
)

type pauseCommand struct {
	For     time.Duration `required:"" help:"How long; it ends by itself." placeholder:"DURATION"`
	Reason  string        `required:"" help:"Why; it is announced." placeholder:"TEXT"`
	Account string        `help:"Only in this account." placeholder:"ID"`
	Runbook string        `help:"Only this runbook." placeholder:"ID"`
	outputFlag
}

// Help is the long help.
func (pauseCommand) Help() string {
	return `Stops every mutation that it covers, in every process on this state folder, at once. Responses go on reading,
telling and reporting. It is announced to the security channel and ends by itself. With --output json: id, account,
runbook, reason, by, created_at, until, announced (channels that reach people).

Example:
  switchback pause --for 1h --reason "migration of the log bucket" --account 111122223333`
}

// longestPause bounds what one command can do to the protection.
const longestPause = 24 * time.Hour

// announced is the JSON of pause, and a line of resume.
type announced struct {
	incident.Pause
	Announced []string `json:"announced"`
}

// Run sets the flag, then announces it.
func (c *pauseCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	if err := c.check(g); err != nil {
		return err
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
		if err := in.record(ctx, "pause", p); err != nil {
			return err
		}
		if err := in.db.AddPause(ctx, p); err != nil {
			return err
		}
		told, err := in.announce(ctx, p.ID, fmt.Sprintf("%s paused all changes %s until %s UTC: %s", p.By, coverage(p), stamp(p.Until), p.Reason))
		text := fmt.Sprintf("%s: changes %s stop until %s UTC", p.ID, coverage(p), stamp(p.Until))
		return errors.Join(c.print(s, announced{p, told}, text), err)
	})
}

// check refuses what would silently pause nothing.
func (c *pauseCommand) check(g *grammar) error {
	switch {
	case c.For <= 0 || c.For > longestPause:
		return withHint(fmt.Errorf("--for %s: want more than nothing and at most %s", c.For, longestPause), "pause again when it ends")
	case strings.TrimSpace(c.Reason) == "":
		return errors.New("--reason: is empty; it is what the others will read")
	case c.Account != "" && !isAccountID(c.Account):
		return fmt.Errorf("--account: %q is not a 12-digit account id", c.Account)
	case c.Runbook == "":
		return nil
	}
	books, err := configuredRunbooks(g)
	if err != nil || slices.Contains(ids(books), c.Runbook) {
		return err
	}
	return withHint(fmt.Errorf("--runbook: there is no %q", c.Runbook), "switchback runbook list names them")
}

func (o outputFlag) print(s *streams, p announced, text string) error {
	if o.isJSON() {
		return printJSON(s.out, p)
	}
	announced := "announced by " + strings.Join(p.Announced, ", ")
	if len(p.Announced) == 0 {
		announced = "nobody was told: no channel that reaches people took the message"
	}
	_, err := fmt.Fprintf(s.out, "%s\n%s\n", text, announced)
	return err
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

// record writes what a person decided to the ledger.
func (in *installation) record(ctx context.Context, decided string, p incident.Pause) error {
	body, err := json.Marshal(map[string]any{"decided": decided, "pause": p})
	if err != nil {
		return fmt.Errorf("record %s: %w", decided, err)
	}
	return in.ledger.Append(ctx, ledger.Entry{At: in.clock(), Kind: ledger.Decision, Body: body})
}

// announce tells the security channel, and returns the channels that reach people and took it. What was done stays done
// when nobody can be told.
func (in *installation) announce(ctx context.Context, id, text string) (told []string, err error) {
	told = []string{}
	if err := in.openDecisions(ctx); err != nil {
		return told, fmt.Errorf("announce: %w", err)
	}
	text = identity.Printable(text, 1000)
	deliveries, err := in.system.Services.Messenger.Send(ctx, incident.Message{
		ID: id, Kind: incident.Notice, Severity: incident.High, Subject: text, Text: text, At: in.clock(),
	})
	for _, d := range deliveries {
		if d.Accepted && d.ReachesHuman {
			told = append(told, d.Channel)
		}
		body, marshalErr := json.Marshal(map[string]any{"text": text, "delivery": d})
		err = errors.Join(err, marshalErr, in.ledger.Append(ctx, ledger.Entry{At: in.clock(), Kind: ledger.Message, Body: body}))
	}
	hint := "it is done all the same; tell the security team yourself"
	if errors.Is(err, notify.ErrNotDelivered) {
		hint += ", and mend the channels"
	}
	return told, withHint(err, "%s", hint)
}

type resumeCommand struct {
	ID string `arg:"" optional:"" help:"The pause to end; default: all."`
	outputFlag
}

// Help is the long help.
func (resumeCommand) Help() string {
	return `Ends pauses, and announces it. With --output json one line each, as pause prints it.

Example:
  switchback resume`
}

// Run ends the pauses.
func (c *resumeCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	if err := conf.checkState(); err != nil {
		return err
	}
	return withInstallation(ctx, s, g, func(in *installation) error {
		pauses, err := in.db.ActivePauses(ctx, in.clock())
		if err != nil {
			return err
		}
		pauses = slices.DeleteFunc(pauses, func(p incident.Pause) bool { return c.ID != "" && p.ID != c.ID })
		if len(pauses) == 0 {
			return withHint(errors.New("no such pause is active"), "pauses end by themselves")
		}
		var failures []error
		for _, p := range pauses {
			failures = append(failures, c.end(ctx, s, in, p))
		}
		return errors.Join(failures...)
	})
}

func (c *resumeCommand) end(ctx context.Context, s *streams, in *installation, p incident.Pause) error {
	if err := in.record(ctx, "resume", p); err != nil {
		return err
	}
	if err := in.db.EndPause(ctx, p.ID); err != nil {
		return err
	}
	told, err := in.announce(ctx, p.ID+"-end", fmt.Sprintf("the pause %s (%s) was ended", p.ID, p.Reason))
	return errors.Join(c.print(s, announced{p, told}, p.ID+": ended"), err)
}
