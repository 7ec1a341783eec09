// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// sessionsByID replaces the index of sessions by one that is found by any number of ids, and that costs one random place
// an id to write. The alias is a third id: the sharedEventID of a call across accounts, or the ARN of a sign-in session. at is
// issued_at in seconds, which is all that records tell; a session that is opened again and again under one name is told
// apart by it.
const sessionsByID = `
CREATE TABLE issues (
	id         INTEGER PRIMARY KEY,
	access_key TEXT NOT NULL,
	session    TEXT NOT NULL,
	alias      TEXT NOT NULL,
	event      TEXT NOT NULL,
	issued_at  INTEGER NOT NULL,
	expires_at INTEGER NOT NULL,
	record     BLOB NOT NULL
);
CREATE INDEX issues_expires ON issues (expires_at);
CREATE TABLE issue_ids (
	id    TEXT NOT NULL,
	at    INTEGER NOT NULL,
	issue INTEGER NOT NULL,
	PRIMARY KEY (id, at, issue)
) WITHOUT ROWID;
INSERT INTO issues SELECT id, access_key, session, coalesce(json_extract(CAST(doc AS TEXT), '$.record.sharedEventID'), ''), event,
	issued_at, expires_at, CAST(json_extract(CAST(doc AS TEXT), '$.record') AS BLOB) FROM sessions;
INSERT OR IGNORE INTO issue_ids SELECT access_key, issued_at / 1000000000, id FROM issues WHERE access_key <> '';
INSERT OR IGNORE INTO issue_ids SELECT session, issued_at / 1000000000, id FROM issues WHERE session <> '';
INSERT OR IGNORE INTO issue_ids SELECT alias, issued_at / 1000000000, id FROM issues WHERE alias <> '';
DROP TABLE sessions;
`

// issuedForward makes the index lead forward, too: from who got a session, by the form of id that forward makes, which no
// other id has.
const issuedForward = `
ALTER TABLE issues ADD COLUMN caller TEXT NOT NULL DEFAULT '';
UPDATE issues SET caller = 'by ' || CASE WHEN json_extract(CAST(record AS TEXT), '$.userIdentity.accessKeyId') LIKE 'AKIA%'
	THEN json_extract(CAST(record AS TEXT), '$.userIdentity.accessKeyId')
	ELSE json_extract(CAST(record AS TEXT), '$.userIdentity.principalId') END
	WHERE CASE WHEN json_valid(CAST(record AS TEXT)) THEN length(json_extract(CAST(record AS TEXT), '$.userIdentity.principalId')) <= 512 END;
INSERT OR IGNORE INTO issue_ids SELECT caller, issued_at / 1000000000, id FROM issues WHERE caller <> '';
`

// forward is the id that leads from a caller to what it was given; "" for none.
func forward(callerID string) string {
	if callerID == "" {
		return ""
	}
	return "by " + callerID
}

// maxRows bounds the rows of one operation, and so how long it keeps the writes of others waiting: some 20 ms.
const maxRows = 1000

// maxFound bounds what one search returns. More events than that for one id, in the time that matters, tell nothing.
const maxFound = 100

// fromSessions is the source that the events of this index name.
const fromSessions = "sessions index"

var _ incident.Sessions = (*DB)(nil)

// Sessions is the index of the events that issued sessions, by every id that leads back to them.
type Sessions struct{ db *DB }

var (
	_ identity.Store    = (*Sessions)(nil)
	_ identity.Branches = (*Sessions)(nil)
)

// SessionIndex returns the index; it is what PutIssued fills, too.
func (db *DB) SessionIndex() identity.Store { return &Sessions{db} }

// issue is a row.
type issue struct {
	session incident.IssuedSession
	// alias: see sessionsByID; caller: see issuedForward.
	alias, caller string
}

