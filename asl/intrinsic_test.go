// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testEnv is what calls in tests see.
func testEnv(tb testing.TB, data string) *env {
	tb.Helper()
	v, err := decode([]byte(data))
	if err != nil {
		tb.Fatal(err)
	}
	m := &Machine{random: func() float64 { return 0.5 }, uuid: func() string { return "the-uuid" }}
	run := &Run{info: ExecutionInfo{Name: "ctx"}, input: datumOf(v)}
	return &env{call: &call{m: m, r: run}, thread: &thread{vars: map[string]*datum{"v": datumOf("var")}}, data: v}
}

func TestIntrinsic(t *testing.T) {
	e := testEnv(t, `{"s":"a,b;;c","n":-4.5,"list":[1,2,2,{"k":1}],"o":{"k":"v","k2":[1,null]},"big":6.5,"json":"{\"a\":[1, 2]}"}`)
	tests := []struct{ call, want string }{
		{"States.Array()", "[]"},
		{"States.Array('x', 1, null, true, $.n, $$.Execution.Name, $v)", `["x",1,null,true,-4.5,"ctx","var"]`},
		{"States.ArrayContains($.list, 2)", "true"},
		{`States.ArrayContains($.list, States.StringToJson('{"k":1.0}'))`, "true"},
		{"States.ArrayGetItem($.list, 3)", `{"k":1}`},
		{"States.ArrayLength($.list)", "4"},
		{"States.ArrayPartition($.list, 3)", `[[1,2,2],[{"k":1}]]`},
		{"States.ArrayPartition(States.Array(), 3)", "[]"},
		{"States.ArrayRange(1, 9, 3)", "[1,4,7]"},
		{"States.ArrayRange(3, 1, -1)", "[3,2,1]"},
		{"States.ArrayRange(3, 1, 1)", "[]"},
		{"States.ArrayUnique($.list)", `[1,2,{"k":1}]`},
		{"States.Base64Encode('Data to encode')", `"RGF0YSB0byBlbmNvZGU="`},
		{"States.Base64Decode('RGF0YSB0byBlbmNvZGU=')", `"Data to encode"`},
		{"States.Base64Encode('')", `""`},
		{"States.Format('{} and {}', 'x', 1.50)", `"x and 1.50"`},
		{"States.Format('{}', $.o)", `"{k=v, k2=[1, null]}"`},
		{`States.Format('it\'s \{\} {} \\', true)`, `"it's {} true \\"`},
		{"States.Format('no placeholder {')", `"no placeholder {"`},
		{"States.Format('line\nfeed \"{}\"', 1)", `"line\nfeed \"1\""`},
		{"States.Hash('input data', 'SHA-1')", `"aaff4a450a104cd177d28d18d74485e8cae074b7"`},
		{"States.JsonMerge($.o, States.StringToJson('{\"k\":2,\"z\":3}'), false)", `{"k":2,"k2":[1,null],"z":3}`},
		{"States.JsonToString($.o)", `"{\"k\":\"v\",\"k2\":[1,null]}"`},
		{"States.JsonToString('x')", `"\"x\""`},
		{"States.StringToJson($.json)", `{"a":[1,2]}`},
		{"States.StringToJson('')", "null"},
		{"States.StringToJson('-0')", "0"},
		{"States.MathAdd($.n, 0)", "-4"},
		{"States.MathAdd($.big, -1)", "6"},
		{"States.MathRandom(1, 11)", "6"},
		{"States.MathRandom(1, 11, 42)", "3"},
		{"States.StringSplit($.s, ',;')", `["a","b","c"]`},
		{"States.StringSplit(',,', ',')", "[]"},
		{"States.UUID()", `"the-uuid"`},
		{"States.ArrayGetItem(States.ArrayPartition(States.ArrayRange(1,6,1),2), 1)", "[3,4]"},
	}
	for _, test := range tests {
		t.Run(test.call, func(t *testing.T) {
			call, err := parseIntrinsic(test.call)
			if err != nil {
				t.Fatal(err)
			}
			got, err := call.eval(e)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(encode(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestIntrinsicFails(t *testing.T) {
	e := testEnv(t, `{"list":[1],"s":"x","long":"`+strings.Repeat("x", maxIntrinsicChars+1)+`"}`)
	tests := []struct{ call, want string }{
		{"States.ArrayGetItem($.list, 1)", "The function 'States.ArrayGetItem($.list, 1)' had the following error: the index 1 is out of the array's bounds"},
		{"States.Array($.missing)", "The JsonPath argument for the field '$.missing' could not be found in the input"},
		{"States.ArrayLength($.s)", "must be an array but was: string"},
		{"States.ArrayPartition($.list, 0)", "positive"},
		{"States.ArrayRange(1, 5000, 1)", "more than 1000"},
		{"States.ArrayRange(1, 5, 0)", "zero"},
		{"States.Format('{} {}', 1)", "2 placeholders for 1 arguments"},
		{"States.Hash($.s, 'CRC')", "algorithm"},
		{"States.Hash($.long, 'MD5')", "longer"},
		{"States.Base64Encode($.long)", "longer"},
		{"States.Base64Decode('%')", "not base64"},
		{"States.StringToJson('{')", "not JSON"},
		{"States.MathRandom(5, 5)", "greater"},
		{"States.MathAdd($.s, 1)", "must be a number"},
		{"States.JsonMerge($.list, $.list, false)", "objects"},
		{"States.Array($nothing)", "not defined"},
	}
	for _, test := range tests {
		t.Run(test.call, func(t *testing.T) {
			call, err := parseIntrinsic(test.call)
			if err != nil {
				t.Fatal(err)
			}
			if v, err := call.eval(e); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, %v, want %q", v, err, test.want)
			}
		})
	}
}

func TestIntrinsicSyntax(t *testing.T) {
	for _, text := range []string{
		"", "States.Array", "States.Array(", "States.Array('x)", "States.Array(1,)", "States.Array(,1)", "States.Array(1 2)",
		" States.Array()", "States.Array() ", "States.Xyz()", "Array()", "States.UUID(1)", "States.Hash('x')", "States.MathAdd(1,'-1')",
		"States.Array({})", "States.Array(abc)", strings.Repeat("States.Array(", 11) + strings.Repeat(")", 11),
	} {
		if call, err := parseIntrinsic(text); err == nil {
			t.Errorf("%.60q parses to %+v", text, call)
		}
	}
}

func FuzzIntrinsic(f *testing.F) {
	for name := range intrinsicFunctions {
		f.Add(name + `('a{}\'', $.a[0], States.Array(1, null), -1.5)`)
		f.Add(name + `($.a, 2)`)
		f.Add(name + `($.b)`)
	}
	e := testEnv(f, `{"a":[1,2,3],"b":"{}"}`)
	f.Fuzz(func(t *testing.T, text string) {
		call, err := parseIntrinsic(text)
		if err != nil {
			return
		}
		if call.text != text {
			t.Fatalf("%q parses as %q", text, call.text)
		}
		v, err := call.eval(e)
		if err != nil {
			return
		}
		if _, err := decode(encode(v)); err != nil {
			t.Fatalf("%q gives %q, which is not JSON: %v", text, encode(v), err)
		}
	})
}
