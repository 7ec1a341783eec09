// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Findings = (*DB)(nil)

// PutFinding keeps the newest output of a state.
func (db *DB) PutFinding(ctx context.Context, id incident.ID, state string, output json.RawMessage) error {
	return db.write(ctx, "keep finding", func(t *tx) error {
		_, err := t.exec(`INSERT INTO findings (incident, state, output) VALUES (?, ?, ?)
			ON CONFLICT (incident, state) DO UPDATE SET output = excluded.output`, string(id), state, orEmpty(output))
		return err
	})
}

// ListFindings returns the outputs of an incident's states.
func (db *DB) ListFindings(ctx context.Context, id incident.ID) (map[string]json.RawMessage, error) {
	type finding struct {
		state  string
		output []byte
	}
	all, err := list(ctx, db, "list findings of "+string(id), `SELECT state, output FROM findings WHERE incident = ?`, []any{string(id)},
		func(rows *sql.Rows) (f finding, err error) { return f, rows.Scan(&f.state, &f.output) })
	if err != nil {
		return nil, err
	}
	found := make(map[string]json.RawMessage, len(all))
	for _, f := range all {
		found[f.state] = f.output
	}
	return found, nil
}
