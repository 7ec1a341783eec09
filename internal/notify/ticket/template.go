// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ticket

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/template"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// What bounds the texts of a ticket, in bytes. Jira takes 255 characters of summary and 32,767 of description, ServiceNow
// 160 and 4,000.
const (
	maxName       = 100
	maxValue      = 500
	maxSummary    = 250
	maxText       = 30_000
	maxShort      = 160
	maxShortText  = 3900
	maxFieldDepth = 8
)

// details are what templates may use: each one line, cut, and visible.
type details struct {
	Incident, Severity, Account, Region, Resource, Runbook, EventName, Principal, Human, Subject string
}

func newDetails(inc incident.Incident, m incident.Message) details {
	line := func(s string) string { return notify.Line(s, maxValue) }
	return details{
		Incident: line(string(m.Incident)), Severity: line(string(m.Severity)), Account: line(inc.Key.Account), Region: line(inc.Region),
		Resource: line(inc.Key.Resource), Runbook: line(inc.Key.Runbook), EventName: line(inc.Key.EventName),
		Principal: line(inc.Who.Principal), Human: line(inc.Who.Human), Subject: line(m.Subject),
	}
}

// fields are those of the configuration, with their templates parsed. What templates make stays a text: it becomes a
// member of JSON, and cannot add one.
type fields map[string]any

// parseFields reads the configured fields; errors name the place.
func parseFields(raw map[string]any) (fields, error) {
	parsed, err := parseValue("fields", raw, 0)
	if err != nil || raw == nil {
		return nil, err
	}
	all := fields(parsed.(map[string]any)) // of a map it makes a map
	_, err = all.fill(details{})           // a name that is none shows now
	return all, err
}

func parseValue(place string, v any, depth int) (any, error) {
	if depth > maxFieldDepth {
		return nil, fmt.Errorf("%s: nested too deep", place)
	}
	switch v := v.(type) {
	case string:
		t, err := template.New(place).Option("missingkey=error").Parse(v)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		return t, nil
	case map[string]any:
		all := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			x, err := parseValue(place+"."+name, v[name], depth+1)
			if err != nil {
				return nil, err
			}
			all[name] = x
		}
		return all, nil
	case []any:
		all := make([]any, len(v))
		for i, x := range v {
			var err error
			if all[i], err = parseValue(fmt.Sprintf("%s[%d]", place, i), x, depth+1); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return v, nil // a number, a truth, nothing
}

// fill makes the fields of one ticket.
func (f fields) fill(d details) (map[string]any, error) {
	all := make(map[string]any, len(f))
	for name, v := range f {
		x, err := fillValue(v, d)
		if err != nil {
			return nil, fmt.Errorf("fill in fields: %w", err)
		}
		all[name] = x
	}
	return all, nil
}

func fillValue(v any, d details) (any, error) {
	switch v := v.(type) {
	case *template.Template:
		var b strings.Builder
		err := v.Execute(&b, d)
		return b.String(), err
	case map[string]any:
		return fields(v).fill(d)
	case []any:
		all := make([]any, len(v))
		for i, x := range v {
			var err error
			if all[i], err = fillValue(x, d); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
	return v, nil
}
