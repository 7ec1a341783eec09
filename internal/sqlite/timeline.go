// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Timeline = (*DB)(nil)

// Append adds entries to the timelines of their incidents, all of them or none. One whose key is there already is left
// out.
func (db *DB) Append(ctx context.Context, entries ...incident.Entry) error {
	docs := make([][]byte, len(entries))
	for i, e := range entries {
		e.Seq, e.At = 0, e.At.UTC()
		doc, err := encode(e)
		if err != nil {
			return fmt.Errorf("append to timeline of %s: %w", e.Incident, err)
		}
		docs[i] = doc
	}
	return db.write(ctx, "append to timeline", func(t *tx) error {
		for i, e := range entries {
			_, err := t.exec(`INSERT INTO timeline (incident, seq, key, doc)
				SELECT ?1, coalesce(max(seq), 0) + 1, ?2, ?3 FROM timeline WHERE incident = ?1
				ON CONFLICT DO NOTHING`, string(e.Incident), e.Key, docs[i])
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Entries returns the timeline of an incident in order; none for an unknown one.
func (db *DB) Entries(ctx context.Context, id incident.ID) ([]incident.Entry, error) {
	return list(ctx, db, "read timeline of "+string(id), `SELECT seq, doc FROM timeline WHERE incident = ? ORDER BY seq`, []any{string(id)},
		func(rows *sql.Rows) (incident.Entry, error) {
			var (
				seq int64
				doc sql.RawBytes
			)
			if err := rows.Scan(&seq, &doc); err != nil {
				return incident.Entry{}, err
			}
			e, err := decode[incident.Entry](doc)
			e.Seq = seq
			return e, err
		})
}

// Evidence returns the envelope of an admitted event byte by byte as it came.
func (db *DB) Evidence(ctx context.Context, id cloudtrail.EventID) (json.RawMessage, error) {
	var envelope []byte
	err := db.one(ctx, "read evidence of event "+strconv.Quote(string(id)), `SELECT envelope FROM evidence WHERE event = ?`, []any{string(id)}, &envelope)
	return envelope, err
}
