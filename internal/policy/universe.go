// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The universe. To compare two policies, every dimension of a request (who, action, resource, each condition key) is cut down to
// finitely many members: one for each text of either policy, one that a pattern fits and no text says, one for where two
// patterns overlap, and one that nothing mentions. Two requests that no statement tells apart have the same members, so
// comparing members compares the policies.

// fresh is in no policy: it stands for "any other text".
const fresh = "\x03other\x03"

// texts are a member of a dimension: what a class of requests has there. Of a condition key they are all its values; none
// means that the key is absent.
type texts []string

// dimension is one property of requests.
type dimension struct {
	name    string // "principal", "action", "resource", a condition key, or the text of a condition nobody understands
	members []texts
	// principals are the members of the first dimension.
	principals []Principal
	// patterns are what the policies write, with the members each fits, the widest first.
	patterns []extent
	// written are texts as they were before they were folded.
	written map[string]string
}

// extent is the set of members that a text of a policy stands for.
type extent struct {
	text    string
	members set
}

func (d *dimension) size() int { return max(len(d.members), len(d.principals)) }

// full has every member.
func (d *dimension) full() set {
	s := newSet(d.size())
	for i := range d.size() {
		s.add(i)
	}
	return s
}

// where has the members that fit.
func (d *dimension) where(fits func(i int) bool) set {
	s := newSet(d.size())
	for i := range d.size() {
		if fits(i) {
			s.add(i)
		}
	}
	return s
}

// The dimensions that every universe has; condition keys follow.
const (
	whoDimension = iota
	actionDimension
	resourceDimension
	firstKey
)

// universe is every request that two policies can tell apart.
type universe struct {
	dimensions []*dimension
	byKey      map[string]int // condition key or opaque condition
}

func newUniverse(policies ...*Policy) *universe {
	u := &universe{byKey: map[string]int{}}
	var all []*Statement
	for _, p := range policies {
		for i := range p.Statements {
			all = append(all, &p.Statements[i])
		}
	}
	u.dimensions = []*dimension{
		{name: "principal", principals: callers(all)},
		patternDimension("action", all, strings.ToLower, func(s *Statement) []string { return append(slices.Clone(s.Actions), s.NotActions...) }),
		patternDimension("resource", all, strings.Clone, func(s *Statement) []string { return append(slices.Clone(s.Resources), s.NotResources...) }),
	}
	u.addKeys(all)
	return u
}

func patternDimension(name string, all []*Statement, fold func(string) string, of func(*Statement) []string) *dimension {
	written := map[string]string{}
	for _, s := range all {
		for _, text := range of(s) {
			written[fold(text)] = text
		}
	}
	patterns := slices.Sorted(maps.Keys(written))
	d := &dimension{name: name, members: []texts{{fresh}}, written: written}
	for _, text := range witnesses(patterns) {
		if text != fresh {
			d.members = append(d.members, texts{text})
		}
	}
	for _, p := range patterns {
		d.patterns = append(d.patterns, extent{p, d.where(func(i int) bool { return glob(p, d.members[i][0]) })})
	}
	widestFirst(d.patterns)
	return d
}

// shown is a text as the policy writes it.
func (d *dimension) shown(text string) string {
	if as, ok := d.written[text]; ok {
		return as
	}
	return text
}

func widestFirst(all []extent) {
	slices.SortStableFunc(all, func(a, b extent) int { return cmp.Compare(b.members.size(), a.members.size()) })
}

func unique(all []string) []string {
	slices.Sort(all)
	return slices.Compact(all)
}

// Limits of a dimension: pairs of patterns that are looked at, and those of them that get a witness. How hostile patterns
// overlap beyond that is not told apart.
const (
	maxPairsTried = 100_000
	maxOverlaps   = 500
)

// witnesses are texts for every class that the patterns make: each pattern with something fresh for its wildcards, and
// for two patterns that overlap something that fits both.
func witnesses(patterns []string) []string {
	var out, wild []string
	for _, p := range patterns {
		out = append(out, instance(p))
		if strings.Contains(p, "*") {
			wild = append(wild, p)
		}
	}
	return unique(append(out, overlaps(wild)...))
}

