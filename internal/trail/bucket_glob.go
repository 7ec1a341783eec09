// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

// The patterns of policies: * is any text, ? any one character.

// globWithin reports whether every text that p matches is matched by q. It may miss that for patterns that are written
// in an odd way, and never says so wrongly. A text without wildcards matches only itself.
func globWithin(p, q string) bool {
	i, j, star, mark := 0, 0, -1, 0
	for i < len(p) {
		switch {
		case j < len(q) && q[j] == '*':
			star, mark = j, i
			j++
		case j < len(q) && (q[j] == p[i] || q[j] == '?' && p[i] != '*'):
			i++
			j++
		case star >= 0:
			mark++
			i, j = mark, star+1
		default:
			return false
		}
	}
	for j < len(q) && q[j] == '*' {
		j++
	}
	return j == len(q)
}

// maxMeet bounds the work of comparing two patterns, which are an attacker's.
const maxMeet = 1 << 20

// globsMeet reports whether some text is matched by both. Patterns that are too large to tell are taken to meet.
func globsMeet(p, q string) bool {
	if (len(p)+1)*(len(q)+1) > maxMeet {
		return true
	}
	// row[j]: the rest of p from i on and the rest of q from j on meet.
	row := make([]bool, len(q)+1)
	for i := len(p); i >= 0; i-- {
		next := row
		row = make([]bool, len(q)+1)
		for j := len(q); j >= 0; j-- {
			row[j] = meetsAt(p, q, i, j, row, next)
		}
	}
	return row[0]
}

// meetsAt is one cell of globsMeet: row holds those further right, next those of the next character of p.
func meetsAt(p, q string, i, j int, row, next []bool) bool {
	switch {
	case i == len(p) && j == len(q):
		return true
	case i < len(p) && p[i] == '*' && (next[j] || j < len(q) && row[j+1]):
		return true
	case j < len(q) && q[j] == '*' && (row[j+1] || i < len(p) && next[j]):
		return true
	case i == len(p) || j == len(q):
		return false
	}
	return next[j+1] && (p[i] == q[j] || p[i] == '?' || q[j] == '?')
}
