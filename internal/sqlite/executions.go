// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/incident"
)

var _ engine.Store = (*Executions)(nil)

// Executions is the part of a database that an engine works with.
type Executions struct {
	db *DB
}

// Executions returns the store for an engine, in the same file and by the same writer.
func (db *DB) Executions() *Executions { return &Executions{db} }

// PutDefinition keeps a definition under the hash of its content.
func (x *Executions) PutDefinition(ctx context.Context, hash string, definition []byte) error {
	return x.db.write(ctx, "keep definition", func(t *tx) error {
		_, err := t.exec(`INSERT INTO definitions (hash, definition) VALUES (?, ?) ON CONFLICT DO NOTHING`, hash, definition)
		return err
	})
}

// Definition returns what PutDefinition kept.
func (x *Executions) Definition(ctx context.Context, hash string) ([]byte, error) {
	var definition []byte
	err := x.db.one(ctx, "read definition "+hash, `SELECT definition FROM definitions WHERE hash = ?`, []any{hash}, &definition)
	return definition, err
}

// Commit writes one transition.
func (x *Executions) Commit(ctx context.Context, c engine.Change) error {
	events := encodeEvents(c.Events)
	return x.db.write(ctx, "commit", func(t *tx) error {
		if c.Row.Version == 1 {
			return t.createExecution(c, events)
		}
		return t.moveExecution(c, events)
	})
}

func (t *tx) createExecution(c engine.Change, events []byte) error {
	row := c.Row
	created, err := t.run(`INSERT INTO executions (name, machine, definition, status, started_at, stopped_at, input, output, error, cause)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO NOTHING`,
		row.Name, row.Machine, row.Definition, string(row.Status), nanos(row.StartedAt), nanos(row.StoppedAt),
		[]byte(row.Input), []byte(row.Output), row.Error, row.Cause)
	if err != nil {
		return err
	}
	if n, err := created.RowsAffected(); err != nil || n == 0 {
		t.isDirty = false
		return errors.Join(incident.ErrConflict, err)
	}
	id, err := created.LastInsertId()
	if err != nil {
		return err
	}
	t.rememberID(row.Name, id)
	if row.Status == asl.Running {
		_, err := t.exec(`INSERT INTO runs (id, version, wake, owner, run) VALUES (?, ?, ?, ?, ?)`, id, row.Version, nanos(row.Wake), row.Owner, row.Run)
		if err != nil {
			return err
		}
	}
	return t.addHistory(id, c.Events, events)
}

func (t *tx) moveExecution(c engine.Change, events []byte) error {
	id, isRemembered, err := t.executionID(c.Row.Name)
	if err != nil {
		return conflictUnlessFound(err)
	}
	isMoved, err := t.moveRun(id, c.Row)
	if err != nil {
		return err
	}
	if !isMoved {
		t.isDirty = false
		if isRemembered { // another process may have removed the execution, and its name may be that of another one
			delete(t.ids, c.Row.Name)
			return t.moveExecution(c, events)
		}
		return incident.ErrConflict
	}
	if c.Row.Status != asl.Running {
		if err := t.endExecution(id, c.Row); err != nil {
			return err
		}
	}
	return t.addHistory(id, c.Events, events)
}

// moveRun replaces the run of the version before, if it is there.
func (t *tx) moveRun(id int64, row engine.Row) (isMoved bool, err error) {
	before := row.Version - 1
	if row.Status != asl.Running {
		n, err := t.exec(`DELETE FROM runs WHERE id = ? AND version = ?`, id, before)
		return n == 1, err
	}
	// Most transitions change neither wake nor owner. Setting them all the same would write their indexes anew.
	n, err := t.exec(`UPDATE runs SET version = ?, run = ? WHERE id = ? AND version = ? AND wake = ? AND owner = ?`,
		row.Version, row.Run, id, before, nanos(row.Wake), row.Owner)
	if err == nil && n == 0 {
		n, err = t.exec(`UPDATE runs SET version = ?, run = ?, wake = ?, owner = ? WHERE id = ? AND version = ?`,
			row.Version, row.Run, nanos(row.Wake), row.Owner, id, before)
	}
	return n == 1, err
}

func (t *tx) endExecution(id int64, row engine.Row) error {
	delete(t.ids, row.Name)
	_, err := t.exec(`UPDATE executions SET status = ?, stopped_at = ?, output = ?, error = ?, cause = ? WHERE id = ?`,
		string(row.Status), nanos(row.StoppedAt), []byte(row.Output), row.Error, row.Cause, id)
	return err
}

// rememberedIDs bounds the memory for ids: those of executions at work fit, those of sleeping ones may be looked up.
const rememberedIDs = 10_000

// executionID returns the id of an execution, which was remembered or is looked up.
func (t *tx) executionID(name string) (id int64, isRemembered bool, err error) {
	if id, ok := t.ids[name]; ok {
		return id, true, nil
	}
	if err := t.get(`SELECT id FROM executions WHERE name = ?`, []any{name}, &id); err != nil {
		return 0, false, err
	}
	t.rememberID(name, id)
	return id, false, nil
}

func (t *tx) rememberID(name string, id int64) {
	if len(t.ids) >= rememberedIDs {
		clear(t.ids)
	}
	t.ids[name] = id
}

// conflictUnlessFound says of an execution that is not there that the version before is not the stored one.
func conflictUnlessFound(err error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return incident.ErrConflict
	}
	return err
}

// addHistory keeps the events of a transition in one row.
func (t *tx) addHistory(id int64, events []asl.Event, encoded []byte) error {
	if len(events) == 0 {
		return nil
	}
	_, err := t.exec(`INSERT INTO history (execution, last, events) VALUES (?, ?, ?)`, id, events[len(events)-1].ID, encoded)
	return err
}

