// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

type incidentAnswerCommand struct {
	oneIncident
	outputFlag
	Answer  incident.Verdict `arg:"" help:"mine-expected, mine-mistake or not-me." enum:"mine-expected,mine-mistake,not-me"`
	Comment string           `help:"What you want to add, 500 bytes at most." placeholder:"TEXT"`
}

// Help is the long help.
func (incidentAnswerCommand) Help() string {
	return `Answers "was it you?". What anybody says is kept as evidence and told to security: it closes, approves and stops
nothing, and whoever says that it was theirs can no longer decide about the incident. not-me asks the next person at once.
The person is the operating system's user, mapped by the directory (os_users). With --output json the answer: incident, key,
by, names, verdict, comment, via, at, is_known, is_on_chain.

Example:
  switchback incident answer 20260504-cloudtrail-off-1a2b3c4d not-me --comment "I was on a plane"`
}

// Run keeps the answer.
func (c *incidentAnswerCommand) Run(ctx context.Context, s *streams, g *grammar) error {
	return c.withAnswerer(ctx, s, g, func(in *installation, who respond.Answerer) error {
		a, err := in.system.Answer(ctx, c.ID, who, c.Answer, c.Comment)
		if err != nil {
			return err
		}
		if c.isJSON() {
			return printJSON(s.out, a)
		}
		_, err = fmt.Fprintf(s.out, "%s: %s says that %s. It is kept as evidence, and security is told; it decides nothing.\n", c.ID, a.By, a.Verdict.Words())
		return err
	})
}
