// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/ledger"
)

// evidence writes to the ledger. What need not be durable at once it collects, and writes the bodies of one kind and
// incident as one entry, a list, before the incident's next entry: a runbook makes dozens of calls that only read, and
// each entry is hashed and signed.
type evidence struct {
	ledger *ledger.Ledger
	clock  func() time.Time

	mu    sync.Mutex
	later map[incident.ID]map[string]*collected
}

// collected are bodies that become one entry.
type collected struct {
	bodies []json.RawMessage
	bytes  int
}

// The bounds of the list of one entry.
const (
	maxLater      = 64
	maxLaterBytes = ledger.MaxBodyBytes / 4
)

func (c *collected) isFull() bool { return len(c.bodies) >= maxLater || c.bytes >= maxLaterBytes }

// Record implements Ledger.
func (e *evidence) Record(ctx context.Context, kind string, id incident.ID, body any) error {
	entry, err := e.entry(kind, id, body)
	if err != nil {
		return err
	}
	if err := e.write(ctx, id, e.take(id)); err != nil {
		return err
	}
	return e.ledger.Append(ctx, entry)
}

// RecordLater implements Ledger.
func (e *evidence) RecordLater(ctx context.Context, kind string, id incident.ID, body any) error {
	data, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("ledger: describe %s: %w", kind, err)
	}
	if !e.add(kind, id, data) {
		return nil
	}
	return e.write(ctx, id, e.take(id))
}

// add collects a body, and reports whether the list is full.
func (e *evidence) add(kind string, id incident.ID, body json.RawMessage) (isFull bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.later == nil {
		e.later = map[incident.ID]map[string]*collected{}
	}
	if e.later[id] == nil {
		e.later[id] = map[string]*collected{}
	}
	c := e.later[id][kind]
	if c == nil {
		c = &collected{}
		e.later[id][kind] = c
	}
	c.bodies, c.bytes = append(c.bodies, body), c.bytes+len(body)
	return c.isFull()
}

// take removes what was collected for an incident.
func (e *evidence) take(id incident.ID) map[string]*collected {
	e.mu.Lock()
	defer e.mu.Unlock()
	lists := e.later[id]
	delete(e.later, id)
	return lists
}

func (e *evidence) write(ctx context.Context, id incident.ID, lists map[string]*collected) error {
	for _, kind := range slices.Sorted(maps.Keys(lists)) {
		entry, err := e.entry(kind, id, lists[kind].bodies)
		if err != nil {
			return err
		}
		if err := e.ledger.AppendAsync(ctx, entry); err != nil {
			return err
		}
	}
	return nil
}

// settle writes everything that was collected, and returns when it is durable.
func (e *evidence) settle(ctx context.Context) error {
	e.mu.Lock()
	ids := slices.Sorted(maps.Keys(e.later))
	e.mu.Unlock()
	var failures []error
	for _, id := range ids {
		failures = append(failures, e.write(ctx, id, e.take(id)))
	}
	return errors.Join(append(failures, e.ledger.Flush(ctx))...)
}

func (e *evidence) entry(kind string, id incident.ID, body any) (ledger.Entry, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return ledger.Entry{}, fmt.Errorf("ledger: describe %s: %w", kind, err)
	}
	return ledger.Entry{At: e.clock(), Kind: ledger.Kind(kind), Incident: string(id), Body: data}, nil
}
