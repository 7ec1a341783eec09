// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package jsonata_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/jsonata"
)

func TestEvaluate(t *testing.T) {
	engine := jsonata.New(jsonata.Options{
		Random: func() float64 { return 0.25 },
		UUID:   func() string { return "11111111-2222-4333-8444-555555555555" },
		Clock:  func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) },
	})
	bindings := map[string]json.RawMessage{
		"states": json.RawMessage(`{"input":{"items":[1,2,3],"name":"Ada","one":[7]}}`),
		"v":      json.RawMessage(`"variable"`),
	}
	tests := []struct{ name, expression, want string }{
		{"path", "$states.input.name", `"Ada"`},
		{"variable", "$v", `"variable"`},
		{"arithmetic", "1 + 2 * 3", "7"},
		{"undefined", "$nothing", ""},
		{"no input document", "$", ""},
		{"null", "null", "null"},
		{"sequence", "$states.input.items[$ > 1]", "[2,3]"},
		{"sequence of one", "$states.input.items[$ > 2]", "3"},
		{"array of one stays", "$states.input.one", "[7]"},
		{"markup is not escaped", `"<&>"`, `"<&>"`},
		{"partition", "$partition([1,2,3,4,5], 2)", "[[1,2],[3,4],[5]]"},
		{"partition of one", "$partition([1], 4)", "[[1]]"},
		{"range", "$range(0, 9, 3)", "[0,3,6,9]"},
		{"range of one", "$range(1, 9, 9)", "1"},
		{"range down", "$range(3, 1, -1)", "[3,2,1]"},
		{"hash", `$hash("abc", "SHA-256")`, `"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"`},
		{"random", "$random()", "0.25"},
		{"seeded random is stable", "$random(7) = $random(7)", "true"},
		{"uuid", "$uuid()", `"11111111-2222-4333-8444-555555555555"`},
		{"parse", `$parse('{"a":[1,-0]}')`, `{"a":[1,0]}`},
		{"parse minus zero", `$parse("-0")`, "0"},
		{"now", "$now()", `"2026-11-23T12:00:00.000Z"`},
		{"base64", `$base64decode($base64encode("hello"))`, `"hello"`},
		{"pad", `$pad("ab", 5, "-") & $pad("ab", -4)`, `"ab---  ab"`},
		{"join", `$join(["a","b"], ",")`, `"a,b"`},
		{"reduce", "$reduce([1..100], function($a, $b) { $a + $b })", "5050"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := engine.Evaluate(test.expression, bindings)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(got)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEvaluateFails(t *testing.T) {
	engine := jsonata.New(jsonata.Options{Timeout: 300 * time.Millisecond})
	big := map[string]json.RawMessage{"big": json.RawMessage(`"` + strings.Repeat("x", 200_000) + `"`)}
	tests := []struct {
		name, expression string
		want             error
		message          string
	}{
		{"eval is gone", `$eval("1")`, nil, "T100"},
		{"type error", `1 + "a"`, nil, "T2002"},
		{"error function", `$error("on purpose")`, nil, "on purpose"},
		{"function", "$sum", asl.ErrUnsupportedResult, ""},
		{"lambda", "function($x) { $x }", asl.ErrUnsupportedResult, ""},
		{"lambda inside", `{"a": function($x) { $x }}`, asl.ErrUnsupportedResult, ""},
		{"syntax", "1 +", nil, "S0207"},
		{"for ever", "($f := function($x) { $f($x + 1) }; $f(1))", jsonata.ErrTimeout, ""},
		{"for ever and deep", "($f := function($x) { 1 + $f($x + 1) }; $f(1))", nil, ""},
		{"unbounded range", "[1..9999999]", nil, "D2014"},
		{"unbounded $range", "$range(1, 99999999, 1)", nil, "D2014"},
		{"unbounded pad", `$pad("x", 999999999)`, nil, "too long"},
		{"unbounded join", `$join($map([1..1000], function($i) { $big }), $big)`, nil, "too long"},
		{"unbounded string", `($f := function($s, $n) { $n = 0 ? $s : $f($s & $s, $n - 1) }; $length($f("xxxxxxxx", 60)))`, nil, ""},
		{"unbounded result", "$map([1..1000], function($i) { $big })", nil, "too long"},
		{"backtracking", `$match($pad("", 40000, "a") & "b", /(a+)+c/)`, nil, ""},
		{"bad algorithm", `$hash("a", "CRC")`, nil, "algorithm"},
		{"bad JSON", `$parse("{")`, nil, ""},
		{"step of zero", "$range(1, 2, 0)", nil, "zero"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			started := time.Now()
			got, err := engine.Evaluate(test.expression, big)
			if took := time.Since(started); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			switch {
			case test.name == "backtracking" && err == nil:
				// The linear engine needs no limit.
			case err == nil:
				t.Fatalf("no error, but %.80s", got)
			case test.want != nil && !errors.Is(err, test.want):
				t.Errorf("got %v, want %v", err, test.want)
			case !strings.Contains(err.Error(), test.message):
				t.Errorf("got %v, want it to contain %q", err, test.message)
			}
		})
	}
	if got, err := engine.Evaluate("1 + 1", nil); err != nil || string(got) != "2" {
		t.Errorf("after the failures: %s, %v", got, err)
	}
}

func TestCheck(t *testing.T) {
	engine := jsonata.New(jsonata.Options{})
	if err := engine.Check("$sum(items.price)"); err != nil {
		t.Error(err)
	}
	if err := engine.Check("10 + * 2"); err == nil || !strings.Contains(err.Error(), "S02") {
		t.Errorf("got %v, want a syntax error", err)
	}
}

// TestIsolation makes sure that one evaluation leaves nothing to the next, and that machines are shared safely.
func TestIsolation(t *testing.T) {
	engine := jsonata.New(jsonata.Options{Machines: 2})
	var all sync.WaitGroup
	for i := range 16 {
		all.Go(func() {
			bindings := map[string]json.RawMessage{"x": json.RawMessage(strings.Repeat("1", i+1))}
			got, err := engine.Evaluate("($y := $x; $y)", bindings)
			if err != nil || string(got) != strings.Repeat("1", i+1) {
				t.Errorf("evaluation %d: %s, %v", i, got, err)
			}
			if got, err := engine.Evaluate("[$x, $y]", nil); err != nil || string(got) != "[]" {
				t.Errorf("evaluation %d sees %s, %v", i, got, err)
			}
		})
	}
	all.Wait()
}

// TestAsset compares the vendored files with the sums beside them.
func TestAsset(t *testing.T) {
	readme, err := os.ReadFile("asset/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"jsonata.min.js", "LICENSE"} {
		data, err := os.ReadFile("asset/" + name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if !strings.Contains(string(readme), hex.EncodeToString(sum[:])) {
			t.Errorf("asset/README.md does not hold the SHA-256 of %s", name)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	engine := jsonata.New(jsonata.Options{})
	bindings := map[string]json.RawMessage{"states": json.RawMessage(`{"input":{"items":[{"p":1},{"p":2},{"p":3}]}}`)}
	for b.Loop() {
		if _, err := engine.Evaluate("$sum($states.input.items.p)", bindings); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		if _, err := jsonata.New(jsonata.Options{}).Evaluate("1", nil); err != nil {
			b.Fatal(err)
		}
	}
}
