// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"testing"
	"unicode"
)

// TestFoldKeyFindsAllThatFolds: the index looks texts up by foldKey, so whatever equals-ignore-case matches must have
// the pattern's key. It is inside the package because a miss would show only in sets, and only for some runes.
func TestFoldKeyFindsAllThatFolds(t *testing.T) {
	const lastCased = 0x1ffff // all scripts with case lie below
	for pattern := rune(1); pattern <= lastCased; pattern++ {
		for _, event := range []rune{unicode.ToLower(pattern), unicode.ToUpper(pattern)} {
			if !foldsTo(event, pattern) {
				t.Fatalf("%U does not fold to %U", event, pattern)
			}
			if got, want := foldKey([]byte(string(event))), foldKey([]byte(string(pattern))); got != want {
				t.Errorf("%U has key %q, %U has %q", event, got, pattern, want)
			}
		}
	}
}
