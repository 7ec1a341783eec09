// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

// writer is a call that may be behind what was found without an event.
type writer struct {
	EventID   cloudtrail.EventID `json:"event_id"`
	EventName string             `json:"event_name"`
	EventTime time.Time          `json:"event_time"`
	Principal string             `json:"principal"`
	Resource  string             `json:"resource"`
}

// findWriters looks for who wrote to what deviates since it was last seen to be well, where no event says so, and puts
// them on the incident's identity chain: who may have done it must not answer for it.
func (a *assessment) findWriters(ctx context.Context, env *action.Env) error {
	keeper := state.Keeper{Into: env.Snapshots, History: env.History}
	var names []string
	for _, d := range a.Dependencies {
		if d.Class == classFine || d.lastGood.IsZero() {
			continue
		}
		records, gaps, err := keeper.Writers(ctx, env.Door, d.dependency(), d.lastGood.Add(-time.Minute), env.Now())
		if err != nil {
			return fmt.Errorf("find out who wrote %s: %w", d.Resource, err)
		}
		for _, gap := range gaps {
			a.Gaps = append(a.Gaps, brief(gap))
		}
		for _, r := range records {
			a.Writers = append(a.Writers, writer{
				r.EventID, identity.Printable(r.EventName, maxNote), r.EventTime,
				identity.Printable(identity.PrincipalOf(r.UserIdentity).String(), maxNote), string(d.Resource),
			})
			names = append(names, (identity.Resolution{}).Principals(r)...)
		}
	}
	a.Writers = a.Writers[max(0, len(a.Writers)-maxList):]
	a.Gaps = a.Gaps[:min(len(a.Gaps), maxList)]
	for _, w := range a.Writers {
		text := fmt.Sprintf("no event told of it: %s by %s at %s may be behind it", w.EventName, w.Principal, w.EventTime.UTC().Format(time.DateTime))
		if err := keep(ctx, env, text, w); err != nil {
			return err
		}
	}
	return chain(ctx, env, names)
}

// Bounds of the chain, as identity:Resolve keeps them.
const (
	maxChained = 300
	maxChain   = 200
)

func chain(ctx context.Context, env *action.Env, names []string) error {
	if len(names) == 0 || env.Incident.ID == "" || env.Store == nil {
		return nil
	}
	_, err := env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		for _, name := range names {
			name = identity.Printable(name, maxChained)
			if !slices.Contains(i.Who.Chain, name) && len(i.Who.Chain) < maxChain {
				i.Who.Chain = append(i.Who.Chain, name)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep who may have done it: %w", err)
	}
	return nil
}
