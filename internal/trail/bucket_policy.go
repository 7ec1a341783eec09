// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// maxBucketPolicy bounds what is parsed of a policy; S3 takes 20 KB.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-policies.html
const maxBucketPolicy = 64 << 10

// CanonicalBucketPolicy spells a policy document in one way: members are sorted, spaces are gone. An empty one stays so.
func CanonicalBucketPolicy(document string) (json.RawMessage, error) {
	if document == "" {
		return nil, nil
	}
	if len(document) > maxBucketPolicy {
		return nil, fmt.Errorf("read bucket policy: it has %d bytes, more than %d", len(document), maxBucketPolicy)
	}
	if !json.Valid([]byte(document)) {
		return nil, errors.New("read bucket policy: it is no JSON")
	}
	d := json.NewDecoder(strings.NewReader(document))
	d.UseNumber()
	var members map[string]any
	if err := d.Decode(&members); err != nil || members == nil {
		return nil, errors.New("read bucket policy: it is no object")
	}
	return mustJSON(members), nil
}

// bucketPolicy is a policy document in the form in which it is compared.
type bucketPolicy struct {
	version    string
	statements []bucketStatement
}

// bucketStatement is one statement. One with members that are not known here is odd: it is only ever equal to another of
// the same text, and is taken to apply to everything.
type bucketStatement struct {
	effect        string
	who, what, on names
	conditions    []bucketCondition
	odd           bool
	text          string // canonical, without its Sid
}

// names are the values of an element, or of its Not form: everything but them.
type names struct {
	not  bool
	list []string
}

// Effects and kinds of principals.
const (
	allow    = "Allow"
	deny     = "Deny"
	everyone = "*"
)

func parseBucketPolicy(document json.RawMessage) (bucketPolicy, error) {
	if len(document) == 0 {
		return bucketPolicy{}, nil
	}
	if len(document) > maxBucketPolicy {
		return bucketPolicy{}, errors.New("the policy is too large")
	}
	var raw struct {
		Version   string
		Statement json.RawMessage
	}
	if err := json.Unmarshal(document, &raw); err != nil {
		return bucketPolicy{}, fmt.Errorf("parse policy: %w", err)
	}
	var list []map[string]json.RawMessage
	if statement := bytes.TrimSpace(raw.Statement); len(statement) > 0 && statement[0] == '{' {
		raw.Statement = slices.Concat([]byte("["), statement, []byte("]"))
	}
	if err := json.Unmarshal(raw.Statement, &list); err != nil {
		return bucketPolicy{}, fmt.Errorf("parse policy: statements: %w", err)
	}
	p := bucketPolicy{version: raw.Version}
	for _, members := range list {
		p.statements = append(p.statements, parseBucketStatement(members))
	}
	return p, nil
}

func parseBucketStatement(members map[string]json.RawMessage) bucketStatement {
	delete(members, "Sid")
	s := bucketStatement{text: string(mustJSON(members))}
	fail := func(err error) { s.odd = s.odd || err != nil }
	for _, name := range slices.Sorted(maps.Keys(members)) {
		value, not := members[name], strings.HasPrefix(name, "Not")
		switch name {
		case "Effect":
			fail(json.Unmarshal(value, &s.effect))
		case "Principal", "NotPrincipal":
			fail(s.who.set(not, value, principalNames))
		case "Action", "NotAction":
			fail(s.what.set(not, value, actionNames))
		case "Resource", "NotResource":
			fail(s.on.set(not, value, textList))
		case "Condition":
			var err error
			s.conditions, err = parseBucketConditions(value)
			fail(err)
		default:
			s.odd = true
		}
	}
	s.odd = s.odd || s.effect != allow && s.effect != deny || s.who.list == nil || s.what.list == nil || s.on.list == nil
	return s
}

var errTwice = errors.New("the element is there twice")

func (n *names) set(not bool, value json.RawMessage, read func(json.RawMessage) ([]string, error)) error {
	if n.list != nil {
		return errTwice
	}
	list, err := read(value)
	*n = names{not, sorted(list)}
	return err
}

// textList reads a list that may be written as its only element.
func textList(value json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(value, &one) == nil {
		return []string{one}, nil
	}
	var list []string
	err := json.Unmarshal(value, &list)
	return list, err
}

