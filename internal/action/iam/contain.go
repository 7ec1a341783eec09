// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

// classContain is what a policy calls all of this. It is never done without approval.
const classContain = "revoke-identity"

func init() { action.Register(action.Change(contain{})) }

// contain ends what the sessions of a plan can do.
type contain struct{}

type containParams struct {
	Plan plan `json:"plan"`
}

// containState is what a containment alters, in the order of the plan's targets.
type containState struct {
	Targets []targetState `json:"targets"`
}

type targetState struct {
	ARN arn.ARN `json:"arn"`
	// ID is "" where there is no such role or user.
	ID string `json:"id,omitempty"`
	// Policy is the incident's deny, "" for none.
	Policy string                      `json:"policy,omitempty"`
	Keys   map[string]types.StatusType `json:"keys,omitempty"`
}

// Info implements action.Changer.
func (contain) Info() action.Info {
	return action.Info{
		ID: "iam:ContainSession", Summary: "end what the sessions of an approved plan can do", Class: classContain, NeedsApproval: true,
		Permissions: []string{
			"iam:DeleteRolePolicy", "iam:DeleteUserPolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:GetUser", "iam:GetUserPolicy",
			"iam:ListAccessKeys", "iam:PutRolePolicy", "iam:PutUserPolicy", "iam:UpdateAccessKey",
		},
	}
}

// Prepare implements action.Changer.
func (contain) Prepare(_ context.Context, env *action.Env, p containParams) (containParams, action.Target, error) {
	if err := p.Plan.check(env); err != nil {
		return p, action.Target{}, err
	}
	first := p.Plan.Targets[0].ARN
	parts, err := first.Parse()
	return p, action.Target{Account: parts.AccountID, ARN: string(first)}, err
}

// Read implements action.Changer.
func (contain) Read(ctx context.Context, env *action.Env, p containParams) (containState, error) {
	var all containState
	for _, t := range p.Plan.Targets {
		s, err := readTarget(ctx, env, t)
		if err != nil {
			return all, fmt.Errorf("read %s: %w", t.ARN, err)
		}
		all.Targets = append(all.Targets, s)
	}
	return all, nil
}

func readTarget(ctx context.Context, env *action.Env, t target) (targetState, error) {
	s := targetState{ARN: t.ARN}
	h, err := hold(ctx, env, t.ARN)
	if err != nil {
		return s, err
	}
	if s.ID, _, err = h.id(ctx); err != nil || s.ID == "" {
		return s, err
	}
	if s.Policy, err = h.policy(ctx, denyName(env)); err != nil || len(t.Keys) == 0 {
		return s, err
	}
	keys, err := h.keys(ctx)
	if err != nil {
		return s, err
	}
	s.Keys = map[string]types.StatusType{}
	for _, k := range t.Keys {
		if status, ok := keys[k]; ok {
			s.Keys[k] = status
		}
	}
	return s, nil
}

// open are what of a target can still do something: sessions and keys. Of a role that is gone, or another one by now,
// nothing can.
func (t target) open(s targetState, p *plan) (sessions []session, keys []string) {
	if s.ID != t.ID {
		return nil, nil
	}
	have := parseDocument(s.Policy)
	for _, one := range t.Sessions {
		if !covers(have, one, p) {
			sessions = append(sessions, one)
		}
	}
	for _, k := range t.Keys {
		if s.Keys[k] == types.StatusTypeActive {
			keys = append(keys, k)
		}
	}
	return sessions, keys
}

// IsInPlace implements action.Changer.
func (contain) IsInPlace(p containParams, now containState) (bool, string) {
	var open []string
	for i, t := range p.Plan.Targets {
		if i >= len(now.Targets) {
			return false, fmt.Sprintf("%s was not read", t.ARN)
		}
		sessions, keys := t.open(now.Targets[i], &p.Plan)
		for _, s := range sessions {
			open = append(open, "session "+s.ID)
		}
		for _, k := range keys {
			open = append(open, "key "+k)
		}
	}
	if len(open) > 0 {
		const shown = 5
		text := strings.Join(open[:min(len(open), shown)], ", ")
		return false, fmt.Sprintf("%d of what is to be contained can still act: %s; %s", len(open), text, p.Plan.Summary)
	}
	return true, fmt.Sprintf("%s: denied until %s", p.Plan.Summary, whole(p.Plan.Until).Format("2006-01-02T15:04:05Z"))
}

