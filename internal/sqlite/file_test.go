// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// change opens a file as another program would and runs statements on it.
func change(t *testing.T, path string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func admitted(t *testing.T, db *sqlite.DB, event string) incident.Incident {
	t.Helper()
	i, _, err := db.Admit(t.Context(), candidate(event))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func TestFilesArePrivate(t *testing.T) {
	path := fresh(t)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	db := open(t, path, sqlite.Options{})
	admitted(t, db, "1")
	if err := db.Executions().RenewLease(t.Context(), "../../owner", time.Now()); err != nil {
		t.Fatal(err)
	}
	files := 0
	err := filepath.WalkDir(filepath.Dir(path), func(name string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if files++; info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v, want 0600", name, info.Mode())
		}
		return nil
	})
	if err != nil || files < 4 {
		t.Errorf("%d files, want database, log, shared memory and the owner's lock, error %v", files, err)
	}
}

func TestPathsMayHoldAnything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?mode=memory&c#d%20é", "switchback.db")
	id := admitted(t, open(t, path, sqlite.Options{}), "1").ID
	if _, err := open(t, path, sqlite.Options{}).Get(t.Context(), id); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}

func TestBadFilesAreNamed(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(t *testing.T, path string)
		want   error
	}{
		"newer":   {func(t *testing.T, path string) { change(t, path, `PRAGMA user_version = 99`) }, sqlite.ErrNewer},
		"foreign": {func(t *testing.T, path string) { change(t, path, `PRAGMA application_id = 42`) }, sqlite.ErrForeign},
		"another program's": {func(t *testing.T, path string) {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			change(t, path, `CREATE TABLE bookmarks (url TEXT)`)
		}, sqlite.ErrForeign},
		"not a database": {func(t *testing.T, path string) {
			if err := os.WriteFile(path, bytes.Repeat([]byte("junk"), 5000), 0o600); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrCorrupt},
		"damaged": {func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, append(data[:100], bytes.Repeat([]byte{0xff}, len(data)-100)...), 0o600); err != nil {
				t.Fatal(err)
			}
		}, sqlite.ErrCorrupt},
	} {
		t.Run(name, func(t *testing.T) {
			path := fresh(t)
			db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			test.damage(t, path)
			_, err = sqlite.Open(t.Context(), path, sqlite.Options{})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want %v with the path", err, test.want)
			}
		})
	}
}

func TestLockedFileIsNamed(t *testing.T) {
	path := fresh(t)
	db := open(t, path, sqlite.Options{BusyTimeout: 10 * time.Millisecond})
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	conn, err := other.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), `BEGIN IMMEDIATE`); err != nil {
		t.Fatal(err)
	}
	if _, _, err := db.Admit(t.Context(), candidate("1")); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("error %v, want ErrLocked", err)
	}
	if _, err := sqlite.Open(t.Context(), path, sqlite.Options{BusyTimeout: 10 * time.Millisecond}); !errors.Is(err, sqlite.ErrLocked) {
		t.Errorf("open: %v, want ErrLocked", err)
	}
	if _, err := conn.ExecContext(t.Context(), `ROLLBACK`); err != nil {
		t.Fatal(err)
	}
	admitted(t, db, "1")
}

func TestClosedDatabaseRefuses(t *testing.T) {
	db, err := sqlite.Open(t.Context(), fresh(t), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := db.Admit(t.Context(), candidate("1")); !errors.Is(err, sqlite.ErrClosed) {
		t.Errorf("error %v, want ErrClosed", err)
	}
}

func TestContextThatHasEndedWritesNothing(t *testing.T) {
	db := open(t, fresh(t), sqlite.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := db.Admit(ctx, candidate("1")); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if all, err := db.List(t.Context(), incident.Filter{}); err != nil || len(all) != 0 {
		t.Errorf("%d incidents, %v", len(all), err)
	}
}

func TestBackupIsADatabase(t *testing.T) {
	db := open(t, fresh(t), sqlite.Options{})
	id := admitted(t, db, "1").ID
	path := filepath.Join(t.TempDir(), "backup.db")
	if err := db.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	admitted(t, db, "2")
	if err := db.Backup(t.Context(), path); !errors.Is(err, os.ErrExist) {
		t.Errorf("second backup to the same file: %v, want os.ErrExist", err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("backup has mode %v, %v", info.Mode(), err)
	}
	if i, err := open(t, path, sqlite.Options{}).Get(t.Context(), id); err != nil || i.Count != 1 {
		t.Errorf("the backup has %+v, %v", i, err)
	}
}

// A file of an older schema gets what came later, and keeps what it holds.
func TestOldFilesAreMigrated(t *testing.T) {
	path := fresh(t)
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	id := admitted(t, db, "1").ID
	given := parse(t, issued(10))
	if err := db.SessionIndex().Put(t.Context(), given); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, path, `DROP TABLE heard; DROP TABLE blind_windows; DROP TABLE answers; DROP TABLE links; DELETE FROM issue_ids WHERE id LIKE 'by %';
		ALTER TABLE issues DROP COLUMN caller; PRAGMA user_version = 3`)
	again := open(t, path, sqlite.Options{})
	if err := again.PutHeard(t.Context(), incident.Heard{Source: "sqs/1"}); err != nil {
		t.Error(err)
	}
	if _, err := again.Get(t.Context(), id); err != nil {
		t.Error(err)
	}
	one, _ := identity.IssueOf(given)
	found, err := again.SessionIndex().(identity.Branches).IssuedTo(t.Context(), one.CallerID(), time.Time{})
	if err != nil || len(found) != 1 || found[0].Record.EventID != given.EventID {
		t.Errorf("issued to %s: %v, %v", one.CallerID(), found, err)
	}
}
