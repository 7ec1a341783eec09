// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/trail"
)

// Notes of differences in policies, by what they begin with.
const (
	undelivered = "CloudTrail is no longer allowed"
	stopping    = "a new Deny may stop CloudTrail"
	hiding      = "a new Deny may stop readers"
	allowed     = "newly allowed"
	undenied    = "no longer denied"
	odd         = "the policy was changed"
)

// edit puts other texts into a statement.
func edit(statement string, pairs ...string) string {
	return strings.NewReplacer(pairs...).Replace(statement)
}

// denial is a Deny of everything to everybody under a condition.
func denial(action, condition string) string {
	return `{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":["` + logBucket + `","` + logBucket + `/*"],"Condition":` + condition + `}`
}

func TestWeakenedBucketPolicy(t *testing.T) {
	all := policy(aclCheck, write, reader, hardening)
	for _, tc := range []struct {
		name, want, have string
		notes            []string
	}{
		{"the same", all, all, nil},
		{"the same in another order and spelling", all, policy(hardening, edit(reader, "s3:GetObject", "S3:getobject"), edit(write, `"s3:PutObject"`, `["s3:PutObject"]`, "aws:SourceArn", "AWS:SourceARN"), edit(aclCheck, "AWSCloudTrailAclCheck20150319", "other")), nil},
		{"split into several", all, policy(aclCheck, write, edit(reader, `["s3:GetObject","s3:ListBucket"]`, `"s3:GetObject"`), edit(reader, `["s3:GetObject","s3:ListBucket"]`, `"s3:ListBucket"`),
			edit(hardening, `"s3:DeleteObject*",`, ""), edit(hardening, `,"s3:PutLifecycleConfiguration","s3:DeleteBucket"`, "")), nil},
		{"a reader less", all, policy(aclCheck, write, hardening), nil},
		{"a reader that was deleted", all, policy(aclCheck, write, edit(reader, "arn:aws:iam::111122223333:role/siem", "AROAIOSFODNN7EXAMPLE"), hardening), nil},
		{"only readers that were deleted", all, policy(aclCheck, write, edit(reader, `["arn:aws:iam::111122223333:role/siem","arn:aws:iam::111122223333:role/audit"]`, `"AIDAIOSFODNN7EXAMPLE"`), hardening), nil},
		{"hardened", policy(aclCheck, write, reader), all, nil},
		{"hardened by TLS", all, policy(aclCheck, write, reader, hardening, tls), nil},
		{"an account by its id", policy(edit(reader, `["arn:aws:iam::111122223333:role/siem","arn:aws:iam::111122223333:role/audit"]`, `"111122223333"`)),
			policy(edit(reader, `["arn:aws:iam::111122223333:role/siem","arn:aws:iam::111122223333:role/audit"]`, `"arn:aws:iam::111122223333:root"`)), nil},
		{"everybody, spelled otherwise", all, policy(aclCheck, write, reader, edit(hardening, `"Principal":"*"`, `"Principal":{"AWS":"*"}`)), nil},
		{"wider allow for CloudTrail alone", all, policy(edit(aclCheck, "s3:GetBucketAcl", "s3:*", logBucket+`"`, logBucket+`*"`), reader, hardening), []string{allowed}},
		{"one statement for both actions", policy(aclCheck, write), policy(`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["s3:PutObject","s3:GetBucketAcl"],"Resource":["` + logBucket + `","` + logBucket + `/*"]}`), []string{allowed}},

		{"no write", all, policy(aclCheck, reader, hardening), []string{undelivered}},
		{"no check", all, policy(write, reader, hardening), []string{undelivered}},
		{"another prefix", all, policy(aclCheck, edit(write, "AWSLogs", "x/AWSLogs"), reader, hardening), []string{undelivered, allowed}},
		{"another trail", all, policy(aclCheck, edit(write, "trail/main", "trail/other"), reader, hardening), []string{undelivered, allowed}},
		{"another service", all, policy(aclCheck, edit(write, "cloudtrail.amazonaws.com", "config.amazonaws.com"), reader, hardening), []string{undelivered, allowed}},
		{"a condition more", all, policy(aclCheck, edit(write, `"StringEquals":{`, `"StringEquals":{"aws:RequestedRegion":"eu-west-1",`), reader, hardening), []string{undelivered}},

		{"denied to everybody", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"`+logBucket+`/*"}`), []string{stopping}},
		{"denied to all but a role", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","NotPrincipal":{"AWS":"arn:aws:iam::111122223333:role/x"},"NotAction":"s3:GetObject","Resource":"*"}`), []string{stopping}},
		{"denied to all but CloudTrail", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","NotPrincipal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"`+logBucket+`/*"}`), nil},
		{"denied in another folder", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"`+logBucket+`/other/*"}`), nil},
		{"denied by a pattern that meets", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":"*","Action":"s3:Put*","Resource":"arn:aws:s3:::*/*/CloudTrail/eu-west-1/*"}`), []string{stopping}},
		{"denied but for other resources", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","NotResource":"`+logBucket+`/AWSLogs/*"}`), nil},
		{"denied by organization, which services have none of", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)), []string{stopping}},
		{"denied by organization but for services", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"StringNotEquals":{"aws:PrincipalOrgID":"o-exampleorgid"},"Bool":{"aws:PrincipalIsAWSService":"false"}}`)), nil},
		{"denied by organization, if there is one", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"StringNotEqualsIfExists":{"aws:PrincipalOrgID":"o-exampleorgid"}}`)), []string{stopping}},
		{"denied where there is an organization", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"Null":{"aws:PrincipalOrgID":"false"}}`)), nil},
		{"denied to other trails", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"ArnNotEquals":{"aws:SourceArn":"`+trailARN+`"},"Bool":{"aws:PrincipalIsAWSService":"true"}}`)), nil},
		{"denied to our trail", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"ArnLike":{"aws:SourceArn":"arn:aws:cloudtrail:*:111122223333:trail/*"}}`)), []string{stopping}},
		{"denied without encryption, perhaps", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}`)), []string{stopping}},
		{"denied from other addresses", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}`)), []string{stopping}},
		{"denied by a variable", all, policy(aclCheck, write, reader, hardening, denial("s3:PutObject", `{"StringEquals":{"aws:SecureTransport":"${aws:username}"}}`)), []string{stopping}},

		{"reading denied to everybody", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":"*","Action":"s3:GetObject","Resource":"`+logBucket+`/*"}`), []string{hiding}},
		{"reading denied to the account", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*","Resource":"`+logBucket+`/*"}`), []string{hiding}},
		{"reading denied to a reader", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/siem"},"Action":"s3:List*","Resource":"`+logBucket+`"}`), []string{hiding}},
		{"reading denied to somebody", all, policy(aclCheck, write, reader, hardening, `{"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::111122223333:role/intern"},"Action":"s3:GetObject","Resource":"`+logBucket+`/*"}`), nil},
		{"reading denied to strangers", all, policy(aclCheck, write, reader, hardening, denial("s3:GetObject", `{"StringNotEquals":{"aws:PrincipalAccount":"111122223333"}}`)), nil},
		{"reading denied outside a network", all, policy(aclCheck, write, reader, hardening, denial("s3:GetObject", `{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}`)), []string{hiding}},

		{"public", all, policy(aclCheck, write, reader, hardening, edit(reader, `{"AWS":["arn:aws:iam::111122223333:role/siem","arn:aws:iam::111122223333:role/audit"]}`, `"*"`)), []string{allowed}},
		{"a principal more", all, policy(aclCheck, write, edit(reader, "role/audit", `role/audit","444455556666`), hardening), []string{allowed}},
		{"an action more", all, policy(aclCheck, write, edit(reader, "s3:GetObject", "s3:*Object"), hardening), []string{allowed}},
		{"a condition less", policy(aclCheck, write), policy(aclCheck, edit(write, `,"aws:SourceArn":"`+trailARN+`"`, "")), []string{allowed}},
		{"everything but", all, policy(aclCheck, write, edit(reader, `"Action"`, `"NotAction"`), hardening), []string{allowed}},
		{"hardening gone", all, policy(aclCheck, write, reader), []string{undenied}},
		{"hardening less", all, policy(aclCheck, write, reader, edit(hardening, `"s3:DeleteObject*"`, `"s3:DeleteObject"`)), []string{undenied}},
		{"hardening more", all, policy(aclCheck, write, reader, edit(hardening, `"s3:DeleteObject*"`, `"s3:Delete*"`)), nil},
		{"hardening with a hole", all, policy(aclCheck, write, reader, edit(hardening, "role/break-glass", `role/break-glass","arn:aws:iam::444455556666:role/evil`)), []string{undenied}},
		{"hardening for a part", all, policy(aclCheck, write, reader, edit(hardening, `"Condition":{`, `"Condition":{"Bool":{"aws:SecureTransport":"true"},`)), []string{undenied}},
		{"hardening for all but a few", policy(aclCheck, write, `{"Effect":"Deny","NotPrincipal":{"AWS":["111122223333","444455556666"]},"Action":"s3:DeleteObject","Resource":"*"}`),
			policy(aclCheck, write, `{"Effect":"Deny","NotPrincipal":{"AWS":"111122223333"},"Action":"s3:DeleteObject","Resource":"*"}`), nil},

		{"one statement, no list", policy(aclCheck), `{"Version":"2012-10-17","Statement":` + aclCheck + `}`, nil},
		{"a member nobody knows", policy(aclCheck), policy(edit(aclCheck, `"Effect"`, `"Until":"x","Effect"`)), []string{undelivered, stopping, allowed}},
		{"a version that changes variables", policy(aclCheck, edit(reader, logBucket+`/*`, logBucket+`/${aws:username}/*`)),
			edit(policy(aclCheck, edit(reader, logBucket+`/*`, logBucket+`/${aws:username}/*`)), "2012-10-17", "2008-10-17"), []string{odd}},
		{"no statements at all", policy(aclCheck), `{"Version":"2012-10-17"}`, []string{odd}},
		{"a policy where there was none", "", policy(reader), []string{allowed}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want, have := goodBucket(t), goodBucket(t)
			want.Policy, have.Policy = canonical(t, tc.want), canonical(t, tc.have)
			got := trail.WeakenedBucket(want, have)
			if len(got) != len(tc.notes) {
				t.Fatalf("differences are %+v, want %q", got, tc.notes)
			}
			for i, d := range got {
				if d.Field != trail.FieldBucketPolicy || !strings.HasPrefix(d.Note, tc.notes[i]) {
					t.Errorf("difference %d is %+v, want %q", i, d, tc.notes[i])
				}
			}
		})
	}
}

func TestCanonicalBucketPolicy(t *testing.T) {
	a, b := canonical(t, ` { "Statement":[ ],"Version" : "2012-10-17"}`), canonical(t, `{"Version":"2012-10-17","Statement":[]}`)
	if string(a) != string(b) {
		t.Errorf("%s and %s are the same policy", a, b)
	}
	for _, document := range []string{"{", "[]", `"x"`, "null", "{} {}", `{"a":"` + strings.Repeat("x", 64<<10) + `"}`} {
		if p, err := trail.CanonicalBucketPolicy(document); err == nil {
			t.Errorf("%.20s was taken as %.20s", document, p)
		}
	}
}

// FuzzWeakenedBucketPolicy: whatever an attacker writes, nothing panics, a policy is never weaker than itself, and a Deny
// for everybody of everything is always seen.
func FuzzWeakenedBucketPolicy(f *testing.F) {
	for _, s := range []string{policy(aclCheck, write, reader, hardening, tls), policy(), `{}`, `{"Statement":[{"Principal":{"AWS":[]},"Action":["s3:*?*"],"Condition":{"Bool":{"a":[true,1,null]}}}]}`, `{"Statement":[[],1,null]}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, document string) {
		p, err := trail.CanonicalBucketPolicy(document)
		if err != nil {
			return
		}
		same := trail.Bucket{Exists: true, Policy: p}
		if got := trail.WeakenedBucket(same, same); len(got) > 0 {
			t.Errorf("%s is weaker than itself: %+v", p, got)
		}
		good := trail.Bucket{Exists: true, Policy: canonical(t, policy(aclCheck, write))}
		trail.WeakenedBucket(good, same)
		trail.WeakenedBucket(same, good)
		var members map[string]any
		if json.Unmarshal(p, &members) != nil {
			return
		}
		members["Statement"] = []any{members["Statement"], map[string]any{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}}
		denying, err := json.Marshal(members)
		if err != nil {
			t.Fatal(err)
		}
		if got := trail.WeakenedBucket(good, trail.Bucket{Exists: true, Policy: denying}); len(got) == 0 {
			t.Errorf("%s keeps CloudTrail out, and is not weaker", denying)
		}
	})
}

// FuzzBucketPatterns holds what is said about two patterns to texts that they match: what is called narrower must be, and
// what is called apart must be.
func FuzzBucketPatterns(f *testing.F) {
	for _, pair := range [][2]string{{"a/*", "a/b*"}, {"*", "?"}, {"a?c*", "a*c"}, {"*a*b", "*b*a"}, {"x**y", "x*?*y"}, {"", "*"}, {"??*", "*??"}, {"a*a", "aa*a"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, p, q string) {
		if len(p)+len(q) > 40 || strings.Trim(p+q, "ab?*") != "" {
			return
		}
		resource := func(pattern string) string { return edit(reader, logBucket+"/*", logBucket+"/"+pattern) }
		want, have := goodBucket(t), goodBucket(t)
		want.Policy, have.Policy = canonical(t, policy(resource(q))), canonical(t, policy(resource(p)))
		isNarrower := len(trail.WeakenedBucket(want, have)) == 0

		deliver := edit(write, "AWSLogs/111122223333/*", q)
		want.Policy = canonical(t, policy(deliver))
		have.Policy = canonical(t, policy(deliver, `{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"`+logBucket+"/"+p+`"}`))
		isApart := len(trail.WeakenedBucket(want, have)) == 0

		isMatch := matcher(q)
		for _, text := range expansions(p) {
			if isNarrower && !isMatch(text) {
				t.Errorf("%q is called narrower than %q, but %q is only in the first", p, q, text)
			}
			if isApart && isMatch(text) {
				t.Errorf("%q and %q are called apart, but %q is in both", p, q, text)
			}
		}
	})
}

func matcher(pattern string) func(string) bool {
	form := "^" + strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(regexp.QuoteMeta(pattern)) + "$"
	return regexp.MustCompile(form).MatchString
}

// expansions are some texts that a pattern matches.
func expansions(pattern string) []string {
	var out []string
	for _, star := range []string{"", "a", "b", "ab", "bab"} {
		for _, one := range []string{"a", "b"} {
			out = append(out, strings.NewReplacer("*", star, "?", one).Replace(pattern))
		}
	}
	return out
}
