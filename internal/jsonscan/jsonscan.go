// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonscan walks over JSON text in memory without decoding it: it finds where values end and hands out members
// and elements by their position. The packages cloudtrail and eventpattern read only a few fields of large records with
// it, several times faster than encoding/json decodes them.
//
// It accepts exactly what encoding/json accepts (RFC 8259, invalid UTF-8 in strings tolerated), down to [MaxDepth]; a
// fuzz test holds it to that. It is not a decoder: numbers stay text, duplicate names are handed out as they come.
// All functions take any input; none panics or allocates in proportion to more than one string.
package jsonscan

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested within one call. PutEvents of EventBridge has the same limit.
const MaxDepth = 1000

// ErrEnd tells that the text ends inside a value: with more text it may be valid.
var ErrEnd = errors.New("the JSON text ends inside a value")

// SyntaxError tells where text is not JSON.
type SyntaxError struct {
	// Offset is the position of the offending byte in the slice given.
	Offset int
	// Problem says what is wrong.
	Problem string
}

// Error says what is wrong where.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Problem, e.Offset)
}

// Space returns the position of the first byte at or after i that is not white space.
func Space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

// Value checks the value that begins at b[i], white space before it allowed, and returns where it ends. A number that
// reaches the end of b is taken for complete.
func Value(b []byte, i int) (int, error) {
	return value(b, Space(b, i), 0)
}

// Valid tells whether b is one JSON value with nothing but white space around it.
func Valid(b []byte) bool {
	end, err := Value(b, 0)
	return err == nil && Space(b, end) == len(b)
}

func value(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, ErrEnd
	}
	switch b[i] {
	case '"':
		_, _, end, err := String(b, i)
		return end, err
	case '{':
		return object(b, i, depth+1)
	case '[':
		return array(b, i, depth+1)
	case 't':
		return literal(b, i, "true")
	case 'f':
		return literal(b, i, "false")
	case 'n':
		return literal(b, i, "null")
	}
	return number(b, i)
}

func object(b []byte, i, depth int) (int, error) {
	if depth > MaxDepth {
		return i, tooDeep(i)
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		_, _, at, err := name(b, i)
		if err != nil {
			return at, err
		}
		if i, err = value(b, at, depth); err != nil {
			return i, err
		}
		done := false
		if i, done, err = separator(b, i, '}'); err != nil || done {
			return i, err
		}
	}
}

func array(b []byte, i, depth int) (int, error) {
	if depth > MaxDepth {
		return i, tooDeep(i)
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = value(b, i, depth); err != nil {
			return i, err
		}
		done := false
		if i, done, err = separator(b, i, ']'); err != nil || done {
			return i, err
		}
	}
}

// Members calls each for every member of the object that begins at b[i], with the decoded name and the position of the
// value's first byte; each returns where the value ends, or an error, which ends the walk. The name is valid only
// during the call. Members returns where the object ends.
func Members(b []byte, i int, each func(name []byte, at int) (int, error)) (int, error) {
	if i >= len(b) {
		return i, ErrEnd
	}
	if b[i] != '{' {
		return i, unexpected(b, i, "the beginning of an object")
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		key, plain, at, err := name(b, i)
		if err != nil {
			return at, err
		}
		if !plain {
			key = []byte(Unquote(key))
		}
		if i, err = each(key, at); err != nil {
			return i, err
		}
		done := false
		if i, done, err = separator(b, i, '}'); err != nil || done {
			return i, err
		}
	}
}

// Elements calls each for every element of the array that begins at b[i], as [Members] does for objects.
func Elements(b []byte, i int, each func(at int) (int, error)) (int, error) {
	if i >= len(b) {
		return i, ErrEnd
	}
	if b[i] != '[' {
		return i, unexpected(b, i, "the beginning of an array")
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = each(i); err != nil {
			return i, err
		}
		done := false
		if i, done, err = separator(b, i, ']'); err != nil || done {
			return i, err
		}
	}
}

// name reads a member's name and the colon after it, and returns the position of the value.
func name(b []byte, i int) (key []byte, plain bool, at int, err error) {
	if i < len(b) && b[i] != '"' {
		return nil, false, i, unexpected(b, i, "a member's name")
	}
	key, plain, i, err = String(b, i)
	if err != nil {
		return nil, false, i, err
	}
	i = Space(b, i)
	if i >= len(b) {
		return nil, false, i, ErrEnd
	}
	if b[i] != ':' {
		return nil, false, i, unexpected(b, i, "a colon after a member's name")
	}
	i = Space(b, i+1)
	if i >= len(b) {
		return nil, false, i, ErrEnd
	}
	return key, plain, i, nil
}

