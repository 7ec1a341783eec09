// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"maps"
	"slices"
	"sync"
)

// index finds the rules that an event may match.
type index struct {
	plan *plan
	// drawers hold the rules, filed by what a leaf at the drawer's node must be like. A rule lies in one drawer, there under
	// each alternative of its field.
	drawers []*drawer
	// always are the rules that no leaf tells of, to be checked against every event.
	always []int32
	views  sync.Pool
}

// drawer files rules under the values of one field.
type drawer struct {
	node     int32
	exact    map[string][]int32
	fold     map[string][]int32
	prefixes affixes
	suffixes affixes
	literals [kindString][]int32
	numbers  map[float64][]int32
	// any holds the rules for which every leaf must be checked.
	any []int32
}

// affixes files rules under prefixes or suffixes, by length.
type affixes struct {
	lengths []int
	rules   map[string][]int32
}

// indexView is a view with what matching an index needs besides.
type indexView struct {
	view
	// hits are the owners that match so far. checked and hit tell which rules were checked and which owners are hits: those
	// stamped with round.
	hits         []int
	checked, hit []uint32
	round        uint32
}

func newIndex(patterns []keyedPattern) *index {
	ix := &index{plan: newPlan()}
	owners := 0
	for _, p := range patterns {
		owners = max(owners, p.ordinal+1)
		for i := range p.pattern.rules {
			ix.plan.add(&p.pattern.rules[i], p.ordinal)
		}
	}
	ix.views.New = func() any {
		return &indexView{checked: make([]uint32, len(ix.plan.rules)), hit: make([]uint32, owners)}
	}
	ix.file()
	return ix
}

func (ix *index) view() *indexView { return ix.views.Get().(*indexView) }

// file puts each rule into the drawer of its most selective field.
func (ix *index) file() {
	values := ix.valuesByNode()
	drawers := map[int32]*drawer{}
	for i := range ix.plan.rules {
		best, lowest := -1, checkAlways
		for f := range ix.plan.rules[i].fields {
			field := &ix.plan.rules[i].fields[f]
			if cost := cost(field, len(values[field.node])); cost < lowest {
				best, lowest = f, cost
			}
		}
		if best < 0 {
			ix.always = append(ix.always, int32(i))
			continue
		}
		field := &ix.plan.rules[i].fields[best]
		d := drawers[field.node]
		if d == nil {
			d = newDrawer(field.node)
			drawers[field.node] = d
		}
		d.file(&field.values, int32(i))
	}
	for _, node := range slices.Sorted(maps.Keys(drawers)) {
		drawers[node].finish()
		ix.drawers = append(ix.drawers, drawers[node])
	}
}

// valuesByNode collects the different texts that rules compare a field with. The more there are, the fewer rules one
// event's value leads to.
func (ix *index) valuesByNode() map[int32]map[string]bool {
	values := map[int32]map[string]bool{}
	for i := range ix.plan.rules {
		for _, f := range ix.plan.rules[i].fields {
			if values[f.node] == nil {
				values[f.node] = map[string]bool{}
			}
			maps.Copy(values[f.node], f.values.exact)
			for _, m := range f.values.matchers {
				values[f.node][m.text] = true
			}
		}
	}
	return values
}

// Costs are estimates of how many of all events make a rule filed under a field be checked.
const (
	checkAlways = 2.0
	checkLeaf   = 1.0
)

// cost estimates it for a field that rules compare with a number of different values.
func cost(f *planField, values int) float64 {
	if f.absent {
		return checkAlways
	}
	total := float64(len(f.values.exact))
	for i := range f.values.matchers {
		switch f.values.matchers[i].op {
		case opExact, opFold, opLiteral, opRange:
			total++
		case opPrefix, opSuffix, opWildcard:
			total += 2
		default:
			return checkLeaf
		}
	}
	return min(total/float64(values+1), checkLeaf)
}

func newDrawer(node int32) *drawer {
	return &drawer{
		node: node, exact: map[string][]int32{}, fold: map[string][]int32{}, numbers: map[float64][]int32{},
		prefixes: affixes{rules: map[string][]int32{}}, suffixes: affixes{rules: map[string][]int32{}},
	}
}

