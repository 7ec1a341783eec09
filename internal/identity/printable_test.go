// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/switchback-project/switchback/internal/identity"
)

func TestPrintable(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		in    string
		limit int
		want  string
	}{
		"plain":             {"alice", 10, "alice"},
		"umlauts and CJK":   {"Jürgen 山田", 50, "Jürgen 山田"},
		"line break":        {"a\r\nBcc: x", 50, "a[U+000D][U+000A]Bcc: x"},
		"escape sequence":   {"\x1b[31mred", 50, "[U+001B][31mred"},
		"C1 control":        {"a\u009bb", 50, "a[U+009B]b"},
		"bidi override":     {"user\u202egpj.exe", 50, "user[U+202E]gpj.exe"},
		"bidi isolate":      {"\u2067x\u2069", 50, "[U+2067]x[U+2069]"},
		"zero width":        {"ad\u200bmin", 50, "ad[U+200B]min"},
		"line separator":    {"a\u2028b", 50, "a[U+2028]b"},
		"tag characters":    {"a\U000E0041", 50, "a[U+E0041]"},
		"invisible letter":  {"a\u3164b", 50, "a[U+3164]b"},
		"no-break space":    {"a\u00a0b", 50, "a[U+00A0]b"},
		"invalid UTF-8":     {"a\xffb", 50, "a[0xFF]b"},
		"a real U+FFFD":     {"a\ufffdb", 50, "a\ufffdb"},
		"cut":               {"abcdefgh", 3, "abc… (8 bytes)"},
		"cut before a rune": {"ab日本", 3, "ab日… (8 bytes)"},
		"empty":             {"", 3, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := identity.Printable(tt.in, tt.limit); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestPrintableOfPlainTextAllocatesNothing(t *testing.T) {
	text := strings.Repeat("plain ", 20)
	if n := testing.AllocsPerRun(100, func() { identity.Printable(text, 1000) }); n != 0 {
		t.Errorf("%.0f allocations, want 0", n)
	}
}

// Whatever comes in, what comes out is one line of valid text that stays within its bound and is stable.
func FuzzPrintable(f *testing.F) {
	for _, seed := range []string{"", "alice", "a\u202eb\xff", strings.Repeat("\u200b", 100), "日本\n語"} {
		f.Add(seed, 40)
	}
	f.Fuzz(func(t *testing.T, in string, limit int) {
		limit = min(max(limit, 0), 1000)
		out := identity.Printable(in, limit)
		if !utf8.ValidString(out) || strings.ContainsAny(out, "\r\n\x00\x1b\u202e\u2066\u200b") {
			t.Fatalf("%q became %q", in, out)
		}
		if len(out) > limit+50 {
			t.Fatalf("%d bytes for a limit of %d", len(out), limit)
		}
		if again := identity.Printable(out, len(out)); again != out {
			t.Fatalf("%q changed to %q", out, again)
		}
	})
}
