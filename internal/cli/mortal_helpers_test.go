// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/state"
)

// The kinds of moments at which a daemon can be killed.
const (
	// atTransition is a commit of the engine.
	atTransition = "transition"
	// atChange is a mutating call to AWS.
	atChange = "change"
	// atWrite is anything else that lasts: in the store, in the ledger, a message that leaves the queue.
	atWrite = "write"
)

// mortal tells a child at which moment it kills itself, and counts the moments.
type mortal struct {
	Config string
	// At is which moment of the kind is its last, from 1; 0 is none. After is whether it happens first. What narrows the
	// moments to those of that name; empty is all.
	Kind, What string
	At         int
	After      bool
	// Log is where the moments are written down, a line each: kind, a space, what it was.
	Log string

	mu  sync.Mutex
	n   int
	log *os.File
}

// step does something durable, unless the process ends before or after it.
func (m *mortal) step(kind, what string, do func() error) error {
	m.mu.Lock()
	isLast := false
	if kind == m.Kind && (m.What == "" || m.What == what) {
		m.n++
		isLast = m.n == m.At
	}
	_, _ = fmt.Fprintln(m.log, kind, what) // for the reader of a failed test
	m.mu.Unlock()
	if isLast && !m.After {
		kill()
	}
	err := do()
	if isLast {
		kill()
	}
	return err
}

// kill ends this process as kill -9 does.
func kill() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL) // it cannot be refused
	select {}
}

// mortalMain is serve, of which every durable step may be the last.
func mortalMain(text string) int {
	m := &mortal{}
	s := &streams{nil, os.Stdout, os.Stderr}
	return conclude(s, errors.Join(json.Unmarshal([]byte(text), m), m.serve(s)))
}

func (m *mortal) serve(s *streams) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	var err error
	if m.log, err = os.OpenFile(m.Log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600); err != nil {
		return err
	}
	c, path, err := loadConfig(&grammar{Config: m.Config})
	if err != nil {
		return err
	}
	in, err := openInstallation(ctx, c, slog.New(slog.NewTextHandler(s.err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	if err := m.open(ctx, in); err != nil {
		return err
	}
	return errors.Join(in.run(ctx, s, path), in.close(ctx))
}

// open is openSystem with everything that lasts made mortal.
func (m *mortal) open(ctx context.Context, in *installation) error {
	folder, err := objects.OpenFolder(filepath.Join(in.config.State, "ledger"))
	if err != nil {
		return err
	}
	if in.ledger, err = ledger.Open(ctx, mortalFolder{folder, m}, ledger.Options{}); err != nil {
		return err
	}
	if err := in.openBackend(ctx); err != nil {
		return err
	}
	parts, err := in.parts()
	if err != nil {
		return err
	}
	if parts.Gate.Backend != nil {
		parts.Gate.Backend = mortalBackend{parts.Gate.Backend, m}
	}
	parts.Stores, parts.Executions = mortalStores{in.db, m}, mortalExecutions{parts.Executions, m}
	in.system, err = respond.Open(ctx, parts)
	return err
}

// mortalBackend counts the calls that change something.
type mortalBackend struct {
	gate.Backend
	m *mortal
}

func (b mortalBackend) Do(ctx context.Context, r gate.Request) (out any, err error) {
	if gate.IsRead(r.Service, r.Operation) || r.Operation == "ReceiveMessage" {
		return b.Backend.Do(ctx, r)
	}
	kind := atChange
	if r.Service == "SQS" {
		kind = atWrite
	}
	err = b.m.step(kind, r.Service+"."+r.Operation, func() error {
		out, err = b.Backend.Do(ctx, r)
		return err
	})
	return out, err
}

// mortalExecutions counts the transitions.
type mortalExecutions struct {
	engine.Store
	m *mortal
}

func (x mortalExecutions) Commit(ctx context.Context, c engine.Change) error {
	what := string(c.Row.Status)
	for _, e := range c.Events {
		what += " " + e.Type
		if e.State != "" {
			what += ":" + e.State
		}
	}
	return x.m.step(atTransition, what, func() error { return x.Store.Commit(ctx, c) })
}

// mortalFolder counts the writes of the ledger.
type mortalFolder struct {
	ledger.Folder
	m *mortal
}

func (f mortalFolder) Append(ctx context.Context, name string, data []byte) error {
	return f.m.step(atWrite, "ledger", func() error { return f.Folder.Append(ctx, name, data) })
}

// mortalStores counts what the pipeline writes.
type mortalStores struct {
	respond.Stores
	m *mortal
}

func (s mortalStores) Admit(ctx context.Context, c incident.Candidate) (inc incident.Incident, d incident.Disposition, err error) {
	err = s.m.step(atWrite, "Admit", func() error {
		inc, d, err = s.Stores.Admit(ctx, c)
		return err
	})
	return inc, d, err
}

func (s mortalStores) Update(ctx context.Context, id incident.ID, change func(*incident.Incident) error) (inc incident.Incident, err error) {
	err = s.m.step(atWrite, "Update", func() error {
		inc, err = s.Stores.Update(ctx, id, change)
		return err
	})
	return inc, err
}

func (s mortalStores) Append(ctx context.Context, entries ...incident.Entry) error {
	return s.m.step(atWrite, "Append", func() error { return s.Stores.Append(ctx, entries...) })
}

func (s mortalStores) RecordUndo(ctx context.Context, u incident.Undo) (out incident.Undo, err error) {
	err = s.m.step(atWrite, "RecordUndo", func() error {
		out, err = s.Stores.RecordUndo(ctx, u)
		return err
	})
	return out, err
}

func (s mortalStores) MarkDone(ctx context.Context, id incident.ID, key string) error {
	return s.m.step(atWrite, "MarkDone", func() error { return s.Stores.MarkDone(ctx, id, key) })
}

func (s mortalStores) DropUndo(ctx context.Context, id incident.ID, key string) error {
	return s.m.step(atWrite, "DropUndo", func() error { return s.Stores.DropUndo(ctx, id, key) })
}

func (s mortalStores) PutFinding(ctx context.Context, id incident.ID, state string, output json.RawMessage) error {
	return s.m.step(atWrite, "PutFinding", func() error { return s.Stores.PutFinding(ctx, id, state, output) })
}

func (s mortalStores) Schedule(ctx context.Context, t incident.Timer) error {
	return s.m.step(atWrite, "Schedule", func() error { return s.Stores.Schedule(ctx, t) })
}

func (s mortalStores) RecordDelivery(ctx context.Context, id incident.ID, d incident.Delivery) error {
	return s.m.step(atWrite, "RecordDelivery", func() error { return s.Stores.RecordDelivery(ctx, id, d) })
}

func (s mortalStores) PutIssued(ctx context.Context, i incident.IssuedSession) error {
	return s.m.step(atWrite, "PutIssued", func() error { return s.Stores.PutIssued(ctx, i) })
}

func (s mortalStores) PutSnapshot(ctx context.Context, snapshot state.Snapshot) error {
	return s.m.step(atWrite, "PutSnapshot", func() error { return s.Stores.PutSnapshot(ctx, snapshot) })
}

func (s mortalStores) Intend(ctx context.Context, c gate.Call) error {
	return s.m.step(atWrite, "Intend", func() error { return s.Stores.Intend(ctx, c) })
}

// Done counts changes only: a daemon reads without end.
func (s mortalStores) Done(ctx context.Context, c gate.Call) error {
	if !c.IsMutation {
		return s.Stores.Done(ctx, c)
	}
	return s.m.step(atWrite, "Done", func() error { return s.Stores.Done(ctx, c) })
}
