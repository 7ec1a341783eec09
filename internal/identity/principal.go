// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Principal is who AWS says made a call. The texts are as recorded, not yet printable.
type Principal struct {
	Type string // one of cloudtrail's Identity constants
	ARN  string
	ID   string // AWS's unique id: "AIDA…", "AROA…:session-name"
	// Name is the friendly name: of a user its name, of a role session the role's name, of a service its host name.
	Name    string
	Account string
}

// PrincipalOf reads the principal of a record's userIdentity.
func PrincipalOf(u cloudtrail.UserIdentity) Principal {
	p := Principal{Type: u.Type, ARN: u.ARN, ID: u.PrincipalID, Name: u.UserName, Account: u.AccountID}
	switch u.Type {
	case cloudtrail.IdentityAssumedRole:
		p.Name, _ = roleAndSession(u)
	case cloudtrail.IdentityIAMUser:
		p.Name = cmp.Or(visibleName(u.UserName), lastOf(u.ARN, "user/"))
	case cloudtrail.IdentityRoot:
		p.Name = "root"
	case cloudtrail.IdentityFederatedUser:
		p.Name = cmp.Or(u.UserName, lastOf(u.ARN, "federated-user/"))
	case cloudtrail.IdentityAWSService:
		p.Name = u.InvokedBy
	case cloudtrail.IdentityIdentityCenterUser:
		if u.OnBehalfOf != nil {
			p.Name = u.OnBehalfOf.UserID
		}
	}
	return p
}

// String is the best single name of p: its ARN, else its id, else its name, else its account; "" when it has none.
func (p Principal) String() string {
	if p.Type == cloudtrail.IdentitySAMLUser || p.Type == cloudtrail.IdentityWebIdentityUser {
		return cmp.Or(p.Name, p.ID)
	}
	if id := cmp.Or(p.ARN, p.ID, p.Name); id != "" || p.Account == "" {
		return id
	}
	return "account " + p.Account
}

// Session is one use of temporary credentials.
type Session struct {
	AccessKeyID    string
	ID             string // "AROA…:session-name": equal for every key of one session name
	Role           string
	Name           string // chosen by the caller: free text
	SourceIdentity string
	SignInARN      string    // of the console sign-in session, in newer records
	CreatedAt      time.Time // zero when the record does not say
	MFA            *bool
}

// SessionOf reads the session of a record's userIdentity; false when the call was made with long-term credentials or
// by a service.
func SessionOf(u cloudtrail.UserIdentity) (Session, bool) {
	if !isTemporary(u) {
		return Session{}, false
	}
	s := Session{AccessKeyID: u.AccessKeyID, ID: u.PrincipalID}
	s.Role, s.Name = roleAndSession(u)
	if c := u.SessionContext; c != nil {
		s.SourceIdentity, s.CreatedAt, s.MFA = c.SourceIdentity, c.CreationDate, c.MFAAuthenticated
		s.SignInARN = c.SignInSessionARN
	}
	return s, true
}

// isTemporary tells sessions: "ASIA" begins every temporary key.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
func isTemporary(u cloudtrail.UserIdentity) bool {
	switch u.Type {
	case cloudtrail.IdentityAssumedRole, cloudtrail.IdentityFederatedUser,
		cloudtrail.IdentityWebIdentityUser, cloudtrail.IdentitySAMLUser:
		return true
	}
	return strings.HasPrefix(u.AccessKeyID, "ASIA")
}

// roleAndSession reads the two names of a role session: from its ARN, "assumed-role/ROLE/SESSION", else from the
// issuer and the principal id.
func roleAndSession(u cloudtrail.UserIdentity) (role, session string) {
	if u.Type != cloudtrail.IdentityAssumedRole {
		return "", ""
	}
	if p, err := arn.Parse(u.ARN); err == nil {
		if name, ok := strings.CutPrefix(p.Resource, "assumed-role/"); ok {
			role, session, _ = strings.Cut(name, "/")
		}
	}
	if u.SessionContext != nil {
		role = cmp.Or(u.SessionContext.SessionIssuer.UserName, role)
	}
	_, fromID, _ := strings.Cut(u.PrincipalID, ":")
	return role, cmp.Or(session, fromID)
}

// lastOf returns the last path element of an ARN's resource that starts with kind ("user/"), or "".
func lastOf(text, kind string) string {
	p, err := arn.Parse(text)
	if err != nil || !strings.HasPrefix(p.Resource, kind) {
		return ""
	}
	return p.Resource[strings.LastIndexByte(p.Resource, '/')+1:]
}

// visibleName is name, or "" where AWS withholds it.
func visibleName(name string) string {
	if name == cloudtrail.HiddenUserName {
		return ""
	}
	return name
}
