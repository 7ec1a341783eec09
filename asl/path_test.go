// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const library = `{"store":{"book":[
	{"title":"Sayings","price":8.95,"tags":["old"]},{"title":"Sword","price":12.99},{"title":"Moby","price":8.99,"isbn":"0-553"}],
	"bicycle":{"color":"red","price":19.95}},"limit":10,"a b":{"c":1},"q'uote":2,"back\\slash":3,"dash-ed":4,"ünï":5}`

func TestPath(t *testing.T) {
	root, err := decode([]byte(library))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{"$.store.bicycle.color", `"red"`},
		{"$.store.book[0].title", `"Sayings"`},
		{"$.store.book[-1].title", `"Moby"`},
		{"$.store.book[(@.length-1)].title", `"Moby"`},
		{"$['store']['bicycle']['color']", `"red"`},
		{`$["limit"]`, "10"},
		{"$['a b'].c", "1"},
		{"$['q'uote']", "2"},
		{`$['back\slash']`, "3"},
		{"$.dash-ed", "4"},
		{"$.ünï", "5"},
		{"$.store.bicycle['color','price']", `{"color":"red","price":19.95}`},
		{"$.store.book[*].price", "[8.95,12.99,8.99]"},
		{"$.store.book[0,2].title", `["Sayings","Moby"]`},
		{"$.store.book[1:].title", `["Sword","Moby"]`},
		{"$.store.book[:1].title", `["Sayings"]`},
		{"$.store.book[-2:-1].title", `["Sword"]`},
		{"$.store.book[5:9]", "[]"},
		{"$.store.book[0:1]", `[{"title":"Sayings","price":8.95,"tags":["old"]}]`},
		{"$.store.*.color", `["red"]`},
		{"$..price", "[8.95,12.99,8.99,19.95]"},
		{"$..book[0].title", `["Sayings"]`},
		{"$.store.book[?(@.isbn)].title", `["Moby"]`},
		{"$.store.book[?(!@.isbn)].title", `["Sayings","Sword"]`},
		{"$.store.book[?(@.price < 9)].title", `["Sayings","Moby"]`},
		{"$.store.book[?(@.price<$.limit && @.title != 'Moby')].title", `["Sayings"]`},
		{"$.store.book[?(@.price > 12 || @['isbn'] == '0-553')].title", `["Sword","Moby"]`},
		{"$.store.book[?((@.price >= 8.99) && (@.price <= 12.99))].title", `["Sword","Moby"]`},
		{"$.store.book[?(@.title == Moby)].price", "[8.99]"},
		{"$.store.book[?(@.title =~ /s.*/i)].title", `["Sayings","Sword"]`},
		{"$.store.book[?(@.title in ['Sword','Shield'])].price", "[12.99]"},
		{"$.store.book[?(@.title nin ['Sword','Moby'])].price", "[8.95]"},
		{"$.store.book[?(@.tags contains 'old')].title", `["Sayings"]`},
		{"$.store.book[?(@.tags size 1)].title", `["Sayings"]`},
		{"$.store.book[?(@.tags empty false)].title", `["Sayings"]`},
		{"$.store.book[?(@.missing == null)].title", `[]`},
		{"$.missing[*].x", "[]"},
		{"$.limit[*]", "[]"},
		{"$.store.book.length()", "3"},
		{"$.store.book[*].price.max()", "12.99"},
		{"$.store.book[*].price.min()", "8.95"},
		{"$.store.bicycle.keys()", `["color","price"]`},
	}
	for _, test := range tests {
		t.Run(test.path, func(t *testing.T) {
			p, err := parsePath(test.path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.selectFrom(root)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, string(encode(got))); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPathFindsNothing(t *testing.T) {
	root, err := decode([]byte(library))
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, want string }{
		{"$.nothing", "No results for path: $['nothing']"},
		{"$.store.nothing", "No results for path: $['store']['nothing']"},
		{"$.no.such", "Missing property in path $['no']"},
		{"$.store.book[7]", "No results for path: $['store']['book'][7]"},
		{"$.limit.x", "No results for path: $['limit']['x']"},
	}
	for _, test := range tests {
		p, err := parsePath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.selectFrom(root); err == nil || err.Error() != test.want {
			t.Errorf("%s: got %v, want %s", test.path, err, test.want)
		}
	}
}

func TestPathSyntax(t *testing.T) {
	for _, text := range []string{
		"", "x", ".guid", "..guid", "()", "$...", "$.", "$.a.", "$[", "$[]", "$[a]", "$['a'", "$.a b", "$$23", "$.a[?(@.b ==)]",
		"$.a[?(@.b == 1]", "$.a.nothing()", "$.a.length().b", "$[1,]", "$[99999999999]", "bug$.a", "$.a[?(1)]", "$.a[?(@.b =~ /(/)]",
		"$.a" + strings.Repeat("[?(", 100), "$" + strings.Repeat(".a", maxPathBytes),
	} {
		if p, err := parsePath(text); err == nil {
			t.Errorf("%.60q parses to %+v", text, p)
		}
	}
}

// TestPathIsBounded makes sure that no path takes for ever, whatever the value.
func TestPathIsBounded(t *testing.T) {
	root, err := decode([]byte(`{"a":[` + strings.Repeat(`{"b":[1,2,3]},`, 15000) + `{}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"$..*..*..*", "$.a[?($.a[?($.a[?(@.b)])])]", "$..[?(@..b)]"} {
		p, err := parsePath(text)
		if err != nil {
			t.Fatal(err)
		}
		started := time.Now()
		if _, err := p.selectFrom(root); err == nil {
			t.Errorf("%s: no error", text)
		}
		if took := time.Since(started); took > 2*time.Second {
			t.Errorf("%s took %v", text, took)
		}
	}
}

