// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/switchback-project/switchback/internal/identity"
)

// maxLine bounds one line of a text.
const maxLine = 2000

// Plain is a text as every medium can take it: its lines stay, everything else that a screen would obey (control
// characters, overrides of the direction of writing) becomes visible, and what is longer than limit bytes is cut, saying
// so. It is not escaped for any markup: a channel sends it where its medium reads none.
func Plain(text string, limit int) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		line, isWhole := strings.CutSuffix(line, "\n")
		line = identity.Printable(strings.TrimSuffix(line, "\r"), maxLine)
		if b.Len()+len(line)+1 > limit {
			b.WriteString(line[:whole(line, max(limit-b.Len(), 0))])
			return cutShort(b.String(), len(text), limit)
		}
		b.WriteString(line)
		if isWhole {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// cutShort makes room at the end of a text to say how much is missing.
func cutShort(text string, length, limit int) string {
	note := fmt.Sprintf("… (%d bytes)", length)
	text = text[:min(len(text), whole(text, max(limit-len(note), 0)))]
	return text + note
}

// whole is the longest prefix of s, of at most n bytes, that cuts no character.
func whole(s string, n int) int {
	if len(s) <= n {
		return len(s)
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return n
}

// Line is a text in one line of at most limit bytes.
func Line(text string, limit int) string {
	line := identity.Printable(text, limit)
	if len(line) <= limit {
		return line
	}
	note := fmt.Sprintf("… (%d bytes)", len(text))
	return line[:whole(line, max(limit-len(note), 0))] + note
}
