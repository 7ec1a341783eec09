// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"slices"
	"testing"

	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/runbooks"
)

// conditional are runbooks that tell people what to run where a route of theirs asks for it, and put back the rest.
var conditional = []string{"responder-tampered"}

// Where a runbook tells people what to run, each call that starts it has a route that says what.
func TestEveryGuidedTriggerHasARoute(t *testing.T) {
	books, err := runbook.LoadAll(runbooks.FS)
	if err != nil {
		t.Fatal(err)
	}
	guided := 0
	for _, book := range books {
		if !slices.Contains(book.Actions(), "guide:Write") || slices.Contains(conditional, string(book.Manifest.ID)) {
			continue
		}
		guided++
		var names []string
		for _, r := range routesOf(string(book.Manifest.ID)) {
			names = append(names, r.Event)
		}
		for _, trigger := range book.Manifest.Triggers {
			for _, name := range trigger.EventNames() {
				if !slices.Contains(names, name) {
					t.Errorf("%s: trigger %q: no route is %s", book.Manifest.ID, trigger.Name, name)
				}
			}
		}
	}
	if guided == 0 {
		t.Error("no runbook guides people")
	}
}
