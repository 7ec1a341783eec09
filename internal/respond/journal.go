// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/source"
)

// Calls is the store's side of the call journal. Its method of that name returns those made for an incident, in order.
type Calls interface {
	gate.Journal
	gate.OwnCalls
	Calls(ctx context.Context, id incident.ID) ([]gate.Call, error)
}

// Journal keeps every call of the gate where it belongs: in the store (which recognises our own calls in the events
// that come back), in the ledger, and the mutations on the incident's timeline.
type Journal struct {
	Calls    Calls
	Ledger   Ledger
	Timeline incident.Timeline
}

var (
	_ gate.Journal  = (*Journal)(nil)
	_ gate.OwnCalls = (*Journal)(nil)
)

// Intend makes a mutation durable before it leaves, in the store and in the ledger at once.
func (j *Journal) Intend(ctx context.Context, c gate.Call) error {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() error { return j.Calls.Intend(ctx, c) })
	both.Go(func() error { return j.Ledger.Record(ctx, "intent", incident.ID(c.Incident), c) })
	return both.Wait()
}

// Done keeps the outcome. Calls on our own queues, and what sources read, are left out: a source polls without end, and
// what it finds is an event. Reads go to the ledger only, and nobody waits for them: they are no events that could come
// back to us, and a runbook makes many.
func (j *Journal) Done(ctx context.Context, c gate.Call) error {
	isPolling := !c.IsMutation && c.Incident == "" && strings.HasPrefix(c.Action, source.ActionPrefix)
	if c.IsPlumbing || isPolling {
		return nil
	}
	if !c.IsMutation {
		return j.Ledger.RecordLater(ctx, "read", incident.ID(c.Incident), c)
	}
	// The store first: what is lost after it, the next attempt tells from there.
	if err := j.Calls.Done(ctx, c); err != nil {
		return err
	}
	all, ctx := errgroup.WithContext(ctx)
	all.Go(func() error { return j.Ledger.Record(ctx, "call", incident.ID(c.Incident), c) })
	all.Go(func() error { return j.onTimeline(ctx, c) })
	return all.Wait()
}

func (j *Journal) onTimeline(ctx context.Context, c gate.Call) error {
	if c.Incident == "" {
		return nil
	}
	e, err := callEntry(c)
	if err != nil {
		return err
	}
	return j.Timeline.Append(ctx, e)
}

// callEntry is a call on the timeline of its incident.
func callEntry(c gate.Call) (incident.Entry, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return incident.Entry{}, fmt.Errorf("describe call: %w", err)
	}
	text := fmt.Sprintf("%s on %s: %s", c.Name(), c.Target, c.Outcome)
	switch {
	case c.ErrorCode != "":
		text += " (" + c.ErrorCode + ")"
	case c.Outcome == gate.Pending:
		text += " (" + c.Reason + ")"
	}
	key := "call/" + c.ID
	if c.Outcome == gate.Pending {
		key += "/lost" // should the outcome come to light after all, it is told too
	}
	return incident.Entry{
		Incident: incident.ID(c.Incident), At: c.StartedAt.Add(c.Duration), Kind: incident.EntryCall, Text: text, Data: data, Key: key,
	}, nil
}

// IsOwn asks the store.
func (j *Journal) IsOwn(ctx context.Context, requestID string) (bool, error) {
	return j.Calls.IsOwn(ctx, requestID)
}

// Guard stops mutations while a pause covers them. It reads the flag from the store before each mutation, so a pause set
// by any process holds at once; a store that cannot be read stops them too.
type Guard struct {
	Pauses incident.Pauses
	Clock  func() time.Time
}

var _ gate.Guard = (*Guard)(nil)

// Allow returns gate.ErrPaused while paused.
func (g *Guard) Allow(ctx context.Context, c gate.Call) error {
	now := g.Clock()
	pauses, err := g.Pauses.ActivePauses(ctx, now)
	if err != nil {
		return fmt.Errorf("read pauses: %w", errors.Join(err, gate.ErrPaused))
	}
	for _, p := range pauses {
		if p.Covers(c.Account, c.Runbook, now) {
			return fmt.Errorf("%w until %s by %s: %s", gate.ErrPaused, p.Until.UTC().Format(time.RFC3339), p.By, p.Reason)
		}
	}
	return nil
}

// Ledger is the evidence chain: what is in it can be proven later.
type Ledger interface {
	// Record returns once the entry is durable; RecordLater at once: the body becomes part of an entry that lists all of its
	// kind and incident, written before the incident's next entry, or within a second.
	Record(ctx context.Context, kind string, id incident.ID, body any) error
	RecordLater(ctx context.Context, kind string, id incident.ID, body any) error
}

// Recorder is a Timeline that also writes every entry to the ledger, and tells who watches.
type Recorder struct {
	incident.Timeline
	Ledger Ledger
	// Watch is told of every entry after it is durable; nil: nobody watches.
	Watch func(incident.Entry)
}

// Append adds entries to the timeline and to the ledger at once; both are durable when it returns. After a kill the caller
// repeats itself: then the timeline leaves out what it has, and the ledger may hold it twice, but never not at all.
func (r *Recorder) Append(ctx context.Context, entries ...incident.Entry) error {
	if len(entries) == 0 {
		return nil
	}
	both, shared := errgroup.WithContext(ctx)
	both.Go(func() error { return r.Timeline.Append(shared, entries...) })
	both.Go(func() error { return r.record(shared, entries) })
	if err := both.Wait(); err != nil {
		return err
	}
	if r.Watch != nil {
		for _, e := range entries {
			r.Watch(e)
		}
	}
	return nil
}

// record writes entries to the ledger in their order.
func (r *Recorder) record(ctx context.Context, entries []incident.Entry) error {
	for _, e := range entries {
		if err := r.Ledger.Record(ctx, string(e.Kind), e.Incident, e); err != nil {
			return err
		}
	}
	return nil
}
