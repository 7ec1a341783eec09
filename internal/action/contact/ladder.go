// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact

import (
	"context"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// Ladder is the escalation of a chain of directories: person, manager, on-call, fallback.
type Ladder struct{ Chain *contact.Chain }

var _ action.Escalation = Ladder{}

// Escalation asks the directories anew: people and rotas change while nobody answers.
func (l Ladder) Escalation(ctx context.Context, door *gate.Door, who incident.Who) ([]action.Step, []string, error) {
	e, err := l.Chain.Escalation(ctx, door, who)
	if err != nil {
		return nil, e.Notes, err
	}
	var steps []action.Step
	for _, s := range e.Steps {
		steps = append(steps, action.Step{Role: string(s.Role), People: s.People})
	}
	return steps, e.Notes, nil
}
