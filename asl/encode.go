// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

// encode returns the compact JSON text of a value.
func encode(v any) []byte { return appendJSON(nil, v) }

// appendJSON appends the compact JSON text of a value: keys in order, numbers as they were written, no escapes but those
// that JSON requires (AWS writes < and & as they are).
func appendJSON(dst []byte, v any) []byte {
	switch x := v.(type) {
	case nil:
		return append(dst, "null"...)
	case bool:
		if x {
			return append(dst, "true"...)
		}
		return append(dst, "false"...)
	case string:
		return appendString(dst, x)
	case number:
		return append(dst, x...)
	case []any:
		return appendArray(dst, x)
	case *object:
		return appendObject(dst, x)
	}
	panic("asl: not a JSON value")
}

func appendArray(dst []byte, items []any) []byte {
	dst = append(dst, '[')
	for i, item := range items {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSON(dst, item)
	}
	return append(dst, ']')
}

func appendObject(dst []byte, o *object) []byte {
	dst = append(dst, '{')
	for i, k := range o.keys {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendString(dst, k)
		dst = append(dst, ':')
		dst = appendJSON(dst, o.vals[i])
	}
	return append(dst, '}')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. It takes bytes too, so that JSON text is quoted again without a copy.
func appendString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		start = i + 1
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}

// datum is a value on its way through the states: as decoded value, as JSON text, or as both. Whichever is missing is
// made when it is first asked for, so that data that only passes by is neither decoded nor encoded twice.
type datum struct {
	text  []byte
	val   any
	known bool
}

func datumOf(v any) *datum { return &datum{val: v, known: true} }

// damaged is the panic of a datum whose stored text is not JSON; the calls of Machine turn it into ErrInvalidRun.
type damaged struct{ err error }

// value returns the decoded value. Text was checked when it came in, or made here, so only a Run that was damaged in
// storage can be wrong.
func (d *datum) value() any {
	if !d.known {
		v, err := decodeLax(d.text)
		if err != nil {
			panic(damaged{err})
		}
		d.val, d.known = v, true
	}
	return d.val
}

// json returns the compact text, which the caller must not change.
func (d *datum) json() []byte {
	if d.text == nil {
		d.text = encode(d.val)
	}
	return d.text
}

// fits reports whether the text is at most limit bytes long. A value that is far too large is not encoded at all: a
// template may refer to the same data a hundred thousand times.
func (d *datum) fits(limit int) bool {
	if d.text == nil && room(d.val, limit) < 0 {
		return false
	}
	return len(d.json()) <= limit
}

// room returns what is left of limit bytes after the value, at least; it stops counting below zero.
func room(v any, limit int) int {
	switch x := v.(type) {
	case string:
		return limit - len(x) - 2
	case number:
		return limit - len(x)
	case []any:
		limit -= 2
		for i := 0; i < len(x) && limit >= 0; i++ {
			limit = room(x[i], limit-1)
		}
		return limit
	case *object:
		limit -= 2
		for i := 0; i < len(x.keys) && limit >= 0; i++ {
			limit = room(x.vals[i], limit-len(x.keys[i])-4)
		}
		return limit
	}
	return limit - 4
}
