// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"testing"

	"github.com/switchback-project/switchback/internal/policy"
)

// TestEvaluate asks of one statement each; decisions among several are compared with the oracle.
func TestEvaluate(t *testing.T) {
	const session = "arn:aws:sts::111122223333:assumed-role/A/alice"
	type context = policy.Context
	for _, c := range []struct {
		name, statement string
		request         policy.Request
		want            policy.Effect
	}{
		{"action in other letters", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"S3:getobject\"", policy.Request{Action: "s3:GetObject"}, policy.Allow},
		{"question mark", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:?etObject\"", policy.Request{Action: "s3:GetObject"}, policy.Allow},
		{"resource in other letters", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::B/*\"", policy.Request{Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x"}, ""},
		{"no resource asked for", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::B/*\"", policy.Request{Action: "s3:GetObject"}, policy.Allow},
		{"role of a session", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" + roleA + "\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(session)}, policy.Allow},
		{"role with a path, named by the caller", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::111122223333:role/team/A\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(session, "arn:aws:iam::111122223333:role/team/A")}, policy.Allow},
		{"the session itself", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" + session + "\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(session)}, policy.Allow},
		{"another session", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" + session + "2\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(session)}, ""},
		{"principal ARN of a session is the role's", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"ArnEquals\":{\"aws:PrincipalArn\":\"" + roleA + "\"}}", policy.Request{Principal: policy.Caller(session)}, policy.Allow},
		{"unique id", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"AROADBQP57FF2AEXAMPLE\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(roleA, "AROADBQP57FF2AEXAMPLE")}, policy.Allow},
		{"unique id of one who was deleted", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"AROADBQP57FF2AEXAMPLE\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(roleA)}, ""},
		{"canonical user", "\"Effect\":\"Allow\",\"Principal\":{\"CanonicalUser\":\"79a59df9\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(roleA, "79a59df9")}, policy.Allow},
		{"service", "\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudtrail.amazonaws.com\"},\"Action\":\"*\"", policy.Request{Principal: policy.ServiceCaller("cloudtrail.amazonaws.com")}, policy.Allow},
		{"service is no account", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111122223333\"},\"Action\":\"*\"", policy.Request{Principal: policy.ServiceCaller("cloudtrail.amazonaws.com")}, ""},
		{"every service", "\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"*\"},\"Action\":\"*\"", policy.Request{Principal: policy.Caller(roleA)}, ""},
		{"anonymous", "\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalAccount\":\"anonymous\"}}", policy.Request{}, policy.Deny},
		{"no principal in a resource policy", "\"Effect\":\"Allow\",\"Action\":\"*\"", policy.Request{Principal: policy.Caller(roleA)}, ""},
		{"no principal in an identity policy", "\"Effect\":\"Allow\",\"Action\":\"*\"", policy.Request{Principal: policy.Caller(roleA), IsIdentityPolicy: true}, policy.Allow},
		{"key in other letters", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringEquals\":{\"AWS:sourcevpc\":\"vpc-1\"}}", policy.Request{Context: context{"aws:SourceVpc": {"vpc-1"}}}, policy.Allow},
		{"variable", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/${aws:username}/*\"", policy.Request{Resource: "arn:aws:s3:::b/alice/x", Context: context{"aws:username": {"alice"}}}, policy.Allow},
		{"variable without value", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/${aws:username}/*\"", policy.Request{Resource: "arn:aws:s3:::b/alice/x"}, ""},
		{"variable with default", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/${aws:username, 'guest'}/*\"", policy.Request{Resource: "arn:aws:s3:::b/guest/x"}, policy.Allow},
		{"value is no pattern", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/${aws:username}/*\"", policy.Request{Resource: "arn:aws:s3:::b/alice/x", Context: context{"aws:username": {"*"}}}, ""},
		{"value with a star fits itself", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/${aws:username}/*\"", policy.Request{Resource: "arn:aws:s3:::b/*/x", Context: context{"aws:username": {"*"}}}, policy.Allow},
		{"literal star", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringLike\":{\"s3:prefix\":\"a${*}\"}}", policy.Request{Context: context{"s3:prefix": {"ab"}}}, ""},
		{"literal star fits itself", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringLike\":{\"s3:prefix\":\"a${*}\"}}", policy.Request{Context: context{"s3:prefix": {"a*"}}}, policy.Allow},
		{"variable in a condition", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringEquals\":{\"s3:prefix\":\"${aws:PrincipalAccount}\"}}", policy.Request{Principal: policy.Caller(roleA), Context: context{"s3:prefix": {"111122223333"}}}, policy.Allow},
		{"ARN fields", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"ArnLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:alarm\"}}", policy.Request{Context: context{"aws:SourceArn": {"arn:aws:sns:eu-west-1:111122223333:alarm"}}}, ""},
		{"text across ARN fields", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringLike\":{\"aws:SourceArn\":\"arn:aws:sns:*:alarm\"}}", policy.Request{Context: context{"aws:SourceArn": {"arn:aws:sns:eu-west-1:111122223333:alarm"}}}, policy.Allow},
		{"seconds since 1970", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"DateLessThan\":{\"aws:EpochTime\":\"2026-11-23\"}}", policy.Request{Context: context{"aws:EpochTime": {"1764000000"}}}, policy.Allow},
		{"IPv4 in IPv6", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":\"203.0.113.0/24\"}}", policy.Request{Context: context{"aws:SourceIp": {"::ffff:203.0.113.7"}}}, policy.Allow},
		{"binary", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"BinaryEquals\":{\"key:x\":\"QmluYXJ5\"}}", policy.Request{Context: context{"key:x": {"QmluYXJ5"}}}, policy.Allow},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, "{\"Version\":\"2012-10-17\",\"Statement\":{"+c.statement+"}}")
			if c.request.Action == "" {
				c.request.Action = "s3:GetObject"
			}
			got := p.Evaluate(c.request)
			if got.Effect != c.want || len(got.Doubts) > 0 || (got.Statement == 0) != (c.want != "") {
				t.Errorf("%+v, want %q", got, c.want)
			}
		})
	}
}

