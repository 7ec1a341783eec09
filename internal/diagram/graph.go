// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"slices"
	"strings"

	"github.com/switchback-project/switchback/asl"
)

// graph is one "States" object: its states, and the ways between them.
type graph struct {
	nodes []*node
	edges []*edge
	trace *Trace // nil without an execution
	ways  map[way]*edge
}

// way is what distinguishes edges.
type way struct {
	from, to *node
	isCatch  bool
}

// kind is what a node stands for.
type kind int

const (
	stateNode kind = iota
	startNode
	endNode
	labelNode // the text of an edge
	bendNode  // a point that edges go through
)

// node is a box of the picture. Positions are in units, see layout.go.
type node struct {
	kind  kind
	state *asl.State
	lines []string // of a label
	full  string   // what they shorten
	// branches are the machines inside a Parallel or Map state; inner is how they look.
	branches []*graph
	inner    []*picture
	// outcome of a state when an execution is drawn, else "".
	outcome outcome

	w, h int
	// rank is the layer, from the top; order the place in it, from the left.
	rank, order int
	x, y        int // centre of the top side
	// above and below are the links to the layers there; beside, of a bend, those to the states at its side.
	above, below, beside []*link
	isHeld               bool
}

// edge is a way from one state to another. All rules that lead from one state to one other are one edge.
type edge struct {
	from, to *node
	labels   []string
	isCatch  bool
	isTaken  bool
	isBack   bool // leads upwards, see layers.go
}

// newGraph makes the graph of a machine. The outermost one shows where executions begin and end.
func newGraph(m *asl.StateMachine, t *Trace, isOutermost bool) *graph {
	g := &graph{trace: t, ways: map[way]*edge{}}
	byName := map[string]*node{}
	var start, end *node
	if isOutermost {
		start = g.add(&node{kind: startNode})
	}
	for _, s := range m.States {
		byName[s.Name] = g.add(g.stateNode(s))
	}
	if isOutermost {
		if slices.ContainsFunc(m.States, func(s *asl.State) bool { return s.End }) {
			end = g.add(&node{kind: endNode})
		}
		g.connect(start, byName[m.StartAt], "", false)
	}
	for _, s := range m.States {
		g.leave(s, byName, end)
	}
	return g
}

func (g *graph) add(n *node) *node {
	g.nodes = append(g.nodes, n)
	return n
}

func (g *graph) stateNode(s *asl.State) *node {
	n := &node{kind: stateNode, state: s}
	if g.trace != nil {
		n.outcome = g.trace.outcomeOf(s.Name)
	}
	for _, branch := range s.Branches {
		n.branches = append(n.branches, newGraph(branch, g.trace, false))
	}
	return n
}

// leave adds the ways out of a state.
func (g *graph) leave(s *asl.State, byName map[string]*node, end *node) {
	from := byName[s.Name]
	g.connect(from, byName[s.Next], "", false)
	for _, c := range s.Choices {
		g.connect(from, byName[c.Next], conditionText(c.Condition), false)
	}
	g.connect(from, byName[s.Default], "otherwise", false)
	for _, c := range s.Catch {
		g.connect(from, byName[c.Next], strings.Join(c.ErrorEquals, ", "), true)
	}
	if s.End {
		g.connect(from, end, "", false)
	}
}

// connect adds a way, or its label to the one that is there. A state that does not exist has none: Check says so.
func (g *graph) connect(from, to *node, label string, isCatch bool) {
	if from == nil || to == nil {
		return
	}
	key := way{from, to, isCatch}
	e := g.ways[key]
	if e == nil {
		e = &edge{from: from, to: to, isCatch: isCatch, isTaken: g.isTaken(from, to, isCatch)}
		g.ways[key] = e
		g.edges = append(g.edges, e)
	}
	if label != "" {
		e.labels = append(e.labels, label)
	}
}

func (g *graph) isTaken(from, to *node, isCatch bool) bool {
	switch {
	case g.trace == nil:
		return false
	case from.kind == startNode:
		return to.outcome != idle
	case to.kind == endNode:
		return from.outcome == done && g.trace.Status == asl.Succeeded
	}
	return g.trace.steps[step{from.state.Name, to.state.Name, isCatch}]
}
