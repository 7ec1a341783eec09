// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.BlindWindows = (*DB)(nil)

// PutBlindWindows adds windows, or replaces those that began at the same moment, all of them or none.
func (db *DB) PutBlindWindows(ctx context.Context, windows ...incident.BlindWindow) error {
	docs := make([][]byte, 0, len(windows))
	for i := range windows {
		w := windows[i]
		w.Lost, w.Found, w.Proven, w.Backfilled = w.Lost.UTC(), w.Found.UTC(), w.Proven.UTC(), w.Backfilled.UTC()
		doc, err := encode(w)
		if err != nil {
			return fmt.Errorf("keep blind window: %w", err)
		}
		docs = append(docs, doc)
	}
	if len(docs) == 0 {
		return nil
	}
	return db.write(ctx, "keep blind windows", func(t *tx) error {
		for i, w := range windows {
			_, err := t.exec(`INSERT INTO blind_windows (incident, account, region, class, lost, doc) VALUES (?, ?, ?, ?, ?, ?)
				ON CONFLICT (incident, account, region, class, lost) DO UPDATE SET doc = excluded.doc`,
				string(w.Incident), w.Account, w.Region, w.Class, nanos(w.Lost), docs[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// ListBlindWindows returns the windows of an incident, or all, oldest first.
func (db *DB) ListBlindWindows(ctx context.Context, id incident.ID) ([]incident.BlindWindow, error) {
	where, by := `WHERE incident = ?`, []any{string(id)}
	if id == "" {
		where, by = ``, nil
	}
	return list(ctx, db, "list blind windows of "+string(id),
		`SELECT doc FROM blind_windows `+where+` ORDER BY lost, account, region, class, incident`, by, document[incident.BlindWindow])
}
