// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"strings"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
)

// echo answers with the parameters.
func echo(task asl.TaskRequest, _ int) asltest.Answer { return succeed(string(task.Parameters)) }

// branch is a branch of one task.
func branch(name string) string {
	return `{"StartAt":"` + name + `","States":{"` + name + `":{"Type":"Task","Resource":"switchback:test:` + name + `","Parameters":{},"End":true}}}`
}

func parallel(fields string, branches ...string) string {
	return `{"StartAt":"P","States":{"P":{"Type":"Parallel","Branches":[` + strings.Join(branches, ",") + `]` + fields +
		`,"Next":"Done"},"Done":{"Type":"Succeed"},"Caught":{"Type":"Pass","End":true}}}`
}

// after makes a worker whose answers depend on the state.
func after(answers map[string]asltest.Answer) func(asl.TaskRequest, int) asltest.Answer {
	return func(task asl.TaskRequest, _ int) asltest.Answer { return answers[task.State] }
}

var groupScenarios = []scenario{
	{
		name:       "results of branches are in the order of the branches",
		definition: parallel("", branch("A"), branch("B"), branch("C")),
		worker: after(map[string]asltest.Answer{
			"A": {After: 3 * time.Second, Output: "1"}, "B": {After: time.Second, Output: "2"}, "C": {After: 2 * time.Second, Output: "3"},
		}),
		status: asl.Succeeded, output: "[1,2,3]", elapsed: 3 * time.Second,
		types: "ExecutionStarted ParallelStateEntered ParallelStateStarted " + strings.Repeat("TaskStateEntered TaskScheduled TaskStarted ", 3) +
			strings.Repeat("TaskSucceeded TaskStateExited ", 3) + "ParallelStateSucceeded ParallelStateExited " +
			"SucceedStateEntered SucceedStateExited ExecutionSucceeded",
	},
	{
		name: "a failing branch cuts off the others",
		definition: parallel(`,"Catch":[{"ErrorEquals":["Boom"],"ResultPath":"$.e","Next":"Caught"}]`, branch("A"),
			`{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":60,"End":true}}}`, branch("C")),
		worker: after(map[string]asltest.Answer{
			"A": {Never: true}, "C": {After: 2 * time.Second, Failure: &asl.Error{Name: "Boom", Cause: "c"}},
		}),
		status: asl.Succeeded, output: `{"e":{"Error":"Boom","Cause":"c"}}`, elapsed: 2 * time.Second,
		types: "ExecutionStarted ParallelStateEntered ParallelStateStarted TaskStateEntered TaskScheduled TaskStarted WaitStateEntered " +
			"TaskStateEntered TaskScheduled TaskStarted TaskFailed TaskStateAborted WaitStateAborted ParallelStateFailed " +
			"ParallelStateExited PassStateEntered PassStateExited ExecutionSucceeded",
	},
	{
		name:       "BranchFailed names the failure of a branch",
		definition: parallel(`,"Catch":[{"ErrorEquals":["States.BranchFailed"],"Next":"Caught"}]`, branch("A")),
		worker:     after(map[string]asltest.Answer{"A": failing("Boom", "a")}),
		status:     asl.Succeeded, output: `{"Error":"Boom","Cause":"a"}`,
	},
	{
		name:       "a retry runs all branches again",
		definition: parallel(`,"Retry":[{"ErrorEquals":["Boom"],"IntervalSeconds":4}]`, branch("A"), branch("B")),
		worker: func(task asl.TaskRequest, n int) asltest.Answer {
			if task.State == "B" && n == 1 {
				return failing("Boom", "b")
			}
			return asltest.Answer{After: time.Second, Output: `"` + task.State + `"`}
		},
		status: asl.Succeeded, output: `["A","B"]`, elapsed: 5 * time.Second,
	},
	{
		name: "parallels nest, with inner catch",
		definition: parallel("", branch("A"), `{"StartAt":"Inner","States":{"Inner":{"Type":"Parallel","Branches":[`+branch("B")+`,`+branch("C")+`],
			"Catch":[{"ErrorEquals":["States.ALL"],"Next":"Mended"}],"End":true},"Mended":{"Type":"Pass","Result":"mended","End":true}}}`),
		worker: after(map[string]asltest.Answer{
			"A": {After: 5 * time.Second, Output: `"a"`}, "B": {Never: true}, "C": {After: time.Second, Failure: &asl.Error{Name: "Boom"}},
		}),
		status: asl.Succeeded, output: `["a","mended"]`, elapsed: 5 * time.Second,
	},
	{
		name: "branches see outer variables and keep their own",
		definition: `{"StartAt":"Set","States":{"Set":{"Type":"Pass","Assign":{"outer":"o","n.$":"$.n"},"Next":"P"},
			"P":{"Type":"Parallel","Branches":[
				{"StartAt":"X","States":{"X":{"Type":"Pass","Assign":{"inner.$":"$outer"},"Next":"Y"},
					"Y":{"Type":"Pass","Parameters":{"v.$":"States.Format('{}{}', $inner, $n)"},"End":true}}},
				{"StartAt":"Z","States":{"Z":{"Type":"Pass","Parameters":{"v.$":"$n"},"End":true}}}],
			"Assign":{"outer.$":"$[0].v"},"Next":"Show"},
			"Show":{"Type":"Pass","Parameters":{"outer.$":"$outer","all.$":"$"},"End":true}}}`,
		input:  `{"n":7}`,
		status: asl.Succeeded, output: `{"outer":"o7","all":[{"v":"o7"},{"v":7}]}`,
	},
	{
		name: "maps nest, run two at a time and keep the order of the items",
		definition: `{"StartAt":"Outer","States":{"Outer":{"Type":"Map","ItemsPath":"$.rows","MaxConcurrency":2,
			"ItemSelector":{"row.$":"$$.Map.Item.Value","i.$":"$$.Map.Item.Index","all.$":"$.name"},
			"ItemProcessor":{"StartAt":"Inner","States":{"Inner":{"Type":"Map","ItemsPath":"$.row","Iterator":{"StartAt":"T","States":{
				"T":{"Type":"Task","Resource":"switchback:test:Double","Parameters":{"n.$":"$"},"End":true}}},"End":true}}},"End":true}}}`,
		input: `{"name":"x","rows":[[1,2],[],[3]]}`,
		worker: func(task asl.TaskRequest, n int) asltest.Answer {
			return asltest.Answer{After: time.Duration(5-n) * time.Second, Output: string(task.Parameters)}
		},
		status: asl.Succeeded, output: `[[{"n":1},{"n":2}],[],[{"n":3}]]`, elapsed: 4 * time.Second,
	},
	{
		name: "an iteration that fails cuts off the others",
		definition: `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":2,"ItemProcessor":{"StartAt":"T","States":{
			"T":{"Type":"Task","Resource":"switchback:test:Do","Parameters":{"n.$":"$"},"End":true}}},
			"Catch":[{"ErrorEquals":["Boom"],"Next":"Caught"}],"End":true},"Caught":{"Type":"Pass","End":true}}}`,
		input: `[1,2,3]`,
		worker: func(_ asl.TaskRequest, n int) asltest.Answer {
			if n == 2 {
				return asltest.Answer{After: time.Second, Failure: &asl.Error{Name: "Boom"}}
			}
			return asltest.Answer{Never: true}
		},
		status: asl.Succeeded, output: `{"Error":"Boom"}`, elapsed: time.Second,
		types: "ExecutionStarted MapStateEntered MapStateStarted MapIterationStarted TaskStateEntered TaskScheduled TaskStarted " +
			"MapIterationStarted TaskStateEntered TaskScheduled TaskStarted TaskFailed MapIterationFailed TaskStateAborted " +
			"MapIterationAborted MapStateFailed MapStateExited PassStateEntered PassStateExited ExecutionSucceeded",
	},
	{
		name: "a distributed map tolerates failures and hides its children",
		definition: `{"StartAt":"M","States":{"M":{"Type":"Map","ToleratedFailurePercentage":50,"ItemProcessor":{
			"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"T","States":{
			"T":{"Type":"Task","Resource":"switchback:test:Do","Parameters":{"n.$":"$"},"End":true}}},"End":true}}}`,
		input: `[1,2,3,4]`,
		worker: func(task asl.TaskRequest, n int) asltest.Answer {
			if n%2 == 0 {
				return failing("Boom", "")
			}
			return succeed(string(task.Parameters))
		},
		status: asl.Succeeded, output: `[{"n":1},{"n":3}]`,
		types: "ExecutionStarted MapStateEntered MapStateStarted MapRunStarted MapRunSucceeded MapStateSucceeded MapStateExited ExecutionSucceeded",
	},
	{
		name: "a distributed map fails above its threshold",
		definition: `{"StartAt":"M","States":{"M":{"Type":"Map","ToleratedFailureCount":1,"ItemProcessor":{
			"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"F","States":{"F":{"Type":"Fail"}}},"End":true}}}`,
		input:  `[1,2,3]`,
		status: asl.Failed, failure: "States.ExceedToleratedFailureThreshold",
		types: "ExecutionStarted MapStateEntered MapStateStarted MapRunStarted MapRunFailed MapStateFailed ExecutionFailed",
	},
	{
		name: "batches are cut by number",
		definition: `{"StartAt":"M","States":{"M":{"Type":"Map","ItemSelector":{"v.$":"$$.Map.Item.Value"},
			"ItemBatcher":{"MaxItemsPerBatch":2,"BatchInput":{"k":"b"}},"ItemProcessor":{"StartAt":"T","States":{
			"T":{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:F","End":true}}},"End":true}}}`,
		input:  `[1,2,3]`,
		worker: echo,
		status: asl.Succeeded,
		output: `[{"BatchInput":{"k":"b"},"Items":[{"v":1},{"v":2}]},{"BatchInput":{"k":"b"},"Items":[{"v":3}]}]`,
	},
	{
		name: "an item selector that fails after iterations have begun",
		definition: `{"StartAt":"M","States":{"M":{"Type":"Map","MaxConcurrency":1,"ItemSelector":{"v.$":"$$.Map.Item.Value.a"},
			"ItemProcessor":{"StartAt":"X","States":{"X":{"Type":"Pass","End":true}}},"End":true}}}`,
		input:  `[{"a":1},{"b":2}]`,
		status: asl.Failed, failure: "States.Runtime",
	},
}

