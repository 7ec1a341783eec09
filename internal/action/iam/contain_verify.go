// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"fmt"
	"slices"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "iam:VerifyContainment", Summary: "ask IAM's simulator whether each session of a plan is refused", Class: "read", IsUrgent: true,
		Permissions: []string{"iam:GetRole", "iam:GetRolePolicy", "iam:GetUser", "iam:GetUserPolicy", "iam:ListAccessKeys", "iam:SimulatePrincipalPolicy"},
	}, verify))
}

// verified is what the simulator says.
type verified struct {
	// Refused and Allowed are session ids and keys; of what can still do something there is a reason.
	Refused []string `json:"refused"`
	Allowed []string `json:"allowed"`
	// OthersRefused are the targets where a session that the plan does not name is refused, too: by what, is not ours.
	OthersRefused []string  `json:"others_refused"`
	IsContained   bool      `json:"is_contained"`
	At            time.Time `json:"at"`
}

// probe is what is simulated: an action that every deny of ours covers.
const probe = "s3:ListAllMyBuckets"

func verify(ctx context.Context, env *action.Env, p containParams) (verified, error) {
	out := verified{Refused: []string{}, Allowed: []string{}, OthersRefused: []string{}, At: env.Now()}
	if err := p.Plan.check(env); err != nil {
		return out, err
	}
	for _, t := range p.Plan.Targets {
		if err := out.target(ctx, env, t); err != nil {
			return out, fmt.Errorf("verify containment of %s: %w", t.ARN, err)
		}
	}
	out.IsContained = len(out.Allowed) == 0
	if env.Incident.ID == "" || !out.IsContained {
		return out, nil
	}
	return out, env.Timeline.Append(ctx, incident.Entry{
		Incident: env.Incident.ID, At: out.At, Kind: incident.EntryProof, Key: "contained/" + env.Task.Visit,
		Text: fmt.Sprintf("IAM's simulator refuses all %d sessions and keys that were contained", len(out.Refused)),
	})
}

func (v *verified) target(ctx context.Context, env *action.Env, t target) error {
	now, err := readTarget(ctx, env, t)
	if err != nil {
		return err
	}
	_, active := t.open(now, &plan{})
	for _, k := range t.Keys {
		v.add(k, !slices.Contains(active, k))
	}
	if len(t.Sessions) == 0 {
		return nil
	}
	if now.ID != t.ID { // its sessions ended with it
		for _, s := range t.Sessions {
			v.add(s.ID, true)
		}
		return nil
	}
	h, err := hold(ctx, env, t.ARN)
	if err != nil {
		return err
	}
	for _, s := range t.Sessions {
		refused, err := h.simulate(ctx, s.ID, s.From.Add(clockTolerance), env.Now())
		if err != nil {
			return err
		}
		v.add(s.ID, refused)
	}
	// A session that nobody has: what refuses it is no deny of ours.
	refused, err := h.simulate(ctx, t.ID+":switchback.control", env.Now(), env.Now())
	if refused {
		v.OthersRefused = append(v.OthersRefused, string(t.ARN))
	}
	return err
}

func (v *verified) add(id string, refused bool) {
	if refused {
		v.Refused = append(v.Refused, id)
	} else {
		v.Allowed = append(v.Allowed, id)
	}
}

// simulate reports whether an explicit deny refuses a session.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
func (h holder) simulate(ctx context.Context, id string, issuedAt, now time.Time) (bool, error) {
	entry := func(name string, kind types.ContextKeyTypeEnum, value string) types.ContextEntry {
		return types.ContextEntry{ContextKeyName: &name, ContextKeyType: kind, ContextKeyValues: []string{value}}
	}
	source := string(h.arn)
	out, err := h.client.SimulatePrincipalPolicy(ctx, &api.SimulatePrincipalPolicyInput{
		PolicySourceArn: &source, ActionNames: []string{probe}, ContextEntries: []types.ContextEntry{
			entry("aws:userid", types.ContextKeyTypeEnumString, id),
			entry("aws:TokenIssueTime", types.ContextKeyTypeEnumDate, whole(issuedAt).Format(time.RFC3339)),
			entry("aws:CurrentTime", types.ContextKeyTypeEnumDate, whole(now).Format(time.RFC3339)),
		},
	})
	if err != nil {
		return false, err
	}
	return len(out.EvaluationResults) == 1 && out.EvaluationResults[0].EvalDecision == types.PolicyEvaluationDecisionTypeExplicitDeny, nil
}
