// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
)

func (o *org) login(c *ststypes.Credentials, id string) login {
	return login{gate.BackendConfig(o.sandbox, home, region, aws.Credentials{
		AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken,
	}, "cli"), id, *c.AccessKeyId}
}

func root(account string) string {
	return arn.Parts{Partition: "aws", Service: "iam", AccountID: account, Resource: "root"}.String()
}

// federated makes a role of home that an identity provider opens.
func (o *org) federated(name, provider, act string) string {
	o.Helper()
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"%s"},"Action":"%s"}]}`, provider, act)
	out, err := o.admin(home).CreateRole(o.Context(), &api.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust})
	o.must(err)
	return *out.Role.Arn
}

// Beginnings of chains that no policy of ours ends: each is a stated outcome, and what it opened is contained for good.
func TestContainStatesWhatItCannotEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		// open makes the session that is responded to; more are wanted beside it.
		open func(o *org) login
		want func(o *org, s login) []string
		// outcomes are wanted; command is part of one's, says of its reason.
		outcomes      []string
		command, says string
	}{
		"an OIDC provider": {
			open: func(o *org) login {
				const issuer = "token.example.com"
				role := o.federated("CI", arn.Parts{Partition: "aws", Service: "iam", AccountID: home, Resource: "oidc-provider/" + issuer}.String(), "sts:AssumeRoleWithWebIdentity")
				claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iss":"https://` + issuer + `","sub":"repo:org/app:ref","aud":"sts"}`))
				out, err := sts.NewFromConfig(o.root(home)).AssumeRoleWithWebIdentity(o.Context(), &sts.AssumeRoleWithWebIdentityInput{
					RoleArn: &role, RoleSessionName: aws.String("job"), WebIdentityToken: aws.String("x." + claims + ".y"),
				})
				o.must(err)
				return o.login(out.Credentials, *out.AssumedRoleUser.AssumedRoleId)
			},
			want:     func(_ *org, s login) []string { return []string{s.id + "+"} },
			outcomes: []string{"oidc-provider"}, command: "aws iam update-assume-role-policy --role-name CI", says: "repo:org/app:ref",
		},
		"a SAML provider": {
			open: func(o *org) login {
				provider := arn.Parts{Partition: "aws", Service: "iam", AccountID: home, Resource: "saml-provider/idp"}.String()
				role := o.federated("Staff", provider, "sts:AssumeRoleWithSAML")
				assertion := `<Response ID="r"><Assertion ID="a"><Issuer>https://idp.example.com</Issuer><Subject><NameID>carol</NameID></Subject><AttributeStatement>` +
					`<Attribute Name="https://aws.amazon.com/SAML/Attributes/RoleSessionName"><AttributeValue>carol@example.com</AttributeValue></Attribute></AttributeStatement></Assertion></Response>`
				out, err := sts.NewFromConfig(o.root(home)).AssumeRoleWithSAML(o.Context(), &sts.AssumeRoleWithSAMLInput{
					RoleArn: &role, PrincipalArn: &provider, SAMLAssertion: aws.String(base64.StdEncoding.EncodeToString([]byte(assertion))),
				})
				o.must(err)
				return o.login(out.Credentials, *out.AssumedRoleUser.AssumedRoleId)
			},
			want:     func(_ *org, s login) []string { return []string{s.id + "+"} },
			outcomes: []string{"saml-provider"}, says: "subject carol",
		},
		"Identity Center, and what it opened": {
			open: func(o *org) login {
				center := o.role(home, "/aws-reserved/sso.amazonaws.com/", "AWSReservedSSO_Power_0123456789abcdef", root(home))
				jump := o.role(home, "/", "Jump", root(home))
				return o.assume(o.assume(o.user(home, "alice"), home, center, "carol@example.com").Config, home, jump, "hop")
			},
			want:     func(o *org, s login) []string { return []string{o.seeded[home].AccessKeys["alice"], s.id + "+"} },
			outcomes: []string{"identity-center"}, command: "delete-account-assignment", says: "permission set Power",
		},
		"a service-linked role": {
			open: func(o *org) login {
				linked := o.role(home, "/aws-service-role/x.amazonaws.com/", "AWSServiceRoleForX", root(home))
				return o.assume(o.user(home, "alice"), home, linked, "svc")
			},
			want:     func(o *org, _ login) []string { return []string{o.seeded[home].AccessKeys["alice"]} },
			outcomes: []string{"service-linked-role"}, says: "only AWS changes",
		},
		"a caller of another organization": {
			open: func(o *org) login {
				role := o.role(home, "/", "Partner", root(foreign))
				return o.assume(o.user(foreign, "alice"), home, role, "partner")
			},
			want:     func(_ *org, s login) []string { return []string{s.id + "+"} },
			outcomes: []string{"account-out-of-reach"}, command: "update-assume-role-policy --role-name Partner", says: "account " + foreign,
		},
		"a session in an account out of reach": {
			open: func(o *org) login {
				there := o.role(foreign, "/", "There", root(home))
				back := o.role(home, "/", "Back", root(foreign))
				away := o.assume(o.user(home, "alice"), foreign, there, "away")
				return o.assume(away.Config, home, back, "back")
			},
			want:     func(_ *org, s login) []string { return []string{s.id + "+"} },
			outcomes: []string{"account-out-of-reach"}, says: foreign,
		},
		"full inline policies": {
			open: func(o *org) login {
				role := o.role(home, "/", "Full", root(home))
				big := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"` + strings.Repeat("a", 10000) + `"}]}`
				_, err := o.admin(home).PutRolePolicy(o.Context(), &api.PutRolePolicyInput{RoleName: aws.String("Full"), PolicyName: aws.String("big"), PolicyDocument: &big})
				o.must(err)
				return o.assume(o.user(home, "alice"), home, role, "full")
			},
			want:     func(o *org, _ login) []string { return []string{o.seeded[home].AccessKeys["alice"]} },
			outcomes: []string{"inline-policies-full"}, command: "aws iam put-role-policy --role-name Full", says: "10240 characters",
		},
		"a user's own temporary credentials": {
			open: func(o *org) login {
				out, err := sts.NewFromConfig(o.user(home, "alice")).GetSessionToken(o.Context(), &sts.GetSessionTokenInput{})
				o.must(err)
				return o.login(out.Credentials, "")
			},
			want: func(o *org, _ login) []string {
				u, err := o.admin(home).GetUser(o.Context(), &api.GetUserInput{UserName: aws.String("alice")})
				o.must(err)
				return []string{o.seeded[home].AccessKeys["alice"], *u.User.UserId}
			},
		},
		"a federated user": {
			open: func(o *org) login {
				out, err := sts.NewFromConfig(o.user(home, "alice")).GetFederationToken(o.Context(), &sts.GetFederationTokenInput{
					Name: aws.String("temp"), Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`),
				})
				o.must(err)
				return o.login(out.Credentials, *out.FederatedUser.FederatedUserId)
			},
			want: func(o *org, s login) []string { return []string{o.seeded[home].AccessKeys["alice"], s.id} },
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			s := tt.open(o)
			if !o.can(s.Config) {
				t.Fatal("the session can do nothing to begin with")
			}
			inc := o.open(o.collect(s.key))
			p := o.plan(inc, `{}`)
			want := tt.want(o, s)
			slices.Sort(want)
			if diff := cmp.Diff(want, p.ids()); diff != "" {
				t.Errorf("contained (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.outcomes, p.outcomes()); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			steps := fmt.Sprint(p.Steps)
			if !strings.Contains(steps, tt.command) || !strings.Contains(steps, tt.says) {
				t.Errorf("steps %+v lack %q or %q", p.Steps, tt.command, tt.says)
			}
			for _, step := range p.Steps {
				if step.WhoCan == "" || step.Who == "" {
					t.Errorf("nobody can: %+v", step)
				}
				if step.Outcome == "identity-center" && step.Left == "" {
					t.Error("the time that is left is not stated")
				}
			}
			out := o.contain(inc, p)
			if isLeft := slices.Contains(tt.outcomes, "service-linked-role") || slices.Contains(tt.outcomes, "inline-policies-full"); o.can(s.Config) != isLeft {
				t.Errorf("contained, can act: %t", !isLeft)
			}
			if (out.WhoCan == "") != (len(tt.outcomes) == 0) {
				t.Errorf("who can: %q", out.WhoCan)
			}
			o.must(o.undo(inc))
			if !o.can(s.Config) {
				t.Error("undone, and the session can do nothing")
			}
		})
	}
}

