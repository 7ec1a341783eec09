// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
)

func TestExchange(t *testing.T) {
	t.Parallel()
	day := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		status     int
		date       string
		retryAfter string
		retry      bool
		want       error
		after      time.Duration
	}{
		"accepted":            {status: 202},
		"wrong credentials":   {status: 401, want: notify.ErrDenied},
		"not allowed":         {status: 403, want: notify.ErrDenied},
		"deleted":             {status: 404, want: notify.ErrGone},
		"gone":                {status: 410, want: notify.ErrGone},
		"bad":                 {status: 400, want: errAny},
		"elsewhere":           {status: 302, want: errAny},
		"fault":               {status: 503, retry: true, want: errAny},
		"seconds":             {status: 429, retryAfter: "120", retry: true, want: errAny, after: 2 * time.Minute},
		"a date":              {status: 429, date: "Mon, 04 May 2026 10:00:00 GMT", retryAfter: "Mon, 04 May 2026 10:00:30 GMT", retry: true, want: errAny, after: 30 * time.Second},
		"a date in the past":  {status: 429, date: "Mon, 04 May 2026 10:00:00 GMT", retryAfter: "Mon, 04 May 2026 09:00:00 GMT", retry: true, want: errAny},
		"a million years":     {status: 429, retryAfter: "31536000000000", retry: true, want: errAny, after: 24 * time.Hour},
		"nonsense":            {status: 429, retryAfter: "soon", retry: true, want: errAny},
		"before the big bang": {status: 429, retryAfter: "-5", retry: true, want: errAny},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", day.Format(http.TimeFormat))
				if tt.retryAfter != "" {
					w.Header().Set("Retry-After", tt.retryAfter)
				}
				w.Header().Set("Location", "/other")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte("an answer that quotes SECRET"))
			}))
			defer s.Close()
			req, _, err := notify.NewRequest(t.Context(), http.MethodPost, notify.NewSecret(s.URL+"/SECRET"), map[string]int{})
			if err != nil {
				t.Fatal(err)
			}
			_, retry, err := notify.Exchange(notify.HTTPClient(), req, "it")
			if (err == nil) != (tt.want == nil) || tt.want != nil && tt.want != errAny && !errors.Is(err, tt.want) || retry != tt.retry {
				t.Fatalf("got retry %t, %v", retry, err)
			}
			if err != nil && strings.Contains(err.Error(), "SECRET") {
				t.Errorf("the error tells: %v", err)
			}
			asked := (*notify.RetryAfter)(nil)
			if errors.As(err, &asked); asked != nil && asked.After != tt.after || asked == nil && tt.after != 0 {
				t.Errorf("asked to wait %+v, want %s", asked, tt.after)
			}
		})
	}
}

var errAny = errors.New("any")

func TestPlain(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		text  string
		limit int
		want  string
	}{
		"lines stay":      {"a\n\nb\n", 100, "a\n\nb\n"},
		"CRLF":            {"a\r\nb", 100, "a\nb"},
		"a lone return":   {"a\rb", 100, "a[U+000D]b"},
		"an override":     {"a\u202eb", 100, "a[U+202E]b"},
		"an escape":       {"\x1b[31m", 100, "[U+001B][31m"},
		"no UTF-8":        {"\xff", 100, "[0xFF]"},
		"nothing":         {"", 100, ""},
		"just fits":       {"0123456789", 11, "0123456789"},
		"cut":             {strings.Repeat("x", 100), 30, strings.Repeat("x", 15) + "… (100 bytes)"},
		"cut in the line": {strings.Repeat("ü", 50), 31, strings.Repeat("ü", 8) + "… (100 bytes)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := notify.Plain(tt.text, tt.limit); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func FuzzPlain(f *testing.F) {
	for _, seed := range []string{notifytest.Evil, "a\nb\r\n", strings.Repeat("\u202e", 50), "\xf0\x9f"} {
		f.Add(seed, 40)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit = 40 + max(limit, -limit, 0)%4000
		plain, line := notify.Plain(text, limit), notify.Line(text, limit)
		if len(plain) > limit || len(line) > limit {
			t.Errorf("%d and %d bytes of %d", len(plain), len(line), limit)
		}
		if !utf8.ValidString(plain) || !utf8.ValidString(line) || strings.ContainsAny(line, "\n\r\u202e\x1b") || strings.ContainsAny(plain, "\r\u202e\x1b") {
			t.Errorf("got %q and %q", plain, line)
		}
	})
}
