// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"math"
	"strconv"
	"strings"
)

// numberMatcher matches a number by value. One that a float64 cannot hold, such as an id of 17 digits, matches only
// its own spelling: by value it would match its neighbours.
func numberMatcher(literal string) matcher {
	m := matcher{op: opSpelling, text: literal}
	f, err := strconv.ParseFloat(literal, 64)
	if err == nil && canonical(literal) == canonical(strconv.FormatFloat(f, 'e', -1, 64)) {
		return matcher{op: opRange, low: f, high: f}
	}
	return m
}

// canonical brings a number's spelling into a form that is equal for equal values.
func canonical(literal string) string {
	digits, exponent, _ := strings.Cut(strings.ToLower(literal), "e")
	power, err := strconv.Atoi("0" + strings.TrimPrefix(exponent, "+"))
	if negative, ok := strings.CutPrefix(exponent, "-"); ok {
		power, err = strconv.Atoi(negative)
		power = -power
	}
	if err != nil {
		return literal // an exponent beyond all floats
	}
	digits, negative := strings.CutPrefix(digits, "-")
	whole, fraction, _ := strings.Cut(digits, ".")
	digits = strings.TrimLeft(whole+fraction, "0")
	power -= len(fraction)
	if digits == "" {
		return "0"
	}
	trimmed := strings.TrimRight(digits, "0")
	power += len(digits) - len(trimmed)
	sign := ""
	if negative {
		sign = "-"
	}
	return sign + trimmed + "e" + strconv.Itoa(power)
}

// numeric compiles the operand of {"numeric": …}: one comparison, or a lower and an upper bound.
func numeric(n *node) (matcher, error) {
	if n.kind != kindArray {
		return matcher{}, invalidf("Value of numeric must be an array.")
	}
	list := n.list
	if len(list) == 0 {
		return matcher{}, invalidf("Invalid member in numeric match: ]")
	}
	if list[0].kind != kindString {
		return matcher{}, invalidf("Invalid member in numeric match: %s", list[0].token())
	}
	operator := list[0].text
	m := matcher{op: opRange, low: math.Inf(-1), high: math.Inf(1)}
	switch operator {
	case "=", "<", "<=", ">", ">=":
	default:
		return m, invalidf("Unrecognized numeric range operator: %s", operator)
	}
	value, err := operand(operator, list[1:])
	if err != nil {
		return m, err
	}
	m.bound(operator, value)
	if len(list) == 2 {
		return m, nil
	}
	if operator != ">" && operator != ">=" {
		return m, invalidf("Too many elements in numeric expression")
	}
	return upperBound(m, list[2:])
}

// upperBound adds the second comparison to a range.
func upperBound(m matcher, list []node) (matcher, error) {
	if list[0].kind != kindString {
		return m, invalidf("Bad value in numeric range: %s", list[0].token())
	}
	operator := list[0].text
	if operator != "<" && operator != "<=" {
		return m, invalidf("Bad numeric range operator: %s", operator)
	}
	value, err := operand(operator, list[1:])
	if err != nil {
		return m, err
	}
	if len(list) > 2 {
		return m, invalidf("Too many terms in numeric range expression")
	}
	if value <= m.low {
		return m, invalidf("Bottom must be less than top")
	}
	m.bound(operator, value)
	return m, nil
}

func operand(operator string, list []node) (float64, error) {
	if len(list) == 0 || list[0].kind != kindNumber {
		if operator == "=" {
			operator = "equals"
		}
		return 0, invalidf("Value of %s must be numeric", operator)
	}
	f, err := strconv.ParseFloat(list[0].text, 64)
	if err != nil {
		return 0, invalidf("Value of %s is out of range", operator)
	}
	return f, nil
}

func (m *matcher) bound(operator string, value float64) {
	switch operator {
	case "=":
		m.low, m.high = value, value
	case "<", "<=":
		m.high, m.highOpen = value, operator == "<"
	case ">", ">=":
		m.low, m.lowOpen = value, operator == ">"
	}
}

func (m *matcher) inRange(f float64) bool {
	return (f > m.low || f == m.low && !m.lowOpen) && (f < m.high || f == m.high && !m.highOpen)
}
