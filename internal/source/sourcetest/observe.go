// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sourcetest

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
)

// Inbox collects what is delivered.
type Inbox struct {
	// Arrived gets the name of each event that was taken.
	Arrived chan string
	// Before, if set, is asked before an event is taken; its error is the handler's.
	Before func(ctx context.Context, name string) error

	mu  sync.Mutex
	all []source.Delivery
}

// NewInbox returns an empty one.
func NewInbox() *Inbox { return &Inbox{Arrived: make(chan string, 1000)} }

// Handle is the handler to give to a source.
func (in *Inbox) Handle(ctx context.Context, d source.Delivery) error {
	name := d.Envelope.Record.EventName
	if in.Before != nil {
		if err := in.Before(ctx, name); err != nil {
			return err
		}
	}
	in.mu.Lock()
	in.all = append(in.all, d)
	in.mu.Unlock()
	in.Arrived <- name
	return nil
}

// Deliveries are those taken so far.
func (in *Inbox) Deliveries() []source.Delivery {
	in.mu.Lock()
	defer in.mu.Unlock()
	return slices.Clone(in.all)
}

// Take returns the names of the events since the last Take, sorted: sources work on several inputs at once.
func (in *Inbox) Take() []string {
	in.mu.Lock()
	defer in.mu.Unlock()
	var names []string
	for _, d := range in.all {
		names = append(names, d.Envelope.Record.EventName)
	}
	in.all = nil
	slices.Sort(names)
	return names
}

// Calls is a journal in memory.
type Calls struct {
	mu   sync.Mutex
	all  []gate.Call
	seen func(name string)
}

var _ gate.Journal = (*Calls)(nil)

// Intend keeps nothing: Done does.
func (c *Calls) Intend(context.Context, gate.Call) error { return nil }

// Done keeps the call.
func (c *Calls) Done(_ context.Context, call gate.Call) error {
	c.mu.Lock()
	c.all = append(c.all, call)
	seen := c.seen
	c.mu.Unlock()
	if seen != nil && call.Outcome == gate.Sent {
		seen(call.Name())
	}
	return nil
}

// OnSent has f told the name, "SQS.DeleteMessage", of each call that was sent.
func (c *Calls) OnSent(f func(name string)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen = f
}

// Take returns the calls of these names since the last Take, and forgets all calls.
func (c *Calls) Take(names ...string) []gate.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := slices.DeleteFunc(c.all, func(call gate.Call) bool { return !slices.Contains(names, call.Name()) })
	c.all = nil
	return out
}

// All returns the calls since the last All or Take, and forgets them.
func (c *Calls) All() []gate.Call {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.all
	c.all = nil
	return out
}

// Log keeps what is logged at Warn and above.
type Log struct{ lines chan string }

var _ slog.Handler = (*Log)(nil)

// Lines gets each line, its attributes behind the message.
func (l *Log) Lines() <-chan string { return l.lines }

// Enabled is true from Warn up.
func (l *Log) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }

// WithAttrs ignores them.
func (l *Log) WithAttrs([]slog.Attr) slog.Handler { return l }

// WithGroup ignores it.
func (l *Log) WithGroup(string) slog.Handler { return l }

// Handle keeps the line.
func (l *Log) Handle(_ context.Context, r slog.Record) error {
	line := r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	l.lines <- line
	return nil
}

// Shelf keeps dead letters in memory, or refuses them.
type Shelf struct {
	mu   sync.Mutex
	dead []source.Dead
	err  error
}

var _ source.DeadLetters = (*Shelf)(nil)

// PutDead keeps d.
func (s *Shelf) PutDead(_ context.Context, d source.Dead) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.dead = append(s.dead, d)
	}
	return s.err
}

// Refuse makes PutDead return err; nil keeps again.
func (s *Shelf) Refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = err
}

// Kept are the dead letters so far.
func (s *Shelf) Kept() []source.Dead {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.dead)
}
