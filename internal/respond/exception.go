// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/source"
)

// Errors of planned change, by meaning.
var (
	// ErrSuspect: who is on the identity chain of an open incident is allowed nothing by an exception.
	ErrSuspect = errors.New("a principal of the exception is on the identity chain of an incident that is not closed")
	// ErrNotSecond: whoever added an exception must not approve it.
	ErrNotSecond = errors.New("a second person must approve: switchback exception approve")
	// ErrOver: the exception ended, expired, or was approved already.
	ErrOver = errors.New("the exception is no longer what this could change")
)

// guarded leaves out exceptions on what became a part of ours after they were made.
type guarded struct {
	incident.Exceptions
	own []string
}

// ListExceptions lists the others.
func (g guarded) ListExceptions(ctx context.Context, f incident.ExceptionFilter) ([]incident.Exception, error) {
	all, err := g.Exceptions.ListExceptions(ctx, f)
	return slices.DeleteFunc(all, func(e incident.Exception) bool { return incident.IsOwnPart(string(e.Resource), g.own) }), err
}

// AddException keeps an exception that waits for a second person, and announces it. Deliveries are those of the
// announcement; with an error and a stored exception, nobody could be told.
func (s *System) AddException(ctx context.Context, e incident.Exception, who Answerer) (incident.Exception, []incident.Delivery, error) {
	e.AddedBy, e.AddedNames, e.AddedAt = who.Name, slices.Compact(append([]string{who.Name}, who.Names...)), s.clock().UTC()
	err := e.Check(s.own)
	if err == nil {
		err = s.mayPlan(ctx, e, who)
	}
	if e := s.decided(ctx, "exception added", e, who, err); err != nil || e != nil {
		return incident.Exception{}, nil, errors.Join(err, e)
	}
	if err := s.Services.Exceptions.AddException(ctx, e); err != nil {
		return incident.Exception{}, nil, err
	}
	deliveries, err := s.announceException(ctx, e, "added", fmt.Sprintf("%s asks for an exception, a second person must approve: %s", who.Name, describe(e)))
	return e, deliveries, err
}

// ApproveException makes an exception hold that another person added. It is announced first: what lowers protection in
// secret does not happen.
func (s *System) ApproveException(ctx context.Context, id string, who Answerer) (incident.Exception, []incident.Delivery, error) {
	e, err := s.exception(ctx, id)
	if err != nil {
		return e, nil, err
	}
	switch added := (&request{By: e.AddedBy, Names: e.AddedNames}); {
	case added.isBy(who):
		err = ErrNotSecond
	case e.Status(s.clock()) != incident.ExceptionPending:
		err = fmt.Errorf("%s is %s: %w", e.ID, e.Status(s.clock()), ErrOver)
	default:
		err = errors.Join(e.Check(s.own), s.mayPlan(ctx, e, who))
	}
	if e := s.decided(ctx, "exception approved", e, who, err); err != nil || e != nil {
		return incident.Exception{}, nil, errors.Join(err, e)
	}
	deliveries, err := s.announceException(ctx, e, "approved", fmt.Sprintf("%s approves an exception: %s", who.Name, describe(e)))
	if err != nil {
		return incident.Exception{}, deliveries, fmt.Errorf("it does not hold, since nobody could be told: %w", err)
	}
	e, err = s.Services.Exceptions.UpdateException(ctx, id, func(e *incident.Exception) error {
		if e.Status(s.clock()) != incident.ExceptionPending {
			return ErrOver
		}
		e.ApprovedBy, e.ApprovedAt = who.Name, s.clock().UTC()
		return nil
	})
	return e, deliveries, err
}

// EndException ends one before its time; the baseline is enforced again at once. Whoever the directory knows may: it
// gives nobody anything.
func (s *System) EndException(ctx context.Context, id string, who Answerer) (incident.Exception, []incident.Delivery, error) {
	e, err := s.exception(ctx, id)
	if err != nil {
		return e, nil, err
	}
	switch {
	case !who.IsKnown:
		err = ErrUnknownPerson
	case e.Status(s.clock()) == incident.ExceptionOver:
		err = fmt.Errorf("%s: %w", e.ID, ErrOver)
	}
	if e := s.decided(ctx, "exception ended", e, who, err); err != nil || e != nil {
		return incident.Exception{}, nil, errors.Join(err, e)
	}
	e, err = s.Services.Exceptions.UpdateException(ctx, id, func(e *incident.Exception) error {
		if e.EndedAt.IsZero() {
			e.EndedBy, e.EndedAt = who.Name, s.clock().UTC()
		}
		return nil
	})
	if err != nil {
		return e, nil, err
	}
	deliveries, err := s.announceException(ctx, e, "ended", fmt.Sprintf("%s ended an exception: %s", who.Name, describe(e)))
	return e, deliveries, err
}

func (s *System) exception(ctx context.Context, id string) (incident.Exception, error) {
	all, err := s.Services.Exceptions.ListExceptions(ctx, incident.ExceptionFilter{})
	if err != nil {
		return incident.Exception{}, err
	}
	i := slices.IndexFunc(all, func(e incident.Exception) bool { return e.ID == id })
	if i < 0 {
		return incident.Exception{}, fmt.Errorf("exception %.60q: %w", id, incident.ErrNotFound)
	}
	return all[i], nil
}

