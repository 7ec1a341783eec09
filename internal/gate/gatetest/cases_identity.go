// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	accounttypes "github.com/aws/aws-sdk-go-v2/service/account/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

var (
	userName = aws.String("alice")
	roleName = aws.String("Deploy")
	email    = []types.Tag{{Key: aws.String("email"), Value: aws.String("alice@example.com")}}
	denyAll  = aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*"}]}`)
	inline   = aws.String("inline")
)

func tagMap(tags []types.Tag) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		out[*t.Key] = *t.Value
	}
	return out
}

// newUser makes a user and returns a configuration with its key.
func (e *env) newUser() (aws.Config, string) {
	ok(e.iam.CreateUser(e.ctx, &iam.CreateUserInput{UserName: userName, Tags: email}))
	key := ok(e.iam.CreateAccessKey(e.ctx, &iam.CreateAccessKeyInput{UserName: userName})).AccessKey
	return e.as(aws.Credentials{AccessKeyID: *key.AccessKeyId, SecretAccessKey: *key.SecretAccessKey}), *key.AccessKeyId
}

// newRole makes a role that the account's principals may assume.
func (e *env) newRole() *types.Role {
	return ok(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{
		RoleName: roleName, Path: aws.String("/path/"), AssumeRolePolicyDocument: aws.String(e.trust(Account)),
	})).Role
}

// session is a configuration with temporary credentials.
func (e *env) session(c *ststypes.Credentials) aws.Config {
	return e.as(aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken})
}

