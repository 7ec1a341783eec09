// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/incident"
)

// TestDemo: the first thing that anybody sees.
func TestDemo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	status, out, errOut := switchback("--state", dir, "demo", "--once")
	if status != exitFine {
		t.Fatalf("exit status %d: %s%s", status, out, errOut)
	}
	for _, want := range []string{
		"alice assumes the role", "The trail records again", "bob calls DeleteTrail, which AWS refuses", "attempted", "alice@example.com", "security@example.com",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not printed:\n%s", want, out)
		}
	}
	if strings.Contains(out, "MISSED") {
		t.Errorf("an objective was missed:\n%s", out)
	}
	_, report, ok := strings.Cut(out, "Report: ")
	if !ok {
		t.Fatalf("no report is named:\n%s", out)
	}
	path, _, _ := strings.Cut(report, "\n")
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "StopLogging") {
		t.Errorf("the report %s: %v, %d bytes", path, err, len(text))
	}
	fine(t, "--state", dir, "ledger", "verify")
}

// TestDemoJSON prints the incident and nothing else.
func TestDemoJSON(t *testing.T) {
	t.Parallel()
	status, out, errOut := switchback("--state", t.TempDir(), "demo", "--once", "--output", "json")
	if status != exitFine {
		t.Fatalf("exit status %d: %s%s", status, out, errOut)
	}
	var one shown
	if err := json.Unmarshal([]byte(out), &one); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	if one.Who.Status != "resolved" || one.Who.Human != "alice" {
		t.Errorf("who is %+v, want alice, resolved", one.Who)
	}
	if one.Key.Outcome != incident.Succeeded || one.Times.Proven.IsZero() || one.Times.HumanReached.IsZero() || len(one.Changes) != 1 {
		t.Errorf("incident is %s with %+v and %d changes, want it proven by one change and somebody told", one.Key.Outcome, one.Times, len(one.Changes))
	}
}

// TestDemoAgain: a demo may be repeated in its folder, in an account of its own each time; in a folder in which real
// incidents are kept there is none.
func TestDemoAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for i, account := range []string{"111122223333", "111122223334"} {
		var one shown
		if err := json.Unmarshal([]byte(fine(t, "--state", dir, "demo", "--once", "-o", "json")), &one); err != nil {
			t.Fatal(err)
		}
		if one.Key.Account != account || one.Count != 1 || one.Times.Proven.IsZero() {
			t.Errorf("demo %d: account %s, seen %d times, proven %v; want an incident of its own in %s", i+1, one.Key.Account, one.Count, one.Times.Proven, account)
		}
	}
	real := t.TempDir()
	fine(t, "--state", real, "pause", "--for", "1m", "--reason", "there is an installation here")
	status, out, errOut := switchback("--state", real, "demo", "--once")
	if status != exitError || !strings.Contains(errOut, "not made by a demo") || !strings.Contains(errOut, "hint: ") {
		t.Errorf("in a folder of an installation: exit status %d: %s%s", status, out, errOut)
	}
}
