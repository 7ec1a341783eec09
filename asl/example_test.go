// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// A machine of one task: start it, store it, do the task, tell the machine.
func ExampleMachine() {
	machine, err := asl.Compile([]byte(`{"StartAt":"Start logging","States":{"Start logging":{"Type":"Task",
		"Resource":"switchback:cloudtrail:StartLogging","Parameters":{"trail.$":"$.trail"},
		"Retry":[{"ErrorEquals":["CloudTrail.ThrottlingException"],"IntervalSeconds":2}],"End":true}}}`), asl.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	run, effects, err := machine.Start(asl.ExecutionInfo{ID: "1", Name: "one"}, json.RawMessage(`{"trail":"main"}`), now)
	if err != nil {
		fmt.Println(err)
		return
	}
	task := effects.Tasks[0]
	fmt.Println(task.Resource, string(task.Parameters))

	throttled := asl.Error{Name: "CloudTrail.ThrottlingException", Cause: "Rate exceeded"}
	if _, err = machine.TaskFailed(run, task.ID, throttled, now); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("retry after", run.Wake().Sub(now))

	effects, err = machine.Tick(run, run.Wake())
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = machine.TaskSucceeded(run, effects.Tasks[0].ID, json.RawMessage(`{"isLogging":true}`), now)
	fmt.Println(run.Status(), string(run.Output()), err)
	// Output:
	// switchback:cloudtrail:StartLogging {"trail":"main"}
	// retry after 2s
	// SUCCEEDED {"isLogging":true} <nil>
}

// Check reports every fault with its place in the definition.
func ExampleCheck() {
	for _, problem := range asl.Check([]byte(`{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"}}}`), asl.CheckOptions{}) {
		fmt.Println(problem)
	}
	// Output:
	// ERROR MISSING_TRANSITION_TARGET at /States/A/Next: Missing 'Next' target: B
	// ERROR MISSING_END_STATE at /States: No terminal state found
}
