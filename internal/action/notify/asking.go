// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// soon is when the manager is asked where no channel took the message to the person: a bounced mail is not waited for.
const soon = time.Minute

// link is where the person answers; "" where people answer on the command line only. A message without a link is better than
// no message.
func (s *sending) link(ctx context.Context, message string, people []incident.Person) (string, error) {
	if s.env.Links == nil {
		return "", nil
	}
	url, err := s.env.Links.Link(ctx, incident.Link{
		Message: message, Incident: s.inc.ID, Person: namesOf(people), IsPerson: !notify.IsStandIn(people), Verdicts: incident.Verdicts(),
	})
	if err == nil {
		return url, nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("make link: %w", err)
	}
	return "", s.env.Timeline.Append(ctx, incident.Entry{
		Incident: s.inc.ID, At: s.env.Clock(), Kind: incident.EntryProblem, Key: "link/" + message,
		Text: "the message to " + s.p.To + " has no link to answer with: " + identity.Printable(err.Error(), 300),
	})
}

// namesOf is whom a message goes to, in words.
func namesOf(people []incident.Person) string {
	var names []string
	for _, p := range people {
		name := identity.Printable(p.Name, 60)
		if p.IsHint {
			name += " (a hint)"
		}
		names = append(names, name)
	}
	return identity.Printable(strings.Join(names, ", "), 200)
}

// ask begins the escalation that follows when a run has asked the person, unless a message before began it: events that join
// must not put it off.
func (s *sending) ask(ctx context.Context, m incident.Message, at time.Time, isAccepted bool) error {
	if s.p.To != toPerson || s.env.Task.State == "" || s.inc.Status != incident.Open {
		return nil
	}
	isFirst := false
	_, err := s.env.Store.Update(ctx, s.inc.ID, func(i *incident.Incident) error {
		var asked incident.Asked
		if text := i.Facts[incident.AskedFact]; text != nil {
			if err := json.Unmarshal(text, &asked); err != nil {
				return fmt.Errorf("read who was asked: %w", err)
			}
		}
		if isFirst = asked.Message == "" || asked.Message == m.ID; !isFirst {
			return nil
		}
		asked.Message, asked.Person, asked.At = m.ID, namesOf(m.To), at.UTC()
		text, err := json.Marshal(asked)
		if err != nil {
			return fmt.Errorf("encode who was asked: %w", err)
		}
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[incident.AskedFact] = text
		return nil
	})
	if err != nil || !isFirst {
		return err
	}
	first := incident.AskTimer(s.inc.ID, incident.AskAgain, at.Add(incident.AskAgain.After()))
	if !isAccepted {
		first = incident.AskTimer(s.inc.ID, incident.AskManager, at.Add(soon))
	}
	if err := s.env.Timers.Schedule(ctx, first); err != nil {
		return fmt.Errorf("schedule %s: %w", first.Key, err)
	}
	return nil
}
