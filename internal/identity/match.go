// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// copiesApart is how far the times of the copies of one call may lie apart.
const copiesApart = time.Minute

// callersCopy prefers, of the copies that a call across accounts leaves, that of the caller's account: the role's owner
// sees only an account and an id.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func (w *walk) callersCopy(ctx context.Context, i Issue, by Clue) (Issue, error) {
	owner := i.Record.UserIdentity
	if owner.Type != cloudtrail.IdentityAWSAccount || i.SharedID == "" {
		return i, nil
	}
	clue := Clue{
		Kind: ClueShared, ID: i.SharedID, Since: i.IssuedAt.Add(-copiesApart), Until: i.IssuedAt.Add(copiesApart),
		Account: owner.AccountID, Region: i.Record.AWSRegion,
	}
	if clue.Region == "" {
		clue.Region = by.Region
	}
	copies, err := w.lookUp(ctx, clue)
	var callers []Issue
	for _, c := range copies {
		if c.SharedID == i.SharedID && c.Record.EventName == i.Record.EventName && isCaller(owner, c.Caller) {
			callers = append(callers, c)
		}
	}
	if one, ok := oneOf(callers); ok {
		return one, err
	}
	w.missing = []Clue{clue}
	return i, err
}

// isCaller says whether u may be the principal that the role's owner saw.
func isCaller(seen, u cloudtrail.UserIdentity) bool {
	if u.Type == cloudtrail.IdentityAWSAccount || seen.ARN != "" && u.ARN != "" && seen.ARN != u.ARN ||
		seen.AccountID != "" && u.AccountID != "" && seen.AccountID != u.AccountID {
		return false
	}
	a, _, _ := strings.Cut(seen.PrincipalID, ":")
	b, _, _ := strings.Cut(u.PrincipalID, ":")
	return a == "" || b == "" || a == b
}

// oneOf returns the event of issues if they are one: copies of the same call count once, the most telling is taken.
func oneOf(issues []Issue) (Issue, bool) {
	if len(issues) == 0 {
		return Issue{}, false
	}
	best := issues[0]
	for _, i := range issues[1:] {
		if !isSameCall(best, i) {
			return Issue{}, false
		}
		if best.Caller.Type == cloudtrail.IdentityAWSAccount {
			best = i
		}
	}
	return best, true
}

// isSameCall joins the copies of a call across accounts, a record with the one that corrects it, and the tokens of one
// sign-in session; but only where they agree on the caller. Two stories about one call are no evidence.
func isSameCall(a, b Issue) bool {
	switch {
	case a.SharedID != "" && a.SharedID == b.SharedID:
		return isCaller(a.Caller, b.Caller) || isCaller(b.Caller, a.Caller)
	case corrects(a.Record, b.Record), corrects(b.Record, a.Record), a.Record.RequestID != "" && a.Record.RequestID == b.Record.RequestID,
		a.IsSignIn && b.IsSignIn && a.SignInARN != "" && a.SignInARN == b.SignInARN:
		return PrincipalOf(a.Caller).String() == PrincipalOf(b.Caller).String()
	}
	return false
}

// corrects says whether AWS sent a as the correction of b.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
func corrects(a, b cloudtrail.Record) bool {
	return a.Addendum != nil && a.Addendum.OriginalEventID != "" && a.Addendum.OriginalEventID == b.EventID
}

// fitsKey demands more than the key: the event came before the use, the credentials had not expired, and they were
// issued to the principal that used them.
func fitsKey(i Issue, at cloudtrail.Record, s Session) bool {
	return i.AccessKeyID == s.AccessKeyID && isInTime(i, at) && isFor(i, at.UserIdentity)
}

// fitsSession demands that the session was created when the event issued it.
func fitsSession(i Issue, at cloudtrail.Record, s Session) bool {
	return !i.IsSignIn && i.SessionID == s.ID && isInTime(i, at) && !s.CreatedAt.IsZero() &&
		i.IssuedAt.Sub(s.CreatedAt).Abs() <= clockTolerance
}

func isInTime(i Issue, at cloudtrail.Record) bool {
	return !i.IssuedAt.After(at.EventTime.Add(clockTolerance)) && !at.EventTime.After(i.ExpiresAt.Add(expiryGrace))
}

func isFor(i Issue, u cloudtrail.UserIdentity) bool {
	switch {
	case i.SessionID != "":
		return u.PrincipalID == "" || u.PrincipalID == i.SessionID
	case i.Record.EventName == "AssumeRoot":
		return u.Type == cloudtrail.IdentityRoot
	}
	// GetSessionToken gives a user, or root, credentials of its own.
	return i.Caller.Type == u.Type && (u.PrincipalID == "" || i.Caller.PrincipalID == "" || u.PrincipalID == i.Caller.PrincipalID)
}
