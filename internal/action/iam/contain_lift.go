// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
)

func init() { action.Register(lift{}) }

// lift takes away what is left of an incident's denies once AWS no longer applies them. It is no Change: there is nothing
// to undo, and it lowers nothing.
type lift struct{}

// lifted is the output.
type lifted struct {
	// Removed are the roles and users that have the deny no longer; Left those where it stays, with the reason.
	Removed []string `json:"removed"`
	Left    []other  `json:"left"`
}

// Info implements action.Action.
func (lift) Info() action.Info {
	return action.Info{
		ID: "iam:LiftContainment", Summary: "take away denies of a containment that are over", Class: classContain, IsChange: true, Fields: []action.Field{},
		Permissions: []string{
			"iam:DeleteRolePolicy", "iam:DeleteUserPolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:GetUser", "iam:GetUserPolicy",
			"iam:PutRolePolicy", "iam:PutUserPolicy",
		},
	}
}

// Run implements action.Action. It goes by the incident's own records of what was contained.
func (lift) Run(ctx context.Context, env *action.Env, _ json.RawMessage) (json.RawMessage, error) {
	out := lifted{Removed: []string{}, Left: []other{}}
	records, err := env.Undos.ListUndos(ctx, env.Incident.ID)
	if err != nil {
		return nil, action.AsError(ctx, fmt.Errorf("look for containments of %s: %w", env.Incident.ID, err))
	}
	var failures []error
	for _, u := range records {
		var p containParams
		if u.Action != (contain{}).Info().ID || json.Unmarshal(u.Params, &p) != nil {
			continue
		}
		for _, t := range p.Plan.Targets {
			if err := out.target(ctx, env, t); err != nil {
				failures = append(failures, fmt.Errorf("lift containment of %s: %w", t.ARN, err))
			}
		}
	}
	if err := errors.Join(failures...); err != nil {
		return nil, action.AsError(ctx, err)
	}
	text, err := json.Marshal(out)
	if err != nil {
		return nil, fmt.Errorf("encode what was lifted: %w", err)
	}
	return text, nil
}

func (l *lifted) target(ctx context.Context, env *action.Env, t target) error {
	t.Keys = nil // they stay as they are until somebody undoes it
	now, err := readTarget(ctx, env, t)
	if err != nil || now.Policy == "" {
		return err
	}
	have := parseDocument(now.Policy)
	left := alive(have, env.Now())
	if len(have) == 0 || len(left) == len(have) {
		l.Left = append(l.Left, other{string(t.ARN), "it is not over, or somebody changed it"})
		return nil
	}
	h, err := hold(ctx, env, t.ARN)
	if err != nil {
		return err
	}
	var steps action.Steps
	h.set(ctx, &steps, denyName(env), document(left))
	_, err = steps.Result(ctx)
	var kept *gate.NotSent
	switch {
	case errors.As(err, &kept):
		l.Left = append(l.Left, other{string(t.ARN), "AWS no longer applies it, but our mode leaves it there: " + kept.Error()})
		return nil
	case err == nil:
		l.Removed = append(l.Removed, string(t.ARN))
	}
	return err
}
