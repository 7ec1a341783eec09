// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

// bare is SQLite with nothing around it: the rows that the engine writes, in the sizes that it writes, in as many durable
// steps, by one writer that takes into a transaction what waits. It is the floor that the engine stands on.
type bare struct {
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	steps      chan step
}

// step is one durable step of an execution.
type step struct {
	do   func(ctx context.Context) error
	done chan error
}

const bareSchema = `
CREATE TABLE executions (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, status TEXT NOT NULL, input BLOB, output BLOB);
CREATE TABLE runs (id INTEGER PRIMARY KEY, version INTEGER NOT NULL, run BLOB NOT NULL);
CREATE TABLE history (id INTEGER PRIMARY KEY, execution INTEGER NOT NULL, last INTEGER NOT NULL, events BLOB NOT NULL);
CREATE INDEX history_execution ON history (execution, last);`

// What a transition of ours stores: the inner state, and five history events.
var (
	bareRun    = bytes.Repeat([]byte("r"), 370)
	bareEvents = bytes.Repeat([]byte("e"), 770)
)

// atATime is how many executions move at a time: as many as the engine has workers.
const atATime = 256

func runSQLite(ctx context.Context, folder string, count int) (perSecond float64, err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(folder, "bare.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=wal_autocheckpoint(16000)")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	b := &bare{statements: map[string]*sql.Stmt{}, steps: make(chan step, atATime)}
	if b.conn, err = db.Conn(ctx); err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, b.conn.Close()) }()
	if _, err := b.conn.ExecContext(ctx, bareSchema); err != nil {
		return 0, err
	}
	perSecond, err = timed(count, func() error { return b.all(ctx, count) })
	if err != nil {
		return 0, err
	}
	var rows int
	if err := b.conn.QueryRowContext(ctx, `SELECT count(*) FROM history`).Scan(&rows); err != nil || rows != count*(tasks+1) {
		return 0, fmt.Errorf("%d rows of history, want %d: %w", rows, count*(tasks+1), err)
	}
	return perSecond, nil
}

// all moves all executions, atATime of them side by side.
func (b *bare) all(ctx context.Context, count int) error {
	var writer, movers sync.WaitGroup
	writer.Go(func() { b.write(ctx) })
	ids := make(chan int)
	errs := make([]error, atATime)
	for i := range errs {
		movers.Go(func() {
			for id := range ids {
				errs[i] = errors.Join(errs[i], b.execution(id))
			}
		})
	}
	for id := range count {
		ids <- id + 1
	}
	close(ids)
	movers.Wait()
	close(b.steps)
	writer.Wait()
	return errors.Join(errs...)
}

// execution takes one execution from its start over its transitions to its end.
func (b *bare) execution(id int) error {
	for version := 1; version <= tasks+1; version++ {
		s := step{done: make(chan error, 1), do: func(ctx context.Context) error { return b.move(ctx, id, version) }}
		b.steps <- s
		if err := <-s.done; err != nil {
			return err
		}
	}
	return nil
}

func (b *bare) move(ctx context.Context, id, version int) error {
	var err error
	switch version {
	case 1:
		err = errors.Join(b.exec(ctx, `INSERT INTO executions (id, name, status, input) VALUES (?, ?, ?, ?)`, id, fmt.Sprint("x", id), "RUNNING", []byte(input)),
			b.exec(ctx, `INSERT INTO runs (id, version, run) VALUES (?, ?, ?)`, id, version, bareRun))
	case tasks + 1:
		err = errors.Join(b.exec(ctx, `DELETE FROM runs WHERE id = ? AND version = ?`, id, version-1),
			b.exec(ctx, `UPDATE executions SET status = ?, output = ? WHERE id = ?`, "SUCCEEDED", []byte(input), id))
	default:
		err = b.exec(ctx, `UPDATE runs SET version = ?, run = ? WHERE id = ? AND version = ?`, version, bareRun, id, version-1)
	}
	return errors.Join(err, b.exec(ctx, `INSERT INTO history (execution, last, events) VALUES (?, ?, ?)`, id, 5*version, bareEvents))
}

// write makes one transaction of whatever waits, until there are no more steps.
func (b *bare) write(ctx context.Context) {
	for first := range b.steps {
		batch := b.gather(first)
		err := b.exec(ctx, `BEGIN IMMEDIATE`)
		for _, s := range batch {
			err = errors.Join(err, s.do(ctx))
		}
		err = errors.Join(err, b.exec(ctx, `COMMIT`))
		for _, s := range batch {
			s.done <- err
		}
	}
}

func (b *bare) gather(first step) []step {
	batch := []step{first}
	for {
		select {
		case s, ok := <-b.steps:
			if !ok {
				return batch
			}
			batch = append(batch, s)
		default:
			return batch
		}
	}
}

func (b *bare) exec(ctx context.Context, query string, args ...any) error {
	s := b.statements[query]
	if s == nil {
		var err error
		if s, err = b.conn.PrepareContext(ctx, query); err != nil {
			return err
		}
		b.statements[query] = s
	}
	_, err := s.ExecContext(context.WithoutCancel(ctx), args...)
	return err
}
