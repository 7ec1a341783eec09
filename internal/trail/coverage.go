// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Where a cell of coverage is, beside the names of regions.
const (
	// AllRegions is what a multi-region trail records.
	AllRegions = "all regions"
	// GlobalServices are IAM, STS and the like, which are recorded once in their partition.
	GlobalServices = "global services"
)

// Cell is a class of events in a place, and who records it.
type Cell struct {
	Class  string   `json:"class"`  // "management write"
	Region string   `json:"region"` // a region, AllRegions or GlobalServices
	Trails []string `json:"trails,omitempty"`
}

// String is the cell for people, "management write, all regions".
func (c Cell) String() string { return c.Class + ", " + c.Region }

// Coverage returns which event classes are recorded where, over all trails that are logging, sorted. Shadow trails and
// organization trails count once, by their ARN.
func Coverage(trails []Trail) []Cell {
	var out []Cell
	sources := sourcesOf(trails)
	for _, t := range trails {
		if !t.IsLogging {
			continue
		}
		classes := describeAll(atoms(t.clauses(), sources))
		for _, region := range t.scopes() {
			for _, class := range classes {
				out = append(out, Cell{class, region, []string{cmp.Or(string(t.ARN), t.Name)}})
			}
		}
	}
	return merge(out)
}

// Lost returns what was recorded before and is recorded by no logging trail after, sorted. Events of a class count as
// recorded only where one trail's selector contains all of them.
func Lost(before, after []Trail) []Cell {
	sources := sourcesOf(slices.Concat(before, after))
	var out []Cell
	for _, t := range before {
		if !t.IsLogging {
			continue
		}
		for _, atom := range atoms(t.clauses(), sources) {
			for _, region := range t.scopes() {
				if !isRecorded(atom, region, after) {
					out = append(out, Cell{atom.describe(), region, []string{cmp.Or(string(t.ARN), t.Name)}})
				}
			}
		}
	}
	return merge(out)
}

func isRecorded(atom clause, region string, by []Trail) bool {
	return slices.ContainsFunc(by, func(t Trail) bool {
		return t.IsLogging && t.reaches(region) &&
			slices.ContainsFunc(t.clauses(), func(c clause) bool { return c.contains(atom) })
	})
}

// scopes are the places that the trail records.
func (t Trail) scopes() []string {
	var out []string
	if t.recordsGlobal() {
		out = append(out, GlobalServices)
	}
	if t.IsMultiRegionTrail {
		return append(out, AllRegions)
	}
	return append(out, t.HomeRegion)
}

// reaches reports whether the trail records the place.
func (t Trail) reaches(region string) bool {
	if region == GlobalServices {
		return t.recordsGlobal()
	}
	return t.IsMultiRegionTrail || region == t.HomeRegion
}

// recordsGlobal: a single-region trail gets the events of global services only in the region that records them.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html#cloudtrail-concepts-global-service-events
func (t Trail) recordsGlobal() bool {
	return t.IncludeGlobalServiceEvents &&
		(t.IsMultiRegionTrail || t.HomeRegion == arn.PartitionOf(t.HomeRegion).GlobalRegion)
}

func sourcesOf(trails []Trail) []string {
	lists := make([][]clause, 0, len(trails))
	for _, t := range trails {
		lists = append(lists, t.clauses())
	}
	return namedSources(lists...)
}

// merge sorts cells and joins those of one class and region.
func merge(cells []Cell) []Cell {
	slices.SortFunc(cells, func(a, b Cell) int {
		return cmp.Or(strings.Compare(a.Class, b.Class), strings.Compare(a.Region, b.Region))
	})
	var out []Cell
	for _, c := range cells {
		if n := len(out); n > 0 && out[n-1].Class == c.Class && out[n-1].Region == c.Region {
			out[n-1].Trails = sorted(append(out[n-1].Trails, c.Trails...))
			continue
		}
		out = append(out, c)
	}
	return out
}

// describeAll are the atoms in words, sorted, without repetition.
func describeAll(list []clause) []string {
	out := make([]string, 0, len(list))
	for _, c := range list {
		out = append(out, c.describe())
	}
	return sorted(out)
}

// describe says what an atom is: "management write", "data read AWS::S3::Object of arn:…".
func (c clause) describe() string {
	words := []string{strings.ToLower(c.value(fieldCategory))}
	switch c.value(fieldReadOnly) {
	case "true":
		words = append(words, "read")
	case "false":
		words = append(words, "write")
	}
	for _, field := range []string{fieldType, fieldInsight} {
		if v := c.value(field); v != "" {
			words = append(words, v)
		}
	}
	for _, field := range c.fields() {
		switch field {
		case fieldCategory, fieldReadOnly, fieldType, fieldInsight, fieldInsightOn:
			continue
		}
		words = append(words, c[field].describe(field)...)
	}
	return brief(strings.Join(words, " "))
}

// value is the one text that the field must have, else "".
func (c clause) value(field string) string {
	if v := c[field].anyOf; len(v) == 1 && v[0].kind == exactly {
		return v[0].value
	}
	return ""
}

func (c condition) describe(field string) []string {
	preposition := map[string]string{fieldARN: "of", fieldSource: "from"}[field]
	if preposition == "" {
		preposition = "with " + field
	}
	var out []string
	for i, p := range c.anyOf {
		if i == maxListed {
			out = append(out, "and more")
			break
		}
		out = append(out, preposition+" "+p.String())
	}
	// What is left out of a source's rest is listed by itself when it matters.
	if field == fieldSource {
		return out
	}
	for _, p := range c.noneOf[:min(len(c.noneOf), maxListed)] {
		out = append(out, "but not "+preposition+" "+p.String())
	}
	return out
}

// String writes the pattern with a star where anything may stand.
func (p pattern) String() string {
	switch p.kind {
	case beginning:
		return p.value + "*"
	case ending:
		return "*" + p.value
	}
	return p.value
}
