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
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// Errors of answers, by meaning. In each case the answer is kept as an annotation.
var (
	// ErrUnknownPerson: the operating system's user is mapped to nobody by the directory.
	ErrUnknownPerson = errors.New("the directory does not know this user, who may only annotate")
	// ErrOnChain: an answer is evidence, never authority. With a stolen identity the resolved human is the attacker.
	ErrOnChain = errors.New("a person on the incident's identity chain may only annotate")
	// ErrSecondPerson: the change lowers protection, so somebody else must approve.
	ErrSecondPerson = errors.New("a second person must approve: switchback incident approve")
	// ErrNothingToUndo: the incident changed nothing that is still in place.
	ErrNothingToUndo = errors.New("nothing to undo")
	// ErrTooEarly: who is on the identity chain is not known yet, so nobody can be told to be off it.
	ErrTooEarly = errors.New("the identity chain is not known yet: try again in a moment")
	// ErrNotAsked: nobody asked for what is to be approved.
	ErrNotAsked = errors.New("nothing waits for approval")
)

// Answerer is the person who answers. Names are what the identity chain may know them by: user names, mail, ARNs.
type Answerer struct {
	Name string
	// Names include Name. IsKnown is false for a user whom no directory maps to a person.
	Names   []string
	IsKnown bool
}

