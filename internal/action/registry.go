// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"maps"
	"regexp"
	"slices"

	"github.com/switchback-project/switchback/asl"
)

// registry is filled by init functions and only read afterwards.
var registry = map[string]Action{}

var idForm = regexp.MustCompile(`^[a-z][a-z0-9]*:[A-Z][A-Za-z0-9]*$`)

// Register adds an action. It panics on an id that is empty, taken or not of the form "service:Verb": a programmer's
// fault, seen at the first start.
func Register(a Action) {
	id := a.Info().ID
	if !idForm.MatchString(id) {
		panic("action: register " + id + `: want an id like "cloudtrail:StartLogging"`)
	}
	if _, taken := registry[id]; taken {
		panic("action: register " + id + ": there is one already")
	}
	registry[id] = a
}

// Get returns the action with the id.
func Get(id string) (Action, bool) {
	a, ok := registry[id]
	return a, ok
}

// All describes every action that is linked in, sorted by id.
func All() []Info {
	out := make([]Info, 0, len(registry))
	for _, id := range slices.Sorted(maps.Keys(registry)) {
		out = append(out, registry[id].Info())
	}
	return out
}

// Catalog tells checks of state machines and runbooks about the registered actions.
type Catalog struct{}

var _ asl.Catalog = Catalog{}

// Action returns an action's input fields.
func (Catalog) Action(id string) ([]asl.Field, bool) {
	a, ok := registry[id]
	if !ok {
		return nil, false
	}
	var fields []asl.Field
	for _, f := range a.Info().Fields {
		fields = append(fields, asl.Field{Name: f.Name, Required: f.Required})
	}
	return fields, true
}

// IsRead reports whether the action exists and changes nothing.
func (Catalog) IsRead(id string) bool {
	a, ok := registry[id]
	return ok && !a.Info().IsChange
}

// Permissions returns the IAM actions that an action needs.
func (Catalog) Permissions(id string) []string {
	a, ok := registry[id]
	if !ok {
		return nil
	}
	return a.Info().Permissions
}
