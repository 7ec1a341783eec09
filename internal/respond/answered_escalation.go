// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

const (
	// hurried is between two rungs after "not me".
	hurried = 5 * time.Minute
	// unheard is how long the fallback is left alone where nobody at all was reached, refused where no channel took it.
	unheard = time.Hour
	refused = time.Minute
)

// climb asks the rung that is due, and sets the next. Only an acknowledgement by somebody who may ends it: no answer does,
// for with a stolen identity it is the attacker who says "mine, and expected".
func (r *Responder) climb(ctx context.Context, inc incident.Incident, rung incident.Rung) error {
	if inc.Status != incident.Open {
		return nil
	}
	asked, err := askedOf(inc)
	if err != nil {
		return err
	}
	isTold, err := r.askRung(ctx, inc, asked, rung)
	isRefused := isNotDelivered(err)
	if err != nil && !isRefused {
		return err
	}
	now := r.clock()
	if rung >= incident.AskFallback {
		return r.askFallbackAgain(ctx, inc.ID, rung, isRefused)
	}
	due := asked.At.Add((rung + 1).After())
	switch {
	case isRefused, !asked.HurriedAt.IsZero() && !isTold:
		due = now
	case !asked.HurriedAt.IsZero():
		due = now.Add(hurried)
	case due.Before(now):
		due = now
	}
	return r.o.Services.Timers.Schedule(ctx, incident.AskTimer(inc.ID, rung+1, due))
}

// askFallbackAgain: no incident ends with nobody reached.
func (r *Responder) askFallbackAgain(ctx context.Context, id incident.ID, rung incident.Rung, isRefused bool) error {
	inc, err := r.o.Services.Store.Get(ctx, id)
	if err != nil {
		return err
	}
	if !inc.Times.HumanReached.IsZero() && !isRefused {
		return nil
	}
	wait := unheard
	if isRefused {
		wait = refused
	}
	return r.o.Services.Timers.Schedule(ctx, incident.AskTimer(id, rung+1, r.clock().Add(wait)))
}

// isNotDelivered reports whether no channel took a message: what a channel's death must not stop is the escalation.
func isNotDelivered(err error) bool {
	var named *asl.Error
	return errors.As(err, &named) && named.Name == action.ErrorNotDelivered
}

func askedOf(inc incident.Incident) (incident.Asked, error) {
	asked := incident.Asked{At: inc.Times.Received, Person: inc.Who.Human}
	if text := inc.Facts[incident.AskedFact]; text != nil {
		if err := json.Unmarshal(text, &asked); err != nil {
			return asked, fmt.Errorf("read who was asked: %w", err)
		}
	}
	return asked, nil
}

// telling is the input of notify:Send for a rung.
type telling struct {
	To      string            `json:"to"`
	People  []incident.Person `json:"people,omitempty"`
	Why     string            `json:"why,omitempty"`
	Attempt int               `json:"attempt,omitempty"`
}

// askRung reports false where the rung has nobody, or there is nothing to ask any more.
func (r *Responder) askRung(ctx context.Context, inc incident.Incident, asked incident.Asked, rung incident.Rung) (bool, error) {
	answers, err := r.o.Services.Answers.ListAnswers(ctx, inc.ID)
	if err != nil {
		return false, err
	}
	t := telling{Why: whyAsked(asked, answers)}
	switch rung {
	case incident.AskAgain:
		if len(answers) > 0 {
			return false, nil
		}
		t = telling{To: "person", Attempt: 1}
	case incident.AskManager:
		t.To = "person"
		t.People, err = r.peopleAs(ctx, inc, "manager")
	case incident.AskOnCall:
		t.To = "fallback"
		t.People, err = r.peopleAs(ctx, inc, "on-call")
	default:
		t.To = "fallback"
		t.People, err = r.peopleAs(ctx, inc, "fallback")
	}
	if err != nil {
		return false, err
	}
	if len(t.People) == 0 && (rung == incident.AskManager || rung == incident.AskOnCall) {
		return false, nil
	}
	params, err := json.Marshal(t)
	if err != nil {
		return false, fmt.Errorf("describe whom to ask: %w", err)
	}
	return true, r.runOutside(ctx, inc, "notify:Send", string(params), fmt.Sprintf("%s/%d", incident.TimerAsk, rung))
}

