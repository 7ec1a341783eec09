// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

// view is one event seen through a plan: the leaves at the plan's nodes. It is reused from event to event.
type view struct {
	plan *plan
	walk walker
	// leaves are those found at each node of the plan, when the event was read from text; found lists the nodes that have
	// any.
	leaves [][]leaf
	found  []int32

	// event is set when the event was taken apart before. Nodes are looked up in it when asked for: resolved[n] is the
	// node in the event, -1 if there is none, and counts if stamps[n] is stamp.
	event    *Event
	resolved []int32
	stamps   []uint32
	stamp    uint32

	// exhausted tells that a search for consistent elements was cut off.
	exhausted bool
	join      joiner
}

// keptLeaves is how many leaves at one node a view keeps room for; an event with more must not weigh on all later ones.
const keptLeaves = 256

// reset forgets the last event.
func (v *view) reset(p *plan) {
	if v.plan != p {
		*v = view{plan: p, leaves: make([][]leaf, len(p.nodes)), resolved: make([]int32, len(p.nodes)), stamps: make([]uint32, len(p.nodes))}
	}
	for _, node := range v.found {
		v.leaves[node] = v.leaves[node][:0]
		if cap(v.leaves[node]) > keptLeaves {
			v.leaves[node] = nil
		}
	}
	v.found, v.event, v.exhausted = v.found[:0], nil, false
	if cap(v.walk.elements) > keptLeaves {
		v.walk.elements = nil
	}
}

// readJSON reads an event's text, which must not change while the view is used.
func (v *view) readJSON(p *plan, event []byte) error {
	v.reset(p)
	v.walk.data, v.walk.to = event, v
	err := v.walk.walk()
	v.walk.data = nil
	return err
}

// readEvent takes an event that was taken apart before.
func (v *view) readEvent(p *plan, e *Event) {
	v.reset(p)
	v.event = e
	v.stamp++
	if v.stamp == 0 { // wrapped around: old stamps would count again
		clear(v.stamps)
		v.stamp = 1
	}
}

func (v *view) child(node int32, name []byte) int32 { return v.plan.child(node, name) }

func (v *view) leaf(node int32, l leaf) {
	if !v.plan.nodes[node].isField {
		return
	}
	if len(v.leaves[node]) == 0 {
		v.found = append(v.found, node)
	}
	v.leaves[node] = append(v.leaves[node], l)
}

// at returns the event's leaves at a node of the plan.
func (v *view) at(node int32) []leaf {
	if v.event == nil {
		return v.leaves[node]
	}
	in := v.resolve(node)
	if in < 0 {
		return nil
	}
	return v.event.at(in)
}

// resolve returns the event's node for a node of the plan, or -1.
func (v *view) resolve(node int32) int32 {
	if node == 0 {
		return 0
	}
	if v.stamps[node] == v.stamp {
		return v.resolved[node]
	}
	n := &v.plan.nodes[node]
	in := v.resolve(n.parent)
	if in >= 0 {
		below, ok := v.event.nodes[step{in, n.name}]
		if in = below; !ok {
			in = -1
		}
	}
	v.resolved[node], v.stamps[node] = in, v.stamp
	return in
}

func (v *view) elements() []element {
	if v.event != nil {
		return v.event.elements
	}
	return v.walk.elements
}

// matches tells whether the event matches a rule: each field has a leaf that matches, and those in arrays can be chosen
// from the same elements.
func (v *view) matches(r *planRule) bool {
	inArrays := 0
	for i := range r.fields {
		matched, outside := v.matchField(&r.fields[i])
		if !matched {
			return false
		}
		if !outside {
			inArrays++
		}
	}
	// A single field is always consistent with itself.
	if inArrays < 2 {
		return true
	}
	consistent, exhausted := v.join.consistent(v, r)
	v.exhausted = v.exhausted || exhausted
	return consistent || exhausted
}

// matchField tells whether a field is matched at all, and whether by a leaf outside all arrays of objects, or by being
// absent, so that it binds no other field.
func (v *view) matchField(f *planField) (matched, outside bool) {
	leaves := v.at(f.node)
	if len(leaves) == 0 {
		return f.absent, true
	}
	for i := range leaves {
		if !f.values.match(&leaves[i]) {
			continue
		}
		if leaves[i].element == 0 {
			return true, true
		}
		matched = true
	}
	return matched, false
}