var identityCases = []contract{
	{"user: create, read, tag, delete", func(e *env) {
		made := ok(e.iam.CreateUser(e.ctx, &iam.CreateUserInput{UserName: userName, Tags: email})).User
		equal("ARN", aws.ToString(made.Arn), e.global(Account, "user/alice"))
		refuse(e.iam.CreateUser(e.ctx, &iam.CreateUserInput{UserName: userName}))("EntityAlreadyExists")
		got := ok(e.iam.GetUser(e.ctx, &iam.GetUserInput{UserName: userName})).User
		equal("id read back", aws.ToString(got.UserId), *made.UserId)
		ok(e.iam.TagUser(e.ctx, &iam.TagUserInput{UserName: userName, Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}}))
		ok(e.iam.UntagUser(e.ctx, &iam.UntagUserInput{UserName: userName, TagKeys: []string{"email"}}))
		equal("tags", tagMap(ok(e.iam.ListUserTags(e.ctx, &iam.ListUserTagsInput{UserName: userName})).Tags), map[string]string{"team": "a"})
		ok(e.iam.DeleteUser(e.ctx, &iam.DeleteUserInput{UserName: userName}))
		refuse(e.iam.GetUser(e.ctx, &iam.GetUserInput{UserName: userName}))("NoSuchEntity")
		refuse(e.iam.ListUserTags(e.ctx, &iam.ListUserTagsInput{UserName: userName}))("NoSuchEntity")
	}},
	{"user: unique id", func(e *env) {
		made := ok(e.iam.CreateUser(e.ctx, &iam.CreateUserInput{UserName: userName})).User
		equal("id", strings.HasPrefix(*made.UserId, "AIDA"), true)
	}},
	{"user: with keys is not deleted", func(e *env) {
		e.newUser()
		refuse(e.iam.DeleteUser(e.ctx, &iam.DeleteUserInput{UserName: userName}))("DeleteConflict")
	}},
	{"access key: create, deactivate, delete", func(e *env) {
		_, id := e.newUser()
		equal("prefix", strings.HasPrefix(id, "AKIA") || strings.HasPrefix(id, "LKIA"), true)
		ok(e.iam.UpdateAccessKey(e.ctx, &iam.UpdateAccessKeyInput{UserName: userName, AccessKeyId: &id, Status: types.StatusTypeInactive}))
		keys := ok(e.iam.ListAccessKeys(e.ctx, &iam.ListAccessKeysInput{UserName: userName})).AccessKeyMetadata
		equal("status", keys[0].Status, types.StatusTypeInactive)
		ok(e.iam.DeleteAccessKey(e.ctx, &iam.DeleteAccessKeyInput{UserName: userName, AccessKeyId: &id}))
		equal("keys", len(ok(e.iam.ListAccessKeys(e.ctx, &iam.ListAccessKeysInput{UserName: userName})).AccessKeyMetadata), 0)
		refuse(e.iam.CreateAccessKey(e.ctx, &iam.CreateAccessKeyInput{UserName: aws.String("nobody")}))("NoSuchEntity")
	}},
	{"access key: inactive opens nothing", func(e *env) {
		cfg, id := e.newUser()
		ok(e.iam.UpdateAccessKey(e.ctx, &iam.UpdateAccessKeyInput{UserName: userName, AccessKeyId: &id, Status: types.StatusTypeInactive}))
		refuse(sts.NewFromConfig(cfg).GetCallerIdentity(e.ctx, &sts.GetCallerIdentityInput{}))("InvalidClientTokenId")
	}},
	{"access key: a third", func(e *env) {
		e.newUser()
		ok(e.iam.CreateAccessKey(e.ctx, &iam.CreateAccessKeyInput{UserName: userName}))
		refuse(e.iam.CreateAccessKey(e.ctx, &iam.CreateAccessKeyInput{UserName: userName}))("LimitExceeded")
	}},
	{"role: create, read, tag, delete", func(e *env) {
		made := e.newRole()
		equal("ARN", aws.ToString(made.Arn), e.global(Account, "role/path/Deploy"))
		equal("id", strings.HasPrefix(*made.RoleId, "AROA"), true)
		refuse(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{RoleName: roleName, AssumeRolePolicyDocument: aws.String(e.trust(Account))}))("EntityAlreadyExists")
		got := ok(e.iam.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName})).Role
		equal("id read back", aws.ToString(got.RoleId), *made.RoleId)
		equal("trust", ok(url.QueryUnescape(*got.AssumeRolePolicyDocument)), e.trust(Account))
		ok(e.iam.TagRole(e.ctx, &iam.TagRoleInput{RoleName: roleName, Tags: email}))
		equal("tags", tagMap(ok(e.iam.ListRoleTags(e.ctx, &iam.ListRoleTagsInput{RoleName: roleName})).Tags), tagMap(email))
		ok(e.iam.UpdateAssumeRolePolicy(e.ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: roleName, PolicyDocument: aws.String(e.trust(Member))}))
		got = ok(e.iam.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName})).Role
		equal("new trust", ok(url.QueryUnescape(*got.AssumeRolePolicyDocument)), e.trust(Member))
		ok(e.iam.DeleteRole(e.ctx, &iam.DeleteRoleInput{RoleName: roleName}))
		refuse(e.iam.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName}))("NoSuchEntity")
	}},
	{"role: length of sessions, tags taken away", func(e *env) {
		e.newRole()
		get := func() *types.Role { return ok(e.iam.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName})).Role }
		ok(e.iam.UpdateRole(e.ctx, &iam.UpdateRoleInput{RoleName: roleName, MaxSessionDuration: aws.Int32(7200), Description: aws.String("ours")}))
		equal("seconds", aws.ToInt32(get().MaxSessionDuration), 7200)
		equal("description", aws.ToString(get().Description), "ours")
		ok(e.iam.TagRole(e.ctx, &iam.TagRoleInput{RoleName: roleName, Tags: email}))
		ok(e.iam.UntagRole(e.ctx, &iam.UntagRoleInput{RoleName: roleName, TagKeys: []string{*email[0].Key, "nobodys"}}))
		equal("tags", len(get().Tags), 0)
		refuse(e.iam.UpdateRole(e.ctx, &iam.UpdateRoleInput{RoleName: aws.String("Nobody")}))("NoSuchEntity")
		refuse(e.iam.UntagRole(e.ctx, &iam.UntagRoleInput{RoleName: aws.String("Nobody"), TagKeys: []string{"a"}}))("NoSuchEntity")
	}},
	{"role: inline policy", func(e *env) {
		e.newRole()
		refuse(e.iam.GetRolePolicy(e.ctx, &iam.GetRolePolicyInput{RoleName: roleName, PolicyName: inline}))("NoSuchEntity")
		ok(e.iam.PutRolePolicy(e.ctx, &iam.PutRolePolicyInput{RoleName: roleName, PolicyName: inline, PolicyDocument: denyAll}))
		got := ok(e.iam.GetRolePolicy(e.ctx, &iam.GetRolePolicyInput{RoleName: roleName, PolicyName: inline}))
		equal("document", ok(url.QueryUnescape(*got.PolicyDocument)), *denyAll)
		equal("names", ok(e.iam.ListRolePolicies(e.ctx, &iam.ListRolePoliciesInput{RoleName: roleName})).PolicyNames, []string{"inline"})
		refuse(e.iam.DeleteRole(e.ctx, &iam.DeleteRoleInput{RoleName: roleName}))("DeleteConflict")
		ok(e.iam.DeleteRolePolicy(e.ctx, &iam.DeleteRolePolicyInput{RoleName: roleName, PolicyName: inline}))
		refuse(e.iam.DeleteRolePolicy(e.ctx, &iam.DeleteRolePolicyInput{RoleName: roleName, PolicyName: inline}))("NoSuchEntity")
		refuse(e.iam.PutRolePolicy(e.ctx, &iam.PutRolePolicyInput{RoleName: aws.String("nobody"), PolicyName: inline, PolicyDocument: denyAll}))("NoSuchEntity")
	}},
	{"user: inline policy", func(e *env) {
		e.newUser()
		ok(e.iam.PutUserPolicy(e.ctx, &iam.PutUserPolicyInput{UserName: userName, PolicyName: inline, PolicyDocument: denyAll}))
		got := ok(e.iam.GetUserPolicy(e.ctx, &iam.GetUserPolicyInput{UserName: userName, PolicyName: inline}))
		equal("document", ok(url.QueryUnescape(*got.PolicyDocument)), *denyAll)
		equal("names", ok(e.iam.ListUserPolicies(e.ctx, &iam.ListUserPoliciesInput{UserName: userName})).PolicyNames, []string{"inline"})
		ok(e.iam.DeleteUserPolicy(e.ctx, &iam.DeleteUserPolicyInput{UserName: userName, PolicyName: inline}))
		refuse(e.iam.GetUserPolicy(e.ctx, &iam.GetUserPolicyInput{UserName: userName, PolicyName: inline}))("NoSuchEntity")
	}},
	{"user: an inline deny holds", func(e *env) {
		cfg, _ := e.newUser()
		ok(e.iam.PutUserPolicy(e.ctx, &iam.PutUserPolicyInput{UserName: userName, PolicyName: inline, PolicyDocument: denyAll}))
		refuse(iam.NewFromConfig(cfg).GetUser(e.ctx, &iam.GetUserInput{}))("AccessDenied")
	}},
}

