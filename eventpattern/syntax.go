// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"errors"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// node is a JSON value of a pattern. Members stay in their order, repeated names included, because what EventBridge
// makes of a pattern, and which fault it reports, depends on the order.
type node struct {
	kind kind
	// text is a string decoded, a number or literal as written.
	text    string
	members []member
	list    []node
}

type member struct {
	name  string
	value node
}

// kind is the type of a JSON value.
type kind uint8

const (
	kindNull kind = iota
	kindTrue
	kindFalse
	kindNumber
	kindString
	kindObject
	kindArray
)

// token is the text that EventBridge's parser has for a value in its error messages.
func (n *node) token() string {
	switch n.kind {
	case kindObject:
		return "{"
	case kindArray:
		return "["
	}
	return n.text
}

func kindOf(c byte) kind {
	switch c {
	case '{':
		return kindObject
	case '[':
		return kindArray
	case '"':
		return kindString
	case 't':
		return kindTrue
	case 'f':
		return kindFalse
	case 'n':
		return kindNull
	}
	return kindNumber
}

// parse reads a pattern's JSON.
func parse(pattern []byte) (node, error) {
	if len(pattern) > MaxPatternSize {
		return node{}, invalidf("Event pattern is longer than %d bytes", MaxPatternSize)
	}
	// Value also bounds the nesting, which the reader follows by recursion.
	at := jsonscan.Space(pattern, 0)
	end, err := jsonscan.Value(pattern, at)
	if err == nil && jsonscan.Space(pattern, end) != len(pattern) {
		err = errors.New("text follows the pattern")
	}
	if err != nil {
		return node{}, invalidf("Event pattern is not valid JSON: %v", err)
	}
	var root node
	if _, err := root.read(pattern, at); err != nil {
		return node{}, invalidf("Event pattern is not valid JSON: %v", err)
	}
	return root, nil
}

func (n *node) read(b []byte, at int) (int, error) {
	n.kind = kindOf(b[at])
	switch n.kind {
	case kindObject:
		return jsonscan.Members(b, at, func(name []byte, at int) (int, error) {
			m := member{name: string(name)}
			end, err := m.value.read(b, at)
			n.members = append(n.members, m)
			return end, err
		})
	case kindArray:
		return jsonscan.Elements(b, at, func(at int) (int, error) {
			var element node
			end, err := element.read(b, at)
			n.list = append(n.list, element)
			return end, err
		})
	case kindString:
		content, plain, end, err := jsonscan.String(b, at)
		n.text = string(decode(content, plain))
		return end, err
	}
	end, err := jsonscan.Value(b, at)
	n.text = string(b[at:end])
	return end, err
}