// Acknowledge stops the reminders, if the person may.
func (r *Responder) Acknowledge(ctx context.Context, id incident.ID, who Answerer) error {
	inc, err := r.mayDecide(ctx, id, who, "acknowledged")
	if err != nil {
		return err
	}
	inc, err = r.o.Services.Store.Update(ctx, inc.ID, func(i *incident.Incident) error {
		if i.Status == incident.Open {
			i.Status, i.AcknowledgedBy = incident.Acknowledged, who.Name
			i.Times.HumanAnswered = r.clock()
		}
		i.Open = withOpen(i.Open, offender, "") // whoever answers has read the proposal; the timeline keeps it
		i.Open = withOpen(i.Open, answeredOpen, "")
		if i.IsDone() && r.isOver(ctx, *i) {
			i.Status = incident.Closed
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("acknowledge %s: %w", id, err)
	}
	if err := r.o.Services.Timers.CancelTimers(ctx, inc.ID); err != nil {
		return fmt.Errorf("cancel reminders of %s: %w", id, err)
	}
	return nil
}

// isOver reports whether every run of the incident has ended.
func (r *Responder) isOver(ctx context.Context, inc incident.Incident) bool {
	return !slices.ContainsFunc(inc.Runs, func(run incident.Run) bool {
		e, err := r.o.Executions.Load(ctx, run.Execution)
		return err != nil || e.Status == asl.Running
	})
}

// mayDecide annotates the answer, then refuses those who may do no more, and what the checks of this answer refuse.
func (r *Responder) mayDecide(ctx context.Context, id incident.ID, who Answerer, did string, checks ...func(incident.Incident) error) (incident.Incident, error) {
	inc, err := r.o.Services.Store.Get(ctx, id)
	if err != nil {
		return inc, err
	}
	isSought, err := r.isSought(ctx, inc)
	if err != nil {
		return inc, err
	}
	isClaimed, err := r.hasClaimed(ctx, id, who)
	if err != nil {
		return inc, err
	}
	var refusal error
	switch {
	case inc.IsOnChain(who.Names...):
		refusal = ErrOnChain
	case isClaimed:
		refusal = ErrClaimed
	case !who.IsKnown:
		refusal = ErrUnknownPerson
	case isSought, inc.Who.Status == "" && (len(inc.Runs) == 0 || !r.isOver(ctx, inc)):
		refusal = ErrTooEarly
	}
	for _, check := range checks {
		if refusal == nil {
			refusal = check(inc)
		}
	}
	name := identity.Printable(who.Name, 100)
	text := fmt.Sprintf("%s by %s", did, name)
	if refusal != nil {
		text = fmt.Sprintf("%s tried: %s (%v)", name, did, refusal)
	}
	err = r.o.Services.Timeline.Append(ctx, incident.Entry{Incident: id, At: r.clock(), Kind: incident.EntryAnswer, Text: text})
	if err != nil {
		return inc, fmt.Errorf("keep answer: %w", err)
	}
	return inc, refusal
}

// Undo puts back what the incident changed, newest first. Where that lowers protection it is only asked for, and
// ErrSecondPerson returned: Approve, by another person, then does it.
func (r *Responder) Undo(ctx context.Context, id incident.ID, who Answerer) ([]action.Undone, error) {
	inc, err := r.mayDecide(ctx, id, who, "undo asked for")
	if err != nil {
		return nil, err
	}
	lowers, err := r.lowers(ctx, id)
	if err != nil {
		return nil, err
	}
	if lowers {
		return nil, r.ask(ctx, inc, who)
	}
	return r.undoAll(ctx, inc, action.UndoOptions{By: who.Name})
}

// Approve does the undo that another person asked for.
func (r *Responder) Approve(ctx context.Context, id incident.ID, who Answerer) ([]action.Undone, error) {
	var asked request
	inc, err := r.mayDecide(ctx, id, who, "undo approved", func(inc incident.Incident) error {
		if err := asked.read(inc); err != nil {
			return err
		}
		if asked.isBy(who) {
			return ErrSecondPerson
		}
		return asked.inTime(r.clock())
	})
	if err != nil {
		return nil, err
	}
	if _, err := r.lowers(ctx, id); err != nil {
		return nil, err
	}
	if err := r.announce(ctx, inc, fmt.Sprintf("undo of %s, asked for by %s, approved by %s", id, asked.By, who.Name)); err != nil {
		return nil, err
	}
	return r.undoAll(ctx, inc, action.UndoOptions{By: asked.By + ", " + who.Name, MayLower: true})
}

// Reject takes the request back.
func (r *Responder) Reject(ctx context.Context, id incident.ID, who Answerer) error {
	if _, err := r.mayDecide(ctx, id, who, "undo rejected", new(request).read); err != nil {
		return err
	}
	_, err := r.o.Services.Store.Update(ctx, id, func(i *incident.Incident) error {
		if i.Facts[requestFact] == nil {
			return ErrNotAsked
		}
		delete(i.Facts, requestFact)
		return nil
	})
	return err
}

const requestFact = "undo_request"

type request struct {
	By string `json:"by"`
	// Names are all under which the person is known: one with two logins is still one.
	Names []string `json:"names"`
	// At is when it was asked for; zero in files of before, which know no deadline.
	At time.Time `json:"at,omitzero"`
}

// read takes the request from the incident; ErrNotAsked when there is none.
func (q *request) read(inc incident.Incident) error {
	if inc.Facts[requestFact] == nil {
		return ErrNotAsked
	}
	if err := json.Unmarshal(inc.Facts[requestFact], q); err != nil {
		return fmt.Errorf("read request: %w", err)
	}
	return nil
}

func (q *request) isBy(who Answerer) bool {
	return slices.ContainsFunc(append([]string{q.By}, q.Names...), func(asked string) bool {
		return slices.ContainsFunc(append([]string{who.Name}, who.Names...), func(name string) bool { return strings.EqualFold(name, asked) })
	})
}

func (r *Responder) ask(ctx context.Context, inc incident.Incident, who Answerer) error {
	data, err := json.Marshal(request{By: who.Name, Names: who.Names, At: r.clock().UTC()})
	if err != nil {
		return fmt.Errorf("describe request: %w", err)
	}
	_, err = r.o.Services.Store.Update(ctx, inc.ID, func(i *incident.Incident) error {
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[requestFact] = data
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep request: %w", err)
	}
	if err := r.setDeadline(ctx, inc.ID); err != nil {
		return err
	}
	if err := r.announce(ctx, inc, fmt.Sprintf("%s asks to undo what %s changed; a second person must approve", who.Name, inc.ID)); err != nil {
		return err
	}
	return ErrSecondPerson
}

// lowers reports whether taking the incident's changes back lowers protection; ErrNothingToUndo when there are none.
func (r *Responder) lowers(ctx context.Context, id incident.ID) (bool, error) {
	all, err := r.o.Services.Undos.ListUndos(ctx, id)
	if err != nil {
		return false, fmt.Errorf("list changes of %s: %w", id, err)
	}
	open, lowers := 0, false
	for _, u := range all {
		if u.UndoneAt.IsZero() {
			open++
			lowers = lowers || u.Lowers
		}
	}
	if open == 0 {
		return false, ErrNothingToUndo
	}
	return lowers, nil
}

func (r *Responder) undoAll(ctx context.Context, inc incident.Incident, o action.UndoOptions) ([]action.Undone, error) {
	open := func(info action.Info, u incident.Undo) (*action.Env, error) {
		env := r.env(inc, info, engine.Task{ExecutionName: string(inc.ID), Visit: u.Key})
		scope := r.scope(inc, info, string(inc.ID))
		scope.Approved = true // by whoever decides here, who may: see mayDecide
		env.Door = r.o.Gate.Door(scope)
		return env, nil
	}
	done, err := action.UndoIncident(ctx, inc.ID, o, open, r.o.Services.Undos)
	for _, u := range done {
		key, did := "undo/"+u.Record.Key, "taken back"
		if u.Intended {
			key, did = key+"/intended", "would be taken back (dry-run)"
		}
		err = errors.Join(err, r.o.Services.Timeline.Append(ctx, incident.Entry{
			Incident: inc.ID, At: r.clock(), Kind: incident.EntryUndo, Key: key,
			Text: fmt.Sprintf("%s on %s %s by %s", u.Record.Action, u.Record.Target, did, o.By),
		}))
	}
	if err != nil {
		return done, err
	}
	_, err = r.o.Services.Store.Update(ctx, inc.ID, func(i *incident.Incident) error {
		delete(i.Facts, requestFact)
		return nil
	})
	return done, err
}

// announce tells the security channel; nothing that lowers protection is done before it is announced. What is asked for
// again after a rejection is announced again.
func (r *Responder) announce(ctx context.Context, inc incident.Incident, text string) error {
	now := r.clock()
	id := string(inc.ID) + "-notice-" + shortHash(now.UTC().Format(time.RFC3339Nano)+text)
	deliveries, err := r.o.Services.Messenger.Send(ctx, incident.Message{
		ID: id, Incident: inc.ID, Kind: incident.Notice, Severity: inc.Severity, Subject: text, Text: text, At: now,
	})
	if e := r.noteDeliveries(ctx, inc.ID, id, text, deliveries); e != nil {
		return e
	}
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	return nil
}

func (r *Responder) noteDeliveries(ctx context.Context, id incident.ID, message, text string, deliveries []incident.Delivery) error {
	var entries []incident.Entry
	for _, d := range deliveries {
		data, err := json.Marshal(d)
		if err != nil {
			return fmt.Errorf("describe delivery: %w", err)
		}
		e := incident.Entry{
			Incident: id, At: d.At, Kind: incident.EntryMessage, Data: data, Key: fmt.Sprintf("message/%s/%s/%t", message, d.Channel, d.Accepted),
			Text: fmt.Sprintf("announced by %s: %s", d.Channel, text),
		}
		if !d.Accepted {
			e.Kind, e.Text = incident.EntryProblem, fmt.Sprintf("not announced by %s: %s", d.Channel, d.Error)
		}
		entries = append(entries, e)
	}
	return r.o.Services.Timeline.Append(ctx, entries...)
}
