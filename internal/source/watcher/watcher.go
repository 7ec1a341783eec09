// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package watcher looks for the stop whose event never came. It reads every protected trail, and what the trails depend
// on, again and again, compares with what was kept of them, and makes an event of what it finds: an EventBridge event with
// the source "switchback" and the detail type "Trail Status", or "Dependency Status", whose detail is a trail.Finding. Then
// it looks for the calls behind it in Event history, and hands over those too, as if their events had come.
//
//	type: watcher
//	every: 1m            # does it record and deliver: GetTrailStatus
//	configuration: 15m   # configuration, event selectors; buckets, keys, rules
//	rest: 6h             # insight selectors, tags; topics, log groups, roles, queues, alarms
//
// Protected is every trail of which there is a snapshot. Each is read in its home region and from its owner account, so an
// organization trail is read once, however many accounts it records. A write event on one of these resources has it read
// at once (Seen). What was found has one id until it is well again: the same stop is one event, also over restarts; the
// next stop is another. A resource that cannot be read three times running is a finding itself. Throttled answers make the
// watcher slower, not silent.
//
// It changes nothing, and keeps to half of AWS's quotas.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetTrailStatus.html
package watcher

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/state"
)

// via is the type of this source.
const via = "watcher"

func init() {
	source.Register(source.Kind{Type: via, Gives: []string{"trail poller"}, New: New})
}

// Options are the source's entry in the configuration. The zero value has the intervals of the package comment.
type Options struct {
	Every         time.Duration `yaml:"every"`
	Configuration time.Duration `yaml:"configuration"`
	Rest          time.Duration `yaml:"rest"`
	// Workers is how many resources are read at once; zero is 8.
	Workers int `yaml:"workers"`
}

// Defaults fills in what is not set.
func (o Options) Defaults() Options {
	for _, d := range []struct {
		value     *time.Duration
		otherwise time.Duration
	}{{&o.Every, time.Minute}, {&o.Configuration, 15 * time.Minute}, {&o.Rest, 6 * time.Hour}} {
		if *d.value <= 0 {
			*d.value = d.otherwise
		}
	}
	if o.Workers <= 0 {
		o.Workers = 8
	}
	return o
}

// rate leaves half of AWS's quotas to responses and to the account's own tools.
const rate = 0.5

// lookTimeout bounds one look at one resource: an account that does not answer keeps nobody waiting.
const lookTimeout = 45 * time.Second

// touchGap is how long a resource that was just read is left alone, however many calls change it.
const touchGap = 5 * time.Second

// Source is the watcher.
type Source struct {
	o        Options
	services source.Services
	door     *gate.Door
	history  state.History

	mu     sync.Mutex // guards what follows
	memory memory
	isRead bool // memory was read
	next   time.Time

	names   atomic.Pointer[names] // of the resources that are watched
	touchMu sync.Mutex            // guards touched
	touched map[arn.ARN]bool
	wake    chan struct{}
}

var (
	_ source.Source   = (*Source)(nil)
	_ source.Listener = (*Source)(nil)
)

// New reads the configuration.
func New(c source.Config, s source.Services) (source.Source, error) {
	w := &Source{services: s, memory: memory{}, touched: map[arn.ARN]bool{}, wake: make(chan struct{}, 1)}
	if err := c.Decode(&w.o); err != nil {
		return nil, err
	}
	w.o = w.o.Defaults()
	if w.o.Configuration < w.o.Every || w.o.Rest < w.o.Configuration {
		return nil, errors.New("want every <= configuration <= rest")
	}
	w.door = s.Gate.Door(gate.Scope{Action: source.ActionPrefix + via, Rate: rate})
	w.history = state.EventHistory{Clock: s.Clock}
	return w, nil
}

// Run watches until ctx is done.
func (w *Source) Run(ctx context.Context, handle source.Handler) error {
	for {
		if err := w.Poll(ctx, handle); err != nil && ctx.Err() == nil {
			w.services.Logger.ErrorContext(ctx, "watch trails", slog.Any("error", err))
		}
		wait := time.NewTimer(max(w.Next().Sub(w.services.Clock()), time.Second))
		select {
		case <-ctx.Done():
			wait.Stop()
			return ctx.Err()
		case <-w.wake:
			wait.Stop()
		case <-wait.C:
		}
	}
}

// Next is when Poll has something to do.
func (w *Source) Next() time.Time {
	w.touchMu.Lock()
	touched := slices.Collect(maps.Keys(w.touched))
	w.touchMu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	next := w.next
	for _, a := range touched {
		if at := w.memory.of(a).LookedAt.Add(touchGap); at.Before(next) {
			next = at
		}
	}
	return next
}

// Poll reads what is due, and delivers what it finds. What cannot be read, or be delivered, comes again; the error says
// that nothing can be.
func (w *Source) Poll(ctx context.Context, handle source.Handler) error {
	now := w.services.Clock().UTC()
	isRound := w.begin(now)
	if err := w.load(); err != nil {
		return err
	}
	subjects, err := w.subjects(ctx)
	if err != nil {
		return err
	}
	group := errgroup.Group{}
	group.SetLimit(w.o.Workers)
	for _, s := range subjects {
		tiers := w.due(s, now, isRound)
		if len(tiers) == 0 {
			continue
		}
		group.Go(func() error {
			w.watch(ctx, s, tiers, handle)
			return nil
		})
	}
	if err := errors.Join(group.Wait(), ctx.Err()); err != nil {
		return err
	}
	w.lookForCalls(ctx, handle)
	return w.save()
}

// begin opens a round when one is due.
func (w *Source) begin(now time.Time) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.Before(w.next) {
		return false
	}
	w.next = now.Add(w.o.Every)
	return true
}

// watch looks at one resource, by what is due, the most important first.
func (w *Source) watch(ctx context.Context, s subject, tiers []Tier, handle source.Handler) {
	for _, tier := range tiers {
		look, cancel := context.WithTimeout(ctx, lookTimeout)
		ills, err := w.look(look, s, tier)
		cancel()
		if ctx.Err() != nil {
			return
		}
		w.keep(ctx, s, tier, ills, err, handle)
		if err != nil {
			return // the others would fail as well, and count as failed too
		}
	}
}
