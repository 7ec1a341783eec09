// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/switchback-project/switchback/eventpattern"
)

// The reference matcher below does literally what the language's description says, on values decoded by encoding/json:
// expand $or, flatten the event, try all combinations of leaves. It is slow and has no limits.

type refLeaf struct {
	path  string
	value any
	trail map[int]int // array -> index of the element
}

func decodeAny(text []byte) any {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return v
}

func refMatch(pattern, event []byte) bool {
	leaves := refFlatten(decodeAny(event))
	for _, rule := range refExpand(decodeAny(pattern).(map[string]any), "") {
		if refRule(rule, slices.Sorted(maps.Keys(rule)), leaves, map[int]int{}) {
			return true
		}
	}
	return false
}

func refFlatten(event any) []refLeaf {
	var leaves []refLeaf
	arrays := 0
	var walk func(v any, path string, trail map[int]int)
	walk = func(v any, path string, trail map[int]int) {
		switch v := v.(type) {
		case map[string]any:
			for name, member := range v {
				walk(member, strings.TrimPrefix(path+"."+name, "."), trail)
			}
		case []any:
			arrays++
			array := arrays
			for i, element := range v {
				inner := maps.Clone(trail)
				switch element.(type) {
				case map[string]any, []any:
					inner[array] = i
				}
				walk(element, path, inner)
			}
		default:
			leaves = append(leaves, refLeaf{path, v, trail})
		}
	}
	walk(event, "", map[int]int{})
	return leaves
}

func refExpand(pattern map[string]any, prefix string) []map[string][]any {
	rules := []map[string][]any{{}}
	cross := func(others []map[string][]any) {
		var all []map[string][]any
		for _, a := range rules {
			for _, b := range others {
				c := maps.Clone(a)
				maps.Copy(c, b)
				all = append(all, c)
			}
		}
		rules = all
	}
	for name, v := range pattern {
		switch v := v.(type) {
		case map[string]any:
			cross(refExpand(v, prefix+name+"."))
		case []any:
			if name != "$or" {
				cross([]map[string][]any{{prefix + name: v}})
				continue
			}
			var operands []map[string][]any
			for _, operand := range v {
				operands = append(operands, refExpand(operand.(map[string]any), prefix)...)
			}
			cross(operands)
		}
	}
	return rules
}

func refRule(rule map[string][]any, paths []string, leaves []refLeaf, chosen map[int]int) bool {
	if len(paths) == 0 {
		return true
	}
	present := false
	for _, l := range leaves {
		if l.path != paths[0] {
			continue
		}
		present = true
		if !slices.ContainsFunc(rule[paths[0]], func(alternative any) bool { return refValue(alternative, l.value) }) {
			continue
		}
		consistent, extended := true, maps.Clone(chosen)
		for array, index := range l.trail {
			if other, ok := chosen[array]; ok && other != index {
				consistent = false
			}
			extended[array] = index
		}
		if consistent && refRule(rule, paths[1:], leaves, extended) {
			return true
		}
	}
	absent := slices.ContainsFunc(rule[paths[0]], func(alternative any) bool {
		m, _ := alternative.(map[string]any)
		return m["exists"] == false
	})
	return !present && absent && refRule(rule, paths[1:], leaves, chosen)
}

func refValue(alternative, value any) bool {
	text, isText := value.(string)
	switch a := alternative.(type) {
	case map[string]any:
		for operator, operand := range a {
			return refOperator(operator, operand, value)
		}
	case string:
		if addr, ok := refAddr(a); ok {
			got, isAddr := refAddr(text)
			return isText && isAddr && got == addr
		}
		return isText && text == a
	case json.Number:
		return refNumber(a, value)
	}
	return alternative == value
}

func refNumber(want json.Number, value any) bool {
	got, ok := value.(json.Number)
	if !ok {
		return false
	}
	f, err := strconv.ParseFloat(string(want), 64)
	shortest, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'g', -1, 64))
	exact, _ := new(big.Rat).SetString(string(want))
	if err != nil || shortest.Cmp(exact) != 0 {
		return got == want
	}
	g, err := strconv.ParseFloat(string(got), 64)
	return err == nil && g == f
}

func refAddr(s string) (netip.Addr, bool) {
	if parts := strings.Split(s, "."); len(parts) == 4 {
		for i, part := range parts {
			n, err := strconv.ParseUint(part, 10, 8)
			if err != nil {
				return netip.Addr{}, false
			}
			parts[i] = strconv.FormatUint(n, 10)
		}
		s = strings.Join(parts, ".")
	}
	addr, err := netip.ParseAddr(s)
	return addr.Unmap(), err == nil && addr.Zone() == ""
}

