// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operator is a condition operator, taken apart.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
type operator struct {
	base string // without set and IfExists, and with "Not" taken out
	// set is "", anyValue or allValues.
	set                 string
	isNegated, ifExists bool
	compare             func(got, want string) bool // nil for Null
}

// The set operators.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
const (
	anyValue  = "ForAnyValue:"
	allValues = "ForAllValues:"
)

// parseOperator reads an operator's name; false when AWS has no such operator.
func parseOperator(name string) (operator, bool) {
	var op operator
	for _, set := range []string{anyValue, allValues} {
		if rest, ok := strings.CutPrefix(name, set); ok {
			op.set, name = set, rest
		}
	}
	if name == "Null" {
		op.base = name
		return op, op.set == ""
	}
	name, op.ifExists = strings.CutSuffix(name, "IfExists")
	if positive, ok := negations[name]; ok {
		name, op.isNegated = positive, true
	}
	compare, ok := comparisons[name]
	op.base, op.compare = name, compare
	return op, ok
}

var negations = map[string]string{
	"StringNotEquals": "StringEquals", "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase", "StringNotLike": "StringLike",
	"NumericNotEquals": "NumericEquals", "DateNotEquals": "DateEquals", "NotIpAddress": "IpAddress",
	"ArnNotEquals": "ArnEquals", "ArnNotLike": "ArnLike",
}

var comparisons = map[string]func(got, want string) bool{
	"StringEquals":             func(got, want string) bool { return got == want },
	"StringEqualsIgnoreCase":   strings.EqualFold,
	"StringLike":               func(got, want string) bool { return glob(want, got) },
	"ArnEquals":                arnLike,
	"ArnLike":                  arnLike,
	"Bool":                     strings.EqualFold,
	"BinaryEquals":             func(got, want string) bool { return got == want },
	"IpAddress":                inPrefix,
	"DateEquals":               byDate(func(order int) bool { return order == 0 }),
	"DateLessThan":             byDate(func(order int) bool { return order < 0 }),
	"DateLessThanEquals":       byDate(func(order int) bool { return order <= 0 }),
	"DateGreaterThan":          byDate(func(order int) bool { return order > 0 }),
	"DateGreaterThanEquals":    byDate(func(order int) bool { return order >= 0 }),
	"NumericEquals":            byNumber(func(got, want float64) bool { return got == want }),
	"NumericLessThan":          byNumber(func(got, want float64) bool { return got < want }),
	"NumericLessThanEquals":    byNumber(func(got, want float64) bool { return got <= want }),
	"NumericGreaterThan":       byNumber(func(got, want float64) bool { return got > want }),
	"NumericGreaterThanEquals": byNumber(func(got, want float64) bool { return got >= want }),
}

// holds tells whether the condition holds for what the request has under its key; nothing means that the key is absent.
func (c *Condition) holds(got, want []string) bool {
	op := c.op
	if op.compare == nil {
		return slices.ContainsFunc(want, func(w string) bool { return strings.EqualFold(w, "true") == (len(got) == 0) })
	}
	if len(got) == 0 {
		return op.ifExists || op.set == allValues || op.isNegated && op.set != anyValue
	}
	fits := func(g string) bool {
		return slices.ContainsFunc(want, func(w string) bool { return op.compare(alike(g, w), w) })
	}
	misses := func(g string) bool { return !fits(g) }
	switch {
	case op.set == allValues && op.isNegated, op.set == "" && op.isNegated:
		return !slices.ContainsFunc(got, fits)
	case op.set == allValues:
		return !slices.ContainsFunc(got, misses)
	case op.isNegated:
		return slices.ContainsFunc(got, misses)
	}
	return slices.ContainsFunc(got, fits)
}

func byDate(is func(order int) bool) func(got, want string) bool {
	return func(got, want string) bool {
		g, ok := parseDate(got)
		if !ok {
			return false
		}
		w, ok := parseDate(want)
		return ok && is(g.Compare(w))
	}
}

// parseDate reads a date of ISO 8601, as far as AWS takes it, or seconds since 1970.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_Date
func parseDate(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, true
		}
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	return time.Unix(seconds, 0), err == nil
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
	p, ok := parsePrefix(want)
	return ok && p.Contains(a.Unmap())
}

// parsePrefix reads a range in CIDR notation, or one address.
func parsePrefix(text string) (netip.Prefix, bool) {
	if a, err := netip.ParseAddr(text); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(text)
	return p.Masked(), err == nil
}

// isUnknownKey: AWS has no such global key, or the name is no key at all. The keys of single services are too many to
// know.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func isUnknownKey(key string) bool {
	service, name, ok := strings.Cut(strings.ToLower(key), ":")
	if !ok || !isASCII(key) || service == "" || name == "" {
		return true
	}
	name, _, _ = strings.Cut(name, "/")
	return service == "aws" && !globalKeys[name]
}

var globalKeys = maps.Collect(func(yield func(string, bool) bool) {
	for name := range strings.FieldsSeq(`calledvia calledviafirst calledvialast currenttime ec2instancesourceprivateipv4 ec2instancesourcevpc epochtime
		federatedprovider ismcpserviceaction multifactorauthage multifactorauthpresent principalaccount principalarn principalisawsservice principalorgid principalorgpaths
		principalservicename principalservicenameslist principaltag principaltype referer requestedregion requesttag resourceaccount
		resourceorgid resourceorgpaths resourcetag securetransport signinsessionarn sourceaccount sourcearn sourceidentity sourceip sourceorgid
		sourceorgpaths sourceowner sourcevpc sourcevpcarn sourcevpce tagkeys tokenissuetime useragent userid username viaawsservice viaawsmcpservice calledviaawsmcp
		vpceaccount vpceorgid vpceorgpaths vpcsourceip chatbotsourcearn assumedroot`) {
		if !yield(name, true) {
			return
		}
	}
})
