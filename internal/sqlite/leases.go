// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/switchback-project/switchback/internal/engine"
)

// ErrOwnerLives says that another engine of that name is alive on this database.
var ErrOwnerLives = errors.New("another engine of that name is at work")

// signs are locks on small files beside the database, one for each engine. The system drops a lock with the process
// that holds it, so a lease of a process that was killed need not be waited for. A lock is more than a process id, which
// says nothing across containers.
type signs struct {
	dir  string
	mu   sync.Mutex
	held map[string]*os.File
}

func (s *signs) path(owner string) string { return filepath.Join(s.dir, url.PathEscape(owner)+".lock") }

// hold takes the lock of an owner of this process.
func (s *signs) hold(owner string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[owner] != nil {
		return nil
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	file, err := os.OpenFile(s.path(owner), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := tryLock(file); err != nil {
		return errors.Join(fmt.Errorf("%q: %w", owner, err), file.Close())
	}
	s.held[owner] = file
	return nil
}

func tryLock(file *os.File) error {
	err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrOwnerLives
	}
	return err
}

// isDead reports whether nobody holds the lock of an owner. In doubt it is alive.
func (s *signs) isDead(owner string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[owner] != nil {
		return false
	}
	file, err := os.OpenFile(s.path(owner), os.O_RDWR, 0o600)
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	defer file.Close() // and the lock with it
	return tryLock(file) == nil
}

// forget removes the file of an owner.
func (s *signs) forget(owner string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := os.Remove(s.path(owner))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	if file := s.held[owner]; file != nil {
		delete(s.held, owner)
		err = errors.Join(err, file.Close())
	}
	return err
}

// close drops the locks; what the owners still own others take over.
func (s *signs) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var errs []error
	for owner, file := range s.held {
		errs = append(errs, file.Close())
		delete(s.held, owner)
	}
	return errors.Join(errs...)
}

// RenewLease says that the owner, an engine of this process, lives until the moment. ErrOwnerLives when another process
// has an engine of that name.
func (x *Executions) RenewLease(ctx context.Context, owner string, until time.Time) error {
	if err := x.db.signs.hold(owner); err != nil {
		return fmt.Errorf("renew lease: %w", err)
	}
	return x.db.write(ctx, "renew lease", func(t *tx) error {
		_, err := t.exec(`INSERT INTO leases (owner, until) VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET until = excluded.until`, owner, nanos(until))
		return err
	})
}

// Owners lists the leases.
func (x *Executions) Owners(ctx context.Context) ([]engine.Lease, error) {
	return list(ctx, x.db, "list leases", `SELECT owner, until FROM leases ORDER BY owner`, nil, func(rows *sql.Rows) (engine.Lease, error) {
		var until int64
		var l engine.Lease
		if err := rows.Scan(&l.Owner, &until); err != nil {
			return l, err
		}
		l.Until, l.IsDead = fromNanos(until), x.db.signs.isDead(l.Owner)
		return l, nil
	})
}

// Abandon frees what an owner owns, unless its lease was renewed since it was read.
func (x *Executions) Abandon(ctx context.Context, lease engine.Lease, now time.Time) (isDone bool, err error) {
	err = x.db.write(ctx, "abandon lease", func(t *tx) error {
		changed, err := t.exec(`DELETE FROM leases WHERE owner = ? AND until = ?`, lease.Owner, nanos(lease.Until))
		isDone = changed == 1
		if err != nil || !isDone {
			return err
		}
		_, err = t.exec(`UPDATE runs SET owner = '', wake = ?, version = version + 1 WHERE owner = ?`, nanos(now), lease.Owner)
		return err
	})
	if err != nil || !isDone {
		return false, err
	}
	if err := x.db.signs.forget(lease.Owner); err != nil {
		return true, fmt.Errorf("abandon lease: %w", err)
	}
	return true, nil
}

// secretName is the row of the key of task tokens.
const secretName = "task tokens"

// Secret returns 32 random bytes, made when they are first asked for.
func (x *Executions) Secret(ctx context.Context) ([]byte, error) {
	fresh := make([]byte, 32)
	if _, err := rand.Read(fresh); err != nil {
		return nil, fmt.Errorf("make secret: %w", err)
	}
	var secret []byte
	err := x.db.write(ctx, "read secret", func(t *tx) error {
		if _, err := t.exec(`INSERT INTO secrets (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, secretName, fresh); err != nil {
			return err
		}
		return t.get(`SELECT value FROM secrets WHERE name = ?`, []any{secretName}, &secret)
	})
	return secret, err
}
