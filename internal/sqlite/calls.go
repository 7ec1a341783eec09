// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

var (
	_ gate.Journal  = (*DB)(nil)
	_ gate.OwnCalls = (*DB)(nil)
)

// Intend makes a call durable before it leaves.
func (db *DB) Intend(ctx context.Context, c gate.Call) error { return db.keepCall(ctx, c) }

// Done replaces the intention by the outcome and indexes the request ids, by which the call's own event is recognised.
func (db *DB) Done(ctx context.Context, c gate.Call) error { return db.keepCall(ctx, c) }

func (db *DB) keepCall(ctx context.Context, c gate.Call) error {
	c.StartedAt = c.StartedAt.UTC()
	doc, err := encode(c)
	if err != nil {
		return fmt.Errorf("journal call %s: %w", c.ID, err)
	}
	return db.write(ctx, "journal call "+c.ID, func(t *tx) error {
		_, err := t.exec(`INSERT INTO calls (id, incident, started_at, doc) VALUES (?, ?, ?, ?)
			ON CONFLICT (id) DO UPDATE SET doc = excluded.doc`, c.ID, c.Incident, nanos(c.StartedAt), doc)
		if err != nil {
			return err
		}
		for _, id := range append([]string{c.RequestID}, c.EarlierRequestIDs...) {
			if id == "" {
				continue
			}
			if _, err := t.exec(`INSERT INTO requests (id, call) VALUES (?, ?) ON CONFLICT DO NOTHING`, id, c.ID); err != nil {
				return err
			}
		}
		return nil
	})
}

// IsOwn reports whether a call of any process on this database had the request id.
func (db *DB) IsOwn(ctx context.Context, requestID string) (bool, error) {
	if requestID == "" {
		return false, nil
	}
	var one int
	err := db.one(ctx, "look up request", `SELECT 1 FROM requests WHERE id = ?`, []any{requestID}, &one)
	if errors.Is(err, incident.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// Calls returns the calls that were made for an incident, in order.
func (db *DB) Calls(ctx context.Context, id incident.ID) ([]gate.Call, error) {
	return list(ctx, db, "list calls of "+string(id), `SELECT doc FROM calls WHERE incident = ? ORDER BY started_at, id`,
		[]any{string(id)}, document[gate.Call])
}

// Prune removes what only the recent past is asked for: issued sessions that expired, calls that started and restores that
// were made before the moment. It must lie well before now: events come late, and a session is looked up when its last event comes.
func (db *DB) Prune(ctx context.Context, before time.Time) error {
	if err := db.pruneSessions(ctx, before); err != nil {
		return err
	}
	return db.write(ctx, "prune", func(t *tx) error {
		for _, query := range []string{
			`DELETE FROM requests WHERE call IN (SELECT id FROM calls WHERE started_at < ?)`,
			`DELETE FROM calls WHERE started_at < ?`,
			`DELETE FROM restores WHERE at < ?`,
		} {
			if _, err := t.exec(query, nanos(before)); err != nil {
				return err
			}
		}
		return nil
	})
}