func overlaps(wild []string) []string {
	var out []string
	tried := 0
	for i, p := range wild {
		for _, q := range wild[i+1:] {
			if tried++; tried > maxPairsTried || len(out) >= maxOverlaps {
				return out
			}
			if both := overlap(p, q); both != "" {
				out = append(out, both)
			}
		}
	}
	return out
}

func instance(pattern string) string {
	return strings.ReplaceAll(strings.ReplaceAll(pattern, "?", "\x04"), "*", fresh)
}

// overlap is a text that fits two patterns with stars, "" when none is found or one contains the other.
func overlap(p, q string) string {
	pHead, pRest, _ := strings.Cut(p, "*")
	qHead, qRest, _ := strings.Cut(q, "*")
	if !strings.HasPrefix(pHead, qHead) && !strings.HasPrefix(qHead, pHead) || glob(p, instance(q)) || glob(q, instance(p)) {
		return ""
	}
	pMid, pTail := cutLast(pRest)
	qMid, qTail := cutLast(qRest)
	parts := []string{longer(pHead, qHead), pMid, qMid, longer(pTail, qTail)}
	text := instance(strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "*"))
	if len(parts[0]) > 0 && (pTail == "" && qTail == "") {
		text += fresh
	}
	if glob(p, text) && glob(q, text) {
		return text
	}
	return ""
}

func cutLast(rest string) (mid, tail string) {
	i := strings.LastIndex(rest, "*")
	if i < 0 {
		return "", rest
	}
	return rest[:i], rest[i+1:]
}

func longer(a, b string) string {
	if len(a) >= len(b) {
		return a
	}
	return b
}

