// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/trail"
)

func TestCanonicalPolicy(t *testing.T) {
	for _, tc := range []struct{ name, document, want string }{
		{"none", ``, ``},
		{"keys are sorted", `{"b": 1, "a": {"d":true, "c":null}}`, `{"a":{"c":null,"d":true},"b":1}`},
		{"lists of values are sorted", `{"Action":["b","a","b"]}`, `{"Action":["a","b"]}`},
		{"a list of one is its value", `{"Action":["a"]}`, `{"Action":"a"}`},
		{"an empty list stays one", `{"Action":[]}`, `{"Action":[]}`},
		{"one statement is a list", `{"Statement":{"Effect":"Allow"}}`, `{"Statement":[{"Effect":"Allow"}]}`},
		{"statements keep their order", `{"Statement":[{"b":1},{"a":1}]}`, `{"Statement":[{"b":1},{"a":1}]}`},
		{"large numbers stay", `{"n":12345678901234567890}`, `{"n":12345678901234567890}`},
		{"a key twice", `{"Effect":"Allow","Effect":"Deny"}`, `"{\"Effect\":\"Allow\",\"Effect\":\"Deny\"}"`},
		{"no object", `[1]`, `"[1]"`},
		{"no JSON", `{`, `"{"`},
		{"two documents", `{}{}`, `"{}{}"`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := trail.CanonicalPolicy(tc.document)
			if string(got) != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
			if again := trail.CanonicalPolicy(trail.PolicyText(got)); string(again) != tc.want {
				t.Errorf("again: %s", again)
			}
		})
	}
}

// FuzzCanonicalPolicy: whatever stands there, the canonical form is JSON, stays what it is, and gives a document back that
// means the same; and comparing hostile documents ends.
func FuzzCanonicalPolicy(f *testing.F) {
	for _, s := range []string{
		``, `{}`, `{"Statement":[{"Effect":"Allow","Principal":{"AWS":["1","2"]},"Action":"kms:*","Resource":"*","Condition":{"Bool":{"a":"b"}}}]}`,
		`{"Statement":{"Effect":"Deny","NotPrincipal":"*"}}`, `[`, `"x"`, strings.Repeat(`{"a":`, 40) + `1` + strings.Repeat(`}`, 40),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p := trail.CanonicalPolicy(text)
		if text == "" {
			return
		}
		if !json.Valid(p) {
			t.Fatalf("%q became %s", text, p)
		}
		if again := trail.CanonicalPolicy(trail.PolicyText(p)); string(again) != string(p) {
			t.Fatalf("%s became %s", p, again)
		}
		if d := trail.WeakenedKey(trail.Key{Exists: true, Policy: p}, trail.Key{Exists: true, Policy: p}); len(d) > 0 {
			t.Fatalf("%s is weaker than itself: %+v", p, d)
		}
		known := trail.Key{Exists: true, Policy: trail.CanonicalPolicy(document(admin, logs, guard))}
		if p[0] == '"' && len(trail.WeakenedKey(known, trail.Key{Exists: true, Policy: p})) == 0 {
			t.Fatalf("%s, which cannot be read, passes for the policy", p)
		}
	})
}

const (
	admin = `{"Sid":"Admin","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:root"},"Action":"kms:*","Resource":"*"}`
	logs  = `{"Sid":"Logs","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":["kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*","Condition":{"StringEquals":{"aws:SourceArn":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"}}}`
	guard = `{"Sid":"Guard","Effect":"Deny","Principal":"*","Action":"kms:ScheduleKeyDeletion","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/break-glass","arn:aws:iam::111122223333:role/keeper"]}}}`
)

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

