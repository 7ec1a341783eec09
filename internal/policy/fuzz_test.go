// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/switchback-project/switchback/internal/policy"
)

// FuzzParse: any text is read or refused with a position inside it, and a policy allows no more than itself.
func FuzzParse(f *testing.F) {
	for _, c := range parseSeeds {
		f.Add([]byte(c))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := policy.Parse(text)
		if err != nil {
			var where *policy.Error
			if !errors.As(err, &where) || where.Line < 1 || where.Column < 1 || where.Column > len(text)+1 {
				t.Fatalf("error without position: %v", err)
			}
			return
		}
		if !json.Valid(text) {
			t.Fatal("read what is no JSON")
		}
		v := p.Judge(policy.Options{Baseline: p})
		for _, w := range v.Widens {
			if !w.IsRough {
				t.Fatalf("allows more than itself: %+v", w)
			}
		}
		if _, err := json.Marshal(v); err != nil {
			t.Fatal(err)
		}
		p.Evaluate(policy.Request{Principal: policy.Caller(roleA), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x"})
	})
}

var parseSeeds = []string{
	"{\"Statement\":[]}", "{}", "[]", "", "{\"Statement\":{\"Effect\":\"Allow\"}}", "{\"Statement\":{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"*\"}}",
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":[\"111122223333\",\"*\"]},\"NotAction\":\"s3:*\",\"Resource\":\"arn:aws:s3:::${aws:username}/*\",\"Condition\":{\"ForAllValues:StringLike\":{\"aws:TagKeys\":[\"a*\",\"*b\"]}}}]}",
	"{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":[\"a*b\",\"*c\"],\"Condition\":{\"IpAddress\":{\"aws:SourceIp\":[\"::/0\",\"0.0.0.0/0\",\"255.255.255.255\"]}}}}",
	"{\"Statement\":{\"Effect\":\"Allow\",\"Effect\":\"Deny\",\"Principal\":{\"AWS\":1},\"NotPrincipal\":[],\"Action\":{},\"Condition\":{\"X\":{\"y\":[]},\"X\":7}}}",
}

// FuzzAdding: one more Allow closes nothing, one more Deny opens nothing.
func FuzzAdding(f *testing.F) {
	for _, c := range addingSeeds() {
		f.Add(c[0], c[1])
	}
	f.Fuzz(func(t *testing.T, document, statement string) {
		before, errBefore := policy.Parse([]byte(document))
		more, errMore := policy.Parse([]byte(fmt.Sprintf("{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statement)))
		if errBefore != nil || errMore != nil || len(more.Statements) != 1 || before.Version != more.Version {
			t.Skip()
		}
		after, err := policy.Parse([]byte(joined(t, document, statement)))
		if err != nil {
			t.Skip()
		}
		checkAdding(t, before, after, more.Statements[0].Effect)
	})
}

func checkAdding(t *testing.T, before, after *policy.Policy, added policy.Effect) {
	less, more := before, after
	if added == policy.Deny {
		less, more = after, before
	}
	for _, w := range less.Widens(more) {
		if !w.IsRough {
			t.Errorf("%s added, and the other allows more: %+v", added, w)
		}
	}
	if less.IsPublic() && !more.IsPublic() || len(less.External(policy.Trust{})) > len(more.External(policy.Trust{})) {
		t.Errorf("%s added, and the other is more open", added)
	}
	for _, c := range callers {
		r := policy.Request{Principal: principal(c), Action: "s3:GetObject", Resource: "arn:aws:s3:::b/x", Context: policy.Context{"aws:SourceVpc": {"vpc-1"}}}
		if less.Evaluate(r).Effect == policy.Allow && more.Evaluate(r).Effect != policy.Allow {
			t.Errorf("%s added, and only the other allows %v", added, r)
		}
	}
}

// joined is the document with one more statement.
func joined(t *testing.T, document, statement string) string {
	var d struct {
		Version   string
		Statement []json.RawMessage
	}
	if err := json.Unmarshal([]byte(document), &d); err != nil || !json.Valid([]byte(statement)) {
		t.Skip()
	}
	d.Statement = append(d.Statement, json.RawMessage(statement))
	text, err := json.Marshal(d)
	if err != nil {
		t.Skip()
	}
	return string(text)
}

func addingSeeds() [][2]string {
	r := rand.New(rand.NewPCG(1, 2))
	var all [][2]string
	for range 200 {
		of := drawKeys(r)
		statement := drawn{Statement: []drawnStatement{drawStatement(r, of)}}.json()
		all = append(all, [2]string{draw(r, of).json(), statement[len("{\"Version\":\"\",\"Statement\":[") : len(statement)-2]})
	}
	return all
}
