// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// signIns are the events of the sign-in service that begin a session: at the console, in another role there, or of a tool
// that was let in (aws login, an agent).
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
var signIns = []string{"ConsoleLogin", "CreateOAuth2Token", "SwitchRole"}

// SignInNames lists the events that begin a console session, sorted.
func SignInNames() []string { return append([]string(nil), signIns...) }

// readSignIn reads a sign-in. No key is recorded: the session is known by its principal and the moment of its creation, or
// by the ARN that newer records carry.
func (i *Issue) readSignIn() {
	r := &i.Record
	i.IsSignIn = true
	i.SignInARN, _ = cloudtrail.Lookup(r.AdditionalEventData, "signInSessionArn")
	if c := r.UserIdentity.SessionContext; i.SignInARN == "" && c != nil {
		i.SignInARN = c.SignInSessionARN
	}
	switch r.EventName {
	case "ConsoleLogin":
		i.SessionID = r.UserIdentity.PrincipalID
	case "CreateOAuth2Token":
		if ok, found := cloudtrail.Lookup(r.AdditionalEventData, "success"); found && ok != "true" {
			i.SignInARN = ""
		}
	case "SwitchRole":
		i.SignInARN = "" // the session that was switched from, if any
		from, _ := cloudtrail.Lookup(r.AdditionalEventData, "SwitchFrom")
		if caller, ok := identityOf(from); ok && r.UserIdentity.Type == cloudtrail.IdentityAssumedRole {
			i.SessionID, i.Caller = r.UserIdentity.PrincipalID, caller
		}
	}
}

// identityOf makes an identity of the ARN that a sign-in event gives in place of one; false for what is none.
func identityOf(text string) (cloudtrail.UserIdentity, bool) {
	p, err := arn.Parse(text)
	if err != nil {
		return cloudtrail.UserIdentity{}, false
	}
	u := cloudtrail.UserIdentity{ARN: text, AccountID: p.AccountID}
	switch {
	case p.Service == "iam" && p.Resource == "root":
		u.Type = cloudtrail.IdentityRoot
	case p.Service == "iam" && strings.HasPrefix(p.Resource, "user/"):
		u.Type, u.UserName = cloudtrail.IdentityIAMUser, lastOf(text, "user/")
	case p.Service == "sts" && strings.HasPrefix(p.Resource, "assumed-role/"):
		u.Type = cloudtrail.IdentityAssumedRole
	default:
		return cloudtrail.UserIdentity{}, false
	}
	return u, true
}

// isConsole says whether the credentials of r may come from a sign-in: AWS marks them, or they are a user's own.
func isConsole(r *cloudtrail.Record) bool {
	u := &r.UserIdentity
	return r.SessionCredentialFromConsole || u.SessionContext != nil && u.SessionContext.SignInSessionARN != "" ||
		u.AccessKeyID == "" || u.Type == cloudtrail.IdentityIAMUser || u.Type == cloudtrail.IdentityRoot
}

// fitsSignIn demands the same sign-in session where both name it, else that the principal signed in at the moment when
// the session was created.
func fitsSignIn(i Issue, at cloudtrail.Record, s Session) bool {
	if !i.IsSignIn || !isInTime(i, at) {
		return false
	}
	if s.SignInARN != "" && i.SignInARN != "" {
		return s.SignInARN == i.SignInARN
	}
	return i.SessionID != "" && i.SessionID == s.ID && !s.CreatedAt.IsZero() &&
		i.IssuedAt.Sub(s.CreatedAt).Abs() <= clockTolerance
}