func refOperator(operator string, operand, value any) bool {
	text, isText := value.(string)
	switch operator {
	case "exists":
		return operand == true
	case "anything-but":
		return !refExcluded(operand, value)
	case "numeric":
		return refRange(operand.([]any), value)
	case "cidr":
		block := netip.MustParsePrefix(operand.(string))
		addr, ok := refAddr(text)
		return isText && ok && block.Contains(addr)
	}
	if m, ok := operand.(map[string]any); ok {
		return isText && refFoldAffix(operator, text, m["equals-ignore-case"].(string))
	}
	want := operand.(string)
	switch operator {
	case "exactly":
		return isText && text == want
	case "prefix":
		return isText && strings.HasPrefix(text, want)
	case "suffix":
		return isText && strings.HasSuffix(text, want)
	case "equals-ignore-case":
		return isText && refFold([]rune(text), []rune(want))
	case "wildcard":
		var re strings.Builder
		for i := 0; i < len(want); i++ {
			switch {
			case want[i] == '\\':
				i++
				re.WriteString(regexp.QuoteMeta(want[i : i+1]))
			case want[i] == '*':
				re.WriteString(".*")
			default:
				re.WriteString(regexp.QuoteMeta(want[i : i+1]))
			}
		}
		return isText && regexp.MustCompile("(?s)^"+re.String()+"$").MatchString(text)
	}
	panic("unknown operator " + operator)
}

func refFold(text, want []rune) bool {
	return slices.EqualFunc(text, want, func(got, want rune) bool {
		return got == want || got == unicode.ToLower(want) || got == unicode.ToUpper(want)
	})
}

func refFoldAffix(operator, text, want string) bool {
	t, w := []rune(text), []rune(want)
	if len(t) < len(w) {
		return false
	}
	if operator == "prefix" {
		return refFold(t[:len(w)], w)
	}
	return refFold(t[len(t)-len(w):], w)
}

func refExcluded(operand, value any) bool {
	switch o := operand.(type) {
	case []any:
		return slices.ContainsFunc(o, func(one any) bool { return refExcluded(one, value) })
	case map[string]any:
		for operator, inner := range o {
			list, isList := inner.([]any)
			if !isList {
				list = []any{inner}
			}
			return slices.ContainsFunc(list, func(one any) bool { return refOperator(operator, one, value) })
		}
	case json.Number:
		return refNumber(o, value)
	}
	return operand == value
}

func refRange(terms []any, value any) bool {
	n, ok := value.(json.Number)
	if !ok {
		return false
	}
	f, err := n.Float64()
	if err != nil {
		return false
	}
	for i := 0; i < len(terms); i += 2 {
		bound, _ := terms[i+1].(json.Number).Float64()
		if !map[string]bool{"=": f == bound, "<": f < bound, "<=": f <= bound, ">": f > bound, ">=": f >= bound}[terms[i].(string)] {
			return false
		}
	}
	return true
}

// generator makes patterns and events over a small vocabulary, so that they often match, and often nearly.
type generator struct{ *rand.Rand }

func (g generator) pick(options ...string) string { return options[g.IntN(len(options))] }

func (g generator) name() string { return g.pick("a", "b", "c", "a", "b", "a.b", "b.c") }

func (g generator) scalar() string {
	return g.pick(`"x"`, `"xy"`, `"X"`, `"yx"`, `""`, `"10.0.0.1"`, `"010.0.0.1"`, `"10.0.1.9"`, `"2001:db8::1"`, `"2001:0db8:0:0::1"`,
		`1`, `1.0`, `10e-1`, `2`, `-3.5`, `12345678901234567`, `12345678901234568`, `true`, `false`, `null`, `"1"`, `"null"`, `"\u0078"`, `"ä"`, `"Ä"`)
}

func (g generator) text() string {
	return g.pick(`"x"`, `"xy"`, `"y"`, `"X"`, `"yx"`, `"10."`, `"ä"`)
}

func (g generator) alternative() string {
	switch g.IntN(16) {
	case 0:
		return `{"prefix":` + g.text() + `}`
	case 1:
		return `{"suffix":` + g.text() + `}`
	case 2:
		return `{"equals-ignore-case":` + g.text() + `}`
	case 3:
		return `{"wildcard":` + g.pick(`"*"`, `"x*"`, `"*x"`, `"*y*"`, `"x*y"`, `"1*.*.1"`, `""`, `"x"`) + `}`
	case 4:
		return `{"numeric":` + g.pick(`["=",1]`, `[">",0,"<=",1]`, `[">=",1,"<",2]`, `["<",0]`, `[">",1]`) + `}`
	case 5:
		return `{"cidr":` + g.pick(`"10.0.0.0/24"`, `"10.0.0.77/8"`, `"2001:db8::/32"`, `"0.0.0.0/0"`) + `}`
	case 6:
		return `{"exists":true}`
	case 7, 8:
		return `{"exists":false}`
	case 9:
		return `{"anything-but":` + g.pick(`"x"`, `1`, `["x","xy"]`, `[1,2]`, `{"prefix":"x"}`, `{"suffix":["x","y"]}`,
			`{"equals-ignore-case":"x"}`, `{"wildcard":["*x","1*"]}`) + `}`
	case 10:
		return `{"` + g.pick("prefix", "suffix") + `":{"equals-ignore-case":` + g.text() + `}}`
	case 11:
		return `{"exactly":` + g.text() + `}`
	}
	return g.scalar()
}

