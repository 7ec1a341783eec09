// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"time"

	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
)

// credential is an access key and the principal behind it. Exactly one of user, role and root is set; federated names
// come on top of user or root.
type credential struct {
	key     string
	account *account
	root    bool
	user    *user
	role    *role
	name    string    // of the role session or the federated user
	created time.Time // of a long-term key
	// issued and expires are zero for long-term keys.
	issued, expires time.Time
	inactive        bool
	mfa             bool
	sourceIdentity  string
	sessionPolicy   *policy
	web             *cloudtrail.WebIDFederationData
	inScopeOf       *cloudtrail.InScopeOf
	onBehalfOf      *cloudtrail.OnBehalfOf
	from            Source
}

// Source is where calls come from: what a record's sourceIPAddress and userAgent say.
type Source struct {
	// IP is an address, or a service's name.
	IP string
	// UserAgent replaces that of the request; empty leaves it.
	UserAgent string
}

// defaultIP is where calls come from until [Sandbox.SetSource] says otherwise: a documentation address (RFC 5737).
const defaultIP = "203.0.113.10"

// caller is the principal of a call.
type caller struct {
	*credential
}

// authenticate finds the principal of the request's key. AWS writes no record of a call whose key it does not know.
func (s *Sandbox) authenticate(op *operation, r gate.Request, now time.Time) (*caller, smithy.APIError) {
	c, ok := s.credentials[r.AccessKeyID]
	if !ok && op.anonymous {
		return &caller{&credential{account: &account{partition: arn.PartitionOf(r.Region).ID}}}, nil
	}
	if !ok || c.inactive || !c.account.holds(c) || c.account.partition != arn.PartitionOf(r.Region).ID {
		return nil, unknownKey(op.service)
	}
	if !c.expires.IsZero() && !now.Before(c.expires) {
		return nil, expired(op.service)
	}
	return &caller{c}, nil
}

func unknownKey(svc *service) smithy.APIError {
	if svc == s3Service {
		return apiError(svc.unknownKey, "The AWS Access Key Id you provided does not exist in our records.")
	}
	return apiError(svc.unknownKey, "The security token included in the request is invalid.")
}

func expired(svc *service) smithy.APIError {
	code := "ExpiredTokenException"
	if svc == s3Service || svc == stsService || svc == iamService {
		code = "ExpiredToken"
	}
	return apiError(code, "The security token included in the request is expired")
}

// holds reports whether the principal of c still exists: keys of a deleted user or role open nothing.
func (a *account) holds(c *credential) bool {
	switch {
	case c.role != nil:
		return a.roles[c.role.name] == c.role
	case c.user != nil:
		return a.users[c.user.name] == c.user
	default:
		return true
	}
}

// arn is the principal as the service names it.
func (c *credential) arn() string {
	switch {
	case c.role != nil:
		return c.account.global("sts", "assumed-role/"+c.role.name+"/"+c.name)
	case c.name != "":
		return c.account.global("sts", "federated-user/"+c.name)
	case c.user != nil:
		return c.user.arn
	case c.account.id == "":
		return "anonymous"
	default:
		return c.account.global("iam", "root")
	}
}

// identityARN is aws:PrincipalArn: the role of a session, with its path.
func (c *credential) identityARN() string {
	if c.role != nil {
		return c.role.arn
	}
	return c.arn()
}

func (c *credential) principalID() string {
	switch {
	case c.role != nil:
		return c.role.id + ":" + c.name
	case c.name != "":
		return c.account.id + ":" + c.name
	case c.user != nil:
		return c.user.id
	default:
		return c.account.id
	}
}

// names are what a Principal element may call the caller.
func (c *credential) names() *who {
	return &who{names: []string{c.arn(), c.identityARN(), c.account.id, c.account.global("iam", "root")}}
}

// record is the userIdentity of the caller's records.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
func (c *credential) record() cloudtrail.UserIdentity {
	id := cloudtrail.UserIdentity{
		Type: cloudtrail.IdentityIAMUser, PrincipalID: c.principalID(), ARN: c.arn(), AccountID: c.account.id,
		AccessKeyID: c.key, InScopeOf: c.inScopeOf, OnBehalfOf: c.onBehalfOf,
	}
	switch {
	case c.role != nil:
		id.Type = cloudtrail.IdentityAssumedRole
	case c.name != "":
		id.Type = cloudtrail.IdentityFederatedUser
	case c.user != nil:
		id.UserName = c.user.name
	default:
		id.Type, id.UserName = cloudtrail.IdentityRoot, c.account.alias
	}
	if !c.issued.IsZero() {
		id.SessionContext = c.session()
	}
	return id
}

