// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/report"
)

// reminders is the policy of a runbook: how long to wait for somebody to acknowledge, how often to remind, and after how
// many reminders the fallback is told.
type reminders struct {
	After duration `json:"after"`
	Every duration `json:"every"`
	Count int      `json:"count"`
}

// duration is a time.Duration in Go's syntax: "15m".
type duration time.Duration

// UnmarshalText parses it.
func (d *duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	*d = duration(v)
	return err
}

// MarshalText prints it.
func (d duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// next is a timer that was scheduled.
type next struct {
	Key     string    `json:"key"`
	Kind    string    `json:"kind"`
	DueAt   time.Time `json:"due_at"`
	Attempt int       `json:"attempt"`
}

// kept is the policy as it is kept, with the message that began it.
type kept struct {
	reminders
	Message string `json:"message"`
}

func (r reminders) check() error {
	if r.After <= 0 || r.Every <= 0 || r.Count < 0 {
		return invalid("reminders: after and every must be durations above zero, count not negative")
	}
	return nil
}

// schedule sets the timer that follows the message id, counted from the moment at: the same for every attempt of a state
// visit once a channel accepted. Each timer has a key of its own, so that completing one leaves the next alone.
func (s *sending) schedule(ctx context.Context, id string, at time.Time) (*next, error) {
	switch {
	case s.p.To == toReminder:
		return s.afterReminder(ctx, at)
	case s.p.To == toFallback, s.p.Reminders == nil, s.inc.Status != incident.Open:
		return nil, nil
	}
	began, err := s.begin(ctx, kept{*s.p.Reminders, id})
	if err != nil || !began {
		return nil, err
	}
	return s.set(ctx, *s.p.Reminders, 1, at.Add(time.Duration(s.p.Reminders.After)))
}

// begin keeps the policy, unless another message began the reminders of this incident: events that join later must not
// put them off, or whoever goes on attacking is never escalated.
func (s *sending) begin(ctx context.Context, k kept) (bool, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return false, fmt.Errorf("encode reminders: %w", err)
	}
	began := false
	_, err = s.env.Store.Update(ctx, s.inc.ID, func(i *incident.Incident) error {
		var before kept
		if old, ok := i.Facts[report.RemindersFact]; ok {
			if err := json.Unmarshal(old, &before); err != nil {
				return fmt.Errorf("read reminders: %w", err)
			}
		}
		if began = before.Message == "" || before.Message == k.Message; !began {
			return nil
		}
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[report.RemindersFact] = text
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("keep reminders of %s: %w", s.inc.ID, err)
	}
	return began, nil
}

func (s *sending) afterReminder(ctx context.Context, at time.Time) (*next, error) {
	var policy kept
	if text, ok := s.inc.Facts[report.RemindersFact]; !ok {
		return nil, nil // somebody sent a reminder by hand
	} else if err := json.Unmarshal(text, &policy); err != nil {
		return nil, fmt.Errorf("read reminders of %s: %w", s.inc.ID, err)
	}
	return s.set(ctx, policy.reminders, s.p.Attempt+1, at.Add(time.Duration(policy.Every)))
}

// set schedules reminder number attempt, or the fallback when there have been enough.
func (s *sending) set(ctx context.Context, policy reminders, attempt int, due time.Time) (*next, error) {
	n := next{Key: fmt.Sprintf("reminder/%d", attempt), Kind: toReminder, DueAt: due.UTC(), Attempt: attempt}
	if attempt > policy.Count {
		n = next{Key: toFallback, Kind: toFallback, DueAt: due.UTC(), Attempt: 1}
	}
	err := s.env.Timers.Schedule(ctx, incident.Timer{Incident: s.inc.ID, Key: n.Key, Kind: n.Kind, DueAt: n.DueAt, Attempt: n.Attempt})
	if err != nil {
		return nil, fmt.Errorf("schedule %s: %w", n.Key, err)
	}
	return &n, nil
}
