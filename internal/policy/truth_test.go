// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/policy"
)

// truth is one line of testdata/truth.txt.
type truth struct{ page, verdict, statement string }

func readTruths(t *testing.T) []truth {
	t.Helper()
	text, err := os.ReadFile("testdata/truth.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all []truth
	page := ""
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if heading, ok := strings.CutPrefix(line, "# "); ok {
			page = heading
		}
		if verdict, statement, ok := strings.Cut(line, " | "); ok {
			all = append(all, truth{page, verdict, statement})
		}
	}
	if len(all) < 120 {
		t.Fatalf("%d policies in the truth table, want at least 120", len(all))
	}
	return all
}

// document fills in what the line leaves out; null takes an element out.
func (c truth) document(t *testing.T) string {
	t.Helper()
	s := map[string]any{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::records/*"}
	if err := json.Unmarshal([]byte(c.statement), &s); err != nil {
		t.Fatalf("%s: %v", c.statement, err)
	}
	for name, value := range s {
		if value == nil {
			delete(s, name)
		}
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": []any{s}})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTruthTable compares with what AWS documents.
func TestTruthTable(t *testing.T) {
	trust, odd := policy.ParseTrust([]string{"222233334444", "o-ours123456", "o-half123456/r-ab12/ou-ab12-prod"})
	if len(odd) > 0 {
		t.Fatal(odd)
	}
	for _, c := range readTruths(t) {
		if !strings.HasPrefix(c.page, "https://docs.aws.amazon.com/") {
			t.Errorf("%s: no page of AWS above it", c.statement)
		}
		v := parse(t, c.document(t)).Judge(policy.Options{Account: "111122223333", Trust: trust})
		if diff := cmp.Diff(c.verdict, inWords(v)); diff != "" {
			t.Errorf("%s\n%s\n%s\n%v", c.page, c.statement, diff, v.Statements)
		}
	}
}

// inWords is a verdict as the truth table writes it.
func inWords(v policy.Verdict) string {
	var all []string
	if v.IsPublic {
		all = append(all, "public")
	}
	for _, list := range []struct {
		name   string
		grants []policy.Grant
	}{{"external", v.External}, {"services", v.Services}} {
		words := list.name
		for _, g := range list.grants {
			words += " " + g.Principal
		}
		if len(list.grants) > 0 && (list.name == "external" || !v.IsPublic) {
			all = append(all, words)
		}
	}
	if len(all) == 0 {
		return "safe"
	}
	return strings.Join(all, "; ")
}

// TestRangesTogether: ranges that make a broad one together are as public as it is. AWS documents only the single range;
// 256 narrow ones are the internet all the same.
func TestRangesTogether(t *testing.T) {
	each := func(n int) string {
		return repeat(n, func(i int) string { return fmt.Sprintf(`"%d.0.0.0/8"`, i) })
	}
	for _, c := range []struct {
		ranges   string
		isPublic bool
	}{
		{each(256), true},
		{`"32.0.0.0/8","33.0.0.0/8"`, true},
		{`"33.0.0.0/8","34.0.0.0/8"`, false}, // beside each other, but no range
		{`"32.0.0.0/9","32.128.0.0/9"`, false},
		{`"32.0.0.0/8","32.1.0.0/16","32.0.0.0/8"`, false},
		{`"10.0.0.0/8","11.0.0.0/8"`, false}, // private and not
		{`"2001:db8::/32","2001:db9::/32"`, true},
		{`"2001:db8::/33","2001:db8:8000::/33"`, false},
	} {
		p := parse(t, allow(`"Action":"*","Condition":{"IpAddress":{"aws:SourceIp":[`+c.ranges+`]}}`))
		if p.IsPublic() != c.isPublic {
			t.Errorf("%.60s: public %v", c.ranges, !c.isPublic)
		}
	}
}
