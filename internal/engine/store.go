// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// Row is an execution as the store keeps it.
type Row struct {
	Execution
	// Run is the state of the interpreter, asl.Run as JSON; nil once the execution has ended.
	Run []byte
	// Version counts the commits; a commit names the one that it makes.
	Version int64
	// Wake is when the execution needs an engine: a timer is due, or tasks are to be handed out. Zero: not by itself.
	Wake time.Time
	// Owner is the engine that has tasks of it in hand; empty: none.
	Owner string
}

// Change is one commit of one execution: its row, which replaces the one of the version before, and the events that were
// added.
type Change struct {
	Row    Row
	Events []asl.Event
}

// Store keeps executions. Every method is durable when it returns; commits of many goroutines share a transaction. The
// contract suite is enginetest.
type Store interface {
	Definitions
	Executions
	Leases
}

// Definitions keeps state machines by content, so that an execution ends on the definition it began with.
type Definitions interface {
	PutDefinition(ctx context.Context, hash string, definition []byte) error
	// Definition returns incident.ErrNotFound for an unknown hash.
	Definition(ctx context.Context, hash string) ([]byte, error)
}

// Executions keeps the rows and, apart from them, their history.
type Executions interface {
	// Commit writes a change. Version 1 creates the execution: incident.ErrConflict when the name is taken. A later one is
	// incident.ErrConflict unless the stored version is the one before.
	Commit(ctx context.Context, c Change) error
	// Load returns incident.ErrNotFound for an unknown name.
	Load(ctx context.Context, name string) (Row, error)
	// List returns executions, newest first.
	List(ctx context.Context, f Filter) ([]Execution, error)
	// History returns up to limit events after the event id, in order.
	History(ctx context.Context, name string, after int64, limit int) ([]asl.Event, error)
	// Due returns running executions of the owner or of none whose Wake is not after now, earliest first, and the
	// earliest Wake after now (zero: none).
	Due(ctx context.Context, owner string, now time.Time, limit int) (due []Due, next time.Time, err error)
	// Prune removes executions that stopped before the moment, with their history.
	Prune(ctx context.Context, before time.Time) (removed int, err error)
}

// Due is an execution that needs an engine.
type Due struct {
	Name    string
	Version int64
}

// Leases tells which engines live.
type Leases interface {
	// RenewLease says that the owner lives until the moment.
	RenewLease(ctx context.Context, owner string, until time.Time) error
	// Owners lists the leases.
	Owners(ctx context.Context) ([]Lease, error)
	// Abandon takes from an owner everything it owns and makes it due at now, for whoever comes first, and forgets the
	// lease. It does nothing, and says so, when the lease was renewed since it was read.
	Abandon(ctx context.Context, lease Lease, now time.Time) (isDone bool, err error)
	// Secret returns a value that is made once per store: the key of task tokens.
	Secret(ctx context.Context) ([]byte, error)
}

// Lease is the sign of life of an engine.
type Lease struct {
	Owner string
	Until time.Time
	// IsDead says that the store knows the owner's process to be gone, whatever Until is.
	IsDead bool
}

// Filter narrows List; the zero value means all.
type Filter struct {
	Machine string
	Status  asl.Status
	Limit   int
	// Before continues a listing: executions started before this one.
	Before string
}
