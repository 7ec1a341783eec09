// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
)

// scenario is one execution in simulated time of a machine that recordings of AWS hardly have.
type scenario struct {
	name       string
	definition string
	input      string
	random     float64
	// worker answers the n-th task of a state, n from 1; nil for machines without tasks.
	worker func(task asl.TaskRequest, n int) asltest.Answer

	status  asl.Status
	output  string
	failure string // name
	types   string // event types, separated by blanks; "" means: do not compare
	elapsed time.Duration
}

func TestScenarios(t *testing.T) {
	for _, group := range [][]scenario{retryScenarios, taskScenarios, groupScenarios, flowScenarios} {
		for _, s := range group {
			t.Run(s.name, func(t *testing.T) { s.check(t) })
		}
	}
}

// check runs the scenario twice: as it is, and sending the Run through its stored form after every call. Both must give
// the same history and output.
func (s scenario) check(t *testing.T) {
	machine, err := asl.Compile([]byte(s.definition), asl.Options{
		Random: func() float64 { return s.random },
		UUID:   func() string { return "11111111-2222-4333-8444-555555555555" },
	})
	if err != nil {
		t.Fatal(err)
	}
	kept := s.run(t, machine, nil)
	stored := s.run(t, machine, asltest.ThroughJSON)
	if !reflect.DeepEqual(kept.Events, stored.Events) {
		t.Errorf("history of the stored run differs: %s", cmp.Diff(kept.Events, stored.Events))
	}
	if diff := cmp.Diff(string(kept.Run.Output()), string(stored.Run.Output())); diff != "" {
		t.Errorf("output of the stored run differs: %s", diff)
	}
	checkLinks(t, kept.Events)
	s.compare(t, kept)
}

