// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"maps"
	"slices"
	"strings"
)

// A selector is compared by what it covers, not by how it is written. Both kinds become clauses: conjunctions of
// conditions on fields of an event. A clause is cut into atoms, which have at most one positive value a field, and an
// atom is covered when one clause of the other side contains it. The answer "covered" is always right; "not covered"
// can be wrong only for sets that no single clause contains although several together would, beyond the cuts made
// here. Such sets count as lost, which is the safe side.

// Fields of events that the cuts know. The names are those of advanced event selectors.
const (
	fieldCategory = "eventCategory"
	fieldReadOnly = "readOnly"
	fieldSource   = "eventSource"
	fieldType     = "resources.type"
	fieldARN      = "resources.ARN"
	fieldInsight  = "insightType"
	// fieldInsightOn is ours: which events are analysed.
	fieldInsightOn = "insightOn"

	categoryManagement = "Management"
	categoryData       = "Data"
	categoryInsight    = "Insight"
)

// clause holds the conditions by field; an absent field is free.
type clause map[string]condition

// condition accepts a value that matches one of anyOf (or any value when it is empty) and none of noneOf.
type condition struct {
	anyOf, noneOf []pattern
}

// pattern is a set of texts: one text, or all with a beginning or an end.
type pattern struct {
	kind  patternKind
	value string
}

type patternKind byte

const (
	exactly patternKind = iota
	beginning
	ending
)

func patterns(kind patternKind, values ...string) []pattern {
	out := make([]pattern, 0, len(values))
	for _, v := range values {
		out = append(out, pattern{kind, v})
	}
	return out
}

func is(value string) condition { return condition{anyOf: patterns(exactly, value)} }

// clauses returns what the trail records while it is logging.
func (t Trail) clauses() []clause { return append(t.eventClauses(), t.insightClauses()...) }

func (t Trail) eventClauses() []clause {
	var out []clause
	for _, s := range t.AdvancedEventSelectors {
		out = append(out, s.clause())
	}
	classic := t.EventSelectors
	if t.HasDefaultSelectors() {
		classic = DefaultEventSelectors()
	}
	for _, s := range classic {
		out = append(out, s.clauses()...)
	}
	return out
}

func (t Trail) insightClauses() []clause {
	var out []clause
	for _, s := range t.InsightSelectors {
		out = append(out, s.clauses()...)
	}
	return out
}

func (s AdvancedEventSelector) clause() clause {
	c := clause{}
	for _, f := range s.FieldSelectors {
		c[f.Field] = condition{
			anyOf:  slices.Concat(patterns(exactly, f.Equals...), patterns(beginning, f.StartsWith...), patterns(ending, f.EndsWith...)),
			noneOf: slices.Concat(patterns(exactly, f.NotEquals...), patterns(beginning, f.NotStartsWith...), patterns(ending, f.NotEndsWith...)),
		}
	}
	return c
}

func (s EventSelector) clauses() []clause {
	var out []clause
	if s.IncludeManagementEvents {
		c := s.base(categoryManagement)
		if len(s.ExcludeManagementEventSources) > 0 {
			c[fieldSource] = condition{noneOf: patterns(exactly, s.ExcludeManagementEventSources...)}
		}
		out = append(out, c)
	}
	for _, d := range s.DataResources {
		if len(d.Values) == 0 {
			continue
		}
		c := s.base(categoryData)
		c[fieldType] = is(d.Type)
		if !slices.ContainsFunc(d.Values, isWholeService) {
			c[fieldARN] = condition{anyOf: patterns(beginning, d.Values...)}
		}
		out = append(out, c)
	}
	return out
}

func (s EventSelector) base(category string) clause {
	c := clause{fieldCategory: is(category)}
	switch s.ReadWriteType {
	case readOnlyEvents:
		c[fieldReadOnly] = is("true")
	case writeOnlyEvents:
		c[fieldReadOnly] = is("false")
	}
	return c
}

func (s InsightSelector) clauses() []clause {
	categories := s.EventCategories
	if len(categories) == 0 {
		categories = []string{categoryManagement}
	}
	var out []clause
	for _, category := range categories {
		out = append(out, clause{fieldCategory: is(categoryInsight), fieldInsight: is(s.InsightType), fieldInsightOn: is(category)})
	}
	return out
}

// isWholeService reports whether a data resource value stands for every resource: "arn:aws:s3", "arn:aws:lambda".
func isWholeService(value string) bool {
	f := strings.Split(value, ":")
	return len(f) >= 3 && strings.Join(f[3:], "") == ""
}

// maxAtoms bounds what one clause is cut into; AWS allows 500 values a trail. A clause with more stays whole.
const maxAtoms = 4096

