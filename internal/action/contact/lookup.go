// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package contact

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/contact"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// ErrorNobody is the name of the failure when nobody is known and no fallback is configured.
const ErrorNobody = "Switchback.NobodyToContact"

func init() {
	action.Register(action.Query(action.Info{
		ID: "contact:LookUp", Class: "read",
		Summary: "how to reach the human of the incident, and where the answer came from",
		Permissions: []string{
			"account:GetAlternateContact", "cloudtrail:LookupEvents", "iam:ListUserTags",
			"identitystore:DescribeUser", "identitystore:GetUserId", "identitystore:ListUsers",
		},
	}, lookUp))
}

type none struct{}

type result struct {
	People []incident.Person `json:"people"`
	Notes  []string          `json:"notes"`
	Source string            `json:"source"`
}

// finder is People that also tells what it ignored: contact.Chain.
type finder interface {
	Find(ctx context.Context, door *gate.Door, who incident.Who) ([]incident.Person, []string, error)
}

func lookUp(ctx context.Context, env *action.Env, _ none) (result, error) {
	out := result{Notes: []string{}}
	people, notes, err := find(ctx, env)
	if errors.Is(err, contact.ErrNobody) {
		return out, &asl.Error{Name: ErrorNobody, Cause: err.Error()}
	}
	if err != nil {
		return out, err
	}
	out.People, out.Source = people, people[0].Source
	out.Notes = append(out.Notes, notes...)
	if env.Incident.ID == "" {
		return out, nil
	}
	return out, keep(ctx, env, out)
}

func find(ctx context.Context, env *action.Env) ([]incident.Person, []string, error) {
	if f, ok := env.People.(finder); ok {
		return f.Find(ctx, env.Door, env.Incident.Who)
	}
	people, err := env.People.LookUp(ctx, env.Door, env.Incident.Who)
	return people, nil, err
}

func keep(ctx context.Context, env *action.Env, out result) error {
	data, err := json.Marshal(out)
	if err != nil {
		return fmt.Errorf("encode contacts: %w", err)
	}
	var names []string
	for _, p := range out.People {
		name := identity.Printable(p.Name, 100) + " from " + p.Source
		if p.IsHint {
			name += " (a hint)"
		}
		names = append(names, name)
	}
	text := "to contact: " + strings.Join(names, ", ")
	if len(out.Notes) > 0 {
		text += "; " + strings.Join(out.Notes, "; ")
	}
	return env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: env.Clock(), Kind: incident.EntryDecision, Text: identity.Printable(text, 2000), Data: data,
		Key: "contact/" + env.Task.Visit,
	})
}
