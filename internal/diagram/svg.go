// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"github.com/switchback-project/switchback/asl"
)

// style has the colours of both themes. Custom properties would be shorter, but not every viewer of SVG knows them.
const style = `
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;fill:#1f2328;text-anchor:middle}
.paper{fill:#fff}
.head{font-size:15px;font-weight:600;text-anchor:start}
.sub{font-size:12px;fill:#59636e;text-anchor:start}
.name{font-size:13px;font-weight:600}
.what{font-size:11px;fill:#59636e}
.story{font-size:11px;font-weight:600}
.label text{font-size:11px;fill:#59636e}
.box{fill:#f6f8fa;stroke:#818b98;stroke-width:1.2}
.group{fill:none;stroke:#818b98;stroke-width:1.2;stroke-dasharray:6 3}
.bar{fill:#0969da}
.dot{fill:#59636e}
.ring{fill:none;stroke:#59636e;stroke-width:2}
.way{fill:none;stroke:#818b98;stroke-width:1.4}
.error{fill:none;stroke:#cf222e;stroke-width:1.2;stroke-dasharray:4 3}
.tip{fill:#818b98}
.errortip{fill:#cf222e}
.way.taken{stroke:#0969da;stroke-width:2.6}
.tip.taken{fill:#0969da}
.error.taken{stroke:#cf222e;stroke-width:2.6;stroke-dasharray:none}
.idle>.box,.idle>.group{stroke:#d1d9e0}
.idle>text{fill:#818b98}
.idle>.bar{fill:#d1d9e0}
.done>.box{fill:#dafbe1;stroke:#1a7f37}
.caught>.box{fill:#fff8c5;stroke:#9a6700}
.failed>.box{fill:#ffebe9;stroke:#cf222e}
.running>.box{fill:#ddf4ff;stroke:#0969da}
.done>.group{stroke:#1a7f37}
.caught>.group{stroke:#9a6700}
.failed>.group{stroke:#cf222e}
.running>.group{stroke:#0969da}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}
.paper{fill:#0d1117}
.sub,.what,.label text{fill:#9198a1}
.box{fill:#161b22;stroke:#656c76}
.group{stroke:#656c76}
.bar{fill:#4493f8}
.dot{fill:#9198a1}
.ring{stroke:#9198a1}
.way{stroke:#656c76}
.tip{fill:#656c76}
.error{stroke:#f85149}
.errortip{fill:#f85149}
.way.taken{stroke:#4493f8}
.tip.taken{fill:#4493f8}
.error.taken{stroke:#f85149}
.idle>.box,.idle>.group{stroke:#30363d}
.idle>text{fill:#656c76}
.idle>.bar{fill:#30363d}
.done>.box{fill:#12261e;stroke:#3fb950}
.caught>.box{fill:#272115;stroke:#d29922}
.failed>.box{fill:#25171c;stroke:#f85149}
.running>.box{fill:#121d2f;stroke:#4493f8}
.done>.group{stroke:#3fb950}
.caught>.group{stroke:#d29922}
.failed>.group{stroke:#f85149}
.running>.group{stroke:#4493f8}
}
`

// canvas collects the elements of a document.
type canvas struct{ strings.Builder }

// add writes an element. Texts among the arguments MUST be escaped.
func (c *canvas) add(format string, args ...any) {
	fmt.Fprintf(&c.Builder, format+"\n", args...)
}

// escape makes a text fit for XML, in elements and in attributes.
func escape(text string) string {
	var b strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&b, []byte(text))
	return b.String()
}

// at is a position as SVG spells it: whole pixels are enough.
func at(units int) string { return strconv.Itoa(floorDiv(units+px/2, px)) }

const (
	headHeight   = 48 * px
	legendHeight = 30 * px
	leastWidth   = 420 * px
)

// document is the whole SVG.
func (p *picture) document(o Options) []byte {
	width, height := max(p.w, leastWidth)+2*margin, p.h+2*margin+legendHeight
	top := margin
	if o.Title != "" || o.Trace != nil {
		height += headHeight
		top += headHeight
	}
	c := &canvas{}
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 %s %s" width="%[1]s" height="%[2]s">`, at(width), at(height))
	c.add(`<title>%s</title>`, escape(clip(title(o), 300)))
	c.add(`<style>%s</style>`, style)
	c.add(`<rect class="paper" width="%s" height="%s"/>`, at(width), at(height))
	head(c, o)
	c.add(`<g transform="translate(%s %s)">`, at(margin+max(0, leastWidth-p.w)/2), at(top))
	p.draw(c, o.Trace)
	c.add(`</g>`)
	legend(c, height)
	c.add(`</svg>`)
	return []byte(c.String())
}

func title(o Options) string {
	if o.Title == "" {
		return "State machine"
	}
	return o.Title
}

