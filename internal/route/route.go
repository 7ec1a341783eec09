// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package route knows every way to blind what records an account, and what is done about each: routes.yaml is the one
// table of them. Where a person has to put something back it makes the commands of the event, fit to be pasted into a
// shell: see [Guide]. docs/routes.md is generated from the table, the triggers of the runbooks and their scenarios.
//
// It decides nothing about incidents and asks AWS nothing. The commands are those of the AWS CLI:
// https://docs.aws.amazon.com/cli/latest/reference/
package route

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/eventpattern"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
)

//go:generate go run ./gen

//go:embed routes.yaml
var source []byte

// Class says what is done about a route.
type Class string

// The classes; routes.yaml says what each means.
const (
	ClassRestore    Class = "restore"
	ClassSubstitute Class = "substitute"
	ClassGuide      Class = "guide"
	ClassAlert      Class = "alert"
)

// Section is a part of the table: the routes that one runbook answers to.
type Section struct {
	Title   string   `yaml:"title"`
	Runbook string   `yaml:"runbook"`
	Routes  []*Route `yaml:"routes"`
}

// Route is one way to blind something: a call, and in which case.
type Route struct {
	// Service is the first label of the eventSource; Also holds the others under which AWS recorded the call.
	Service string   `yaml:"service"`
	Also    []string `yaml:"also"`
	Event   string   `yaml:"event"`
	// Variant tells routes of the same call apart.
	Variant string `yaml:"variant"`
	Class   Class  `yaml:"class"`
	// Who may run the commands; one of the people of the table, in words.
	Who string `yaml:"who"`
	// What is so now, in words.
	What     string         `yaml:"what"`
	When     map[string]any `yaml:"when"`
	Example  map[string]any `yaml:"example"`
	Resource string         `yaml:"resource"`
	Commands []string       `yaml:"commands"`

	// Runbook answers to it.
	Runbook string `yaml:"-"`
	pattern *eventpattern.Pattern
}

// ID names the route: "guardduty UpdateDetector", with the variant where it has one, and the runbook where several watch
// the call.
func (r *Route) ID() string {
	id := r.Runbook + ": " + r.Service + " " + r.Event
	if r.Variant != "" {
		id += " (" + r.Variant + ")"
	}
	return id
}

type table struct {
	People   map[string]string `yaml:"people"`
	Sections []Section         `yaml:"sections"`

	byEvent map[string][]*Route
}

var load = sync.OnceValues(func() (*table, error) {
	t := &table{byEvent: map[string][]*Route{}}
	if err := yaml.NewDecoder(bytes.NewReader(source), yaml.Strict()).Decode(t); err != nil {
		return nil, fmt.Errorf("read routes: %w", err)
	}
	for _, s := range t.Sections {
		for _, r := range s.Routes {
			if err := t.add(r, s.Runbook); err != nil {
				return nil, fmt.Errorf("read routes: %s %s: %w", r.Service, r.Event, err)
			}
		}
	}
	return t, nil
})

func (t *table) add(r *Route, runbook string) error {
	r.Runbook = runbook
	if r.Who != "" {
		words, ok := t.People[r.Who]
		if !ok {
			return fmt.Errorf("nobody is called %q", r.Who)
		}
		r.Who = words
	}
	t.byEvent[withoutVersion(r.Event)] = append(t.byEvent[withoutVersion(r.Event)], r)
	if r.When == nil {
		return nil
	}
	pattern, err := json.Marshal(r.When)
	if err != nil {
		return fmt.Errorf("encode its pattern: %w", err)
	}
	r.pattern, err = eventpattern.Compile(pattern)
	return err
}

// mustLoad is for a table that is part of the program, and tested.
func mustLoad() *table {
	t, err := load()
	if err != nil {
		panic(err)
	}
	return t
}

// Sections is the whole table, in order. It must not be changed.
func Sections() []Section { return mustLoad().Sections }

// withoutVersion is a call's name without the date and version that CloudTrail appends to those of Lambda, and changes:
// "UpdateFunctionCode20150331v2".
//
// https://docs.aws.amazon.com/lambda/latest/dg/logging-using-cloudtrail.html
func withoutVersion(event string) string {
	name := strings.TrimRight(event, "0123456789")
	if before, ok := strings.CutSuffix(name, "v"); ok && len(name) < len(event) {
		name = strings.TrimRight(before, "0123456789")
	}
	if len(event)-len(name) < len("20150331") {
		return event
	}
	return name
}

// Match lists the routes that a call took, in the order of the table: those of one runbook, or of all where runbook is
// "". A call that AWS refused took them too.
func Match(runbook string, r cloudtrail.Record) []*Route {
	var out []*Route
	for _, candidate := range mustLoad().byEvent[withoutVersion(r.EventName)] {
		if (runbook == "" || runbook == candidate.Runbook) && candidate.matches(r) {
			out = append(out, candidate)
		}
	}
	return out
}

func (r *Route) matches(record cloudtrail.Record) bool {
	isOf := func(service string) bool { return arn.IsServiceHost(record.EventSource, service) }
	if !isOf(r.Service) && !slices.ContainsFunc(r.Also, isOf) {
		return false
	}
	if r.pattern == nil {
		return true
	}
	ok, err := r.pattern.Match(record.Raw)
	return err == nil && ok // what is no JSON was refused long before
}

// Resource is what the call was about, as the first route that it took says it: an ARN where there is one. It is "" where
// no route does, or the event lacks a name that it needs.
func Resource(r cloudtrail.Record) string {
	for _, route := range Match("", r) {
		if route.Resource == "" {
			continue
		}
		if text := route.resourceOf(eventOf(r)); text != "" {
			return text
		}
	}
	return ""
}

func (r *Route) resourceOf(e *event) string {
	var whole string
	text := placeholder.ReplaceAllStringFunc(r.Resource, func(p string) string {
		values := e.values(name(p))
		if len(values) != 1 || values[0] == "" {
			e.lacks = append(e.lacks, name(p))
			return ""
		}
		value := identity.Printable(values[0], maxValue)
		if a, err := arn.Parse(value); err == nil && a.Service == r.Service {
			whole = value // where a call takes a name, most take an ARN as well
		}
		return value
	})
	switch {
	case len(e.lacks) > 0 || len(text) > maxResource:
		return ""
	case whole != "":
		return whole
	}
	return text
}

// maxResource bounds what an event may name; ARNs are shorter.
const maxResource = 1024

// name is what stands in a placeholder.
func name(placeholder string) string {
	return strings.TrimSuffix(strings.TrimPrefix(placeholder, "${"), "}")
}
