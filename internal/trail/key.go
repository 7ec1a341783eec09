// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Key is the configuration of the KMS key of a trail, in AWS's words.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_KeyMetadata.html
type Key struct {
	Exists bool    `json:"Exists"`
	ARN    arn.ARN `json:"Arn,omitempty"`
	// KeyState is "Enabled", "Disabled", "PendingDeletion", "PendingImport", …
	KeyState string `json:"KeyState,omitempty"`
	// Origin is "AWS_KMS", or "EXTERNAL" for imported key material.
	Origin string `json:"Origin,omitempty"`
	// Policy is canonical; see CanonicalPolicy.
	Policy json.RawMessage `json:"Policy,omitempty"`
	// Aliases are the names that point to the key, "alias/trail", sorted.
	Aliases []string `json:"Aliases,omitempty"`
	// AliasTargets is only for those who restore: where aliases of a baseline point to that point elsewhere, by name.
	AliasTargets map[string]string `json:"AliasTargets,omitempty"`
	// Grants are sorted by their ids.
	Grants []KeyGrant `json:"Grants,omitempty"`
	// HasMoreGrants: there are more grants than were read.
	HasMoreGrants bool `json:"HasMoreGrants,omitempty"`
}

// KeyGrant lets a principal use a key.
//
// https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
type KeyGrant struct {
	GrantID           string          `json:"GrantId"`
	GranteePrincipal  string          `json:"GranteePrincipal,omitempty"`
	RetiringPrincipal string          `json:"RetiringPrincipal,omitempty"`
	Operations        []string        `json:"Operations,omitempty"` // sorted
	Constraints       json.RawMessage `json:"Constraints,omitempty"`
}

// FieldExists stands for the whole resource: a change of it is a deletion.
const FieldExists = "Exists"

// Fields of a key that callers tell apart.
const (
	FieldKeyState = "KeyState"
	FieldPolicy   = "Policy"
	FieldAliases  = "Aliases"
	FieldGrants   = "Grants"
)

// States of a key. https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
const (
	KeyEnabled                = "Enabled"
	KeyDisabled               = "Disabled"
	KeyPendingDeletion        = "PendingDeletion"
	KeyPendingReplicaDeletion = "PendingReplicaDeletion"
	KeyPendingImport          = "PendingImport"
	// keyUpdating: it can be used all the same.
	keyUpdating = "Updating"
)

// WeakenedKey returns, in a fixed order, everything in which have is weaker than want.
func WeakenedKey(want, have Key) []Difference {
	w := weakening{}
	if w.gone(want.Exists, have.Exists, "the key is gone: nothing that it encrypted can be read any more") {
		return w.found
	}
	if want.KeyState == KeyEnabled && have.KeyState != KeyEnabled && have.KeyState != keyUpdating {
		w.add(FieldKeyState, want.KeyState, have.KeyState, "log files cannot be encrypted with the key, nor read")
	}
	w.policy(FieldPolicy, want.Policy, have.Policy)
	if lost := missingFrom(want.Aliases, have.Aliases); len(lost) > 0 {
		w.add(FieldAliases, strings.Join(want.Aliases, ", "), strings.Join(have.Aliases, ", "), "no longer an alias of the key: "+joinSome(lost))
	}
	w.grants(want, have)
	return w.found
}

// grants: one that is missing takes a reader's access, a new one gives some to somebody else.
func (w *weakening) grants(want, have Key) {
	var notes []string
	if !have.HasMoreGrants {
		notes = append(notes, grantPhrases("revoked: ", want.Grants, have.Grants)...)
	}
	if !want.HasMoreGrants {
		notes = append(notes, grantPhrases("new: ", have.Grants, want.Grants)...)
	}
	if len(notes) > 0 {
		w.add(FieldGrants, string(mustJSON(want.Grants)), string(mustJSON(have.Grants)), joinSome(notes))
	}
}

func grantPhrases(verb string, list, but []KeyGrant) []string {
	var out []string
	for _, g := range list {
		if !slices.ContainsFunc(but, func(b KeyGrant) bool { return b.GrantID == g.GrantID }) {
			out = append(out, brief(verb+g.GranteePrincipal+" "+strings.Join(g.Operations, ", ")))
		}
	}
	return out
}

// gone notes a resource that was there and is not, and reports whether there is nothing further to compare.
func (w *weakening) gone(want, have bool, note string) bool {
	w.flag(FieldExists, want, have, note)
	return !want || !have
}

// missingFrom returns the members of list that other lacks.
func missingFrom(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// Canonical returns k in the one form in which equal keys are equal.
func (k Key) Canonical() Key {
	k.Aliases = sorted(k.Aliases)
	k.Grants = canonicalList(k.Grants, func(g KeyGrant) KeyGrant {
		g.Operations = sorted(g.Operations)
		return g
	})
	return k
}
