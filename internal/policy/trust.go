// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Trust is who may be admitted. It never makes a public policy less public. The zero value trusts nobody.
type Trust struct {
	accounts, organizations []string
	// paths are units of an organization, o-…/r-…/ou-…, cut at the slashes.
	paths [][]string
	// networks are VPCs and VPC endpoints. Without any, every fixed one passes: a VPC does not say whose it is.
	networks []string
	// names are principals as a policy writes them, * for any text.
	names []string
}

// ParseTrust reads a list of account ids, organization ids, paths of organizational units, VPC and VPC endpoint ids, and
// principals (AIDA* trusts every deleted user). What is none of these is not trusted, and named in odd.
func ParseTrust(values []string) (t Trust, odd []string) {
	for _, v := range values {
		switch {
		case IsAccountID(v):
			t.accounts = append(t.accounts, v)
		case strings.HasPrefix(v, "o-") && isFixed(v) && strings.Contains(v, "/"):
			t.paths = append(t.paths, strings.Split(strings.TrimSuffix(v, "/"), "/"))
		case strings.HasPrefix(v, "o-") && isFixed(v):
			t.organizations = append(t.organizations, v)
		case (strings.HasPrefix(v, "vpc-") || strings.HasPrefix(v, "vpce-")) && isFixed(v):
			t.networks = append(t.networks, v)
		case isPrincipalPattern(v):
			t.names = append(t.names, v)
		default:
			odd = append(odd, fmt.Sprintf("trust %s is no account, organization or principal: it trusts nobody", quote(v)))
		}
	}
	return t, odd
}

// isPrincipalPattern accepts what stands for some principals, never what stands for those of all accounts.
func isPrincipalPattern(v string) bool {
	if !isASCII(v) || strings.ContainsAny(v, "?$") {
		return false
	}
	if strings.HasPrefix(v, "arn:") {
		account, isBound := fixedAccount(v)
		return isBound && account != ""
	}
	head, _, isPattern := strings.Cut(v, "*")
	return isUniqueID(v) || isCanonicalID(v) || isPattern && len(head) >= 4 && isUniqueID(head+strings.Repeat("A", 16)) || isHost(v)
}

func isCanonicalID(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

// isHost: a name with a dot, as identity providers have.
func isHost(text string) bool {
	return strings.Contains(strings.Trim(text, "."), ".") && !strings.ContainsAny(text, "*: @")
}

// trustsName tells whether a fixed principal is trusted. A federation is not its account: who logs in there is somebody
// else's business, so the provider itself must be trusted.
func (t Trust) trustsName(n Name) bool {
	if slices.ContainsFunc(t.names, func(pattern string) bool { return glob(pattern, n.Value) }) {
		return true
	}
	return n.Kind != Federated && t.trustsAccount(n.account())
}

func (t Trust) trustsAccount(id string) bool { return slices.Contains(t.accounts, id) }

// trustsPath tells whether a value of aws:PrincipalOrgPaths lies in a trusted organization or unit. A * may stand for
// the root, of which an organization has one, and for what lies below the unit.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths
func (t Trust) trustsPath(value string) bool {
	segments := strings.Split(value, "/")
	if len(segments) > 1 && slices.Contains(t.organizations, segments[0]) {
		return true
	}
	return slices.ContainsFunc(t.paths, func(path []string) bool { return isBelow(segments, path) })
}

func isBelow(segments, path []string) bool {
	if len(segments) <= len(path) {
		return false // a unit's own path ends with a slash
	}
	for i, want := range path {
		isRoot := i == 1 && segments[i] == "*" && len(path) > 2
		if segments[i] != want && !isRoot {
			return false
		}
	}
	return true
}

// own is the trust with one more account.
func (t Trust) own(account string) Trust {
	if account == "" {
		return t
	}
	t.accounts = append(slices.Clone(t.accounts), account)
	return t
}

// accountOf is the account that a value of a condition names.
func accountOf(value string) string {
	if p, err := arn.Parse(value); err == nil {
		return p.AccountID
	}
	if account, isBound := fixedAccount(value); isBound {
		return account
	}
	return value
}
