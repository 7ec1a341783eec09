// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/switchback-project/switchback/internal/runbook"
)

// loadPattern loads a manifest with one pattern, as it stands behind "pattern:".
func loadPattern(text string) (runbook.Pattern, error) {
	manifest := "triggers:\n  - name: a\n    pattern: " + text + "\ntitle: behind it\n"
	r, err := runbook.Load(fstest.MapFS{"x/runbook.yaml": {Data: []byte(manifest)}}, "x")
	if err != nil {
		return nil, err
	}
	return r.Manifest.Triggers[0].Pattern, nil
}

func TestPatternForms(t *testing.T) {
	cases := []struct{ name, yaml, want string }{
		{"JSON", `{"source": ["aws.s3"], "detail": {"errorCode": [{"exists": false}]}}`, `{"source":["aws.s3"],"detail":{"errorCode":[{"exists":false}]}}`},
		{"JSON over lines", "{\"source\":\n      [\"aws.s3\"],\n      \"n\": [1]}", `{"source":["aws.s3"],"n":[1]}`},
		{"JSON with escapes", `{"a": ["\u00e9\ud83d\ude00\/\"\\\n<&>"]}`, `{"a":["é😀/\"\\\n<&>"]}`},
		{"numbers as they are written", `{"n": [{"numeric": [">", 1.0, "<=", 100000000000000001, "=", 1e3, "=", -0.5]}, 0]}`, `{"n":[{"numeric":[">",1.0,"<=",100000000000000001,"=",1e3,"=",-0.5]},0]}`},
		{"texts that look like something else", `{"a": ["1", "1e3", "null", "true", "no", "", " ", "~", "a: b # c", "- x"]}`, `{"a":["1","1e3","null","true","no",""," ","~","a: b # c","- x"]}`},
		{"literals", `{"a": [null, true, false]}`, `{"a":[null,true,false]}`},
		{"odd keys", `{"a b": [1], "k: x": [1], "1": [1], "$or": [{"x": [1]}], "": [1]}`, `{"a b":[1],"k: x":[1],"1":[1],"$or":[{"x":[1]}],"":[1]}`},
		{"empty", `{"a": [], "b": {}}`, `{"a":[],"b":{}}`},
		{
			"YAML", "\n      source: [aws.s3]\n      detail:\n        eventName:\n          - GetObject\n          - on\n          - \"007\" # a text\n        errorCode: [{exists: false}]",
			`{"source":["aws.s3"],"detail":{"eventName":["GetObject","on","007"],"errorCode":[{"exists":false}]}}`,
		},
		{"YAML with one member", "\n      source:\n      - aws.s3", `{"source":["aws.s3"]}`},
		{"YAML with a block", "\n      source:\n      - |-\n        two\n        lines", `{"source":["two\nlines"]}`},
		{"no object, for Check to refuse", `[1]`, `[1]`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := loadPattern(c.yaml)
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
		})
	}
}

func TestPatternRefusesWhatJSONLacks(t *testing.T) {
	for _, yaml := range []string{
		"{a: [.nan]}", "{a: [.inf]}", "{a: [0x1F]}", "{a: [1_000]}", "{a: [*b]}", "{a: &b [1]}", "{<<: {a: [1]}}", "{a: [!!str 1]}", "{a: [007]}",
	} {
		if got, err := loadPattern(yaml); err == nil {
			t.Errorf("%s was read as %s", yaml, got)
		} else if !strings.Contains(err.Error(), "x/runbook.yaml:3:") {
			t.Errorf("%s: the error does not say where: %v", yaml, err)
		}
	}
}

// FuzzPattern: JSON that is pasted behind "pattern:" is read as JSON reads it, or refused.
func FuzzPattern(f *testing.F) {
	for _, seed := range []string{
		`{"source":["aws.s3"]}`, `{"a":["\u00e9\ud83d\ude00\/"]}`, `{"n":[{"numeric":[">",1.0e-3]}]}`, `{"a":["1",1,null,true]}`, `{"":[""]}`,
		`{"a":["\\","\"","'","#"," # ","{","}",":",",","%","@","` + "`" + `","!","&","*"]}`, `{"a":["\t\n"]}`, `{"a":[{"b":{"c":[[]]}}]}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) != nil || compact.Len() == 0 || compact.Bytes()[0] != '{' {
			return
		}
		got, err := loadPattern(compact.String())
		if err != nil {
			return
		}
		var want, have any
		if err := json.Unmarshal(compact.Bytes(), &want); err != nil {
			return // surrogates alone and the like
		}
		if err := json.Unmarshal(got, &have); err != nil {
			t.Fatalf("%s was read as %s: %v", compact.Bytes(), got, err)
		}
		if !reflect.DeepEqual(want, have) {
			t.Errorf("%s was read as %s", compact.Bytes(), got)
		}
	})
}

// valueOf is a pattern as JSON reads it.
func valueOf(p runbook.Pattern) any {
	var v any
	if err := json.Unmarshal(p, &v); err != nil {
		return err.Error()
	}
	return v
}
