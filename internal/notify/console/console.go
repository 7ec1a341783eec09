// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package console writes messages to the log or the terminal. It reaches no human: whoever reads it later was not told.
//
//	type: console    # no fields
package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "console", New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
		if s.Logger == nil {
			return nil, errors.New("needs a logger")
		}
		return Log{s.Logger}, c.Decode(&struct{}{})
	}})
}

// Log writes messages as log records, one each.
type Log struct{ Logger *slog.Logger }

// Writer writes messages as text for people, whole messages at a time.
type Writer struct {
	mu sync.Mutex
	w  io.Writer
}

var (
	_ notify.Notifier = Log{}
	_ notify.Notifier = (*Writer)(nil)
)

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// What bounds a message, in bytes.
const (
	maxSubject = 2000
	maxText    = 256 << 10
)

// Notify logs m.
func (l Log) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	l.Logger.InfoContext(ctx, "message",
		slog.String("message_id", m.ID), slog.String("incident", string(m.Incident)), slog.String("kind", string(m.Kind)),
		slog.String("to", names(m.To)), slog.String("subject", notify.Line(m.Subject, maxSubject)),
		slog.String("text", notify.Plain(strings.TrimRight(m.Text, "\n"), maxText)))
	return []string{"log"}, false, nil
}

// ReachesHuman implements notify.Notifier.
func (Log) ReachesHuman() bool { return false }

// Notify prints m. A writer that fails may work again.
func (c *Writer) Notify(_ context.Context, m incident.Message) ([]string, bool, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "--- message to %s (%s)\n%s\n\n%s\n---\n", names(m.To), m.Kind, notify.Line(m.Subject, maxSubject), notify.Plain(strings.TrimRight(m.Text, "\n"), maxText))
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, err := io.WriteString(c.w, b.String()); err != nil {
		return nil, true, fmt.Errorf("print message: %w", err)
	}
	return []string{"console"}, false, nil
}

// ReachesHuman implements notify.Notifier.
func (*Writer) ReachesHuman() bool { return false }

func names(people []incident.Person) string {
	if len(people) == 0 {
		return "security"
	}
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = identity.Printable(p.Name, 100)
	}
	return strings.Join(all, ", ")
}
