// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// ErrorNotDelivered is the name of the failure when no channel accepted the message.
const ErrorNotDelivered = action.ErrorNotDelivered

func init() {
	action.Register(action.Query(action.Info{
		ID: "notify:Send", Class: "tell",
		Summary: "tell security, the person, or the fallback what happened, and remind until somebody acknowledges",
	}, send))
}

type params struct {
	To string `json:"to"`
	// EventID is the event to tell about; the incident's first when empty.
	EventID   cloudtrail.EventID `json:"event_id,omitempty"`
	People    []incident.Person  `json:"people,omitempty"`
	Done      []string           `json:"done,omitempty"`
	Reminders *reminders         `json:"reminders,omitempty"`
	Attempt   int                `json:"attempt,omitempty"`
	Why       string             `json:"why,omitempty"`
}

type result struct {
	MessageID    string              `json:"message_id,omitempty"`
	Accepted     bool                `json:"accepted"`
	HumanReached bool                `json:"human_reached"`
	Deliveries   []incident.Delivery `json:"deliveries"`
	Next         *next               `json:"next,omitempty"`
	Skipped      string              `json:"skipped,omitempty"`
}

// The addressees.
const (
	toSecurity = "security"
	toPerson   = "person"
	toReminder = "reminder"
	toFallback = "fallback"
)

// sending is one message under way.
type sending struct {
	env *action.Env
	p   params
	inc incident.Incident // as it is now
}

func send(ctx context.Context, env *action.Env, p params) (result, error) {
	if err := p.check(); err != nil {
		return result{}, err
	}
	inc, err := env.Store.Get(ctx, env.Incident.ID)
	if err != nil {
		return result{}, fmt.Errorf("load incident %s: %w", env.Incident.ID, err)
	}
	s := &sending{env, p, inc}
	if p.To == toReminder && inc.Status != incident.Open {
		return result{Deliveries: []incident.Delivery{}, Skipped: s.why()}, nil
	}
	m, err := s.message(ctx)
	if err != nil {
		return result{}, err
	}
	return s.deliver(ctx, m)
}

func (p params) check() error {
	switch {
	case !slices.Contains([]string{toSecurity, toPerson, toReminder, toFallback}, p.To):
		return invalid("to: %.50q is not security, person, reminder or fallback", p.To)
	case p.To == toReminder && p.Attempt < 1:
		return invalid("attempt: reminders count from 1")
	case p.Reminders != nil:
		return p.Reminders.check()
	}
	return nil
}

func invalid(format string, args ...any) error {
	return &asl.Error{Name: action.ErrorInvalidParameters, Cause: fmt.Sprintf(format, args...)}
}

func (s *sending) why() string {
	if s.inc.AcknowledgedBy != "" {
		return "acknowledged by " + identity.Printable(s.inc.AcknowledgedBy, 100)
	}
	return "the incident is " + string(s.inc.Status)
}

// deliver sends m, keeps the outcomes, and sees to it that somebody is reminded, also where nobody could be told.
func (s *sending) deliver(ctx context.Context, m incident.Message) (result, error) {
	deliveries, err := s.env.Messenger.Send(ctx, m)
	if err != nil && !errors.Is(err, notify.ErrNotDelivered) {
		return result{}, fmt.Errorf("send message: %w", err)
	}
	out := result{MessageID: m.ID, Accepted: err == nil, Deliveries: append([]incident.Delivery{}, deliveries...)}
	first, reached := moments(deliveries)
	out.HumanReached = !reached.IsZero()
	if e := s.onTimeline(ctx, m, deliveries); e != nil {
		return result{}, e
	}
	if e := s.keepReached(ctx, reached); e != nil {
		return result{}, e
	}
	if first.IsZero() {
		first = s.env.Clock()
	}
	if e := s.ask(ctx, m, first, err == nil); e != nil {
		return result{}, e
	}
	next, e := s.schedule(ctx, m.ID, first)
	if e != nil {
		return result{}, e
	}
	out.Next = next
	if err != nil {
		return out, &asl.Error{Name: ErrorNotDelivered, Cause: identity.Printable(err.Error(), 1000)}
	}
	return out, nil
}

// moments are when the first channel accepted, and the first that reaches humans.
func moments(deliveries []incident.Delivery) (first, reached time.Time) {
	for _, d := range deliveries {
		if !d.Accepted {
			continue
		}
		if first.IsZero() || d.At.Before(first) {
			first = d.At
		}
		if d.ReachesHuman && (reached.IsZero() || d.At.Before(reached)) {
			reached = d.At
		}
	}
	return first, reached
}

func (s *sending) onTimeline(ctx context.Context, m incident.Message, deliveries []incident.Delivery) error {
	var entries []incident.Entry
	for _, d := range deliveries {
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("encode delivery: %w", err)
		}
		e := incident.Entry{
			Incident: m.Incident, At: d.At, Kind: incident.EntryMessage, Data: data,
			Text: fmt.Sprintf("message to %s accepted by %s for %s", s.p.To, d.Channel, strings.Join(d.To, ", ")),
		}
		if !d.Accepted {
			e.Kind = incident.EntryProblem
			e.Text = fmt.Sprintf("message to %s not accepted by %s after %d attempts: %s", s.p.To, d.Channel, d.Attempts, d.Error)
		} else if d.Error != "" {
			e.Text += "; not for others: " + d.Error
		}
		e.Key = fmt.Sprintf("message/%s/%s/%t", m.ID, d.Channel, d.Accepted)
		entries = append(entries, e)
	}
	return s.env.Timeline.Append(ctx, entries...)
}

