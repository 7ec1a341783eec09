// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "trail:ProveOwnParts", Summary: "read our own parts back, and look whether an event of our own came the whole way since",
		Class: "read", IsUrgent: true, Permissions: ownPermissions,
	}, proveOwn))
}

type proveParams struct {
	// Since is when we began to put things back.
	Since time.Time `json:"since"`
}

// ownProof is the output; see the package comment.
type ownProof struct {
	Accepted bool      `json:"accepted"`
	Returned bool      `json:"returned"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
}

// proveOwn looks once; loop over it with a Wait state.
func proveOwn(ctx context.Context, env *action.Env, p proveParams) (ownProof, error) {
	out := ownProof{At: env.Now()}
	if env.Snapshots == nil || env.Timeline == nil {
		return out, errors.New("prove our own parts: no store of snapshots, or no timeline, is wired")
	}
	var readable []trail.Dependency
	for _, d := range env.Own {
		if state.CanRead(d.Kind) {
			readable = append(readable, d)
		}
	}
	parts, err := readOwn(ctx, env, readable)
	if err != nil {
		return out, err
	}
	for _, d := range parts {
		if d.Class != classFine || d.gap != "" {
			out.Reason = d.Reason
			return out, nil
		}
	}
	out.Accepted, out.Reason = true, fmt.Sprintf("%d of our own parts are as their baselines ask for", len(parts))
	accepted := func(t *incident.Times) *time.Time { return &t.Contained }
	if err := out.note(ctx, env, "accepted", accepted); err != nil {
		return out, err
	}
	return out, out.canary(ctx, env, p.Since)
}

// canary looks for the event of a call of our own that came back: it went the whole way, through trail, rule, queue and
// source to this store.
func (o *ownProof) canary(ctx context.Context, env *action.Env, since time.Time) error {
	entries, err := env.Timeline.Entries(ctx, env.Incident.ID)
	if err != nil {
		return fmt.Errorf("read the timeline: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Key, incident.KeyReturned) && !e.At.Before(since) {
			o.Returned, o.Reason = true, e.Text
			return o.note(ctx, env, "returned", func(t *incident.Times) *time.Time { return &t.Proven })
		}
	}
	o.Reason += "; no event of a call of our own came back yet"
	return nil
}

// note keeps the moment of a proof, once.
func (o *ownProof) note(ctx context.Context, env *action.Env, name string, of func(*incident.Times) *time.Time) error {
	id := env.Incident.ID
	if id == "" || env.Store == nil || !of(&env.Incident.Times).IsZero() {
		return nil
	}
	data, err := json.Marshal(o)
	if err != nil {
		return err
	}
	key := "proof/" + name
	if again := env.Incident.Times.Again; !again.IsZero() {
		key += "/" + again.UTC().Format(time.RFC3339)
	}
	// The timeline first: its key makes writing it again harmless, while the moment below says that all of this was done.
	if err := env.Timeline.Append(ctx, incident.Entry{Incident: id, At: o.At, Kind: incident.EntryProof, Text: o.Reason, Data: data, Key: key}); err != nil {
		return fmt.Errorf("note that it is %s: %w", name, err)
	}
	if _, err := env.Store.Update(ctx, id, func(i *incident.Incident) error {
		if at := of(&i.Times); at.IsZero() {
			*at = o.At
		}
		return nil
	}); err != nil {
		return fmt.Errorf("note that it is %s: %w", name, err)
	}
	return nil
}
