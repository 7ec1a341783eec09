// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"errors"
	"math"
	"strconv"
	"strings"
)

// A path is a compiled JSONPath in the dialect of AWS, which is that of the Java library Jayway.
// https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html
//
// A definite path (names and indexes only) selects one node or fails. An indefinite one (wildcards, slices, filters,
// descent) selects an array of nodes and never fails.
type path struct {
	text     string
	root     pathRoot
	variable string
	steps    []step
	definite bool
	// function is applied to what the steps select, as in $.items.length().
	function string
}

type pathRoot int

const (
	rootData pathRoot = iota
	rootContext
	rootVariable
)

type stepKind int

const (
	stepName    stepKind = iota // .a ['a']
	stepNames                   // ['a','b']: an object of those members
	stepIndex                   // [0] [-1]
	stepIndexes                 // [0,2]
	stepSlice                   // [1:2] [:-1]
	stepAll                     // .* [*]
	stepFilter                  // [?(...)]
	stepDescend                 // ..: the node and all its descendants
)

type step struct {
	kind     stepKind
	name     string
	names    []string
	index    int
	indexes  []int
	from, to int
	filter   filter
}

// Open ends of a slice.
const (
	openFrom = math.MinInt
	openTo   = math.MaxInt
)

// maxNodes bounds what a path may visit, its filters included: "..*..*" on a large value would take for ever.
const maxNodes = 200_000

// walk is one evaluation of an indefinite path: what $ stands for, and how many nodes may still be visited.
type walk struct {
	root any
	left int
}

func (w *walk) visit(n int) bool {
	w.left -= n
	return w.left >= 0
}

var errTooManyNodes = errors.New("the path selects too many nodes")

// noNode says why a definite path found nothing, in Jayway's words.
type noNode struct{ message string }

func (e *noNode) Error() string { return e.message }

// selectFrom returns what the path selects in root, which is the value that its $, $$ or $name stands for.
func (p *path) selectFrom(root any) (any, error) {
	if !p.definite {
		return p.selectMany(root)
	}
	node := root
	for i := range p.steps {
		next, ok := p.steps[i].descendTo(node)
		if !ok {
			return nil, p.missing(i)
		}
		node = next
	}
	return p.apply(node)
}

// descendTo takes one definite step.
func (s *step) descendTo(node any) (any, bool) {
	switch s.kind {
	case stepName:
		o, ok := node.(*object)
		if !ok {
			return nil, false
		}
		return o.get(s.name)
	case stepNames:
		o, ok := node.(*object)
		if !ok {
			return nil, false
		}
		return pick(o, s.names), true
	case stepIndex:
		items, ok := node.([]any)
		if !ok {
			return nil, false
		}
		return at(items, s.index)
	}
	return nil, false
}

func at(items []any, i int) (any, bool) {
	if i < 0 {
		i += len(items)
	}
	if i < 0 || i >= len(items) {
		return nil, false
	}
	return items[i], true
}

func pick(o *object, names []string) any {
	out := &object{}
	for _, name := range names {
		if v, ok := o.get(name); ok && out.find(name) < 0 {
			out.add(name, v)
		}
	}
	return out
}

func (p *path) missing(i int) error {
	if i == len(p.steps)-1 {
		return &noNode{"No results for path: " + p.canonical(len(p.steps))}
	}
	return &noNode{"Missing property in path " + p.canonical(i+1)}
}

// canonical spells the first n steps the way Jayway does: $['a'][0].
func (p *path) canonical(n int) string {
	var b strings.Builder
	b.WriteByte('$')
	for _, s := range p.steps[:n] {
		switch s.kind {
		case stepName:
			b.WriteString("['" + s.name + "']")
		case stepNames:
			b.WriteString("['" + strings.Join(s.names, "','") + "']")
		case stepIndex:
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		}
	}
	return b.String()
}

func (p *path) selectMany(root any) (any, error) {
	w := &walk{root: root, left: maxNodes}
	v, err := p.selectWith(root, w)
	if w.left < 0 {
		return nil, errTooManyNodes
	}
	return v, err
}

// selectWith is selectFrom for a path inside a filter: it starts at any node and shares the walk's budget.
func (p *path) selectWith(start any, w *walk) (any, error) {
	if p.definite {
		w.visit(1)
		return p.selectFrom(start)
	}
	nodes := []any{start}
	for i := range p.steps {
		next := []any{}
		for _, node := range nodes {
			before := len(next)
			next = p.steps[i].expand(next, node, w)
			if !w.visit(1 + len(next) - before) {
				return nil, errTooManyNodes
			}
		}
		nodes = next
	}
	return p.apply(nodes)
}

// expand appends the nodes that one step selects from node.
func (s *step) expand(dst []any, node any, w *walk) []any {
	switch s.kind {
	case stepDescend:
		return descendants(dst, node, len(dst)+max(w.left, 0))
	case stepAll:
		return append(dst, children(node)...)
	case stepFilter:
		return s.expandFilter(dst, node, w)
	case stepSlice, stepIndexes:
		if items, ok := node.([]any); ok {
			return s.expandItems(dst, items)
		}
		return dst
	}
	if v, ok := s.descendTo(node); ok {
		return append(dst, v)
	}
	return dst
}

