// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/policy"
)

// repeat joins n texts made by each.
func repeat(n int, each func(i int) string) string {
	var all []string
	for i := range n {
		all = append(all, each(i))
	}
	return strings.Join(all, ",")
}

func allow(rest string) string {
	return "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\"," + rest + "}]}"
}

// TestHostilePoliciesTakeNoTime: nobody can keep the response waiting by writing a long or tangled policy. What cannot be
// compared in time is said to be more than before, never less.
func TestHostilePoliciesTakeNoTime(t *testing.T) {
	pattern := func(i int) string { return fmt.Sprintf("%q", fmt.Sprintf("*%c%d*", 'a'+i%26, i)) }
	cases := map[string]string{
		"1,000 statements": manyStatements(1000, ""),
		"1,000 public statements": "{\"Statement\":[" + repeat(1000, func(i int) string {
			return fmt.Sprintf("{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"s3:%d*\",\"Resource\":\"*%d\"}", i, i)
		}) + "]}",
		"tangled denies": "{\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\",\"Resource\":\"*\"}," + repeat(200, func(i int) string {
			return fmt.Sprintf("{\"Effect\":\"Deny\",\"Principal\":{\"AWS\":\"%012d\"},\"Action\":\"*a%d*\",\"Resource\":\"*b%d*\",\"Condition\":{\"StringNotLike\":{\"aws:Referer\":\"*c%d*\",\"aws:UserAgent\":\"*%d\"}}}", 111122220000+i, i, i, i, i)
		}) + "]}",
		"many patterns":        allow("\"Action\":[" + repeat(600, pattern) + "]"),
		"many condition keys":  allow("\"Action\":\"*\",\"Condition\":{\"StringLike\":{" + repeat(1000, func(i int) string { return fmt.Sprintf("\"s3:k%d\":\"a*\"", i) }) + "}}"),
		"many condition words": allow("\"Action\":\"*\",\"Condition\":{\"ForAnyValue:StringLike\":{\"aws:TagKeys\":[" + repeat(600, pattern) + "]}}"),
		"stars":                allow("\"Action\":\"" + strings.Repeat("*a", 5000) + "\",\"Resource\":\"" + strings.Repeat("*a", 5000) + "b\""),
	}
	small := parse(t, manyStatements(3, ""))
	for name, text := range cases {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			p := parse(t, text)
			v := p.Judge(policy.Options{Baseline: small})
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			} else {
				t.Logf("%d bytes took %v", len(text), took)
			}
			if len(v.Widens) == 0 {
				t.Error("more is allowed, and nobody says so")
			}
			if again := p.Widens(p); len(again) > 0 && !again[0].IsRough {
				t.Errorf("allows more than itself: %+v", again[0])
			}
		})
	}
}
