// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import "strings"

// plan is a number of rules made ready for matching: a tree of all paths that they mention, so that an event's text is
// gone over once and everything else in it is skipped.
type plan struct {
	nodes []planNode
	rules []planRule
}

// planNode is a node of the tree of paths.
type planNode struct {
	children map[string]int32
	// lengths has bit n set when a child's name is n bytes long, the last bit for all longer ones. Most names of an event
	// are ruled out by their length, sooner than by the map.
	lengths uint64
	// parent and name lead here.
	parent int32
	name   string
	// isField tells that a rule asks for the leaves here.
	isField bool
}

// planRule is a rule with its fields resolved.
type planRule struct {
	fields []planField
	// owner is what the rule was added for.
	owner int
}

type planField struct {
	*field
	node int32
}

func newPlan() *plan {
	return &plan{nodes: []planNode{{parent: -1}}}
}

// add adds a rule. The rule must not change afterwards.
func (p *plan) add(r *rule, owner int) {
	planned := planRule{owner: owner, fields: make([]planField, len(r.fields))}
	for i := range r.fields {
		planned.fields[i] = planField{&r.fields[i], p.node(r.fields[i].path)}
	}
	p.rules = append(p.rules, planned)
}

// node returns the node of a path, which it makes if need be.
func (p *plan) node(path string) int32 {
	at := int32(0)
	for name := range strings.SplitSeq(path, ".") {
		next, ok := p.nodes[at].children[name]
		if !ok {
			next = int32(len(p.nodes))
			p.nodes = append(p.nodes, planNode{parent: at, name: name})
			n := &p.nodes[at]
			if n.children == nil {
				n.children = map[string]int32{}
			}
			n.children[name] = next
			n.lengths |= lengthBit(len(name))
		}
		at = next
	}
	p.nodes[at].isField = true
	return at
}

func lengthBit(n int) uint64 { return 1 << min(n, 63) }

// child returns the node below, or -1.
func (p *plan) child(node int32, name []byte) int32 {
	n := &p.nodes[node]
	if n.lengths&lengthBit(len(name)) == 0 {
		return -1
	}
	if below, ok := n.children[string(name)]; ok {
		return below
	}
	return -1
}