// deniedSession is a deny of one session name, from a moment on.
func deniedSession(id, since string) *string {
	return aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:userid":["` + id +
		`"]},"DateGreaterThanEquals":{"aws:TokenIssueTime":"` + since + `"}}}]}`)
}

func contextEntry(name string, kind types.ContextKeyTypeEnum, value string) types.ContextEntry {
	return types.ContextEntry{ContextKeyName: aws.String(name), ContextKeyType: kind, ContextKeyValues: []string{value}}
}

var containmentCases = []contract{
	{"session: a deny of its name holds for it alone", func(e *env) {
		made := e.newRole()
		cfg, _ := e.newUser()
		assume := func(name string) *iam.Client {
			got := ok(sts.NewFromConfig(cfg).AssumeRole(e.ctx, &sts.AssumeRoleInput{RoleArn: made.Arn, RoleSessionName: &name}))
			return iam.NewFromConfig(e.session(got.Credentials))
		}
		one, other := assume("one"), assume("other")
		ok(e.iam.PutRolePolicy(e.ctx, &iam.PutRolePolicyInput{
			RoleName: roleName, PolicyName: inline, PolicyDocument: deniedSession(*made.RoleId+":one", "2026-01-01T00:00:00Z"),
		}))
		refuse(one.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName}))("AccessDenied")
		ok(other.GetRole(e.ctx, &iam.GetRoleInput{RoleName: roleName}))
	}},
	{"role: simulate its policies", func(e *env) {
		made := e.newRole()
		ok(e.iam.PutRolePolicy(e.ctx, &iam.PutRolePolicyInput{
			RoleName: roleName, PolicyName: inline, PolicyDocument: deniedSession(*made.RoleId+":one", "2026-01-01T00:00:00Z"),
		}))
		decide := func(id, issued string) types.PolicyEvaluationDecisionType {
			return ok(e.iam.SimulatePrincipalPolicy(e.ctx, &iam.SimulatePrincipalPolicyInput{
				PolicySourceArn: made.Arn, ActionNames: []string{"s3:ListAllMyBuckets"}, ContextEntries: []types.ContextEntry{
					contextEntry("aws:userid", types.ContextKeyTypeEnumString, id),
					contextEntry("aws:TokenIssueTime", types.ContextKeyTypeEnumDate, issued),
				},
			})).EvaluationResults[0].EvalDecision
		}
		equal("the session", decide(*made.RoleId+":one", "2026-01-02T00:00:00Z"), types.PolicyEvaluationDecisionTypeExplicitDeny)
		equal("another", decide(*made.RoleId+":other", "2026-01-02T00:00:00Z"), types.PolicyEvaluationDecisionTypeImplicitDeny)
		equal("before", decide(*made.RoleId+":one", "2025-12-31T00:00:00Z"), types.PolicyEvaluationDecisionTypeImplicitDeny)
		refuse(e.iam.SimulatePrincipalPolicy(e.ctx, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: aws.String(e.global(Account, "role/Nobody")), ActionNames: []string{"s3:ListAllMyBuckets"},
		}))("NoSuchEntity")
	}},
	{"role: only AWS changes those that services made", func(e *env) {
		ok(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{RoleName: roleName, Path: aws.String("/aws-reserved/sso.amazonaws.com/"), AssumeRolePolicyDocument: aws.String(e.trust(Account))}))
		refuse(e.iam.PutRolePolicy(e.ctx, &iam.PutRolePolicyInput{RoleName: roleName, PolicyName: inline, PolicyDocument: denyAll}))("UnmodifiableEntity")
	}},
	{"access key: last used", func(e *env) {
		cfg, id := e.newUser()
		ok(iam.NewFromConfig(cfg).GetUser(e.ctx, &iam.GetUserInput{}))
		got := ok(e.iam.GetAccessKeyLastUsed(e.ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id}))
		equal("user", *got.UserName, *userName)
		equal("service", *got.AccessKeyLastUsed.ServiceName, "iam")
	}},
}

