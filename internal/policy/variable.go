// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package policy

import "strings"

// version2012 is the version that has policy variables; before, they are plain text.
const version2012 = "2012-10-17"

// substitute puts the request's values for the variables of text. Without a value there is no substitution: AWS then
// takes the text for one that fits nothing, unless the variable has a default.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
func substitute(text string, context Context) (result string, ok bool) {
	if !strings.Contains(text, "${") {
		return text, true
	}
	var b strings.Builder
	for {
		before, rest, found := strings.Cut(text, "${")
		b.WriteString(before)
		if !found {
			return b.String(), true
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", false
		}
		value, ok := context.variable(name)
		if !ok {
			return "", false
		}
		b.WriteString(value)
		text = after
	}
}

// plain puts characters that stand for themselves alone in the place of wildcards: a value must not become a pattern, nor
// ${*} and ${?}.
var plain = strings.NewReplacer("*", plainStar, "?", plainMark)

const (
	plainStar = "\x01"
	plainMark = "\x02"
)

// alike is what is to be compared with a text of substitute.
func alike(got, substituted string) string {
	if strings.ContainsAny(substituted, plainStar+plainMark) {
		return plain.Replace(got)
	}
	return got
}

func (c Context) variable(name string) (string, bool) {
	name, fallback, hasDefault := strings.Cut(name, ",")
	name = strings.TrimSpace(name)
	switch name {
	case "*":
		return plainStar, true
	case "?":
		return plainMark, true
	case "$":
		return "$", true
	}
	if values := c[strings.ToLower(name)]; len(values) == 1 {
		return plain.Replace(values[0]), true
	}
	if quoted := strings.TrimSpace(fallback); hasDefault && len(quoted) >= 2 && quoted[0] == '\'' && quoted[len(quoted)-1] == '\'' {
		return plain.Replace(quoted[1 : len(quoted)-1]), true
	}
	return "", false
}
