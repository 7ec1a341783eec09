// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
)

// tenTasks is a machine of ten tasks in a row, which keep the input and add to it.
func tenTasks() string {
	var states []string
	for i := range 10 {
		end := fmt.Sprintf(`"Next":"T%d"`, i+1)
		if i == 9 {
			end = `"End":true`
		}
		states = append(states, fmt.Sprintf(`"T%d":{"Type":"Task","Resource":"switchback:test:Do","Parameters":{"id.$":"$.detail.eventID",
			"name.$":"States.Format('step {}', $$.State.Name)"},"ResultPath":"$.results.T%d",%s}`, i, i, end))
	}
	return `{"StartAt":"T0","States":{` + strings.Join(states, ",") + `}}`
}

const record = `{"detail":{"eventID":"3038ebd2-c98a-4c65-9b6e-e22506292313","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com",
	"userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice"},"requestParameters":{"name":"trail"}},"results":{}}`

func mustCompile(tb testing.TB, definition string) *asl.Machine {
	tb.Helper()
	machine, err := asl.Compile([]byte(definition), asl.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	return machine
}

// BenchmarkTasks runs executions of ten tasks; a transition is a task state entered, done and left.
func BenchmarkTasks(b *testing.B) {
	benchmarkTasks(b, func(run *asl.Run) *asl.Run { return run })
}

// BenchmarkTasksStored stores the run and reads it back after every call, as an engine does after a restart at worst.
func BenchmarkTasksStored(b *testing.B) {
	benchmarkTasks(b, func(run *asl.Run) *asl.Run {
		stored, err := asltest.ThroughJSON(run)
		if err != nil {
			b.Fatal(err)
		}
		return stored
	})
}

func benchmarkTasks(b *testing.B, store func(*asl.Run) *asl.Run) {
	machine := mustCompile(b, tenTasks())
	b.ReportAllocs()
	transitions := 0
	for b.Loop() {
		run, effects, err := machine.Start(asltest.Info, json.RawMessage(record), asltest.Start)
		for run = store(run); err == nil && run.Status() == asl.Running; run = store(run) {
			effects, err = machine.TaskSucceeded(run, effects.Tasks[0].ID, json.RawMessage(`{"ok":true}`), asltest.Start)
			transitions++
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}

// BenchmarkPass runs transitions without tasks.
func BenchmarkPass(b *testing.B) {
	machine := mustCompile(b, `{"StartAt":"Init","States":{"Init":{"Type":"Pass","Result":0,"ResultPath":"$.i","Next":"Add"},
		"Add":{"Type":"Pass","Parameters":{"i.$":"States.MathAdd($.i, 1)"},"Next":"More"},
		"More":{"Type":"Choice","Choices":[{"Variable":"$.i","NumericLessThan":100,"Next":"Add"}],"Default":"Done"},"Done":{"Type":"Succeed"}}}`)
	b.ReportAllocs()
	transitions := 0
	for b.Loop() {
		run, _, err := machine.Start(asltest.Info, json.RawMessage(`{}`), asltest.Start)
		if err != nil || run.Status() != asl.Succeeded {
			b.Fatal(err, run.Failure())
		}
		transitions += 202
	}
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}

// BenchmarkParse reads definitions for looking at them, BenchmarkCompile for running them.
func BenchmarkParse(b *testing.B) {
	definition := []byte(tenTasks())
	for b.Loop() {
		if _, err := asl.Parse(definition); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	definition := []byte(tenTasks())
	for b.Loop() {
		if _, err := asl.Compile(definition, asl.Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

// TestIdleRunIsSmall keeps the promise about waiting executions: a runbook that waits for a human stores at most 1.5 KB
// more than its input.
func TestIdleRunIsSmall(t *testing.T) {
	machine := mustCompile(t, `{"StartAt":"Keep","States":{"Keep":{"Type":"Pass","Parameters":{"event.$":"$.detail.eventName"},"ResultPath":"$.kept","Next":"Ask"},
		"Ask":{"Type":"Task","Resource":"switchback:notify:Send.waitForTaskToken","TimeoutSeconds":86400,
		"Parameters":{"token.$":"$$.Task.Token","question":"was it you?"},"End":true}}}`)
	run, _, err := machine.Start(asltest.Info, json.RawMessage(record), asltest.Start)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("an idle run takes %d bytes, its input %d", len(stored), len(run.Input()))
	if len(stored) > 1500 {
		t.Errorf("an idle run takes %d bytes: %s", len(stored), stored)
	}
}

// BenchmarkStore writes, BenchmarkLoad reads the stored form of a waiting execution.
func BenchmarkStore(b *testing.B) {
	run, _ := waiting(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(run); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	_, stored := waiting(b)
	b.ReportAllocs()
	for b.Loop() {
		if err := json.Unmarshal(stored, new(asl.Run)); err != nil {
			b.Fatal(err)
		}
	}
}

func waiting(b *testing.B) (*asl.Run, []byte) {
	run, _, err := mustCompile(b, tenTasks()).Start(asltest.Info, json.RawMessage(record), asltest.Start)
	if err != nil {
		b.Fatal(err)
	}
	stored, err := json.Marshal(run)
	if err != nil {
		b.Fatal(err)
	}
	return run, stored
}