var sessionCases = []contract{
	{"session: assume a role", func(e *env) {
		e.newRole()
		cfg, _ := e.newUser()
		got := ok(sts.NewFromConfig(cfg).AssumeRole(e.ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String(e.global(Account, "role/path/Deploy")), RoleSessionName: aws.String("alice-deploy"), DurationSeconds: aws.Int32(900),
		}))
		want := strings.Replace(e.global(Account, "assumed-role/Deploy/alice-deploy"), ":iam:", ":sts:", 1)
		equal("ARN", aws.ToString(got.AssumedRoleUser.Arn), want)
		equal("key", strings.HasPrefix(*got.Credentials.AccessKeyId, "ASIA") || strings.HasPrefix(*got.Credentials.AccessKeyId, "LSIA"), true)
		who := ok(sts.NewFromConfig(e.session(got.Credentials)).GetCallerIdentity(e.ctx, &sts.GetCallerIdentityInput{}))
		equal("caller", aws.ToString(who.Arn), want)
		equal("account", aws.ToString(who.Account), Account)
		equal("user id", strings.HasSuffix(*who.UserId, ":alice-deploy"), true)
	}},
	{"session: the caller is the user", func(e *env) {
		cfg, _ := e.newUser()
		who := ok(sts.NewFromConfig(cfg).GetCallerIdentity(e.ctx, &sts.GetCallerIdentityInput{}))
		equal("caller", aws.ToString(who.Arn), e.global(Account, "user/alice"))
	}},
	{"session: source identity", func(e *env) {
		e.newRole()
		cfg, _ := e.newUser()
		got := ok(sts.NewFromConfig(cfg).AssumeRole(e.ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String(e.global(Account, "role/path/Deploy")), RoleSessionName: aws.String("alice-deploy"), SourceIdentity: aws.String("alice"),
		}))
		equal("source identity", aws.ToString(got.SourceIdentity), "alice")
	}},
	{"session: role that does not trust, role that is not there", func(e *env) {
		ok(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{RoleName: roleName, AssumeRolePolicyDocument: aws.String(e.trust(Member))}))
		cfg, _ := e.newUser()
		for _, role := range []string{"role/Deploy", "role/Nobody"} {
			refuse(sts.NewFromConfig(cfg).AssumeRole(e.ctx, &sts.AssumeRoleInput{RoleArn: aws.String(e.global(Account, role)), RoleSessionName: aws.String("alice")}))("AccessDenied")
		}
	}},
	{"session: bad name", func(e *env) {
		e.newRole()
		cfg, _ := e.newUser()
		refuse(sts.NewFromConfig(cfg).AssumeRole(e.ctx, &sts.AssumeRoleInput{RoleArn: aws.String(e.global(Account, "role/path/Deploy")), RoleSessionName: aws.String("a b")}))("ValidationError")
	}},
	{"session: token of the caller", func(e *env) {
		cfg, _ := e.newUser()
		got := ok(sts.NewFromConfig(cfg).GetSessionToken(e.ctx, &sts.GetSessionTokenInput{}))
		equal("has a key", aws.ToString(got.Credentials.AccessKeyId) != "", true)
	}},
	{"session: federated user", func(e *env) {
		cfg, _ := e.newUser()
		got := ok(sts.NewFromConfig(cfg).GetFederationToken(e.ctx, &sts.GetFederationTokenInput{Name: aws.String("carol")}))
		equal("ARN", aws.ToString(got.FederatedUser.Arn), strings.Replace(e.global(Account, "federated-user/carol"), ":iam:", ":sts:", 1))
	}},
	{"session: SAML", func(e *env) {
		provider := e.global(Account, "saml-provider/idp")
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithSAML"}]}`, provider)
		role := ok(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{RoleName: roleName, AssumeRolePolicyDocument: &trust})).Role
		got := ok(e.sts.AssumeRoleWithSAML(e.ctx, &sts.AssumeRoleWithSAMLInput{
			RoleArn: role.Arn, PrincipalArn: &provider, SAMLAssertion: aws.String(assertion(*role.Arn, provider)),
		}))
		equal("ARN", strings.HasSuffix(*got.AssumedRoleUser.Arn, ":assumed-role/Deploy/carol@example.com"), true)
	}},
	{"session: web identity", func(e *env) {
		provider := e.global(Account, "oidc-provider/token.example.com")
		trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":%q},"Action":"sts:AssumeRoleWithWebIdentity"}]}`, provider)
		role := ok(e.iam.CreateRole(e.ctx, &iam.CreateRoleInput{RoleName: roleName, AssumeRolePolicyDocument: &trust})).Role
		token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://token.example.com","sub":"repo:o/r","aud":"sts"}`)) + ".c2ln"
		got := ok(e.sts.AssumeRoleWithWebIdentity(e.ctx, &sts.AssumeRoleWithWebIdentityInput{RoleArn: role.Arn, RoleSessionName: aws.String("ci"), WebIdentityToken: &token}))
		equal("ARN", strings.HasSuffix(*got.AssumedRoleUser.Arn, ":assumed-role/Deploy/ci"), true)
	}},
}