// Names that an attacker chose, as records hold them: none gets into a policy, none breaks the plan.
func TestContainHostileNames(t *testing.T) {
	for name, session := range map[string]string{
		"100 KB":   strings.Repeat("a", 100_000),
		"quotes":   `x","aws:userid":"*`,
		"variable": "${aws:userid}",
		"star":     "*",
		"unicode":  "\u202eadmin\u0000",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWalk(t)
			r := w.collect(w.jump.key)
			role, _, _ := strings.Cut(r.UserIdentity.PrincipalID, ":")
			r.UserIdentity.PrincipalID = role + ":" + session
			r.UserIdentity.ARN = arn.Parts{Partition: "aws", Service: "sts", AccountID: second, Resource: "assumed-role/Jump/"}.String() + session
			r.EventID, r.Raw = "hostile", nil
			inc := w.org.open(r)
			p := w.plan(inc, `{"event_id":"hostile"}`)
			for _, target := range p.Targets {
				for _, s := range target.Sessions {
					if strings.Contains(s.ID, session) {
						t.Errorf("%.80q is in the plan", s.ID)
					}
				}
			}
			if !slices.Contains(p.outcomes(), "unknown") || len(p.text) > 20_000 || !json.Valid([]byte(p.text)) || strings.Contains(p.text, "\u202e") {
				t.Errorf("the plan has outcomes %v and %d bytes", p.outcomes(), len(p.text))
			}
		})
	}
}

