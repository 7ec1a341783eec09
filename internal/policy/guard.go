// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"net/netip"
	"slices"
	"strings"
)

// naming is how the values of a condition key say who is admitted.
type naming int

const (
	byNothing naming = iota
	// byFixedValue: a fixed value restricts, and does not say to whom.
	byFixedValue
	byNetwork
	byAddress
	byUserID
	byAccount
	byARN
	// bySourceARN: the ARN of a resource for which a service acts; it has to say which.
	bySourceARN
	byAccessPoint
	byOrganization
	byOrganizationPath
)

// namings are the keys that can restrict who is admitted, in lower case: those of S3's page, the caller's account, ARN
// and organization, and the organization of a source. Keys about the resource restrict nobody: it is always ours.
var namings = map[string]naming{
	"aws:sourceip":    byAddress,
	"aws:sourcevpc":   byNetwork,
	"aws:sourcevpce":  byNetwork,
	"aws:userid":      byUserID,
	"aws:sourcearn":   bySourceARN,
	"aws:sourceowner": byAccount,

	"aws:principalarn":      byARN,
	"aws:principalaccount":  byAccount,
	"kms:calleraccount":     byAccount,
	"aws:sourceaccount":     byAccount,
	"aws:principalorgid":    byOrganization,
	"aws:sourceorgid":       byOrganization,
	"aws:principalorgpaths": byOrganizationPath,
	"aws:sourceorgpaths":    byOrganizationPath,

	"s3:dataaccesspointaccount":                      byAccount,
	"s3:dataaccesspointarn":                          byAccessPoint,
	"s3:x-amz-server-side-encryption-aws-kms-key-id": byFixedValue,
}

// guard is a condition that admits only those it names.
type guard struct {
	*Condition
	naming naming
}

// guards are the statement's conditions that restrict it to fixed values. One is enough to be no longer public, since all
// conditions of a statement must hold.
func (s *Statement) guards() []guard {
	var all []guard
	for i := range s.Conditions {
		c := &s.Conditions[i]
		if n := namings[c.key]; n != byNothing && c.isPositive(s) && n.isFixed(c, s) {
			all = append(all, guard{c, n})
		}
	}
	return all
}

// isPositive: the condition holds for listed values only. Without the key ForAllValues and IfExists hold too, so they
// count only where the same statement asks for the key.
func (c *Condition) isPositive(s *Statement) bool {
	switch {
	case c.isVoid || c.op.isNegated || len(c.Values) == 0:
		return false
	case namings[c.key] == byAddress:
		if c.op.base != "IpAddress" {
			return false
		}
	case !slices.Contains([]string{"StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike"}, c.op.base):
		return false
	}
	return !c.op.ifExists && c.op.set != allValues || s.asksFor(c.key)
}

// asksFor: the statement holds only for requests that have the key.
func (s *Statement) asksFor(key string) bool {
	return slices.ContainsFunc(s.Conditions, func(c Condition) bool {
		return c.key == key && !c.isVoid && len(c.Values) > 0 && !c.holds(nil, c.Values)
	})
}

// isFixed: every value names somebody. One that does not spoils the list, since any of them is enough.
func (n naming) isFixed(c *Condition, s *Statement) bool {
	if n == byAddress {
		return areNarrow(c.Values)
	}
	return !slices.ContainsFunc(c.Values, func(v string) bool { return !n.isFixedValue(v, s) })
}

func (n naming) isFixedValue(v string, s *Statement) bool {
	switch n {
	case byARN, bySourceARN:
		_, isBound := fixedAccount(v)
		return isBound && !(n == bySourceARN && isAnyResource(v))
	case byAccessPoint:
		return isFixed(v) || isAnyAccessPoint(v) && !s.isOfAccessPoint()
	case byOrganizationPath:
		organization, _, hasUnits := strings.Cut(v, "/")
		return hasUnits && isFixed(organization) && !strings.Contains(v, "${")
	case byUserID:
		return isFixed(v) && !(strings.HasPrefix(v, "AROA") && strings.Contains(v, ":"))
	}
	return isFixed(v)
}

// isAnyAccessPoint: a pattern over the access points of one account, which makes no bucket policy public, but a policy of
// an access point.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status-access-points
func isAnyAccessPoint(v string) bool {
	head, _, ok := strings.Cut(v, ":accesspoint/")
	return ok && isFixed(head) && !strings.Contains(v, "${") && accountOf(v) != ""
}

func (s *Statement) isOfAccessPoint() bool {
	return slices.ContainsFunc(s.Resources, func(r string) bool { return strings.Contains(r, ":accesspoint/") })
}

// areNarrow: no range is broader than S3 takes for one, also not together with its neighbours; private ranges pass.
func areNarrow(values []string) bool {
	var all []netip.Prefix
	for _, v := range values {
		p, ok := parsePrefix(v)
		if !ok {
			return false
		}
		if !slices.ContainsFunc(privateRanges, func(r netip.Prefix) bool { return r.Bits() <= p.Bits() && r.Contains(p.Addr()) }) {
			all = append(all, p)
		}
	}
	return !slices.ContainsFunc(merge(all), isBroad)
}

// The broadest ranges that are not public.
const (
	broadestIPv4 = 8
	broadestIPv6 = 32
)

func isBroad(p netip.Prefix) bool {
	if p.Addr().Is4() {
		return p.Bits() < broadestIPv4
	}
	return p.Bits() < broadestIPv6
}

var privateRanges = []netip.Prefix{ // RFC 1918
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
}

// merge joins halves into the range they make: the internet in 256 parts is still the internet.
func merge(all []netip.Prefix) []netip.Prefix {
	slices.SortFunc(all, netip.Prefix.Compare)
	var done []netip.Prefix
	for _, p := range all {
		if len(done) > 0 && done[len(done)-1].Bits() <= p.Bits() && done[len(done)-1].Contains(p.Addr()) {
			continue
		}
		done = append(done, p)
		for len(done) > 1 {
			low, high := done[len(done)-2], done[len(done)-1]
			whole := netip.PrefixFrom(low.Addr(), low.Bits()-1).Masked()
			if low.Bits() != high.Bits() || low.Bits() == 0 || whole.Addr() != low.Addr() || !whole.Contains(high.Addr()) {
				break
			}
			done = append(done[:len(done)-2], whole)
		}
	}
	return done
}
