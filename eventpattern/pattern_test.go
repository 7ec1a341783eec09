// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

func TestMatch(t *testing.T) {
	cases := []struct {
		name, pattern, event string
		want                 bool
	}{
		{"steps joined by dots in the pattern", `{"a.b":["x"]}`, `{"a":{"b":"x"}}`, true},
		{"steps joined by dots in the event", `{"a":{"b":["x"]}}`, `{"a.b":"x"}`, true},
		{"other dots", `{"a.b":["x"]}`, `{"a.b.c":"x"}`, false},
		{"empty steps", `{"":{"":["x"]}}`, `{".":"x"}`, true},
		{"last alternatives of a field", `{"a":["x"],"a":["y"]}`, `{"a":"x"}`, false},
		{"last alternatives, also by dots", `{"a":{"b":["x"]},"a.b":["y"]}`, `{"a":{"b":"y"}}`, true},
		{"last alternatives, inside $or", `{"a":["x"],"$or":[{"a":["y"]},{"b":["z"]}]}`, `{"a":"y"}`, true},
		{"two objects of one name", `{"a":{"b":["x"]},"a":{"c":["y"]}}`, `{"a":{"c":"y"}}`, false},
		{"both values of a repeated name", `{"a":["x"]}`, `{"a":"x","a":"y"}`, true},
		{"escapes in names and values", `{"\u0061":["\u0078"]}`, `{"a":"x"}`, true},
		{"number by value", `{"a":[300]}`, `{"a":3.0e2}`, true},
		{"account number by spelling", `{"a":[12345678901234567]}`, `{"a":12345678901234567}`, true},
		{"account number beside its neighbour", `{"a":[12345678901234567]}`, `{"a":12345678901234568}`, false},
		{"number out of range", `{"a":[{"numeric":[">",1]}]}`, `{"a":1e999}`, false},
		{"number is no string", `{"a":["1"]}`, `{"a":1}`, false},
		{"zero and negative zero", `{"a":[0]}`, `{"a":-0.0}`, true},
		{"address in another spelling", `{"a":["2001:db8::1"]}`, `{"a":"2001:0DB8:0:0:0:0:0:1"}`, true},
		{"first address of a block", `{"a":[{"cidr":"10.0.0.77/24"}]}`, `{"a":"10.0.0.0"}`, true},
		{"service in place of an address", `{"a":[{"cidr":"0.0.0.0/0"}]}`, `{"a":"cloudformation.amazonaws.com"}`, false},
		{"escaped star", `{"a":[{"wildcard":"x\\*\\\\*"}]}`, `{"a":"x*\\y"}`, true},
		{"star between equal ends", `{"a":[{"wildcard":"x*x"}]}`, `{"a":"x"}`, false},
		{"star across slashes and lines", `{"a":[{"wildcard":"*/b"}]}`, `{"a":"x/\n/b"}`, true},
		{"case of other scripts", `{"a":[{"equals-ignore-case":"ÄΣ"}]}`, `{"a":"äσ"}`, true},
		{"prefix without case", `{"a":[{"prefix":{"equals-ignore-case":"EVENT"}}]}`, `{"a":"eventBus"}`, true},
		{"suffix without case", `{"a":[{"suffix":{"equals-ignore-case":".PNG"}}]}`, `{"a":"x.png"}`, true},
		{"anything-but on null", `{"a":[{"anything-but":"x"}]}`, `{"a":null}`, true},
		{"anything-but on nothing", `{"a":[{"anything-but":"x"}]}`, `{}`, false},
		{"anything-but of many", `{"a":[{"anything-but":["1","2","3","4","5","6","7","8","9"]}]}`, `{"a":"9"}`, false},
		{"one of many", `{"a":["1","2","3","4","5","6","7","8","9",{"prefix":"x"}]}`, `{"a":"xy"}`, true},
		{"exists of null", `{"a":[{"exists":true}]}`, `{"a":null}`, true},
		{"absent of an object", `{"a":[{"exists":false}]}`, `{"a":{"b":1}}`, true},
		{"absent in one element only", `{"a":{"b":[{"exists":false}]}}`, `{"a":[{"b":1},{"c":2}]}`, false},
		{"value or absent", `{"a":["x",{"exists":false}]}`, `{"b":1}`, true},
		{"same element of nested arrays", `{"a":{"b":{"x":[1],"y":[2]}}}`, `{"a":[{"b":[{"x":1},{"y":2}]},{"b":[{"x":1,"y":2}]}]}`, true},
		{"elements of different outer elements", `{"a":{"n":[1],"b":{"x":[1]}}}`, `{"a":[{"n":1,"b":[{"x":0}]},{"n":0,"b":[{"x":1}]}]}`, false},
		{"arrays in arrays", `{"a":{"x":[1],"y":[2]}}`, `{"a":[[{"x":1}],[{"y":2},{"x":1,"y":2}]]}`, true},
		{"arrays in arrays apart", `{"a":{"x":[1],"y":[2]}}`, `{"a":[[{"x":1}],[{"y":2}]]}`, false},
		{"scalars after objects", `{"a":{"x":[1],"y":[2]},"b":["z"]}`, `{"a":[{"x":1,"y":2}],"b":["q","z"]}`, true},
		{"either array of a dotted path", `{"a":{"b":{"x":[1],"y":[2]}}}`, `{"a.b":[{"x":1}],"a":{"b":[{"y":2},{"x":1}]}}`, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := verdict(t, []byte(c.pattern), []byte(c.event))
			if want := map[bool]string{true: "match", false: "nomatch"}[c.want]; got != want {
				t.Errorf("%s, want %s (%v)", got, want, err)
			}
		})
	}
}

