// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package heartbeat shows somebody outside that Switchback is alive, and notices when a source falls silent.
//
// Each minute it makes one harmless read, the canary: LookupEvents, with a value that nobody can guess. CloudTrail records
// it, and its event comes back through the sources like any other: trail, rule, queue, source, pipeline, store. Only when
// a canary has come that far, one beat is sent: a POST in the shape of Alertmanager's webhook, the alert "Watchdog" that
// always fires, and, where a key is given, an event in the shape of PagerDuty's Events API v2. The receiver raises the
// alarm when they stop: whatever breaks on the way, and whoever breaks it, also all of Switchback with it.
//
//	heartbeat:
//	  url: https://receiver.example.com/...    # or url_file
//	  pagerduty_key_file: /etc/switchback/pagerduty-key
//	  name: switchback                         # tells several installations apart
//	  account: "111122223333"                  # where the canary calls; default: that of the credentials
//	  region: eu-west-1                        # default: that of the credentials
//
// A source that brings nothing for a while, neither an event nor a canary, is broken or was broken: an event with the
// source "switchback" and the detail type "Source Silent", which the runbook source-silent responds to. What is known of
// when a source was last heard of is kept in the store.
//
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
// https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
package heartbeat

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/source"
)

// via is the type of this source.
const via = "heartbeat"

func init() {
	source.Register(source.Kind{Type: via, Gives: []string{"heartbeat"}, New: New})
}

// Options are the section heartbeat of the configuration. The zero value sends nothing, and notices silence.
type Options struct {
	URL     notify.Secret `yaml:"url"`
	URLFile string        `yaml:"url_file"`
	// PagerDutyKey is the routing key of an integration; PagerDutyURL is PagerDuty's own by default.
	PagerDutyKey     notify.Secret `yaml:"pagerduty_key"`
	PagerDutyKeyFile string        `yaml:"pagerduty_key_file"`
	PagerDutyURL     string        `yaml:"pagerduty_url"`
	// Name tells several installations apart; "" is "switchback".
	Name string `yaml:"name"`
	// Every is the wait between two canaries, and between two beats; zero is a minute.
	Every time.Duration `yaml:"every"`
	// SilentAfter is how long any source may bring nothing; zero is what its type says.
	SilentAfter time.Duration `yaml:"silent_after"`
	// Account and Region are where the canary calls.
	Account string `yaml:"account"`
	Region  string `yaml:"region"`
}

// Heart is the heartbeat.
type Heart struct {
	o        Options
	services source.Services
	door     *gate.Door
	targets  []*target

	mu       sync.Mutex // guards what follows
	streams  []*stream
	canaries map[string]time.Time // that are under way, by their value
	started  time.Time
	next     time.Time
}

var (
	_ source.Source = (*Heart)(nil)
	_ source.Hearer = (*Heart)(nil)
)

// New reads the configuration.
func New(c source.Config, s source.Services) (source.Source, error) {
	h := &Heart{services: s, canaries: map[string]time.Time{}}
	if err := c.Decode(&h.o); err != nil {
		return nil, err
	}
	h.o.Name = cmp.Or(h.o.Name, "switchback")
	h.o.Every = cmp.Or(h.o.Every, time.Minute)
	if h.o.Every < time.Second || h.o.SilentAfter < 0 {
		return nil, fmt.Errorf("every: want at least 1s, not %s", h.o.Every)
	}
	if err := h.aim(); err != nil {
		return nil, err
	}
	h.door = s.Gate.Door(gate.Scope{Action: source.ActionPrefix + via, Rate: rate})
	return h, nil
}

// rate leaves most of the two LookupEvents a second to whoever looks for something.
const rate = 0.5

// Run beats until ctx is done.
func (h *Heart) Run(ctx context.Context, handle source.Handler) error {
	tick := time.NewTicker(h.o.Every)
	defer tick.Stop()
	for {
		if err := h.Poll(ctx, handle); err != nil && ctx.Err() == nil {
			h.services.Logger.ErrorContext(ctx, "heartbeat", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Next is when Poll is due.
func (h *Heart) Next() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.next
}

// Poll is one round: it tells who has fallen silent, beats if a canary has come home, and sends the next one.
func (h *Heart) Poll(ctx context.Context, handle source.Handler) error {
	now := h.begin()
	if h.services.Hearings == nil {
		return errors.New("no store of what was heard is wired")
	}
	list, err := h.services.Hearings.Heard(ctx)
	if err != nil {
		return fmt.Errorf("read when sources were last heard: %w", err)
	}
	heard := map[string]incident.Heard{}
	for _, l := range list {
		heard[l.Source] = l
	}
	return errors.Join(h.listen(ctx, heard, now, handle), h.beat(ctx, heard), h.send(ctx, now))
}

// begin opens a round.
func (h *Heart) begin() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := h.services.Clock().UTC()
	if h.started.IsZero() {
		h.started = now
	}
	h.next = now.Add(h.o.Every)
	return now
}