// whyAsked says why somebody else is asked.
func whyAsked(asked incident.Asked, answers []incident.Answer) string {
	if len(answers) > 0 {
		return answerText(answers[len(answers)-1]) + "."
	}
	return fmt.Sprintf("%s was asked at %s and has not answered.", asked.Person, asked.At.UTC().Format("2006-01-02 15:04:05 UTC"))
}

// peopleAs are those who are asked in a role. Directories that cannot be asked are no reason to stop: then nobody has it.
func (r *Responder) peopleAs(ctx context.Context, inc incident.Incident, role string) ([]incident.Person, error) {
	if r.o.Services.Escalation == nil {
		return nil, nil
	}
	act, ok := action.Get("contact:LookUp")
	if !ok {
		return nil, errors.New("no action contact:LookUp in this build")
	}
	door := r.o.Gate.Door(r.scope(inc, act.Info(), string(inc.ID)))
	steps, notes, err := r.o.Services.Escalation.Escalation(ctx, door, inc.Who)
	if len(notes) > 0 && ctx.Err() == nil {
		err = errors.Join(err, r.o.Services.Timeline.Append(ctx, incident.Entry{
			Incident: inc.ID, At: r.clock(), Kind: incident.EntryDecision, Key: "escalation notes/" + role,
			Text: fmt.Sprintf("who is asked as %s: %.1000s", role, strings.Join(notes, "; ")),
		}))
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, r.o.Services.Timeline.Append(ctx, incident.Entry{
			Incident: inc.ID, At: r.clock(), Kind: incident.EntryProblem, Key: "escalation/" + role,
			Text: fmt.Sprintf("nobody known as %s: %.500s", role, err.Error()),
		})
	}
	i := slices.IndexFunc(steps, func(s action.Step) bool { return s.Role == role })
	if i < 0 {
		return nil, nil
	}
	return steps[i].People, nil
}

// hurry: somebody said "not me". The next rung is asked at once, and those behind it in minutes. The second one who says it
// hurries nobody more.
func (r *Responder) hurry(ctx context.Context, id incident.ID, a incident.Answer) error {
	isFirst := false
	inc, err := r.o.Services.Store.Update(ctx, id, func(i *incident.Incident) error {
		asked, err := askedOf(*i)
		if err != nil {
			return err
		}
		i.Open = withOpen(i.Open, answeredOpen, answeredOpen+": "+answerText(a))
		// Until the timer is set, a kill leaves the answer's own timer, and this is done again with the same moment.
		if isFirst = asked.HurriedAt.IsZero() || asked.HurriedAt.Equal(a.At); !isFirst {
			return nil
		}
		asked.HurriedAt = a.At
		text, err := json.Marshal(asked)
		if err != nil {
			return fmt.Errorf("keep who was asked: %w", err)
		}
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[incident.AskedFact] = text
		return nil
	})
	if err != nil || !isFirst || inc.Status != incident.Open {
		return err
	}
	return r.hurryTimer(ctx, id)
}

// farAway is later than any timer that is set.
const farAway = 365 * 24 * time.Hour

func (r *Responder) hurryTimer(ctx context.Context, id incident.ID) error {
	all, _, err := r.o.Services.Timers.Due(ctx, r.clock().Add(farAway), 0)
	if err != nil {
		return fmt.Errorf("read timers: %w", err)
	}
	next := incident.AskManager
	for _, t := range all {
		if t.Incident != id || t.Kind != incident.TimerAsk {
			continue
		}
		next = max(next, incident.Rung(t.Attempt))
		if incident.Rung(t.Attempt) < incident.AskManager {
			err = errors.Join(err, r.o.Services.Timers.Complete(ctx, id, t.Key))
		}
	}
	return errors.Join(err, r.o.Services.Timers.Schedule(ctx, incident.AskTimer(id, next, r.clock())))
}
