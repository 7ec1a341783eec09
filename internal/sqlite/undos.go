// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Undos = (*DB)(nil)

// RecordUndo stores u; the record that was there first wins and is returned.
func (db *DB) RecordUndo(ctx context.Context, u incident.Undo) (incident.Undo, error) {
	fresh, err := encode(u)
	if err != nil {
		return u, fmt.Errorf("record undo: %w", err)
	}
	var doc []byte
	err = db.write(ctx, "record undo", func(t *tx) error {
		known := []any{string(u.Incident), u.Key}
		err := t.get(`SELECT doc FROM undos WHERE incident = ? AND key = ?`, known, &doc)
		if !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		doc = fresh
		_, err = t.exec(`INSERT INTO undos (incident, key, doc) VALUES (?, ?, ?)`, string(u.Incident), u.Key, doc)
		return err
	})
	if err != nil {
		return u, err
	}
	return decode[incident.Undo](doc)
}

// MarkDone says that the change was verified.
func (db *DB) MarkDone(ctx context.Context, id incident.ID, key string) error {
	return db.changeUndo(ctx, id, key, func(u *incident.Undo) { u.Done = true })
}

// MarkUndone says that the change was taken back. The first time stands.
func (db *DB) MarkUndone(ctx context.Context, id incident.ID, key, by string, at time.Time) error {
	return db.changeUndo(ctx, id, key, func(u *incident.Undo) {
		if u.UndoneAt.IsZero() {
			u.UndoneAt, u.UndoneBy = at.UTC(), by
		}
	})
}

// DropUndo removes a record, if it is there.
func (db *DB) DropUndo(ctx context.Context, id incident.ID, key string) error {
	return db.write(ctx, "drop undo record", func(t *tx) error {
		_, err := t.exec(`DELETE FROM undos WHERE incident = ? AND key = ?`, string(id), key)
		return err
	})
}

func (db *DB) changeUndo(ctx context.Context, id incident.ID, key string, change func(*incident.Undo)) error {
	return db.write(ctx, fmt.Sprintf("mark undo record %q of %s", key, id), func(t *tx) error {
		var doc []byte
		if err := t.get(`SELECT doc FROM undos WHERE incident = ? AND key = ?`, []any{string(id), key}, &doc); err != nil {
			return notFound(err)
		}
		u, err := decode[incident.Undo](doc)
		if err != nil {
			return err
		}
		change(&u)
		if doc, err = encode(u); err != nil {
			return err
		}
		_, err = t.exec(`UPDATE undos SET doc = ? WHERE incident = ? AND key = ?`, doc, string(id), key)
		return err
	})
}

// ListUndos returns the records of an incident, newest first.
func (db *DB) ListUndos(ctx context.Context, id incident.ID) ([]incident.Undo, error) {
	return list(ctx, db, "list undo records of "+string(id), `SELECT doc FROM undos WHERE incident = ? ORDER BY id DESC`,
		[]any{string(id)}, document[incident.Undo])
}