// More sessions of one role than a policy has room for one by one: they share a window.
func TestContainManySessions(t *testing.T) {
	w := newWalk(t)
	var all []login
	for i := range 60 {
		all = append(all, w.assume(w.user(home, "alice"), home, w.seeded[home].RoleARN, fmt.Sprintf("job-%d", i)))
	}
	w.collect("")
	p := w.plan(w.inc, `{}`)
	if len(p.ids()) < 60 || len(p.Steps) != 0 {
		t.Fatalf("%d are contained, steps %+v", len(p.ids()), p.Steps)
	}
	w.contain(w.inc, p)
	for _, s := range all {
		if w.can(s.Config) {
			t.Errorf("%s can act", s.id)
		}
	}
	if !w.can(w.bob.Config) {
		t.Error("bob can not")
	}
}

// The tree grew between the plan and its approval: a second plan adds to the first, and undoing takes both back.
func TestContainAgain(t *testing.T) {
	w := newWalk(t)
	first := w.plan(w.inc, fmt.Sprintf(`{"spare":[%q,%q]}`, w.sibling.id, w.seeded[home].AccessKeys["alice"]))
	w.contain(w.inc, first)
	if !w.can(w.sibling.Config) {
		t.Error("the sibling was to be spared")
	}
	var out action.Output
	w.now = w.now.Add(time.Minute)
	all := w.plan(w.inc, `{}`)
	w.must(w.run(w.inc, "iam:ContainSession", "second", all.params(), &out))
	if got := w.whoCan(); got != "bob bob's key" {
		t.Errorf("contained twice, can act: %s", got)
	}
	w.must(w.run(w.inc, "iam:ContainSession", "third", all.params(), &out))
	if !out.Already {
		t.Errorf("the third time: %+v", out)
	}
	w.must(w.undo(w.inc))
	if got := w.whoCan(); got != everybody {
		t.Errorf("undone, can act: %s", got)
	}
	if left := w.policies(); left != "" {
		t.Errorf("left behind: %s", left)
	}
}
