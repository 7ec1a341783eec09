// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// checkSVG makes sure that nothing of the texts became markup, and that nothing runs or loads.
func checkSVG(tb testing.TB, svg []byte) {
	tb.Helper()
	known := map[string]bool{"svg": true, "title": true, "style": true, "rect": true, "g": true, "path": true, "text": true, "circle": true}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			tb.Fatalf("not well-formed: %v", err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		if !known[start.Name.Local] {
			tb.Fatalf("element %s", start.Name.Local)
		}
		for _, a := range start.Attr {
			if strings.HasPrefix(a.Name.Local, "on") || strings.Contains(a.Name.Local, "href") || a.Name.Local == "style" {
				tb.Fatalf("attribute %s", a.Name.Local)
			}
		}
	}
}

// checkMermaid makes sure that texts stay in their quotes: each line has none, or two for each text.
func checkMermaid(tb testing.TB, text []byte) {
	tb.Helper()
	for line := range strings.Lines(string(text)) {
		rest := strings.ReplaceAll(line, "<br>", "")
		if strings.ContainsAny(rest, "<`\\") || strings.Count(rest, `"`)%2 != 0 {
			tb.Fatalf("line %q", line)
		}
	}
}

// checkDrawing draws a machine: the same twice, and nothing in it becomes markup.
func checkDrawing(tb testing.TB, m *asl.StateMachine, o Options) {
	tb.Helper()
	svg, err := SVG(m, o)
	if err != nil {
		tb.Fatal(err)
	}
	if again, err := SVG(m, o); err != nil || !bytes.Equal(svg, again) {
		tb.Fatalf("%v, or two pictures", err)
	}
	checkSVG(tb, svg)
	mermaid, err := Mermaid(m, o)
	if err != nil {
		tb.Fatal(err)
	}
	checkMermaid(tb, mermaid)
}

// TestDefinitions draws our own machines.
func TestDefinitions(t *testing.T) {
	for _, pattern := range []string{"testdata/*.asl.json", "../../runbooks/*/*.asl.json"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no definitions in %s: %v", pattern, err)
		}
		for _, file := range files {
			definition, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := asl.Parse(definition)
			if err != nil {
				t.Fatal(err)
			}
			checkDrawing(t, m, Options{Title: file})
		}
	}
}

// FuzzDraw puts any text wherever a picture shows one, into machines of any shape.
func FuzzDraw(f *testing.F) {
	for i, text := range []string{
		"</title><script>", "\x00\x1b[31m\u202e", "`\"|]}end%%{init}", "{% $a > 1 %}", `{"And":[{"Variable":"$.x","IsNull":false}]}`,
		`{"Seconds":1e300}`, "arn:aws:states:::sqs:sendMessage", strings.Repeat("long ", 500),
	} {
		f.Add(text, uint64(i), uint8(5*i))
	}
	f.Fuzz(func(t *testing.T, text string, seed uint64, states uint8) {
		m := wild(rand.New(rand.NewPCG(seed, 2)), 1+int(states%12))
		for i, s := range m.States {
			s.Comment, s.Resource, s.Definition = text, text, []byte(text)
			for c := range s.Choices {
				s.Choices[c].Condition = text
			}
			if i == 0 {
				s.Branches = []*asl.StateMachine{{StartAt: text, States: []*asl.State{{Name: text, Type: text, Next: text}}}}
			}
		}
		m.States = append(m.States, &asl.State{Name: text, Type: "Wait", Definition: []byte(text), Next: "0"})
		checkDrawing(t, m, Options{Title: text, Trace: NewTrace([]asl.Event{
			{ID: 1, Type: "ExecutionStarted"},
			{ID: 2, Type: "TaskStateEntered", State: text},
			{ID: 3, PreviousEventID: 2, Type: "TaskFailed", State: text, Details: []byte(`{"error":"<b>"}`)},
		}, time.Time{})})
	})
}
