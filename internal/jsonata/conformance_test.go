// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package jsonata_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
	"github.com/switchback-project/switchback/internal/conformancetest"
	"github.com/switchback-project/switchback/internal/jsonata"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

const deviations = "testdata/deviations.txt"

// TestConformance compares asl, with this package as its JSONata, with what AWS did, and asl.Check with the verdicts of AWS
// and of two validators. The Choice cases are compared in asl.
func TestConformance(t *testing.T) {
	engine := jsonata.New(jsonata.Options{})
	executions(t, engine)
	refused(t, engine)
	aslValidator(t, engine)
	statelint(t, engine)
}

func executions(t *testing.T, engine *jsonata.Engine) {
	const file = "asl/localstack-usable.dev.jsonl"
	tally := conformancetest.NewTally(t, file, 139, deviations)
	for _, r := range conformancetest.ReadLines[asltest.Recording](t, thirdparty.Path(t, file)) {
		tally.Add(lastPart(r.Test), r.Compare(asl.Options{Expressions: engine}))
	}
	tally.Finish()
}

func lastPart(test string) string { return test[strings.LastIndex(test, "::")+2:] }

// verdict returns what differs: nothing when the definition is as valid as it should be.
func verdict(engine *jsonata.Engine, definition []byte, valid bool) string {
	problems := asl.Check(definition, asl.CheckOptions{Expressions: engine})
	if asl.HasErrors(problems) == !valid {
		return ""
	}
	return fmt.Sprintf("want valid %v, got %v", valid, problems)
}

func refused(t *testing.T, engine *jsonata.Engine) {
	const file = "asl/localstack-invalid-definitions.dev.jsonl"
	type refusal struct {
		Test       string `json:"test"`
		Definition string `json:"definition"`
	}
	tally := conformancetest.NewTally(t, file, 89, deviations)
	for _, r := range conformancetest.ReadLines[refusal](t, thirdparty.Path(t, file)) {
		tally.Add(lastPart(r.Test), verdict(engine, []byte(r.Definition), false))
	}
	tally.Finish()
}

func aslValidator(t *testing.T, engine *jsonata.Engine) {
	tally := conformancetest.NewTally(t, "asl-validator", 112, deviations)
	files, err := filepath.Glob(filepath.Join(thirdparty.Path(t, "asl-validator/raw/src/__tests__/definitions"), "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no definitions: %v", err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		tally.Add(name, verdict(engine, read(t, file), strings.HasPrefix(name, "valid-")))
	}
	tally.Finish()
}

func statelint(t *testing.T, engine *jsonata.Engine) {
	var expected []struct {
		File     string `json:"file"`
		Problems int    `json:"problems"`
	}
	if err := json.Unmarshal(read(t, thirdparty.Path(t, "statelint/expected.json")), &expected); err != nil || len(expected) == 0 {
		t.Fatalf("no expectations: %v", err)
	}
	tally := conformancetest.NewTally(t, "statelint", 66, deviations)
	for _, e := range expected {
		file := filepath.Join(thirdparty.Path(t, "statelint/raw/test"), e.File)
		tally.Add(e.File, verdict(engine, read(t, file), e.Problems == 0))
	}
	tally.Finish()
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
