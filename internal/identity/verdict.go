// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// verdict is what the record at the end of a chain says about who it was.
type verdict struct {
	status     Status
	human, arn string
	// how is set when the end itself is inferred, and becomes a hop of its own.
	how     Confidence
	caller  string
	humanID string
	reason  string
	at      cloudtrail.Record
}

// order ranks confidences, strongest first.
var order = []Confidence{ByKey, BySession, ByPrincipal, BySourceIdentity, ByIdentityCenter, BySAML}

// result makes the resolution of a walk that ended with v.
func (w *walk) result(v verdict) Resolution {
	if v.how != "" {
		w.chain = append(w.chain, Hop{
			EventID: v.at.EventID, EventName: v.at.EventName, At: v.at.EventTime,
			Caller: v.caller, CallerType: v.at.UserIdentity.Type, Confidence: v.how,
		})
	}
	if v.status == Resolved {
		w.contradict(v)
	}
	res := Resolution{Status: v.status, Chain: append([]Hop{}, w.chain...), Reason: v.reason}
	switch v.status {
	case Resolved:
		res.Human, res.HumanARN, res.HumanID = v.human, v.arn, v.humanID
	case Unresolved:
		res.Missing = w.missing
	}
	for _, hop := range w.chain {
		if slices.Index(order, hop.Confidence) >= slices.Index(order, res.Confidence) {
			res.Confidence = hop.Confidence
		}
	}
	return res
}

// contradict notes on the last hop a source identity that names somebody else than the chain does.
func (w *walk) contradict(v verdict) {
	if w.sourced == nil || len(w.chain) == 0 {
		return
	}
	if named := sourceIdentity(w.sourced.UserIdentity); !strings.EqualFold(named, v.human) && named != v.arn {
		w.chain[len(w.chain)-1].Note = "the source identity names " + Printable(named, 200)
	}
}

// end judges the last record that could be reached. Where the chain breaks off, the source identity of a nearer session
// still holds: it cannot change along a chain.
func (w *walk) end(at cloudtrail.Record) verdict {
	v := w.judge(at)
	if v.status == Unresolved && w.sourced != nil {
		name := sourceIdentity(w.sourced.UserIdentity)
		return verdict{status: Resolved, human: name, how: BySourceIdentity, caller: name, at: *w.sourced}
	}
	return v
}

func (w *walk) judge(at cloudtrail.Record) verdict {
	if w.broken != "" {
		return w.without(at)
	}
	u := at.UserIdentity
	switch u.Type {
	case cloudtrail.IdentityIAMUser:
		return user(at)
	case cloudtrail.IdentityRoot:
		return verdict{status: Resolved, human: "root", arn: u.ARN}
	case cloudtrail.IdentitySAMLUser:
		return samlSubject(at)
	case cloudtrail.IdentityWebIdentityUser, cloudtrail.IdentityAWSService:
		return verdict{status: Service}
	case cloudtrail.IdentityIdentityCenterUser:
		return identityCenterUser(u)
	case cloudtrail.IdentityAWSAccount:
		return unresolved(fmt.Sprintf("principal %s of account %s: the copy of that account is not at hand",
			Printable(u.PrincipalID, 200), Printable(u.AccountID, 20)))
	case "":
		return unresolved("the record has no userIdentity")
	}
	return unresolved(fmt.Sprintf("an identity of type %s says no more", Printable(u.Type, 50)))
}

func unresolved(reason string) verdict { return verdict{status: Unresolved, reason: reason} }

func user(at cloudtrail.Record) verdict {
	p := PrincipalOf(at.UserIdentity)
	if p.Name == "" {
		return unresolved("AWS withholds the user's name")
	}
	return verdict{status: Resolved, human: p.Name, arn: p.ARN}
}

// samlSubject takes the subject that the provider signed; where it is withheld or anonymous, the session name that the
// same assertion carried.
func samlSubject(at cloudtrail.Record) verdict {
	if name := visibleName(at.UserIdentity.UserName); name != "" {
		return verdict{status: Resolved, human: name}
	}
	i, _ := IssueOf(at)
	if _, name, ok := strings.Cut(i.SessionID, ":"); ok && name != "" {
		return verdict{status: Resolved, human: name, how: BySAML, caller: name, at: at}
	}
	return unresolved("the SAML provider names nobody")
}

