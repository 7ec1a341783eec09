// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
)

// applicationID tells our files from those of other programs: "SWBK".
const applicationID = 0x5357424B

// migrations bring a file from version i to i+1. Released ones MUST NOT change. Most tables hold a JSON document beside
// the columns that are searched by; moments are Unix nanoseconds, 0 for none.
var migrations = []string{`
CREATE TABLE incidents (
	ordinal INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	key     TEXT NOT NULL,
	status  TEXT NOT NULL,
	runbook TEXT NOT NULL,
	account TEXT NOT NULL,
	version INTEGER NOT NULL,
	doc     BLOB NOT NULL
);
CREATE UNIQUE INDEX incidents_open ON incidents (key) WHERE status <> 'closed';
CREATE INDEX incidents_status ON incidents (status, ordinal);
CREATE INDEX incidents_runbook ON incidents (runbook, ordinal);
CREATE INDEX incidents_account ON incidents (account, ordinal);
CREATE TABLE admitted (
	event    TEXT NOT NULL,
	runbook  TEXT NOT NULL,
	incident TEXT NOT NULL,
	PRIMARY KEY (event, runbook)
) WITHOUT ROWID;
CREATE TABLE evidence (
	id       INTEGER PRIMARY KEY,
	event    TEXT NOT NULL UNIQUE,
	envelope BLOB NOT NULL
);
CREATE TABLE timeline (
	id       INTEGER PRIMARY KEY,
	incident TEXT NOT NULL,
	seq      INTEGER NOT NULL,
	key      TEXT NOT NULL,
	doc      BLOB NOT NULL,
	UNIQUE (incident, seq)
);
CREATE UNIQUE INDEX timeline_key ON timeline (incident, key) WHERE key <> '';
CREATE TABLE findings (
	incident TEXT NOT NULL,
	state    TEXT NOT NULL,
	output   BLOB NOT NULL,
	PRIMARY KEY (incident, state)
);
CREATE TABLE undos (
	id       INTEGER PRIMARY KEY,
	incident TEXT NOT NULL,
	key      TEXT NOT NULL,
	doc      BLOB NOT NULL,
	UNIQUE (incident, key)
);
CREATE TABLE timers (
	incident TEXT NOT NULL,
	key      TEXT NOT NULL,
	due_at   INTEGER NOT NULL,
	doc      BLOB NOT NULL,
	PRIMARY KEY (incident, key)
) WITHOUT ROWID;
CREATE INDEX timers_due ON timers (due_at);
CREATE TABLE pauses (
	id    TEXT PRIMARY KEY,
	until INTEGER NOT NULL,
	ended INTEGER NOT NULL,
	doc   BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE deliveries (
	id       INTEGER PRIMARY KEY,
	incident TEXT NOT NULL,
	message  TEXT NOT NULL,
	channel  TEXT NOT NULL,
	accepted INTEGER NOT NULL,
	doc      BLOB NOT NULL
);
CREATE INDEX deliveries_incident ON deliveries (incident, id);
CREATE INDEX deliveries_message ON deliveries (message, id);
CREATE TABLE sessions (
	id         INTEGER PRIMARY KEY,
	access_key TEXT NOT NULL,
	session    TEXT NOT NULL,
	event      TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	doc        BLOB NOT NULL,
	UNIQUE (event, access_key, session)
);
CREATE INDEX sessions_key ON sessions (access_key, issued_at);
CREATE INDEX sessions_session ON sessions (session, issued_at);
CREATE INDEX sessions_expires ON sessions (expires_at);
CREATE TABLE snapshots (
	id       INTEGER PRIMARY KEY,
	resource TEXT NOT NULL,
	kind     TEXT NOT NULL,
	taken_at INTEGER NOT NULL,
	doc      BLOB NOT NULL
);
CREATE INDEX snapshots_resource ON snapshots (resource, taken_at);
CREATE INDEX snapshots_kind ON snapshots (kind, resource, taken_at);
CREATE TABLE calls (
	id         TEXT PRIMARY KEY,
	incident   TEXT NOT NULL,
	started_at INTEGER NOT NULL,
	doc        BLOB NOT NULL
);
CREATE INDEX calls_incident ON calls (incident, started_at);
CREATE INDEX calls_started ON calls (started_at);
CREATE TABLE requests (
	id   TEXT PRIMARY KEY,
	call TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX requests_call ON requests (call);
CREATE TABLE definitions (
	hash       TEXT PRIMARY KEY,
	definition BLOB NOT NULL
);
-- The id of an execution is never used again, so that the writer may remember it.
CREATE TABLE executions (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	name       TEXT NOT NULL UNIQUE,
	machine    TEXT NOT NULL,
	definition TEXT NOT NULL,
	status     TEXT NOT NULL,
	started_at INTEGER NOT NULL,
	stopped_at INTEGER NOT NULL,
	input      BLOB,
	output     BLOB,
	error      TEXT NOT NULL,
	cause      TEXT NOT NULL
);
CREATE INDEX executions_machine ON executions (machine, id);
CREATE INDEX executions_status ON executions (status, id);
CREATE INDEX executions_stopped ON executions (stopped_at) WHERE stopped_at <> 0;
-- runs is what changes with every transition; a row lives as long as its execution runs.
CREATE TABLE runs (
	id      INTEGER PRIMARY KEY,
	version INTEGER NOT NULL,
	wake    INTEGER NOT NULL,
	owner   TEXT NOT NULL,
	run     BLOB NOT NULL
);
CREATE INDEX runs_wake ON runs (wake) WHERE wake <> 0;
CREATE INDEX runs_owner ON runs (owner) WHERE owner <> '';
CREATE TABLE history (
	id        INTEGER PRIMARY KEY,
	execution INTEGER NOT NULL,
	last      INTEGER NOT NULL,
	events    BLOB NOT NULL
);
CREATE INDEX history_execution ON history (execution, last);
CREATE TABLE leases (
	owner TEXT PRIMARY KEY,
	until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE secrets (
	name  TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;
`, sessionsByID, plannedChange, `
CREATE TABLE heard (
	source    TEXT PRIMARY KEY,
	at        INTEGER NOT NULL,
	canary_at INTEGER NOT NULL
) WITHOUT ROWID;
`, `
CREATE TABLE blind_windows (
	incident TEXT NOT NULL,
	account  TEXT NOT NULL,
	region   TEXT NOT NULL,
	class    TEXT NOT NULL,
	lost     INTEGER NOT NULL,
	doc      BLOB NOT NULL,
	PRIMARY KEY (incident, account, region, class, lost)
) WITHOUT ROWID;
`, wasItYou, issuedForward}

