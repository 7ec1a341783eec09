// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import "strings"

// px is a pixel in units. Positions are whole numbers of units, so that every machine computes the same picture.
const px = 16

// Sizes in units.
const (
	margin       = 20 * px
	nodePadding  = 14 * px
	minWidth     = 110 * px
	lineHeight   = 16 * px
	nodeHeight   = 2*lineHeight + 12*px
	labelHeight  = 14 * px
	dotSize      = 16 * px
	bendSize     = 8 * px
	layerGap     = 30 * px
	narrowGap    = 18 * px // beside a layer of texts
	nodeGap      = 26 * px
	bendGap      = 12 * px
	innerPadding = 16 * px
	innerGap     = 20 * px
)

// picture is a graph with positions.
type picture struct {
	layers [][]*node
	links  []*link
	w, h   int
	// tops and bottoms of the layers.
	tops, bottoms []int
}

// layOut gives every node its place: layers, order in the layers, positions.
func layOut(g *graph) *picture {
	for _, n := range g.nodes {
		n.measure()
	}
	l := newLayering(g)
	for _, n := range g.nodes {
		if n.kind == labelNode {
			n.measure()
		}
	}
	l.meet()
	l.sort()
	p := &picture{layers: l.layers, links: l.links}
	p.spread()
	p.stack()
	return p
}

// measure sets the size of a node.
func (n *node) measure() {
	switch n.kind {
	case startNode, endNode:
		n.w, n.h = dotSize, dotSize
	case labelNode:
		for _, line := range n.lines {
			n.w = max(n.w, textWidth(line, labelFont)+6*px)
		}
		n.h = labelHeight * len(n.lines)
	case stateNode:
		n.measureState()
	}
}

func (n *node) measureState() {
	n.w = max(minWidth, textWidth(n.title(), titleFont)*11/10, textWidth(n.detail(), detailFont)) + 2*nodePadding
	n.h = nodeHeight
	if n.outcome != "" {
		n.h += lineHeight
	}
	if len(n.branches) == 0 {
		return
	}
	inside, tallest := innerPadding, 0
	for _, branch := range n.branches {
		p := layOut(branch)
		n.inner = append(n.inner, p)
		inside += p.w + innerGap
		tallest = max(tallest, p.h)
	}
	n.w = max(n.w, inside-innerGap+innerPadding)
	n.h += tallest + innerPadding
}

// title is the name of a state as it is shown.
func (n *node) title() string { return clip(n.state.Name, 40) }

func (n *node) detail() string { return clip(detail(n.state), 44) }

// Fonts by their size in pixels.
const (
	titleFont  = 13
	detailFont = 11
	labelFont  = 11
)

// textWidth estimates the width of a text. It errs towards too wide: fonts differ between readers.
func textWidth(text string, font int) int {
	sum := 0 // in thousandths of the font's size
	for _, r := range text {
		switch {
		case strings.ContainsRune("ijl.,:;|!'`()[]{}tfrI ", r):
			sum += 400
		case strings.ContainsRune("mwMW@%…", r):
			sum += 930
		case r >= 'A' && r <= 'Z':
			sum += 730
		case r < 0x250:
			sum += 620
		default:
			sum += 1050
		}
	}
	return sum * font * px / 1000
}

// stack gives the layers their heights, from the top.
func (p *picture) stack() {
	y := 0
	for i, layer := range p.layers {
		tallest := 0
		for _, n := range layer {
			tallest = max(tallest, n.h)
		}
		if i > 0 {
			y += p.gap(i)
		}
		for _, n := range layer {
			n.y = y + (tallest-n.h)/2
		}
		p.tops, p.bottoms = append(p.tops, y), append(p.bottoms, y+tallest)
		y += tallest
	}
	p.h = y
}

// gap is the space above a layer.
func (p *picture) gap(rank int) int {
	if isNarrow(p.layers[rank]) || isNarrow(p.layers[rank-1]) {
		return narrowGap
	}
	return layerGap
}

// isNarrow reports whether there is no box in the layer.
func isNarrow(layer []*node) bool {
	for _, n := range layer {
		if n.kind == stateNode {
			return false
		}
	}
	return true
}