func (g generator) list(n int, one func() string) string {
	parts := make([]string, n)
	for i := range parts {
		parts[i] = one()
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func (g generator) object(n int, one func(name string) string) string {
	var parts []string
	used := map[string]bool{}
	for range n {
		name := g.name()
		if !used[name] {
			used[name] = true
			parts = append(parts, strconv.Quote(name)+":"+one(name))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func (g generator) pattern(depth int) string {
	p := g.object(1+g.IntN(3), func(string) string {
		if depth < 3 && g.IntN(2) == 0 {
			return g.pattern(depth + 1)
		}
		return g.list(1+g.IntN(2), g.alternative)
	})
	if g.IntN(6) == 0 && depth < 3 {
		or := g.list(2+g.IntN(2), func() string { return g.pattern(depth + 1) })
		p = strings.TrimSuffix(p, "}") + `,"$or":` + or + "}"
	}
	return p
}

func (g generator) event(depth int) string {
	return g.object(1+g.IntN(4), func(string) string { return g.value(depth + 1) })
}

func (g generator) value(depth int) string {
	if depth > 5 {
		return g.scalar()
	}
	switch g.IntN(6) {
	case 0, 1:
		return g.event(depth)
	case 2, 3:
		return g.list(g.IntN(4), func() string { return g.value(depth + 1) })
	}
	return g.scalar()
}

// ambiguous tells that a path occurs twice in one combination: which one counts depends on the order of the text, which
// the reference matcher does not see.
func ambiguous(pattern []byte) bool {
	seen := false
	var paths func(v map[string]any, prefix string) []map[string]bool
	paths = func(v map[string]any, prefix string) []map[string]bool {
		rules := []map[string]bool{{}}
		cross := func(others []map[string]bool) {
			var all []map[string]bool
			for _, a := range rules {
				for _, b := range others {
					c := maps.Clone(a)
					for path := range b {
						seen = seen || c[path]
						c[path] = true
					}
					all = append(all, c)
				}
			}
			rules = all
		}
		for name, v := range v {
			switch v := v.(type) {
			case map[string]any:
				cross(paths(v, prefix+name+"."))
			case []any:
				if name != "$or" {
					cross([]map[string]bool{{prefix + name: true}})
					continue
				}
				var operands []map[string]bool
				for _, operand := range v {
					operands = append(operands, paths(operand.(map[string]any), prefix)...)
				}
				cross(operands)
			}
		}
		return rules
	}
	paths(decodeAny(pattern).(map[string]any), "")
	return seen
}

// checkSeed generates patterns and events from a seed and compares all ways of matching with the reference matcher.
func checkSeed(t *testing.T, seed uint64) (matches int) {
	t.Helper()
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	var set eventpattern.Set[int]
	var texts []string
	var patterns []*eventpattern.Pattern
	for len(patterns) < 8 {
		text := g.pattern(0)
		if ambiguous([]byte(text)) {
			continue
		}
		p, err := eventpattern.Compile([]byte(text))
		if err != nil {
			t.Fatalf("Compile(%s): %v", text, err)
		}
		set.Add(len(patterns), p)
		texts, patterns = append(texts, text), append(patterns, p)
	}
	for range 4 {
		event := []byte(g.event(0))
		e, err := eventpattern.ParseEvent(event)
		if err != nil {
			t.Fatalf("ParseEvent(%s): %v", event, err)
		}
		var want []int
		for i, p := range patterns {
			expected := refMatch([]byte(texts[i]), event)
			if got, err := p.Match(event); got != expected || err != nil {
				t.Fatalf("Match = %v, %v, the reference says %v\npattern %s\nevent %s", got, err, expected, texts[i], event)
			}
			if got := p.MatchEvent(e); got != expected {
				t.Fatalf("MatchEvent = %v, the reference says %v\npattern %s\nevent %s", got, expected, texts[i], event)
			}
			if expected {
				want = append(want, i)
			}
		}
		if got, err := set.MatchJSON(event); err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("Set.MatchJSON = %v, %v, want %v\npatterns %s\nevent %s", got, err, want, strings.Join(texts, "\n"), event)
		}
		if got := set.Match(e); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("Set.Match = %v, want %v\npatterns %s\nevent %s", got, want, strings.Join(texts, "\n"), event)
		}
		matches += len(want)
	}
	return matches
}

func TestAgreesWithReference(t *testing.T) {
	matches := 0
	for seed := range uint64(400) {
		matches += checkSeed(t, seed)
	}
	if matches < 500 {
		t.Errorf("only %d of 12800 pairs match: the generator has become useless", matches)
	}
}

func FuzzAgreesWithReference(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) { checkSeed(t, seed) })
}
