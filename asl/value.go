// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"math"
	"strconv"
	"strings"
)

// A decoded JSON value is nil, bool, string, number, []any or *object. Values are immutable once made: states, branches
// and variables share them, and a change (ResultPath) copies the path to the changed node. encoding/json's forms will
// not do, because AWS keeps the order of keys and the text of numbers.

// number is the JSON text of a number, as it was written.
type number string

// object is a JSON object in the order of its members.
type object struct {
	keys []string
	vals []any
	// index is built for large objects only; small ones are faster to scan.
	index map[string]int
}

const indexFrom = 16

// newObject returns an object of the members given by turns: key, value, key, value.
func newObject(members ...any) *object {
	o := &object{keys: make([]string, 0, len(members)/2), vals: make([]any, 0, len(members)/2)}
	for i := 0; i+1 < len(members); i += 2 {
		o.add(members[i].(string), members[i+1])
	}
	return o
}

// add appends a member whose key the object does not have yet; only the maker of an object calls it.
func (o *object) add(key string, val any) {
	o.keys = append(o.keys, key)
	o.vals = append(o.vals, val)
	if o.index != nil {
		o.index[key] = len(o.keys) - 1
		return
	}
	if len(o.keys) == indexFrom {
		o.index = make(map[string]int, 2*indexFrom)
		for i, k := range o.keys {
			o.index[k] = i
		}
	}
}

func (o *object) find(key string) int {
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range o.keys {
		if k == key {
			return i
		}
	}
	return -1
}

func (o *object) get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.vals[i], true
	}
	return nil, false
}

// with returns a copy of the object in which key has the value val.
func (o *object) with(key string, val any) *object {
	c := &object{keys: make([]string, 0, len(o.keys)+1), vals: make([]any, 0, len(o.keys)+1)}
	found := false
	for i, k := range o.keys {
		if k == key {
			c.add(k, val)
			found = true
			continue
		}
		c.add(k, o.vals[i])
	}
	if !found {
		c.add(key, val)
	}
	return c
}

// float returns the number as a float64; numbers out of range become infinite.
func (n number) float() float64 {
	f, err := strconv.ParseFloat(string(n), 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// int returns the number as an integer, when it is one: 3, 3.0 and 3e2 are, 3.5 is not.
func (n number) int() (int64, bool) {
	if i, err := strconv.ParseInt(string(n), 10, 64); err == nil {
		return i, true
	}
	f := n.float()
	if f != math.Trunc(f) || math.Abs(f) > 1<<62 {
		return 0, false
	}
	return int64(f), true
}

func intNumber(i int64) number { return number(strconv.FormatInt(i, 10)) }

// floatNumber writes a finite float the way JavaScript and Go's encoding/json do.
func floatNumber(f float64) number {
	if f == 0 {
		return "0"
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return intNumber(int64(f))
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	return number(strings.Replace(text, "e+", "e", 1))
}

// compare orders two numbers by value: exactly for integers, else as floats.
func (n number) compare(m number) int {
	a, errA := strconv.ParseInt(string(n), 10, 64)
	b, errB := strconv.ParseInt(string(m), 10, 64)
	if errA == nil && errB == nil {
		return compareOrdered(a, b)
	}
	return compareOrdered(n.float(), m.float())
}

func compareOrdered[T int64 | float64 | string](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// equal is deep equality; numbers compare by value, objects without regard to order.
func equal(a, b any) bool {
	switch x := a.(type) {
	case number:
		y, ok := b.(number)
		return ok && (x == y || x.compare(y) == 0)
	case []any:
		y, ok := b.([]any)
		return ok && equalArrays(x, y)
	case *object:
		y, ok := b.(*object)
		return ok && (x == y || equalObjects(x, y))
	case string:
		y, ok := b.(string)
		return ok && x == y
	case bool:
		y, ok := b.(bool)
		return ok && x == y
	}
	return a == nil && b == nil
}

func equalArrays(x, y []any) bool {
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		if !equal(x[i], y[i]) {
			return false
		}
	}
	return true
}

func equalObjects(x, y *object) bool {
	if len(x.keys) != len(y.keys) {
		return false
	}
	for i, k := range x.keys {
		v, ok := y.get(k)
		if !ok || !equal(x.vals[i], v) {
			return false
		}
	}
	return true
}

// kindName names the JSON type of a value as AWS's messages do.
func kindName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case number:
		return "number"
	case []any:
		return "array"
	}
	return "object"
}
