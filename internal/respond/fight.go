// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// A principal whose doing was put back so often within the time is a repeat offender.
const (
	offences    = 3
	offenceTime = time.Hour
)

// offender is the part of Open that proposes to contain one.
const offender = "Contain"

// putBack keeps that a task put a resource back, for whoever looks for fights and repeat offenders.
func (r *Responder) putBack(ctx context.Context, env *action.Env, info action.Info, t engine.Task, output json.RawMessage) error {
	var out struct {
		Changed bool `json:"changed"`
	}
	if !info.IsChange || !strings.HasPrefix(info.Class, gate.ClassRestore) || env.Restores == nil || json.Unmarshal(output, &out) != nil || !out.Changed {
		return nil
	}
	undos, err := env.Undos.ListUndos(ctx, env.Incident.ID)
	if err != nil {
		return fmt.Errorf("look for what was put back: %w", err)
	}
	actor := r.actor(ctx, env.Incident, t)
	for _, u := range undos {
		if u.Key != t.Visit {
			continue
		}
		if err := env.Restores.RecordRestore(ctx, incident.Restore{
			Resource: u.Target, Execution: t.ExecutionName, Incident: env.Incident.ID, Actor: actor, At: r.clock(),
		}); err != nil {
			return err
		}
	}
	return r.propose(ctx, env, actor)
}

// propose asks for leave to contain a repeat offender; nothing is done about it without.
func (r *Responder) propose(ctx context.Context, env *action.Env, actor string) error {
	if actor == "" {
		return nil
	}
	all, err := env.Restores.ListRestores(ctx, incident.RestoreFilter{Actor: actor, Since: r.clock().Add(-offenceTime)})
	if err != nil || len(all) < offences {
		return err
	}
	text := fmt.Sprintf("%s: contain %s: needs approval (its changes were put back %d times within %s)", offender, actor, len(all), offenceTime)
	if err := r.update(ctx, env.Incident.ID, func(i *incident.Incident) { i.Open = withOpen(i.Open, offender, text) }); err != nil {
		return err
	}
	return r.o.Services.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: r.clock(), Kind: incident.EntryDecision, Text: text, Key: "contain/" + env.Task.Execution,
	})
}

// actor is the principal whose doing a run puts back: that of its own event, else of the incident.
func (r *Responder) actor(ctx context.Context, inc incident.Incident, t engine.Task) string {
	if event := eventOf(t); event != "" {
		if evidence, err := r.o.Services.Timeline.Evidence(ctx, event); err == nil {
			if record, err := identity.ParseEvidence(evidence); err == nil {
				return actorOf(identity.PrincipalOf(record.UserIdentity).String())
			}
		}
	}
	return actorOf(principalOf(inc))
}

// principalOf is whose doing an incident is, as far as is known: the runbook finds out more later.
func principalOf(inc incident.Incident) string {
	if inc.Who.Principal == "" && len(inc.Who.Chain) > 0 {
		return inc.Who.Chain[0]
	}
	return inc.Who.Principal
}

// actorOf is a principal as budgets count it: all sessions of a role are one, for whoever may assume it can name a new
// one with each call.
func actorOf(principal string) string {
	p, err := arn.Parse(principal)
	if err != nil {
		return identity.Printable(principal, maxChained)
	}
	if parts := strings.Split(p.Resource, "/"); p.Service == "sts" && parts[0] == "assumed-role" && len(parts) == 3 {
		p.Resource = "assumed-role/" + parts[1]
	}
	return identity.Printable(p.String(), maxChained)
}

// eventOf reads the event's id from the input of the execution.
func eventOf(t engine.Task) cloudtrail.EventID {
	var c struct {
		Execution struct {
			Input struct {
				EventID cloudtrail.EventID `json:"event_id"`
			}
		}
	}
	if json.Unmarshal(t.Context, &c) != nil {
		return ""
	}
	return c.Execution.Input.EventID
}

// pageFor has the fallback told at once that the budget of changes is spent: what is to be put back stays as it is.
func (r *Responder) pageFor(ctx context.Context, env *action.Env, failure error) error {
	var named *asl.Error
	if !errors.As(failure, &named) || named.Name != action.ErrorBudgetSpent || env.Timers == nil {
		return nil
	}
	return env.Page(ctx, "budget")
}
