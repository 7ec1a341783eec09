// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"fmt"

	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Answers = (*DB)(nil)

// wasItYou holds what people said, and the links that they can say it with.
const wasItYou = `
CREATE TABLE answers (
	ordinal  INTEGER PRIMARY KEY,
	incident TEXT NOT NULL,
	key      TEXT NOT NULL,
	doc      BLOB NOT NULL,
	UNIQUE (incident, key)
);
CREATE TABLE links (
	nonce   TEXT PRIMARY KEY,
	message TEXT NOT NULL UNIQUE,
	doc     BLOB NOT NULL
) WITHOUT ROWID;
`

// AddAnswer keeps an answer; incident.ErrConflict when the incident has one with its key.
func (db *DB) AddAnswer(ctx context.Context, a incident.Answer) error {
	a.At = a.At.UTC()
	doc, err := encode(a)
	if err != nil {
		return fmt.Errorf("keep answer: %w", err)
	}
	return db.write(ctx, "keep answer", func(t *tx) error {
		added, err := t.exec(`INSERT INTO answers (incident, key, doc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, string(a.Incident), a.Key, doc)
		if err == nil && added == 0 {
			return incident.ErrConflict
		}
		return err
	})
}

// ListAnswers lists them in the order in which they were added.
func (db *DB) ListAnswers(ctx context.Context, id incident.ID) ([]incident.Answer, error) {
	return list(ctx, db, "list answers", `SELECT doc FROM answers WHERE incident = ? ORDER BY ordinal`, []any{string(id)}, document[incident.Answer])
}

// KeepLink keeps a link unless its message has one; the kept one is returned.
func (db *DB) KeepLink(ctx context.Context, l incident.Link) (incident.Link, error) {
	l.ExpiresAt = l.ExpiresAt.UTC()
	doc, err := encode(l)
	if err != nil {
		return incident.Link{}, fmt.Errorf("keep link: %w", err)
	}
	err = db.write(ctx, "keep link", func(t *tx) error {
		_, err := t.exec(`INSERT INTO links (nonce, message, doc) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, l.Nonce, l.Message, doc)
		return err
	})
	if err != nil {
		return incident.Link{}, err
	}
	return db.link(ctx, `SELECT doc FROM links WHERE message = ?`, l.Message)
}

// GetLink returns incident.ErrNotFound for a nonce that was never given out.
func (db *DB) GetLink(ctx context.Context, nonce string) (incident.Link, error) {
	return db.link(ctx, `SELECT doc FROM links WHERE nonce = ?`, nonce)
}

func (db *DB) link(ctx context.Context, query, arg string) (incident.Link, error) {
	var doc []byte
	if err := db.one(ctx, "read link", query, []any{arg}, &doc); err != nil {
		return incident.Link{}, err
	}
	return decode[incident.Link](doc)
}
