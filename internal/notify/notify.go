// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package notify tells humans what happened.
//
// It is the port that channels implement, one package each below this one, the [Dispatcher] that sends a message through
// all of them with retries, and the texts of the messages. A message keeps its id over retries and restarts: a channel
// that accepted it is not given it again, so that it is repeated only when the process died between the hand-over and
// the commit, and then with the same id.
//
// Every text may quote the attacker. Here it becomes printable and is escaped for HTML; each channel treats it as plain
// text of its own medium. What is sent to a person holds nothing that would help whoever holds that person's identity.
//
// The package decides neither who is told (internal/contact) nor when (the runbook, and the incident's timers).
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sort"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// Notifier is one channel. It is used from many goroutines at once.
type Notifier interface {
	// Notify hands m over and returns the addresses that were accepted, never secrets. Retry tells whether the same
	// call may succeed later. It MUST end with ctx. A channel through which nobody in m can be reached returns
	// ErrNotAddressed. Accepted addresses beside an error mean that only the others failed.
	Notify(ctx context.Context, m incident.Message) (accepted []string, retry bool, err error)
	// ReachesHuman is false for channels that only write down.
	ReachesHuman() bool
}

// ErrNotAddressed tells that a channel has no address for anybody in the message: it is no failure.
var ErrNotAddressed = errors.New("nobody in the message has an address on this channel")

// Follower is a channel that keeps a case of its own for an incident, an alert or a finding, and brings it to an end.
type Follower interface {
	Notifier
	// Follow tells that an incident which the channel accepted a message about is acknowledged or closed now. It answers
	// as Notify does, ErrNotAddressed where that status is nothing to the channel, and MUST be harmless when repeated.
	Follow(ctx context.Context, inc incident.Incident) (accepted []string, retry bool, err error)
}

// Services are what channels share.
type Services struct {
	Clock  func() time.Time
	Logger *slog.Logger
	// Gate is the way to AWS; nil where there is none, as while a configuration is checked: channels need it when they
	// send, not when they are made.
	Gate *gate.Gate
	// Incident looks up what a message is about; nil, or an error, leaves a channel with what the message says.
	Incident func(ctx context.Context, id incident.ID) (incident.Incident, error)
}

// About is the incident that m is about, as far as it can be looked up: else what the message itself says.
func (s Services) About(ctx context.Context, m incident.Message) incident.Incident {
	said := incident.Incident{ID: m.Incident, Severity: m.Severity, Title: m.Subject}
	if s.Incident == nil {
		return said
	}
	inc, err := s.Incident(ctx, m.Incident)
	if err != nil {
		if s.Logger != nil {
			s.Logger.WarnContext(ctx, "a message goes without what is known of its incident", slog.String("message_id", m.ID), slog.Any("error", err))
		}
		return said
	}
	return inc
}

// Config is one entry of the configuration's `channels:`.
type Config struct {
	Type string
	// Decode fills v, a pointer to the channel's own options, refusing unknown fields.
	Decode func(v any) error
}

// Kind is a registered type of channel.
type Kind struct {
	// Type is its name in the configuration, "smtp".
	Type string
	// New makes a channel from its configuration. It may read the files that hold its secrets, and connects to nothing.
	New func(c Config, s Services) (Notifier, error)
	// PerMinute is how many messages the medium takes in a minute, for Channel.PerMinute; 0 is no limit.
	PerMinute int
	// Permissions are what a channel of this configuration may do in AWS, and nothing else; nil for none.
	Permissions func(c Config) ([]Permission, error)
}

// Permission is one permission of IAM that a channel needs.
type Permission struct {
	// Action is as policies name it, "sns:Publish", and Resource the one ARN, or "*" where AWS knows no narrower one.
	Action, Resource string
	// Condition narrows it further: operator, key, value.
	Condition map[string]map[string][]string
}

var kinds = map[string]Kind{}

// Register adds a type of channel. It panics on an empty or duplicate type: a programmer's fault at start.
func Register(k Kind) {
	if _, ok := kinds[k.Type]; ok || k.Type == "" || k.New == nil {
		panic("notify: bad or duplicate registration of " + k.Type)
	}
	kinds[k.Type] = k
}

// Types lists the registered types, sorted.
func Types() []string {
	types := make([]string, 0, len(kinds))
	for t := range kinds {
		types = append(types, t)
	}
	sort.Strings(types)
	return types
}

// Find returns a registered type.
func Find(kind string) (Kind, bool) {
	k, ok := kinds[kind]
	return k, ok
}

// New makes the channel that c describes.
func New(c Config, s Services) (Notifier, error) {
	k, ok := kinds[c.Type]
	if !ok {
		return nil, fmt.Errorf("no channel of type %q (known: %s)", c.Type, strings.Join(Types(), ", "))
	}
	n, err := k.New(c, s)
	if err != nil {
		return nil, fmt.Errorf("channel %s: %w", c.Type, err)
	}
	return n, nil
}
