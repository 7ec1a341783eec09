// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	"strings"
	texttemplate "text/template"
	"time"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

//go:embed templates
var files embed.FS

var (
	markdownLayout = texttemplate.Must(texttemplate.New("report.md").Funcs(funcs).ParseFS(files, "templates/report.md"))
	htmlLayout     = htmltemplate.Must(htmltemplate.New("report.html").Funcs(funcs).ParseFS(files, "templates/report.html"))
	style          = mustRead("templates/style.css")
)

func mustRead(name string) string {
	text, err := files.ReadFile(name)
	if err != nil {
		panic(err) // the file is part of the program
	}
	return string(text)
}

// funcs are what both layouts use; the HTML layout escapes by itself.
var funcs = map[string]any{
	"moment": moment, "words": words, "verdict": verdict, "span": spanText, "join": strings.Join, "facts": factRows,
	"ending": ending, "kept": keptWords, "md": md, "code": code, "pretty": pretty,
}

// JSON writes the stable form, indented.
func JSON(r Report) ([]byte, error) {
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write report of %s as JSON: %w", r.Incident.ID, err)
	}
	return append(out, '\n'), nil
}

// Markdown writes the report for people and their tools.
func Markdown(r Report) ([]byte, error) {
	var b bytes.Buffer
	if err := markdownLayout.Execute(&b, r); err != nil {
		return nil, fmt.Errorf("write report of %s as Markdown: %w", r.Incident.ID, err)
	}
	return b.Bytes(), nil
}

// HTML writes one file that needs nothing else. Its style is the only thing that its policy allows.
func HTML(r Report) ([]byte, error) {
	sum := sha256.Sum256([]byte(style))
	policy := "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; base-uri 'none'; form-action 'none'"
	page := struct {
		Report
		Style  htmltemplate.CSS
		Policy string
	}{r, htmltemplate.CSS(style), policy}
	var b bytes.Buffer
	if err := htmlLayout.Execute(&b, page); err != nil {
		return nil, fmt.Errorf("write report of %s as HTML: %w", r.Incident.ID, err)
	}
	return b.Bytes(), nil
}

// md escapes text for a line of Markdown, a table cell included, so that it shows as it is: no markup, no raw HTML, no
// image, and no link that GitHub would make of a bare address.
//
// https://spec.commonmark.org/0.31.2/#backslash-escapes
func md(value any) string {
	s := fmt.Sprint(value)
	number := len(s) - len(strings.TrimLeft(s, "0123456789")) // "1. x" would be a list
	var b strings.Builder
	for i, r := range s {
		switch {
		case r == '\n' || r == '\r':
			r = ' '
		case strings.ContainsRune("\\`*_{}[]<>#|~&!", r),
			i == 0 && strings.ContainsRune("+-=", r),
			i == number && i > 0 && (strings.HasPrefix(s[i:], ". ") || strings.HasPrefix(s[i:], ") ")),
			r == '/' && strings.HasPrefix(s[i:], "//") && strings.HasSuffix(s[:i], ":"),
			r == '.' && len(s[:i]) >= 3 && strings.EqualFold(s[i-3:i], "www"):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// code is a finding as an indented code block, in which nothing is markup.
func code(raw json.RawMessage) string {
	return "    " + strings.ReplaceAll(pretty(raw), "\n", "\n    ")
}

// pretty is JSON for people: indented, with what would play tricks on the eye made visible.
func pretty(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return ""
	}
	lines := strings.Split(b.String(), "\n")
	for i, line := range lines {
		lines[i] = identity.Printable(line, maxText)
	}
	return strings.Join(lines, "\n")
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "not yet"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000 UTC")
}

func spanText(s *Span) string {
	if s == nil {
		return "not yet"
	}
	return s.String()
}

// verdict compares an interval with its objective.
func verdict(i Interval) string {
	switch {
	case i.Objective == nil:
		return "no objective"
	case i.IsMet == nil:
		return "open"
	case *i.IsMet:
		return "met"
	}
	return "missed"
}

// ending says how far the window is proven to have ended.
func ending(w *Window) string {
	switch {
	case w.Proven != nil:
		return "proven"
	case w.Provisional != nil:
		return "provisional: not yet proven"
	}
	return "still open"
}

type row struct{ Label, Value string }

// factRows are who, when, what, to whom and where, without what is not known.
func factRows(r Report) []row {
	f, c := r.Facts, r.Incident
	all := []row{
		{"Who", human(r.Who)},
		{"Principal", cmp.Or(f.Principal, r.Who.Principal)},
		{"Session", f.SessionName},
		{"Source identity", f.SourceIdentity},
		{"Access key", cmp.Or(f.AccessKeyID, r.Who.SessionKey)},
		{"MFA", mfa(f)},
		{"Date", f.Date},
		{"Time", clock(f)},
		{"What", cmp.Or(f.EventName, c.EventName)},
		{"Outcome", outcome(c, f)},
		{"To whom", c.Resource},
		{"Account", c.Account},
		{"Where", strings.TrimSpace(c.Region + " " + inBrackets(c.Place))},
		{"Source IP", f.SourceIP},
		{"With", f.Agent},
		{"User agent", f.UserAgent},
		{"Event", f.EventID},
	}
	kept := all[:0]
	for _, row := range all {
		if row.Value != "" {
			kept = append(kept, row)
		}
	}
	return kept
}

func human(w incident.Who) string {
	switch {
	case w.Human != "" && w.HumanARN != "":
		return w.Human + " " + inBrackets(w.HumanARN)
	case w.Human != "":
		return w.Human
	case w.Status == string(identity.Service):
		return "no human: a service or workload"
	}
	return "unresolved"
}

func mfa(f identity.Facts) string {
	switch {
	case f.MFA == nil:
		return ""
	case *f.MFA:
		return "yes"
	}
	return "no"
}

func clock(f identity.Facts) string {
	if f.Time == "" {
		return ""
	}
	return f.Time + " UTC"
}

func outcome(c Case, f identity.Facts) string {
	out := string(c.Outcome)
	if f.ErrorCode != "" {
		out += " " + inBrackets(f.ErrorCode)
	}
	if c.Count > 1 {
		out += fmt.Sprintf(", %d times", c.Count)
	}
	return out
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return "(" + s + ")"
}

// keptWords says what became of the events of a blind window.
func keptWords(w BlindWindow) string {
	switch w.Missing {
	case backfilled:
		return "read from Event history"
	case pending:
		return "in Event history, not read yet"
	}
	return "lost: Event history does not keep them"
}