func head(c *canvas, o Options) {
	if o.Title != "" {
		c.add(`<text class="head" x="%s" y="%s">%s</text>`, at(margin), at(margin+12*px), escape(clip(o.Title, 120)))
	}
	if o.Trace != nil {
		c.add(`<text class="sub" x="%s" y="%s">%s</text>`, at(margin), at(margin+30*px), escape(o.Trace.summary()))
	}
}

// legend explains the two kinds of lines.
func legend(c *canvas, height int) {
	y := height - margin
	c.add(`<path class="way" d="M%s %sh28"/><text class="sub" x="%s" y="%s">next</text>`, at(margin), at(y-4*px), at(margin+34*px), at(y))
	c.add(`<path class="error" d="M%s %sh28"/><text class="sub" x="%s" y="%s">on an error</text>`, at(margin+84*px), at(y-4*px), at(margin+118*px), at(y))
}

// draw writes the ways first, those that were taken on top of the others, then the boxes.
func (p *picture) draw(c *canvas, t *Trace) {
	for _, isTaken := range []bool{false, true} {
		for _, x := range p.links {
			if x.isTaken == isTaken {
				p.drawLink(c, x)
			}
		}
	}
	for _, layer := range p.layers {
		for _, n := range layer {
			p.drawNode(c, n, t)
		}
	}
}

func (p *picture) drawNode(c *canvas, n *node, t *Trace) {
	switch n.kind {
	case startNode:
		c.add(`<circle class="dot" cx="%s" cy="%s" r="8"/>`, at(n.x), at(n.y+n.h/2))
	case endNode:
		c.add(`<circle class="ring" cx="%s" cy="%s" r="7"/><circle class="dot" cx="%[1]s" cy="%[2]s" r="4"/>`, at(n.x), at(n.y+n.h/2))
	case labelNode:
		c.add(`<g class="label"><title>%s</title>`, escape(clipLines(n.full, 1000)))
		for i, line := range n.lines {
			c.add(`<text x="%s" y="%s">%s</text>`, at(n.x), at(n.y+labelHeight*i+11*px), escape(line))
		}
		c.add(`</g>`)
	case stateNode:
		p.drawState(c, n, t)
	}
}

func (p *picture) drawState(c *canvas, n *node, t *Trace) {
	left := n.x - n.w/2
	class := ""
	if n.outcome != "" {
		class = ` class="` + string(n.outcome) + `"`
	}
	c.add(`<g%s><title>%s</title>`, class, escape(tooltip(n.state, t)))
	drawShape(c, n, left)
	y := n.y + 20*px
	c.add(`<text class="name" x="%s" y="%s">%s</text>`, at(n.x), at(y), escape(n.title()))
	c.add(`<text class="what" x="%s" y="%s">%s</text>`, at(n.x), at(y+lineHeight), escape(n.detail()))
	if t != nil {
		c.add(`<text class="story" x="%s" y="%s">%s</text>`, at(n.x), at(y+2*lineHeight), escape(clip(t.story(n.state.Name), 44)))
	}
	x, top := left+innerPadding, n.y+nodeHeight
	if t != nil {
		top += lineHeight
	}
	for _, inner := range n.inner {
		c.add(`<g transform="translate(%s %s)">`, at(x), at(top))
		inner.draw(c, t)
		c.add(`</g>`)
		x += inner.w + innerGap
	}
	c.add(`</g>`)
}

// drawShape draws the outline by which the types of states are told apart.
func drawShape(c *canvas, n *node, left int) {
	x, y, w, h := at(left), at(n.y), at(n.w), at(n.h)
	switch {
	case len(n.inner) > 0:
		c.add(`<rect class="group" x="%s" y="%s" width="%s" height="%s" rx="8"/>`, x, y, w, h)
	case n.state.Type == "Choice":
		const cut = 14 * px
		c.add(`<path class="box" d="M%s %sH%sL%s %sL%s %sH%sL%s %sZ"/>`, at(left+cut), y, at(left+n.w-cut),
			at(left+n.w), at(n.y+n.h/2), at(left+n.w-cut), at(n.y+n.h), at(left+cut), x, at(n.y+n.h/2))
	case n.state.Type == "Succeed" || n.state.Type == "Fail":
		c.add(`<rect class="box" x="%s" y="%s" width="%s" height="%s" rx="%s"/>`, x, y, w, h, at(n.h/2))
	default:
		c.add(`<rect class="box" x="%s" y="%s" width="%s" height="%s" rx="6"/>`, x, y, w, h)
		if n.state.Type == "Task" {
			c.add(`<rect class="bar" x="%s" y="%s" width="4" height="%s" rx="2"/>`, at(left+5*px), at(n.y+7*px), at(n.h-14*px))
		}
	}
}

// tooltip says in full what the box has no room for.
func tooltip(s *asl.State, t *Trace) string {
	parts := []string{clip(s.Name, 300), clip(s.Comment, 500), clip(detail(s), 300)}
	if t != nil {
		parts = append(parts, clip(t.story(s.Name), 300))
	}
	var said []string
	for _, part := range parts {
		if part != "" {
			said = append(said, part)
		}
	}
	return strings.Join(said, "\n")
}
