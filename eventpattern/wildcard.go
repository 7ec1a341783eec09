// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import "bytes"

const (
	// maxStars is how many '*' one value may have. EventBridge accepts two and refuses six; what lies between depends on
	// its state machine.
	maxStars = 5
	// maxWildcards is how many '*' a pattern may have in all.
	maxWildcards = 1000

	tooComplex = "Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character"
)

// wildcard compiles the operand of {"wildcard": …}.
func (c *compiler) wildcard(n *node) (matcher, error) {
	if n.kind != kindString {
		return matcher{}, invalidf("wildcard match pattern must be a string")
	}
	pieces, err := splitWildcard(n.text)
	if err != nil {
		return matcher{}, err
	}
	if c.wildcards += len(pieces) - 1; len(pieces)-1 > maxStars || c.wildcards > maxWildcards {
		return matcher{}, invalidf(tooComplex)
	}
	return matcher{op: opWildcard, pieces: pieces}, nil
}

// splitWildcard splits a wildcard at its stars. EventBridge counts positions from the quote before the text.
func splitWildcard(text string) ([][]byte, error) {
	pieces := [][]byte{nil}
	for i := 0; i < len(text); i++ {
		last := len(pieces) - 1
		switch c := text[i]; {
		case c == '*' && i+1 < len(text) && text[i+1] == '*':
			return nil, invalidf("Consecutive wildcard characters at pos %d", i+1)
		case c == '*':
			pieces = append(pieces, nil)
		case c == '\\' && (i+1 == len(text) || text[i+1] != '*' && text[i+1] != '\\'):
			return nil, invalidf("Invalid escape character at pos %d", i+1)
		case c == '\\':
			i++
			pieces[last] = append(pieces[last], text[i])
		default:
			pieces[last] = append(pieces[last], c)
		}
	}
	return pieces, nil
}

// matchWildcard tells whether text is the pieces with anything between them. Taking each piece at its first occurrence
// is right when '*' is the only wildcard: a later one would only leave less for the rest.
func matchWildcard(pieces [][]byte, text []byte) bool {
	first, last := pieces[0], pieces[len(pieces)-1]
	if len(pieces) == 1 {
		return bytes.Equal(first, text)
	}
	if len(text) < len(first)+len(last) || !bytes.HasPrefix(text, first) || !bytes.HasSuffix(text, last) {
		return false
	}
	text = text[len(first) : len(text)-len(last)]
	for _, piece := range pieces[1 : len(pieces)-1] {
		at := bytes.Index(text, piece)
		if at < 0 {
			return false
		}
		text = text[at+len(piece):]
	}
	return true
}