var flowScenarios = []scenario{
	{
		name: "four forms of Wait",
		definition: `{"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":10,"Next":"B"},"B":{"Type":"Wait","SecondsPath":"$.s","Next":"C"},
			"C":{"Type":"Wait","Timestamp":"2026-11-23T12:01:00Z","Next":"D"},"D":{"Type":"Wait","TimestampPath":"$.t","Next":"E"},
			"E":{"Type":"Wait","Timestamp":"2020-01-01T00:00:00Z","End":true}}}`,
		input:  `{"s":5,"t":"2026-11-23T14:02:00+02:00"}`,
		status: asl.Succeeded, output: `{"s":5,"t":"2026-11-23T14:02:00+02:00"}`, elapsed: 2 * time.Minute,
	},
	{
		name:       "a wait may be too long",
		definition: `{"StartAt":"A","States":{"A":{"Type":"Wait","SecondsPath":"$","End":true}}}`,
		input:      "999999999999999",
		status:     asl.Failed, failure: "States.Runtime",
	},
	{
		name:       "an execution times out",
		definition: `{"TimeoutSeconds":20,"StartAt":"A","States":{"A":{"Type":"Wait","Seconds":60,"End":true}}}`,
		status:     asl.TimedOut, failure: "States.Timeout", elapsed: 20 * time.Second,
		types: "ExecutionStarted WaitStateEntered ExecutionTimedOut",
	},
	{
		name: "choices compare variables, the context and the data",
		definition: `{"StartAt":"Set","States":{"Set":{"Type":"Pass","Assign":{"limit":3},"Next":"C"},
			"C":{"Type":"Choice","Choices":[
				{"And":[{"Variable":"$.n","NumericGreaterThanPath":"$limit"},{"Not":{"Variable":"$.x","IsPresent":true}},
					{"Or":[{"Variable":"$$.Execution.Name","StringMatches":"r*n"},{"Variable":"$.n","IsNull":true}]}],"Assign":{"hit":true},"Next":"Yes"}],
				"Default":"No"},
			"Yes":{"Type":"Pass","Parameters":{"hit.$":"$hit"},"End":true},"No":{"Type":"Fail"}}}`,
		input:  `{"n":4}`,
		status: asl.Succeeded, output: `{"hit":true}`,
	},
	{
		name:       "no choice matches",
		definition: `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.n","IsNull":true,"Next":"F"}]},"F":{"Type":"Fail"}}}`,
		input:      `{"n":1}`,
		status:     asl.Failed, failure: "States.NoChoiceMatched",
		types: "ExecutionStarted ChoiceStateEntered ExecutionFailed",
	},
	{
		name:       "a choice of a missing variable",
		definition: `{"StartAt":"C","States":{"C":{"Type":"Choice","Choices":[{"Variable":"$.n","IsNull":true,"Next":"F"}],"Default":"F"},"F":{"Type":"Fail"}}}`,
		status:     asl.Failed, failure: "States.Runtime",
	},
	{
		name:       "a result path that cannot apply",
		definition: `{"StartAt":"A","States":{"A":{"Type":"Pass","Result":1,"ResultPath":"$.a.b","End":true}}}`,
		input:      `{"a":"text"}`,
		status:     asl.Failed, failure: "States.ResultPathMatchFailure",
	},
	{
		name:       "fail with a path and an intrinsic function",
		definition: `{"StartAt":"F","States":{"F":{"Type":"Fail","ErrorPath":"$.e","CausePath":"States.Format('because of {}', $.c)"}}}`,
		input:      `{"e":"Custom","c":{"k":[1,"x"]}}`,
		status:     asl.Failed, failure: "Custom",
		types: "ExecutionStarted FailStateEntered ExecutionFailed",
	},
	{
		name:       "a state that loops for ever",
		definition: `{"StartAt":"A","States":{"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Choice","Choices":[{"Variable":"$.x","IsPresent":true,"Next":"C"}],"Default":"A"},"C":{"Type":"Succeed"}}}`,
		status:     asl.Failed, failure: "States.Runtime",
	},
}
