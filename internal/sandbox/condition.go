// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// conditions reports whether all of the statement's conditions hold. keys are by lower-case name. An operator that the
// sandbox does not know never holds, so that an Allow grants nothing by it.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
func (s *statement) conditions(keys map[string]string) bool {
	for op, byKey := range s.Condition {
		for name, want := range byKey {
			if !holds(op, want, keys, strings.ToLower(name)) {
				return false
			}
		}
	}
	return true
}

func holds(op string, want []scalar, keys map[string]string, name string) bool {
	// Every key here has one value, so the set operators say the same as the plain ones.
	for _, set := range []string{"ForAnyValue:", "ForAllValues:"} {
		op = strings.TrimPrefix(op, set)
	}
	got, present := keys[name]
	if op == "Null" {
		return slices.ContainsFunc(want, func(w scalar) bool { return (w == "true") != present })
	}
	op, ifExists := strings.CutSuffix(op, "IfExists")
	compare, ok := comparisons[strings.Replace(op, "Not", "", 1)]
	if !ok {
		return false
	}
	negated := strings.Contains(op, "Not")
	if !present {
		return ifExists || negated
	}
	any := slices.ContainsFunc(want, func(w scalar) bool { return compare(got, string(w)) })
	return any != negated
}

var comparisons = map[string]func(got, want string) bool{
	"StringEquals":           func(got, want string) bool { return got == want },
	"StringEqualsIgnoreCase": strings.EqualFold,
	"StringLike":             func(got, want string) bool { return glob(want, got) },
	"ArnEquals":              func(got, want string) bool { return glob(want, got) },
	"ArnLike":                func(got, want string) bool { return glob(want, got) },
	"Bool":                   strings.EqualFold,
	"IpAddress":              inPrefix,
	"DateEquals":             byDate(func(c int) bool { return c == 0 }),
	"DateLessThan":           byDate(func(c int) bool { return c < 0 }),
	"DateLessThanEquals":     byDate(func(c int) bool { return c <= 0 }),
	"DateGreaterThan":        byDate(func(c int) bool { return c > 0 }),
	"DateGreaterThanEquals":  byDate(func(c int) bool { return c >= 0 }),
	"NumericEquals":          byNumber(func(got, want float64) bool { return got == want }),
	"NumericLessThan":        byNumber(func(got, want float64) bool { return got < want }),
	"NumericGreaterThan":     byNumber(func(got, want float64) bool { return got > want }),
}

func byDate(is func(order int) bool) func(got, want string) bool {
	return func(got, want string) bool {
		g, err := time.Parse(time.RFC3339, got)
		if err != nil {
			return false
		}
		w, err := time.Parse(time.RFC3339, want)
		return err == nil && is(g.Compare(w))
	}
}

func byNumber(is func(got, want float64) bool) func(got, want string) bool {
	return func(got, want string) bool {
		g, err := strconv.ParseFloat(got, 64)
		if err != nil {
			return false
		}
		w, err := strconv.ParseFloat(want, 64)
		return err == nil && is(g, w)
	}
}

func inPrefix(got, want string) bool {
	a, err := netip.ParseAddr(got)
	if err != nil {
		return false
	}
	if !strings.Contains(want, "/") {
		w, err := netip.ParseAddr(want)
		return err == nil && w == a
	}
	p, err := netip.ParsePrefix(want)
	return err == nil && p.Contains(a)
}