// Do implements action.Changer. Whoever opened the sessions comes first, so that they open no more.
func (contain) Do(ctx context.Context, env *action.Env, p containParams, now containState) (string, error) {
	if err := remind(ctx, env, &p.Plan); err != nil {
		return "", err
	}
	var steps action.Steps
	for i, t := range p.Plan.Targets {
		sessions, keys := t.open(now.Targets[i], &p.Plan)
		if len(sessions)+len(keys) == 0 {
			continue
		}
		h, err := hold(ctx, env, t.ARN)
		if err != nil {
			steps.Fail(fmt.Errorf("contain %s: %w", t.ARN, err))
			continue
		}
		for _, k := range keys {
			h.setKey(ctx, &steps, k, types.StatusTypeInactive)
		}
		if len(sessions) > 0 {
			want := windowsOf(t.Sessions, env.Now(), p.Plan.Until)
			h.set(ctx, &steps, denyName(env), document(with(parseDocument(now.Targets[i].Policy), want, env.Now())))
		}
	}
	return steps.Result(ctx)
}

// remind has what is left of the denies taken away once they are over. Before they are made: a timer that finds nothing to
// lift is harmless, one that was never set is not.
func remind(ctx context.Context, env *action.Env, p *plan) error {
	if env.Timers == nil || env.Incident.ID == "" {
		return nil
	}
	err := env.Timers.Schedule(ctx, incident.Timer{
		Incident: env.Incident.ID, Key: "lift/" + env.Task.Visit, Kind: incident.TimerLift, DueAt: whole(p.Until).Add(settling), Attempt: 1,
	})
	if err != nil {
		return fmt.Errorf("have the denies lifted: %w", err)
	}
	return nil
}

// Undo implements action.Changer.
func (c contain) Undo(ctx context.Context, env *action.Env, p containParams, before containState) error {
	now, err := c.Read(ctx, env, p)
	if err != nil {
		return err
	}
	var steps action.Steps
	for i, was := range before.Targets {
		is := now.Targets[i]
		if was.ID != is.ID || was.ARN != is.ARN {
			steps.Fail(action.NeedsPerson("%s is gone since, or another one: nothing of it is contained any more", was.ARN))
			continue
		}
		h, err := hold(ctx, env, was.ARN)
		if err != nil {
			steps.Fail(fmt.Errorf("undo containment of %s: %w", was.ARN, err))
			continue
		}
		if was.Policy != is.Policy {
			h.set(ctx, &steps, denyName(env), was.Policy)
		}
		for _, k := range p.Plan.Targets[i].Keys {
			if status, ok := was.Keys[k]; ok && is.Keys[k] != status {
				h.setKey(ctx, &steps, k, status)
			}
		}
	}
	_, err = steps.Result(ctx)
	return err
}

// Lowers implements action.Changer: whoever was contained could act again.
func (contain) Lowers(containState) bool { return true }

// Advise implements action.Adviser.
func (contain) Advise(p containParams, now containState) action.Advice {
	var who, notes []string
	for _, s := range p.Plan.Steps {
		if s.WhoCan != "" {
			who = append(who, s.sentence())
		}
	}
	for i, t := range p.Plan.Targets {
		if i < len(now.Targets) && now.Targets[i].ID != t.ID {
			notes = append(notes, fmt.Sprintf("%s is gone or another one: its sessions can do nothing", t.ARN))
		}
		if len(t.Keys) > 0 {
			notes = append(notes, fmt.Sprintf("keys of %s stay inactive until somebody undoes it", t.ARN))
		}
	}
	return action.Advice{WhoCan: capped(strings.Join(who, "; ")), Note: capped(strings.Join(notes, "; "))}
}

func capped(s string) string { return identity.Printable(s, 4000) }