// atoms cuts clauses so that unions on the other side are seen: by reading and writing, by the named sources of
// management events, and by every positive value.
func atoms(list []clause, sources []string) []clause {
	var out []clause
	for _, c := range list {
		out = append(out, c.cut(sources)...)
	}
	return out
}

func (c clause) cut(sources []string) []clause {
	c = maps.Clone(c)
	if _, ok := c[fieldReadOnly]; !ok && !c.isCategory(categoryInsight) {
		c[fieldReadOnly] = condition{anyOf: patterns(exactly, "true", "false")}
	}
	out := []clause{c}
	if c.isCategory(categoryManagement) {
		out = c.cutSources(sources)
	}
	for _, field := range c.fields() {
		out = cutField(out, field)
	}
	return out
}

// cutSources splits a management clause into one for each named source that it accepts and one for all others.
func (c clause) cutSources(sources []string) []clause {
	own := c[fieldSource]
	if len(own.anyOf) > 0 || len(sources) == 0 {
		return []clause{c}
	}
	rest := maps.Clone(c)
	rest[fieldSource] = condition{noneOf: slices.Concat(own.noneOf, patterns(exactly, sources...))}
	out := []clause{rest}
	for _, s := range sources {
		if slices.ContainsFunc(own.noneOf, func(n pattern) bool { return n.matches(s) }) {
			continue
		}
		one := maps.Clone(c)
		one[fieldSource] = is(s)
		out = append(out, one)
	}
	return out
}

func cutField(list []clause, field string) []clause {
	var out []clause
	for _, c := range list {
		values := c[field].anyOf
		if len(values) < 2 || len(list)*len(values) > maxAtoms {
			out = append(out, c)
			continue
		}
		for _, v := range values {
			one := maps.Clone(c)
			one[field] = condition{anyOf: []pattern{v}, noneOf: c[field].noneOf}
			out = append(out, one)
		}
	}
	return out
}

func (c clause) isCategory(category string) bool {
	values := c[fieldCategory].anyOf
	return len(values) == 1 && values[0] == pattern{exactly, category}
}

// fields are the names of the fields, sorted.
func (c clause) fields() []string { return slices.Sorted(maps.Keys(c)) }

// namedSources are the event sources that management clauses mention.
func namedSources(lists ...[]clause) []string {
	var out []string
	for _, list := range lists {
		for _, c := range list {
			if !c.isCategory(categoryManagement) {
				continue
			}
			for _, p := range slices.Concat(c[fieldSource].anyOf, c[fieldSource].noneOf) {
				if p.kind == exactly {
					out = append(out, p.value)
				}
			}
		}
	}
	return sorted(out)
}

// uncovered returns the atoms of want that no clause of have contains.
func uncovered(want, have []clause) []clause {
	var out []clause
	for _, atom := range atoms(want, namedSources(want, have)) {
		if !slices.ContainsFunc(have, func(h clause) bool { return h.contains(atom) }) {
			out = append(out, atom)
		}
	}
	return out
}

// contains reports whether every event of atom is an event of c.
func (c clause) contains(atom clause) bool {
	for field, want := range c {
		if !want.contains(atom[field]) {
			return false
		}
	}
	return true
}

// contains reports whether whatever a accepts is accepted by c.
func (c condition) contains(a condition) bool {
	if len(c.anyOf) > 0 {
		if len(a.anyOf) == 0 {
			return false
		}
		for _, p := range a.anyOf {
			if !slices.ContainsFunc(c.anyOf, p.within) {
				return false
			}
		}
	}
	for _, n := range c.noneOf {
		if !a.avoids(n) {
			return false
		}
	}
	return true
}

// avoids reports whether a accepts nothing of n.
func (c condition) avoids(n pattern) bool {
	if slices.ContainsFunc(c.noneOf, n.within) {
		return true
	}
	return len(c.anyOf) > 0 && !slices.ContainsFunc(c.anyOf, func(p pattern) bool { return !p.isDisjoint(n) })
}

func (p pattern) matches(s string) bool {
	switch p.kind {
	case beginning:
		return strings.HasPrefix(s, p.value)
	case ending:
		return strings.HasSuffix(s, p.value)
	}
	return s == p.value
}

// within reports whether p is a subset of q.
func (p pattern) within(q pattern) bool {
	if p.kind != exactly && p.kind != q.kind {
		return false
	}
	return q.matches(p.value)
}

// isDisjoint reports whether no text is in both.
func (p pattern) isDisjoint(q pattern) bool {
	switch {
	case p.kind == exactly:
		return !q.matches(p.value)
	case q.kind == exactly:
		return !p.matches(q.value)
	case p.kind == q.kind:
		return !p.matches(q.value) && !q.matches(p.value)
	}
	return false
}
