// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
)

//go:embed pages/page.html
var pageHTML string

//go:embed pages/page.css
var pageCSS string

var layout = template.Must(template.New("page").Parse(pageHTML))

// policy lets the page have its own style, known by its hash, and send its form here; nothing else.
//
// https://www.w3.org/TR/CSP3/
var policy = func() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
		base64.StdEncoding.EncodeToString(sum[:]))
}()

// page is what a browser is shown.
type page struct {
	Title   string
	Lines   []string
	Rows    []row
	Choices []choice
	Opened  string
	Foot    string
}

type row struct{ Label, Value string }

type choice struct {
	Value incident.Verdict
	Label string
}

// labels are what people choose from.
var labels = map[incident.Verdict]string{
	incident.MineExpected: "It was me, and it was meant.",
	incident.MineMistake:  "It was me, by mistake.",
	incident.NotMe:        "It was not me.",
}

func choices(verdicts []incident.Verdict) []choice {
	var all []choice
	for _, v := range verdicts {
		if label := labels[v]; label != "" {
			all = append(all, choice{v, label})
		}
	}
	return all
}

// Style is ours, and goes in as it is: its hash is in the policy.
func (page) Style() template.CSS { return template.CSS(pageCSS) }

func (p page) render() ([]byte, error) {
	var b bytes.Buffer
	if err := layout.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("write page: %w", err)
	}
	return b.Bytes(), nil
}

// about says no more than the message did: what, on what, and when.
func about(inc incident.Incident) []row {
	const most = 120
	what := identity.Printable(inc.Key.EventName, most)
	name := inc.Key.Resource
	if p, err := arn.Parse(name); err == nil {
		name = p.Name()
	}
	if name != "" {
		what += " on " + identity.Printable(name, most)
	}
	return []row{{"What", what}, {"When", stamp(inc.Times.Occurred)}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
