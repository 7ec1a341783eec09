// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

//go:build !race

package main

// Playing every scenario with the race detector is what the test of internal/scenario does. With it this test is left to
// go generate, which refuses the same and is part of make test.

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the document and the list of pending routes as they are now")

// Routes that no trigger watches or no scenario verifies are a defect, unless the list of pending ones has them; a route
// that is no longer pending must leave the list, and the document must show what is so.
func TestEveryRouteIsVerified(t *testing.T) {
	k, err := survey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(k.scenarios) < 50 {
		t.Errorf("only %d routes are verified", len(k.scenarios))
	}
	open := k.open()
	t.Logf("%d routes are pending", len(open))
	for file, got := range map[string]string{
		filepath.Join("testdata", "pending.txt"):             strings.Join(append(open, ""), "\n"),
		filepath.Join("..", "..", "..", "docs", "routes.md"): k.markdown(),
	} {
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), got); diff != "" {
			t.Errorf("%s is not what is so now (-file +now); with -update it becomes so:\n%s", file, diff)
		}
	}
}
