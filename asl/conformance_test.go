// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"strings"
	"testing"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
	"github.com/switchback-project/switchback/internal/conformancetest"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

const deviations = "testdata/deviations.txt"

// TestConformance compares this package with what AWS did of Choice states. Executions, which need JSONata too, and the
// verdicts on definitions are compared in internal/jsonata.
func TestConformance(t *testing.T) {
	const file = "asl/localstack-choice-cases.dev.jsonl"
	tally := conformancetest.NewTally(t, file, 281, deviations)
	for _, r := range conformancetest.ReadLines[asltest.Recording](t, thirdparty.Path(t, file)) {
		tally.Add(testName(r.Test), r.Compare(asl.Options{}))
	}
	tally.Finish()
}

// TestRecordings runs the recorded executions that need no JSONata, for whoever tests this package alone.
func TestRecordings(t *testing.T) {
	count := 0
	for _, r := range conformancetest.ReadLines[asltest.Recording](t, thirdparty.Path(t, "asl/localstack-usable.dev.jsonl")) {
		if r.JSONata {
			continue
		}
		if count++; r.Compare(asl.Options{}) != "" {
			t.Errorf("%s: %s", testName(r.Test), r.Compare(asl.Options{}))
		}
	}
	if count != 109 {
		t.Errorf("%d recordings, want 109", count)
	}
}

func testName(test string) string { return test[strings.LastIndex(test, "::")+2:] }
