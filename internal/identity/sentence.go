// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Sentence says WHO at WHEN called WHAT on WHOM in REGION (place) from IP with AGENT. Human is the resolved human, or
// "". A call that AWS refused was tried, not called.
func (f Facts) Sentence(human string) string {
	var b strings.Builder
	b.WriteString(f.who(Printable(human, maxName)))
	b.WriteString(" at " + f.Date + " " + f.Time + " UTC")
	if f.Failed {
		b.WriteString(" tried to call ")
	} else {
		b.WriteString(" called ")
	}
	b.WriteString(cmp.Or(f.EventName, "an unnamed operation"))
	add(&b, " on ", f.Target)
	add(&b, " in ", f.Region)
	if f.Place != "" {
		b.WriteString(" (" + f.Place + ")")
	}
	add(&b, " from ", f.SourceIP)
	add(&b, " with ", f.Agent)
	if f.Failed {
		b.WriteString(", and was refused (" + cmp.Or(f.ErrorCode, f.ErrorMessage, "no reason given") + ")")
	}
	return b.String()
}

func add(b *strings.Builder, word, value string) {
	if value != "" {
		b.WriteString(word + value)
	}
}

// who puts the human first where one is known, and always says through what.
func (f Facts) who(human string) string {
	through := f.principalWords()
	if f.InvokedBy != "" && f.PrincipalType != cloudtrail.IdentityAWSService {
		through += " (via " + f.InvokedBy + ")"
	}
	if human == "" || human == f.PrincipalName {
		return through
	}
	return human + " through " + through
}

func (f Facts) principalWords() string {
	switch f.PrincipalType {
	case cloudtrail.IdentityRoot:
		return "root of account " + cmp.Or(f.PrincipalAccount, f.Account)
	case cloudtrail.IdentityIAMUser:
		return "user " + cmp.Or(f.PrincipalName, "(name withheld)")
	case cloudtrail.IdentityAssumedRole:
		return "role session " + f.PrincipalName + "/" + f.SessionName
	case cloudtrail.IdentityFederatedUser:
		return "federated user " + f.PrincipalName
	case cloudtrail.IdentitySAMLUser:
		return "SAML user " + f.PrincipalName
	case cloudtrail.IdentityWebIdentityUser:
		return "web identity " + f.PrincipalName
	case cloudtrail.IdentityIdentityCenterUser:
		return "Identity Center user " + f.PrincipalName
	case cloudtrail.IdentityAWSService:
		return "service " + f.PrincipalName
	case cloudtrail.IdentityAWSAccount:
		return "principal " + cmp.Or(f.PrincipalID, "(unnamed)") + " of account " + f.PrincipalAccount
	}
	return cmp.Or(f.Principal, "an unknown principal")
}
