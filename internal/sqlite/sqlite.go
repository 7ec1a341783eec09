// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sqlite keeps everything that an installation must not lose in one file: incidents with timelines, undo
// records, timers, pauses, messages and sessions; snapshots; executions with their history; our own calls.
//
// A write returns once it is on disk (write-ahead log, synchronous=FULL). Writes of many goroutines share one
// transaction and one sync: a single writer takes whatever waits. Reads run beside it on connections of their own. Any
// number of processes may open the same file, the command line beside the daemon; they wait for each other.
//
// The file must be on a local disk: SQLite's shared memory does not work over a network. It is readable by its owner
// only. It holds evidence that quotes attackers; all values are bound, never pasted into SQL.
//
// https://www.sqlite.org/wal.html
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	driver "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// Errors of files, by meaning. Each tells what to do.
var (
	ErrLocked  = errors.New("the database is locked by another process: let it finish, or stop it")
	ErrCorrupt = errors.New("the database is damaged: restore a backup, or move the file away and start anew")
	ErrNewer   = errors.New("the database was written by a newer version: use that version or a newer one")
	ErrForeign = errors.New("the file is a database of another program: choose another state folder")
	ErrFull    = errors.New("the disk is full: make room, nothing is lost that was acknowledged")
	ErrClosed  = errors.New("the database is closed")
)

// Options of Open; the zero value works.
type Options struct {
	// BusyTimeout is how long to wait for other processes; zero is 10 s.
	BusyTimeout time.Duration
	// Readers is how many reads run at once; zero is 8.
	Readers int
	// IsVolatile is for what is thrown away, a scenario or a test of something else: nothing is forced to disk, and a power
	// cut may take everything.
	IsVolatile bool
}

const (
	defaultBusyTimeout = 10 * time.Second
	defaultReaders     = 8
	// checkpointPages is how much of the log may gather, when the checkpointer cannot keep up, before the writer copies it
	// into the database itself.
	checkpointPages = 16_000
	maxLogBytes     = 64 << 20
	// cacheKiB is the writer's cache: the ids of a million sessions, which come in no order, find their places in it.
	cacheKiB = 64 << 10
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	path    string
	reader  *reader
	writers *sql.DB // the connection of the writer, and of backups
	writer  *writer
	copier  *checkpointer
	signs   *signs
}

// Open opens the file at path, makes it and the folder above it when they are not there, and brings its schema up to
// date. Errors wrap ErrLocked, ErrCorrupt, ErrNewer or ErrForeign where they say so.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	if o.BusyTimeout <= 0 {
		o.BusyTimeout = defaultBusyTimeout
	}
	if o.Readers <= 0 {
		o.Readers = defaultReaders
	}
	path, err := preparePath(path)
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	db := &DB{path: path, signs: &signs{dir: path + ".engines", held: map[string]*os.File{}}}
	if err := db.open(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", path, explain(err)), db.Close())
	}
	return db, nil
}

// preparePath makes the file before SQLite does, so that neither it nor its log is ever readable by others.
func preparePath(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return "", err
	}
	return path, errors.Join(file.Chmod(0o600), file.Close())
}

func (db *DB) open(ctx context.Context, o Options) error {
	synchronous := "synchronous(FULL)"
	if o.IsVolatile {
		synchronous = "synchronous(OFF)"
	}
	var err error
	if db.writers, err = sql.Open("sqlite", dsn(db.path, o, "journal_mode(WAL)", synchronous, "cache_size(-"+strconv.Itoa(cacheKiB)+")",
		"wal_autocheckpoint("+strconv.Itoa(checkpointPages)+")", "journal_size_limit("+strconv.Itoa(maxLogBytes)+")")); err != nil {
		return err
	}
	readers, err := sql.Open("sqlite", dsn(db.path, o, "query_only(1)"))
	if err != nil {
		return err
	}
	db.reader = newReader(readers, o.Readers)
	conn, err := db.writers.Conn(ctx)
	if err != nil {
		return err
	}
	if err := migrate(ctx, conn); err != nil {
		return errors.Join(err, conn.Close())
	}
	db.writer = newWriter(context.WithoutCancel(ctx), conn)
	if conn, err = db.writers.Conn(ctx); err != nil {
		return err
	}
	db.copier = newCheckpointer(context.WithoutCancel(ctx), conn)
	return nil
}

func dsn(path string, o Options, pragmas ...string) string {
	values := url.Values{"_pragma": append([]string{"busy_timeout(" + strconv.FormatInt(o.BusyTimeout.Milliseconds(), 10) + ")"}, pragmas...)}
	return (&url.URL{Scheme: "file", Path: path, RawQuery: values.Encode()}).String()
}

// Close waits for the writes under way and closes the file. Writes that come later are ErrClosed.
func (db *DB) Close() error {
	var err error
	if db.writer != nil {
		err = db.writer.close()
	}
	if db.copier != nil {
		err = errors.Join(err, db.copier.close())
	}
	if db.reader != nil {
		err = errors.Join(err, db.reader.close())
	}
	if db.writers != nil {
		err = errors.Join(err, db.writers.Close())
	}
	return errors.Join(err, db.signs.close())
}

// Backup writes a copy of the database as it is now to a file that must not exist, without disturbing anybody.
func (db *DB) Backup(ctx context.Context, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	if err := file.Close(); err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	if _, err := db.writers.ExecContext(ctx, `VACUUM INTO ?`, path); err != nil {
		return errors.Join(fmt.Errorf("back up database: %w", explain(err)), os.Remove(path))
	}
	return nil
}

// explain adds what an error of SQLite means for the user.
func explain(err error) error {
	var e *driver.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED:
		return fmt.Errorf("%w (%w)", ErrLocked, err)
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return fmt.Errorf("%w (%w)", ErrCorrupt, err)
	case lib.SQLITE_FULL:
		return fmt.Errorf("%w (%w)", ErrFull, err)
	}
	return err
}

func isConstraint(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code()&0xff == lib.SQLITE_CONSTRAINT
}
