// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "iam:PlanContainment", Summary: "what containing the sessions behind a call would end, whom else it would hit, and what no call of ours ends",
		Class: "read", IsUrgent: true, Permissions: []string{
			"iam:GetAccessKeyLastUsed", "iam:GetRole", "iam:GetRolePolicy", "iam:GetUser", "iam:GetUserPolicy", "iam:ListRolePolicies",
			"iam:ListUserPolicies",
		},
	}, prepare))
}

type prepareParams struct {
	EventID cloudtrail.EventID `json:"event_id,omitempty"`
	// Spare are session ids and access keys to leave alone.
	Spare []string `json:"spare,omitempty"`
}

// containFor is how long a deny lasts, unless a session that it ends lives longer: the longest life of a role's session.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage-assume.html
const containFor = 12 * time.Hour

// clockTolerance is by how much the moment of issue in a record and in a token may differ.
const clockTolerance = 2 * time.Second

// branches is what a store of sessions has that leads forward, too.
type branches interface{ SessionIndex() identity.Store }

func prepare(ctx context.Context, env *action.Env, p prepareParams) (plan, error) {
	store, ok := env.Sessions.(branches)
	if !ok {
		return plan{}, errors.New("no index of sessions is wired")
	}
	index, ok := store.SessionIndex().(identity.Branches)
	if !ok {
		return plan{}, errors.New("the index of sessions does not lead forward")
	}
	if p.EventID == "" && len(env.Incident.Events) > 0 {
		p.EventID = env.Incident.Events[0]
	}
	raw, err := env.Timeline.Evidence(ctx, p.EventID)
	if err != nil {
		return plan{}, fmt.Errorf("read event %s: %w", identity.Printable(string(p.EventID), 100), err)
	}
	record, err := identity.ParseEvidence(raw)
	if err != nil {
		return plan{}, err
	}
	tree, err := identity.Grow(ctx, record, index)
	if err != nil {
		return plan{}, err
	}
	b := &planner{env: env, index: index, spare: p.Spare, tree: tree, done: make([]bool, len(tree.Members)), accounts: map[string]error{}}
	b.plan.Subject = identity.Printable(identity.PrincipalOf(record.UserIdentity).String(), 512)
	if err := b.make(ctx); err != nil {
		return plan{}, err
	}
	return b.plan, b.tell(ctx)
}

// planner makes one plan.
type planner struct {
	env   *action.Env
	index identity.Branches
	spare []string
	tree  identity.Tree
	plan  plan
	// done says which members can do nothing once the plan is carried out, or cannot already.
	done     []bool
	accounts map[string]error // reached, by account
	held     []held
}

// held is a member that a target is to contain.
type held struct {
	member int
	arn    arn.ARN
	id     string // of the role or user
}

func (b *planner) make(ctx context.Context) error {
	b.plan.At = whole(b.env.Now())
	b.plan.Until = b.plan.At.Add(containFor)
	for i, m := range b.tree.Members {
		if err := b.member(ctx, i, m); err != nil {
			return fmt.Errorf("plan containment of %s: %w", identity.Printable(m.ID, 200), err)
		}
	}
	if err := b.dropFull(ctx); err != nil {
		return err
	}
	b.plan.Targets = b.targets()
	if err := b.others(ctx); err != nil {
		return err
	}
	b.gaps()
	b.plan.Summary = b.summary()
	return nil
}

// member decides what becomes of one member of the tree.
func (b *planner) member(ctx context.Context, i int, m identity.Member) error {
	if !m.IsLongTerm() && !m.ExpiresAt.IsZero() && m.ExpiresAt.Before(b.plan.At) {
		b.done[i] = true
		return nil
	}
	if slices.Contains(b.spare, m.ID) || m.AccessKeyID != "" && slices.Contains(b.spare, m.AccessKeyID) {
		b.step(m, step{Outcome: outcomeSpared, Why: "left alone, as was asked for"})
		return nil
	}
	switch m.Type {
	case cloudtrail.IdentityAssumedRole:
		return b.role(ctx, i, m)
	case cloudtrail.IdentityIAMUser:
		return b.user(ctx, i, m)
	case cloudtrail.IdentityFederatedUser:
		if m.By >= 0 && b.tree.Members[m.By].Type == cloudtrail.IdentityIAMUser && federatedSession.MatchString(m.ID) {
			return b.entity(ctx, i, m, b.tree.Members[m.By].ARN, b.tree.Members[m.By].ID)
		}
	}
	b.stepFor(m)
	return nil
}

// role plans a role's session.
func (b *planner) role(ctx context.Context, i int, m identity.Member) error {
	match := roleSession.FindStringSubmatch(m.ID)
	p, err := arn.Parse(m.ARN)
	if match == nil || err != nil || !entityName.MatchString(m.Name) || !accountID.MatchString(p.AccountID) {
		b.step(m, step{Outcome: outcomeUnknown, Why: "its id or ARN is not one that AWS gives out, and goes into no policy", WhoCan: "an administrator of its account"})
		return nil
	}
	p.Service, p.Resource = "iam", "role/"+m.Name
	return b.entity(ctx, i, m, p.String(), match[1])
}

