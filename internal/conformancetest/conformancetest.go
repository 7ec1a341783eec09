// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package conformancetest counts how far we agree with recorded verdicts of others: AWS, and tools that stand for it. A
// case in which we do not agree is listed in the repository, with the reason, or fails the test. Only tests import it.
//
// The lines that it prints are what tools/conformance.sh gathers.
package conformancetest

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// ReadLines reads a file of JSON lines.
func ReadLines[T any](tb testing.TB, path string) []T {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	var all []T
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, len(data)+1)
	for lines.Scan() {
		var one T
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			tb.Fatalf("%s: %v", filepath.Base(path), err)
		}
		all = append(all, one)
	}
	if err := lines.Err(); err != nil {
		tb.Fatal(err)
	}
	if len(all) == 0 {
		tb.Fatalf("%s holds no cases", filepath.Base(path))
	}
	return all
}

// Tally counts the cases of one set. Every case that differs must be listed as a deviation, and every listed one must
// differ.
type Tally struct {
	tb            testing.TB
	file          string
	cases         int // that there must be
	agree, differ int
	deviations    map[string]string
	seen          map[string]int
}

// NewTally starts a set of so many cases. File names it. Deviations is the file that lists, one a line,
// "file<TAB>case<TAB>reason"; case is a name, or name#n for the n-th case of that name, from 1. Empty means that there
// are none.
func NewTally(tb testing.TB, file string, cases int, deviations string) *Tally {
	tb.Helper()
	t := &Tally{tb: tb, file: file, cases: cases, deviations: map[string]string{}, seen: map[string]int{}}
	if deviations == "" {
		return t
	}
	data, err := os.ReadFile(deviations)
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		parts := strings.Split(strings.TrimSpace(line), "\t")
		if strings.HasPrefix(line, "#") || len(parts) != 3 {
			continue
		}
		if parts[0] == file {
			t.deviations[parts[1]] = parts[2]
		}
	}
	return t
}

// Add counts a case; diff is empty when it agrees.
func (t *Tally) Add(name, diff string) {
	t.tb.Helper()
	t.seen[name]++
	if n := t.seen[name]; n > 1 {
		name = fmt.Sprintf("%s#%d", name, n)
	}
	reason, listed := t.deviations[name]
	delete(t.deviations, name)
	switch {
	case diff == "" && listed:
		t.tb.Errorf("%s: %s agrees now: strike it from the deviations", t.file, name)
	case diff == "":
		t.agree++
	case listed:
		t.differ++
		t.tb.Logf("%s: %s deviates: %s", t.file, name, reason)
	default:
		t.differ++
		t.tb.Errorf("%s: %s: %s", t.file, name, diff)
	}
}

// Finish prints the set's line: file, cases, agree, differ. It fails when cases are missing, and for deviations of cases
// that do not exist.
func (t *Tally) Finish() {
	t.tb.Helper()
	for name := range t.deviations {
		t.tb.Errorf("%s: deviation of an unknown case %s", t.file, name)
	}
	if n := t.agree + t.differ; n != t.cases {
		t.tb.Errorf("%s: %d cases, want %d", t.file, n, t.cases)
	}
	fmt.Fprintf(t.tb.Output(), "conformance: %-46s %6d %6d %6d\n", t.file, t.agree+t.differ, t.agree, t.differ)
}
