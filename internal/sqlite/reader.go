// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
)

// reader reads beside the writer, on a few connections, with statements that are prepared once: there are few dozens.
type reader struct {
	pool *sql.DB

	mu         sync.Mutex
	statements map[string]*sql.Stmt
}

func newReader(pool *sql.DB, connections int) *reader {
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return &reader{pool: pool, statements: map[string]*sql.Stmt{}}
}

func (r *reader) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.statements[query]; s != nil {
		return s, nil
	}
	s, err := r.pool.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	r.statements[query] = s
	return s, nil
}

func (r *reader) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, r.pool.Close())...)
}

// one reads one row; incident.ErrNotFound when there is none.
func (db *DB) one(ctx context.Context, what, query string, args []any, into ...any) error {
	s, err := db.reader.prepare(ctx, query)
	if err == nil {
		err = s.QueryRowContext(ctx, args...).Scan(into...)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", what, notFound(err))
	}
	return nil
}

// list reads rows.
func list[T any](ctx context.Context, db *DB, what, query string, args []any, scan func(*sql.Rows) (T, error)) ([]T, error) {
	out, err := scanRows(ctx, db, query, args, scan)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, explain(err))
	}
	return out, nil
}

func scanRows[T any](ctx context.Context, db *DB, query string, args []any, scan func(*sql.Rows) (T, error)) (out []T, err error) {
	s, err := db.reader.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		v, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, rows.Err()
}

// document scans a row that is one document.
func document[T any](rows *sql.Rows) (T, error) {
	var doc sql.RawBytes
	if err := rows.Scan(&doc); err != nil {
		var zero T
		return zero, err
	}
	return decode[T](doc)
}
