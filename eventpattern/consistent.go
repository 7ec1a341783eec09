// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"maps"
	"slices"
	"sort"
)

// joiner decides whether fields can be matched by leaves of the same array elements.
//
// Elements form a tree: arrays inside elements, elements inside arrays. Within one element, each array below it must be
// entered by one element for all fields that are matched there. So the search goes down the tree, from each element to
// one element of each of its arrays.
type joiner struct {
	elements []element
	// matched are, for each field, the elements of the leaves that match it, in ascending order.
	matched [][]int32
	steps   int
}

// maxSteps bounds the search, to a fraction of a second. Without names that are repeated or contain dots, it takes at most some
// steps for each element and field.
const maxSteps = 2_000_000

// consistent tells whether the rule's fields, each of which is known to match, match together. It gives up when there
// are too many ways to try.
func (j *joiner) consistent(v *view, r *planRule) (consistent, exhausted bool) {
	j.elements, j.matched, j.steps = v.elements(), j.matched[:0], 0
	for i := range r.fields {
		f := &r.fields[i]
		var in []int32
		for _, l := range v.at(f.node) {
			if f.values.match(&l) && (len(in) == 0 || in[len(in)-1] != l.element) {
				in = append(in, l.element)
			}
		}
		// Leaves are in the order of the text, but inside an element some may stand behind an array of deeper ones.
		slices.Sort(in)
		if len(in) > 0 && in[0] != 0 {
			j.matched = append(j.matched, slices.Compact(in))
		}
	}
	all := make([]int, len(j.matched))
	for i := range all {
		all[i] = i
	}
	consistent = j.inside(0, all)
	return consistent, j.steps > maxSteps
}

// inside tells whether the fields can all be matched inside an element.
func (j *joiner) inside(element int32, fields []int) bool {
	if j.steps += len(fields); j.steps > maxSteps {
		return false
	}
	var deeper []int
	for _, f := range fields {
		in := j.within(f, element)
		if len(in) == 0 {
			return false
		}
		if in[0] != element {
			deeper = append(deeper, f)
		}
	}
	switch len(deeper) {
	case 0, 1:
		return true
	}
	return j.choose(element, deeper, map[int32][]int{})
}

// within returns the elements that match a field and are the element or lie in it.
func (j *joiner) within(f int, element int32) []int32 {
	in, end := j.matched[f], j.elements[element].end
	from := sort.Search(len(in), func(i int) bool { return in[i] >= element })
	to := from + sort.Search(len(in)-from, func(i int) bool { return in[from+i] >= end })
	return in[from:to]
}

// choose assigns the first field to one of the arrays of the element that hold matches for it, and goes on with the
// others. There is only one such array unless names are repeated or contain dots.
func (j *joiner) choose(element int32, fields []int, chosen map[int32][]int) bool {
	if j.steps++; j.steps > maxSteps {
		return false
	}
	if len(fields) == 0 {
		return j.allChosen(element, chosen)
	}
	arrays := j.arrays(element, fields[0])
	for _, array := range arrays {
		before := chosen[array]
		chosen[array] = append(slices.Clip(before), fields[0])
		// Where there is a choice, a bad one should be found out before the others are made.
		possible := len(arrays) == 1 || j.oneElement(element, array, chosen[array])
		if possible && j.choose(element, fields[1:], chosen) {
			return true
		}
		chosen[array] = before
	}
	return false
}

// allChosen tells whether the fields assigned to each array can be matched inside one of its elements.
func (j *joiner) allChosen(element int32, chosen map[int32][]int) bool {
	for _, array := range slices.Sorted(maps.Keys(chosen)) {
		if together := chosen[array]; len(together) > 1 && !j.oneElement(element, array, together) {
			return false
		}
	}
	return true
}

// arrays returns the arrays right below an element that hold matches for a field.
func (j *joiner) arrays(element int32, f int) []int32 {
	var arrays []int32
	in := j.within(f, element)
	for len(in) > 0 {
		child := j.childHolding(element, in[0])
		if array := j.elements[child].array; !slices.Contains(arrays, array) {
			arrays = append(arrays, array)
		}
		end := j.elements[child].end
		in = in[sort.Search(len(in), func(i int) bool { return in[i] >= end }):]
	}
	return arrays
}

// childHolding returns the element right below an element that is inner or holds it.
func (j *joiner) childHolding(element, inner int32) int32 {
	for j.elements[inner].parent != element {
		inner = j.elements[inner].parent
	}
	return inner
}

// oneElement tells whether the fields can be matched inside one element of the array, right below element, that all of
// them were assigned to.
func (j *joiner) oneElement(element, array int32, fields []int) bool {
	first := j.within(fields[0], element)
	for len(first) > 0 {
		child := j.childHolding(element, first[0])
		if j.elements[child].array == array && j.inside(child, fields) {
			return true
		}
		end := j.elements[child].end
		first = first[sort.Search(len(first), func(i int) bool { return first[i] >= end }):]
	}
	return false
}
