// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// stsOperations issues temporary credentials.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func stsOperations(t table) {
	handle(t, stsService, "GetCallerIdentity", reads, getCallerIdentity)
	handle(t, stsService, "AssumeRole", issues.requests(withoutProof).responds(withoutKey), assumeRole)
	handle(t, stsService, "AssumeRoleWithSAML", issues.withoutKeys().requests(withoutProof).responds(withoutKey), assumeRoleWithSAML)
	handle(t, stsService, "AssumeRoleWithWebIdentity", issues.withoutKeys().requests(withoutProof).responds(withoutKey), assumeRoleWithWebIdentity)
	handle(t, stsService, "GetSessionToken", issues.requests(withoutProof).responds(withoutKey), getSessionToken)
	handle(t, stsService, "GetFederationToken", writes.responds(withoutKey), getFederationToken)
}

// withoutProof is the request without what proves an identity, and with what AWS reads out of that.
func withoutProof(c *call, in any) any {
	m := camel.object(in)
	maps.Copy(m, c.read)
	for _, secret := range []string{"tokenCode", "sAMLAssertion", "webIdentityToken"} {
		delete(m, secret)
	}
	return m
}

// withoutKey is the response without the secret key. CloudTrail does record the session token.
func withoutKey(_ *call, out any) any {
	m := camel.object(out)
	if k, ok := m["credentials"].(map[string]any); ok {
		delete(k, "secretAccessKey")
	}
	return m
}

func getCallerIdentity(c *call, _ *sts.GetCallerIdentityInput) (*sts.GetCallerIdentityOutput, error) {
	return &sts.GetCallerIdentityOutput{
		Account: aws.String(c.account().id), Arn: aws.String(c.by.arn()), UserId: aws.String(c.by.principalID()),
	}, nil
}

// maxChained is the longest session of a role that was assumed by a role.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles.html#iam-term-role-chaining
const maxChained = 3600

var sessionName = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// sessionRequest is what the calls that assume a role have in common.
type sessionRequest struct {
	role           string
	name           string
	duration       *int32
	sourceIdentity string
	policy         *string
	action         string            // what the trust policy must allow
	who            *who              // to whom
	keys           map[string]string // under which conditions
}

