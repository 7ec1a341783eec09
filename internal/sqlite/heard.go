// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"

	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Hearings = (*DB)(nil)

// PutHeard keeps the later of each moment that is known and that h gives.
func (db *DB) PutHeard(ctx context.Context, h incident.Heard) error {
	return db.write(ctx, "keep that "+h.Source+" was heard", func(t *tx) error {
		_, err := t.exec(`INSERT INTO heard (source, at, canary_at) VALUES (?, ?, ?) ON CONFLICT (source)
			DO UPDATE SET at = max(at, excluded.at), canary_at = max(canary_at, excluded.canary_at)`,
			h.Source, nanos(h.At), nanos(h.CanaryAt))
		return err
	})
}

// Heard lists the sources, sorted.
func (db *DB) Heard(ctx context.Context) ([]incident.Heard, error) {
	return list(ctx, db, "list what was heard", `SELECT source, at, canary_at FROM heard ORDER BY source`, nil,
		func(rows *sql.Rows) (h incident.Heard, err error) {
			var at, canary int64
			err = rows.Scan(&h.Source, &at, &canary)
			h.At, h.CanaryAt = fromNanos(at), fromNanos(canary)
			return h, err
		})
}
