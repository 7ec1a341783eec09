// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package respond is the one pipeline: an event comes in, the runbooks whose triggers match open or join an incident,
// the engine runs the state machine, its Task states run actions through the gate, and people are told and reminded.
//
// It guarantees the order that the rest relies on: an event is acknowledged only after its incident and its execution
// are durable; what Switchback itself did starts nothing; the same event twice is one incident; nobody on an incident's
// identity chain decides about it.
package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
)

// Options of New. Gate, Services (with its stores) and Runbooks are required.
type Options struct {
	Runbooks []*runbook.Runbook
	Services action.Services
	// Executions is where the engine keeps them.
	Executions engine.Executions
	// Calls is where changes are found whose process was killed before their outcome was known; nil looks for none.
	Calls  Calls
	Gate   *gate.Gate
	Policy gate.Policy
	// PollEvery is how long the runbooks wait between two looks for a proof; zero is 15 s.
	PollEvery time.Duration
	// Seen is told of every event that matched nothing, after it was indexed; nil ignores them.
	Seen func(cloudtrail.Envelope)
}

// Responder is the pipeline. It is safe for concurrent use once Attach was called.
type Responder struct {
	o        Options
	clock    func() time.Time
	log      *slog.Logger
	runbooks map[string]*runbook.Runbook
	triggers *eventpattern.Set[trigger]
	engine   *engine.Engine
}

// trigger names one pattern: the runbook and the index of its trigger.
type trigger struct {
	runbook string
	index   int
}

// New compiles the triggers of every runbook.
func New(o Options) (*Responder, error) {
	r := &Responder{o: o, clock: o.Services.Clock, log: o.Services.Logger, runbooks: map[string]*runbook.Runbook{}}
	r.triggers = new(eventpattern.Set[trigger])
	for _, book := range o.Runbooks {
		patterns, err := book.Compile()
		if err != nil {
			return nil, err
		}
		id := string(book.Manifest.ID)
		r.runbooks[id] = book
		for i, p := range patterns {
			r.triggers.Add(trigger{id, i}, p)
		}
	}
	if r.o.PollEvery <= 0 {
		r.o.PollEvery = 15 * time.Second
	}
	return r, nil
}

// Attach gives the engine that runs the executions; its handler is r.Task. It must be called before Handle.
func (r *Responder) Attach(e *engine.Engine) { r.engine = e }

// Handle takes one delivery in. When it returns nil, everything the event starts is durable.
func (r *Responder) Handle(ctx context.Context, d source.Delivery) error {
	if err := r.index(ctx, d.Envelope.Record); err != nil {
		return fmt.Errorf("index session: %w", err)
	}
	matches, err := r.match(d.Envelope)
	if err != nil {
		return fmt.Errorf("match event %s: %w: %w", d.Envelope.ID, err, source.ErrPoison)
	}
	matches, on, err := r.concerned(ctx, matches, d.Envelope)
	if err != nil {
		return fmt.Errorf("handle event %s: %w", d.Envelope.ID, err)
	}
	if len(matches) == 0 {
		if r.o.Seen != nil {
			r.o.Seen(d.Envelope)
		}
		return nil
	}
	own, err := r.o.Gate.IsOwn(ctx, d.Envelope.Record.RequestID)
	if err != nil {
		return fmt.Errorf("ask whether the call was ours: %w", err)
	}
	if own {
		r.log.DebugContext(ctx, "own call starts nothing", "event_id", d.Envelope.Record.EventID)
		return r.returned(ctx, matches, on, d)
	}
	for _, m := range matches {
		if err := r.admit(ctx, m, d, on); err != nil {
			return err
		}
	}
	return nil
}

// Matches reports whether some runbook's trigger matches the event, and starts nothing.
func (r *Responder) Matches(ctx context.Context, d source.Delivery) (bool, error) {
	matches, err := r.match(d.Envelope)
	if err != nil {
		return false, fmt.Errorf("match event %s: %w: %w", d.Envelope.ID, err, source.ErrPoison)
	}
	matches, _, err = r.concerned(ctx, matches, d.Envelope)
	return len(matches) > 0, err
}