func assumeRole(c *call, in *sts.AssumeRoleInput) (*sts.AssumeRoleOutput, error) {
	if c.by.role == nil && c.by.user == nil {
		return nil, stsDenied("Roles may not be assumed by root accounts.")
	}
	source := cmp.Or(aws.ToString(in.SourceIdentity), c.by.sourceIdentity)
	if c.by.sourceIdentity != "" && source != c.by.sourceIdentity {
		return nil, c.deniedBy(aws.ToString(in.RoleArn), "because the source identity of the session is set")
	}
	if c.by.role != nil && in.DurationSeconds != nil && *in.DurationSeconds > maxChained {
		return nil, invalid("ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	keys := c.keys()
	if in.ExternalId != nil {
		keys["sts:externalid"] = *in.ExternalId
	}
	s, err := c.assume(sessionRequest{
		role: aws.ToString(in.RoleArn), name: aws.ToString(in.RoleSessionName), duration: in.DurationSeconds,
		sourceIdentity: source, policy: in.Policy, action: "sts:AssumeRole", who: c.by.names(), keys: keys,
	})
	if err != nil {
		return nil, err
	}
	s.mfa, s.from, s.onBehalfOf = c.by.mfa || in.TokenCode != nil, c.by.from, c.by.onBehalfOf
	return &sts.AssumeRoleOutput{
		Credentials: c.issue(s), SourceIdentity: filled(source),
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(s.arn()), AssumedRoleId: aws.String(s.principalID())},
	}, nil
}

func stsDenied(format string, args ...any) error {
	return fail(http.StatusForbidden, apiError(accessDenied, *msg(format, args...)))
}

// assume finds the role, asks its trust policy and makes the session. A role that is not there and one that does not
// trust the caller look alike.
func (c *call) assume(x sessionRequest) (*credential, error) {
	if !sessionName.MatchString(x.name) {
		return nil, invalid("ValidationError", "1 validation error detected: Value '%.80s' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*", x.name)
	}
	r, owner := c.s.roleByARN(x.role)
	if r == nil || owner.partition != arn.PartitionOf(c.region).ID {
		return nil, c.notTrusted(x)
	}
	c.resource(iamRoleType, r.arn, owner)
	trust, err := parsePolicy(r.trust)
	if err != nil {
		return nil, err // it was checked when it was put
	}
	x.keys["sts:rolesessionname"] = x.name
	if x.sourceIdentity != "" {
		x.keys["sts:sourceidentity"] = x.sourceIdentity
	}
	q := question{action: x.action, who: x.who, keys: x.keys}
	if trust.decide(q) != allowed {
		return nil, c.notTrusted(x)
	}
	if q.action = "sts:SetSourceIdentity"; x.sourceIdentity != "" && trust.decide(q) != allowed {
		return nil, c.notTrusted(x)
	}
	seconds := int32(3600)
	assign(&seconds, x.duration)
	if seconds < 900 || seconds > r.maxSession {
		return nil, invalid("ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	s := &credential{
		account: owner, role: r, name: x.name, issued: c.now.Truncate(time.Second),
		expires: c.now.Add(time.Duration(seconds) * time.Second), sourceIdentity: x.sourceIdentity,
	}
	if s.sessionPolicy, err = sessionPolicy(x.policy); err != nil {
		return nil, err
	}
	return s, nil
}

func (c *call) notTrusted(x sessionRequest) error {
	if c.op.anonymous {
		return stsDenied("Not authorized to perform %s", x.action)
	}
	return stsDenied("User: %s is not authorized to perform: %s on resource: %s", c.by.arn(), x.action, x.role)
}

func sessionPolicy(document *string) (*policy, error) {
	if document == nil {
		return nil, nil // no policy is no error
	}
	p, err := parsePolicy(*document)
	if err != nil {
		return nil, fail(http.StatusBadRequest, &types.MalformedPolicyDocumentException{Message: msg("This policy contains invalid Json")})
	}
	return p, nil
}

// roleByARN finds a role of any account.
func (s *Sandbox) roleByARN(roleARN string) (*role, *account) {
	p, err := arn.Parse(roleARN)
	if err != nil {
		return nil, nil
	}
	a, ok := s.accounts[p.AccountID]
	if !ok {
		return nil, nil
	}
	r, ok := a.roles[p.Resource[strings.LastIndexByte(p.Resource, '/')+1:]]
	if !ok || r.arn != roleARN {
		return nil, nil
	}
	return r, a
}

// issue gives the session its key.
func (c *call) issue(s *credential) *types.Credentials {
	s.key = c.ids.accessKey("ASIA")
	c.s.addKey(s)
	c.touch(iamKeyType, s.key)
	return &types.Credentials{
		AccessKeyId: aws.String(s.key), SecretAccessKey: aws.String(c.ids.secret()), SessionToken: aws.String(c.ids.secret()),
		Expiration: aws.Time(s.expires),
	}
}

// getSessionToken issues temporary credentials of the caller itself.
func getSessionToken(c *call, in *sts.GetSessionTokenInput) (*sts.GetSessionTokenOutput, error) {
	if !c.by.issued.IsZero() {
		return nil, stsDenied("Cannot call GetSessionToken with session credentials")
	}
	seconds := int32(12 * 3600)
	assign(&seconds, in.DurationSeconds)
	s := *c.by.credential
	s.issued, s.expires = c.now.Truncate(time.Second), c.now.Add(time.Duration(seconds)*time.Second)
	s.mfa = in.TokenCode != nil
	return &sts.GetSessionTokenOutput{Credentials: c.issue(&s)}, nil
}

func getFederationToken(c *call, in *sts.GetFederationTokenInput) (*sts.GetFederationTokenOutput, error) {
	if !c.by.issued.IsZero() {
		return nil, stsDenied("Cannot call GetFederationToken with session credentials")
	}
	seconds := int32(12 * 3600)
	assign(&seconds, in.DurationSeconds)
	p, err := sessionPolicy(in.Policy)
	if err != nil {
		return nil, err
	}
	s := *c.by.credential
	s.name, s.sessionPolicy = aws.ToString(in.Name), p
	s.issued, s.expires = c.now.Truncate(time.Second), c.now.Add(time.Duration(seconds)*time.Second)
	out := &sts.GetFederationTokenOutput{Credentials: c.issue(&s)}
	out.FederatedUser = &types.FederatedUser{Arn: aws.String(s.arn()), FederatedUserId: aws.String(s.principalID())}
	return out, nil
}
