// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"cmp"
	"math"
	"slices"
)

// chain is a column of nodes, from the top, that are to stand exactly below each other: the bends of a long edge, or a
// run of states.
type chain []*node

// chains joins each node to at most one above and one below: by the links that want most to be straight, then by those
// that nearly are.
func (p *picture) chains() []chain {
	var links []*link
	for _, x := range p.links {
		if !x.isSide && !(x.isCatch && x.weight < bendWeight) {
			links = append(links, x)
		}
	}
	slices.SortStableFunc(links, func(x, y *link) int {
		return cmp.Or(cmp.Compare(y.weight, x.weight), cmp.Compare(x.slant(), y.slant()))
	})
	below, above := map[*node]*node{}, map[*node]*node{}
	for _, x := range links {
		if below[x.a] == nil && above[x.b] == nil {
			below[x.a], above[x.b] = x.b, x.a
		}
	}
	var all []chain
	for _, layer := range p.layers {
		for _, n := range layer {
			if above[n] != nil {
				continue
			}
			var c chain
			for ; n != nil; n = below[n] {
				c = append(c, n)
			}
			all = append(all, c)
		}
	}
	return all
}

func (x *link) slant() int { return max(x.a.x-x.b.x, x.b.x-x.a.x) }

// straighten moves each chain to one place, as far as the neighbours in the layers allow it: in as few pieces as it takes.
func (p *picture) straighten(chains []chain) {
	for _, c := range chains {
		for len(c) > 0 {
			c = c[p.straightenRun(c):]
		}
	}
}

// straightenRun straightens the longest beginning of a chain that has a common place, and returns its length.
func (p *picture) straightenRun(c chain) int {
	low, high := math.MinInt, math.MaxInt
	length := 0
	for _, n := range c {
		l, h := p.room(n)
		if max(low, l) > min(high, h) {
			break
		}
		low, high = max(low, l), min(high, h)
		length++
	}
	if length < 2 {
		return max(length, 1)
	}
	place := median(c[:length])
	for _, n := range c[:length] {
		n.x = min(max(place, low), high)
	}
	return length
}

// room is between which places a node can move without touching its neighbours.
func (p *picture) room(n *node) (low, high int) {
	layer := p.layers[n.rank]
	low, high = math.MinInt, math.MaxInt
	if n.order > 0 {
		left := layer[n.order-1]
		low = left.x + distance(left, n)
	}
	if n.order+1 < len(layer) {
		right := layer[n.order+1]
		high = right.x - distance(n, right)
	}
	return low, high
}

func median(nodes []*node) int {
	places := make([]int, len(nodes))
	for i, n := range nodes {
		places[i] = n.x
	}
	slices.Sort(places)
	return places[len(places)/2]
}