// migrate brings the schema up to date in one transaction; another process that opens the file meanwhile waits.
func migrate(ctx context.Context, conn *sql.Conn) (err error) {
	if _, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`); err != nil {
		return err
	}
	defer func() {
		end := `COMMIT`
		if err != nil {
			end = `ROLLBACK`
		}
		_, endErr := conn.ExecContext(ctx, end)
		err = errors.Join(err, endErr)
	}()
	version, err := schemaVersion(ctx, conn)
	if err != nil || version == len(migrations) {
		return err
	}
	for i, migration := range migrations[version:] {
		if _, err := conn.ExecContext(ctx, migration); err != nil {
			return fmt.Errorf("migrate to version %d: %w", version+i+1, err)
		}
	}
	// Pragmas take no parameters; both are numbers of ours.
	_, err = conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA user_version = %d; PRAGMA application_id = %d`, len(migrations), applicationID))
	return err
}

// schemaVersion is 0 for an empty file.
func schemaVersion(ctx context.Context, conn *sql.Conn) (int, error) {
	var version, application, tables int
	for query, into := range map[string]*int{
		`PRAGMA user_version`: &version, `PRAGMA application_id`: &application, `SELECT count(*) FROM sqlite_master`: &tables,
	} {
		if err := conn.QueryRowContext(ctx, query).Scan(into); err != nil {
			return 0, err
		}
	}
	switch {
	case tables == 0 && application == 0:
		return 0, nil
	case application != applicationID || version < 1:
		return 0, ErrForeign
	case version > len(migrations):
		return 0, fmt.Errorf("%w (schema %d, this version knows %d)", ErrNewer, version, len(migrations))
	}
	return version, nil
}
