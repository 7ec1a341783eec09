// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Printable makes hostile text fit for one line in front of a person: control characters, line breaks, bidirectional
// overrides, zero-width and other invisible characters and invalid UTF-8 become visible as [U+202E], and what is longer
// than limit bytes is cut, saying how long it was. It does not escape for HTML, Markdown or Slack: that belongs to
// whoever writes those. Text that is already fine comes back as it is, without allocation.
//
// https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
func Printable(s string, limit int) string {
	if len(s) <= limit && isPlain(s) {
		return s
	}
	var b strings.Builder
	for i, r := range s {
		if b.Len() >= limit {
			fmt.Fprintf(&b, "… (%d bytes)", len(s))
			break
		}
		writeVisible(&b, s[i:], r)
	}
	return b.String()
}

func isPlain(s string) bool {
	for i, r := range s {
		if r == utf8.RuneError && isBroken(s[i:]) || !isVisible(r) {
			return false
		}
	}
	return true
}

func writeVisible(b *strings.Builder, rest string, r rune) {
	switch {
	case r == utf8.RuneError && isBroken(rest):
		fmt.Fprintf(b, "[0x%02X]", rest[0])
	case isVisible(r):
		b.WriteRune(r)
	default:
		fmt.Fprintf(b, "[U+%04X]", r)
	}
}

// isBroken tells a byte that is no UTF-8 from a replacement character that was really sent.
func isBroken(rest string) bool {
	_, size := utf8.DecodeRuneInString(rest)
	return size == 1
}

// isVisible accepts what Unicode calls graphic (letters, marks, numbers, symbols, punctuation, spaces), except spaces
// that are not the ordinary one and characters that look like nothing at all.
func isVisible(r rune) bool {
	switch r {
	case ' ':
		return true
	case '\u115f', '\u1160', '\u3164', '\uffa0', '\u2800': // fillers: letters and symbols by class, blank to the eye
		return false
	}
	return unicode.IsGraphic(r) && !unicode.Is(unicode.Zs, r) && !unicode.Is(unicode.Variation_Selector, r)
}

// Printable is res with every text fit for people, none longer than limit bytes.
func (res Resolution) Printable(limit int) Resolution {
	text := func(s string) string { return Printable(s, limit) }
	res.Human, res.HumanARN, res.HumanID = text(res.Human), text(res.HumanARN), text(res.HumanID)
	res.Carrier, res.Reason = text(res.Carrier), text(res.Reason)
	res.Chain, res.Nearby = printableHops(res.Chain, text), printableHops(res.Nearby, text)
	missing := make([]Clue, 0, len(res.Missing))
	for _, c := range res.Missing {
		c.ID = text(c.ID)
		missing = append(missing, c)
	}
	res.Missing = missing
	if w := res.Workload; w != nil {
		res.Workload = &Workload{
			Provider: text(w.Provider), Subject: text(w.Subject), Repository: text(w.Repository), Ref: text(w.Ref), Actor: text(w.Actor),
		}
	}
	return res
}

func printableHops(hops []Hop, text func(string) string) []Hop {
	all := make([]Hop, 0, len(hops))
	for _, h := range hops {
		h.EventID, h.EventName = cloudtrail.EventID(text(string(h.EventID))), text(h.EventName)
		h.Caller, h.CallerType, h.Note = text(h.Caller), text(h.CallerType), text(h.Note)
		all = append(all, h)
	}
	return all
}