// TestWeakenedPolicy compares policies through the key's, all against admin, logs and guard.
func TestWeakenedPolicy(t *testing.T) {
	for _, tc := range []struct {
		name, have string
		note       string // part of it, "" for no weakness
	}{
		{"the same", document(admin, logs, guard), ""},
		{"in another order", document(guard, logs, admin), ""},
		{"without names", strings.ReplaceAll(document(admin, logs, guard), `"Sid"`, `"Id"`), ""},
		{"lists in another order", strings.Replace(document(admin, logs, guard), `["kms:GenerateDataKey*","kms:DescribeKey"]`, `["kms:DescribeKey","kms:generatedatakey*"]`, 1), ""},
		{"one statement as two", document(admin, guard, strings.Replace(logs, `["kms:GenerateDataKey*","kms:DescribeKey"]`, `"kms:DescribeKey"`, 1), strings.Replace(logs, `["kms:GenerateDataKey*","kms:DescribeKey"]`, `"kms:GenerateDataKey*"`, 1)), ""},
		{"an Allow that was contained", document(admin, logs, guard, strings.Replace(admin, "kms:*", "kms:Decrypt", 1)), ""},
		{"a Deny that was contained", document(admin, logs, guard, strings.Replace(guard, `["arn`, `["arn:aws:iam::111122223333:role/deploy","arn`, 1)), ""},
		{"TLS only", document(admin, logs, guard, `{"Effect":"Deny","Principal":{"AWS":"*"},"Action":"*","Resource":"*","Condition":{"Bool":{"aws:securetransport":false}}}`), ""},

		{"CloudTrail gone", document(admin, guard), "no longer allows Service cloudtrail.amazonaws.com kms:DescribeKey"},
		{"CloudTrail for another trail", document(admin, guard, strings.Replace(logs, "trail/main", "trail/other", 1)), "no longer allows Service cloudtrail.amazonaws.com"},
		{"CloudTrail with less", document(admin, guard, strings.Replace(logs, `"kms:GenerateDataKey*",`, "", 1)), "no longer allows Service cloudtrail.amazonaws.com kms:GenerateDataKey*"},
		{"CloudTrail without the condition", document(admin, guard, logs, strings.Replace(logs, "aws:SourceArn", "aws:Other", 1)), "newly allows Service cloudtrail.amazonaws.com"},
		{"administrators gone", document(logs, guard), "no longer allows AWS arn:aws:iam::111122223333:root kms:*"},
		{"a stranger", document(admin, logs, guard, strings.Replace(admin, "1111", "9999", 1)), "newly allows AWS arn:aws:iam::999922223333:root kms:*"},
		{"everybody", document(logs, guard, strings.Replace(admin, `{"AWS":"arn:aws:iam::111122223333:root"}`, `"*"`, 1)), "newly allows * kms:*"},
		{"all but", document(admin, logs, guard, `{"Effect":"Allow","NotPrincipal":{"AWS":"1"},"NotAction":"kms:PutKeyPolicy","Resource":"*"}`), "newly allows all but AWS 1 all but kms:PutKeyPolicy"},
		{"the guard gone", document(admin, logs), "no longer denies * kms:ScheduleKeyDeletion"},
		{"the guard with another exception", document(admin, logs, strings.Replace(guard, `["arn`, `["arn:aws:iam::111122223333:role/deploy","arn`, 1)), "no longer denies * kms:ScheduleKeyDeletion"},
		{"a new Deny", document(admin, logs, guard, strings.Replace(logs, "Allow", "Deny", 1)), "newly denies Service cloudtrail.amazonaws.com"},
		{"TLS only, in name", document(admin, logs, guard, `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}`), "newly denies *"},
		{"none", ``, "no longer allows"},
		{"unreadable", `{"Statement":[{"Effect":{}}]}`, "cannot be judged"},
		{"not JSON", `{`, "cannot be judged"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := trail.Key{Exists: true, Policy: trail.CanonicalPolicy(document(admin, logs, guard))}
			found := trail.WeakenedKey(want, trail.Key{Exists: true, Policy: trail.CanonicalPolicy(tc.have)})
			switch {
			case tc.note == "" && len(found) > 0:
				t.Errorf("weaker: %+v", found)
			case tc.note != "" && (len(found) != 1 || found[0].Field != trail.FieldPolicy || !strings.Contains(found[0].Note, tc.note)):
				t.Errorf("got %+v, want one of the policy that says %q", found, tc.note)
			}
		})
	}
}

// TestHugePolicy: what an attacker writes must not cost more than a moment.
func TestHugePolicy(t *testing.T) {
	var statements []string
	for i := range 40 {
		var names []string
		for j := range 60 {
			names = append(names, fmt.Sprintf(`"s%d:a%d*"`, i, j))
		}
		list := "[" + strings.Join(names, ",") + "]"
		statements = append(statements, `{"Effect":"Allow","Principal":{"AWS":`+list+`},"Action":`+list+`,"Resource":"*"}`)
	}
	want := trail.Key{Exists: true, Policy: trail.CanonicalPolicy(document(statements...))}
	have := trail.Key{Exists: true, Policy: trail.CanonicalPolicy(strings.ReplaceAll(document(statements...), ":a", ":b"))}
	found := trail.WeakenedKey(want, have)
	if len(found) != 1 || len(found[0].Note) > 20<<10 {
		t.Errorf("got %d differences", len(found))
	}
}
