// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
)

// DefaultFightWindow is that of Services.FightWindow.
const DefaultFightWindow = 10 * time.Minute

// A fight begins with the third restore: the first of them waits so long, each further one twice as long, none longer
// than the cap. It is never given up.
const (
	fightRestores = 2
	firstBackOff  = 2 * time.Second
	maxBackOff    = 30 * time.Second
)

// Fight is that somebody weakens a resource again and again.
type Fight struct {
	// Restores are those of other executions within the window.
	Restores int
	// BackOff is how long to wait before the next one, zero when there is no fight.
	BackOff time.Duration
}

// Fight looks whether the resource was put back again and again.
func (e *Env) Fight(ctx context.Context, resource arn.ARN) (Fight, error) {
	if e.Restores == nil || e.Incident.ID == "" {
		return Fight{}, nil
	}
	all, err := e.Restores.ListRestores(ctx, incident.RestoreFilter{Resource: string(resource), Since: e.Now().Add(-e.fightWindow())})
	if err != nil {
		return Fight{}, fmt.Errorf("look for a fight about %s: %w", resource, err)
	}
	var f Fight
	for _, r := range all {
		if r.Execution != e.Task.Execution {
			f.Restores++
		}
	}
	f.BackOff = backOff(f.Restores)
	return f, nil
}

func (e *Env) fightWindow() time.Duration { return cmp.Or(e.FightWindow, DefaultFightWindow) }

func backOff(restores int) time.Duration {
	if restores < fightRestores {
		return 0
	}
	d := firstBackOff
	for range restores - fightRestores {
		if d *= 2; d >= maxBackOff {
			return maxBackOff
		}
	}
	return d
}

// Escalate says on the timeline that there is a fight, makes the incident critical, and has the fallback told at once: by
// a timer, so that no channel that is slow to answer keeps the restore waiting.
func (e *Env) Escalate(ctx context.Context, f Fight) error {
	text := fmt.Sprintf("somebody weakens it again and again: put back %d times within %s; the next restore waits %s, and none is given up",
		f.Restores, e.fightWindow(), f.BackOff)
	if err := e.Timeline.Append(ctx, incident.Entry{
		Incident: e.Incident.ID, At: e.Now(), Kind: incident.EntryDecision, Text: text, Key: "fight/" + e.Task.Execution,
	}); err != nil {
		return fmt.Errorf("note a fight: %w", err)
	}
	if _, err := e.Store.Update(ctx, e.Incident.ID, func(i *incident.Incident) error {
		i.Severity = incident.Critical
		return nil
	}); err != nil {
		return fmt.Errorf("escalate a fight: %w", err)
	}
	return e.Page(ctx, "fight")
}

// PageFact begins the names of the incident's facts that say what was paged about.
const PageFact = "page/"

// Page has the fallback told at once about something that cannot wait for reminders, once an hour for each reason.
func (e *Env) Page(ctx context.Context, reason string) error {
	now, fact := e.Now(), PageFact+reason
	key := fact + now.UTC().Format("/2006-01-02T15")
	told, err := json.Marshal(key)
	if err != nil {
		return fmt.Errorf("page about %s: %w", reason, err)
	}
	inc, err := e.Store.Get(ctx, e.Incident.ID)
	if err != nil || bytes.Equal(inc.Facts[fact], told) {
		return err
	}
	// The timer first: what is noted and was not sent would never be sent.
	if err := e.Timers.Schedule(ctx, incident.Timer{Incident: inc.ID, Key: key, Kind: "fallback", DueAt: now, Attempt: 1}); err != nil {
		return fmt.Errorf("page about %s: %w", reason, err)
	}
	_, err = e.Store.Update(ctx, inc.ID, func(i *incident.Incident) error {
		if i.Facts == nil {
			i.Facts = map[string]json.RawMessage{}
		}
		i.Facts[fact] = told
		return nil
	})
	if err != nil {
		return fmt.Errorf("page about %s: %w", reason, err)
	}
	return nil
}