// actionNames are in lower case, for IAM does not tell the cases of actions apart.
func actionNames(value json.RawMessage) ([]string, error) {
	list, err := textList(value)
	for i := range list {
		list[i] = strings.ToLower(list[i])
	}
	return list, err
}

// principalNames spells principals as "kind:name". Everyone is "*" however it is written, and an account is its id.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
func principalNames(value json.RawMessage) ([]string, error) {
	var one string
	if json.Unmarshal(value, &one) == nil {
		return []string{one}, nil
	}
	var kinds map[string]json.RawMessage
	if err := json.Unmarshal(value, &kinds); err != nil {
		return nil, err
	}
	var out []string
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		list, err := textList(kinds[kind])
		if err != nil {
			return nil, err
		}
		for _, name := range list {
			out = append(out, principalName(kind, name))
		}
	}
	return out, nil
}

func principalName(kind, name string) string {
	if kind == "AWS" {
		if name == everyone {
			return everyone
		}
		if p, err := arn.Parse(name); err == nil && p.Service == "iam" && p.Resource == "root" {
			name = p.AccountID
		}
	}
	return kind + ":" + name
}

// within reports whether n is certainly a part of other, by a comparison of two names.
func (n names) within(other names, isWithin func(p, q string) bool) bool {
	switch {
	case n.not && other.not: // everything but n.list is in everything but other.list when that is no larger
		return other.allIn(n, isWithin)
	case n.not:
		return slices.Contains(other.list, everyone)
	case other.not:
		return false
	}
	return n.allIn(other, isWithin)
}

func (n names) allIn(other names, isWithin func(p, q string) bool) bool {
	return !slices.ContainsFunc(n.list, func(p string) bool {
		return !slices.ContainsFunc(other.list, func(q string) bool { return isWithin(p, q) })
	})
}

// principalWithin compares principals. Nothing but everyone contains another: an account that is named gives its
// principals nothing by itself.
func principalWithin(p, q string) bool { return p == q || q == everyone }

// within reports whether s certainly applies only where other does.
func (s bucketStatement) within(other bucketStatement) bool {
	if s.text == other.text {
		return true
	}
	return s.effect == other.effect && !s.odd && !other.odd && s.who.within(other.who, principalWithin) &&
		s.what.within(other.what, globWithin) && s.on.within(other.on, globWithin) && impliesAll(s.conditions, other.conditions)
}

// isForNobody reports whether a statement allows something to principals that were deleted, and to nobody else: AWS shows
// the unique id of such a one instead of its ARN, and nobody can have that again.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
func (s bucketStatement) isForNobody() bool {
	return s.effect == allow && !s.odd && !s.who.not && !slices.ContainsFunc(s.who.list, func(name string) bool { return !deletedPrincipal.MatchString(name) })
}

var deletedPrincipal = regexp.MustCompile(`^AWS:A[A-Z]{3}[A-Z0-9]{12,}$`)

// maxBucketAtoms bounds what one statement is cut into; one with more stays whole.
const maxBucketAtoms = 1024

// atoms cuts a statement so that several others may cover it together: by principal, action and resource.
func (s bucketStatement) atoms() []bucketStatement {
	if s.odd || len(s.who.cut())*len(s.what.cut())*len(s.on.cut()) > maxBucketAtoms {
		return []bucketStatement{s}
	}
	var out []bucketStatement
	for _, who := range s.who.cut() {
		for _, what := range s.what.cut() {
			for _, on := range s.on.cut() {
				one := s
				one.who, one.what, one.on = who, what, on
				out = append(out, one)
			}
		}
	}
	return out
}

func (n names) cut() []names {
	if n.not {
		return []names{n}
	}
	out := make([]names, 0, len(n.list))
	for _, name := range n.list {
		out = append(out, names{list: []string{name}})
	}
	return out
}

// uncovered returns the statements of an effect that have something which none of other covers.
func (p bucketPolicy) uncovered(effect string, other bucketPolicy) []bucketStatement {
	var out []bucketStatement
	for _, s := range p.statements {
		isCovered := func(one bucketStatement) bool {
			return one.isForNobody() || slices.ContainsFunc(other.statements, one.within)
		}
		if (s.effect == effect || s.odd) && !isCovered(s) && slices.ContainsFunc(s.atoms(), func(a bucketStatement) bool { return !isCovered(a) }) {
			out = append(out, s)
		}
	}
	return out
}
