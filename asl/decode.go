// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// ParseError says where JSON text is at fault.
type ParseError struct {
	// Offset counts bytes from 0, Line and Column count from 1 (bytes).
	Offset, Line, Column int
	Message              string
}

// Error returns the message with line and column.
func (e *ParseError) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
}

// decode reads exactly one JSON value. It refuses duplicate keys and nesting deeper than MaxDepth; time and memory are
// linear in the size of the text. Every error is a *ParseError.
func decode(data []byte) (any, error) { return decodeWith(data, false) }

// decodeLax is decode for text made by people's programs at run time (States.StringToJson): the last of equal keys wins.
func decodeLax(data []byte) (any, error) { return decodeWith(data, true) }

func decodeWith(data []byte, lax bool) (any, error) {
	// One copy of the text: strings without escapes are slices of it.
	d := decoder{text: string(data), lax: lax}
	return d.whole()
}

// decodeDatum is decode for data that goes on as text too: text that is compact already is not written anew.
func decodeDatum(data []byte) (*datum, error) {
	d := decoder{text: string(data)}
	v, err := d.whole()
	if err != nil || d.differs {
		return datumOf(v), err
	}
	return &datum{text: []byte(d.text), val: v, known: true}, nil
}

type decoder struct {
	text  string
	pos   int
	depth int
	lax   bool
	// differs says that encode may write the value in another way.
	differs bool
}

func (d *decoder) whole() (any, error) {
	v, err := d.document()
	if err != nil {
		return nil, d.locate(err.(*ParseError))
	}
	return v, nil
}

func (d *decoder) document() (any, error) {
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	d.space()
	if d.pos < len(d.text) {
		return nil, d.fault("text after the JSON value")
	}
	return v, nil
}

func (d *decoder) fault(format string, args ...any) error {
	return &ParseError{Offset: d.pos, Message: fmt.Sprintf(format, args...)}
}

func (d *decoder) locate(e *ParseError) error {
	before := []byte(d.text[:min(e.Offset, len(d.text))])
	e.Line = 1 + bytes.Count(before, []byte{'\n'})
	e.Column = len(before) - bytes.LastIndexByte(before, '\n')
	return e
}

func (d *decoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\t', '\n', '\r':
			d.differs = true
			d.pos++
		default:
			return
		}
	}
}

func (d *decoder) value() (any, error) {
	d.space()
	if d.pos >= len(d.text) {
		return nil, d.fault("unexpected end of JSON text")
	}
	switch c := d.text[d.pos]; c {
	case '{':
		return d.object()
	case '[':
		return d.array()
	case '"':
		return d.string()
	case 't':
		return true, d.literal("true")
	case 'f':
		return false, d.literal("false")
	case 'n':
		return nil, d.literal("null")
	default:
		if c == '-' || c >= '0' && c <= '9' {
			return d.number()
		}
		return nil, d.fault("unexpected character %q", firstRune(d.text[d.pos:]))
	}
}

func firstRune(s string) rune {
	r, _ := utf8.DecodeRuneInString(s)
	return r
}

func (d *decoder) literal(word string) error {
	if !strings.HasPrefix(d.text[d.pos:], word) {
		return d.fault("expected %s", word)
	}
	d.pos += len(word)
	return nil
}

func (d *decoder) enter() error {
	d.depth++
	if d.depth > MaxDepth {
		return d.fault("nested deeper than %d levels", MaxDepth)
	}
	d.pos++
	d.space()
	return nil
}

func (d *decoder) object() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	o := &object{}
	if d.take('}') {
		d.depth--
		return o, nil
	}
	for {
		if err := d.member(o); err != nil {
			return nil, err
		}
		d.space()
		if d.take('}') {
			d.depth--
			return o, nil
		}
		if !d.take(',') {
			return nil, d.fault("expected ',' or '}'")
		}
		d.space()
	}
}

func (d *decoder) member(o *object) error {
	at := d.pos
	if d.pos >= len(d.text) || d.text[d.pos] != '"' {
		return d.fault("expected a key in double quotes")
	}
	key, err := d.string()
	if err != nil {
		return err
	}
	d.space()
	if !d.take(':') {
		return d.fault("expected ':'")
	}
	v, err := d.value()
	if err != nil {
		return err
	}
	i := o.find(key)
	if i < 0 {
		o.add(key, v)
		return nil
	}
	if !d.lax {
		d.pos = at
		return d.fault("duplicate key %q", clip(key))
	}
	d.differs = true
	o.vals[i] = v
	return nil
}

