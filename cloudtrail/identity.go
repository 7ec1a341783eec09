// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"time"
)

// Values of UserIdentity.Type.
const (
	IdentityRoot               = "Root"
	IdentityIAMUser            = "IAMUser"
	IdentityAssumedRole        = "AssumedRole"
	IdentityRole               = "Role"
	IdentityFederatedUser      = "FederatedUser"
	IdentitySAMLUser           = "SAMLUser"
	IdentityWebIdentityUser    = "WebIdentityUser"
	IdentityIdentityCenterUser = "IdentityCenterUser"
	IdentityAWSAccount         = "AWSAccount"
	IdentityAWSService         = "AWSService"
	IdentityDirectory          = "Directory"
	IdentityUnknown            = "Unknown"
)

// HiddenUserName stands for the name of a console sign-in that failed because of a wrong user name, and for other
// values that AWS withholds.
const HiddenUserName = "HIDDEN_DUE_TO_SECURITY_REASONS"

// UserIdentity is who made the call. Which members are there depends on the type: an AWSService has only InvokedBy, an
// IdentityCenterUser no ARN, an AWSAccount no name.
//
// Shape: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type UserIdentity struct {
	// Type is one of the Identity constants, or a newer one.
	Type string
	// PrincipalID is AWS's unique id: "AIDA…" of a user, "AROA…:session-name" of a role session. Unlike the ARN it
	// tells a re-created role from its predecessor.
	PrincipalID string
	// ARN of a role session names the role without its path; see SessionIssuer.
	ARN string
	// AccountID owns the principal.
	AccountID string
	// AccessKeyID is the key of the call, "AKIA…" long-term or "ASIA…" temporary; empty for many console sessions.
	AccessKeyID string
	// UserName is a friendly name: the account's alias for root, the subject for SAML and web identities, possibly
	// [HiddenUserName].
	UserName string
	// InvokedBy is the service that made the call on the principal's behalf.
	InvokedBy string
	// IdentityProvider goes with SAMLUser and WebIdentityUser.
	IdentityProvider string
	// CredentialID is the id of a bearer token of IAM Identity Center.
	CredentialID string
	// InvokedByDelegateAccountID is the account of a product provider that uses temporary delegated access.
	InvokedByDelegateAccountID string
	// SessionContext is set for temporary credentials.
	SessionContext *SessionContext
	// OnBehalfOf is the user of IAM Identity Center for whom the call was made.
	OnBehalfOf *OnBehalfOf
	// InScopeOf is the resource that carries the credentials.
	InScopeOf *InScopeOf
}

// SessionContext describes the session behind temporary credentials.
type SessionContext struct {
	// SessionIssuer is the role, user or root that the session's credentials were issued for; zero when absent.
	SessionIssuer SessionIssuer
	// CreationDate is when the credentials were issued, in UTC; zero when absent.
	CreationDate time.Time
	// MFAAuthenticated says whether the session was opened with a second factor; nil when the record does not say.
	MFAAuthenticated *bool
	// SourceIdentity is set at the first AssumeRole of a chain and cannot change along it.
	SourceIdentity string
	// WebIDFederationData is set for sessions of a web identity.
	WebIDFederationData *WebIDFederationData
	// EC2RoleDelivery is the version of the instance metadata service: "1.0" or "2.0".
	EC2RoleDelivery string
	// AssumedRoot tells a session of sts:AssumeRoot.
	AssumedRoot bool
	// SignInSessionARN identifies one sign-in session.
	SignInSessionARN string
}

// SessionIssuer is what a session's credentials were issued for.
type SessionIssuer struct {
	// Type is Root, IAMUser or Role.
	Type string
	// PrincipalID is the unique id, "AROA…" of a role.
	PrincipalID string
	// ARN of a role is complete, with its path.
	ARN       string
	AccountID string
	UserName  string
}

// WebIDFederationData tells which provider vouched for a web identity.
type WebIDFederationData struct {
	// FederatedProvider is the ARN of an OIDC provider, or the name of a built-in one.
	FederatedProvider string
	// Attributes is an object.
	Attributes json.RawMessage
}

// OnBehalfOf is a user of IAM Identity Center.
type OnBehalfOf struct {
	UserID           string
	IdentityStoreARN string
}

// InScopeOf names the resource that carries the credentials: the direct way from a role session to an instance.
type InScopeOf struct {
	SourceARN     string
	SourceAccount string
	// IssuerType is as CloudFormation spells it: "AWS::EC2::Instance".
	IssuerType string
	// CredentialsIssuedTo is the ARN of the instance or function.
	CredentialsIssuedTo string
}
