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

// maxBatch bounds the operations of one transaction, and so how long the first of them waits for the last.
const maxBatch = 512

// writer owns the one connection that writes. Operations queue; whatever waits when the writer is free becomes one
// transaction.
type writer struct {
	conn  *sql.Conn
	queue chan *operation
	// closing is held for reading while an operation is handed over.
	closing  sync.RWMutex
	isClosed bool
	done     chan struct{}
	err      error // of closing, once done is closed
}

// operation is one caller's part of a transaction. do may run more than once: when the transaction fails because of
// another operation it is rolled back and run again without that one. So do sets its results afresh each time.
type operation struct {
	do      func(*tx) error
	outcome chan error
}

func newWriter(ctx context.Context, conn *sql.Conn) *writer {
	w := &writer{conn: conn, queue: make(chan *operation, maxBatch), done: make(chan struct{})}
	go w.run(ctx)
	return w
}

// write runs do in a transaction and returns when that is on disk. It waits for the outcome even when ctx ends: what do
// captured belongs to the writer until then.
func (db *DB) write(ctx context.Context, what string, do func(*tx) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	op := &operation{do: do, outcome: make(chan error, 1)}
	if err := db.writer.hand(op); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if err := <-op.outcome; err != nil {
		return fmt.Errorf("%s: %w", what, explain(err))
	}
	db.copier.noteWrite()
	return nil
}

func (w *writer) hand(op *operation) error {
	w.closing.RLock()
	defer w.closing.RUnlock()
	if w.isClosed {
		return ErrClosed
	}
	w.queue <- op
	return nil
}

// close lets the queue run empty.
func (w *writer) close() error {
	w.closing.Lock()
	if !w.isClosed {
		w.isClosed = true
		close(w.queue)
	}
	w.closing.Unlock()
	<-w.done
	return w.err
}

func (w *writer) run(ctx context.Context) {
	t := &tx{ctx: ctx, conn: w.conn, statements: map[string]*sql.Stmt{}, ids: map[string]int64{}}
	for op := range w.queue {
		t.commit(w.gather(op))
	}
	w.err = errors.Join(t.close(), w.conn.Close())
	close(w.done)
}

// gather takes what waits behind the first operation.
func (w *writer) gather(first *operation) []*operation {
	batch := []*operation{first}
	for len(batch) < maxBatch {
		select {
		case op, ok := <-w.queue:
			if !ok {
				return batch
			}
			batch = append(batch, op)
		default:
			return batch
		}
	}
	return batch
}

// tx is a transaction of the writer. It belongs to the writer's goroutine.
type tx struct {
	// ctx is the writer's own, without an end: with one, each statement would cost a goroutine.
	ctx        context.Context //nolint:containedctx // lives as long as the goroutine that it is made for
	conn       *sql.Conn
	statements map[string]*sql.Stmt
	// isDirty says that the operation at hand has changed something.
	isDirty bool
	// ids are ids of executions by name.
	ids map[string]int64
}

// commit runs a batch until every operation has an outcome.
func (t *tx) commit(batch []*operation) {
	for len(batch) > 0 {
		batch = t.attempt(batch)
	}
}

// attempt runs operations in one transaction. One that fails before it changed anything just gets its error; one that
// fails later spoils the transaction, and the others are returned to be tried again.
func (t *tx) attempt(batch []*operation) (again []*operation) {
	if err := t.control(`BEGIN IMMEDIATE`); err != nil {
		return settle(batch, err)
	}
	good := make([]*operation, 0, len(batch))
	for i, op := range batch {
		t.isDirty = false
		err := op.do(t)
		switch {
		case err == nil:
			good = append(good, op)
		case !t.isDirty:
			op.outcome <- err
		default:
			t.rollback()
			op.outcome <- err
			return append(good, batch[i+1:]...)
		}
	}
	if err := t.control(`COMMIT`); err != nil {
		t.rollback()
		return settle(good, err)
	}
	return settle(good, nil)
}

func settle(batch []*operation, err error) (again []*operation) {
	for _, op := range batch {
		op.outcome <- err
	}
	return nil
}

// rollback ends the transaction. SQLite may have done so itself, as when the disk is full; then this fails, which is what
// we want. Any other fault shows at the next BEGIN.
func (t *tx) rollback() {
	clear(t.ids) // some may never have come into being
	_ = t.control(`ROLLBACK`)
}

func (t *tx) control(query string) error {
	s, err := t.prepare(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(t.ctx)
	return err
}

// prepare keeps statements: there are few dozens of them.
func (t *tx) prepare(query string) (*sql.Stmt, error) {
	if s := t.statements[query]; s != nil {
		return s, nil
	}
	s, err := t.conn.PrepareContext(t.ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	t.statements[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed. It marks the operation as dirty, which the operation may
// take back when nothing was changed.
func (t *tx) exec(query string, args ...any) (changed int64, err error) {
	result, err := t.run(query, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// run is exec for those who want to know more of what it did.
func (t *tx) run(query string, args ...any) (sql.Result, error) {
	s, err := t.prepare(query)
	if err != nil {
		return nil, err
	}
	t.isDirty = true
	return s.ExecContext(t.ctx, args...)
}

// get reads one row; sql.ErrNoRows when there is none.
func (t *tx) get(query string, args []any, into ...any) error {
	s, err := t.prepare(query)
	if err != nil {
		return err
	}
	return s.QueryRowContext(t.ctx, args...).Scan(into...)
}

func (t *tx) close() error {
	var errs []error
	for _, s := range t.statements {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}
