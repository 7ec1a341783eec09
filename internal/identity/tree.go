// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Branches is an Index that also leads forward: from a principal to what it was given.
type Branches interface {
	Index
	// IssuedTo returns the events, from since on and oldest first, in which the caller with the id got credentials: the
	// access key of a user ("AKIA…") or the id of any principal ("AROA…:name", "AIDA…"). It returns MaxBranches at most.
	IssuedTo(ctx context.Context, callerID string, since time.Time) ([]Found, error)
}

// MaxBranches bounds one answer of Branches, MaxMembers a tree. Beyond them a tree says that it was cut.
const (
	MaxBranches = 1000
	MaxMembers  = 1000
)

// Relation is how a member of a tree is tied to the call that the tree grew from.
type Relation string

// Relations.
const (
	Self Relation = "self"
	// Ancestor: it was given the session of the call, or the session of one who was.
	Ancestor Relation = "ancestor"
	// Descendant: another member was given it.
	Descendant Relation = "descendant"
)

// Member is one session, or the long-term credentials or provider that a chain begins with. Its texts are as recorded.
type Member struct {
	Relation Relation
	// Type is one of cloudtrail's Identity constants; ID is "AROA…:name", "ACCOUNT:name" of a federated user, "AIDA…".
	Type, ID string
	// ARN is that of the session or user; "" where no record has it.
	ARN, Account string
	// Name is that of the role or user, Provider that of who vouched for a SAML or web identity.
	Name, Provider string
	// AccessKeyID of the credentials, "" where unknown: a console session has many.
	AccessKeyID string
	// EventID and EventName are of the event that issued the session, "" for long-term credentials and where it is not at
	// hand.
	EventID   cloudtrail.EventID
	EventName string
	// IssuedAt and ExpiresAt are zero for long-term credentials.
	IssuedAt, ExpiresAt time.Time
	// By is the index of the member that it was given to, -1 where that is not at hand, or there is none.
	By int
}

// IsLongTerm says whether the credentials have no end.
func (m Member) IsLongTerm() bool { return m.IssuedAt.IsZero() }

// IsSignIn says whether the session began with a password or the like, at the console.
func (m Member) IsSignIn() bool { return slices.Contains(signIns, m.EventName) }

// Tree is a call's own credentials, those that led to them, and everything that any of these were used to issue.
type Tree struct {
	// Members come with the beginning of the chain first, then down to the call's own, then descendants by age.
	Members []Member
	// Reason says why the chain has no beginning at hand; IsCut that there are more members than MaxMembers or
	// MaxBranches.
	Reason string
	IsCut  bool
}

// Grow finds the tree of r. What was issued by none of its credentials is not in it, although it has the same role, the
// same user or even the same session name. An index that lacks events makes it smaller, never wrong.
func Grow(ctx context.Context, r cloudtrail.Record, index Branches) (Tree, error) {
	g := gardener{index: index}
	if err := g.up(ctx, r); err != nil {
		return g.tree, err
	}
	for at := 0; at < len(g.tree.Members); at++ {
		if err := g.down(ctx, at); err != nil {
			return g.tree, err
		}
	}
	return g.tree, nil
}

type gardener struct {
	index Branches
	tree  Tree
}

// up follows the chain as Resolve does, and puts its beginning first.
func (g *gardener) up(ctx context.Context, r cloudtrail.Record) error {
	w := walk{index: g.index, seen: map[cloudtrail.EventID]bool{r.EventID: true}}
	at, relation := r, Self
	if i, ok := IssueOf(r); ok {
		at.UserIdentity = i.Caller
	}
	for {
		m := memberOf(at.UserIdentity)
		m.Relation = relation
		next, found, err := w.step(ctx, at)
		if err != nil {
			return err
		}
		if found {
			i, _ := IssueOf(next)
			m.issuedBy(i)
		}
		g.tree.Members = append(g.tree.Members, m)
		if !found {
			break
		}
		at, relation = next, Ancestor
	}
	g.tree.Reason = w.broken
	slices.Reverse(g.tree.Members)
	for i := range g.tree.Members {
		g.tree.Members[i].By = i - 1
	}
	return nil
}

// memberOf reads what a record says about the credentials that it was made with.
func memberOf(u cloudtrail.UserIdentity) Member {
	p := PrincipalOf(u)
	m := Member{Type: u.Type, ID: u.PrincipalID, ARN: u.ARN, Account: u.AccountID, Name: p.Name, Provider: u.IdentityProvider, AccessKeyID: u.AccessKeyID, By: -1}
	if s, ok := SessionOf(u); ok && !s.CreatedAt.IsZero() {
		m.IssuedAt, m.ExpiresAt = s.CreatedAt, s.CreatedAt.Add(LongestSession)
	}
	return m
}

// issuedBy completes a member by the event that issued it.
func (m *Member) issuedBy(i Issue) {
	m.EventID, m.EventName, m.ExpiresAt = i.Record.EventID, i.Record.EventName, i.ExpiresAt
	if m.IssuedAt.IsZero() {
		m.IssuedAt = i.IssuedAt
	}
}

