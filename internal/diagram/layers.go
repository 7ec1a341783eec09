// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"strings"
	"unicode/utf8"
)

// link is a drawn piece of an edge, from a layer to the next one below, or beside within a layer.
type link struct {
	a, b *node // a is above b, or a is the state and b the bend beside it
	// isSide: within a layer, between a state and the bend of edges that lead upwards.
	isSide bool
	// isUp: the edge runs from b to a.
	isUp bool
	// hasHead: the edge ends here, at the state.
	hasHead bool
	isCatch bool
	isTaken bool
	weight  int // how much it wants to be straight
}

// Weights of links: long edges straight before short ones, the usual way before errors.
const (
	bendWeight  = 16
	nextWeight  = 4
	catchWeight = 1
)

// layering is a graph whose nodes stand in layers, with bends wherever an edge crosses one.
type layering struct {
	layers [][]*node
	links  []*link
	// pieces finds links by their ends: edges to the same state share them.
	pieces map[piece]*link
	bends  map[bend]*node
}

type piece struct {
	a, b             *node
	hasHead, isCatch bool
}

// bend is what the bends of a layer are shared by: the target, and how it is reached.
type bend struct {
	to              *node
	isCatch, isBack bool
	rank            int
}

// newLayering puts the nodes into layers: each below all that lead to it, but for edges that close a loop.
func newLayering(g *graph) *layering {
	g.addLabels()
	g.findBackEdges()
	l := &layering{pieces: map[piece]*link{}, bends: map[bend]*node{}}
	depth := g.rank()
	l.layers = make([][]*node, depth)
	for _, n := range g.nodes {
		l.put(n)
	}
	for _, e := range g.edges {
		if e.isBack {
			l.routeUp(e)
		} else {
			l.routeDown(e)
		}
	}
	return l
}

func (l *layering) put(n *node) *node {
	n.order = len(l.layers[n.rank])
	l.layers[n.rank] = append(l.layers[n.rank], n)
	return n
}

// addLabels puts a node in the middle of each edge that has a text. Errors have none: there are too many of them.
func (g *graph) addLabels() {
	var all []*edge
	for _, e := range g.edges {
		if len(e.labels) == 0 || e.isCatch {
			all = append(all, e)
			continue
		}
		label := g.add(&node{kind: labelNode, lines: wrap(e.labels), full: strings.Join(e.labels, "\nor ")})
		all = append(all, &edge{from: e.from, to: label, isTaken: e.isTaken}, &edge{from: label, to: e.to, isTaken: e.isTaken})
	}
	g.edges = all
}

const (
	labelWidth = 36 // characters of a line
	labelLines = 4
)

// wrap breaks the texts of an edge into lines, by words.
func wrap(labels []string) []string {
	var lines []string
	for i, label := range labels {
		if i > 0 {
			label = "or " + label
		}
		line := ""
		for _, word := range strings.Fields(clip(label, labelLines*labelWidth)) {
			if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > labelWidth {
				lines, line = append(lines, line), ""
			}
			line = strings.TrimSpace(line + " " + clip(word, labelWidth))
		}
		lines = append(lines, line)
	}
	if len(lines) > labelLines {
		lines = append(lines[:labelLines-1], "…")
	}
	return lines
}

// findBackEdges marks the edges that lead to where a walk in the order of the definition comes from.
func (g *graph) findBackEdges() {
	out := map[*node][]*edge{}
	for _, e := range g.edges {
		out[e.from] = append(out[e.from], e)
	}
	const entered, left = 1, 2
	state := map[*node]int{}
	var walk func(n *node)
	walk = func(n *node) {
		state[n] = entered
		for _, e := range out[n] {
			switch state[e.to] {
			case entered:
				e.isBack = true
			case left:
			default:
				walk(e.to)
			}
		}
		state[n] = left
	}
	for _, n := range g.nodes {
		if state[n] == 0 {
			walk(n)
		}
	}
}

// rank gives each node the number of its layer, and returns how many there are. The end is the last.
func (g *graph) rank() int {
	waits := map[*node]int{}
	out := map[*node][]*edge{}
	for _, e := range g.edges {
		if !e.isBack {
			waits[e.to]++
			out[e.from] = append(out[e.from], e)
		}
	}
	var ready []*node
	for _, n := range g.nodes {
		if waits[n] == 0 {
			ready = append(ready, n)
		}
	}
	last := 0
	for len(ready) > 0 {
		n := ready[0]
		ready = ready[1:]
		last = max(last, n.rank)
		for _, e := range out[n] {
			e.to.rank = max(e.to.rank, n.rank+1)
			if waits[e.to]--; waits[e.to] == 0 {
				ready = append(ready, e.to)
			}
		}
	}
	for _, n := range g.nodes {
		if n.kind == endNode {
			n.rank = max(n.rank, last)
		}
	}
	return last + 1
}

// routeDown leads an edge from layer to layer.
func (l *layering) routeDown(e *edge) {
	at := e.from
	for rank := e.from.rank + 1; rank < e.to.rank; rank++ {
		next := l.bend(bend{e.to, e.isCatch, false, rank})
		l.link(link{a: at, b: next, isCatch: e.isCatch, isTaken: e.isTaken})
		at = next
	}
	l.link(link{a: at, b: e.to, hasHead: e.to.kind != labelNode, isCatch: e.isCatch, isTaken: e.isTaken})
}

// routeUp leads an edge out at the side, up beside the layers, and in at the side.
func (l *layering) routeUp(e *edge) {
	at := l.bend(bend{e.to, e.isCatch, true, e.from.rank})
	l.link(link{a: e.from, b: at, isSide: true, isCatch: e.isCatch, isTaken: e.isTaken})
	for rank := e.from.rank - 1; rank >= e.to.rank; rank-- {
		next := l.bend(bend{e.to, e.isCatch, true, rank})
		l.link(link{a: next, b: at, isUp: true, isCatch: e.isCatch, isTaken: e.isTaken})
		at = next
	}
	l.link(link{a: e.to, b: at, isSide: true, isUp: true, hasHead: true, isCatch: e.isCatch, isTaken: e.isTaken})
}

func (l *layering) bend(b bend) *node {
	n := l.bends[b]
	if n == nil {
		n = l.put(&node{kind: bendNode, rank: b.rank})
		l.bends[b] = n
	}
	return n
}

// link adds a piece, or finds the one that is there.
func (l *layering) link(x link) {
	key := piece{x.a, x.b, x.hasHead, x.isCatch}
	if there := l.pieces[key]; there != nil {
		there.isTaken = there.isTaken || x.isTaken
		return
	}
	x.weight = nextWeight
	switch {
	case x.a.kind == bendNode && x.b.kind == bendNode:
		x.weight = bendWeight
	case x.isCatch:
		x.weight = catchWeight
	}
	l.pieces[key] = &x
	l.links = append(l.links, &x)
}