func TestPut(t *testing.T) {
	tests := []struct{ root, path, want string }{
		{`{"a":1}`, "$.b", `{"a":1,"b":"new"}`},
		{`{"a":1}`, "$.a", `{"a":"new"}`},
		{`{"a":1}`, "$.b.c.d", `{"a":1,"b":{"c":{"d":"new"}}}`},
		{`{"a":[1,2]}`, "$.a[1]", `{"a":[1,"new"]}`},
		{`{"a":[1,2]}`, "$.a[-1].x", ""},
		{`{"a":[1,2]}`, "$.a[2]", ""},
		{`{"a":"text"}`, "$.a.b", ""},
		{`"text"`, "$.a", ""},
		{`[1]`, "$.a", ""},
	}
	for _, test := range tests {
		root, err := decode([]byte(test.root))
		if err != nil {
			t.Fatal(err)
		}
		p, err := parsePath(test.path)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if v, ok := p.put(root, "new"); ok {
			got = string(encode(v))
		}
		if got != test.want {
			t.Errorf("%s in %s: got %s, want %s", test.path, test.root, got, test.want)
		}
		if string(encode(root)) != test.root {
			t.Errorf("%s changed its root to %s", test.path, encode(root))
		}
	}
}

func FuzzPath(f *testing.F) {
	for _, seed := range []string{"$", "$$.a", "$v[0]", "$..a[?(@.b == 'x' && !($.c))].length()", "$['a','b'][1:-1]", "$[(@.length-1)]"} {
		f.Add(seed, library)
	}
	f.Fuzz(func(t *testing.T, text, data string) {
		p, err := parsePath(text)
		if err != nil {
			return
		}
		if p.text != text {
			t.Fatalf("%q parses as %q", text, p.text)
		}
		root, err := decode([]byte(data))
		if err != nil {
			return
		}
		before := string(encode(root))
		if v, err := p.selectFrom(root); err == nil {
			encode(v)
		}
		if p.isReference() {
			if v, ok := p.put(root, "new"); ok {
				if got, err := p.selectFrom(v); err != nil || got != "new" {
					t.Fatalf("%q does not find what it put: %v, %v", text, got, err)
				}
			}
		}
		if string(encode(root)) != before {
			t.Fatalf("%q changed its root", text)
		}
	})
}
