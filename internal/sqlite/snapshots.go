// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
)

var _ state.Snapshots = (*DB)(nil)

// PutSnapshot adds s, or moves LastSeenAt of the newest snapshot of the resource when that has equal content (as JSON
// values) and is not younger. LastSeenAt is at least TakenAt.
func (db *DB) PutSnapshot(ctx context.Context, s state.Snapshot) error {
	s.TakenAt, s.LastSeenAt = s.TakenAt.UTC(), s.LastSeenAt.UTC()
	if s.LastSeenAt.Before(s.TakenAt) {
		s.LastSeenAt = s.TakenAt
	}
	fresh, err := encode(s)
	if err != nil {
		return fmt.Errorf("keep snapshot of %s: %w", s.Resource, err)
	}
	return db.write(ctx, "keep snapshot of "+string(s.Resource), func(t *tx) error {
		var (
			id  int64
			doc []byte
		)
		err := t.get(`SELECT id, doc FROM snapshots WHERE resource = ? ORDER BY taken_at DESC, id DESC LIMIT 1`, []any{string(s.Resource)}, &id, &doc)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if err == nil {
			newest, err := decode[state.Snapshot](doc)
			if err != nil {
				return err
			}
			if !s.TakenAt.Before(newest.TakenAt) && equalJSON(s.Content, newest.Content) {
				return t.seeSnapshot(id, newest, s.LastSeenAt)
			}
		}
		_, err = t.exec(`INSERT INTO snapshots (resource, kind, taken_at, doc) VALUES (?, ?, ?, ?)`, string(s.Resource), s.Kind, nanos(s.TakenAt), fresh)
		return err
	})
}

func (t *tx) seeSnapshot(id int64, s state.Snapshot, at time.Time) error {
	if !at.After(s.LastSeenAt) {
		return nil
	}
	s.LastSeenAt = at
	doc, err := encode(s)
	if err != nil {
		return err
	}
	_, err = t.exec(`UPDATE snapshots SET doc = ? WHERE id = ?`, doc, id)
	return err
}

// equalJSON compares values: the order of members and white space do not count.
func equalJSON(a, b json.RawMessage) bool {
	x, errX := canonical(a)
	y, errY := canonical(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func canonical(text json.RawMessage) ([]byte, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, err
	}
	return encode(v)
}

// SnapshotBefore returns the newest snapshot that was taken before the moment.
func (db *DB) SnapshotBefore(ctx context.Context, resource arn.ARN, before time.Time) (state.Snapshot, error) {
	var doc []byte
	err := db.one(ctx, "read snapshot of "+string(resource), `SELECT doc FROM snapshots WHERE resource = ? AND taken_at < ? ORDER BY taken_at DESC, id DESC LIMIT 1`,
		[]any{string(resource), nanos(before)}, &doc)
	if err != nil {
		return state.Snapshot{}, err
	}
	return decode[state.Snapshot](doc)
}

// TrustSnapshot keeps who trusts and who wrote a version.
func (db *DB) TrustSnapshot(ctx context.Context, s state.Snapshot) error {
	return db.write(ctx, "trust snapshot of "+string(s.Resource), func(t *tx) error {
		var (
			id  int64
			doc []byte
		)
		err := t.get(`SELECT id, doc FROM snapshots WHERE resource = ? AND taken_at = ? ORDER BY id DESC LIMIT 1`,
			[]any{string(s.Resource), nanos(s.TakenAt)}, &id, &doc)
		if err != nil {
			return notFound(err)
		}
		known, err := decode[state.Snapshot](doc)
		if err != nil {
			return err
		}
		known.TrustedBy, known.TrustedAt, known.TrustReason = s.TrustedBy, s.TrustedAt.UTC(), s.TrustReason
		known.Writer, known.WrittenBy = s.Writer, s.WrittenBy
		fresh, err := encode(known)
		if err != nil {
			return err
		}
		_, err = t.exec(`UPDATE snapshots SET doc = ? WHERE id = ?`, fresh, id)
		return err
	})
}

// SnapshotVersions returns every version of a resource, oldest first.
func (db *DB) SnapshotVersions(ctx context.Context, resource arn.ARN) ([]state.Snapshot, error) {
	return list(ctx, db, "list versions of "+string(resource), `SELECT doc FROM snapshots WHERE resource = ? ORDER BY taken_at, id`,
		[]any{string(resource)}, document[state.Snapshot])
}

// NewestSnapshots returns the newest snapshot of every resource of a kind, sorted by resource.
func (db *DB) NewestSnapshots(ctx context.Context, kind string) ([]state.Snapshot, error) {
	return list(ctx, db, "list snapshots",
		`SELECT doc FROM snapshots s WHERE kind = ?1 AND id = (
			SELECT id FROM snapshots n WHERE n.kind = ?1 AND n.resource = s.resource ORDER BY taken_at DESC, id DESC LIMIT 1)
		ORDER BY resource`, []any{kind}, document[state.Snapshot])
}