// file puts a rule under each alternative of its field.
func (d *drawer) file(a *alternatives, rule int32) {
	for text := range a.exact {
		d.exact[text] = append(d.exact[text], rule)
	}
	for i := range a.matchers {
		m := &a.matchers[i]
		switch {
		case m.op == opExact:
			d.exact[m.text] = append(d.exact[m.text], rule)
		case m.op == opFold:
			key := foldKey([]byte(m.text))
			d.fold[key] = append(d.fold[key], rule)
		case m.op == opLiteral:
			d.literals[m.kind] = append(d.literals[m.kind], rule)
		case m.op == opRange && m.low == m.high:
			d.numbers[m.low] = append(d.numbers[m.low], rule)
		case m.op == opPrefix && m.text != "":
			d.prefixes.file(m.text, rule)
		case m.op == opSuffix && m.text != "":
			d.suffixes.file(m.text, rule)
		case m.op == opWildcard && len(m.pieces) > 1 && len(m.pieces[0]) > 0:
			d.prefixes.file(string(m.pieces[0]), rule)
		case m.op == opWildcard && len(m.pieces) > 1 && len(m.pieces[len(m.pieces)-1]) > 0:
			d.suffixes.file(string(m.pieces[len(m.pieces)-1]), rule)
		default:
			d.any = append(d.any, rule)
		}
	}
}

// finish is called when all rules are filed.
func (d *drawer) finish() {
	d.prefixes.finish()
	d.suffixes.finish()
	d.any = slices.Compact(d.any)
}

func (a *affixes) file(text string, rule int32) {
	a.rules[text] = append(a.rules[text], rule)
}

func (a *affixes) finish() {
	for text := range a.rules {
		a.lengths = append(a.lengths, len(text))
	}
	slices.Sort(a.lengths)
	a.lengths = slices.Compact(a.lengths)
}

// match returns the owners of the rules that match, in no order.
func (ix *index) match(v *indexView) []int {
	v.hits = v.hits[:0]
	v.round++
	if v.round == 0 { // wrapped around: old stamps would count again
		clear(v.checked)
		clear(v.hit)
		v.round = 1
	}
	for _, d := range ix.drawers {
		leaves := v.at(d.node)
		if len(leaves) > 0 {
			ix.check(v, d.any)
		}
		for i := range leaves {
			ix.matchLeaf(v, d, &leaves[i])
		}
	}
	ix.check(v, ix.always)
	return v.hits
}

// matchLeaf checks the rules that a leaf leads to.
func (ix *index) matchLeaf(v *indexView, d *drawer, l *leaf) {
	switch l.kind {
	case kindString:
		ix.matchText(v, d, l.text)
	case kindNumber:
		if len(d.numbers) > 0 {
			if f, ok := l.number(); ok {
				ix.check(v, d.numbers[f])
			}
		}
	default:
		ix.check(v, d.literals[l.kind])
	}
}

func (ix *index) matchText(v *indexView, d *drawer, text []byte) {
	if len(d.exact) > 0 {
		ix.check(v, d.exact[string(text)])
	}
	if len(d.fold) > 0 {
		ix.check(v, d.fold[foldKey(text)])
	}
	for _, n := range d.prefixes.lengths {
		if n > len(text) {
			break
		}
		ix.check(v, d.prefixes.rules[string(text[:n])])
	}
	for _, n := range d.suffixes.lengths {
		if n > len(text) {
			break
		}
		ix.check(v, d.suffixes.rules[string(text[len(text)-n:])])
	}
}

// check adds the owners of those rules that match. Each rule is checked once an event, however many leaves lead to it.
func (ix *index) check(v *indexView, rules []int32) {
	for _, rule := range rules {
		if v.checked[rule] == v.round {
			continue
		}
		v.checked[rule] = v.round
		r := &ix.plan.rules[rule]
		if v.hit[r.owner] != v.round && v.matches(r) {
			v.hit[r.owner] = v.round
			v.hits = append(v.hits, r.owner)
		}
	}
}
