// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

// milestone is a proof that is noted on the incident and its timeline, once.
type milestone struct {
	name, text string
	data       any
	at         time.Time
	of         func(*incident.Times) *time.Time
}

// note keeps the moment of a proof. Outside of incidents there is nothing to keep it on.
func note(ctx context.Context, env *action.Env, m milestone) error {
	id := env.Incident.ID
	if id == "" || env.Store == nil || env.Timeline == nil {
		return nil
	}
	data, err := json.Marshal(m.data)
	if err != nil {
		return fmt.Errorf("note that the trail is %s: %w", m.name, err)
	}
	if !m.of(&env.Incident.Times).IsZero() {
		return nil
	}
	// The timeline first: its key makes writing it again harmless, while the moment below says that all of this was done.
	if err := env.Timeline.Append(ctx, incident.Entry{
		Incident: id, At: m.at, Kind: incident.EntryProof, Text: m.text, Data: data, Key: m.key(env.Incident.Times.Again),
	}); err != nil {
		return fmt.Errorf("note that the trail is %s: %w", m.name, err)
	}
	if _, err := env.Store.Update(ctx, id, func(i *incident.Incident) error {
		if at := m.of(&i.Times); at.IsZero() {
			*at = m.at
		}
		return nil
	}); err != nil {
		return fmt.Errorf("note that the trail is %s: %w", m.name, err)
	}
	return nil
}

// key is that of the proof's entry: what happened again is proven again.
func (m milestone) key(again time.Time) string {
	if again.IsZero() {
		return "proof/" + m.name
	}
	return "proof/" + m.name + "/" + again.UTC().Format(time.RFC3339)
}
