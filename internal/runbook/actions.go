// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import (
	"encoding/json"
	"slices"
	"strings"
)

// Permissions returns the IAM actions of every action that the state machine uses, sorted: the runbook's least
// privilege.
func (r *Runbook) Permissions(c Catalog) []string {
	var all []string
	for _, action := range r.Actions() {
		all = append(all, c.Permissions(action)...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// machine is as much of a definition as it takes to find its tasks.
type machine struct {
	States map[string]struct {
		Type     string
		Resource string
		// Map and Parallel states have machines of their own.
		Branches                []machine
		ItemProcessor, Iterator *machine
	}
}

// Actions lists the actions that the state machine's Task states name, sorted.
func (r *Runbook) Actions() []string {
	var m machine
	if json.Unmarshal(r.StateMachine, &m) != nil {
		return nil // a definition that does not parse has no actions; Check says what is wrong with it
	}
	found := m.actions(nil)
	slices.Sort(found)
	return slices.Compact(found)
}

func (m *machine) actions(found []string) []string {
	if m == nil {
		return found
	}
	for _, s := range m.States {
		if action := ActionOf(s.Resource); s.Type == "Task" && action != "" {
			found = append(found, action)
		}
		for i := range s.Branches {
			found = s.Branches[i].actions(found)
		}
		found = s.Iterator.actions(s.ItemProcessor.actions(found))
	}
	return found
}

// ActionOf returns the action id of a Resource: "cloudtrail:StartLogging" of "switchback:cloudtrail:StartLogging", with
// or without ".waitForTaskToken"; "" for a resource that is not ours.
func ActionOf(resource string) string {
	id, ok := strings.CutPrefix(strings.TrimSuffix(resource, ".waitForTaskToken"), "switchback:")
	if !ok {
		return ""
	}
	return id
}