// user plans a user's long-term key, or a session of its own.
func (b *planner) user(ctx context.Context, i int, m identity.Member) error {
	switch {
	case !userID.MatchString(m.ID) || m.ARN == "":
		b.step(m, step{Outcome: outcomeUnknown, Why: "its id or ARN is not one that AWS gives out, and goes into no policy", WhoCan: "an administrator of its account"})
		return nil
	case m.IsLongTerm() && !keyID.MatchString(m.AccessKeyID):
		b.stepPassword(m)
		return nil
	case m.IsSignIn():
		b.stepPassword(m)
	}
	return b.entity(ctx, i, m, m.ARN, m.ID)
}

// entity holds a member to the role or user that it is of, if we can change that.
func (b *planner) entity(ctx context.Context, i int, m identity.Member, entity, id string) error {
	p, err := arn.Parse(entity)
	if err != nil {
		return err
	}
	if err := b.reach(ctx, p); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		b.stepOutOfReach(m, p, err)
		return nil
	}
	h, err := hold(ctx, b.env, p.ARN())
	if err != nil {
		return err
	}
	is, full, err := h.id(ctx)
	switch {
	case err != nil && action.IsDenied(err):
		b.stepOutOfReach(m, p, err)
		return nil
	case err != nil:
		return err
	case is != id:
		b.done[i] = true
		b.step(m, step{Outcome: outcomeGone, Why: "its role or user was deleted, and its sessions with it"})
		return nil
	case isOwn(b.env, arn.ARN(full)):
		b.step(m, step{Outcome: outcomeOwn, Why: "a part of Switchback, which does not contain itself", WhoCan: "an administrator of its account"})
		return nil
	}
	if s, ok := protected(full, m); ok {
		b.step(m, s)
		return nil
	}
	b.done[i] = true
	b.held = append(b.held, held{i, arn.ARN(full), id})
	return nil
}

// reach reports why an account's IAM is not at our hand.
func (b *planner) reach(ctx context.Context, p arn.Parts) error {
	err, known := b.accounts[p.AccountID]
	if known {
		return err
	}
	partition, ok := arn.PartitionByID(p.Partition)
	if !ok {
		return fmt.Errorf("no partition %.20q", p.Partition)
	}
	caller, err := state.ReadCaller(ctx, b.env.Door, p.AccountID, partition.GlobalRegion)
	if err == nil && caller.Account != p.AccountID {
		err = fmt.Errorf("our credentials belong to %s", caller.Account)
	}
	b.accounts[p.AccountID] = err
	return err
}

// targets are the held members by their roles and users, those first that opened the others' sessions.
func (b *planner) targets() []target {
	all := []target{}
	for _, h := range b.held {
		i := slices.IndexFunc(all, func(t target) bool { return t.ARN == h.arn })
		if i < 0 {
			all, i = append(all, target{ARN: h.arn, ID: h.id}), len(all)
		}
		m := b.tree.Members[h.member]
		if m.IsLongTerm() {
			all[i].Keys = append(all[i].Keys, m.AccessKeyID)
			continue
		}
		all[i].Sessions = append(all[i].Sessions, b.session(m))
		if m.ExpiresAt.After(b.plan.Until) && m.ExpiresAt.Sub(b.plan.At) < longest {
			b.plan.Until = m.ExpiresAt
		}
	}
	return all
}

// session is a member as a policy names it. Whose opener is not contained can be opened anew.
func (b *planner) session(m identity.Member) session {
	isOpen := m.IsSignIn() || m.By < 0 || !b.done[m.By]
	return session{ID: m.ID, From: whole(m.IssuedAt.Add(-clockTolerance)), Open: isOpen, ExpiresAt: m.ExpiresAt}
}

// dropFull takes out the targets whose inline policies have no room for the deny.
func (b *planner) dropFull(ctx context.Context) error {
	for _, t := range b.targets() {
		if len(t.Sessions) == 0 {
			continue
		}
		h, err := hold(ctx, b.env, t.ARN)
		if err != nil {
			return err
		}
		size, err := h.inlineSize(ctx, denyName(b.env))
		if err != nil {
			return err
		}
		text := document(windowsOf(t.Sessions, b.plan.At, b.plan.Until))
		if size+len(text) <= h.limit() {
			continue
		}
		b.held = slices.DeleteFunc(b.held, func(o held) bool {
			m := b.tree.Members[o.member]
			if o.arn != t.ARN || m.IsLongTerm() {
				return false
			}
			b.done[o.member] = false
			b.step(m, step{
				Outcome: outcomeFull, Why: fmt.Sprintf("%s; %d are in use, the deny needs %d", h.full(), size, len(text)),
				WhoCan: "an administrator of its account, once another inline policy is made a managed one", Command: h.byHand(denyName(b.env), text),
			})
			return true
		})
	}
	return nil
}

