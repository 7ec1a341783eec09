// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// object walks over the members of an object or null.
func (p *parser) object(field string, at int, each func(name []byte, at int) (int, error)) (int, error) {
	if at >= len(p.data) {
		return at, jsonscan.ErrEnd
	}
	if p.isNull(at) {
		return jsonscan.Value(p.data, at)
	}
	if p.data[at] != '{' {
		return at, &FieldError{field, "must be an object, is " + p.kind(at)}
	}
	end, err := jsonscan.Members(p.data, at, each)
	if err != nil {
		err = within(field, err)
	}
	return end, err
}

// texts reads an object of which only text members are known.
func (p *parser) texts(field string, at int, member func(name []byte) *string) (int, error) {
	return p.object(field, at, func(name []byte, at int) (int, error) {
		if dst := member(name); dst != nil {
			return p.text(dst, name, at)
		}
		return jsonscan.Value(p.data, at)
	})
}

// optional is texts for a member that stays nil when it is null.
func optional[T any](p *parser, dst **T, field string, at int, member func(*T, []byte) *string) (int, error) {
	*dst = nil
	if p.isNull(at) {
		return jsonscan.Value(p.data, at)
	}
	value := new(T)
	*dst = value
	return p.texts(field, at, func(name []byte) *string { return member(value, name) })
}

func (p *parser) isNull(at int) bool {
	return at < len(p.data) && p.data[at] == 'n'
}

// kind names the type of the value for errors.
func (p *parser) kind(at int) string {
	switch p.data[at] {
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	}
	return "a number or literal"
}

// text reads a string; null is empty, numbers and booleans are taken as they are written.
func (p *parser) text(dst *string, name []byte, at int) (int, error) {
	*dst = ""
	if at >= len(p.data) {
		return at, jsonscan.ErrEnd
	}
	switch p.data[at] {
	case '"':
		content, plain, end, err := jsonscan.String(p.data, at)
		if err == nil {
			*dst = p.decode(content, plain)
		}
		return end, err
	case '{', '[':
		return at, &FieldError{string(name), "must be a string, is " + p.kind(at)}
	}
	end, err := jsonscan.Value(p.data, at)
	if err == nil && !p.isNull(at) {
		*dst = string(p.data[at:end])
	}
	return end, err
}

func (p *parser) decode(content []byte, plain bool) string {
	if plain || bytes.IndexByte(content, '\\') < 0 && utf8.Valid(content) {
		return p.names.string(content)
	}
	return jsonscan.Unquote(content)
}

// raw notes an undecoded value; null and empty values are noted too.
func (p *parser) raw(dst *json.RawMessage, at int) (int, error) {
	end, err := jsonscan.Value(p.data, at)
	if err == nil {
		p.raws = append(p.raws, rawField{dst, at, end})
	}
	return end, err
}

// bool reads true, "true" in any case, and the like; null and "" are nil.
func (p *parser) bool(dst **bool, name []byte, at int) (int, error) {
	*dst = nil
	var word string
	end, err := p.text(&word, name, at)
	if err != nil || word == "" {
		return end, err
	}
	switch {
	case strings.EqualFold(word, "true"):
		*dst = new(true)
	case strings.EqualFold(word, "false"):
		*dst = new(false)
	default:
		return at, &FieldError{string(name), fmt.Sprintf("must be true or false, is %.40q", word)}
	}
	return end, nil
}

func (p *parser) flag(dst *bool, name []byte, at int) (int, error) {
	var value *bool
	end, err := p.bool(&value, name, at)
	*dst = value != nil && *value
	return end, err
}

func (p *parser) time(dst *time.Time, name []byte, at int) (int, error) {
	*dst = time.Time{}
	if at < len(p.data) && p.data[at] == '"' {
		if end := at + len(`"2006-01-02T15:04:05Z"`); end <= len(p.data) && p.data[end-1] == '"' {
			if t, ok := plainTime(p.data[at+1 : end-1]); ok {
				*dst = t
				return end, nil
			}
		}
	}
	var text string
	end, err := p.text(&text, name, at)
	if err != nil || text == "" {
		return end, err
	}
	t, ok := parseTime(text)
	if !ok {
		return at, &FieldError{string(name), fmt.Sprintf("%.40q is not a time", text)}
	}
	*dst = t
	return end, nil
}

// timeLayouts are the ways times are written, in order of frequency: CloudTrail's own, the compact form of old
// creationDates, and what databases make of them. All are UTC; fractions of a second are accepted by each.
var timeLayouts = []string{time.RFC3339, "20060102T150405Z", "2006-01-02 15:04:05", "2006-01-02T15:04:05"}

func parseTime(s string) (time.Time, bool) {
	for _, layout := range timeLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// plainTime reads 2006-01-02T15:04:05Z, the form of nearly all times, some ten times faster than package time does.
func plainTime(b []byte) (time.Time, bool) {
	const form = "0000-00-00T00:00:00Z"
	if len(b) != len(form) {
		return time.Time{}, false
	}
	for i, c := range []byte(form) {
		if c == '0' && (b[i] < '0' || b[i] > '9') || c != '0' && b[i] != c {
			return time.Time{}, false
		}
	}
	pair := func(i int) int { return int(b[i]-'0')*10 + int(b[i+1]-'0') }
	year, month, day := pair(0)*100+pair(2), pair(5), pair(8)
	hour, minute, second := pair(11), pair(14), pair(17)
	t := time.Date(year, time.Month(month), day, hour, minute, second, 0, time.UTC)
	// Date carries what overflows into the next unit; a time that exists comes back unchanged.
	if t.Day() != day || int(t.Month()) != month || hour > 23 || minute > 59 || second > 59 {
		return time.Time{}, false
	}
	return t, true
}

// interner returns one string for all equal texts. In a log file most texts recur in every record.
type interner struct {
	known map[string]string
}

// Texts longer than this rarely recur; more entries than this are a stream of mostly new texts, so they start afresh.
const (
	internedLength  = 256
	internedEntries = 8192
)

func (n *interner) string(b []byte) string {
	if n == nil || len(b) > internedLength {
		return string(b)
	}
	if s, ok := n.known[string(b)]; ok {
		return s
	}
	if n.known == nil || len(n.known) >= internedEntries {
		n.known = make(map[string]string)
	}
	s := string(b)
	n.known[s] = s
	return s
}
