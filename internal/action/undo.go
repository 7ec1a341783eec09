// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// ErrLowers is returned for an undo that lowers protection and was not allowed to.
var ErrLowers = errors.New("taking it back lowers protection: a second person must allow it")

// UndoOptions say who undoes and what he may. That he may undo at all is the caller's to decide, and that lowering
// protection is announced.
type UndoOptions struct {
	// By is the person.
	By string
	// MayLower allows records that lower protection.
	MayLower bool
}

// Undone is what became of one undo record.
type Undone struct {
	Record incident.Undo `json:"record"`
	// Intended: in dry-run; the call was not sent.
	Intended bool `json:"intended,omitempty"`
}

// UndoIncident takes back what an incident changed, newest first, and returns what was taken back. It stops at the first
// record that cannot be, with an error that names it: older changes may be what the newer one stands on. Records that
// were taken back already are passed over, so it can be called again. open makes the environment for a record's action,
// with a door whose scope is that action's.
func UndoIncident(ctx context.Context, id incident.ID, o UndoOptions, open func(Info, incident.Undo) (*Env, error), undos incident.Undos) ([]Undone, error) {
	records, err := undos.ListUndos(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("undo incident %s: %w", id, err)
	}
	var done []Undone
	for _, u := range records {
		if !u.UndoneAt.IsZero() {
			continue
		}
		one, err := undoOne(ctx, u, o, open, undos)
		if err != nil {
			return done, fmt.Errorf("undo %s of %s on %s: %w", u.Action, id, u.Target, err)
		}
		done = append(done, one)
	}
	return done, nil
}

func undoOne(ctx context.Context, u incident.Undo, o UndoOptions, open func(Info, incident.Undo) (*Env, error), undos incident.Undos) (Undone, error) {
	if u.Lowers && !o.MayLower {
		return Undone{}, ErrLowers
	}
	a, ok := Get(u.Action)
	if !ok {
		return Undone{}, fmt.Errorf("no such action in this build")
	}
	undoer, ok := a.(Undoer)
	if !ok {
		return Undone{}, fmt.Errorf("the action cannot be undone")
	}
	env, err := open(a.Info(), u)
	if err != nil {
		return Undone{}, err
	}
	err = undoer.Undo(ctx, env, u)
	if errors.Is(err, gate.ErrDryRun) {
		return Undone{Record: u, Intended: true}, nil
	}
	if err != nil {
		return Undone{}, err
	}
	if err := undos.MarkUndone(ctx, u.Incident, u.Key, o.By, env.Now()); err != nil {
		return Undone{}, fmt.Errorf("note that it was undone: %w", err)
	}
	u.UndoneAt, u.UndoneBy = env.Now(), o.By
	return Undone{Record: u}, nil
}
