// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package diagram_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
	"github.com/switchback-project/switchback/internal/diagram"
)

var update = flag.Bool("update", false, "write the golden files")

func read(tb testing.TB, path string) []byte {
	tb.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func parse(tb testing.TB, definition []byte) *asl.StateMachine {
	tb.Helper()
	m, err := asl.Parse(definition)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// play runs a definition in simulated time. The answers to a state's tasks are given in turn, the last one again and again.
func play(t *testing.T, definition []byte, input string, answers map[string][]asltest.Answer) *diagram.Trace {
	t.Helper()
	machine, err := asl.Compile(definition, asl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := asltest.Simulation{Machine: machine, Worker: func(task asl.TaskRequest) asltest.Answer {
		all := answers[task.State]
		if len(all) > 1 {
			answers[task.State] = all[1:]
		}
		return all[0]
	}}
	got, err := s.Do(input)
	if err != nil {
		t.Fatal(err)
	}
	return diagram.NewTrace(got.Events, asltest.Start)
}

func fails(name string) asltest.Answer {
	return asltest.Answer{After: time.Second, Failure: &asl.Error{Name: name, Cause: "because"}}
}

func returns(output string) asltest.Answer {
	return asltest.Answer{After: 1500 * time.Millisecond, Output: output}
}

// small is an order that is let through.
const small = `{"total":1,"again":false,"note":"x","items":[1,2]}`

// TestGoldens draws a machine with all types of states, alone and as three executions. Run it with -update and look at the
// pictures when the layout changes.
func TestGoldens(t *testing.T) {
	definition := read(t, "testdata/order.asl.json")
	const readOrder = `Read <order> & "check"`
	for name, trace := range map[string]*diagram.Trace{
		"order": nil,
		"order-succeeds": play(t, definition, `{}`, map[string][]asltest.Answer{
			readOrder: {fails("Busy"), fails("Busy"), returns(`{"total":2000}`)}, "Ask": {returns(small)}, "Charge": {returns(`1`)},
		}),
		"order-is-refused": play(t, definition, `{}`, map[string][]asltest.Answer{readOrder: {fails("Gone")}}),
		"order-is-caught": play(t, definition, `{}`, map[string][]asltest.Answer{
			readOrder: {returns(small)}, "Charge": {fails("Declined")},
		}),
	} {
		t.Run(name, func(t *testing.T) {
			o := diagram.Options{Title: "An order & its <way>", Trace: trace}
			m := parse(t, definition)
			svg, err := diagram.SVG(m, o)
			if err != nil {
				t.Fatal(err)
			}
			mermaid, err := diagram.Mermaid(m, o)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".svg", svg)
			golden(t, name+".mmd", mermaid)
		})
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, path)), string(got)); diff != "" {
		t.Errorf("%s (-update accepts it): %s", name, diff)
	}
}

func TestTraceTellsWhatHappened(t *testing.T) {
	definition := read(t, "testdata/order.asl.json")
	trace := play(t, definition, `{}`, map[string][]asltest.Answer{
		`Read <order> & "check"`: {fails("Busy"), returns(`{"total":2000}`)}, "Ask": {returns(small)}, "Charge": {fails("Declined")},
	})
	svg, err := diagram.SVG(parse(t, definition), diagram.Options{Trace: trace})
	if err != nil {
		t.Fatal(err)
	}
	if trace.Status != asl.Failed || trace.Took != 97*time.Second {
		t.Errorf("%s after %s", trace.Status, trace.Took)
	}
	for _, want := range []string{
		"FAILED · 1 min 37 s", "4.5 s · 1 retry", "2 visits · 0 ms", "1.0 s · Declined", "1 min 30 s", `class="caught"`, `class="failed"`, `class="idle"`, `class="error taken"`,
	} {
		if !strings.Contains(string(svg), want) {
			t.Errorf("no %q in the picture", want)
		}
	}
}

func TestRunningExecution(t *testing.T) {
	definition := []byte(`{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`)
	machine, err := asl.Compile(definition, asl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, effects, err := machine.Start(asltest.Info, nil, asltest.Start)
	if err != nil {
		t.Fatal(err)
	}
	svg, err := diagram.SVG(parse(t, definition), diagram.Options{Trace: diagram.NewTrace(effects.Events, asltest.Start.Add(90*time.Second))})
	if err != nil || !strings.Contains(string(svg), `<g class="running">`) || !strings.Contains(string(svg), "RUNNING · 1 min 30 s") || !strings.Contains(string(svg), "1 min 30 s · running") {
		t.Errorf("%v, %s", err, svg)
	}
	for _, none := range []*diagram.Trace{nil, diagram.NewTrace(nil, asltest.Start)} {
		if svg, err := diagram.SVG(&asl.StateMachine{}, diagram.Options{Trace: none}); err != nil {
			t.Errorf("an empty machine: %v, %s", err, svg)
		}
	}
}

func TestTooLarge(t *testing.T) {
	states, rules := &asl.StateMachine{}, &asl.StateMachine{States: []*asl.State{{Name: "A", Type: "Choice"}}}
	for i := range diagram.MaxStates + 1 {
		states.States = append(states.States, &asl.State{Name: fmt.Sprint(i)})
	}
	for range diagram.MaxRules + 1 {
		rules.States[0].Choices = append(rules.States[0].Choices, asl.Choice{Next: "A"})
	}
	for _, m := range []*asl.StateMachine{states, rules} {
		if _, err := diagram.SVG(m, diagram.Options{}); !errors.Is(err, diagram.ErrTooLarge) {
			t.Errorf("SVG: %v", err)
		}
		if _, err := diagram.Mermaid(m, diagram.Options{}); !errors.Is(err, diagram.ErrTooLarge) {
			t.Errorf("Mermaid: %v", err)
		}
	}
}