// EventNames lists the names of the calls that the triggers ask for, sorted: what to search a history for. Runbooks that
// only look after what a protected trail depends on are left out: a search would bring all that happens to all others.
func (r *Responder) EventNames() []string {
	var names []string
	for id, book := range r.runbooks {
		if r.isChoosy(id) {
			continue
		}
		for _, t := range book.Manifest.Triggers {
			names = append(names, t.EventNames()...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// match returns the first matching trigger of each runbook.
func (r *Responder) match(e cloudtrail.Envelope) ([]trigger, error) {
	all, err := r.triggers.MatchJSON(e.Raw)
	if err != nil {
		return nil, err
	}
	first := map[string]trigger{}
	for _, t := range all {
		if known, ok := first[t.runbook]; !ok || t.index < known.index {
			first[t.runbook] = t
		}
	}
	var out []trigger
	for _, id := range sortedKeys(first) {
		out = append(out, first[id])
	}
	return out, nil
}

// admit opens or joins the incident of one match and starts what it needs. on is the resource of the baseline that a
// choosy runbook's event is about.
func (r *Responder) admit(ctx context.Context, t trigger, d source.Delivery, on concern) error {
	book := r.runbooks[t.runbook]
	c, err := r.candidate(book, book.Manifest.Triggers[t.index], d)
	if err != nil {
		return fmt.Errorf("%w: %w", err, source.ErrPoison)
	}
	if part := on[book.Manifest.Ownership.Resources]; part != nil {
		c = about(c, *part)
	}
	return r.admitCandidate(ctx, c, d)
}

func (r *Responder) admitCandidate(ctx context.Context, c incident.Candidate, d source.Delivery) error {
	c, err := r.gather(ctx, c)
	if err != nil {
		return err
	}
	rel, err := r.relate(ctx, c, d.Envelope)
	if err != nil {
		return err
	}
	if rel.known != nil {
		f, _ := findingOf(d.Envelope)
		return r.corroborate(ctx, *rel.known, c, f)
	}
	inc, disposition, err := r.take(ctx, &c, rel)
	if err != nil {
		return fmt.Errorf("admit event %s: %w", c.Event, err)
	}
	isCause := rel.finding != nil && inc.ID == rel.finding.ID
	if isCause {
		if inc, err = r.keepCause(ctx, inc.ID, c); err != nil {
			return err
		}
	}
	// A duplicate too: the process may have died between Admit and this. The timeline has each event once by its key.
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return r.note(ctx, inc, c, disposition, d) })
	both.Go(func() error { return r.ensureRun(ctx, inc.ID, c, isCause) })
	return both.Wait()
}

// take admits the event: into the incident of the finding that it is the cause of, else by its own key.
func (r *Responder) take(ctx context.Context, c *incident.Candidate, rel relation) (incident.Incident, incident.Disposition, error) {
	as := *c
	if rel.finding != nil {
		as.Key = rel.finding.Key
	}
	inc, disposition, err := r.o.Services.Store.Admit(ctx, as)
	isOther := inc.Cause != c.Event && isAnother(inc.Key, c.Key) && isAnother(inc.Key, as.Key)
	if err == nil && disposition == incident.Duplicate && isOther {
		c.Event = distinct(*c)
		return r.o.Services.Store.Admit(ctx, *c)
	}
	return inc, disposition, err
}

func (r *Responder) note(ctx context.Context, inc incident.Incident, c incident.Candidate, disposition incident.Disposition, d source.Delivery) error {
	text := fmt.Sprintf("%s %s by %s", c.Key.EventName, c.Key.Outcome, identity.Printable(d.Envelope.Record.UserIdentity.ARN, 300))
	if !d.Envelope.HasRecord() {
		text = identity.Printable(fmt.Sprintf("%s, says %s", c.Key.EventName, d.Envelope.Source), 300)
	}
	switch {
	case inc.Cause == c.Event:
		text += ", the call behind what was found"
	case disposition == incident.Joined:
		text += fmt.Sprintf(" (%d times now)", inc.Count)
	}
	data, err := json.Marshal(map[string]any{"event_id": c.Event, "via": d.Via, "from": d.From, "disposition": disposition, "occurred": c.OccurredAt})
	if err != nil {
		return fmt.Errorf("describe event: %w", err)
	}
	return r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: inc.ID, At: c.ReceivedAt, Kind: incident.EntryEvent, Text: text, Data: data, Key: "event/" + string(c.Event),
	})
}

// ensureRun starts an execution unless one is on its way that will see the event's effect. The run is reserved on the
// incident first, then started: whatever is lost in between, Resume or the event's next delivery finds. A duplicate
// comes here too, for the process may have died between Admit and this.
//
// The cause of a finding needs one of its own where the finding's did not know it: to say who it was.
func (r *Responder) ensureRun(ctx context.Context, id incident.ID, c incident.Candidate, isCause bool) error {
	var reserved *incident.Run
	_, err := r.o.Services.Store.Update(ctx, id, func(i *incident.Incident) error {
		reserved = nil
		before := len(i.Who.Chain)
		chain(i, c)
		if !i.NeedsRun() && !(isCause && needsTelling(i, c.Event)) {
			if len(i.Who.Chain) > before {
				return nil // whoever joins may not answer either
			}
			return errNoRun
		}
		run, err := r.newRun(*i, c)
		if err != nil {
			return err
		}
		if len(i.Runs) > 0 && !isCause {
			happenedAgain(i, c)
		}
		i.Runs = append(i.Runs, run)
		reserved = &run
		return nil
	})
	if errors.Is(err, errNoRun) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reserve execution for %s: %w", id, err)
	}
	if reserved == nil {
		return nil
	}
	return r.start(ctx, c.Key.Runbook, *reserved)
}

var errNoRun = errors.New("needs no run")

func (r *Responder) start(ctx context.Context, runbook string, run incident.Run) error {
	_, err := r.engine.Start(ctx, engine.StartRequest{Machine: runbook, Name: run.Execution, Input: run.Input})
	if err != nil {
		return fmt.Errorf("start execution %s: %w", run.Execution, err)
	}
	return nil
}

// Resume finishes what a kill may have cut off: runs that were reserved and not started are started (again by the same
// name is harmless), and executions that ended unseen are seen to their end.
func (r *Responder) Resume(ctx context.Context) error {
	open, err := r.o.Services.Store.List(ctx, incident.Filter{Statuses: []incident.Status{incident.Open, incident.Acknowledged}})
	if err != nil {
		return fmt.Errorf("list open incidents: %w", err)
	}
	for _, inc := range open {
		for _, run := range inc.Runs {
			if err := r.resume(ctx, inc, run); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *Responder) resume(ctx context.Context, inc incident.Incident, run incident.Run) error {
	if run.ActedAt.IsZero() {
		return r.start(ctx, inc.Key.Runbook, run)
	}
	e, err := r.o.Executions.Load(ctx, run.Execution)
	if errors.Is(err, incident.ErrNotFound) || err == nil && e.Status == asl.Running {
		return nil
	}
	if err != nil {
		return fmt.Errorf("resume %s: %w", run.Execution, err)
	}
	return r.Ended(ctx, e.Execution)
}
