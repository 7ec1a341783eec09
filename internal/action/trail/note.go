// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

// note puts what deviates on the incident's timeline: once it was put back, a later assessment does not show it any more.
func (a *assessment) note(ctx context.Context, env *action.Env) error {
	for _, d := range a.Dependencies {
		if d.Class == classFine {
			continue
		}
		if err := keep(ctx, env, d.Reason, d); err != nil {
			return err
		}
	}
	return nil
}

// keep adds an entry; a text that the timeline has already, for this happening, is left out.
func keep(ctx context.Context, env *action.Env, text string, about any) error {
	if env.Incident.ID == "" || env.Timeline == nil {
		return nil
	}
	data, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("note what was found: %w", err)
	}
	sum := sha256.Sum256([]byte(env.Incident.Times.Again.UTC().Format(time.RFC3339) + text))
	return env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: env.Now(), Kind: incident.EntryDecision, Text: text, Data: data,
		Key: "dependency/" + hex.EncodeToString(sum[:8]),
	})
}