// mayPlan: whoever is on the chain of an incident that is not closed gives nobody leave, and gets none.
func (s *System) mayPlan(ctx context.Context, e incident.Exception, who Answerer) error {
	if !who.IsKnown {
		return ErrUnknownPerson
	}
	open, err := s.Services.Store.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return fmt.Errorf("look for open incidents: %w", err)
	}
	for _, inc := range open {
		if inc.IsOnChain(append(who.Names, who.Name)...) {
			return fmt.Errorf("%s: %w", inc.ID, ErrOnChain)
		}
		if slices.ContainsFunc(e.Principals, inc.HasPrincipal) {
			return fmt.Errorf("%s: %w", inc.ID, ErrSuspect)
		}
	}
	return nil
}

// decided writes what a person decided, or tried to, to the ledger.
func (s *System) decided(ctx context.Context, what string, e incident.Exception, who Answerer, refusal error) error {
	body := map[string]any{"decided": what, "by": who.Name, "exception": e}
	if refusal != nil {
		body["refused"] = refusal.Error()
	}
	return s.book.Record(ctx, string(incident.EntryDecision), "", body)
}

// announceException tells the security channel; each of the moments of an exception once.
func (s *System) announceException(ctx context.Context, e incident.Exception, moment, text string) ([]incident.Delivery, error) {
	text = identity.Printable(text, 1000)
	deliveries, err := s.Services.Messenger.Send(ctx, incident.Message{
		ID: e.ID + "-" + moment, Kind: incident.Notice, Severity: incident.High, Subject: text, Text: text, At: s.clock(),
	})
	for _, d := range deliveries {
		err = errors.Join(err, s.book.Record(ctx, string(incident.EntryMessage), "", map[string]any{"text": text, "delivery": d}))
	}
	if err != nil {
		return deliveries, fmt.Errorf("announce: %w", err)
	}
	return deliveries, nil
}

// describe is an exception in one line.
func describe(e incident.Exception) string {
	what := strings.Join(e.Events, ", ")
	if len(e.Fields) > 0 {
		what += " (" + strings.Join(e.Fields, ", ") + ")"
	}
	return fmt.Sprintf("%s, ticket %s: %s on %s by %s, until %s", e.ID, e.Ticket, what, e.Resource,
		strings.Join(e.Principals, ", "), e.End().UTC().Format("2006-01-02 15:04:05 UTC"))
}

// RunTimers does what is due: the ends of exceptions, then the incidents' timers. See Responder.RunTimers.
func (s *System) RunTimers(ctx context.Context, now time.Time) (done int, next time.Time, err error) {
	ended, ending, err := s.endExceptions(ctx, now)
	done, next, timersErr := s.Responder.RunTimers(ctx, now)
	return ended + done, earliest(ending, next), errors.Join(err, timersErr)
}

// endExceptions enforces the baseline again where an exception is over.
func (s *System) endExceptions(ctx context.Context, now time.Time) (done int, next time.Time, err error) {
	all, err := s.Services.Exceptions.ListExceptions(ctx, incident.ExceptionFilter{Unsettled: true})
	if err != nil {
		return 0, time.Time{}, fmt.Errorf("read exceptions: %w", err)
	}
	var failures []error
	for _, e := range all {
		if e.Status(now) != incident.ExceptionOver {
			next = earliest(next, e.End())
			continue
		}
		if err := s.settleException(ctx, e); err != nil {
			failures = append(failures, fmt.Errorf("end %s: %w", e.ID, err))
			continue
		}
		done++
	}
	return done, next, errors.Join(failures...)
}

// settleException: what an exception allowed is assessed as if it had happened when the exception ended. All of it can be
// done again after a kill.
func (s *System) settleException(ctx context.Context, e incident.Exception) error {
	if n := len(e.Accepted.Events); n > 0 {
		if err := s.enforce(ctx, e, e.Accepted.Events[n-1]); err != nil {
			return err
		}
	}
	if !e.ApprovedAt.IsZero() && e.EndedAt.IsZero() {
		if _, err := s.announceException(ctx, e, "expired", "an exception is over, the baseline is enforced again: "+describe(e)); err != nil {
			// The baseline does not wait for a channel.
			s.log.ErrorContext(ctx, "the end of an exception was not announced", "exception", e.ID, "error", err)
		}
	}
	_, err := s.Services.Exceptions.UpdateException(ctx, e.ID, func(e *incident.Exception) error {
		e.SettledAt = s.clock().UTC()
		return nil
	})
	return err
}

// enforce opens an incident for the newest change that the exception covered, under an event id of its own: its runbook
// looks at the resource and puts back what is still weaker.
func (r *Responder) enforce(ctx context.Context, e incident.Exception, event cloudtrail.EventID) error {
	evidence, err := r.o.Services.Timeline.Evidence(ctx, event)
	if err != nil {
		return fmt.Errorf("read event %s: %w", event, err)
	}
	envelope, err := cloudtrail.ParseEnvelope(evidence)
	if err != nil {
		return fmt.Errorf("read event %s: %w", event, err)
	}
	matches, err := r.match(envelope)
	if err != nil {
		return fmt.Errorf("match event %s: %w", event, err)
	}
	d := source.Delivery{Envelope: envelope, Via: "exception", From: e.ID, DeliveredAt: e.End()}
	for _, t := range matches {
		book := r.runbooks[t.runbook]
		c, err := r.candidate(book, book.Manifest.Triggers[t.index], d)
		if err != nil {
			return err
		}
		c.Event += cloudtrail.EventID("#" + e.ID)
		c.OccurredAt, c.Trigger = e.End(), "exception is over"
		if err := r.admitCandidate(ctx, c, d); err != nil {
			return err
		}
	}
	return nil
}