func identityCenterUser(u cloudtrail.UserIdentity) verdict {
	if u.OnBehalfOf == nil || u.OnBehalfOf.UserID == "" {
		return unresolved("an Identity Center user without an id")
	}
	return verdict{status: Resolved, human: u.OnBehalfOf.UserID, humanID: u.OnBehalfOf.UserID}
}

// enhanced judges a session that AWS records as on behalf of a user of IAM Identity Center. The name of its role session
// tells people more than the id, where that name can only be the user's.
func enhanced(at cloudtrail.Record) verdict {
	id := at.UserIdentity.OnBehalfOf.UserID
	v := verdict{status: Resolved, human: id, humanID: id, how: ByPrincipal, caller: id, at: at}
	if at.UserIdentity.SessionContext != nil && isIdentityCenterSession(at.UserIdentity) {
		_, v.human = roleAndSession(at.UserIdentity)
		v.caller, v.how = v.human, ByIdentityCenter
	}
	return v
}

// without judges a session whose issuing event was not found, by what the record itself carries; strongest first.
func (w *walk) without(at cloudtrail.Record) verdict {
	u, broken := at.UserIdentity, unresolved(w.broken)
	c := u.SessionContext
	switch u.Type {
	case cloudtrail.IdentityIAMUser: // AWS names the user, whoever called GetSessionToken or signed in
		return user(at)
	case cloudtrail.IdentityRoot:
		if c != nil && c.AssumedRoot {
			return broken
		}
		return verdict{status: Resolved, human: "root", arn: u.ARN}
	}
	switch {
	case u.OnBehalfOf != nil && u.OnBehalfOf.UserID != "":
		return enhanced(at)
	case c == nil:
		return broken
	case u.Type == cloudtrail.IdentityFederatedUser && c.SessionIssuer.ARN != "":
		return federatedBy(at, c.SessionIssuer)
	case c.SourceIdentity != "":
		return broken // end takes it from there
	case isIdentityCenterSession(u):
		_, name := roleAndSession(u)
		return verdict{status: Resolved, human: name, how: ByIdentityCenter, caller: name, at: at}
	case c.WebIDFederationData != nil && c.WebIDFederationData.FederatedProvider != "":
		return verdict{status: Service, how: ByPrincipal, caller: c.WebIDFederationData.FederatedProvider, at: at}
	case u.InScopeOf != nil && u.InScopeOf.CredentialsIssuedTo != "":
		return verdict{status: Service, how: ByPrincipal, caller: u.InScopeOf.CredentialsIssuedTo, at: at}
	}
	return broken
}

// federatedBy names the user or root that AWS records as the issuer of a federated user's session.
func federatedBy(at cloudtrail.Record, by cloudtrail.SessionIssuer) verdict {
	human := cmp.Or(visibleName(by.UserName), lastOf(by.ARN, "user/"))
	if by.Type == cloudtrail.IdentityRoot {
		human = "root"
	}
	if human == "" {
		return unresolved("the federated session's issuer has no name")
	}
	return verdict{status: Resolved, human: human, arn: by.ARN, how: ByPrincipal, caller: by.ARN, at: at}
}

// isIdentityCenterSession accepts a session name as an Identity Center user only where nothing contradicts it: the
// role lives under the path that AWS reserves, and ARN, id and issuer tell one story.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/using-service-linked-roles.html
func isIdentityCenterSession(u cloudtrail.UserIdentity) bool {
	issuer := u.SessionContext.SessionIssuer
	role, err := arn.Parse(issuer.ARN)
	if err != nil || role.Service != "iam" || !strings.HasPrefix(role.Resource, "role/aws-reserved/sso.") {
		return false
	}
	name := lastOf(issuer.ARN, "role/")
	id, session, ok := strings.Cut(u.PrincipalID, ":")
	used, err := arn.Parse(u.ARN)
	return ok && err == nil && session != "" && strings.HasPrefix(name, "AWSReservedSSO_") &&
		used.Resource == "assumed-role/"+name+"/"+session && used.AccountID == role.AccountID &&
		(issuer.PrincipalID == "" || issuer.PrincipalID == id)
}

func sourceIdentity(u cloudtrail.UserIdentity) string {
	if u.SessionContext == nil {
		return ""
	}
	return u.SessionContext.SourceIdentity
}
