// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// What CloudTrail does in a bucket, and what readers do there. A pattern's own wildcards count as characters here.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
var (
	deliveryActions = []string{"s3:getbucketacl", "s3:putobject"}
	readingActions  = []string{"s3:getobject", "s3:getobjectversion", "s3:listbucket"}
)

// noteNotAllowed is the note of a policy that lets CloudTrail write no longer.
const noteNotAllowed = "CloudTrail is no longer allowed to deliver"

// bucketPolicy compares the policies by what they certainly say. What CloudTrail needs must be allowed as before, and no
// new Deny may be in its way, or in that of readers; nothing may be allowed that was not; every Deny must still be there.
func (w *weakening) bucketPolicy(want, have Bucket) {
	if string(want.Policy) == string(have.Policy) {
		return
	}
	say := func(note string) { w.add(FieldBucketPolicy, policyText(want.Policy), policyText(have.Policy), note) }
	old, err := parseBucketPolicy(want.Policy)
	if err != nil {
		say("the policy was changed: the former one cannot be compared (" + brief(err.Error()) + ")")
		return
	}
	now, err := parseBucketPolicy(have.Policy)
	if err != nil {
		say("the policy was changed: it cannot be read (" + brief(err.Error()) + ")")
		return
	}
	if old.version != now.version && (strings.Contains(string(want.Policy), "${") || strings.Contains(string(have.Policy), "${")) {
		say("the policy was changed: its variables mean something else by its version")
	}
	service := "Service:" + arn.ServiceHost("cloudtrail")
	if len(old.delivery(service).uncovered(allow, now)) > 0 {
		say(noteNotAllowed)
	}
	var stopping, hiding []bucketStatement
	for _, s := range now.uncovered(deny, old) {
		switch {
		case old.isDelivering(s, service):
			stopping = append(stopping, s)
		case old.isRead(s, have):
			hiding = append(hiding, s)
		}
	}
	for _, found := range []struct {
		note string
		list []bucketStatement
	}{
		{"a new Deny may stop CloudTrail's delivery", stopping},
		{"a new Deny may stop readers of log files", hiding},
		{"newly allowed, or not provably narrower than before", now.uncovered(allow, old)},
		{"no longer denied, or not provably so", old.uncovered(deny, now)},
	} {
		if len(found.list) > 0 {
			say(found.note + ": " + statementTexts(found.list))
		}
	}
}

func statementTexts(list []bucketStatement) string {
	texts := make([]string, 0, len(list))
	for _, s := range list {
		texts = append(texts, s.text)
	}
	return brief(joinSome(texts))
}

func policyText(document []byte) string {
	if len(document) == 0 {
		return "none"
	}
	return string(document)
}

// delivery is what the policy allows to CloudTrail by name and CloudTrail needs.
func (p bucketPolicy) delivery(service string) bucketPolicy {
	var out bucketPolicy
	for _, s := range p.statements {
		if s.odd || s.effect != allow || s.who.not || !slices.Contains(s.who.list, service) {
			continue
		}
		s.who, s.text = names{list: []string{service}}, ""
		for _, action := range deliveryActions {
			if s.what.may(action, globWithin) {
				one := s
				one.what = names{list: []string{action}}
				out.statements = append(out.statements, one)
			}
		}
	}
	return out
}

// may reports whether n takes what may also be named p, by a comparison of two names.
func (n names) may(p string, meets func(p, q string) bool) bool {
	return slices.ContainsFunc(n.list, func(q string) bool { return meets(p, q) }) != n.not
}

// mayTake reports whether n may take a resource of the pattern.
func (n names) mayTake(pattern string) bool {
	if n.not { // something of the pattern is left unless one of the names takes all of it
		return n.may(pattern, globWithin)
	}
	return n.may(pattern, func(p, q string) bool { return strings.Contains(q, "${") || globsMeet(p, q) })
}

// isDelivering reports whether a Deny may apply to what p lets CloudTrail do.
func (p bucketPolicy) isDelivering(d bucketStatement, service string) bool {
	for _, s := range p.delivery(service).statements {
		if d.odd || d.who.may(service, principalWithin) && d.what.may(s.what.list[0], globWithin) &&
			slices.ContainsFunc(s.on.list, d.on.mayTake) && deliveryRequest(s).mayMeet(d.conditions) {
			return true
		}
	}
	return false
}

// deliveryRequest is what is known of the requests that a statement lets CloudTrail make.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func deliveryRequest(s bucketStatement) request {
	r := request{
		"aws:securetransport": {"true"}, "aws:principalisawsservice": {"true"}, "aws:viaawsservice": {"false"},
		"aws:principalservicename": {arn.ServiceHost("cloudtrail")}, "s3:x-amz-acl": {"bucket-owner-full-control"},
		"aws:principalarn": nil, "aws:principalaccount": nil, "aws:principalorgid": nil, "aws:username": nil,
		"aws:sourcevpc": nil, "aws:sourcevpce": nil, "aws:multifactorauthpresent": nil,
	}
	for _, c := range s.conditions {
		o := c.operation()
		isExact := !slices.ContainsFunc(c.values, func(v string) bool { return strings.ContainsAny(v, "*?$") })
		if c.key != "aws:sourcearn" || o.negated || o.ifExists || !isExact {
			continue
		}
		r["aws:sourcearn"] = c.values
		for _, v := range c.values {
			if p, err := arn.Parse(v); err == nil {
				r["aws:sourceaccount"] = append(r["aws:sourceaccount"], p.AccountID)
			}
		}
	}
	return r
}

// isRead reports whether a Deny may keep from the log files whoever reads them: everybody in the bucket's account, or a
// principal that p names.
func (p bucketPolicy) isRead(d bucketStatement, b Bucket) bool {
	if d.odd {
		return true
	}
	readers := []string{"AWS:" + b.Owner}
	for _, s := range p.statements {
		if s.effect == allow && !s.who.not {
			readers = append(readers, s.who.list...)
		}
	}
	bucket := string(arn.Bucket(b.Region, b.Name))
	from := request{
		"aws:securetransport": {"true"}, "aws:principalisawsservice": {"false"}, "aws:principalservicename": nil,
		"aws:principalaccount": {b.Owner}, "aws:sourcearn": nil, "aws:sourceaccount": nil,
	}
	return slices.ContainsFunc(readers, func(who string) bool { return d.who.may(who, principalWithin) }) &&
		slices.ContainsFunc(readingActions, func(action string) bool { return d.what.may(action, globWithin) }) &&
		(d.on.mayTake(bucket) || d.on.mayTake(bucket+"/*")) && from.mayMeet(d.conditions)
}
