// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestWidensSays compares what is said of a change; that something is said is compared with the oracle.
func TestWidensSays(t *testing.T) {
	const reader = "{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"" + roleA + "\"},\"Action\":\"s3:Get*\",\"Resource\":\"arn:aws:s3:::b/*\"}"
	statement := func(rest string) string { return "{\"Effect\":\"Allow\"," + rest + "}" }
	for _, c := range []struct{ name, before, after, want string }{
		{"the same", reader, reader, "[]"},
		{"less", reader, statement("\"Principal\":{\"AWS\":\"" + roleA + "\"},\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::b/x\""), "[]"},
		{"split in two", reader, strings.Replace(reader, "s3:Get*", "s3:GetO*", 1) + "," + strings.Replace(reader, "s3:Get*", "S3:GetObjectAcl", 1), "[]"},
		{"everybody", reader, strings.Replace(reader, "{\"AWS\":\""+roleA+"\"}", "\"*\"", 1),
			"[{\"principal\":\"111122223333\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}," +
				"{\"principal\":\"anonymous\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}," +
				"{\"principal\":\"any other account\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}," +
				"{\"principal\":\"any other federation\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}," +
				"{\"principal\":\"any other service\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}]"},
		{"one more account", reader, reader + "," + statement("\"Principal\":{\"AWS\":\"444455556666\"},\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::b/*\""),
			"[{\"principal\":\"444455556666\",\"access\":[\"s3:PutObject\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":1}]"},
		{"wider action", reader, strings.Replace(reader, "s3:Get*", "s3:*", 1),
			"[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:* except s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}]"},
		{"wider resource", reader, strings.Replace(reader, "b/*", "*", 1),
			"[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::* except arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}]"},
		{"condition gone", strings.Replace(reader, "b/*\"", "b/*\",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}", 1), reader,
			"[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[\"aws:sourcevpc is * except vpc-1 or absent\"],\"statement\":0}]"},
		{"one more value", strings.Replace(reader, "b/*\"", "b/*\",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}", 1), strings.Replace(reader, "b/*\"", "b/*\",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":[\"vpc-1\",\"vpc-2\"]}}", 1),
			"[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[\"aws:sourcevpc is vpc-2\"],\"statement\":0}]"},
		{"Deny gone", reader + ",{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}", reader,
			"[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:GetObject\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0,\"denied\":1}]"},
		{"unknown condition added", reader, strings.Replace(reader, "b/*\"", "b/*\",\"Condition\":{\"NoSuch\":{\"a:b\":\"c\"}}", 1), "[]"},
		{"unknown condition in place of a known one", strings.Replace(reader, "b/*\"", "b/*\",\"Condition\":{\"StringEquals\":{\"aws:SourceVpc\":\"vpc-1\"}}", 1), strings.Replace(reader, "b/*\"", "b/*\",\"Condition\":{\"StringEqual\":{\"aws:SourceVpc\":\"vpc-1\"}}", 1),
			"[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[\"StringEqual aws:SourceVpc vpc-1\",\"aws:sourcevpc is * except vpc-1 or absent\"],\"statement\":0}]"},
		{"account by condition is the account", statement("\"Principal\":{\"AWS\":\"111122223333\"},\"Action\":\"*\""), statement("\"Principal\":\"*\",\"Action\":\"*\",\"Condition\":{\"StringEquals\":{\"aws:PrincipalAccount\":\"111122223333\"}}"), "[]"},
		{"from nothing", "", reader, "[{\"principal\":\"" + roleA + "\",\"access\":[\"s3:Get*\"],\"resources\":[\"arn:aws:s3:::b/*\"],\"conditions\":[],\"statement\":0}]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			document := func(statements string) string {
				return "{\"Version\":\"2012-10-17\",\"Statement\":[" + statements + "]}"
			}
			all := parse(t, document(c.after)).Widens(parse(t, document(c.before)))
			got, err := json.Marshal(all)
			if err != nil {
				t.Fatal(err)
			}
			if len(all) == 0 {
				got = []byte("[]")
			}
			if diff := cmp.Diff(strings.ReplaceAll(c.want, "},{", "},\n{"), strings.ReplaceAll(string(got), "},{", "},\n{")); diff != "" {
				t.Error(diff)
			}
		})
	}
}
