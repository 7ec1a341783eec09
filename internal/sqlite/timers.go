// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

var (
	_ incident.Timers = (*DB)(nil)
	_ incident.Pauses = (*DB)(nil)
)

// Schedule sets a timer; one with its key is moved.
func (db *DB) Schedule(ctx context.Context, timer incident.Timer) error {
	timer.DueAt = timer.DueAt.UTC()
	doc, err := encode(timer)
	if err != nil {
		return fmt.Errorf("schedule timer: %w", err)
	}
	return db.write(ctx, "schedule timer", func(t *tx) error {
		_, err := t.exec(`INSERT INTO timers (incident, key, due_at, doc) VALUES (?, ?, ?, ?)
			ON CONFLICT (incident, key) DO UPDATE SET due_at = excluded.due_at, doc = excluded.doc`,
			string(timer.Incident), timer.Key, nanos(timer.DueAt), doc)
		return err
	})
}

// Due returns up to limit timers due at now (all when limit is zero), oldest first, and when the next one is.
func (db *DB) Due(ctx context.Context, now time.Time, limit int) ([]incident.Timer, time.Time, error) {
	query, args := selection(`SELECT doc FROM timers`, []string{"due_at <= ?"}, []any{nanos(now)}, "due_at, incident, key", limit)
	due, err := list(ctx, db, "read timers", query, args, document[incident.Timer])
	if err != nil {
		return nil, time.Time{}, err
	}
	var next sql.NullInt64
	err = db.one(ctx, "read timers", `SELECT min(due_at) FROM timers WHERE due_at > ?`, []any{nanos(now)}, &next)
	return due, fromNanos(next.Int64), err
}

// Complete removes a timer, if it is there.
func (db *DB) Complete(ctx context.Context, id incident.ID, key string) error {
	return db.write(ctx, "complete timer", func(t *tx) error {
		_, err := t.exec(`DELETE FROM timers WHERE incident = ? AND key = ?`, string(id), key)
		return err
	})
}

// CancelTimers removes the timers of an incident that are for people.
func (db *DB) CancelTimers(ctx context.Context, id incident.ID) error {
	return db.write(ctx, "cancel timers", func(t *tx) error {
		_, err := t.exec(`DELETE FROM timers WHERE incident = ? AND json_extract(CAST(doc AS TEXT), '$.kind') <> ?`, string(id), incident.TimerLift)
		return err
	})
}

// AddPause sets a pause; one with its id is replaced.
func (db *DB) AddPause(ctx context.Context, p incident.Pause) error {
	p.CreatedAt, p.Until = p.CreatedAt.UTC(), p.Until.UTC()
	doc, err := encode(p)
	if err != nil {
		return fmt.Errorf("pause: %w", err)
	}
	return db.write(ctx, "pause", func(t *tx) error {
		_, err := t.exec(`INSERT INTO pauses (id, until, ended, doc) VALUES (?, ?, 0, ?)
			ON CONFLICT (id) DO UPDATE SET until = excluded.until, ended = 0, doc = excluded.doc`, p.ID, nanos(p.Until), doc)
		return err
	})
}

// EndPause ends a pause before its time; incident.ErrNotFound when there never was one of that id.
func (db *DB) EndPause(ctx context.Context, id string) error {
	return db.write(ctx, fmt.Sprintf("end pause %q", id), func(t *tx) error {
		changed, err := t.exec(`UPDATE pauses SET ended = 1 WHERE id = ?`, id)
		if err == nil && changed == 0 {
			return incident.ErrNotFound
		}
		return err
	})
}

// ActivePauses returns the pauses that are neither over at now nor ended.
func (db *DB) ActivePauses(ctx context.Context, now time.Time) ([]incident.Pause, error) {
	return list(ctx, db, "read pauses", `SELECT doc FROM pauses WHERE ended = 0 AND until > ? ORDER BY until, id`,
		[]any{nanos(now)}, document[incident.Pause])
}