func (s *sending) keepReached(ctx context.Context, at time.Time) error {
	if at.IsZero() || !s.inc.Times.HumanReached.IsZero() {
		return nil
	}
	_, err := s.env.Store.Update(ctx, s.inc.ID, func(i *incident.Incident) error {
		if i.Times.HumanReached.IsZero() {
			i.Times.HumanReached = at
		}
		return nil
	})
	return err
}

// message writes the message for the addressee.
func (s *sending) message(ctx context.Context) (incident.Message, error) {
	c, err := s.about(ctx)
	if err != nil {
		return incident.Message{}, err
	}
	id, at := s.id(), s.env.Clock()
	switch s.p.To {
	case toSecurity:
		return notify.SecurityMessage(id, c, at)
	case toReminder:
		return notify.ReminderMessage(id, c, s.p.Attempt, at)
	case toFallback:
		people := s.p.People
		if len(people) == 0 {
			if people, err = s.fallback(ctx); err != nil {
				return incident.Message{}, err
			}
		}
		return notify.FallbackMessage(id, c, people, at)
	}
	people, err := s.people(ctx)
	if err != nil {
		return incident.Message{}, err
	}
	if c.Link, err = s.link(ctx, id, people); err != nil {
		return incident.Message{}, err
	}
	return notify.PersonMessage(id, c, people, at)
}

// people are those that the input names, else who the directories know; never hints alone, since whoever may tag can
// redirect a hint: somebody certain must know as well.
func (s *sending) people(ctx context.Context) ([]incident.Person, error) {
	people, err := s.p.People, error(nil)
	if len(people) == 0 {
		if people, err = s.env.People.LookUp(ctx, s.env.Door, s.inc.Who); err != nil {
			return nil, fmt.Errorf("look up whom to tell: %w", err)
		}
	}
	if slices.ContainsFunc(people, func(p incident.Person) bool { return !p.IsHint }) {
		return people, nil
	}
	certain, err := s.fallback(ctx)
	return append(certain, people...), err
}

// fallback asks for nobody in particular: what is left is the fallback.
func (s *sending) fallback(ctx context.Context) ([]incident.Person, error) {
	people, err := s.env.People.LookUp(ctx, s.env.Door, incident.Who{})
	if err != nil {
		return nil, fmt.Errorf("look up the fallback: %w", err)
	}
	return people, nil
}

// about gathers what the message tells.
func (s *sending) about(ctx context.Context) (notify.Case, error) {
	c := notify.Case{Incident: s.inc, Done: s.p.Done, Why: s.p.Why, IsAgain: s.p.To == toPerson && s.p.Attempt > 0}
	if m, ok := s.env.Messenger.(interface{ Call() string }); ok {
		c.Call = m.Call()
	}
	var err error
	if c.Facts, err = s.facts(ctx); err != nil {
		return c, err
	}
	if len(c.Done) == 0 {
		c.Done, err = s.done(ctx)
	}
	return c, err
}

// facts are those of the event that tells who did it; an event that cannot be read is no reason to tell nobody.
func (s *sending) facts(ctx context.Context) (identity.Facts, error) {
	id := s.inc.Telling(s.p.EventID)
	if id == "" {
		return identity.Facts{}, nil
	}
	raw, err := s.env.Timeline.Evidence(ctx, id)
	if errors.Is(err, incident.ErrNotFound) {
		return identity.Facts{}, nil
	}
	if err != nil {
		return identity.Facts{}, fmt.Errorf("read event %s: %w", id, err)
	}
	r, err := identity.ParseEvidence(raw)
	if err != nil {
		return identity.Facts{}, nil
	}
	return identity.Extract(r), nil
}

// done says what was put back, oldest first, from the undo records of verified changes.
func (s *sending) done(ctx context.Context) ([]string, error) {
	undos, err := s.env.Undos.ListUndos(ctx, s.inc.ID)
	if err != nil {
		return nil, fmt.Errorf("list what was done: %w", err)
	}
	var lines []string
	for _, u := range slices.Backward(undos) {
		if u.Done && u.UndoneAt.IsZero() {
			lines = append(lines, notify.DoneLine(u))
		}
	}
	return lines, nil
}

// id is equal for every attempt of a state visit, and another for every other visit.
func (s *sending) id() string {
	t := s.env.Task
	visit := cmp.Or(t.Visit, t.Execution+"/"+t.State)
	id := fmt.Sprintf("%s-%s", s.inc.ID, s.p.To)
	if again := s.inc.Times.Again; t.State == "" && !again.IsZero() {
		// Timers count from one again after it happened again; what they say is news.
		visit, id = fmt.Sprintf("%s/%d", visit, again.Unix()), fmt.Sprintf("%s-%d", id, again.Unix())
	}
	sum := sha256.Sum256([]byte(visit))
	if s.p.To == toReminder {
		return fmt.Sprintf("%s-%d", id, s.p.Attempt)
	}
	if s.isOften() {
		return fmt.Sprintf("%s-%d", id, s.env.Clock().Truncate(often).Unix())
	}
	return id + "-" + hex.EncodeToString(sum[:4])
}

// Of an incident that happens again and again the first so many runs tell people of it, and then one in each interval: who
// stops a trail a thousand times must not bury the security channel, nor the person.
const (
	runsTold = 5
	often    = 10 * time.Minute
)

// isOften reports whether the run is one of too many. Its messages share the id of those before it in the interval, so
// that each channel is given the first of them alone.
func (s *sending) isOften() bool {
	return slices.IndexFunc(s.inc.Runs, func(r incident.Run) bool { return r.Execution == s.env.Task.Execution }) >= runsTold
}
