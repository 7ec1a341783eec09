// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// paths is a tree of path steps. Nodes are numbered; 0 is the root.
type paths interface {
	// child returns the node one step below a node, or a negative number when nothing below is of interest.
	child(node int32, step []byte) int32
	// leaf takes a scalar at a node. Its text may lie in the event's.
	leaf(node int32, l leaf)
}

// element is an element of an array of the event that is an object or array itself. Elements are numbered in the order
// of the text; 0 is the event as a whole.
type element struct {
	// parent is the element around the array, array the array's number.
	parent, array int32
	// end is the number behind the last element inside this one.
	end int32
}

// walker goes over an event once and hands its leaves to paths.
type walker struct {
	data     []byte
	to       paths
	elements []element
	arrays   int32
}

// walk goes over the event. It checks all of the text, also what is of no interest.
func (w *walker) walk() error {
	at := jsonscan.Space(w.data, 0)
	if at >= len(w.data) {
		return errors.New("event is empty")
	}
	if w.data[at] != '{' {
		return errors.New("event is not a JSON object")
	}
	w.elements = append(w.elements[:0], element{parent: -1})
	w.arrays = 0
	end, err := w.object(at, 0, 0, 1)
	if err != nil {
		return fmt.Errorf("event is not valid JSON: %w", err)
	}
	if end = jsonscan.Space(w.data, end); end != len(w.data) {
		return fmt.Errorf("event is not valid JSON: text follows it at byte %d", end)
	}
	w.elements[0].end = int32(len(w.elements))
	return nil
}

func (w *walker) object(at int, node, inside int32, depth int) (int, error) {
	if depth > jsonscan.MaxDepth {
		return at, &jsonscan.SyntaxError{Offset: at, Problem: fmt.Sprintf("more than %d levels of nesting", jsonscan.MaxDepth)}
	}
	return jsonscan.Members(w.data, at, func(name []byte, at int) (int, error) {
		below := w.descend(node, name)
		if below < 0 {
			return jsonscan.Value(w.data, at)
		}
		return w.value(at, below, inside, depth)
	})
}

// descend goes down by a member's name, which counts as several steps when it contains dots.
func (w *walker) descend(node int32, name []byte) int32 {
	for node >= 0 {
		dot := bytes.IndexByte(name, '.')
		if dot < 0 {
			return w.to.child(node, name)
		}
		node = w.to.child(node, name[:dot])
		name = name[dot+1:]
	}
	return node
}

func (w *walker) value(at int, node, inside int32, depth int) (int, error) {
	if at >= len(w.data) {
		return at, jsonscan.ErrEnd
	}
	kind := kindOf(w.data[at])
	switch kind {
	case kindObject:
		return w.object(at, node, inside, depth+1)
	case kindArray:
		return w.array(at, node, inside, depth+1)
	case kindString:
		content, plain, end, err := jsonscan.String(w.data, at)
		if err == nil {
			w.to.leaf(node, leaf{kind, inside, decode(content, plain)})
		}
		return end, err
	}
	end, err := jsonscan.Value(w.data, at)
	if err == nil {
		w.to.leaf(node, leaf{kind, inside, w.data[at:end]})
	}
	return end, err
}

// array goes over an array. Its scalars are alternatives to each other and bind nothing else, so only objects and
// arrays inside it are elements.
func (w *walker) array(at int, node, inside int32, depth int) (int, error) {
	if depth > jsonscan.MaxDepth {
		return at, &jsonscan.SyntaxError{Offset: at, Problem: fmt.Sprintf("more than %d levels of nesting", jsonscan.MaxDepth)}
	}
	w.arrays++
	array := w.arrays
	return jsonscan.Elements(w.data, at, func(at int) (int, error) {
		if at >= len(w.data) || w.data[at] != '{' && w.data[at] != '[' {
			return w.value(at, node, inside, depth)
		}
		number := int32(len(w.elements))
		w.elements = append(w.elements, element{parent: inside, array: array})
		end, err := w.value(at, node, number, depth)
		w.elements[number].end = int32(len(w.elements))
		return end, err
	})
}

// decode returns the text of a string that jsonscan.String has read.
func decode(content []byte, plain bool) []byte {
	if plain || bytes.IndexByte(content, '\\') < 0 && utf8.Valid(content) {
		return content
	}
	return []byte(jsonscan.Unquote(content))
}
