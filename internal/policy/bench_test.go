// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/policy"
)

// manyStatements is a policy of so many statements, as a busy bucket has them.
func manyStatements(n int, extra string) string {
	var b strings.Builder
	b.WriteString("{\"Version\":\"2012-10-17\",\"Statement\":[")
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "{\"Sid\":\"S%d\",\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::%012d:role/reader%s\"},\"Action\":[\"s3:GetObject\",\"s3:List*\"],"+
			"\"Resource\":[\"arn:aws:s3:::records/team%d/*\"],\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-%d\"}}}", i, 111122220000+i%50, extra, i, i%20)
	}
	b.WriteString("]}")
	return b.String()
}

// ofSize is the largest such policy within 20 KB, S3's limit.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/example-bucket-policies.html
func ofSize(tb testing.TB) []byte {
	n := 1
	for len(manyStatements(n+1, "")) <= 20<<10 {
		n++
	}
	if n < 50 {
		tb.Fatalf("only %d statements", n)
	}
	return []byte(manyStatements(n, ""))
}

func BenchmarkCheck20KB(b *testing.B) {
	text := ofSize(b)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		p, err := policy.Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		if v := p.Judge(policy.Options{Account: "111122223333"}); len(v.External) < 40 {
			b.Fatal(len(v.External))
		}
	}
}

func BenchmarkWidens100Statements(b *testing.B) {
	for _, c := range []struct{ name, extra string }{{"same", ""}, {"all other", "2"}} {
		b.Run(c.name, func(b *testing.B) {
			before, after := []byte(manyStatements(100, "")), []byte(manyStatements(100, c.extra))
			b.ReportAllocs()
			for b.Loop() {
				if got := len(parse(b, string(after)).Widens(parse(b, string(before)))); (got > 0) != (c.extra != "") {
					b.Fatal(got)
				}
			}
		})
	}
}

func BenchmarkEvaluate(b *testing.B) {
	p := parse(b, string(ofSize(b)))
	r := policy.Request{Principal: policy.Caller("arn:aws:iam::999999999999:role/other"), Action: "s3:GetObject", Resource: "arn:aws:s3:::records/team1/a"}
	b.ReportAllocs()
	for b.Loop() {
		if p.Evaluate(r).Effect != "" {
			b.Fatal("allowed")
		}
	}
}