func (s *step) expandItems(dst, items []any) []any {
	if s.kind == stepIndexes {
		for _, i := range s.indexes {
			if v, ok := at(items, i); ok {
				dst = append(dst, v)
			}
		}
		return dst
	}
	from, to := sliceEnd(s.from, openFrom, 0, len(items)), sliceEnd(s.to, openTo, len(items), len(items))
	if from >= to {
		return dst
	}
	return append(dst, items[from:to]...)
}

// sliceEnd resolves one end of a slice: negative counts from the end of the array, open is the given default.
func sliceEnd(i, open, whenOpen, length int) int {
	if i == open {
		return whenOpen
	}
	if i < 0 {
		i += length
	}
	return max(0, min(i, length))
}

func (s *step) expandFilter(dst []any, node any, w *walk) []any {
	candidates := []any{node}
	if items, ok := node.([]any); ok {
		candidates = items
	}
	for _, c := range candidates {
		if !w.visit(1) {
			return dst
		}
		if s.filter.holds(c, w) {
			dst = append(dst, c)
		}
	}
	return dst
}

func children(node any) []any {
	switch x := node.(type) {
	case []any:
		return x
	case *object:
		return x.vals
	}
	return nil
}

// descendants appends node and everything below it, parents first, until dst is longer than limit. MaxDepth bounds the
// recursion.
func descendants(dst []any, node any, limit int) []any {
	if len(dst) > limit {
		return dst
	}
	dst = append(dst, node)
	for _, c := range children(node) {
		dst = descendants(dst, c, limit)
	}
	return dst
}

// apply runs the path's function, if it has one.
func (p *path) apply(v any) (any, error) {
	if p.function == "" {
		return v, nil
	}
	return pathFunctions[p.function](v)
}

var pathFunctions = map[string]func(any) (any, error){
	"length": pathLength,
	"min":    func(v any) (any, error) { return aggregate(v, minimum) },
	"max":    func(v any) (any, error) { return aggregate(v, maximum) },
	"sum":    func(v any) (any, error) { return aggregate(v, sum) },
	"avg":    func(v any) (any, error) { return aggregate(v, average) },
	"keys":   pathKeys,
}

func pathLength(v any) (any, error) {
	switch x := v.(type) {
	case []any:
		return intNumber(int64(len(x))), nil
	case *object:
		return intNumber(int64(len(x.keys))), nil
	case string:
		return intNumber(int64(len([]rune(x)))), nil
	}
	return nil, &noNode{"length() applies to arrays, objects and strings"}
}

func pathKeys(v any) (any, error) {
	o, ok := v.(*object)
	if !ok {
		return nil, &noNode{"keys() applies to objects"}
	}
	names := make([]any, len(o.keys))
	for i, k := range o.keys {
		names[i] = k
	}
	return names, nil
}

func aggregate(v any, combine func([]float64) float64) (any, error) {
	items, _ := v.([]any)
	var numbers []float64
	for _, item := range items {
		if n, ok := item.(number); ok {
			numbers = append(numbers, n.float())
		}
	}
	if len(numbers) == 0 {
		return nil, &noNode{"aggregation function attempted to calculate value using empty array"}
	}
	f := combine(numbers)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		return nil, &noNode{"aggregation function result is out of range"}
	}
	return floatNumber(f), nil
}

func minimum(fs []float64) float64 {
	m := fs[0]
	for _, f := range fs {
		m = math.Min(m, f)
	}
	return m
}

func maximum(fs []float64) float64 {
	m := fs[0]
	for _, f := range fs {
		m = math.Max(m, f)
	}
	return m
}

func sum(fs []float64) float64 {
	var s float64
	for _, f := range fs {
		s += f
	}
	return s
}

func average(fs []float64) float64 { return sum(fs) / float64(len(fs)) }

// isReference reports whether the path is a Reference Path: one that names a single node.
func (p *path) isReference() bool {
	for _, s := range p.steps {
		if s.kind != stepName && s.kind != stepIndex {
			return false
		}
	}
	return p.function == ""
}

// put returns a copy of root in which the node named by the reference path is v. Missing objects are made; it reports
// false where the path cannot apply: it steps into a scalar, or to an index that the array does not have.
func (p *path) put(root, v any) (any, bool) { return putAt(root, p.steps, v) }

func putAt(node any, steps []step, v any) (any, bool) {
	if len(steps) == 0 {
		return v, true
	}
	if steps[0].kind == stepIndex {
		return putIndex(node, steps, v)
	}
	o, ok := node.(*object)
	if !ok {
		return nil, false
	}
	child, ok := o.get(steps[0].name)
	if !ok {
		child = &object{}
	}
	changed, ok := putAt(child, steps[1:], v)
	if !ok {
		return nil, false
	}
	return o.with(steps[0].name, changed), true
}

func putIndex(node any, steps []step, v any) (any, bool) {
	items, ok := node.([]any)
	if !ok {
		return nil, false
	}
	i := steps[0].index
	if i < 0 {
		i += len(items)
	}
	if i < 0 || i >= len(items) {
		return nil, false
	}
	changed, ok := putAt(items[i], steps[1:], v)
	if !ok {
		return nil, false
	}
	out := append([]any(nil), items...)
	out[i] = changed
	return out, true
}
