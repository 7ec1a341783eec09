// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
)

// The oracle says by brute force what policies of a small language do in a small universe. It shares no code with the
// package: policies are drawn here, judged here, and only their JSON is handed over.

// drawn is a policy of the small language.
type drawn struct {
	Version   string
	Statement []drawnStatement
}

type drawnStatement struct {
	Effect       string
	Principal    map[string][]string            `json:",omitempty"`
	NotPrincipal map[string][]string            `json:",omitempty"`
	Action       []string                       `json:",omitempty"`
	NotAction    []string                       `json:",omitempty"`
	Resource     []string                       `json:",omitempty"`
	NotResource  []string                       `json:",omitempty"`
	Condition    map[string]map[string][]string `json:",omitempty"`
}

func (d drawn) json() string {
	text, err := json.Marshal(d)
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}

// caller is somebody of the universe.
type caller struct {
	kind, name, account string
	isStranger          bool // nobody that the language can name
}

const (
	roleA = "arn:aws:iam::111122223333:role/A"
	userU = "arn:aws:iam::444455556666:user/U"
)

var callers = []caller{
	{isStranger: true, account: "anonymous"},
	{"AWS", roleA, "111122223333", false},
	{"AWS", "arn:aws:iam::111122223333:role/Z", "111122223333", false},
	{"AWS", "arn:aws:iam::111122223333:user/Z", "111122223333", false},
	{"AWS", userU, "444455556666", false},
	{"AWS", "arn:aws:iam::444455556666:role/Z", "444455556666", false},
	{"AWS", "arn:aws:iam::444455556666:user/Z", "444455556666", false},
	{"AWS", "arn:aws:iam::999999999999:role/Z", "999999999999", true},
	{"AWS", "arn:aws:iam::999999999999:user/Z", "999999999999", true},
	{"Service", "cloudtrail.amazonaws.com", "", false},
	{"Service", "z.amazonaws.com", "", true},
	{"Federated", "arn:aws:iam::999999999999:saml-provider/Z", "", true},
}

var principalWords = []struct{ kind, name string }{
	{"AWS", "*"}, {"AWS", "*"}, {"AWS", "111122223333"}, {"AWS", "arn:aws:iam::111122223333:root"}, {"AWS", roleA}, {"AWS", userU},
	{"AWS", "444455556666"}, {"Service", "cloudtrail.amazonaws.com"},
}

var (
	actions     = []string{"s3:GetObject", "s3:PutObject", "s3:GetZ", "s3:Z", "z:Z", "s3:GetZObject", "s3:ZObject", "z:ZObject"}
	actionWords = []string{"*", "s3:*", "s3:Get*", "S3:GetObject", "s3:PutObject", "*Object"}

	resources     = []string{"arn:aws:s3:::b/x", "arn:aws:s3:::b/z", "arn:aws:s3:::b/y/z", "z"}
	resourceWords = []string{"*", "arn:aws:s3:::b/*", "arn:aws:s3:::b/y/*", "arn:aws:s3:::b/x"}
)

// drawnKey is a condition key of the universe: what a request may have under it, what strangers may have, how a policy
// may ask for it.
type drawnKey struct {
	name             string
	states           [][]string
	ofStranger       []int // indices of states; nil means any
	words, operators []string
}

