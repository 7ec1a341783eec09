// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

var (
	_ incident.Exceptions = (*DB)(nil)
	_ incident.Restores   = (*DB)(nil)
)

// plannedChange holds exceptions, and what was put back when.
const plannedChange = `
CREATE TABLE exceptions (
	ordinal  INTEGER PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	resource TEXT NOT NULL,
	settled  INTEGER NOT NULL,
	version  INTEGER NOT NULL,
	doc      BLOB NOT NULL
);
CREATE INDEX exceptions_resource ON exceptions (resource, ordinal);
CREATE INDEX exceptions_settled ON exceptions (settled, ordinal);
CREATE TABLE restores (
	resource  TEXT NOT NULL,
	execution TEXT NOT NULL,
	actor     TEXT NOT NULL,
	at        INTEGER NOT NULL,
	doc       BLOB NOT NULL,
	PRIMARY KEY (resource, execution)
) WITHOUT ROWID;
CREATE INDEX restores_actor ON restores (actor, at);
CREATE INDEX restores_at ON restores (at);
`

// AddException keeps a new one.
func (db *DB) AddException(ctx context.Context, e incident.Exception) error {
	doc, err := encode(inUTC(e))
	if err != nil {
		return fmt.Errorf("add exception: %w", err)
	}
	return db.write(ctx, "add exception "+e.ID, func(t *tx) error {
		added, err := t.exec(`INSERT INTO exceptions (id, resource, settled, version, doc) VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING`,
			e.ID, string(e.Resource), nanos(e.SettledAt), doc)
		if err == nil && added == 0 {
			return incident.ErrConflict
		}
		return err
	})
}

// inUTC: moments read back as they were written.
func inUTC(e incident.Exception) incident.Exception {
	for _, t := range []*time.Time{&e.Until, &e.AddedAt, &e.ApprovedAt, &e.EndedAt, &e.SettledAt} {
		if !t.IsZero() {
			*t = t.UTC()
		}
	}
	return e
}

// UpdateException changes one; whoever was faster makes it read again.
func (db *DB) UpdateException(ctx context.Context, id string, change func(*incident.Exception) error) (incident.Exception, error) {
	what := fmt.Sprintf("update exception %q", id)
	for {
		var (
			version int64
			doc     []byte
		)
		if err := db.one(ctx, what, `SELECT version, doc FROM exceptions WHERE id = ?`, []any{id}, &version, &doc); err != nil {
			return incident.Exception{}, err
		}
		e, err := decode[incident.Exception](doc)
		if err != nil {
			return e, err
		}
		if err := change(&e); err != nil {
			return incident.Exception{}, err
		}
		if e.ID != id {
			return incident.Exception{}, fmt.Errorf("%s: its id was changed to %q", what, e.ID)
		}
		e = inUTC(e)
		if isWritten, err := db.putException(ctx, what, e, version); isWritten || err != nil {
			return e, err
		}
	}
}

// putException reports false when the version is no longer the one that was read.
func (db *DB) putException(ctx context.Context, what string, e incident.Exception, version int64) (isWritten bool, err error) {
	doc, err := encode(e)
	if err != nil {
		return false, fmt.Errorf("%s: %w", what, err)
	}
	err = db.write(ctx, what, func(t *tx) error {
		changed, err := t.exec(`UPDATE exceptions SET resource = ?, settled = ?, version = version + 1, doc = ? WHERE id = ? AND version = ?`,
			string(e.Resource), nanos(e.SettledAt), doc, e.ID, version)
		isWritten = changed == 1
		return err
	})
	return isWritten, err
}

// ListExceptions lists them in the order in which they were added.
func (db *DB) ListExceptions(ctx context.Context, f incident.ExceptionFilter) ([]incident.Exception, error) {
	var where []string
	var args []any
	if f.Resource != "" {
		where, args = append(where, "resource = ?"), append(args, string(f.Resource))
	}
	if f.Unsettled {
		where = append(where, "settled = 0")
	}
	query, args := selection(`SELECT doc FROM exceptions`, where, args, "ordinal", 0)
	return list(ctx, db, "list exceptions", query, args, document[incident.Exception])
}

// RecordRestore keeps that a resource was put back.
func (db *DB) RecordRestore(ctx context.Context, r incident.Restore) error {
	r.At = r.At.UTC()
	doc, err := encode(r)
	if err != nil {
		return fmt.Errorf("record restore: %w", err)
	}
	return db.write(ctx, "record restore", func(t *tx) error {
		_, err := t.exec(`INSERT INTO restores (resource, execution, actor, at, doc) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
			r.Resource, r.Execution, r.Actor, nanos(r.At), doc)
		return err
	})
}

// ListRestores lists them, oldest first.
func (db *DB) ListRestores(ctx context.Context, f incident.RestoreFilter) ([]incident.Restore, error) {
	var where []string
	var args []any
	for _, c := range []struct{ column, value string }{{"resource", f.Resource}, {"actor", f.Actor}} {
		if c.value != "" {
			where, args = append(where, c.column+" = ?"), append(args, c.value)
		}
	}
	if !f.Since.IsZero() {
		where, args = append(where, "at >= ?"), append(args, nanos(f.Since))
	}
	query, args := selection(`SELECT doc FROM restores`, where, args, "at, resource, execution", 0)
	return list(ctx, db, "list restores", query, args, document[incident.Restore])
}
