// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asltest

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
)

// Recording is one execution recorded on AWS.
type Recording struct {
	Test       string          `json:"test"`
	Definition json.RawMessage `json:"definition"`
	Input      json.RawMessage `json:"input"`
	Status     string          `json:"status"`
	Output     json.RawMessage `json:"output"`
	Types      []string        `json:"history_event_types"`
	JSONata    bool            `json:"jsonata"`
}

// Compare runs a recording and returns where it differs from AWS; empty when it agrees on status, output, error name and
// event types.
func (r Recording) Compare(options asl.Options) string {
	machine, err := asl.Compile(r.Definition, options)
	if err != nil {
		return "compile: " + err.Error()
	}
	simulation := Simulation{Machine: machine}
	got, err := simulation.Do(string(r.Input))
	if err != nil {
		return "run: " + err.Error()
	}
	status := "SUCCEEDED"
	if r.Status != "" {
		status = r.Status
	}
	if string(got.Run.Status()) != status {
		return fmt.Sprintf("status %s, want %s: %v", got.Run.Status(), status, got.Run.Failure())
	}
	if diff := r.compareEnd(got.Run); diff != "" {
		return diff
	}
	return r.compareTypes(got.Types())
}

func (r Recording) compareEnd(run *asl.Run) string {
	failure := run.Failure()
	if failure == nil {
		return diffValues(run.Output(), r.Output)
	}
	var want struct {
		Error *string `json:"error"`
		Cause *string `json:"cause"`
	}
	if err := json.Unmarshal(r.Output, &want); err != nil {
		return "recorded output: " + err.Error()
	}
	if diff := cmp.Diff(optional(want.Error), optional(nameOf(failure))); diff != "" {
		return "error: " + diff
	}
	if diff := cmp.Diff(optional(want.Cause), optional(causeOf(failure))); diff != "" && !isPlaceholder(optional(want.Cause)) {
		return "cause: " + diff
	}
	return ""
}

func nameOf(e *asl.Error) *string {
	if !e.HasName() {
		return nil
	}
	return &e.Name
}

func causeOf(e *asl.Error) *string {
	if !e.HasCause() {
		return nil
	}
	return &e.Cause
}

func optional(s *string) string {
	if s == nil {
		return "(none)"
	}
	return *s
}

// diffValues compares JSON values. Recordings hold outputs that are not objects as their JSON text, and placeholders for
// values that differ from run to run.
func diffValues(got, want json.RawMessage) string {
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		return "output: " + err.Error()
	}
	if err := json.Unmarshal(want, &w); err != nil {
		return "recorded output: " + err.Error()
	}
	if text, ok := w.(string); ok {
		if _, isText := g.(string); !isText {
			if err := json.Unmarshal([]byte(text), &w); err != nil {
				return "recorded output: " + err.Error()
			}
		} else if json.Unmarshal([]byte(text), &w) != nil {
			w = text
		}
	}
	return cmp.Diff(w, masked(g, w))
}

// masked replaces in got what the recording has a placeholder for.
func masked(got, want any) any {
	switch w := want.(type) {
	case string:
		if isPlaceholder(w) {
			return want
		}
	case map[string]any:
		if g, ok := got.(map[string]any); ok {
			out := make(map[string]any, len(g))
			for k, v := range g {
				out[k] = masked(v, w[k])
			}
			return out
		}
	case []any:
		if g, ok := got.([]any); ok && len(g) == len(w) {
			out := make([]any, len(g))
			for i, v := range g {
				out[i] = masked(v, w[i])
			}
			return out
		}
	}
	return got
}

var placeholder = regexp.MustCompile(`<[A-Za-z_]\w*>`)

func isPlaceholder(text string) bool {
	return text == "date" || placeholder.MatchString(text) || strings.HasSuffix(text, "_role_arn")
}

func (r Recording) compareTypes(got []string) string {
	if r.Types == nil {
		return ""
	}
	want := slices.Clone(r.Types)
	if slices.Contains(want, "ParallelStateEntered") {
		// Recordings of Parallel states are sorted, and lack this event.
		got = slices.DeleteFunc(slices.Clone(got), func(t string) bool { return t == "ParallelStateSucceeded" })
		want = slices.DeleteFunc(want, func(t string) bool { return t == "ParallelStateSucceeded" })
		slices.Sort(got)
		slices.Sort(want)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return "event types: " + diff
	}
	return ""
}
