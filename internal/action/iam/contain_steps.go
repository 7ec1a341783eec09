// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
)

// step adds what no call of ours does about a member, with the time that its credentials have left.
func (b *planner) step(m identity.Member, s step) {
	s.Who = identity.Printable(cmp.Or(m.ARN, m.ID, m.Name, m.Account), 512)
	if !m.IsLongTerm() && m.ExpiresAt.After(b.plan.At) {
		s.Until, s.Left = m.ExpiresAt, m.ExpiresAt.Sub(b.plan.At).Truncate(time.Minute).String()
	}
	s.Why = identity.Printable(s.Why, 1000)
	b.plan.Steps = append(b.plan.Steps, s)
}

// sentence is the step for a list of things to do.
func (s step) sentence() string {
	text := fmt.Sprintf("%s: %s; who can: %s", s.Who, s.Why, s.WhoCan)
	if s.Command != "" {
		text += ": " + s.Command
	}
	if s.Left != "" {
		text += fmt.Sprintf(" (ends by itself in %s)", s.Left)
	}
	return text
}

// stepFor is for members that are neither a role's nor a user's.
func (b *planner) stepFor(m identity.Member) {
	provider := identity.Printable(cmp.Or(m.Provider, m.ID), 512)
	switch m.Type {
	case cloudtrail.IdentitySAMLUser:
		b.step(m, step{
			Outcome: outcomeSAML, Why: "a SAML provider opened the session, and may open another: provider " + provider + ", subject " + identity.Printable(m.Name, 200),
			WhoCan: "whoever runs the identity provider: disable the person there and end their sessions",
		})
	case cloudtrail.IdentityWebIdentityUser:
		b.step(m, step{
			Outcome: outcomeOIDC, Why: "an OIDC provider vouched for it, and a new token opens a session of any name: provider " + provider + ", subject " + identity.Printable(m.Name, 200),
			WhoCan:  "whoever runs the workload: stop it, or take the subject out of the role's trust policy",
			Command: b.trustCommand(m),
		})
	case cloudtrail.IdentityRoot:
		b.step(m, step{
			Outcome: outcomeRoot, Why: "no policy of its account bounds the root user", WhoCan: "who holds the account's mailbox: change the password, delete its keys; " +
				"or the management account, by a service control policy that denies aws:PrincipalArn of the root user",
		})
	case cloudtrail.IdentityAWSService:
		b.step(m, step{
			Outcome: outcomeService, Why: "a service got the session and gets the next one by itself; later sessions of the same name are denied, too",
			WhoCan: "an administrator of the account: stop the instance or function, or take its role away",
		})
	case cloudtrail.IdentityAWSAccount:
		b.step(m, step{
			Outcome: outcomeOtherAccount, Why: fmt.Sprintf("it belongs to account %s, whose copy of the call is not at hand", identity.Printable(m.Account, 20)),
			WhoCan: "an administrator of that account; or take it out of the role's trust policy", Command: b.trustCommand(m),
		})
	default:
		b.step(m, step{Outcome: outcomeUnknown, Why: fmt.Sprintf("an identity of type %s is not bound by a policy of ours", identity.Printable(m.Type, 50)), WhoCan: "an administrator of its account"})
	}
}

// trustCommand is how to cut who opened a session off from the role.
func (b *planner) trustCommand(m identity.Member) string {
	for _, o := range b.tree.Members {
		if o.By >= 0 && b.tree.Members[o.By] == m && o.Type == cloudtrail.IdentityAssumedRole {
			return action.ShellCommand("aws", "iam", "update-assume-role-policy", "--role-name", o.Name, "--policy-document", "file://TRUST.json")
		}
	}
	return ""
}

// stepPassword is for sessions that a password opens again.
func (b *planner) stepPassword(m identity.Member) {
	b.step(m, step{
		Outcome: outcomePassword, Why: "the password is not taken away, for it could not be given back; its temporary sessions are denied, new ones too",
		WhoCan:  "an administrator of the account",
		Command: action.ShellCommand("aws", "iam", "delete-login-profile", "--user-name", m.Name),
	})
}

func (b *planner) stepOutOfReach(m identity.Member, p arn.Parts, err error) {
	b.step(m, step{
		Outcome: outcomeOtherAccount, Why: fmt.Sprintf("account %s is not at our hand: %v", p.AccountID, err),
		WhoCan:  "an administrator of that account, with the deny of the other targets; where it is of another organization, take it out of the trust policy of the role that it assumed",
		Command: b.trustCommand(m),
	})
}

// protected is for roles that only AWS changes.
//
// https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html
func protected(full string, m identity.Member) (step, bool) {
	p, err := arn.Parse(full)
	switch {
	case err != nil:
		return step{}, false
	case strings.HasPrefix(p.Resource, "role/aws-service-role/"):
		return step{
			Outcome: outcomeServiceLinked, Why: "only AWS changes a service-linked role: nothing but its service uses it",
			WhoCan: "an administrator of the account: stop the service's work, or delete the role by the service",
		}, true
	case !strings.HasPrefix(p.Resource, "role/aws-reserved/sso."):
		return step{}, false
	}
	set := strings.TrimPrefix(m.Name, "AWSReservedSSO_")
	if i := strings.LastIndexByte(set, '_'); i > 0 {
		set = set[:i]
	}
	_, user, _ := strings.Cut(m.ID, ":")
	return step{
		Outcome: outcomeIdentityCenter,
		Why: fmt.Sprintf("IAM Identity Center keeps the role of permission set %s as it is; taking the assignment of %s away lets no new session begin, the one that began lasts to its end, "+
			"unless the permission set denies it", set, user),
		WhoCan: "an administrator of IAM Identity Center: delete the assignment; or put an inline policy that denies aws:userid " + m.ID + " into the permission set and provision it again",
		Command: action.ShellCommand("aws", "sso-admin", "delete-account-assignment", "--instance-arn", "INSTANCE_ARN", "--permission-set-arn", "ARN_OF_"+set,
			"--target-type", "AWS_ACCOUNT", "--target-id", p.AccountID, "--principal-type", "USER", "--principal-id", "ID_OF_"+user),
	}, true
}
