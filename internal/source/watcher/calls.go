// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// search is one for the calls behind a finding.
type search struct {
	ID      string        `json:"id"` // of the finding's event
	Finding trail.Finding `json:"finding"`
	Until   time.Time     `json:"until"`
}

// lookForCalls looks for the calls behind what was found, and hands them over as if their events had come: so the human
// behind them is found, and an event that does come late is known already. A search ends when it has found something, or
// takes too long.
func (w *Source) lookForCalls(ctx context.Context, handle source.Handler) {
	for _, s := range w.searches() {
		n, err := w.search(ctx, s, handle)
		log := w.services.Logger.With(slog.String("id", s.ID), slog.String("resource", string(s.Finding.About())))
		switch {
		case ctx.Err() != nil:
			return
		case err == nil && n > 0:
			w.endSearch(s)
		case !w.services.Clock().Before(s.Until):
			log.WarnContext(ctx, "the call behind a finding was not found in Event history: who did it is not known", slog.Any("error", err))
			w.endSearch(s)
		case err != nil:
			log.WarnContext(ctx, "look for the call behind a finding", slog.Any("error", err))
		}
	}
}

// maxHanded bounds the calls on a trail that are remembered as handed over.
const maxHanded = 50

// search hands over what is found and was not yet, and says how many that were.
func (w *Source) search(ctx context.Context, s search, handle source.Handler) (n int, err error) {
	records, err := w.callsBehind(ctx, s.Finding)
	for _, r := range records {
		if w.isHanded(s.Finding.About(), r.EventID) {
			continue
		}
		if e := w.hand(ctx, cloudtrail.Wrap(r), handle); e != nil {
			err = errors.Join(err, e)
			continue
		}
		n++
		w.mu.Lock()
		m := w.memory.of(s.Finding.About())
		m.Handed = append(m.Handed, r.EventID)
		m.Handed = m.Handed[max(0, len(m.Handed)-maxHanded):]
		w.mu.Unlock()
	}
	return n, err
}

func (w *Source) isHanded(a arn.ARN, id cloudtrail.EventID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Contains(w.memory.of(a).Handed, id)
}

// searches are those that go on, oldest first.
func (w *Source) searches() []search {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []search
	for _, m := range w.memory {
		all = append(all, m.Searches...)
	}
	slices.SortFunc(all, func(a, b search) int { return a.Until.Compare(b.Until) })
	return all
}

func (w *Source) endSearch(done search) {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.memory.of(done.Finding.About())
	m.Searches = slices.DeleteFunc(m.Searches, func(s search) bool { return s.ID == done.ID })
}

// callsBehind searches Event history for the calls behind a finding.
func (w *Source) callsBehind(ctx context.Context, f trail.Finding) ([]cloudtrail.Record, error) {
	if f.Trail == "" {
		return w.callsOnDependency(ctx, f)
	}
	target, err := trail.TargetOfARN(f.Trail)
	if err != nil {
		return nil, err
	}
	last, err := w.services.Snapshots.SnapshotBefore(ctx, f.Trail, w.services.Clock().Add(time.Nanosecond))
	if err != nil {
		return nil, err
	}
	want, err := last.Trail()
	if err != nil {
		return nil, err
	}
	at := state.Place{Account: target.Account, Region: target.HomeRegion}
	return w.calls(ctx, f, at, []string{string(f.Trail), target.Name}, func(r *cloudtrail.Record) bool { return f.IsCausedBy(*r, &want) })
}

// callsOnDependency searches for all that changed what trails depend on; which of it was for the worse is for the runbooks.
func (w *Source) callsOnDependency(ctx context.Context, f trail.Finding) ([]cloudtrail.Record, error) {
	home, err := state.HomeOf(trail.Dependency{Kind: f.Kind, ARN: f.Resource, Account: f.Account, Region: f.Region})
	if err != nil {
		return nil, err
	}
	p, err := f.Resource.Parse()
	if err != nil {
		return nil, err
	}
	return w.calls(ctx, f, home, []string{string(f.Resource), p.Name()}, func(r *cloudtrail.Record) bool {
		return isChange(r) && f.IsOfTime(r.EventTime) && slices.Contains(w.names.Load().in(r), f.Resource)
	})
}

// calls searches by each of a resource's names.
func (w *Source) calls(ctx context.Context, f trail.Finding, at state.Place, names []string, is func(*cloudtrail.Record) bool) ([]cloudtrail.Record, error) {
	var found []cloudtrail.Record
	for _, name := range slices.Compact(names) {
		records, _, err := w.history.Lookup(ctx, w.door, state.Query{
			Account: at.Account, Region: at.Region, From: f.LastGood.Add(-trail.SoughtFor), EventNames: f.Explaining(), ResourceName: name,
		})
		if err != nil {
			return found, err
		}
		for _, r := range records {
			isKnown := slices.ContainsFunc(found, func(k cloudtrail.Record) bool { return k.EventID == r.EventID })
			if !isKnown && is(&r) {
				found = append(found, r)
			}
		}
	}
	return found, nil
}
