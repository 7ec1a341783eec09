// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"bytes"
	"fmt"
)

// Event is an event taken apart, to be matched against many patterns and sets. It is immutable and safe for concurrent
// use.
type Event struct {
	nodes    map[step]int32
	elements []element
	// leaves are sorted by node; those of node n are leaves[starts[n]:starts[n+1]].
	leaves []leaf
	starts []int32
}

// step leads from a node of a tree to the one below it.
type step struct {
	from int32
	name string
}

// ParseEvent takes an event apart. It copies data, which may be any JSON object.
func ParseEvent(data []byte) (*Event, error) {
	b := eventBuilder{nodes: map[step]int32{}}
	w := walker{data: bytes.Clone(data), to: &b}
	if err := w.walk(); err != nil {
		return nil, fmt.Errorf("parse event: %w", err)
	}
	return b.event(w.elements), nil
}

// eventBuilder collects all paths and leaves of an event.
type eventBuilder struct {
	nodes  map[step]int32
	leaves []leaf
	at     []int32 // node of each leaf
}

func (b *eventBuilder) child(node int32, name []byte) int32 {
	if n, ok := b.nodes[step{node, string(name)}]; ok {
		return n
	}
	n := int32(len(b.nodes)) + 1
	b.nodes[step{node, string(name)}] = n
	return n
}

func (b *eventBuilder) leaf(node int32, l leaf) {
	b.leaves = append(b.leaves, l)
	b.at = append(b.at, node)
}

// event sorts the leaves by node, those of one node in the order of the text.
func (b *eventBuilder) event(elements []element) *Event {
	e := &Event{nodes: b.nodes, elements: elements, leaves: make([]leaf, len(b.leaves)), starts: make([]int32, len(b.nodes)+2)}
	for _, node := range b.at {
		e.starts[node+1]++
	}
	for n := 1; n < len(e.starts); n++ {
		e.starts[n] += e.starts[n-1]
	}
	next := make([]int32, len(e.starts))
	copy(next, e.starts)
	for i, node := range b.at {
		e.leaves[next[node]] = b.leaves[i]
		next[node]++
	}
	return e
}

// at returns the leaves of a node.
func (e *Event) at(node int32) []leaf {
	return e.leaves[e.starts[node]:e.starts[node+1]]
}
