// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package jsonata_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
	"github.com/switchback-project/switchback/internal/jsonata"
)

// machine is a machine in JSONata: a task that fails and is caught, a choice, a wait, a map of tasks.
const machine = `{"QueryLanguage":"JSONata","StartAt":"Try","States":{
	"Try":{"Type":"Task","Resource":"switchback:test:Fail","Arguments":{"n":"{% $states.input.n + 1 %}","attempt":"{% $states.context.State.RetryCount %}"},
		"Retry":[{"ErrorEquals":["Boom"],"MaxAttempts":1}],
		"Catch":[{"ErrorEquals":["Boom"],"Assign":{"why":"{% $states.errorOutput.Cause %}"},"Output":{"in":"{% $states.input %}","error":"{% $states.errorOutput.Error %}"},"Next":"Choose"}],
		"End":true},
	"Choose":{"Type":"Choice","Choices":[{"Condition":"{% $states.input.error = 'Boom' and $why = 'attempt 1' %}","Assign":{"seconds":3},"Output":"{% [1..$states.input.in.n] %}","Next":"Wait"}],"Default":"Lost"},
	"Wait":{"Type":"Wait","Seconds":"{% $seconds %}","Next":"Each"},
	"Each":{"Type":"Map","Items":"{% $states.input %}","ItemSelector":{"v":"{% $states.context.Map.Item.Value * 2 %}","why":"{% $why %}"},
		"ItemProcessor":{"StartAt":"Do","States":{"Do":{"Type":"Task","Resource":"arn:aws:lambda:eu-west-1:111122223333:function:Do","Arguments":"{% $states.input %}","Output":"{% $states.result.v %}","End":true}}},
		"Output":"{% $sum($states.result) %}","End":true},
	"Lost":{"Type":"Fail","Error":"{% 'Lost' & $states.input.error %}"}}}`

func TestMachine(t *testing.T) {
	compiled, err := asl.Compile([]byte(machine), asl.Options{Expressions: jsonata.New(jsonata.Options{})})
	if err != nil {
		t.Fatal(err)
	}
	var parameters []string
	worker := func(task asl.TaskRequest) asltest.Answer {
		parameters = append(parameters, string(task.Parameters))
		if task.State == "Try" {
			return asltest.Answer{Failure: &asl.Error{Name: "Boom", Cause: "attempt " + string(rune('0'+task.Attempt-1))}}
		}
		return asltest.Answer{Output: string(task.Parameters)}
	}
	for name, store := range map[string]func(*asl.Run) (*asl.Run, error){"kept": nil, "stored": asltest.ThroughJSON} {
		t.Run(name, func(t *testing.T) {
			parameters = nil
			simulation := asltest.Simulation{Machine: compiled, Worker: worker, Store: store}
			got, err := simulation.Do(`{"n":3}`)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Run.Output()) != "12" || got.Elapsed != 4*time.Second {
				t.Errorf("got %s after %v: %v", got.Run.Output(), got.Elapsed, got.Run.Failure())
			}
			want := []string{
				`{"n":4,"attempt":0}`, `{"n":4,"attempt":1}`, `{"v":2,"why":"attempt 1"}`, `{"v":4,"why":"attempt 1"}`, `{"v":6,"why":"attempt 1"}`,
			}
			if diff := cmp.Diff(want, parameters); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestMachineFails(t *testing.T) {
	engine := jsonata.New(jsonata.Options{Timeout: 300 * time.Millisecond})
	tests := []struct{ name, state, cause string }{
		{
			"undefined", `"Type":"Pass","Output":{"result":"{% $doesNotExist %}"},"End":true`,
			"An error occurred while executing the state 'A' (entered at the event id #2). The JSONata expression '$doesNotExist' specified for the field 'Output/result' returned nothing (undefined).",
		},
		{"never-ending", `"Type":"Pass","Output":"{% ($f := function($x) { $f($x) }; $f(1)) %}","End":true`, "took too long"},
		{"wrong type", `"Type":"Wait","Seconds":"{% 'x' %}","End":true`, "Expected 'integer', but was 'string' for value: \"x\""},
		{"timestamp", `"Type":"Wait","Timestamp":"{% 'x' %}","End":true`, "The Timestamp field cannot be parsed as an ISO-8601 extended offset date-time"},
		{"condition", `"Type":"Choice","Choices":[{"Condition":"{% 1 %}","Next":"B"}]`, "Expected 'boolean'"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			compiled, err := asl.Compile([]byte(`{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{`+test.state+`},"B":{"Type":"Succeed"}}}`), asl.Options{Expressions: engine})
			if err != nil {
				t.Fatal(err)
			}
			simulation := asltest.Simulation{Machine: compiled}
			got, err := simulation.Do("{}")
			if err != nil {
				t.Fatal(err)
			}
			failure := got.Run.Failure()
			if failure == nil || failure.Name != asl.ErrorQueryEvaluation || !strings.Contains(failure.Cause, test.cause) {
				t.Errorf("failed with %v", failure)
			}
			if types := got.Types(); types[len(types)-2] != "EvaluationFailed" {
				t.Errorf("events are %v", types)
			}
		})
	}
}
