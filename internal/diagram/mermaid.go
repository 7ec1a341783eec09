// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/switchback-project/switchback/asl"
)

// Mermaid draws the machine as a flowchart in Mermaid's language, for Markdown that a forge renders. It has the same
// content as SVG; the layout is Mermaid's. The error is ErrTooLarge.
//
// https://mermaid.js.org/syntax/flowchart.html
func Mermaid(m *asl.StateMachine, o Options) ([]byte, error) {
	if err := checkSize(m); err != nil {
		return nil, err
	}
	f := &flowchart{trace: o.Trace, classes: map[outcome][]string{}}
	f.line("flowchart TD")
	if o.Title != "" || o.Trace != nil {
		f.line("    %%%% %s", commentText(o))
	}
	f.machine(newGraph(m, o.Trace, true), 1)
	f.style()
	return []byte(f.out.String()), nil
}

func commentText(o Options) string {
	text := title(o)
	if o.Trace != nil {
		text += ": " + o.Trace.summary()
	}
	return mermaidText(clip(text, 300))
}

// flowchart is a document that is being written.
type flowchart struct {
	out     strings.Builder
	trace   *Trace
	nodes   int
	links   int
	taken   []string // numbers of links
	classes map[outcome][]string
}

func (f *flowchart) line(format string, args ...any) {
	fmt.Fprintf(&f.out, format+"\n", args...)
}

// machine writes the states of a machine, then the ways between them.
func (f *flowchart) machine(g *graph, depth int) {
	ids := map[*node]string{}
	for _, n := range g.nodes {
		f.nodes++
		ids[n] = "s" + strconv.Itoa(f.nodes)
		f.node(n, ids[n], depth)
	}
	for _, e := range g.edges {
		f.way(e, ids, depth)
	}
}

func (f *flowchart) node(n *node, id string, depth int) {
	indent := strings.Repeat("    ", depth)
	switch {
	case n.kind == startNode:
		f.line(`%s%s(("start"))`, indent, id)
	case n.kind == endNode:
		f.line(`%s%s(("end"))`, indent, id)
	case len(n.branches) > 0:
		f.group(n, id, depth)
	default:
		open, end := shape(n.state.Type)
		f.line(`%s%s%s"%s"%s`, indent, id, open, f.text(n), end)
	}
	if n.outcome != "" {
		f.classes[n.outcome] = append(f.classes[n.outcome], id)
	}
}

// group writes a Parallel or Map state around its branches.
func (f *flowchart) group(n *node, id string, depth int) {
	indent := strings.Repeat("    ", depth)
	f.line(`%ssubgraph %s["%s"]`, indent, id, f.text(n))
	for _, branch := range n.branches {
		f.machine(branch, depth+1)
	}
	f.line("%send", indent)
}

func shape(stateType string) (open, end string) {
	switch stateType {
	case "Choice":
		return "{{", "}}"
	case "Succeed", "Fail":
		return "([", "])"
	case "Wait", "Pass":
		return "(", ")"
	}
	return "[", "]"
}

func (f *flowchart) text(n *node) string {
	lines := []string{mermaidText(n.title()), mermaidText(n.detail())}
	if f.trace != nil {
		if story := f.trace.story(n.state.Name); story != "" {
			lines = append(lines, mermaidText(clip(story, 80)))
		}
	}
	return strings.Join(lines, "<br>")
}

func (f *flowchart) way(e *edge, ids map[*node]string, depth int) {
	arrow := "-->"
	if e.isCatch {
		arrow = "-.->"
	}
	var lines []string
	for i, label := range e.labels {
		if i > 0 {
			label = "or " + label
		}
		lines = append(lines, mermaidText(clip(label, 80)))
	}
	label := ""
	if len(lines) > 0 {
		label = `|"` + strings.Join(lines, "<br>") + `"|`
	}
	f.line("%s%s %s%s %s", strings.Repeat("    ", depth), ids[e.from], arrow, label, ids[e.to])
	if e.isTaken {
		f.taken = append(f.taken, strconv.Itoa(f.links))
	}
	f.links++
}

// colours are those of SVG's light theme; Mermaid has one set for both.
var colours = []struct {
	outcome
	style string
}{
	{idle, "fill:#f6f8fa,stroke:#d1d9e0,color:#818b98"},
	{done, "fill:#dafbe1,stroke:#1a7f37,color:#1f2328"},
	{caught, "fill:#fff8c5,stroke:#9a6700,color:#1f2328"},
	{failed, "fill:#ffebe9,stroke:#cf222e,color:#1f2328"},
	{running, "fill:#ddf4ff,stroke:#0969da,color:#1f2328"},
}

// style colours what the execution did.
func (f *flowchart) style() {
	for _, c := range colours {
		if ids := f.classes[c.outcome]; len(ids) > 0 {
			f.line("    classDef %s %s", c.outcome, c.style)
			f.line("    class %s %s", strings.Join(ids, ","), c.outcome)
		}
	}
	if len(f.taken) > 0 {
		f.line("    linkStyle %s stroke:#0969da,stroke-width:3px", strings.Join(f.taken, ","))
	}
}

// mermaidText writes a text for a quoted label: whatever is not plainly harmless, to Mermaid or to the HTML that it
// becomes, as the entity code that Mermaid knows.
func mermaidText(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(" .,:/-_", r) {
			b.WriteRune(r)
			continue
		}
		b.WriteString("#" + strconv.Itoa(int(r)) + ";")
	}
	return b.String()
}
