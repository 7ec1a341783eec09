// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/policy"
)

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"nothing", "", "1:1: not JSON: the JSON text ends inside a value"},
		{"no JSON", "{\n  \"Statement\": nonsense\n}", "2:17: not JSON: found 'o', want null"},
		{"cut off", "{\"Statement\":[", "1:15: not JSON: the JSON text ends inside a value"},
		{"more after the end", "{\"Statement\":[]}\n}", "2:1: not JSON: more after the document's end"},
		{"a list", "[]", "1:1: not a policy: no JSON object"},
		{"no Statement", "\n {\"Version\":\"2012-10-17\"}", "2:2: not a policy: no Statement"},
		{"Statement in other letters", "{\"statement\":[]}", "1:1: not a policy: no Statement"},
		{"Statement is a text", "{\"Statement\":\"Allow\"}", "1:14: not a policy: Statement is neither an object nor a list"},
		{"no Effect", "{\"Statement\":[\n{\"Effect\":\"Deny\"},\n  {\"Principal\":\"*\"}]}", "3:3: statement 1 has no Effect"},
		{"a statement is a text", "{\"Statement\":[\"Allow\"]}", "1:15: statement 0 has no Effect"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := policy.Parse([]byte(c.text))
			if err == nil || err.Error() != c.want {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

// TestParseTakesTheWorse: what AWS would refuse is read as if it restricted nobody, with a warning that shows it.
func TestParseTakesTheWorse(t *testing.T) {
	const closed = "\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}"
	for _, c := range []struct {
		name, statement string
		isPublic        bool
		warning         string
	}{
		{"nothing odd", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\"," + closed, false, ""},
		{"Effect twice", "\"Effect\":\"Allow\",\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\"", true, "\"Effect\" is there twice"},
		{"Condition twice", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\"," + closed + "," + closed, true, "\"Condition\" is there twice"},
		{"Principal twice", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Principal\":{\"AWS\":\"111122223333\"},\"Action\":\"s3:*\"", true, "\"Principal\" is there twice"},
		{"kind twice", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"*\",\"AWS\":\"111122223333\"},\"Action\":\"s3:*\"", true, "\"AWS\" is there twice"},
		{"key twice", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\",\"aws:SourceVpc\":\"vpc-1\"}}", true, "\"aws:SourceVpc\" is there twice"},
		{"Cyrillic A in Effect", "\"Effect\":\"\u0410llow\",\"Principal\":\"*\",\"Action\":\"s3:*\"", true, "Effect \"\\u0410llow\" is neither Allow nor Deny"},
		{"Cyrillic o in Condition", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"C\u043endition\":{}", true, "unknown element \"C\\u043endition\""},
		{"Cyrillic o in an operator", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Condition\":{\"StringEq\u0443als\":{\"aws:SourceVpc\":\"vpc-1\"}}", true, "unknown operator \"StringEq\\u0443als\""},
		{"Cyrillic a in a key", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Condition\":{\"StringEquals\":{\"\u0430ws:SourceVpc\":\"vpc-1\"}}", true, "unknown condition key \"\\u0430ws:SourceVpc\""},
		{"fullwidth account", "\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"\uff11\uff11\uff11\uff11\uff12\uff12\uff12\uff12\uff13\uff13\uff13\uff13\"},\"Action\":\"s3:*\"", true, "has letters that AWS does not use"},
		{"escaped asterisk", "\"Effect\":\"Allow\",\"Principal\":\"\\u002a\",\"Action\":\"s3:*\"", true, ""},
		{"Action and NotAction", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"NotAction\":\"s3:*\"", true, "an element and its Not element"},
		{"no Action", "\"Effect\":\"Allow\",\"Principal\":\"*\"", true, "has no Action"},
		{"Action is a number", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":{}", true, "Action is neither a text nor a list of texts"},
		{"no Principal", "\"Effect\":\"Allow\",\"Action\":\"s3:*\"", false, "names no Principal"},
		{"Principal is null", "\"Effect\":\"Allow\",\"Principal\":null,\"Action\":\"s3:*\"", false, "names no Principal"},
		{"empty Principal", "\"Effect\":\"Allow\",\"Principal\":\"\",\"Action\":\"s3:*\"", false, "empty principal"},
		{"bare list of principals", "\"Effect\":\"Allow\",\"Principal\":[\"111122223333\"],\"Action\":\"s3:*\"", false, "Principal has no kind"},
		{"unknown element", "\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"StatementId\":\"x\"," + closed, false, "unknown element \"StatementId\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := parse(t, "{\"Statement\":{"+c.statement+"},\"Version\":\"2012-10-17\"}")
			if p.IsPublic() != c.isPublic {
				t.Errorf("public: %v", p.IsPublic())
			}
			var all []string
			for _, w := range p.Warnings {
				all = append(all, w.String())
			}
			if text := strings.Join(all, "\n"); !strings.Contains(text, c.warning) || (text == "") != (c.warning == "") {
				t.Errorf("warnings %q, want %q", text, c.warning)
			}
		})
	}
}

// TestOddDenyIsNoDeny: nobody may rely on a Deny that AWS might read in another way.
func TestOddDenyIsNoDeny(t *testing.T) {
	for _, deny := range []string{
		"\"Effect\":\"deny\",\"Principal\":\"*\",\"Action\":\"*\"",
		"\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Action\":\"*\"",
		"\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"NoSuch\":{\"aws:SourceVpc\":\"vpc-1\"}}",
		"\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"nobody\"},\"Action\":\"*\"",
	} {
		p := parse(t, "{\"Version\":\"2012-10-17\",\"Statement\":[{"+deny+"},{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\"}]}")
		d := p.Evaluate(policy.Request{Principal: policy.Caller(roleA), Action: "s3:GetObject"})
		if d.Effect != policy.Allow || d.Statement != 1 || len(d.Doubts) != 1 {
			t.Errorf("%s: %+v", deny, d)
		}
	}
}

func TestWarningsAreBounded(t *testing.T) {
	p := parse(t, "{\"Statement\":["+repeat(1000, func(int) string { return "{\"Effect\":\"Allow\"}" })+"]}")
	if got := len(p.Warnings); got == 0 || got > 100 {
		t.Errorf("%d warnings", got)
	}
	long := parse(t, allow("\"Action\":\"*\",\""+strings.Repeat("\u202e", 10_000)+"\":1"))
	if text := long.Warnings[0].String(); len(text) > 1000 || strings.Contains(text, "\u202e") {
		t.Errorf("a warning of %d bytes: %.300q", len(text), text)
	}
}

func TestParseKeepsWhatIsWritten(t *testing.T) {
	p := parse(t, "{\"Version\":\"2012-10-17\",\"Id\":\"records\",\"Statement\":\n[{\"Sid\":\"Read\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"111122223333\"},\n\"Action\":\"S3:GetObject\",\"Resource\":\"*\",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":true},\"NumericLessThan\":{\"s3:max-keys\":10}}}]}")
	s := p.Statements[0]
	got := []any{p.Version, p.ID, s.Sid, s.Line, s.Effect, s.Principals[0].Value, s.Actions, s.Resources, s.NotActions == nil, s.Conditions[0].String(), s.Conditions[1].Values}
	want := []any{"2012-10-17", "records", "Read", 2, policy.Allow, "111122223333", []string{"S3:GetObject"}, []string{"*"}, true, "Bool aws:SecureTransport true", []string{"10"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTrust(t *testing.T) {
	for _, c := range []struct {
		value string
		isOdd bool
	}{
		{"111122223333", false},
		{"o-a1b2c3d4e5", false},
		{"o-a1b2c3d4e5/r-ab12/ou-ab12-prod", false},
		{"vpc-1a2b3c4d", false},
		{"vpce-1a2b3c4d", false},
		{"cognito-identity.amazonaws.com", false},
		{"arn:aws:iam::111122223333:role/reader", false},
		{"arn:aws:iam::111122223333:role/team/*", false},
		{"AIDACKCEVSQ6C2EXAMPLE", false},
		{"AROA*", false},
		{"*", true},
		{"", true},
		{"1111", true},
		{"o-*", true},
		{"arn:aws:iam::*:role/reader", true},
		{"arn:aws:iam::111122223333:*", false},
		{"A*", true},
		{"everybody", true},
		{"c\u043egnito-identity.amazonaws.com", true},
	} {
		if _, odd := policy.ParseTrust([]string{c.value}); (len(odd) > 0) != c.isOdd {
			t.Errorf("%q odd: %v", c.value, odd)
		}
	}
}

// TestTrustOpensNothing: whatever is trusted, public stays public.
func TestTrustOpensNothing(t *testing.T) {
	trust, _ := policy.ParseTrust([]string{"*", "111122223333", "o-ours123456", "A*", "graph.facebook.com"})
	for _, c := range readTruths(t) {
		p := parse(t, c.document(t))
		if v := p.Judge(policy.Options{Trust: trust, Account: "111122223333"}); v.IsPublic != strings.HasPrefix(c.verdict, "public") || v.IsPublic && v.IsSafe() {
			t.Errorf("%s: public %v", c.statement, v.IsPublic)
		}
	}
}

// TestPublicIsContagious: one public statement makes its policy public, whatever stands beside it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-example
func TestPublicIsContagious(t *testing.T) {
	var all []string
	for _, c := range readTruths(t) {
		document := c.document(t)
		all = append(all, strings.TrimSuffix(document[strings.Index(document, "[")+1:strings.LastIndex(document, "]")], "\n"))
	}
	for i, c := range readTruths(t) {
		p := parse(t, "{\"Version\":\"2012-10-17\",\"Statement\":["+all[i]+","+all[len(all)-1]+",{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\"}]}")
		if want := strings.HasPrefix(c.verdict, "public"); p.IsPublic() != want {
			t.Errorf("%s: public %v", c.statement, !want)
		}
	}
}