// separator reads what follows a member or element: a comma, or the closing bracket, which ends the container.
func separator(b []byte, i int, closing byte) (next int, done bool, err error) {
	i = Space(b, i)
	if i >= len(b) {
		return i, false, ErrEnd
	}
	switch b[i] {
	case closing:
		return i + 1, true, nil
	case ',':
		i = Space(b, i+1)
		if i >= len(b) {
			return i, false, ErrEnd
		}
		return i, false, nil
	}
	return i, false, unexpected(b, i, fmt.Sprintf("a comma or %q", closing))
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks the bytes of w that need a look: quotes, backslashes, control characters and all beyond ASCII. The
// lowest mark is exact; marks above it may be false.
func special(w uint64) uint64 {
	quote := w ^ ones*'"'
	slash := w ^ ones*'\\'
	return ((quote-ones)&^quote | (slash-ones)&^slash | (w-ones*' ')&^w | w) & highs
}

// String reads the string that begins at b[i] with its quote. The content is what stands between the quotes, undecoded;
// plain tells that it is ASCII without escapes, so that it needs no [Unquote].
func String(b []byte, i int) (content []byte, plain bool, end int, err error) {
	if i >= len(b) {
		return nil, false, i, ErrEnd
	}
	if b[i] != '"' {
		return nil, false, i, unexpected(b, i, "the beginning of a string")
	}
	start := i + 1
	plain = true
	for i = start; ; {
		// Eight bytes at a time while nothing in them needs a look.
		for i+8 <= len(b) {
			marks := special(binary.LittleEndian.Uint64(b[i:]))
			if marks != 0 {
				i += bits.TrailingZeros64(marks) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			return nil, false, i, ErrEnd
		}
		switch c := b[i]; {
		case c == '"':
			return b[start:i], plain, i + 1, nil
		case c == '\\':
			plain = false
			if i, err = escape(b, i); err != nil {
				return nil, false, i, err
			}
		case c < ' ':
			return nil, false, i, &SyntaxError{i, "control character in a string"}
		default:
			plain = plain && c < utf8.RuneSelf
			i++
		}
	}
}

func escape(b []byte, i int) (int, error) {
	if i+1 >= len(b) {
		return len(b), ErrEnd
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(b) {
				return j, ErrEnd
			}
			if !isHex(b[j]) {
				return j, &SyntaxError{j, "bad hexadecimal digit in a \\u escape"}
			}
		}
		return i + 6, nil
	}
	return i, &SyntaxError{i, "unknown escape in a string"}
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

// Unquote decodes the content of a string as [String] returned it. Like encoding/json it puts U+FFFD for what is not
// Unicode.
func Unquote(content []byte) string {
	quoted := make([]byte, 0, len(content)+2)
	quoted = append(append(append(quoted, '"'), content...), '"')
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		// String has checked the content, so this is another's: as it stands is the best that can be said.
		return string(content)
	}
	return s
}

func literal(b []byte, i int, word string) (int, error) {
	for k := range len(word) {
		if i+k >= len(b) {
			return i + k, ErrEnd
		}
		if b[i+k] != word[k] {
			return i + k, unexpected(b, i+k, word)
		}
	}
	return i + len(word), nil
}

func number(b []byte, i int) (int, error) {
	start := i
	if b[i] == '-' {
		i++
	}
	digits := i
	if i = skipDigits(b, i); i == digits {
		return i, missing(b, i, start == i)
	}
	if b[digits] == '0' && i > digits+1 {
		return digits + 1, unexpected(b, digits+1, "no digit after a leading zero")
	}
	if i < len(b) && b[i] == '.' {
		digits = i + 1
		if i = skipDigits(b, digits); i == digits {
			return i, missing(b, i, false)
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		digits = i
		if i = skipDigits(b, i); i == digits {
			return i, missing(b, i, false)
		}
	}
	return i, nil
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

func missing(b []byte, i int, first bool) error {
	if i >= len(b) {
		return ErrEnd
	}
	if first {
		return unexpected(b, i, "a value")
	}
	return unexpected(b, i, "a digit")
}

func tooDeep(i int) error {
	return &SyntaxError{i, fmt.Sprintf("more than %d levels of nesting", MaxDepth)}
}

func unexpected(b []byte, i int, want string) error {
	return &SyntaxError{i, fmt.Sprintf("found %q, want %s", b[i], want)}
}
