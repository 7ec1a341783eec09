// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
)

var _ incident.Store = (*DB)(nil)

// errStale says that somebody else wrote the incident since it was read.
var errStale = errors.New("written meanwhile")

// ErrNoEventID says that a candidate cannot be told from others.
var ErrNoEventID = errors.New("the event has no id")

// Admit deduplicates the event, then opens an incident or joins the open one with the same key.
func (db *DB) Admit(ctx context.Context, c incident.Candidate) (incident.Incident, incident.Disposition, error) {
	what := "admit event " + strconv.Quote(string(c.Event))
	if c.Event == "" {
		return incident.Incident{}, "", fmt.Errorf("%s: %w", what, ErrNoEventID)
	}
	var (
		admitted    incident.Incident
		disposition incident.Disposition
	)
	err := db.write(ctx, what, func(t *tx) (err error) {
		admitted, disposition, err = t.admit(c)
		return err
	})
	return admitted, disposition, err
}

func (t *tx) admit(c incident.Candidate) (incident.Incident, incident.Disposition, error) {
	var doc []byte
	err := t.get(`SELECT i.doc FROM admitted a JOIN incidents i ON i.id = a.incident WHERE a.event = ? AND a.runbook = ?`,
		[]any{string(c.Event), c.Key.Runbook}, &doc)
	if err == nil {
		known, err := decode[incident.Incident](doc)
		return known, incident.Duplicate, err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return incident.Incident{}, "", err
	}
	i, disposition, err := t.openOrJoin(c)
	if err != nil {
		return i, "", err
	}
	if _, err := t.exec(`INSERT INTO admitted (event, runbook, incident) VALUES (?, ?, ?)`, string(c.Event), c.Key.Runbook, string(i.ID)); err != nil {
		return i, "", err
	}
	// Another runbook may have admitted the same event: the first envelope stands.
	_, err = t.exec(`INSERT INTO evidence (event, envelope) VALUES (?, ?) ON CONFLICT (event) DO NOTHING`, string(c.Event), orEmpty(c.Envelope))
	return i, disposition, err
}

// unclosed is the query for the one incident that is not closed of a key.
const unclosed = `SELECT doc, version FROM incidents WHERE key = ? AND status <> 'closed'`

func (t *tx) openOrJoin(c incident.Candidate) (incident.Incident, incident.Disposition, error) {
	var (
		doc     []byte
		version int64
	)
	err := t.get(unclosed, []any{c.Key.String()}, &doc, &version)
	if errors.Is(err, sql.ErrNoRows) {
		i, err := t.openIncident(c)
		return i, incident.Opened, err
	}
	if err != nil {
		return incident.Incident{}, "", err
	}
	i, err := decode[incident.Incident](doc)
	if err != nil {
		return i, "", err
	}
	join(&i, c)
	return i, incident.Joined, t.putIncident(i, version)
}

// openIncident writes a new incident. In the rare case that another one got the same eight digits it takes the next.
func (t *tx) openIncident(c incident.Candidate) (incident.Incident, error) {
	i := opened(c)
	for n := 2; ; n++ {
		isTaken, err := t.hasIncident(i.ID)
		if err != nil {
			return i, err
		}
		if !isTaken {
			break
		}
		i.ID = incident.NewID(c.Key.Runbook, c.Event+cloudtrail.EventID("#"+strconv.Itoa(n)), c.OccurredAt)
	}
	doc, err := encode(i)
	if err != nil {
		return i, err
	}
	_, err = t.exec(`INSERT INTO incidents (id, key, status, runbook, account, version, doc) VALUES (?, ?, ?, ?, ?, 1, ?)`,
		string(i.ID), i.Key.String(), string(i.Status), i.Key.Runbook, i.Key.Account, doc)
	return i, err
}

