// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"cmp"
	"slices"
)

// orderRounds is how often the layers are gone through in search of fewer crossings.
const orderRounds = 12

// meet tells the nodes of their links.
func (l *layering) meet() {
	for _, x := range l.links {
		if x.isSide {
			x.b.beside = append(x.b.beside, x)
			continue
		}
		x.b.above = append(x.b.above, x)
		x.a.below = append(x.a.below, x)
	}
}

// sort orders the nodes of each layer so that few links cross: each goes to the middle of its neighbours in the layer
// before, downwards and upwards in turn; the best of all rounds is kept.
func (l *layering) sort() {
	l.attach()
	best, fewest := l.orders(), l.crossings()
	for round := range orderRounds {
		if fewest == 0 {
			break
		}
		if round%2 == 0 {
			for rank := 1; rank < len(l.layers); rank++ {
				sortLayer(l.layers[rank], func(x *node) int { return middle(x, x.above) })
			}
		} else {
			for rank := len(l.layers) - 2; rank >= 0; rank-- {
				sortLayer(l.layers[rank], func(x *node) int { return middle(x, x.below) })
			}
		}
		l.attach()
		if crossings := l.crossings(); crossings < fewest {
			best, fewest = l.orders(), crossings
		}
	}
	for rank, order := range best {
		l.layers[rank] = order
		renumber(order)
	}
}

func (l *layering) orders() [][]*node {
	all := make([][]*node, len(l.layers))
	for rank, layer := range l.layers {
		all[rank] = slices.Clone(layer)
	}
	return all
}

// fraction keeps whole numbers precise enough where places are averaged.
const fraction = 1000

// middle is the mean place of the neighbours; a node without any stays where it is.
func middle(n *node, links []*link) int {
	if len(links) == 0 {
		return n.order * fraction
	}
	sum := 0
	for _, x := range links {
		sum += otherEnd(x, n).order
	}
	return sum * fraction / len(links)
}

func otherEnd(x *link, n *node) *node {
	if x.a == n {
		return x.b
	}
	return x.a
}

func sortLayer(layer []*node, place func(*node) int) {
	places := make(map[*node]int, len(layer))
	for _, n := range layer {
		places[n] = place(n)
	}
	slices.SortStableFunc(layer, func(a, b *node) int { return cmp.Compare(places[a], places[b]) })
	renumber(layer)
}

func renumber(layer []*node) {
	for i, n := range layer {
		n.order = i
	}
}

// attach puts each bend that has a state at its side right beside that state.
func (l *layering) attach() {
	for rank, layer := range l.layers {
		var free, bound []*node
		for _, x := range layer {
			if len(x.beside) > 0 {
				bound = append(bound, x)
			} else {
				free = append(free, x)
			}
		}
		for _, x := range bound {
			i := slices.Index(free, x.beside[0].a)
			free = slices.Insert(free, i+1, x)
		}
		l.layers[rank] = free
		renumber(free)
	}
}

// crossings counts the pairs of links that cross between two layers.
func (l *layering) crossings() int {
	byRank := make([][]*link, len(l.layers))
	for _, x := range l.links {
		if !x.isSide {
			byRank[x.a.rank] = append(byRank[x.a.rank], x)
		}
	}
	sum := 0
	for _, links := range byRank {
		slices.SortFunc(links, func(x, y *link) int {
			return cmp.Or(cmp.Compare(x.a.order, y.a.order), cmp.Compare(x.b.order, y.b.order))
		})
		lower := make([]int, len(links))
		for i, x := range links {
			lower[i] = x.b.order
		}
		sum += inversions(lower)
	}
	return sum
}

// inversions counts the pairs in the wrong order, and sorts.
func inversions(a []int) int {
	if len(a) < 2 {
		return 0
	}
	half := len(a) / 2
	left, right := slices.Clone(a[:half]), slices.Clone(a[half:])
	sum := inversions(left) + inversions(right)
	for i := range a {
		switch {
		case len(right) == 0 || len(left) > 0 && left[0] <= right[0]:
			a[i], left = left[0], left[1:]
		default:
			a[i], right = right[0], right[1:]
			sum += len(left)
		}
	}
	return sum
}
