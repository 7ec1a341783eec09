// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/switchback-project/switchback/asl"
)

// clip makes hostile text fit for a label: what is not printable becomes U+FFFD, and what is longer than limit
// characters is cut.
func clip(text string, limit int) string {
	if len(text) > 8*limit { // no character needs more, and the rest is not looked at
		text = text[:8*limit]
	}
	var b strings.Builder
	count := utf8.RuneCountInString(text)
	for i, r := range []rune(text) {
		if count > limit && i == limit-1 {
			b.WriteRune('…')
			break
		}
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b.WriteByte(' ')
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteRune(utf8.RuneError)
		}
	}
	return b.String()
}

// clipLines is clip for a text of several lines.
func clipLines(text string, limit int) string {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = clip(line, limit)
	}
	return strings.Join(lines, "\n")
}

// durationText is a duration for people, with two figures that matter.
func durationText(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < time.Minute:
		return strconv.FormatInt(int64(d/time.Second), 10) + "." + strconv.FormatInt(int64(d%time.Second/(100*time.Millisecond)), 10) + " s"
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// count is "1 visit", "2 visits".
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}

// detail says in a line what a state does.
func detail(s *asl.State) string {
	text := strings.ToLower(s.Type)
	switch s.Type {
	case "Task":
		text = taskText(s.Resource)
	case "Wait":
		text = waitText(s.Definition)
	case "Fail":
		text = failText(s.Definition)
	case "Parallel":
		text = "parallel · " + count(len(s.Branches), "branch", "branches")
	case "Map":
		text = "for each item"
	}
	var attempts int64
	for _, r := range s.Retry {
		attempts = max(attempts, r.MaxAttempts)
	}
	if attempts > 0 {
		text += " · ↻ " + strconv.FormatInt(attempts, 10)
	}
	return text
}

func taskText(resource string) string {
	r := asl.ParseResource(resource)
	switch r.Kind {
	case "switchback", "integration":
		return r.Service + ":" + r.Action + string(r.Integration)
	case "lambda", "activity":
		return r.Kind + " " + r.Action + string(r.Integration)
	}
	return resource
}

// maxWait bounds the seconds of a Wait that is drawn: AWS allows no more.
const maxWait = 99_999_999

func waitText(definition json.RawMessage) string {
	var w map[string]any
	// What is not an object has no fields to show.
	_ = json.Unmarshal(definition, &w)
	for _, field := range []struct{ name, before, after string }{
		{"Seconds", "wait ", " s"}, {"SecondsPath", "wait ", " s"}, {"Timestamp", "wait until ", ""}, {"TimestampPath", "wait until ", ""},
	} {
		switch v := w[field.name].(type) {
		case string:
			return field.before + v + field.after
		case float64:
			return field.before + durationText(time.Duration(min(max(v, 0), maxWait))*time.Second)
		}
	}
	return "wait"
}

func failText(definition json.RawMessage) string {
	var f struct{ Error, ErrorPath string }
	_ = json.Unmarshal(definition, &f) // as above
	return strings.TrimSpace("fail " + f.Error + f.ErrorPath)
}