func (d *decoder) array() (any, error) {
	if err := d.enter(); err != nil {
		return nil, err
	}
	items := []any{}
	if d.take(']') {
		d.depth--
		return items, nil
	}
	for {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		items = append(items, v)
		d.space()
		if d.take(']') {
			d.depth--
			return items, nil
		}
		if !d.take(',') {
			return nil, d.fault("expected ',' or ']'")
		}
	}
}

func (d *decoder) take(c byte) bool {
	if d.pos < len(d.text) && d.text[d.pos] == c {
		d.pos++
		return true
	}
	return false
}

func (d *decoder) number() (any, error) {
	start := d.pos
	d.take('-')
	if !d.take('0') && d.digits() == 0 {
		return nil, d.fault("malformed number")
	}
	if d.take('.') && d.digits() == 0 {
		return nil, d.fault("malformed number")
	}
	if d.take('e') || d.take('E') {
		if !d.take('+') {
			d.take('-')
		}
		if d.digits() == 0 {
			return nil, d.fault("malformed number")
		}
	}
	if d.pos-start > maxNumberBytes {
		return nil, d.fault("number of more than %d characters", maxNumberBytes)
	}
	text := d.text[start:d.pos]
	if text == "-0" {
		d.differs = true
		text = "0"
	}
	return number(text), nil
}

// maxNumberBytes keeps conversions of numbers cheap; no honest number is longer.
const maxNumberBytes = 1000

func (d *decoder) digits() int {
	start := d.pos
	for d.pos < len(d.text) && d.text[d.pos] >= '0' && d.text[d.pos] <= '9' {
		d.pos++
	}
	return d.pos - start
}

func (d *decoder) string() (string, error) {
	d.pos++
	start := d.pos
	for d.pos < len(d.text) {
		switch c := d.text[d.pos]; {
		case c == '"':
			s := d.text[start:d.pos]
			d.pos++
			if !utf8.ValidString(s) {
				d.differs = true
				s = strings.ToValidUTF8(s, "\ufffd")
			}
			return s, nil
		case c == '\\':
			return d.escapedString(start)
		case c < 0x20:
			return "", d.fault("control character %#x in a string", c)
		}
		d.pos++
	}
	return "", d.fault("unexpected end of a string")
}

func (d *decoder) escapedString(start int) (string, error) {
	d.differs = true
	buf := append(make([]byte, 0, d.pos-start+32), d.text[start:d.pos]...)
	for d.pos < len(d.text) {
		c := d.text[d.pos]
		switch {
		case c == '"':
			d.pos++
			return strings.ToValidUTF8(string(buf), "\ufffd"), nil
		case c < 0x20:
			return "", d.fault("control character %#x in a string", c)
		case c != '\\':
			buf = append(buf, c)
			d.pos++
		default:
			var err error
			if buf, err = d.escape(buf); err != nil {
				return "", err
			}
		}
	}
	return "", d.fault("unexpected end of a string")
}

func (d *decoder) escape(buf []byte) ([]byte, error) {
	if d.pos+1 >= len(d.text) {
		return nil, d.fault("unexpected end of a string")
	}
	c := d.text[d.pos+1]
	if c == 'u' {
		return d.unicodeEscape(buf)
	}
	i := strings.IndexByte(`"\/bfnrt`, c)
	if i < 0 {
		return nil, d.fault("unknown escape \\%c", c)
	}
	d.pos += 2
	return append(buf, "\"\\/\b\f\n\r\t"[i]), nil
}

func (d *decoder) unicodeEscape(buf []byte) ([]byte, error) {
	r, err := d.hex4()
	if err != nil {
		return nil, err
	}
	if utf16.IsSurrogate(r) && strings.HasPrefix(d.text[d.pos:], `\u`) {
		mark := d.pos
		low, err := d.hex4()
		if err != nil {
			return nil, err
		}
		pair := utf16.DecodeRune(r, low)
		if pair == utf8.RuneError {
			d.pos = mark
		}
		r = pair
	}
	return utf8.AppendRune(buf, r), nil
}

func (d *decoder) hex4() (rune, error) {
	if d.pos+6 > len(d.text) {
		return 0, d.fault("unexpected end of a string")
	}
	n, err := strconv.ParseUint(d.text[d.pos+2:d.pos+6], 16, 32)
	if err != nil {
		return 0, d.fault("malformed \\u escape")
	}
	d.pos += 6
	return rune(n), nil
}

// clip shortens foreign text for a message.
func clip(s string) string {
	const longest = 200
	if len(s) <= longest {
		return s
	}
	return strings.ToValidUTF8(s[:longest], "") + "..."
}