func (t *tx) hasIncident(id incident.ID) (bool, error) {
	var one int
	err := t.get(`SELECT 1 FROM incidents WHERE id = ?`, []any{string(id)}, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// opened is the incident that a candidate opens.
func opened(c incident.Candidate) incident.Incident {
	return incident.Incident{
		ID: incident.NewID(c.Key.Runbook, c.Event, c.OccurredAt), Key: c.Key, Title: c.Title, Trigger: c.Trigger,
		Severity: c.Severity, Status: incident.Open, Region: c.Region, Count: 1, Events: []cloudtrail.EventID{c.Event},
		Times: incident.Times{Occurred: c.OccurredAt.UTC(), Delivered: c.Delivered.UTC(), Received: c.ReceivedAt.UTC()},
	}
}

// join counts a further event of the same incident, which gets the higher of the two severities.
func join(i *incident.Incident, c incident.Candidate) {
	i.Count++
	if len(i.Events) < incident.MaxEvents {
		i.Events = append(i.Events, c.Event)
	}
	if c.Severity.Rank() > i.Severity.Rank() {
		i.Severity = c.Severity
	}
}

// putIncident replaces the document that has the version.
func (t *tx) putIncident(i incident.Incident, version int64) error {
	doc, err := encode(i)
	if err != nil {
		return err
	}
	changed, err := t.exec(`UPDATE incidents SET key = ?, status = ?, runbook = ?, account = ?, version = version + 1, doc = ? WHERE id = ? AND version = ?`,
		i.Key.String(), string(i.Status), i.Key.Runbook, i.Key.Account, doc, string(i.ID), version)
	switch {
	case isConstraint(err):
		return fmt.Errorf("%w: another open incident has the key of %s", incident.ErrConflict, i.ID)
	case err == nil && changed != 1:
		return errStale
	}
	return err
}

// Get returns one incident.
func (db *DB) Get(ctx context.Context, id incident.ID) (incident.Incident, error) {
	i, _, err := db.incident(ctx, id)
	return i, err
}

func (db *DB) incident(ctx context.Context, id incident.ID) (i incident.Incident, version int64, err error) {
	var doc []byte
	err = db.one(ctx, "read incident "+strconv.Quote(string(id)), `SELECT doc, version FROM incidents WHERE id = ?`, []any{string(id)}, &doc, &version)
	if err != nil {
		return i, 0, err
	}
	i, err = decode[incident.Incident](doc)
	return i, version, err
}

// Unclosed returns the incident of the key that is not closed.
func (db *DB) Unclosed(ctx context.Context, k incident.Key) (incident.Incident, error) {
	var (
		doc     []byte
		version int64
	)
	if err := db.one(ctx, "look for an incident of "+k.Runbook, unclosed, []any{k.String()}, &doc, &version); err != nil {
		return incident.Incident{}, err
	}
	return decode[incident.Incident](doc)
}

// Update reads, changes and writes one incident; when somebody else wrote it meanwhile, change runs again on what they
// wrote. It runs in the caller's goroutine and may use the store.
func (db *DB) Update(ctx context.Context, id incident.ID, change func(*incident.Incident) error) (incident.Incident, error) {
	for {
		i, version, err := db.incident(ctx, id)
		if err != nil {
			return i, err
		}
		if err := change(&i); err != nil {
			return incident.Incident{}, err
		}
		if i.ID != id {
			return incident.Incident{}, fmt.Errorf("update incident %s: its id was changed to %q", id, i.ID)
		}
		err = db.write(ctx, "update incident "+string(id), func(t *tx) error { return t.putIncident(i, version) })
		if !errors.Is(err, errStale) {
			return i, err
		}
	}
}

// List returns incidents, newest first.
func (db *DB) List(ctx context.Context, f incident.Filter) ([]incident.Incident, error) {
	var (
		where []string
		args  []any
	)
	add := func(condition string, values ...any) {
		where, args = append(where, condition), append(args, values...)
	}
	if len(f.Statuses) > 0 {
		var statuses []any
		for _, s := range f.Statuses {
			statuses = append(statuses, string(s))
		}
		add("status IN (?"+strings.Repeat(", ?", len(statuses)-1)+")", statuses...)
	}
	if f.Runbook != "" {
		add("runbook = ?", f.Runbook)
	}
	if f.Account != "" {
		add("account = ?", f.Account)
	}
	if f.Before != "" {
		add("ordinal < (SELECT ordinal FROM incidents WHERE id = ?)", string(f.Before))
	}
	query, args := selection(`SELECT doc FROM incidents`, where, args, `ordinal DESC`, f.Limit)
	return list(ctx, db, "list incidents", query, args, document[incident.Incident])
}

// selection puts a query together from constant parts; values stay parameters.
func selection(query string, where []string, args []any, order string, limit int) (string, []any) {
	if len(where) > 0 {
		query += " WHERE " + strings.Join(where, " AND ")
	}
	query += " ORDER BY " + order
	if limit > 0 {
		query += " LIMIT ?"
		args = append(args, limit)
	}
	return query, args
}

// orEmpty keeps an absent value apart from SQL's NULL.
func orEmpty(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