// TestReasons holds the reasons that the recordings of AWS do not show; they follow event-ruler.
func TestReasons(t *testing.T) {
	for pattern, want := range map[string]string{
		``:                                      "Event pattern is not valid JSON",
		`{"a":["x"]`:                            "Event pattern is not valid JSON",
		`{"a":["x"]} {}`:                        "text follows the pattern",
		`[]`:                                    "Filter is not an object",
		`{}`:                                    "Empty objects are not allowed",
		`{"a":{}}`:                              "Empty objects are not allowed",
		`{"a":[]}`:                              "Empty arrays are not allowed",
		`{"a":"x"}`:                             `"a" must be an object or an array`,
		`{"a":[["x"]]}`:                         "Match value must be String, number, true, false, or null",
		`{"a":[{}]}`:                            "Match expression name not found",
		`{"a":[{"prefix":"x","suffix":"y"}]}`:   "Only one key allowed in match expression",
		`{"a":[{"exactly":1}]}`:                 "exact match pattern must be a string",
		`{"a":[{"exists":"yes"}]}`:              "exists match pattern must be either true or false.",
		`{"a":[{"regex":"x"}]}`:                 "Unrecognized match type regex",
		`{"a":[{"prefix":{"wildcard":"x"}}]}`:   "Unsupported prefix pattern: wildcard",
		`{"a":[{"suffix":{}}]}`:                 "Suffix expression name not found",
		`{"a":[{"anything-but":{}}]}`:           "Anything-But expression name not found",
		`{"a":[{"anything-but":{"cidr":"x"}}]}`: "Unsupported anything-but pattern: cidr",
		`{"a":[{"anything-but":["x",1]}]}`:      "Inside anything but list, either all values are number or string, mixed type is not supported",
		`{"a":[{"anything-but":[true]}]}`:       "Inside anything but list, start|null|boolean is not supported.",
		`{"a":[{"anything-but":false}]}`:        "Value of anything-but must be an array or single string/number value.",
		`{"a":[{"anything-but":{"prefix":["x",""]}}]}`:                       "Null prefix/suffix not allowed",
		`{"a":[{"anything-but":{"wildcard":["x",1]}}]}`:                      "wildcard match pattern must be a string",
		`{"a":[{"wildcard":"a\\b"}]}`:                                        "Invalid escape character at pos 2",
		`{"a":[{"wildcard":"**"}]}`:                                          "Consecutive wildcard characters at pos 1",
		`{"a":[{"numeric":5}]}`:                                              "Value of numeric must be an array.",
		`{"a":[{"numeric":[]}]}`:                                             "Invalid member in numeric match: ]",
		`{"a":[{"numeric":[5]}]}`:                                            "Invalid member in numeric match: 5",
		`{"a":[{"numeric":["!",5]}]}`:                                        "Unrecognized numeric range operator: !",
		`{"a":[{"numeric":["="]}]}`:                                          "Value of equals must be numeric",
		`{"a":[{"numeric":["=",1,"<",2]}]}`:                                  "Too many elements in numeric expression",
		`{"a":[{"numeric":["<",1,">",0]}]}`:                                  "Too many elements in numeric expression",
		`{"a":[{"numeric":[">",1,2]}]}`:                                      "Bad value in numeric range: 2",
		`{"a":[{"numeric":[">",1,">",2]}]}`:                                  "Bad numeric range operator: >",
		`{"a":[{"numeric":[">",1,"<"]}]}`:                                    "Value of < must be numeric",
		`{"a":[{"numeric":[">",1,"<",2,"<"]}]}`:                              "Too many terms in numeric range expression",
		`{"a":[{"numeric":[">",2,"<",1]}]}`:                                  "Bottom must be less than top",
		`{"a":[{"cidr":5}]}`:                                                 "prefix match pattern must be a string",
		`{"a":[{"cidr":"10.0.0.0"}]}`:                                        "Malformed CIDR, one '/' required",
		`{"a":[{"cidr":"10.0.0.0/-1"}]}`:                                     "Malformed CIDR, mask bits must not be negative",
		`{"a":[{"cidr":"10.0.0.0/32"}]}`:                                     "IPv4 mask bits must be < 32",
		`{"a":[{"cidr":"::1/128"}]}`:                                         "IPv6 mask bits must be < 128",
		`{"a":[{"cidr":"10.0.0.300/8"}]}`:                                    "Invalid IP address: 10.0.0.300",
		`{"a":[{"cidr":"example.com/8"}]}`:                                   "Nonstandard IP address: example.com",
		`{"$or":"x"}`:                                                        "It must be an Array followed with $or.",
		`{"$or":[{"a":["x"]}]}`:                                              "There must have at least 2 Objects in $or relationship.",
		`{"$or":[{"a":{"prefix":["x"]}},{"b":["y"]}]}`:                       "prefix is Ruler reserved fieldName which cannot be used inside $or.",
		`{"$or":[{"a":["x"]},{}]}`:                                           "Empty objects are not allowed",
		`{"a":["x"],"b":` + strings.Repeat(`{"a":`, 2000):                    "Event pattern is not valid JSON",
		`{"a":["` + strings.Repeat("x", eventpattern.MaxPatternSize) + `"]}`: "Event pattern is longer than",
	} {
		_, err := eventpattern.Compile([]byte(pattern))
		var invalid *eventpattern.InvalidError
		if !errors.As(err, &invalid) || !strings.Contains(invalid.Reason, want) {
			t.Errorf("Compile(%.80s) = %v, want %q", pattern, err, want)
		}
	}
}