func (s scenario) run(t *testing.T, machine *asl.Machine, store func(*asl.Run) (*asl.Run, error)) asltest.Result {
	t.Helper()
	counts := map[string]int{}
	simulation := asltest.Simulation{Machine: machine, Store: store}
	if s.worker != nil {
		simulation.Worker = func(task asl.TaskRequest) asltest.Answer {
			counts[task.State]++
			return s.worker(task, counts[task.State])
		}
	}
	input := s.input
	if input == "" {
		input = "{}"
	}
	result, err := simulation.Do(input)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func (s scenario) compare(t *testing.T, got asltest.Result) {
	t.Helper()
	if got.Run.Status() != s.status {
		t.Errorf("status %s, want %s: %v", got.Run.Status(), s.status, got.Run.Failure())
	}
	if diff := cmp.Diff(s.output, string(got.Run.Output())); diff != "" {
		t.Errorf("output: %s", diff)
	}
	name := ""
	if failure := got.Run.Failure(); failure != nil {
		name = failure.Name
	}
	if diff := cmp.Diff(s.failure, name); diff != "" {
		t.Errorf("error: %s", diff)
	}
	if got.Elapsed != s.elapsed {
		t.Errorf("took %v, want %v", got.Elapsed, s.elapsed)
	}
	if s.types == "" {
		return
	}
	if diff := cmp.Diff(strings.Fields(s.types), got.Types()); diff != "" {
		t.Errorf("event types: %s", diff)
	}
}

// checkLinks makes sure that IDs count from 1 and that every event follows an earlier one.
func checkLinks(t *testing.T, events []asl.Event) {
	t.Helper()
	for i, e := range events {
		if e.ID != int64(i+1) || e.PreviousEventID >= e.ID || e.PreviousEventID < 0 {
			t.Errorf("event %d is %d after %d", i+1, e.ID, e.PreviousEventID)
		}
		if e.Details != nil && !json.Valid(e.Details) {
			t.Errorf("details of event %d are not JSON: %s", e.ID, e.Details)
		}
	}
}

func succeed(output string) asltest.Answer { return asltest.Answer{Output: output} }

func failing(name, cause string) asltest.Answer {
	return asltest.Answer{Failure: &asl.Error{Name: name, Cause: cause}}
}

// failFirst fails the first n tasks of a state, then answers.
func failFirst(n int, name, output string) func(asl.TaskRequest, int) asltest.Answer {
	return func(_ asl.TaskRequest, i int) asltest.Answer {
		if i <= n {
			return failing(name, "attempt "+string(rune('0'+i)))
		}
		return succeed(output)
	}
}

// oneTask is a machine of one task with these fields, and two states to go to.
func oneTask(fields string) string {
	return `{"StartAt":"T","States":{
		"T":{"Type":"Task","Resource":"switchback:test:Do","Parameters":{"a":1}` + fields + `,"Next":"Done"},
		"Done":{"Type":"Succeed"},
		"Caught":{"Type":"Pass","End":true}}}`
}

const (
	taskAttempt = "TaskScheduled TaskStarted TaskFailed "
	taskOK      = "TaskScheduled TaskStarted TaskSucceeded TaskStateExited SucceedStateEntered SucceedStateExited ExecutionSucceeded"
)

var retryScenarios = []scenario{
	{
		name:       "retry backs off exponentially",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":2,"BackoffRate":3,"MaxAttempts":3}]`),
		worker:     failFirst(3, "Boom", `"ok"`),
		status:     asl.Succeeded, output: `"ok"`, elapsed: (2 + 6 + 18) * time.Second,
		types: "ExecutionStarted TaskStateEntered " + taskAttempt + taskAttempt + taskAttempt + taskOK,
	},
	{
		name:       "retry delay is capped",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":2,"BackoffRate":10,"MaxDelaySeconds":5,"MaxAttempts":3}]`),
		worker:     failFirst(3, "Boom", `"ok"`),
		status:     asl.Succeeded, output: `"ok"`, elapsed: (2 + 5 + 5) * time.Second,
	},
	{
		name:       "retry delay may be a fraction",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":1,"BackoffRate":1.5,"MaxAttempts":2}]`),
		worker:     failFirst(2, "Boom", `"ok"`),
		status:     asl.Succeeded, output: `"ok"`, elapsed: 2500 * time.Millisecond,
	},
	{
		name:       "defaults are one second, twice as long, three times",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["States.ALL"]}]`),
		worker:     failFirst(9, "Boom", `"ok"`),
		status:     asl.Failed, failure: "Boom", elapsed: (1 + 2 + 4) * time.Second,
	},
	{
		name:       "jitter takes a share of the delay",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":10,"BackoffRate":2,"JitterStrategy":"FULL","MaxAttempts":2}]`),
		random:     0.25,
		worker:     failFirst(2, "Boom", `"ok"`),
		status:     asl.Succeeded, output: `"ok"`, elapsed: 7500 * time.Millisecond,
	},
	{
		name:       "jitter of zero retries at once",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":10,"JitterStrategy":"FULL"}]`),
		worker:     failFirst(1, "Boom", `"ok"`),
		status:     asl.Succeeded, output: `"ok"`,
	},
	{
		// The example of the specification: ErrorA, ErrorB, ErrorC, ErrorB.
		name: "each retrier has its own count",
		definition: oneTask(`,"Retry":[
			{"ErrorEquals":["ErrorA","ErrorB"],"IntervalSeconds":1,"BackoffRate":2,"MaxAttempts":2},
			{"ErrorEquals":["ErrorC"],"IntervalSeconds":5}],
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`),
		worker: func(_ asl.TaskRequest, n int) asltest.Answer {
			return failing([]string{"ErrorA", "ErrorB", "ErrorC", "ErrorB"}[n-1], "x")
		},
		status: asl.Succeeded, output: `{"Error":"ErrorB","Cause":"x"}`, elapsed: (1 + 2 + 5) * time.Second,
		types: "ExecutionStarted TaskStateEntered " + taskAttempt + taskAttempt + taskAttempt + taskAttempt +
			"TaskStateExited PassStateEntered PassStateExited ExecutionSucceeded",
	},
	{
		name:       "no attempts means no retry",
		definition: oneTask(`,"Retry":[{"ErrorEquals":["Boom"],"MaxAttempts":0},{"ErrorEquals":["States.ALL"]}]`),
		worker:     failFirst(1, "Boom", `"ok"`),
		status:     asl.Failed, failure: "Boom",
	},
	{
		name:       "catch puts the error into the input",
		definition: oneTask(`,"Catch":[{"ErrorEquals":["Other"],"Next":"Done"},{"ErrorEquals":["States.TaskFailed"],"ResultPath":"$.error","Next":"Caught"}]`),
		input:      `{"keep":"me"}`,
		worker:     failFirst(1, "Boom", ""),
		status:     asl.Succeeded, output: `{"keep":"me","error":{"Error":"Boom","Cause":"attempt 1"}}`,
	},
	{
		name:       "catch may drop the error, and assign it",
		definition: oneTask(`,"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":null,"Assign":{"why.$":"$.Cause"},"Next":"Caught"}]`),
		input:      `{"keep":"me"}`,
		worker:     failFirst(1, "Boom", ""),
		status:     asl.Succeeded, output: `{"keep":"me"}`,
	},
	{
		name:       "nothing catches a runtime error but its name",
		definition: oneTask(`,"ResultSelector":{"x.$":"$.missing"},"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`),
		worker:     failFirst(0, "", `{}`),
		status:     asl.Failed, failure: "States.Runtime",
		types: "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskSucceeded ExecutionFailed",
	},
	{
		name:       "an error without a name is caught by ALL only",
		definition: oneTask(`,"Catch":[{"ErrorEquals":[""],"Next":"Done"},{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`),
		worker:     func(asl.TaskRequest, int) asltest.Answer { return failing("", "no name") },
		status:     asl.Succeeded, output: `{"Cause":"no name"}`,
	},
}