// others finds who else would be hit.
func (b *planner) others(ctx context.Context) error {
	b.plan.Others = []other{}
	for _, t := range b.plan.Targets {
		if len(t.Keys) > 0 {
			b.othersOfKeys(ctx, t)
		}
		for _, s := range t.Sessions {
			if err := b.othersOfSession(ctx, t, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// othersOfKeys tells when each key was last used: whatever uses it stops. That it cannot be told stops nothing.
func (b *planner) othersOfKeys(ctx context.Context, t target) {
	for _, key := range t.Keys {
		why := "everything that uses the key stops"
		h, err := hold(ctx, b.env, t.ARN)
		var out *api.GetAccessKeyLastUsedOutput
		if err == nil {
			out, err = h.client.GetAccessKeyLastUsed(ctx, &api.GetAccessKeyLastUsedInput{AccessKeyId: &key})
		}
		switch {
		case err != nil:
			why += "; when it was last used is not known: " + identity.Printable(err.Error(), 300)
		case out.AccessKeyLastUsed != nil && out.AccessKeyLastUsed.LastUsedDate != nil:
			u := out.AccessKeyLastUsed
			why += fmt.Sprintf("; last used %s for %s in %s", u.LastUsedDate.UTC().Format(time.RFC3339), aws.ToString(u.ServiceName), aws.ToString(u.Region))
		default:
			why += "; IAM knows of no use"
		}
		b.plan.Others = append(b.plan.Others, other{Who: fmt.Sprintf("key %s of %s", key, t.ARN), Why: why})
	}
}

// othersOfSession finds sessions with the same id that the deny would hit and the tree does not have.
func (b *planner) othersOfSession(ctx context.Context, t target, s session) error {
	if userID.MatchString(s.ID) {
		b.addOther(other{Who: string(t.ARN), Why: fmt.Sprintf("every temporary session of the user that was issued since %s", s.From.Format(time.RFC3339))})
		return nil
	}
	found, err := b.index.Find(ctx, identity.Clue{Kind: identity.ClueSession, ID: s.ID, Since: s.From, Until: b.plan.At})
	if err != nil {
		return fmt.Errorf("find other sessions of %s: %w", s.ID, err)
	}
	for _, f := range found {
		i, ok := identity.IssueOf(f.Record)
		isOurs := slices.ContainsFunc(b.tree.Members, func(m identity.Member) bool {
			return m.EventID == i.Record.EventID || m.AccessKeyID != "" && m.AccessKeyID == i.AccessKeyID
		})
		if !ok || isOurs || i.SessionID != s.ID || i.IssuedAt.Before(s.From) || i.ExpiresAt.Before(b.plan.At) {
			continue
		}
		b.addOther(other{Who: s.ID, Why: fmt.Sprintf("another session of this name, issued %s to %s (event %s)", i.IssuedAt.UTC().Format(time.RFC3339),
			identity.Printable(identity.PrincipalOf(i.Caller).String(), 512), identity.Printable(string(i.Record.EventID), 100))})
	}
	return nil
}

func (b *planner) addOther(o other) {
	if !slices.Contains(b.plan.Others, o) {
		b.plan.Others = append(b.plan.Others, o)
	}
}

func (b *planner) gaps() {
	b.plan.Gaps = []string{}
	if b.tree.Reason != "" {
		b.plan.Gaps = append(b.plan.Gaps, "who opened the first session is not known: "+b.tree.Reason)
	}
	if b.tree.IsCut {
		b.plan.Gaps = append(b.plan.Gaps, fmt.Sprintf("there are more sessions than %d: contain these, then plan again", identity.MaxMembers))
	}
	if b.plan.Steps == nil {
		b.plan.Steps = []step{}
	}
}

func (b *planner) summary() string {
	sessions, keys, accounts := 0, 0, map[string]bool{}
	for _, t := range b.plan.Targets {
		sessions, keys = sessions+len(t.Sessions), keys+len(t.Keys)
		p, _ := t.ARN.Parse() // it was, to get here
		accounts[p.AccountID] = true
	}
	return fmt.Sprintf("%d sessions and %d long-term keys in %d accounts; %d others would be hit, %d steps are for a person",
		sessions, keys, len(accounts), len(b.plan.Others), len(b.plan.Steps))
}

// tell puts the plan on the timeline, where those who may approve it see it.
func (b *planner) tell(ctx context.Context) error {
	id := b.env.Incident.ID
	if id == "" {
		return nil
	}
	data, err := json.Marshal(b.plan)
	if err != nil {
		return fmt.Errorf("encode plan: %w", err)
	}
	lines := []string{"containing " + b.plan.Subject + " needs approval: " + b.plan.Summary}
	for _, o := range b.plan.Others[:min(len(b.plan.Others), 10)] {
		lines = append(lines, "would be hit, too: "+o.Who+": "+o.Why)
	}
	return b.env.Timeline.Append(ctx, incident.Entry{
		Incident: id, At: b.env.Now(), Kind: incident.EntryDecision, Text: strings.Join(lines, "\n"), Data: data, Key: "contain-plan/" + b.env.Task.Visit,
	})
}
