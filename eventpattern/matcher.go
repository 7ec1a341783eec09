// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"bytes"
	"net/netip"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// op is what a matcher does.
type op uint8

const (
	opExact      op = iota // a string equal to text
	opAddress              // a string that is text, or the same address in another spelling
	opLiteral              // null, true or false
	opSpelling             // a number spelled as text
	opRange                // a number between low and high
	opPrefix               // a string that begins with text
	opSuffix               // a string that ends with text
	opFold                 // a string equal to text but for case
	opPrefixFold           // a string that begins with text but for case
	opSuffixFold           // a string that ends with text but for case
	opWildcard             // a string of the pieces and anything between them
	opCIDR                 // a string that is an address of the block
	opExists               // any leaf
	opNot                  // any leaf that excluded does not match
	opAbsent               // no leaf at all; not a matcher of leaves
)

// matcher decides about one leaf.
type matcher struct {
	op                op
	kind              kind
	text              string
	pieces            [][]byte
	low, high         float64
	lowOpen, highOpen bool
	addr              netip.Addr
	block             netip.Prefix
	excluded          *alternatives
}

func newText(o op, text string) matcher { return matcher{op: o, text: text} }

func not(excluded ...matcher) matcher {
	m := matcher{op: opNot, excluded: new(alternatives)}
	for _, e := range excluded {
		m.excluded.add(e)
	}
	m.excluded.index()
	return m
}

// leaf is a scalar of an event.
type leaf struct {
	kind kind
	// element is the innermost array element around the leaf; 0 outside arrays.
	element int32
	// text is a string decoded, a number as written.
	text []byte
}

func (m *matcher) match(l *leaf) bool {
	switch m.op {
	case opExists:
		return true
	case opNot:
		return !m.excluded.match(l)
	case opLiteral:
		return l.kind == m.kind
	case opSpelling:
		return l.kind == kindNumber && string(l.text) == m.text
	case opRange:
		f, ok := l.number()
		return ok && m.inRange(f)
	}
	return l.kind == kindString && m.matchString(l.text)
}

func (m *matcher) matchString(text []byte) bool {
	switch m.op {
	case opExact:
		return string(text) == m.text
	case opAddress:
		addr, ok := parseAddr(text)
		return ok && addr == m.addr
	case opPrefix:
		return len(text) >= len(m.text) && string(text[:len(m.text)]) == m.text
	case opSuffix:
		return len(text) >= len(m.text) && string(text[len(text)-len(m.text):]) == m.text
	case opFold:
		rest, ok := cutPrefixFold(text, m.text)
		return ok && len(rest) == 0
	case opPrefixFold:
		_, ok := cutPrefixFold(text, m.text)
		return ok
	case opSuffixFold:
		return hasSuffixFold(text, m.text)
	case opWildcard:
		return matchWildcard(m.pieces, text)
	case opCIDR:
		addr, ok := parseAddr(text)
		return ok && m.block.Contains(addr)
	}
	return false
}

// number is the leaf's value; false for what is no number, or none that a float64 can hold.
func (l *leaf) number() (float64, bool) {
	if l.kind != kindNumber {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(l.text), 64)
	return f, err == nil
}

// foldsTo tells whether a rune of an event is one of the two cases of a pattern's rune. As for EventBridge this is not
// symmetric: K matches k, but not the Kelvin sign.
func foldsTo(event, pattern rune) bool {
	return event == pattern || event == unicode.ToLower(pattern) || event == unicode.ToUpper(pattern)
}

// cutPrefixFold returns what follows prefix in text.
func cutPrefixFold(text []byte, prefix string) ([]byte, bool) {
	for _, want := range prefix {
		got, size := utf8.DecodeRune(text)
		if size == 0 || !foldsTo(got, want) {
			return nil, false
		}
		text = text[size:]
	}
	return text, true
}

func hasSuffixFold(text []byte, suffix string) bool {
	for len(suffix) > 0 {
		want, n := utf8.DecodeLastRuneInString(suffix)
		got, size := utf8.DecodeLastRune(text)
		if size == 0 || !foldsTo(got, want) {
			return false
		}
		suffix, text = suffix[:len(suffix)-n], text[:len(text)-size]
	}
	return true
}

// foldKey is equal for all texts that one equals-ignore-case matches.
func foldKey(text []byte) string {
	return string(bytes.Map(func(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }, text))
}

// alternatives match a leaf that one of them matches.
type alternatives struct {
	matchers []matcher
	// exact holds the texts of the opExact matchers, when they are many; matchers then has only the others.
	exact map[string]bool
}

// manyExact is from where a map is faster than comparing.
const manyExact = 8

func (a *alternatives) add(m matcher) { a.matchers = append(a.matchers, m) }

// index is called when all are added.
func (a *alternatives) index() {
	var others []matcher
	exact := map[string]bool{}
	for _, m := range a.matchers {
		if m.op == opExact {
			exact[m.text] = true
			continue
		}
		others = append(others, m)
	}
	if len(exact) >= manyExact {
		a.matchers, a.exact = others, exact
	}
}

func (a *alternatives) match(l *leaf) bool {
	if l.kind == kindString && a.exact[string(l.text)] {
		return true
	}
	for i := range a.matchers {
		if a.matchers[i].match(l) {
			return true
		}
	}
	return false
}
