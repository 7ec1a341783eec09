// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/switchback-project/switchback/internal/arn"
)

// Role is the IAM role with which CloudTrail delivers to a log group, in AWS's words.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleDetail.html
type Role struct {
	Exists bool    `json:"Exists"`
	ARN    arn.ARN `json:"Arn,omitempty"`
	// RoleID tells a role from an earlier one of its name: policies that name a role mean its id.
	RoleID string `json:"RoleId,omitempty"`
	// Description matters only when the role is made again.
	Description string `json:"Description,omitempty"`
	// MaxSessionDuration is in seconds: whoever asks for longer is refused.
	MaxSessionDuration int32 `json:"MaxSessionDuration,omitempty"`
	// Tags are what policies may ask for.
	Tags map[string]string `json:"Tags,omitempty"`
	// AssumeRolePolicyDocument and the documents of RolePolicyList, by name, are canonical; see CanonicalPolicy.
	AssumeRolePolicyDocument json.RawMessage            `json:"AssumeRolePolicyDocument,omitempty"`
	RolePolicyList           map[string]json.RawMessage `json:"RolePolicyList,omitempty"`
	AttachedManagedPolicies  []AttachedPolicy           `json:"AttachedManagedPolicies,omitempty"` // sorted
	// PolicyVersions is only for those who restore: the default versions of policies of a baseline that are not attached.
	PolicyVersions map[string]string `json:"PolicyVersions,omitempty"`
	// PermissionsBoundary is the ARN of a policy, "" for none.
	PermissionsBoundary string `json:"PermissionsBoundary,omitempty"`
}

// AttachedPolicy is a managed policy of a role.
type AttachedPolicy struct {
	PolicyArn string `json:"PolicyArn"`
	// DefaultVersionID is that which holds, "" for policies of AWS, which AWS keeps up to date. A version never changes.
	DefaultVersionID string `json:"DefaultVersionId,omitempty"`
}

// Fields of a role that callers tell apart. Those of policies end in the policy's name or ARN.
const (
	FieldTrust           = "AssumeRolePolicyDocument"
	FieldBoundary        = "PermissionsBoundary"
	FieldMaxSession      = "MaxSessionDuration"
	fieldRoleTags        = "Tags."
	fieldInlinePolicies  = "RolePolicyList."
	fieldManagedPolicies = "AttachedManagedPolicies."
)

// FieldRoleTag is the field of a difference in a tag.
func FieldRoleTag(key string) string { return fieldRoleTags + brief(key) }

// FieldInlinePolicy is the field of a difference in an inline policy.
func FieldInlinePolicy(name string) string { return fieldInlinePolicies + brief(name) }

// FieldManagedPolicy is the field of a difference in a managed policy.
func FieldManagedPolicy(policyARN string) string { return fieldManagedPolicies + brief(policyARN) }

// WeakenedRole returns, in a fixed order, everything in which have is weaker than want.
func WeakenedRole(want, have Role) []Difference {
	w := weakening{}
	if w.gone(want.Exists, have.Exists, "the role is gone: CloudTrail cannot deliver to the log group") {
		return w.found
	}
	w.policy(FieldTrust, want.AssumeRolePolicyDocument, have.AssumeRolePolicyDocument)
	names := slices.Concat(slices.Collect(maps.Keys(want.RolePolicyList)), slices.Collect(maps.Keys(have.RolePolicyList)))
	for _, name := range sorted(names) {
		w.policy(FieldInlinePolicy(name), want.RolePolicyList[name], have.RolePolicyList[name])
	}
	w.attached(want.AttachedManagedPolicies, have.AttachedManagedPolicies)
	w.same(FieldBoundary, want.PermissionsBoundary, have.PermissionsBoundary, "the role's permissions are bounded by another policy, or by none")
	if have.MaxSessionDuration < want.MaxSessionDuration {
		w.add(FieldMaxSession, strconv.Itoa(int(want.MaxSessionDuration)), strconv.Itoa(int(have.MaxSessionDuration)), "sessions that last as long as before are refused")
	}
	w.roleTags(want.Tags, have.Tags)
	return w.found
}

// roleTags: what policies may ask for must be there. A tag more takes nothing from it, and is how accounts are kept in order.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/introduction_attribute-based-access-control.html
func (w *weakening) roleTags(want, have map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if value, ok := have[key]; !ok || value != want[key] {
			w.add(FieldRoleTag(key), want[key], value, "policies that ask for the tag do not hold any more")
		}
	}
}

func (w *weakening) attached(want, have []AttachedPolicy) {
	for _, p := range want {
		now, ok := FindPolicy(have, p.PolicyArn)
		switch {
		case !ok:
			w.add(FieldManagedPolicy(p.PolicyArn), "attached", "", "the policy is no longer attached")
		case now != p:
			w.add(FieldManagedPolicy(p.PolicyArn), p.DefaultVersionID, now.DefaultVersionID, "another version of the policy holds")
		}
	}
	for _, p := range have {
		if _, known := FindPolicy(want, p.PolicyArn); !known {
			w.add(FieldManagedPolicy(p.PolicyArn), "", "attached", "the policy is newly attached: it may allow or deny anything")
		}
	}
}

// FindPolicy finds a managed policy by its ARN.
func FindPolicy(list []AttachedPolicy, policyARN string) (AttachedPolicy, bool) {
	i := slices.IndexFunc(list, func(p AttachedPolicy) bool { return p.PolicyArn == policyARN })
	if i < 0 {
		return AttachedPolicy{}, false
	}
	return list[i], true
}

// Canonical returns r in the one form in which equal roles are equal.
func (r Role) Canonical() Role {
	r.AttachedManagedPolicies = canonicalList(r.AttachedManagedPolicies, func(p AttachedPolicy) AttachedPolicy { return p })
	if len(r.Tags) == 0 {
		r.Tags = nil
	}
	if len(r.RolePolicyList) == 0 {
		r.RolePolicyList = nil
	}
	return r
}