var (
	textOperators = []string{
		"StringEquals", "StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIfExists", "StringLikeIfExists",
		"StringNotEqualsIfExists", "Null",
		"ForAnyValue:StringEquals", "ForAllValues:StringEquals", "ForAllValues:StringNotEquals", "ForAnyValue:StringNotEquals",
	}
	arnOperators = []string{"ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "StringLike", "StringEquals", "ArnLikeIfExists", "Null"}
)

// setOperators is where those of textOperators begin that are for keys with several values.
const setOperators = 9

var keys = []drawnKey{
	{"aws:SourceVpc", [][]string{nil, {"vpc-1"}, {"vpc-2"}, {"vpc-Z"}, {"vpc-*"}, {"Z"}}, []int{0, 3, 5}, []string{"vpc-1", "vpc-2", "vpc-*"}, textOperators},
	{"aws:PrincipalOrgID", [][]string{nil, {"o-1"}, {"o-Z"}, {"o-*"}, {"Z"}}, []int{0, 2, 4}, []string{"o-1", "o-*"}, textOperators},
	{"s3:prefix", [][]string{nil, {"home/"}, {"home/Z"}, {"Z"}, {"home/*"}}, nil, []string{"home/", "home/*"}, textOperators[:setOperators]},
	{"aws:TagKeys", [][]string{nil, {"a"}, {"b"}, {"Z"}, {"a", "b"}, {"a", "Z"}, {"b", "Z"}, {"a", "b", "Z"}}, nil, []string{"a", "b"}, textOperators},
	{"aws:SourceIp", [][]string{nil, {"203.0.113.7"}, {"203.0.113.99"}, {"5.5.5.5"}, {"200.5.5.5"}, {"2001:db8::5"}}, []int{0, 3, 4, 5}, []string{"203.0.113.0/24", "203.0.113.7", "0.0.0.0/1", "0.0.0.0/0"}, []string{"IpAddress", "IpAddress", "NotIpAddress", "IpAddressIfExists", "Null"}},
	{"s3:max-keys", [][]string{nil, {"5"}, {"10"}, {"15"}}, nil, []string{"10"}, []string{"NumericEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan", "NumericNotEquals", "NumericLessThanIfExists"}},
	{"aws:SecureTransport", [][]string{nil, {"true"}, {"false"}}, nil, []string{"true", "false"}, []string{"Bool", "BoolIfExists", "Null"}},
	{"aws:CurrentTime", [][]string{nil, {"2026-01-01T00:00:00Z"}, {"2026-06-01T00:00:00Z"}, {"2027-01-01T00:00:00Z"}}, nil, []string{"2026-06-01T00:00:00Z"}, []string{"DateLessThan", "DateGreaterThanEquals", "DateEquals", "DateNotEquals"}},
	{"aws:PrincipalArn", nil, nil, []string{roleA, "arn:aws:iam::111122223333:role/*", "arn:aws:iam::*:role/*"}, arnOperators},
	{"aws:PrincipalAccount", nil, nil, []string{"111122223333", "444455556666"}, []string{"StringEquals", "StringNotEquals", "StringLike"}},
}

// draw makes a policy that asks for some of the given keys.
func draw(r *rand.Rand, of []drawnKey) drawn {
	d := drawn{Version: "2012-10-17"}
	for range 1 + r.IntN(4) {
		d.Statement = append(d.Statement, drawStatement(r, of))
	}
	return d
}

func drawStatement(r *rand.Rand, of []drawnKey) drawnStatement {
	s := drawnStatement{Effect: "Allow"}
	if r.IntN(4) == 0 {
		s.Effect = "Deny"
	}
	who := map[string][]string{}
	for range 1 + r.IntN(2) {
		w := principalWords[r.IntN(len(principalWords))]
		who[w.kind] = append(who[w.kind], w.name)
	}
	s.Principal = who
	if r.IntN(8) == 0 {
		s.Principal, s.NotPrincipal = nil, who
	}
	s.Action, s.NotAction = either(r, actionWords)
	s.Resource, s.NotResource = either(r, resourceWords)
	s.Condition = map[string]map[string][]string{}
	for range r.IntN(3) {
		k := of[r.IntN(len(of))]
		op := k.operators[r.IntN(len(k.operators))]
		if s.Condition[op] == nil {
			s.Condition[op] = map[string][]string{}
		}
		s.Condition[op][k.name] = some(r, k.words)
		if op == "Null" {
			s.Condition[op][k.name] = []string{[]string{"true", "false"}[r.IntN(2)]}
		}
	}
	return s
}

func some(r *rand.Rand, words []string) []string {
	out := []string{words[r.IntN(len(words))]}
	if r.IntN(3) == 0 {
		out = append(out, words[r.IntN(len(words))])
	}
	return out
}

func either(r *rand.Rand, words []string) (positive, negative []string) {
	if r.IntN(8) == 0 {
		return nil, some(r, words)
	}
	return some(r, words), nil
}

// drawKeys chooses two keys, so that the universe stays small.
func drawKeys(r *rand.Rand) []drawnKey {
	return []drawnKey{keys[r.IntN(len(keys))], keys[r.IntN(len(keys))]}
}

// fits is IAM's pattern, spelled out.
func fits(pattern, s string) bool {
	switch {
	case pattern == "":
		return s == ""
	case pattern[0] == '*':
		return fits(pattern[1:], s) || s != "" && fits(pattern, s[1:])
	}
	return s != "" && (pattern[0] == '?' || pattern[0] == s[0]) && fits(pattern[1:], s[1:])
}

func anyFits(patterns []string, s string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(strings.ToLower(p), strings.ToLower(s)) })
}

func (c caller) isNamed(who map[string][]string) bool {
	for kind, all := range who {
		for _, name := range all {
			if name == "*" || kind == c.kind && (name == c.name || kind == "AWS" && (name == c.account || name == "arn:aws:iam::"+c.account+":root")) {
				return true
			}
		}
	}
	return false
}

func (s drawnStatement) names(c caller) bool {
	if s.NotPrincipal != nil {
		return !c.isNamed(s.NotPrincipal)
	}
	return c.isNamed(s.Principal)
}

func (s drawnStatement) acts(action string) bool {
	if s.NotAction != nil {
		return !anyFits(s.NotAction, action)
	}
	return anyFits(s.Action, action)
}

func (s drawnStatement) covers(resource string) bool {
	if s.NotResource != nil {
		return !anyFits(s.NotResource, resource)
	}
	return anyFits(s.Resource, resource)
}