// down adds what was issued to one member.
func (g *gardener) down(ctx context.Context, at int) error {
	m := g.tree.Members[at]
	ids := []string{m.ID}
	if m.IsLongTerm() {
		ids = []string{m.AccessKeyID, m.ID}
	}
	for _, id := range ids {
		if id == "" || len(id) > MaxID {
			continue
		}
		found, err := g.index.IssuedTo(ctx, id, m.since())
		if err != nil {
			return fmt.Errorf("find what was issued to %s: %w", Printable(id, 200), err)
		}
		g.tree.IsCut = g.tree.IsCut || len(found) >= MaxBranches
		for _, f := range found {
			if i, ok := IssueOf(f.Record); ok && m.gave(i) {
				g.add(i, at)
			}
		}
	}
	return nil
}

// since is the moment before which nothing can have been issued that matters.
func (m Member) since() time.Time {
	if m.IsLongTerm() {
		return time.Time{}
	}
	return m.IssuedAt.Add(-clockTolerance)
}

// gave says whether i was issued to these very credentials, not only to the same user or session name.
func (m Member) gave(i Issue) bool {
	key, created := i.Caller.AccessKeyID, time.Time{}
	if s, ok := SessionOf(i.Caller); ok {
		created = s.CreatedAt
	}
	switch {
	case m.IsLongTerm():
		// The copy of the role's owner tells no key: it may be this one.
		return created.IsZero() && (key == m.AccessKeyID || key == "")
	case i.IssuedAt.Before(m.IssuedAt.Add(-clockTolerance)) || i.IssuedAt.After(m.ExpiresAt.Add(expiryGrace)):
		return false
	case key != "" && key == m.AccessKeyID:
		return true
	case !created.IsZero():
		return created.Sub(m.IssuedAt).Abs() <= clockTolerance
	}
	return key == "" || m.AccessKeyID == ""
}

// add takes one more member in, unless it is there or another copy of the call that issued it is.
func (g *gardener) add(i Issue, by int) {
	m := descendantOf(i)
	m.By = by
	same := func(o Member) bool {
		if m.AccessKeyID != "" && o.AccessKeyID != "" && !o.IsSignIn() && !m.IsSignIn() {
			return m.AccessKeyID == o.AccessKeyID
		}
		return m.EventID == o.EventID || m.ID == o.ID && m.IssuedAt.Sub(o.IssuedAt).Abs() <= clockTolerance
	}
	switch {
	case slices.ContainsFunc(g.tree.Members, same):
	case len(g.tree.Members) >= MaxMembers:
		g.tree.IsCut = true
	default:
		g.tree.Members = append(g.tree.Members, m)
	}
}

// descendantOf reads what an event issued.
func descendantOf(i Issue) Member {
	m := Member{Relation: Descendant, ID: i.SessionID, AccessKeyID: i.AccessKeyID, IssuedAt: i.IssuedAt}
	role, _ := i.Record.ResponseElement("assumedRoleUser", "arn")
	federated, _ := i.Record.ResponseElement("federatedUser", "arn")
	m.ARN = cmp.Or(role, federated)
	switch {
	case i.Record.EventName == "GetFederationToken":
		m.Type, m.Name = cloudtrail.IdentityFederatedUser, PrincipalOf(i.Caller).Name // who minted it bounds it
	case i.Record.EventName == "AssumeRoot":
		m.Type, m.Account = cloudtrail.IdentityRoot, i.Record.RecipientAccountID
	case i.Record.EventName == "GetSessionToken", i.IsSignIn && i.Record.EventName != "SwitchRole":
		own := memberOf(i.Caller)
		m.Type, m.ID, m.ARN, m.Account, m.Name = own.Type, own.ID, own.ARN, own.Account, own.Name
	case i.IsSignIn:
		own := memberOf(i.Record.UserIdentity)
		m.Type, m.ID, m.ARN, m.Account, m.Name = own.Type, own.ID, own.ARN, own.Account, own.Name
	default:
		m.Type = cloudtrail.IdentityAssumedRole
	}
	if p, err := arn.Parse(m.ARN); err == nil && m.Account == "" {
		m.Account = p.AccountID
		if name, ok := strings.CutPrefix(p.Resource, "assumed-role/"); ok {
			m.Name, _, _ = strings.Cut(name, "/")
		}
	}
	m.issuedBy(i)
	return m
}

// CallerID is the id by which Branches lead from a caller to what it was given: the key of long-term credentials, else the
// id of the principal; "" leads nowhere.
func (i *Issue) CallerID() string {
	id := i.Caller.PrincipalID
	if strings.HasPrefix(i.Caller.AccessKeyID, "AKIA") {
		id = i.Caller.AccessKeyID
	}
	if len(id) > MaxID {
		return ""
	}
	return id
}
