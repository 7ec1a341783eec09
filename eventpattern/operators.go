// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

// The methods of this file turn match expressions into matchers. The texts of the errors are EventBridge's, down to
// "prefix" for a bad cidr.

// alternative compiles one element of a field's list.
func (c *compiler) alternative(n *node) (matcher, error) {
	switch n.kind {
	case kindString:
		if addr, ok := parseAddr([]byte(n.text)); ok {
			return matcher{op: opAddress, text: n.text, addr: addr}, nil
		}
		return matcher{op: opExact, text: n.text}, nil
	case kindNumber:
		return numberMatcher(n.text), nil
	case kindNull, kindTrue, kindFalse:
		return matcher{op: opLiteral, kind: n.kind}, nil
	case kindObject:
		return c.expression(n)
	}
	return matcher{}, invalidf("Match value must be String, number, true, false, or null")
}

// expression compiles a match expression.
func (c *compiler) expression(n *node) (m matcher, err error) {
	if len(n.members) == 0 {
		return m, invalidf("Match expression name not found")
	}
	name, value := n.members[0].name, &n.members[0].value
	tooMany := "Only one key allowed in match expression"
	switch name {
	case "exactly":
		m, err = textMatcher(opExact, value, "exact")
	case "prefix":
		m, err = affix(opPrefix, opPrefixFold, value, "prefix")
	case "suffix":
		m, err = affix(opSuffix, opSuffixFold, value, "suffix")
	case "equals-ignore-case":
		m, err = textMatcher(opFold, value, name)
	case "wildcard":
		m, err = c.wildcard(value)
	case "numeric":
		tooMany = "Too many elements in numeric expression"
		m, err = numeric(value)
	case "cidr":
		m, err = cidr(value)
	case "exists":
		m, err = exists(value)
	case "anything-but":
		tooMany = "Too many elements in numeric expression"
		m, err = c.anythingBut(value)
	default:
		err = invalidf("Unrecognized match type %s", name)
	}
	if err == nil && len(n.members) > 1 {
		err = invalidf("%s", tooMany)
	}
	return m, err
}

func textMatcher(o op, n *node, name string) (matcher, error) {
	if n.kind != kindString {
		return matcher{}, invalidf("%s match pattern must be a string", name)
	}
	return newText(o, n.text), nil
}

// affix compiles a prefix or suffix, which may be one that ignores case.
func affix(exact, fold op, n *node, name string) (matcher, error) {
	if n.kind != kindObject {
		return textMatcher(exact, n, name)
	}
	title := map[string]string{"prefix": "Prefix", "suffix": "Suffix"}[name]
	if len(n.members) == 0 {
		return matcher{}, invalidf("%s expression name not found", title)
	}
	if inner := n.members[0].name; inner != "equals-ignore-case" {
		return matcher{}, invalidf("Unsupported %s pattern: %s", name, inner)
	}
	m, err := textMatcher(fold, &n.members[0].value, "equals-ignore-case")
	if err == nil && len(n.members) > 1 {
		err = invalidf("Only one key allowed in match expression")
	}
	return m, err
}

func exists(n *node) (matcher, error) {
	switch n.kind {
	case kindTrue:
		return matcher{op: opExists}, nil
	case kindFalse:
		return matcher{op: opAbsent}, nil
	}
	return matcher{}, invalidf("exists match pattern must be either true or false.")
}

const mustBeValue = "Value of anything-but must be an array or single string/number value."

func (c *compiler) anythingBut(n *node) (matcher, error) {
	switch n.kind {
	case kindString:
		return not(newText(opExact, n.text)), nil
	case kindNumber:
		return not(numberMatcher(n.text)), nil
	case kindArray:
		return anythingButList(n.list)
	case kindObject:
		return c.anythingButExpression(n)
	}
	return matcher{}, invalidf(mustBeValue)
}

func anythingButList(list []node) (matcher, error) {
	var excluded []matcher
	kinds := map[kind]bool{}
	for i := range list {
		kinds[list[i].kind] = true
		switch list[i].kind {
		case kindString:
			excluded = append(excluded, newText(opExact, list[i].text))
		case kindNumber:
			excluded = append(excluded, numberMatcher(list[i].text))
		default:
			return matcher{}, invalidf("Inside anything but list, start|null|boolean is not supported.")
		}
	}
	if len(kinds) != 1 {
		return matcher{}, invalidf("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return not(excluded...), nil
}

// anythingButExpression compiles {"anything-but": {"prefix": …}} and the like.
func (c *compiler) anythingButExpression(n *node) (matcher, error) {
	if len(n.members) == 0 {
		return matcher{}, invalidf("Anything-But expression name not found")
	}
	name, value := n.members[0].name, &n.members[0].value
	switch name {
	case "equals-ignore-case", "prefix", "suffix", "wildcard":
	default:
		return matcher{}, invalidf("Unsupported anything-but pattern: %s", name)
	}
	values := []node{*value}
	switch value.kind {
	case kindArray:
		values = value.list
	case kindString, kindNumber:
	default:
		return matcher{}, invalidf(mustBeValue)
	}
	var excluded []matcher
	for i := range values {
		m, err := c.excluded(name, &values[i])
		if err != nil {
			return matcher{}, err
		}
		excluded = append(excluded, m)
	}
	if len(n.members) > 1 {
		return matcher{}, invalidf("Too many elements in numeric expression")
	}
	return not(excluded...), nil
}

// excluded compiles one value of an anything-but expression.
func (c *compiler) excluded(name string, n *node) (matcher, error) {
	switch {
	case name == "wildcard":
		return c.wildcard(n)
	case name == "equals-ignore-case" && n.kind != kindString:
		return matcher{}, invalidf("Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
	case name == "equals-ignore-case":
		return newText(opFold, n.text), nil
	case n.kind != kindString:
		return matcher{}, invalidf("prefix/suffix match pattern must be a string")
	case n.text == "":
		return matcher{}, invalidf("Null prefix/suffix not allowed")
	case name == "prefix":
		return newText(opPrefix, n.text), nil
	}
	return newText(opSuffix, n.text), nil
}