func (c *credential) session() *cloudtrail.SessionContext {
	mfa := c.mfa
	out := &cloudtrail.SessionContext{
		CreationDate: c.issued, MFAAuthenticated: &mfa, SourceIdentity: c.sourceIdentity, WebIDFederationData: c.web,
	}
	issuer := cloudtrail.SessionIssuer{AccountID: c.account.id}
	switch {
	case c.role != nil:
		issuer.Type, issuer.PrincipalID, issuer.ARN, issuer.UserName = cloudtrail.IdentityRole, c.role.id, c.role.arn, c.role.name
	case c.name == "":
		return out // GetSessionToken: the principal itself
	case c.user != nil:
		issuer.Type, issuer.PrincipalID, issuer.ARN, issuer.UserName = cloudtrail.IdentityIAMUser, c.user.id, c.user.arn, c.user.name
	default:
		issuer.Type, issuer.PrincipalID, issuer.ARN = cloudtrail.IdentityRoot, c.account.id, c.account.global("iam", "root")
	}
	out.SessionIssuer = issuer
	return out
}

// userName is how Event history calls the principal.
func (c *credential) userName() string {
	switch {
	case c.name != "":
		return c.name
	case c.user != nil:
		return c.user.name
	default:
		return "root"
	}
}

func (c *credential) ip() string { return cmp.Or(c.from.IP, defaultIP) }

// authorize refuses what an organization, an administrator or the session's own policy denies, before the resource is
// looked at.
func (c *call) authorize() error {
	if c.op.service == control || c.op.anonymous {
		return nil
	}
	action, target := c.action(), c.op.service.target(c)
	if why := c.s.denials.find(c.by, action); why != "" {
		return c.deniedBy(target, why)
	}
	q := question{action: action, resource: target}
	for _, p := range c.by.inlinePolicies() {
		if q.keys == nil {
			q.keys = c.keys()
		}
		if p.decide(q) == refused {
			return c.deniedBy(target, becauseIdentity)
		}
	}
	if p := c.by.sessionPolicy; p != nil {
		q.keys = c.keys()
		if p.decide(q) != allowed {
			return c.deniedBy(target, becauseSession)
		}
	}
	return nil
}

// permit asks the resource's own policy ("" is none). The owner's principals need no allow, other accounts' do.
func (c *call) permit(document, resource string, owner *account) error {
	v := silent
	if document != "" {
		p, err := parsePolicy(document)
		if err != nil {
			return err // it was checked when it was put
		}
		v = p.decide(question{action: c.action(), resource: resource, who: c.by.names(), keys: c.keys()})
	}
	switch {
	case v == refused && !c.rootOverPolicy(owner):
		return c.deniedBy(resource, becauseResource)
	case v != allowed && owner != c.account():
		return c.deniedBy(resource, becauseNothing)
	default:
		return nil
	}
}

// rootOverPolicy tells the one way out of a bucket policy that locks everybody out.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
func (c *call) rootOverPolicy(owner *account) bool {
	if !c.by.root || c.by.name != "" || owner != c.account() {
		return false
	}
	switch c.action() {
	case "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy":
		return true
	default:
		return false
	}
}

// keys are the condition keys of the call, by lower-case name.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func (c *call) keys() map[string]string {
	by := c.by
	k := map[string]string{
		"aws:principalarn":     by.identityARN(),
		"aws:principalaccount": by.account.id,
		"aws:userid":           by.principalID(),
		"aws:sourceip":         by.ip(),
		"aws:requestedregion":  c.region,
		"aws:securetransport":  "true",
		"aws:currenttime":      c.now.Format(time.RFC3339),
	}
	if by.user != nil && by.name == "" {
		k["aws:username"] = by.user.name
	}
	if !by.issued.IsZero() {
		k["aws:tokenissuetime"] = by.issued.Format(time.RFC3339)
		k["aws:multifactorauthpresent"] = boolText(by.mfa)
	}
	if by.sourceIdentity != "" {
		k["aws:sourceidentity"] = by.sourceIdentity
	}
	if o := by.account.organization; o != nil {
		k["aws:principalorgid"] = o.id
	}
	return k
}

func boolText(b bool) string {
	if b {
		return "true"
	}
	return "false"
}
