// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/state"
)

// Stores is everything that an installation keeps, in one database.
type Stores interface {
	incident.Store
	incident.Timeline
	incident.Findings
	incident.BlindWindows
	incident.Undos
	incident.Timers
	incident.Pauses
	incident.Outbox
	incident.Sessions
	incident.Exceptions
	incident.Restores
	incident.Hearings
	incident.Answers
	state.Snapshots
	Calls
}

// Parts are what a System is assembled from. All but Watch, Seen, PollEvery and Own are required.
type Parts struct {
	Stores     Stores
	Executions engine.Store
	Ledger     *ledger.Ledger
	Runbooks   []*runbook.Runbook
	Policy     gate.Policy
	// Gate are the options of the gate; Open adds journal, guard, clock and logger.
	Gate gate.Options
	// Services makes the rest of what actions need, once the stores and the gate are there.
	Services  func(base action.Services, g *gate.Gate) (action.Services, error)
	Engine    engine.Options
	Clock     func() time.Time
	Logger    *slog.Logger
	PollEvery time.Duration
	// Own are the ARNs of our own parts, which no exception covers.
	Own []string
	// Watch is told of every timeline entry once it is durable.
	Watch func(incident.Entry)
	// Seen is told of every event that matched nothing; see Options.
	Seen func(cloudtrail.Envelope)
	// IsPassive opens no engine: for a command that decides beside a daemon, and must not take its executions over.
	IsPassive bool
}

// System is the assembled pipeline, the same in the daemon, the demo and the scenarios. Engine is nil in a passive one.
type System struct {
	*Responder
	Gate     *gate.Gate
	Engine   *engine.Engine
	Services action.Services
	book     *evidence
	own      []string
}

// Settle makes durable what the ledger took and has not written yet: to be called before it is closed.
func (s *System) Settle(ctx context.Context) error { return s.book.settle(ctx) }

// Open assembles the pipeline and goes on with what an earlier process left undone.
func Open(ctx context.Context, p Parts) (*System, error) {
	book := &evidence{ledger: p.Ledger, clock: p.Clock}
	timeline := &Recorder{Timeline: p.Stores, Ledger: book, Watch: p.Watch}
	p.Gate.Journal = &Journal{Calls: p.Stores, Ledger: book, Timeline: timeline}
	p.Gate.Guard = &Guard{Pauses: p.Stores, Clock: p.Clock}
	p.Gate.Clock, p.Gate.Logger, p.Gate.Policy = p.Clock, p.Logger, &p.Policy
	g, err := gate.Open(ctx, p.Gate)
	if err != nil {
		return nil, fmt.Errorf("open the gate: %w", err)
	}
	services, err := p.Services(action.Services{
		Clock: p.Clock, Logger: p.Logger, Store: p.Stores, Timeline: timeline, Findings: p.Stores, Blind: p.Stores, Undos: p.Stores, Timers: p.Stores,
		Outbox: p.Stores, Sessions: p.Stores, Hearings: p.Stores, Answers: p.Stores, Snapshots: p.Stores,
		Exceptions: guarded{p.Stores, p.Own}, Restores: p.Stores,
	}, g)
	if err != nil {
		return nil, err
	}
	r, err := New(Options{
		Runbooks: p.Runbooks, Services: services, Executions: p.Executions, Calls: p.Stores, Gate: g, Policy: p.Policy, PollEvery: p.PollEvery,
		Seen: p.Seen,
	})
	if err != nil {
		return nil, err
	}
	s := &System{Responder: r, Gate: g, Services: services, book: book, own: p.Own}
	if p.IsPassive {
		return s, nil
	}
	return p.start(ctx, s)
}

func (p Parts) start(ctx context.Context, s *System) (*System, error) {
	machines := map[string][]byte{}
	for _, book := range p.Runbooks {
		machine, err := book.Embedded()
		if err != nil {
			return nil, err
		}
		machines[string(book.Manifest.ID)] = machine
	}
	o := p.Engine
	o.Clock, o.Logger, o.Ended, o.IsUrgent = p.Clock, p.Logger, s.Ended, isUrgent
	var err error
	if s.Engine, err = engine.Open(ctx, p.Executions, machines, s.Task, o); err != nil {
		return nil, fmt.Errorf("open the engine: %w", err)
	}
	s.Attach(s.Engine)
	if err := s.Resume(ctx); err != nil {
		s.Engine.Close()
		return nil, err
	}
	return s, nil
}

// RunDue does everything that is due now, and returns when something is due next (zero: nothing): simulated time.
func (s *System) RunDue(ctx context.Context) (time.Time, error) {
	for {
		next, err := s.Engine.RunDue(ctx)
		if err != nil {
			return time.Time{}, err
		}
		done, later, err := s.RunTimers(ctx, s.Services.Clock())
		if err != nil {
			return time.Time{}, err
		}
		if done == 0 {
			return earliest(next, later), s.Settle(ctx)
		}
	}
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// timerRound is how long the daemon waits at most between two looks at the incidents' timers.
const timerRound = time.Second

// Run runs engine, reminders and sources until ctx is done, then waits for all of them.
func (s *System) Run(ctx context.Context, sources ...source.Source) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, len(sources)+2)
	go func() { ended <- s.Engine.Run(ctx) }()
	go func() { ended <- s.remind(ctx) }()
	for _, src := range sources {
		go func() { ended <- src.Run(ctx, s.Handle) }()
	}
	var failures []error
	for range len(sources) + 2 {
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			failures = append(failures, err)
			cancel()
		}
	}
	s.Engine.Close()
	return errors.Join(failures...)
}

func (s *System) remind(ctx context.Context) error {
	tick := time.NewTicker(timerRound)
	defer tick.Stop()
	for {
		if _, _, err := s.RunTimers(ctx, s.Services.Clock()); err != nil && ctx.Err() == nil {
			s.Services.Logger.ErrorContext(ctx, "reminders", slog.Any("error", err))
		}
		if err := s.Settle(ctx); err != nil && ctx.Err() == nil {
			s.Services.Logger.ErrorContext(ctx, "write the ledger", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
