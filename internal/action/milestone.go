// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// Milestone is a proof that is noted on the incident and its timeline, once.
type Milestone struct {
	// Name is "accepted", "delivering"; Text says what was proven, Data how.
	Name, Text string
	Data       any
	At         time.Time
	// Of is the moment on the incident that it fixes.
	Of func(*incident.Times) *time.Time
	// Standing says how the incident stands then, where nothing is put back; see incident.Incident.
	Standing string
}

// Note keeps the moment of a proof. Outside of incidents there is nothing to keep it on.
func Note(ctx context.Context, env *Env, m Milestone) error {
	id := env.Incident.ID
	if id == "" || env.Store == nil || env.Timeline == nil {
		return nil
	}
	data, err := json.Marshal(m.Data)
	if err != nil {
		return fmt.Errorf("note that it is %s: %w", m.Name, err)
	}
	if !m.Of(&env.Incident.Times).IsZero() {
		return nil
	}
	// The timeline first: its key makes writing it again harmless, while the moment below says that all of this was done.
	if err := env.Timeline.Append(ctx, incident.Entry{
		Incident: id, At: m.At, Kind: incident.EntryProof, Text: m.Text, Data: data, Key: m.key(env.Incident.Times.Again),
	}); err != nil {
		return fmt.Errorf("note that it is %s: %w", m.Name, err)
	}
	if _, err := env.Store.Update(ctx, id, func(i *incident.Incident) error {
		if at := m.Of(&i.Times); at.IsZero() {
			*at = m.At
			i.Standing = cmp.Or(m.Standing, i.Standing)
		}
		return nil
	}); err != nil {
		return fmt.Errorf("note that it is %s: %w", m.Name, err)
	}
	return nil
}

// key is that of the proof's entry: what happened again is proven again.
func (m Milestone) key(again time.Time) string {
	if again.IsZero() {
		return "proof/" + m.Name
	}
	return "proof/" + m.Name + "/" + again.UTC().Format(time.RFC3339)
}
