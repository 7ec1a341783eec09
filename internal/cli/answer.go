// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

// answered is the JSON of incident ack, undo, approve and reject.
type answered struct {
	Incident incident.ID `json:"incident"`
	Answer   string      `json:"answer"`
	By       string      `json:"by"`
	// Refused says why the person may not; then it was only noted.
	Refused string         `json:"refused,omitempty"`
	Changes []answerChange `json:"changes"`
}

// answerChange is what was taken back.
type answerChange struct {
	Action   string `json:"action"`
	Target   string `json:"target"`
	Intended bool   `json:"intended"`
}

// answer is the argument of the commands that answer.
type answer struct {
	oneIncident
	outputFlag
}

const answerHelp = `The person is the operating system's user, mapped by the directory (os_users). An unmapped user, and anybody on the
incident's identity chain, may only annotate: exit status 1. With --output json: incident, answer, by, refused, changes
(action, target, intended).

`

// withAnswerer opens the pipeline and asks the operating system who answers.
func (c oneIncident) withAnswerer(ctx context.Context, s *streams, g *grammar, do func(*installation, respond.Answerer) error) error {
	conf, _, err := loadConfig(g)
	if err != nil {
		return err
	}
	if err := conf.checkState(); err != nil {
		return err
	}
	return withInstallation(ctx, s, g, func(in *installation) error {
		if _, err := c.get(ctx, in); err != nil {
			return err
		}
		who, err := in.whoAnswers()
		if err != nil {
			return err
		}
		if err := in.openDecisions(ctx); err != nil {
			return err
		}
		return do(in, who)
	})
}

// decide does what was decided and says so. A refusal is found, not an error.
func (c answer) decide(ctx context.Context, s *streams, g *grammar, did string, do func(*installation, respond.Answerer) ([]action.Undone, error)) error {
	return c.withAnswerer(ctx, s, g, func(in *installation, who respond.Answerer) error {
		done, err := do(in, who)
		out := answered{Incident: c.ID, Answer: did, By: who.Name, Changes: []answerChange{}}
		for _, u := range done {
			out.Changes = append(out.Changes, answerChange{u.Record.Action, u.Record.Target, u.Intended})
		}
		return c.conclude(s, out, err)
	})
}

func (c answer) conclude(s *streams, out answered, err error) error {
	refused := isRefusal(err)
	if refused {
		out.Refused = err.Error()
	}
	printErr := c.print(s, out, err)
	if !refused {
		return errors.Join(printErr, err)
	}
	if !c.isJSON() {
		fmt.Fprintf(s.err, "switchback: %s: %v\n", c.ID, err)
	}
	if errors.Is(err, respond.ErrUnknownPerson) {
		fmt.Fprintln(s.err, "hint: directories: in the configuration, and os_users: in the file of people, say who you are")
	}
	return errors.Join(printErr, errFound)
}

func (c answer) print(s *streams, out answered, err error) error {
	if c.isJSON() {
		if err != nil && out.Refused == "" && len(out.Changes) == 0 {
			return nil // nothing came of it
		}
		return printJSON(s.out, out)
	}
	for _, u := range out.Changes {
		what := "taken back"
		if u.Intended {
			what = "would be taken back (dry-run)"
		}
		fmt.Fprintf(s.out, "%s on %s: %s\n", u.Action, u.Target, what)
	}
	if err != nil {
		return nil
	}
	_, err = fmt.Fprintf(s.out, "%s: %s by %s\n", out.Incident, out.Answer, out.By)
	return err
}

func isRefusal(err error) bool {
	for _, refusal := range []error{
		respond.ErrUnknownPerson, respond.ErrOnChain, respond.ErrTooEarly, respond.ErrSecondPerson, respond.ErrNothingToUndo, respond.ErrNotAsked,
		respond.ErrClaimed, respond.ErrApprovalOver,
	} {
		if errors.Is(err, refusal) {
			return true
		}
	}
	return false
}

type incidentAckCommand struct{ answer }

// Help is the long help.
func (incidentAckCommand) Help() string {
	return answerHelp + "Example:\n  switchback incident ack 20260504-cloudtrail-off-1a2b3c4d"
}

// Run acknowledges.
func (c *incidentAckCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decide(ctx, s, g, "acknowledged", func(in *installation, who respond.Answerer) ([]action.Undone, error) {
		return nil, in.system.Acknowledge(ctx, c.ID, who)
	})
}

type incidentUndoCommand struct{ answer }

// Help is the long help.
func (incidentUndoCommand) Help() string {
	return `Puts back what the incident changed, newest first. Where that lowers protection, it is announced and waits for a
second person: switchback incident approve.

` + answerHelp + "Example:\n  switchback incident undo 20260504-cloudtrail-off-1a2b3c4d"
}

// Run undoes, or asks for it.
func (c *incidentUndoCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decide(ctx, s, g, "undone", func(in *installation, who respond.Answerer) ([]action.Undone, error) {
		return in.system.Undo(ctx, c.ID, who)
	})
}

type incidentApproveCommand struct{ answer }

// Help is the long help.
func (incidentApproveCommand) Help() string {
	return answerHelp + "Example:\n  switchback incident approve 20260504-cloudtrail-off-1a2b3c4d"
}

// Run approves and does it.
func (c *incidentApproveCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decide(ctx, s, g, "approved and done", func(in *installation, who respond.Answerer) ([]action.Undone, error) {
		return in.system.Approve(ctx, c.ID, who)
	})
}

type incidentRejectCommand struct{ answer }

// Help is the long help.
func (incidentRejectCommand) Help() string {
	return answerHelp + "Example:\n  switchback incident reject 20260504-cloudtrail-off-1a2b3c4d"
}

// Run rejects.
func (c *incidentRejectCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.decide(ctx, s, g, "rejected", func(in *installation, who respond.Answerer) ([]action.Undone, error) {
		return nil, in.system.Reject(ctx, c.ID, who)
	})
}