// ids lead to the issue. Those that are too long to be AWS's do not.
func (i issue) ids() []string {
	var all []string
	for _, id := range []string{i.session.AccessKeyID, i.session.SessionID, i.alias} {
		if id != "" && len(id) <= identity.MaxID {
			all = append(all, id)
		}
	}
	if i.caller != "" {
		all = append(all, i.caller)
	}
	return all
}

// issueOf makes the row of an issuing event.
func issueOf(i identity.Issue) (issue, error) {
	raw := i.Record.Raw
	if raw == nil { // made by hand
		var err error
		if raw, err = i.Record.MarshalJSON(); err != nil {
			return issue{}, fmt.Errorf("index session: %w", err)
		}
	}
	return issue{session: incident.IssuedSession{
		AccessKeyID: i.AccessKeyID, SessionID: i.SessionID, EventID: i.Record.EventID, IssuedAt: i.IssuedAt, ExpiresAt: i.ExpiresAt,
		Record: cloudtrail.Redacted(raw),
	}, alias: cmp.Or(i.SharedID, i.SignInARN), caller: forward(i.CallerID())}, nil
}

// Put implements identity.Store. The records are durable when it returns.
func (s *Sessions) Put(ctx context.Context, records ...cloudtrail.Record) error {
	var rows []issue
	for _, r := range records {
		i, ok := identity.IssueOf(r)
		if !ok {
			continue
		}
		row, err := issueOf(i)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	for chunk := range slices.Chunk(rows, maxRows) {
		if err := s.db.putIssues(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

func (db *DB) putIssues(ctx context.Context, rows []issue) error {
	return db.write(ctx, "index sessions", func(t *tx) error {
		for _, r := range rows {
			if err := t.putIssue(r); err != nil {
				return err
			}
		}
		return nil
	})
}

// putIssue adds an event that is not there yet.
func (t *tx) putIssue(i issue) error {
	ids := i.ids()
	if len(ids) == 0 {
		return nil
	}
	s, at := i.session, seconds(i.session.IssuedAt)
	added, err := t.exec(`INSERT INTO issues (access_key, session, alias, event, issued_at, expires_at, record, caller) SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?10
		WHERE NOT EXISTS (SELECT 1 FROM issue_ids i JOIN issues s ON s.id = i.issue WHERE i.id = ?8 AND i.at = ?9 AND s.event = ?4)`,
		s.AccessKeyID, s.SessionID, i.alias, string(s.EventID), nanos(s.IssuedAt), nanos(s.ExpiresAt), orEmpty(s.Record), ids[0], at, i.caller)
	if err != nil || added == 0 {
		return err
	}
	// The table of ids has no row ids of its own: the last one stays that of the issue.
	rows := strings.Repeat(`, (?, ?, last_insert_rowid())`, len(ids))[1:]
	var args []any
	for _, id := range ids {
		args = append(args, id, at)
	}
	_, err = t.exec(`INSERT OR IGNORE INTO issue_ids (id, at, issue) VALUES`+rows, args...)
	return err
}

func seconds(t time.Time) int64 { return nanos(t) / int64(time.Second) }

// Find implements identity.Index: within the clue's time. Instances are not indexed.
func (s *Sessions) Find(ctx context.Context, c identity.Clue) ([]identity.Found, error) {
	if c.Kind == identity.ClueInstance {
		return nil, nil
	}
	return s.find(ctx, "look up "+string(c.Kind), c.ID, c.Since, c.Until, maxFound)
}

// IssuedTo implements identity.Branches.
func (s *Sessions) IssuedTo(ctx context.Context, callerID string, since time.Time) ([]identity.Found, error) {
	return s.find(ctx, "look up what was issued", forward(callerID), since, time.Time{}, identity.MaxBranches)
}

func (s *Sessions) find(ctx context.Context, what, id string, since, until time.Time, limit int) ([]identity.Found, error) {
	sessions, err := s.db.issued(ctx, what, id, since, until, limit)
	if err != nil {
		return nil, err
	}
	var found []identity.Found
	for _, one := range sessions {
		r, err := cloudtrail.ParseRecord(one.Record)
		if err != nil {
			return nil, fmt.Errorf("read issuing event %s: %w", identity.Printable(string(one.EventID), 100), err)
		}
		found = append(found, identity.Found{Record: r, Source: fromSessions})
	}
	return found, nil
}

// issued reads the events that an id leads to, oldest first. No moment means that the span has no such end.
func (db *DB) issued(ctx context.Context, what, id string, since, until time.Time, limit int) ([]incident.IssuedSession, error) {
	if id == "" {
		return nil, nil
	}
	from, to := seconds(firstTime), seconds(lastTime)
	if !since.IsZero() {
		from = seconds(since)
	}
	if !until.IsZero() {
		to = seconds(until)
	}
	return list(ctx, db, what, `SELECT s.access_key, s.session, s.event, s.issued_at, s.expires_at, s.record
		FROM issue_ids i JOIN issues s ON s.id = i.issue WHERE i.id = ? AND i.at BETWEEN ? AND ? ORDER BY i.at, i.issue LIMIT ?`,
		[]any{id, from, to, limit}, scanIssued)
}

func scanIssued(rows *sql.Rows) (s incident.IssuedSession, err error) {
	var issuedAt, expiresAt int64
	var event string
	var record []byte
	err = rows.Scan(&s.AccessKeyID, &s.SessionID, &event, &issuedAt, &expiresAt, &record)
	s.EventID, s.IssuedAt, s.ExpiresAt, s.Record = cloudtrail.EventID(event), fromNanos(issuedAt), fromNanos(expiresAt), record
	return s, err
}

// Prune implements identity.Store.
func (s *Sessions) Prune(ctx context.Context, now time.Time) error {
	return s.db.pruneSessions(ctx, now.Add(-identity.KeepFor))
}

// pruneSessions removes sessions that expired before the moment, some at a time, so that nobody waits long.
func (db *DB) pruneSessions(ctx context.Context, before time.Time) error {
	for removed := int64(maxRows); removed == maxRows; {
		err := db.write(ctx, "prune sessions", func(t *tx) (err error) {
			if _, err := t.exec(`WITH oldest AS (SELECT id, access_key, session, alias, caller, issued_at FROM issues WHERE expires_at < ? ORDER BY expires_at, id LIMIT ?)
				DELETE FROM issue_ids WHERE (id, at, issue) IN (
				SELECT access_key, issued_at / 1000000000, id FROM oldest UNION ALL SELECT session, issued_at / 1000000000, id FROM oldest
				UNION ALL SELECT alias, issued_at / 1000000000, id FROM oldest UNION ALL SELECT caller, issued_at / 1000000000, id FROM oldest)`, nanos(before), maxRows); err != nil {
				return err
			}
			removed, err = t.exec(`WITH oldest AS (SELECT id, access_key, session, alias, caller, issued_at FROM issues WHERE expires_at < ? ORDER BY expires_at, id LIMIT ?)
				DELETE FROM issues WHERE id IN (SELECT id FROM oldest)`, nanos(before), maxRows)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// PutIssued indexes an event that issued a session; the same one again changes nothing.
func (db *DB) PutIssued(ctx context.Context, s incident.IssuedSession) error {
	row := issue{session: s}
	if r, err := cloudtrail.ParseRecord(s.Record); err == nil {
		i, _ := identity.IssueOf(r)
		row.alias, row.caller = cmp.Or(i.SharedID, i.SignInARN), forward(i.CallerID())
	}
	return db.putIssues(ctx, []issue{row})
}

// IssuedBy returns the events that issued a key or session id, oldest first.
func (db *DB) IssuedBy(ctx context.Context, keyOrSession string) ([]incident.IssuedSession, error) {
	return db.issued(ctx, "look up session", keyOrSession, time.Time{}, time.Time{}, maxFound)
}
