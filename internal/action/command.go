// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"fmt"
	"strings"
	"unicode"
)

// maxCommands bounds what advice lists: much of it was written by whoever changed the resource.
const maxCommands = 4

// ShortList joins commands for a person, the first few of them.
func ShortList(commands []string) string {
	more := ""
	if n := len(commands) - maxCommands; n > 0 {
		commands, more = commands[:maxCommands], fmt.Sprintf("; and %d more", n)
	}
	return cut(strings.Join(commands, "; ") + more)
}

// ShellCommand spells a command for a person to paste into a shell. Arguments are quoted where they need it, for some of
// them were chosen by an attacker; what cannot be printed is left out.
func ShellCommand(words ...string) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, quoted(w))
	}
	return strings.Join(out, " ")
}

func quoted(word string) string {
	word = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, word)
	if word != "" && strings.IndexFunc(word, isSpecial) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func isSpecial(r rune) bool {
	isPlain := r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:=,@+", r))
	return !isPlain
}
