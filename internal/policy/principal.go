// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Kind is a kind of principal, as the Principal element writes it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
type Kind string

// The kinds.
const (
	AWS           Kind = "AWS"
	Service       Kind = "Service"
	Federated     Kind = "Federated"
	CanonicalUser Kind = "CanonicalUser"
)

// Name is one entry of a Principal element, as written.
type Name struct {
	Kind  Kind
	Value string

	// problem says why AWS would refuse the name, "" when it would not. Such a name is taken for everybody.
	problem string
	// whole is the account whose every principal the name stands for, or "".
	whole string
}

func newName(kind Kind, value string) Name {
	n := Name{Kind: kind, Value: value}
	n.problem, n.whole = n.findProblem(), n.wholeAccount()
	return n
}

// oddPrincipal stands for what is no text.
const oddPrincipal = "(no text)"

func (n Name) findProblem() string {
	switch {
	case n.Value == "*":
		return n.kindProblem()
	case !isASCII(n.Value) || n.Value == oddPrincipal:
		return "has letters that AWS does not use"
	case strings.ContainsAny(n.Value, "*?") || strings.Contains(n.Value, "${"):
		return "has a wildcard or a variable"
	case n.kindProblem() != "":
		return n.kindProblem()
	case n.Kind == AWS && !IsAccountID(n.Value) && !isUniqueID(n.Value) && !arn.IsARN(n.Value):
		return "is no account, ARN or unique id"
	case n.Kind == Service && !isServiceHost(n.Value):
		return "is no service of AWS"
	}
	return ""
}

func (n Name) kindProblem() string {
	switch n.Kind {
	case AWS, Service, Federated, CanonicalUser:
		return ""
	}
	return "is of an unknown kind " + quote(string(n.Kind))
}

// isEveryone: not a fixed name.
func (n Name) isEveryone() bool { return n.Value == "*" || n.problem != "" }

// account is the account that the name belongs to; "" when the name does not say, as unique ids do not.
func (n Name) account() string { return accountOfName(n.Value) }

func accountOfName(name string) string {
	if IsAccountID(name) {
		return name
	}
	p, err := arn.Parse(name)
	if err != nil {
		return ""
	}
	return p.AccountID
}

func (n Name) wholeAccount() string {
	if n.Kind != AWS {
		return ""
	}
	if IsAccountID(n.Value) {
		return n.Value
	}
	if p, err := arn.Parse(n.Value); err == nil && p.Service == "iam" && p.Resource == "root" {
		return p.AccountID
	}
	return ""
}

// isOriginAccess: CloudFront's own users, which belong to no account and are made by the distribution's owner.
//
// https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
func (n Name) isOriginAccess() bool {
	p, err := arn.Parse(n.Value)
	return err == nil && n.Kind == AWS && p.Service == "iam" && p.AccountID == "cloudfront"
}

// IsAccountID tells whether text has the form of an account id.
func IsAccountID(text string) bool {
	return len(text) == 12 && strings.Trim(text, "0123456789") == ""
}

// isUniqueID: what AWS writes into a policy once the principal is deleted, AIDA… of users, AROA… of roles.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func isUniqueID(text string) bool {
	const upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	return len(text) >= 16 && len(text) <= 128 && text[0] == 'A' && strings.Trim(text, upper) == ""
}

// isServiceHost: a name under one of AWS's suffixes.
func isServiceHost(text string) bool {
	text = strings.ToLower(text)
	if strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789.-") != "" {
		return false
	}
	isUnder := func(suffix string) bool { return strings.HasSuffix(text, "."+suffix) }
	if slices.ContainsFunc([]string{"amazon.com", "aws.internal"}, isUnder) {
		return true
	}
	return slices.ContainsFunc(serviceSuffixes, isUnder)
}

var serviceSuffixes = func() []string {
	var all []string
	for _, p := range arn.Partitions() {
		all = append(all, p.DNSSuffix)
	}
	return all
}()

// Principal is who asks. The zero value is an anonymous caller.
type Principal struct {
	Kind Kind
	// Names are what the caller answers to: ARN, unique id, canonical user id; for a session its own ARN and its role's;
	// for a service its host name; for federation the provider. The account is taken from the first ARN.
	Names []string
}

// Caller is a user, role or session of an account.
func Caller(names ...string) Principal { return Principal{AWS, names} }

// ServiceCaller is an AWS service, by its host name.
func ServiceCaller(host string) Principal { return Principal{Service, []string{host}} }

// expand adds what the names imply: a session is also its role, as far as the session's ARN tells (it has no path).
func (p Principal) expand() Principal {
	names := slices.Clone(p.Names)
	for _, name := range p.Names {
		if role := roleOfSession(name); role != "" && p.role() == "" {
			names = append(names, role)
		}
	}
	return Principal{p.Kind, names}
}

func roleOfSession(name string) string {
	a, err := arn.Parse(name)
	if err != nil || a.Service != "sts" {
		return ""
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	role, _, _ := strings.Cut(rest, "/")
	if kind != "assumed-role" || role == "" {
		return ""
	}
	return arn.Parts{Partition: a.Partition, Service: "iam", AccountID: a.AccountID, Resource: "role/" + role}.String()
}

// role is the first name that is a role's ARN.
func (p Principal) role() string {
	for _, name := range p.Names {
		if a, err := arn.Parse(name); err == nil && a.Service == "iam" && strings.HasPrefix(a.Resource, "role/") {
			return name
		}
	}
	return ""
}

// arn is what aws:PrincipalArn holds: of a session its role's ARN.
func (p Principal) arn() string {
	if role := p.role(); role != "" {
		return role
	}
	for _, name := range p.Names {
		if arn.IsARN(name) {
			return name
		}
	}
	return ""
}

func (p Principal) account() string {
	for _, name := range p.Names {
		if account := accountOfName(name); account != "" {
			return account
		}
	}
	return ""
}

// is tells whether p is among those whom n names.
func (p Principal) is(n Name) bool {
	switch {
	case n.isEveryone() && (n.Kind != Service || n.problem != ""):
		return true
	case n.isEveryone():
		return p.Kind == Service
	case n.Kind == CanonicalUser:
		return (p.Kind == AWS || p.Kind == CanonicalUser) && slices.Contains(p.Names, n.Value)
	case n.Kind != p.Kind:
		return false
	}
	if n.whole != "" {
		return p.account() == n.whole
	}
	return slices.Contains(p.Names, n.Value)
}

// anyOf tells whether p is one of those named.
func (p Principal) anyOf(names []Name) bool { return slices.ContainsFunc(names, p.is) }
