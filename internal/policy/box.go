// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import "math/bits"

// set is a set of small numbers: of the members of one dimension.
type set []uint64

func newSet(size int) set { return make(set, (size+63)/64) }

func (s set) add(i int) { s[i/64] |= 1 << (i % 64) }

func (s set) has(i int) bool { return s[i/64]&(1<<(i%64)) != 0 }

func (s set) isEmpty() bool {
	for _, w := range s {
		if w != 0 {
			return false
		}
	}
	return true
}

func (s set) meets(t set) bool {
	for i, w := range s {
		if w&t[i] != 0 {
			return true
		}
	}
	return false
}

// isWithin tells whether t has all of s.
func (s set) isWithin(t set) bool {
	for i, w := range s {
		if w&^t[i] != 0 {
			return false
		}
	}
	return true
}

func (s set) and(t set) set {
	out := make(set, len(s))
	for i, w := range s {
		out[i] = w & t[i]
	}
	return out
}

func (s set) without(t set) set {
	out := make(set, len(s))
	for i, w := range s {
		out[i] = w &^ t[i]
	}
	return out
}

// join adds all of t.
func (s set) join(t set) {
	for i, w := range t {
		s[i] |= w
	}
}

func (s set) size() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// box is a set of requests: the product of one set a dimension.
type box []set

func (b box) words() int {
	n := 0
	for _, s := range b {
		n += len(s)
	}
	return n
}

func (b box) isEmpty() bool {
	for _, s := range b {
		if s.isEmpty() {
			return true
		}
	}
	return false
}

func (b box) meets(c box) bool {
	for i, s := range b {
		if !s.meets(c[i]) {
			return false
		}
	}
	return true
}

func (b box) and(c box) box {
	out := make(box, len(b))
	for i, s := range b {
		out[i] = s.and(c[i])
	}
	return out
}

// without cuts c out of b: the pieces are disjoint, one a dimension in which b is wider, the first dimension first.
func (b box) without(c box) []box {
	if !b.meets(c) {
		return []box{b}
	}
	var pieces []box
	rest := b
	for i := range b {
		if rest[i].isWithin(c[i]) {
			continue
		}
		piece := append(box(nil), rest...)
		piece[i] = rest[i].without(c[i])
		pieces = append(pieces, piece)
		rest = append(box(nil), rest...)
		rest[i] = rest[i].and(c[i])
	}
	return pieces
}

// cutter subtracts boxes within a budget: hostile policies could make the pieces endless. When it is spent, nothing more
// is cut, so that what is left is never too little.
type cutter struct {
	budget int // words that may still be looked at
}

// Limits of a comparison: the pieces of one statement, and the words looked at in all.
const (
	maxPieces = 500
	maxWork   = 50_000_000
)

// subtract cuts boxes out of boxes; ok is false when something could not be cut.
func (c *cutter) subtract(from, cuts []box) (rest []box, ok bool) {
	rest = from
	for _, b := range cuts {
		if c.budget -= len(rest) * b.words(); c.budget < 0 {
			return rest, false
		}
		var next []box
		for _, r := range rest {
			next = append(next, r.without(b)...)
		}
		if len(next) > maxPieces {
			return rest, false
		}
		rest = next
	}
	return rest, true
}
