// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/engine/enginetest"
	"github.com/switchback-project/switchback/internal/incident/incidenttest"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// open opens a database until the test ends.
func open(t testing.TB, path string, o sqlite.Options) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func fresh(t testing.TB) string { return filepath.Join(t.TempDir(), "state", "switchback.db") }

func TestIncidents(t *testing.T) {
	incidenttest.Run(t, func(t *testing.T) (incidenttest.Stores, func(*testing.T) incidenttest.Stores) {
		path := fresh(t)
		return open(t, path, sqlite.Options{}), func(t *testing.T) incidenttest.Stores { return open(t, path, sqlite.Options{}) }
	})
}

func TestExecutions(t *testing.T) {
	enginetest.Run(t, func(t *testing.T) (engine.Store, func(*testing.T) engine.Store) {
		path := fresh(t)
		return open(t, path, sqlite.Options{}).Executions(), func(t *testing.T) engine.Store {
			return open(t, path, sqlite.Options{}).Executions()
		}
	})
}