// addKeys makes a dimension of each condition key. The caller's account and ARN follow from the caller and have none; a
// condition that is not understood holds or does not, and is a dimension of its own.
func (u *universe) addKeys(all []*Statement) {
	byKey := map[string][]*Condition{}
	for _, s := range all {
		for i := range s.Conditions {
			c := &s.Conditions[i]
			if !isDerived(c) {
				byKey[c.dimension()] = append(byKey[c.dimension()], c)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(byKey)) {
		u.byKey[name] = len(u.dimensions)
		u.dimensions = append(u.dimensions, keyDimension(name, byKey[name]))
	}
}

func isDerived(c *Condition) bool {
	return !c.isVoid && (c.key == principalARNKey || c.key == principalAccountKey || c.key == callerAccountKey)
}

// dimension is the name of the dimension that the condition restricts.
func (c *Condition) dimension() string {
	if c.isVoid {
		return c.String()
	}
	return c.key
}

// String is the condition as a person would read it.
func (c *Condition) String() string {
	return c.Operator + " " + c.Key + " " + strings.Join(c.Values, " or ")
}

func keyDimension(name string, conditions []*Condition) *dimension {
	d := &dimension{name: name}
	if conditions[0].isVoid {
		d.members = []texts{{"holds"}, {}}
		return d
	}
	values, isMany := valueWitnesses(conditions)
	d.members = append(d.members, texts{})
	for _, v := range values {
		d.members = append(d.members, texts{v})
	}
	if isMany {
		d.members = append(d.members, combinations(values, conditions)...)
	}
	d.patterns = d.extents(conditions)
	return d
}

// extents are the written values with the members that have them.
func (d *dimension) extents(conditions []*Condition) []extent {
	written := map[string]extent{}
	for _, c := range conditions {
		for _, v := range c.Values {
			if c.op.compare != nil {
				one := Condition{op: operator{compare: c.op.compare}}
				written[v] = extent{v, d.where(func(i int) bool { return one.holds(d.members[i], []string{v}) })}
			}
		}
	}
	all := make([]extent, 0, len(written))
	for _, v := range slices.Sorted(maps.Keys(written)) {
		all = append(all, written[v])
	}
	widestFirst(all)
	return all
}

// valueWitnesses are the values that the conditions tell apart. Many means that the key may have several at once.
func valueWitnesses(conditions []*Condition) (values []string, isMany bool) {
	isMany = manyValued[conditions[0].key]
	isTyped := false // numbers, dates, addresses and booleans have no other text beside them
	var patterns []string
	for _, c := range conditions {
		isMany = isMany || c.op.set != "" && !singleValued[c.key]
		for _, v := range c.Values {
			switch c.op.base {
			case "StringLike", "ArnLike", "ArnEquals":
				patterns = append(patterns, v)
			default:
				around := neighbours(c.op.base, v)
				isTyped = isTyped || len(around) > 1
				values = append(values, around...)
			}
		}
	}
	if !isTyped || len(patterns) > 0 {
		values = append(values, fresh)
	}
	return unique(append(values, witnesses(unique(patterns))...)), isMany
}

// manyValued are keys that have several values, whatever the operator.
var manyValued = map[string]bool{
	"aws:tagkeys": true, "aws:principalorgpaths": true, "aws:sourceorgpaths": true, "aws:resourceorgpaths": true,
	"aws:vpceorgpaths": true, "aws:calledvia": true, "aws:principalservicenameslist": true,
}

// singleValued are keys that have one value, whatever the operator.
var singleValued = map[string]bool{
	"aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourcearn": true, "aws:sourceaccount": true, "aws:sourceowner": true,
	"aws:sourceip": true, "aws:principalorgid": true, "aws:userid": true, "s3:dataaccesspointarn": true, "s3:dataaccesspointaccount": true,
}

// neighbours are a value and those beside it that an operator may tell from it.
func neighbours(base, v string) []string {
	switch {
	case base == "Bool":
		return []string{"true", "false"}
	case base == "Null":
		return nil
	case base == "StringEqualsIgnoreCase":
		return unique([]string{v, strings.ToUpper(v), strings.ToLower(v), fresh})
	case base == "IpAddress":
		return addressesAround(v)
	case strings.HasPrefix(base, "Numeric"):
		if n, err := strconv.ParseFloat(v, 64); err == nil {
			return []string{v, number(n - 0.5), number(n + 0.5)}
		}
	case strings.HasPrefix(base, "Date"):
		if t, ok := parseDate(v); ok {
			return []string{v, t.Add(-time.Second).UTC().Format(time.RFC3339), t.Add(time.Second).UTC().Format(time.RFC3339)}
		}
	}
	return []string{v}
}

func number(n float64) string { return strconv.FormatFloat(n, 'g', -1, 64) }

// Addresses of either kind, where no range tells more.
const (
	anyIPv4 = "198.51.100.1"
	anyIPv6 = "2001:db8::1"
)

// addressesAround are the first and the last address of a range and those just outside.
func addressesAround(v string) []string {
	p, ok := parsePrefix(v)
	if !ok {
		return []string{v}
	}
	last := p.Addr().AsSlice()
	for i := p.Bits(); i < len(last)*8; i++ {
		last[i/8] |= 1 << (7 - i%8)
	}
	end, _ := netip.AddrFromSlice(last)
	all := []string{anyIPv4, anyIPv6}
	for _, a := range []netip.Addr{p.Addr(), end, p.Addr().Prev(), end.Next()} {
		if a.IsValid() {
			all = append(all, a.String())
		}
	}
	return all
}

// Limits of the values of which pairs are made, and of a list that is taken as a whole.
const (
	maxPairs  = 40
	maxListed = 200
)

// combinations are sets of values: pairs, and all that a condition lists, with and without something else.
func combinations(values []string, conditions []*Condition) []texts {
	var out []texts
	for i, v := range values[:min(len(values), maxPairs)] {
		for _, w := range values[i+1 : min(len(values), maxPairs)] {
			out = append(out, texts{v, w})
		}
	}
	for _, c := range conditions {
		if len(c.Values) > 2 && len(c.Values) <= maxListed {
			var listed texts
			for _, v := range c.Values {
				listed = append(listed, instance(v))
			}
			out = append(out, listed, append(slices.Clone(listed), fresh))
		}
	}
	return out
}