// meets tells whether all conditions hold; keys of the caller come from the caller.
func (s drawnStatement) meets(c caller, context map[string][]string) bool {
	for op, byKey := range s.Condition {
		for key, want := range byKey {
			got := context[key]
			switch {
			case key == "aws:PrincipalArn" && c.kind == "AWS":
				got = []string{c.name}
			case key == "aws:PrincipalAccount" && c.account != "":
				got = []string{c.account}
			}
			name, _, _ := strings.Cut(op, "#")
			if !oracleHolds(name, got, want) {
				return false
			}
		}
	}
	return true
}

// oracleHolds follows the table of AWS, operator by operator.
func oracleHolds(op string, got, want []string) bool {
	if op == "Null" {
		return want[0] == "true" && len(got) == 0 || want[0] == "false" && len(got) > 0
	}
	set, rest, ok := strings.Cut(op, ":")
	if !ok {
		set, rest = "", op
	}
	rest, ifExists := strings.CutSuffix(rest, "IfExists")
	isNot := strings.Contains(rest, "Not")
	rest = strings.Replace(rest, "Not", "", 1)
	one := func(g string) bool {
		hit := false
		for _, w := range want {
			hit = hit || oracleCompare(rest, g, w)
		}
		return hit != isNot
	}
	count := 0
	for _, g := range got {
		if one(g) {
			count++
		}
	}
	switch {
	case set == "ForAllValues":
		return count == len(got)
	case set == "ForAnyValue":
		return count > 0
	case len(got) == 0:
		return ifExists || isNot
	case isNot:
		return count == len(got)
	}
	return count > 0
}

func oracleCompare(op, got, want string) bool {
	switch op {
	case "StringEquals", "NumericEquals", "DateEquals", "Bool":
		return got == want
	case "StringLike", "ArnEquals", "ArnLike":
		return fits(want, got)
	case "IpAddress":
		if !strings.Contains(want, "/") {
			return got == want
		}
		return netip.MustParsePrefix(want).Contains(netip.MustParseAddr(got))
	}
	less := len(got) < len(want) || len(got) == len(want) && got < want // numbers without sign, dates of one form
	switch op {
	case "NumericLessThan", "DateLessThan":
		return less
	case "NumericLessThanEquals":
		return less || got == want
	case "NumericGreaterThan":
		return !less && got != want
	case "DateGreaterThanEquals":
		return !less
	}
	panic("oracle knows no " + op)
}

// contexts are all combinations of the keys' states.
func contexts(of []drawnKey, ofStranger bool) []map[string][]string {
	all := []map[string][]string{{}}
	seen := map[string]bool{}
	for _, k := range of {
		if k.states == nil || seen[k.name] {
			continue
		}
		seen[k.name] = true
		var next []map[string][]string
		for _, c := range all {
			for i, state := range k.states {
				if ofStranger && k.ofStranger != nil && !slices.Contains(k.ofStranger, i) {
					continue
				}
				with := map[string][]string{k.name: state}
				for name, values := range c {
					with[name] = values
				}
				next = append(next, with)
			}
		}
		all = next
	}
	return all
}

// grantsStranger: the statement lets somebody in whom the language cannot name. S3 takes no value with a wildcard for
// fixed, whatever the operator makes of it, so here it is one.
func (s drawnStatement) grantsStranger(of []drawnKey) bool {
	loose := s
	loose.Condition = map[string]map[string][]string{}
	for op, byKey := range s.Condition {
		if !strings.Contains(op, "Not") {
			op = strings.Replace(op, "StringEquals", "StringLike", 1) + "#" + op
		}
		loose.Condition[op] = byKey
	}
	return loose.grants(of, true)
}

// grants: the statement lets anybody in at all, or a stranger.
func (s drawnStatement) grants(of []drawnKey, stranger bool) bool {
	for _, c := range callers {
		if stranger && !c.isStranger || !s.names(c) {
			continue
		}
		for _, context := range contexts(of, stranger) {
			if s.meets(c, context) {
				return true
			}
		}
	}
	return false
}

// table is what one statement does in the universe, a truth value a caller and context, an action, a resource.
type table struct {
	isDeny               bool
	who, actions, things []bool
}

func (s drawnStatement) table(of []map[string][]string) table {
	t := table{isDeny: s.Effect == "Deny"}
	for _, c := range callers {
		isNamed := s.names(c)
		for _, context := range of {
			t.who = append(t.who, isNamed && s.meets(c, context))
		}
	}
	for _, a := range actions {
		t.actions = append(t.actions, s.acts(a))
	}
	for _, r := range resources {
		t.things = append(t.things, s.covers(r))
	}
	return t
}

func (d drawn) tables(of []map[string][]string) []table {
	var all []table
	for _, s := range d.Statement {
		all = append(all, s.table(of))
	}
	return all
}

func (t table) applies(who, action, thing int) bool {
	return t.who[who] && t.actions[action] && t.things[thing]
}

// decide is what tables say: an explicit Deny wins.
func decide(all []table, who, action, thing int) string {
	effect := ""
	for _, t := range all {
		switch {
		case !t.applies(who, action, thing):
		case t.isDeny:
			return "Deny"
		default:
			effect = "Allow"
		}
	}
	return effect
}
