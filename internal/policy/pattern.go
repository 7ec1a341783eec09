// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// glob matches s against a pattern of IAM: * is any text, ? any one character.
func glob(pattern, s string) bool {
	var p, i, mark int
	star := -1
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// arnLike matches field by field, as the Arn operators do.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_ARN
func arnLike(got, want string) bool {
	g, w := strings.SplitN(got, ":", arnFields), strings.SplitN(want, ":", arnFields)
	if len(g) != arnFields || len(w) != arnFields {
		return false
	}
	for i := range g {
		if !glob(w[i], g[i]) {
			return false
		}
	}
	return true
}

const arnFields = 6

// isFixed: a value that stands for itself alone.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#public-bucket-policies
func isFixed(value string) bool {
	return value != "" && isASCII(value) && !strings.ContainsAny(value, "*?") && !strings.Contains(value, "${")
}

// fixedAccount is the account that an ARN pattern is bound to. An ARN without account, as S3 buckets have, is bound when
// nothing in it is a pattern; then account is "".
func fixedAccount(pattern string) (account string, isBound bool) {
	f := strings.SplitN(pattern, ":", arnFields)
	if len(f) < arnFields-1 || f[0] != "arn" || !isASCII(pattern) || strings.Contains(pattern, "${") {
		return "", false
	}
	account = f[arnFields-2]
	if account == "" {
		return "", isFixed(pattern) && arn.IsARN(pattern)
	}
	return account, isFixed(account)
}

// isAnyResource: an ARN pattern that says nothing of the resource.
func isAnyResource(pattern string) bool {
	f := strings.SplitN(pattern, ":", arnFields)
	return len(f) == arnFields && strings.Trim(f[arnFields-1], "*") == ""
}
