// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"crypto/sha1" // AWS builds the name qualifier with it
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/switchback-project/switchback/cloudtrail"
)

// samlResponse is what AssumeRoleWithSAML looks at in an assertion. Its signature is not checked.
type samlResponse struct {
	ID        string `xml:"ID,attr"`
	Assertion struct {
		ID      string `xml:"ID,attr"`
		Issuer  string `xml:"Issuer"`
		Subject struct {
			NameID struct {
				Format string `xml:"Format,attr"`
				Value  string `xml:",chardata"`
			} `xml:"NameID"`
		} `xml:"Subject"`
		Attributes []struct {
			Name   string   `xml:"Name,attr"`
			Values []string `xml:"AttributeValue"`
		} `xml:"AttributeStatement>Attribute"`
	} `xml:"Assertion"`
}

// attribute is the first value of an attribute of AWS's by the end of its name.
func (r *samlResponse) attribute(name string) string {
	for _, a := range r.Assertion.Attributes {
		if strings.HasSuffix(a.Name, "/SAML/Attributes/"+name) && len(a.Values) > 0 {
			return strings.TrimSpace(a.Values[0])
		}
	}
	return ""
}

func badToken(what string) error {
	return fail(http.StatusBadRequest, &types.InvalidIdentityTokenException{Message: msg("Invalid %s", what)})
}

func assumeRoleWithSAML(c *call, in *sts.AssumeRoleWithSAMLInput) (*sts.AssumeRoleWithSAMLOutput, error) {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(in.SAMLAssertion))
	if err != nil {
		return nil, badToken("base64 SAMLResponse")
	}
	var r samlResponse
	if err := xml.Unmarshal(text, &r); err != nil {
		return nil, badToken("SAMLResponse")
	}
	c.read = map[string]any{"sAMLAssertionID": r.Assertion.ID, "roleSessionName": r.attribute("RoleSessionName")}
	subject, provider := strings.TrimSpace(r.Assertion.Subject.NameID.Value), aws.ToString(in.PrincipalArn)
	s, err := c.assume(sessionRequest{
		role: aws.ToString(in.RoleArn), name: r.attribute("RoleSessionName"), duration: in.DurationSeconds,
		sourceIdentity: r.attribute("SourceIdentity"), policy: in.Policy, action: "sts:AssumeRoleWithSAML",
		who: &who{provider: provider}, keys: map[string]string{"saml:iss": r.Assertion.Issuer, "saml:sub": subject},
	})
	if err != nil {
		return nil, err
	}
	sum := sha1.Sum([]byte(r.Assertion.Issuer + s.account.id + provider[strings.LastIndexByte(provider, ':')+1:]))
	qualifier := base64.StdEncoding.EncodeToString(sum[:])
	c.identity = &cloudtrail.UserIdentity{
		Type: cloudtrail.IdentitySAMLUser, PrincipalID: qualifier + ":" + subject, UserName: subject, IdentityProvider: qualifier,
	}
	return &sts.AssumeRoleWithSAMLOutput{
		Credentials: c.issue(s), Subject: aws.String(subject), SubjectType: aws.String("persistent"),
		Issuer: aws.String(r.Assertion.Issuer), NameQualifier: aws.String(qualifier), SourceIdentity: filled(s.sourceIdentity),
		AssumedRoleUser: &types.AssumedRoleUser{Arn: aws.String(s.arn()), AssumedRoleId: aws.String(s.principalID())},
	}, nil
}

// claims are what AssumeRoleWithWebIdentity looks at in a token. Its signature is not checked.
type claims struct {
	Issuer   string `json:"iss"`
	Subject  string `json:"sub"`
	Audience string `json:"aud"`
}

func parseToken(token string) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, badToken("web identity token")
	}
	text, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil || json.Unmarshal(text, &c) != nil {
		return c, badToken("web identity token")
	}
	return c, nil
}

func assumeRoleWithWebIdentity(c *call, in *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	token, err := parseToken(aws.ToString(in.WebIdentityToken))
	if err != nil {
		return nil, err
	}
	issuer := strings.TrimPrefix(token.Issuer, "https://")
	provider := issuer
	if _, owner := c.s.roleByARN(aws.ToString(in.RoleArn)); owner != nil {
		provider = owner.global("iam", "oidc-provider/"+issuer)
	}
	s, err := c.assume(sessionRequest{
		role: aws.ToString(in.RoleArn), name: aws.ToString(in.RoleSessionName), duration: in.DurationSeconds, policy: in.Policy,
		action: "sts:AssumeRoleWithWebIdentity", who: &who{provider: provider},
		keys: map[string]string{strings.ToLower(issuer + ":aud"): token.Audience, strings.ToLower(issuer + ":sub"): token.Subject},
	})
	if err != nil {
		return nil, err
	}
	s.web = &cloudtrail.WebIDFederationData{FederatedProvider: provider, Attributes: json.RawMessage("{}")}
	c.identity = &cloudtrail.UserIdentity{
		Type: cloudtrail.IdentityWebIdentityUser, PrincipalID: provider + ":" + token.Audience + ":" + token.Subject,
		UserName: token.Subject, IdentityProvider: provider,
	}
	return &sts.AssumeRoleWithWebIdentityOutput{
		Credentials: c.issue(s), Audience: aws.String(token.Audience), Provider: aws.String(provider),
		SubjectFromWebIdentityToken: aws.String(token.Subject),
		AssumedRoleUser:             &types.AssumedRoleUser{Arn: aws.String(s.arn()), AssumedRoleId: aws.String(s.principalID())},
	}, nil
}