// TestVariablesNeedTheirVersion: without the Version of 2012 a variable is plain text.
func TestVariablesNeedTheirVersion(t *testing.T) {
	p := parse(t, "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"${aws:username}\"}}")
	context := policy.Context{"aws:username": {"alice"}}
	for resource, want := range map[string]policy.Effect{"alice": "", "${aws:username}": policy.Allow} {
		if got := p.Evaluate(policy.Request{Action: "s3:GetObject", Resource: resource, Context: context}); got.Effect != want {
			t.Errorf("%s: %+v", resource, got)
		}
	}
}

// TestDeliveriesKeepTheirAccess: what is asked before a policy is put in the place of another. The statements are those
// that AWS documents for deliveries into a bucket.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
// https://docs.aws.amazon.com/config/latest/developerguide/s3-bucket-policy.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html
// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-permissions.html
func TestDeliveriesKeepTheirAccess(t *testing.T) {
	const statements = `
{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"s3:*","Resource":["arn:aws:s3:::logs","arn:aws:s3:::logs/*"]},
{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111122223333/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}}},
{"Effect":"Allow","Principal":{"Service":"config.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111122223333/Config/*","Condition":{"StringEquals":{"AWS:SourceAccount":"111122223333"}}},
{"Effect":"Allow","Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111122223333/*"},
{"Effect":"Allow","Principal":{"Service":"delivery.logs.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::logs/AWSLogs/111122223333/*","Condition":{"ArnLike":{"aws:SourceArn":"arn:aws:logs:eu-west-1:111122223333:*"}}}`
	put := func(p policy.Principal, source string) policy.Request {
		return policy.Request{
			Principal: p, Action: "s3:PutObject", Resource: "arn:aws:s3:::logs/AWSLogs/111122223333/Config/x",
			Context: policy.Context{"aws:SourceArn": {source}, "aws:SourceAccount": {"111122223333"}, "s3:x-amz-acl": {"bucket-owner-full-control"}},
		}
	}
	requests := map[string]policy.Request{
		"administrator": put(policy.Caller("arn:aws:sts::111122223333:assumed-role/Administrator/alice"), ""),
		"cloudtrail":    put(policy.ServiceCaller("cloudtrail.amazonaws.com"), "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"),
		"config":        put(policy.ServiceCaller("config.amazonaws.com"), ""),
		"elb":           put(policy.ServiceCaller("logdelivery.elasticloadbalancing.amazonaws.com"), ""),
		"flow logs":     put(policy.ServiceCaller("delivery.logs.amazonaws.com"), "arn:aws:logs:eu-west-1:111122223333:source"),
	}
	good := parse(t, `{"Version":"2012-10-17","Statement":[`+statements+`]}`)
	hostile := parse(t, `{"Version":"2012-10-17","Statement":[`+statements+`,{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*"}]}`)
	for name, r := range requests {
		if d := good.Evaluate(r); d.Effect != policy.Allow {
			t.Errorf("%s: %+v", name, d)
		}
		if d := hostile.Evaluate(r); d.Effect != policy.Deny || d.Statement != 5 {
			t.Errorf("%s under a Deny of everything: %+v", name, d)
		}
	}
	foreign := requests["cloudtrail"]
	foreign.Context = policy.Context{"aws:SourceArn": {"arn:aws:cloudtrail:eu-west-1:444455556666:trail/theirs"}, "s3:x-amz-acl": {"bucket-owner-full-control"}}
	if d := good.Evaluate(foreign); d.Effect != "" || d.Statement != -1 {
		t.Errorf("another's trail: %+v", d)
	}
}
