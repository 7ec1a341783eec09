// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

// Rounds of the search for places.
const (
	spreadRounds     = 24
	straightenRounds = 6
)

// spread gives the nodes their horizontal places. Each wants to be below the nodes that lead to it and above those that it
// leads to; the order in the layer and the space between neighbours are kept. Rounds go downwards and upwards in turn. At
// last long edges and runs of states are straightened, and the rest moves to them.
func (p *picture) spread() {
	for _, layer := range p.layers {
		x := 0
		for i, n := range layer {
			if i > 0 {
				x += distance(layer[i-1], n)
			}
			n.x = x
		}
	}
	for round := range spreadRounds {
		p.sweep(round%2 == 0, false)
	}
	for round := range straightenRounds {
		chains := p.chains()
		p.straighten(chains)
		p.hold(chains)
		p.sweep(round%2 == 0, true)
	}
	p.straighten(p.chains())
	p.shift()
}

// sweep settles all layers once. A node looks at the layer before it, or both ways.
func (p *picture) sweep(isDown, looksBothWays bool) {
	for i := range p.layers {
		rank := i
		if !isDown {
			rank = len(p.layers) - 1 - i
		}
		p.settle(p.layers[rank], isDown || looksBothWays, !isDown || looksBothWays)
	}
}

// hold lets the nodes of a straight piece wish to stay there.
func (p *picture) hold(chains []chain) {
	for _, c := range chains {
		for i, n := range c {
			n.isHeld = i > 0 && c[i-1].x == n.x || i+1 < len(c) && c[i+1].x == n.x
		}
	}
}

// distance is the least one between the middles of neighbours.
func distance(a, b *node) int {
	gap := nodeGap
	if a.kind == bendNode || b.kind == bendNode {
		gap = bendGap
	}
	return (a.size()+b.size())/2 + gap
}

func (n *node) size() int {
	if n.kind == bendNode {
		return bendSize
	}
	return n.w
}

// settle moves the nodes of a layer to where they want to be, as far as they leave each other room: the places with the
// least weighted sum of squared distances from the wishes, found by merging neighbours that press against each other.
func (p *picture) settle(layer []*node, up, down bool) {
	type block struct {
		first, sum, weight int // sum of weight times wished place of the first node
	}
	var blocks []block
	offset := make([]int, len(layer)) // of each node from the first of the layer, when packed
	for i, n := range layer {
		if i > 0 {
			offset[i] = offset[i-1] + distance(layer[i-1], n)
		}
		wish, weight := p.wish(n, up, down)
		blocks = append(blocks, block{i, (wish - offset[i]) * weight, weight})
		for len(blocks) > 1 {
			a, b := blocks[len(blocks)-2], blocks[len(blocks)-1]
			if floorDiv(a.sum, a.weight) < floorDiv(b.sum, b.weight) {
				break
			}
			blocks = append(blocks[:len(blocks)-2], block{a.first, a.sum + b.sum, a.weight + b.weight})
		}
	}
	for i, b := range blocks {
		end := len(layer)
		if i+1 < len(blocks) {
			end = blocks[i+1].first
		}
		for j := b.first; j < end; j++ {
			layer[j].x = floorDiv(b.sum, b.weight) + offset[j]
		}
	}
}

// heldWeight is more than all links of a node together.
const heldWeight = 1 << 12

// wish is where a node wants to be, and how much: by its links upwards, downwards, and always to the side.
func (p *picture) wish(n *node, up, down bool) (place, weight int) {
	if n.isHeld {
		return n.x, heldWeight
	}
	sum := 0
	add := func(links []*link) {
		for _, x := range links {
			sum += x.weight * otherEnd(x, n).x
			weight += x.weight
		}
	}
	add(n.beside)
	if up {
		add(n.above)
	}
	if down {
		add(n.below)
	}
	if weight == 0 {
		return n.x, 1
	}
	return floorDiv(sum, weight), weight
}

// floorDiv rounds down for negative numbers too, so that a shifted picture is the same picture.
func floorDiv(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}

// shift moves everything to the right of zero and finds the width.
func (p *picture) shift() {
	left, right := 0, 0
	isFirst := true
	for _, layer := range p.layers {
		for _, n := range layer {
			if l := n.x - n.size()/2; isFirst || l < left {
				left = l
			}
			if r := n.x + n.size()/2; isFirst || r > right {
				right = r
			}
			isFirst = false
		}
	}
	for _, layer := range p.layers {
		for _, n := range layer {
			n.x -= left
		}
	}
	p.w = right - left
}