// assertion is a SAML response as an identity provider posts it, without a signature.
func assertion(role, provider string) string {
	return base64.StdEncoding.EncodeToString([]byte(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_r">` +
		`<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_a"><saml:Issuer>https://idp.example.com</saml:Issuer>` +
		`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:persistent">carol</saml:NameID></saml:Subject>` +
		`<saml:AttributeStatement>` +
		`<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><saml:AttributeValue>carol@example.com</saml:AttributeValue></saml:Attribute>` +
		`<saml:Attribute Name="https://aws.amazon.com/SAML/Attributes/Role"><saml:AttributeValue>` + role + "," + provider + `</saml:AttributeValue></saml:Attribute>` +
		`</saml:AttributeStatement></saml:Assertion></samlp:Response>`))
}

var accountCases = []contract{
	{"contact: put, get, delete", func(e *env) {
		security := accounttypes.AlternateContactTypeSecurity
		refuse(e.account.GetAlternateContact(e.ctx, &account.GetAlternateContactInput{AlternateContactType: security}))("ResourceNotFoundException")
		ok(e.account.PutAlternateContact(e.ctx, &account.PutAlternateContactInput{
			AlternateContactType: security, EmailAddress: aws.String("security@example.com"), Name: aws.String("Sec"), PhoneNumber: aws.String("+1-555-0100"), Title: aws.String("CISO"),
		}))
		got := ok(e.account.GetAlternateContact(e.ctx, &account.GetAlternateContactInput{AlternateContactType: security})).AlternateContact
		equal("mail", aws.ToString(got.EmailAddress), "security@example.com")
		equal("name", aws.ToString(got.Name), "Sec")
		ok(e.account.DeleteAlternateContact(e.ctx, &account.DeleteAlternateContactInput{AlternateContactType: security}))
		refuse(e.account.GetAlternateContact(e.ctx, &account.GetAlternateContactInput{AlternateContactType: security}))("ResourceNotFoundException")
	}},
}