var taskScenarios = []scenario{
	{
		name:       "a task times out and is retried",
		definition: oneTask(`,"TimeoutSeconds":30,"Retry":[{"ErrorEquals":["States.Timeout"],"IntervalSeconds":1}]`),
		worker: func(_ asl.TaskRequest, n int) asltest.Answer {
			return asltest.Answer{Never: n == 1, Output: `"late"`}
		},
		status: asl.Succeeded, output: `"late"`, elapsed: 31 * time.Second,
		types: "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskTimedOut " + taskOK,
	},
	{
		name:       "a timeout is no TaskFailed",
		definition: oneTask(`,"TimeoutSecondsPath":"$.t","Catch":[{"ErrorEquals":["States.TaskFailed"],"Next":"Caught"}]`),
		input:      `{"t":7}`,
		worker:     func(asl.TaskRequest, int) asltest.Answer { return asltest.Answer{Never: true} },
		status:     asl.Failed, failure: "States.Timeout", elapsed: 7 * time.Second,
	},
	{
		name:       "an answer that comes too late is not heard",
		definition: oneTask(`,"TimeoutSeconds":5,"Catch":[{"ErrorEquals":["States.Timeout"],"Next":"Caught"}]`),
		worker:     func(asl.TaskRequest, int) asltest.Answer { return asltest.Answer{After: 6 * time.Second, Output: "1"} },
		status:     asl.Succeeded, output: `{"Error":"States.Timeout"}`, elapsed: 5 * time.Second,
	},
	{
		name:       "a missing heartbeat is a timeout that has a name of its own",
		definition: oneTask(`,"TimeoutSeconds":100,"HeartbeatSeconds":10,"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"Next":"Caught"}]`),
		worker: func(asl.TaskRequest, int) asltest.Answer {
			return asltest.Answer{Never: true, Heartbeats: []time.Duration{9 * time.Second, 18 * time.Second}}
		},
		status: asl.Succeeded, output: `{"Error":"States.Timeout"}`, elapsed: 28 * time.Second,
		types: "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskTimedOut TaskStateExited " +
			"PassStateEntered PassStateExited ExecutionSucceeded",
	},
	{
		name:       "heartbeats keep a task alive",
		definition: oneTask(`,"HeartbeatSeconds":10`),
		worker: func(asl.TaskRequest, int) asltest.Answer {
			return asltest.Answer{After: 25 * time.Second, Output: `"alive"`, Heartbeats: []time.Duration{8 * time.Second, 16 * time.Second}}
		},
		status: asl.Succeeded, output: `"alive"`, elapsed: 25 * time.Second,
	},
	{
		name: "every attempt has a token of its own",
		definition: `{"StartAt":"Ask","States":{"Ask":{"Type":"Task","Resource":"switchback:notify:Send.waitForTaskToken",
			"Parameters":{"token.$":"$$.Task.Token","attempt.$":"$$.State.RetryCount"},
			"Retry":[{"ErrorEquals":["Again"],"IntervalSeconds":1}],"End":true}}}`,
		worker: func(task asl.TaskRequest, n int) asltest.Answer {
			if n == 1 {
				return failing("Again", task.Token)
			}
			return succeed(string(task.Parameters))
		},
		status:  asl.Succeeded,
		output:  `{"token":"arn:aws:states:eu-west-1:111122223333:execution:machine:run:2","attempt":1}`,
		elapsed: time.Second,
		types: "ExecutionStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskScheduled TaskStarted TaskSubmitted " +
			"TaskSucceeded TaskStateExited ExecutionSucceeded",
	},
	{
		name: "a Lambda function has events of its own",
		definition: `{"StartAt":"F","States":{"F":{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:F",
			"Catch":[{"ErrorEquals":["Oops"],"Next":"Done"}],"Next":"Done"},"Done":{"Type":"Succeed"}}}`,
		worker: failFirst(1, "Oops", ""),
		status: asl.Succeeded, output: `{"Error":"Oops","Cause":"attempt 1"}`,
		types: "ExecutionStarted TaskStateEntered LambdaFunctionScheduled LambdaFunctionStarted LambdaFunctionFailed TaskStateExited " +
			"SucceedStateEntered SucceedStateExited ExecutionSucceeded",
	},
	{
		name:       "a result that is too large fails the task for good",
		definition: oneTask(`,"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Caught"}]`),
		worker: func(asl.TaskRequest, int) asltest.Answer {
			return succeed(`"` + strings.Repeat("x", asl.MaxDataBytes) + `"`)
		},
		status: asl.Failed, failure: "States.DataLimitExceeded",
	},
	{
		name:       "markup survives the stored form",
		definition: oneTask(``),
		input:      `{"<&>":"\u2028<"}`,
		worker:     func(asl.TaskRequest, int) asltest.Answer { return asltest.Answer{After: time.Second, Output: `"<&>"`} },
		status:     asl.Succeeded, output: `"<&>"`, elapsed: time.Second,
	},
	{
		name: "the data flow goes in AWS's order",
		definition: `{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"switchback:test:Do","InputPath":"$.in",
			"Parameters":{"p.$":"$.x","name.$":"$$.State.Name","raw":"$.x"},"ResultSelector":{"r.$":"$.p"},"ResultPath":"$.out.r",
			"OutputPath":"$.out","End":true}}}`,
		input:  `{"in":{"x":[1,2]},"out":{"old":true}}`,
		worker: func(task asl.TaskRequest, _ int) asltest.Answer { return succeed(string(task.Parameters)) },
		status: asl.Succeeded, output: `{"old":true,"r":{"r":[1,2]}}`,
	},
}