const executionColumns = `e.name, e.machine, e.definition, e.status, e.started_at, e.stopped_at, e.input, e.output, e.error, e.cause`

// executionInto returns what executionColumns are scanned into, and a function to call afterwards.
func executionInto(e *engine.Execution) (into []any, finish func()) {
	var status string
	var started, stopped int64
	var input, output []byte
	return []any{&e.Name, &e.Machine, &e.Definition, &status, &started, &stopped, &input, &output, &e.Error, &e.Cause}, func() {
		e.Status, e.StartedAt, e.StoppedAt = asl.Status(status), fromNanos(started), fromNanos(stopped)
		e.Input, e.Output = input, output
	}
}

// Load returns an execution with its inner state.
func (x *Executions) Load(ctx context.Context, name string) (engine.Row, error) {
	var (
		row           engine.Row
		version, wake sql.NullInt64
		owner         sql.NullString
	)
	into, finish := executionInto(&row.Execution)
	err := x.db.one(ctx, "load execution "+strconv.Quote(name), `SELECT `+executionColumns+`, r.version, r.wake, r.owner, r.run
		FROM executions e LEFT JOIN runs r ON r.id = e.id WHERE e.name = ?`, []any{name}, append(into, &version, &wake, &owner, &row.Run)...)
	if err != nil {
		return engine.Row{}, err
	}
	finish()
	row.Version, row.Wake, row.Owner = version.Int64, fromNanos(wake.Int64), owner.String
	return row, nil
}

// List returns executions, newest first.
func (x *Executions) List(ctx context.Context, f engine.Filter) ([]engine.Execution, error) {
	var (
		where []string
		args  []any
	)
	for _, condition := range []struct{ sql, value string }{
		{"e.machine = ?", f.Machine}, {"e.status = ?", string(f.Status)}, {"e.id < (SELECT id FROM executions WHERE name = ?)", f.Before},
	} {
		if condition.value != "" {
			where, args = append(where, condition.sql), append(args, condition.value)
		}
	}
	query, args := selection(`SELECT `+executionColumns+` FROM executions e`, where, args, `e.id DESC`, f.Limit)
	return list(ctx, x.db, "list executions", query, args, func(rows *sql.Rows) (engine.Execution, error) {
		var e engine.Execution
		into, finish := executionInto(&e)
		err := rows.Scan(into...)
		finish()
		return e, err
	})
}

// History returns up to limit events after an id, in order.
func (x *Executions) History(ctx context.Context, name string, after int64, limit int) ([]asl.Event, error) {
	// Every row has an event after the id, and at least one: limit rows are enough.
	rows, err := list(ctx, x.db, "read history of "+strconv.Quote(name),
		`SELECT h.events FROM history h JOIN executions e ON e.id = h.execution WHERE e.name = ? AND h.last > ? ORDER BY h.last LIMIT ?`,
		[]any{name, after, limit}, func(rows *sql.Rows) ([]asl.Event, error) {
			var encoded sql.RawBytes
			if err := rows.Scan(&encoded); err != nil {
				return nil, err
			}
			return decodeEvents(encoded)
		})
	if err != nil {
		return nil, err
	}
	events := slices.Concat(rows...)
	events = slices.DeleteFunc(events, func(e asl.Event) bool { return e.ID <= after })
	return events[:min(limit, len(events))], nil
}

// Due returns the executions that need the owner.
func (x *Executions) Due(ctx context.Context, owner string, now time.Time, limit int) ([]engine.Due, time.Time, error) {
	due, err := list(ctx, x.db, "read due executions",
		`SELECT e.name, r.version FROM runs r JOIN executions e ON e.id = r.id
		WHERE r.wake <> 0 AND r.wake <= ? AND r.owner IN ('', ?) ORDER BY r.wake, r.id LIMIT ?`, []any{nanos(now), owner, limit},
		func(rows *sql.Rows) (d engine.Due, err error) { return d, rows.Scan(&d.Name, &d.Version) })
	if err != nil {
		return nil, time.Time{}, err
	}
	var next int64
	err = x.db.one(ctx, "read due executions", `SELECT wake FROM runs WHERE wake <> 0 AND wake > ? AND owner IN ('', ?) ORDER BY wake LIMIT 1`,
		[]any{nanos(now), owner}, &next)
	if err != nil && !errors.Is(err, incident.ErrNotFound) {
		return nil, time.Time{}, err
	}
	return due, fromNanos(next), nil
}

// pruneAtOnce bounds what one transaction removes, so that others need not wait for it.
const pruneAtOnce = 200

// Prune removes executions that stopped before the moment, with their history.
func (x *Executions) Prune(ctx context.Context, before time.Time) (removed int, err error) {
	for {
		ids, err := list(ctx, x.db, "prune executions", `SELECT id FROM executions WHERE stopped_at <> 0 AND stopped_at < ? LIMIT ?`,
			[]any{nanos(before), pruneAtOnce}, func(rows *sql.Rows) (id int64, err error) { return id, rows.Scan(&id) })
		if err != nil || len(ids) == 0 {
			return removed, err
		}
		var changed int64
		err = x.db.write(ctx, "prune executions", func(t *tx) (err error) {
			changed, err = t.removeExecutions(ids)
			return err
		})
		if err != nil {
			return removed, err
		}
		removed += int(changed)
	}
}

func (t *tx) removeExecutions(ids []int64) (removed int64, err error) {
	for _, id := range ids {
		if _, err := t.exec(`DELETE FROM history WHERE execution = ?`, id); err != nil {
			return 0, err
		}
		n, err := t.exec(`DELETE FROM executions WHERE id = ?`, id)
		if err != nil {
			return 0, err
		}
		removed += n
	}
	return removed, nil
}
