// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram

import (
	"cmp"
	"slices"
)

const (
	portGap   = 24 * px // between ways that leave a state
	errorPort = 22 * px // from the middle, where errors leave and arrive
	corner    = 8 * px
	tipSize   = 7 * px
)

// drawLink draws one piece of a way.
func (p *picture) drawLink(c *canvas, x *link) {
	if x.isSide {
		p.drawSide(c, x)
		return
	}
	x1, y1 := p.leave(x), x.a.y+x.a.h
	if x.a.kind == bendNode {
		y1 = p.tops[x.a.rank]
		if p.isArrival(x.a) {
			y1 = p.bottoms[x.a.rank]
		}
	}
	x2, y2 := arrive(x), x.b.y
	if x.b.kind == bendNode {
		y2 = p.tops[x.b.rank]
	}
	if x.hasHead {
		y2 -= tipSize
		c.add(`<path class="%s" d="M%s %sl-4 -8h8z"/>`, tipClass(x), at(x2), at(y2+tipSize))
	}
	p.drawDown(c, x, x1, y1, x2, y2)
}

// drawDown draws from the upper to the lower end: straight through a layer, curved between two.
func (p *picture) drawDown(c *canvas, x *link, x1, y1, x2, y2 int) {
	from, to := p.bottoms[x.a.rank], p.tops[x.b.rank]
	if at(x1) == at(x2) {
		c.add(`<path class="%s" d="M%s %sV%s"/>`, wayClass(x), at(x1), at(y1), at(y2))
		return
	}
	half := (from + to) / 2
	c.add(`<path class="%s" d="M%s %sV%sC%[2]s %[5]s %[6]s %[5]s %[6]s %[7]sV%[8]s"/>`, wayClass(x), at(x1), at(y1), at(from),
		at(half), at(x2), at(to), at(y2))
}

// leave is where a way leaves the bottom of a state: side by side; one that leads straight down has the middle, errors
// the right or the left.
func (p *picture) leave(x *link) int {
	if x.a.kind != stateNode {
		return x.a.x
	}
	if x.isCatch {
		return errorSide(x.a, x.b)
	}
	var next []*link
	for _, other := range x.a.below {
		if !other.isCatch {
			next = append(next, other)
		}
	}
	slices.SortStableFunc(next, func(a, b *link) int { return cmp.Compare(a.b.x, b.b.x) })
	place := 2 * slices.Index(next, x)
	if straight := slices.IndexFunc(next, func(l *link) bool { return l.b.x == x.a.x }); straight >= 0 {
		return x.a.x + (place-2*straight)*portGap/2
	}
	return x.a.x + (place-len(next)+1)*portGap/2
}

// arrive is where a way meets the top of a state.
func arrive(x *link) int {
	if x.b.kind == stateNode && x.isCatch {
		return errorSide(x.b, x.a)
	}
	return x.b.x
}

func errorSide(n, other *node) int {
	if other.x < n.x {
		return n.x - errorPort
	}
	return n.x + errorPort
}

// drawSide draws a way between the side of a state and the bend beside it, which leads upwards.
func (p *picture) drawSide(c *canvas, x *link) {
	dir, edge := 1, x.a.x+x.a.w/2
	if x.b.x < x.a.x {
		dir, edge = -1, x.a.x-x.a.w/2
	}
	// Out of the lower half, into the upper half: both may be the same state.
	y, turn, end := x.a.y+x.a.h*2/3, -corner, p.tops[x.a.rank]
	if x.isUp {
		y, turn, end = x.a.y+x.a.h/3, corner, p.bottoms[x.a.rank]
		c.add(`<path class="%s" d="M%s %sl%d -4v8z"/>`, tipClass(x), at(edge), at(y), 8*dir)
		edge += dir * tipSize
	}
	if p.isLoop(x) {
		end = x.a.y + x.a.h/2
	}
	c.add(`<path class="%s" d="M%s %sH%sQ%[5]s %[3]s %[5]s %[6]sV%[7]s"/>`, wayClass(x), at(edge), at(y), at(x.b.x-dir*corner),
		at(x.b.x), at(y+turn), at(end))
}

// isArrival reports whether a way that leads upwards turns at the bend to the state beside it.
func (p *picture) isArrival(n *node) bool {
	return slices.ContainsFunc(n.beside, func(x *link) bool { return x.isUp })
}

// isLoop reports whether the way leads from a state to itself: it turns round at the bend.
func (p *picture) isLoop(x *link) bool {
	out, in := false, false
	for _, other := range x.b.beside {
		if other.a == x.a {
			out, in = out || !other.isUp, in || other.isUp
		}
	}
	return out && in && len(x.b.above)+len(x.b.below) == 0
}

func wayClass(x *link) string { return class("way", "error", x) }

func tipClass(x *link) string { return class("tip", "errortip", x) }

func class(next, failure string, x *link) string {
	name := next
	if x.isCatch {
		name = failure
	}
	if x.isTaken {
		name += " taken"
	}
	return name
}