// TestOrFiles holds event-ruler's own files of $or: relationships, wrong ones, and fields that are only named so.
func TestOrFiles(t *testing.T) {
	for name, want := range map[string]bool{
		"orRelationshipRules.json": true, "normalRulesWithOrWording.json": true, "wrongOrRelationshipRules.json": false,
	} {
		text, err := os.ReadFile(thirdparty.Path(t, "event-ruler/raw/src/test/data/"+name))
		if err != nil {
			t.Fatal(err)
		}
		var patterns []json.RawMessage
		if err := json.Unmarshal(text, &patterns); err != nil || len(patterns) == 0 {
			t.Fatalf("%s holds %d patterns (%v)", name, len(patterns), err)
		}
		for i, pattern := range patterns {
			if _, err := eventpattern.Compile(pattern); (err == nil) != want {
				t.Errorf("%s[%d]: %v, want valid %v", name, i, err, want)
			}
		}
	}
	if got, err := verdict(t, []byte(`{"$or":[{"cidr":"10.0.0.0/24"}]}`), []byte(`{"$or":"10.0.0.3"}`)); got != "match" {
		t.Errorf("a field named $or: %s (%v)", got, err)
	}
}

func TestPatternsAreBounded(t *testing.T) {
	or := func(n int) string {
		operands := make([]string, n)
		for i := range operands {
			operands[i] = fmt.Sprintf(`{"f%d":["x"]}`, i)
		}
		return `"$or":[` + strings.Join(operands, ",") + `]`
	}
	wildcards := strings.TrimSuffix(strings.Repeat(`{"wildcard":"*x*"},`, 2000), ",")
	for name, c := range map[string]struct{ pattern, want string }{
		"two thousand stars":     {`{"a":[{"wildcard":"` + strings.Repeat("*x", 2000) + `"}]}`, "Rule is too complex"},
		"two thousand wildcards": {`{"a":[` + wildcards + `]}`, "Rule is too complex"},
		"too many operands":      {`{` + or(1001) + `}`, "more than 1000 combinations"},
		"operands multiplied":    {`{` + or(32) + `,"b":{` + or(32) + `}}`, "more than 1000 combinations"},
		"operands nested":        {`{"$or":[{` + or(600) + `},{"b":{` + or(600) + `}}]}`, "more than 1000 combinations"},
		"fields multiplied":      {`{` + strings.Repeat(`"g":["x"],`, 1) + strings.TrimSuffix(manyFields(2000), ",") + `,` + or(999) + `}`, "more than 200000 fields"},
	} {
		start := time.Now()
		_, err := eventpattern.Compile([]byte(c.pattern))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
	if _, err := eventpattern.Compile([]byte(`{` + or(1000) + `}`)); err != nil {
		t.Errorf("1000 combinations: %v", err)
	}
	if _, err := eventpattern.Compile([]byte(`{"a":[{"wildcard":"a*b*c*d*e*f"}]}`)); err != nil {
		t.Errorf("five stars: %v", err)
	}
}

func manyFields(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"h%d":["x"],`, i)
	}
	return b.String()
}

func TestEventsAreBounded(t *testing.T) {
	p := compile(t, `{"a":{"x":[1],"y":[2]},"w":[{"wildcard":"*a*b*c*d*e"},{"anything-but":"q"}]}`)
	elements := strings.TrimSuffix(strings.Repeat(`{"x":1},{"y":2},`, 40_000), ",")
	deep := strings.Repeat(`[`, 900) + `{"x":1}` + strings.Repeat(`]`, 900)
	for name, c := range map[string]struct{ event, want string }{
		"a megabyte of elements":  {`{"w":1,"a":[` + elements + `]}`, "nomatch"},
		"a megabyte of text":      {`{"w":"` + strings.Repeat("a", 1<<20) + `","a":{"x":1,"y":2}}`, "match"},
		"a megabyte of scalars":   {`{"w":"q","a":[` + strings.TrimSuffix(strings.Repeat("1,", 1<<19), ",") + `]}`, "nomatch"},
		"deep arrays":             {`{"w":1,"a":[` + strings.TrimSuffix(strings.Repeat(deep+",", 300), ",") + `,{"x":1,"y":2}]}`, "match"},
		"a path of a megabyte":    {strings.Repeat(`{"`+strings.Repeat("k", 1000)+`":{"l":1,"m":`, 499) + "1" + strings.Repeat("}}", 499), "nomatch"},
		"many names with one dot": {`{"w":1` + strings.Repeat(`,"a.x":1`, 100_000) + `}`, "nomatch"},
	} {
		start := time.Now()
		got := "nomatch"
		matched, err := p.Match([]byte(c.event))
		if matched {
			got = "match"
		}
		e, parseErr := eventpattern.ParseEvent([]byte(c.event))
		if err != nil || parseErr != nil || got != c.want || p.MatchEvent(e) != matched {
			t.Errorf("%s: %s, %v, %v, want %s", name, got, err, parseErr, c.want)
		}
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("%s took %v", name, took)
		}
	}
}

// TestAmbiguousEvents repeats the name of an array, so that each field may be matched in any of many arrays.
func TestAmbiguousEvents(t *testing.T) {
	event := func(arrays, fields int) []byte {
		elements := make([]string, fields)
		for f := range elements {
			elements[f] = fmt.Sprintf(`{"f%d":1}`, f)
		}
		array := `"a":[` + strings.Join(elements, ",") + `]`
		return []byte(`{` + strings.TrimSuffix(strings.Repeat(array+",", arrays), ",") + `}`)
	}
	var fields []string
	for f := range 13 {
		fields = append(fields, fmt.Sprintf(`"f%d":[1]`, f))
	}
	p := compile(t, `{"a":{`+strings.Join(fields, ",")+`}}`)

	// Each array can hold one field: thirteen suffice for thirteen fields.
	if matched, err := p.Match(event(13, 13)); err != nil || !matched {
		t.Errorf("as many arrays as fields: %v, %v, want a match", matched, err)
	}
	// With twelve, only trying all ways would tell.
	start := time.Now()
	if matched, err := p.Match(event(12, 13)); !errors.Is(err, eventpattern.ErrTooComplex) || matched {
		t.Errorf("one array too few: %v, %v, want ErrTooComplex", matched, err)
	}
	e, err := eventpattern.ParseEvent(event(12, 13))
	if err != nil || !p.MatchEvent(e) {
		t.Errorf("one array too few, without an error to return: no match (%v)", err)
	}
	if took := time.Since(start); took > 20*time.Second {
		t.Errorf("cut off after %v", took)
	}
}

func TestEventErrors(t *testing.T) {
	p := compile(t, `{"a":["x"]}`)
	for event, want := range map[string]string{
		``: "empty", ` `: "empty", `[]`: "not a JSON object", `"a"`: "not a JSON object", `{"a":1`: "ends inside",
		`{"a":1}}`: "text follows", `{"b":{"c":tru}}`: "not valid JSON", `{"a":` + strings.Repeat("[", 2000): "levels of nesting",
		`{"b":` + strings.Repeat("[", 2000): "levels of nesting",
	} {
		_, err := p.Match([]byte(event))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Match(%.40s) = %v, want %q", event, err, want)
		}
		if _, err := eventpattern.ParseEvent([]byte(event)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseEvent(%.40s) = %v, want %q", event, err, want)
		}
		var set eventpattern.Set[int]
		set.Add(1, p)
		if keys, err := set.MatchJSON([]byte(event)); err == nil || keys != nil {
			t.Errorf("Set.MatchJSON(%.40s) = %v, %v", event, keys, err)
		}
	}
}

func compile(t testing.TB, pattern string) *eventpattern.Pattern {
	t.Helper()
	p, err := eventpattern.Compile([]byte(pattern))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestSetKeys(t *testing.T) {
	var set eventpattern.Set[string]
	if keys, err := set.MatchJSON([]byte(`{"a":"x"}`)); err != nil || keys != nil {
		t.Errorf("empty set: %v, %v", keys, err)
	}
	set.Add("second", compile(t, `{"a":["x"]}`))
	set.Add("first", compile(t, `{"b":["y"]}`))
	set.Add("second", compile(t, `{"a":[{"prefix":"z"}]}`))
	for event, want := range map[string]string{
		`{"a":"x"}`: "[second]", `{"a":"zz"}`: "[second]", `{"a":["x","z"],"b":"y"}`: "[second first]", `{"b":"y"}`: "[first]", `{}`: "[]",
	} {
		keys, err := set.MatchJSON([]byte(event))
		if err != nil || fmt.Sprint(keys) != want {
			t.Errorf("MatchJSON(%s) = %v, %v, want %s", event, keys, err, want)
		}
	}
	if set.Len() != 2 {
		t.Errorf("Len = %d, want 2", set.Len())
	}
	set.Add("third", compile(t, `{"a":[{"exists":true}]}`))
	if keys, _ := set.MatchJSON([]byte(`{"a":"x"}`)); fmt.Sprint(keys) != "[second third]" {
		t.Errorf("after another Add: %v", keys)
	}
}

// TestConcurrentUse has value under the race detector.
func TestConcurrentUse(t *testing.T) {
	set, events := benchSet(t, 50), benchEvents()[:20]
	p := compile(t, benchPatterns(1)[0])
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i, event := range events {
				keys, err := set.MatchJSON(event)
				e, parseErr := eventpattern.ParseEvent(event)
				if err != nil || parseErr != nil {
					t.Error(err, parseErr)
					return
				}
				if again := set.Match(e); fmt.Sprint(again) != fmt.Sprint(keys) && worker == 0 {
					t.Errorf("event %d: %v and %v", i, keys, again)
				}
				p.MatchEvent(e)
				if worker == 1 && i%5 == 0 {
					set.Add(1000+i, p)
				}
			}
		})
	}
	wg.Wait()
}

func FuzzCompile(f *testing.F) {
	for _, seed := range append(benchPatterns(10), `{"a":[{"numeric":[">",0,"<",1e5]}]}`, `{"$or":[{"a":[1]},{"b":[null]}]}`, `{"a":[{"cidr":"::/8"}]}`, `{"a":[{"anything-but":{"wildcard":"*"}}]}`) {
		f.Add([]byte(seed), []byte(`{"a":"x","b":[{"c":1}]}`))
	}
	f.Fuzz(func(t *testing.T, pattern, event []byte) {
		p, err := eventpattern.Compile(pattern)
		if err != nil {
			var invalid *eventpattern.InvalidError
			if !errors.As(err, &invalid) {
				t.Errorf("error %v is no InvalidError", err)
			}
			return
		}
		if !json.Valid(pattern) {
			t.Errorf("Compile accepts %q", pattern)
		}
		matched, err := p.Match(event)
		e, parseErr := eventpattern.ParseEvent(event)
		if (parseErr == nil) != (err == nil) && !errors.Is(err, eventpattern.ErrTooComplex) {
			t.Errorf("Match: %v, ParseEvent: %v", err, parseErr)
		}
		if err == nil && p.MatchEvent(e) != matched {
			t.Errorf("Match = %v, MatchEvent = %v", matched, !matched)
		}
		if err == nil && !json.Valid(event) {
			t.Errorf("Match accepts %q", event)
		}
	})
}
