// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/asltest"
)

// begin starts an execution that must not fail to start.
func begin(t *testing.T, machine *asl.Machine, input string) (*asl.Run, asl.Effects) {
	t.Helper()
	run, effects, err := machine.Start(asltest.Info, json.RawMessage(input), asltest.Start)
	if err != nil {
		t.Fatal(err)
	}
	return run, effects
}

func TestPendingSurvivesTheStoredForm(t *testing.T) {
	machine := mustCompile(t, parallel(`,"InputPath":"$.in"`, branch("A"),
		`{"StartAt":"B","States":{"B":{"Type":"Task","Resource":"switchback:notify:Send.waitForTaskToken","TimeoutSeconds":60,"HeartbeatSeconds":20,
		"Credentials":{"RoleArn.$":"$.role"},"Parameters":{"t.$":"$$.Task.Token"},"End":true}}}`))
	run, effects := begin(t, machine, `{"in":{"role":"r"}}`)
	stored, err := asltest.ThroughJSON(run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(effects.Tasks, run.Pending()); diff != "" {
		t.Errorf("pending differs from what was handed out: %s", diff)
	}
	if diff := cmp.Diff(effects.Tasks, stored.Pending()); diff != "" {
		t.Errorf("pending of the stored run differs: %s", diff)
	}
	if diff := cmp.Diff([]string{"P", "A", "B"}, stored.Current()); diff != "" {
		t.Error(diff)
	}
	if got, want := stored.Wake(), asltest.Start.Add(20*time.Second); !got.Equal(want) {
		t.Errorf("wakes at %v, want %v", got, want)
	}
	b := stored.Pending()[1]
	if b.Token == "" || string(b.Parameters) != `{"t":"`+b.Token+`"}` || string(b.Credentials) != `{"RoleArn":"r"}` {
		t.Errorf("got %+v", b)
	}
}

func TestContextObject(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Task","Resource":"switchback:a:B","Parameters":{},"End":true}`))
	_, effects := begin(t, machine, `{"x":1}`)
	want := `{"Execution":{"Id":"arn:aws:states:eu-west-1:111122223333:execution:machine:run","Input":{"x":1},"Name":"run",` +
		`"RoleArn":"arn:aws:iam::111122223333:role/machine","StartTime":"2026-11-23T12:00:00Z","RedriveCount":0},` +
		`"State":{"Name":"A","EnteredTime":"2026-11-23T12:00:00Z","RetryCount":0},` +
		`"StateMachine":{"Id":"arn:aws:states:eu-west-1:111122223333:stateMachine:machine","Name":"machine"}}`
	if diff := cmp.Diff(want, string(effects.Tasks[0].Context)); diff != "" {
		t.Error(diff)
	}
}

// TestContextIsWhatParametersSee compares the text that a task takes along with $$ as its Parameters see it.
func TestContextIsWhatParametersSee(t *testing.T) {
	seen := 0
	check := func(tasks []asl.TaskRequest) {
		t.Helper()
		for _, task := range tasks {
			var parameters struct{ C json.RawMessage }
			if err := json.Unmarshal(task.Parameters, &parameters); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(parameters.C), string(task.Context)); diff != "" {
				t.Errorf("state %s: %s", task.State, diff)
			}
			seen++
		}
	}
	const field = `"Parameters":{"c.$":"$$"},"Retry":[{"ErrorEquals":["Odd"],"IntervalSeconds":1}],`
	machine := mustCompile(t, `{"StartAt":"M \"<é\u0001>\"","States":{"M \"<é\u0001>\"":{"Type":"Map","ItemsPath":"$.list","ResultPath":null,"Next":"Ask","ItemProcessor":{
		"StartAt":"In","States":{"In":{"Type":"Task","Resource":"switchback:a:B",`+field+`"End":true}}}},
		"Ask":{"Type":"Task","Resource":"switchback:a:B.waitForTaskToken",`+field+`"End":true}}}`)
	info := asltest.Info
	info.Name, info.RoleARN = "run \"<é\x01>\"", ""
	run, effects, err := machine.Start(info, json.RawMessage(`{"list":[1, 2.50], "text":"\u0001<é>\""}`), asltest.Start.Add(time.Millisecond))
	for now := asltest.Start; err == nil && run.Status() == asl.Running; now = now.Add(1500 * time.Millisecond) {
		check(effects.Tasks)
		tasks := run.Pending()
		check(tasks)
		switch {
		case len(tasks) == 0:
			effects, err = machine.Tick(run, now)
		case tasks[0].Attempt == 1:
			effects, err = machine.TaskFailed(run, tasks[0].ID, asl.Error{Name: "Odd"}, now)
		default:
			effects, err = machine.TaskSucceeded(run, tasks[0].ID, json.RawMessage("1"), now)
		}
	}
	if err != nil || run.Status() != asl.Succeeded || seen < 10 {
		t.Errorf("%s after %d tasks, error %v", run.Status(), seen, err)
	}
}

func TestTasksThatNobodyAwaits(t *testing.T) {
	machine := mustCompile(t, oneTask(`,"TimeoutSeconds":5,"Retry":[{"ErrorEquals":["States.Timeout"]}]`))
	run, effects := begin(t, machine, "{}")
	first := effects.Tasks[0].ID
	if _, err := machine.TaskSucceeded(run, "nonsense", nil, asltest.Start); !errors.Is(err, asl.ErrNoTask) {
		t.Errorf("got %v, want ErrNoTask", err)
	}
	if _, err := machine.TaskSucceeded(run, first, json.RawMessage(`{"a":1,"a":2}`), asltest.Start); !errors.Is(err, asl.ErrInvalidOutput) {
		t.Errorf("got %v, want ErrInvalidOutput", err)
	}
	effects, err := machine.Tick(run, asltest.Start.Add(5*time.Second))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{first}, effects.Cancelled); diff != "" {
		t.Errorf("cancelled: %s", diff)
	}
	if _, err := machine.TaskHeartbeat(run, first, asltest.Start); !errors.Is(err, asl.ErrNoTask) {
		t.Errorf("got %v, want ErrNoTask", err)
	}
	effects, err = machine.Tick(run, asltest.Start.Add(6*time.Second))
	if err != nil || len(effects.Tasks) != 1 || effects.Tasks[0].ID == first || effects.Tasks[0].Attempt != 2 {
		t.Fatalf("got %+v, %v", effects, err)
	}
	if _, err = machine.TaskSucceeded(run, effects.Tasks[0].ID, json.RawMessage("1"), asltest.Start); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.TaskFailed(run, effects.Tasks[0].ID, asl.Error{}, asltest.Start); !errors.Is(err, asl.ErrNoTask) {
		t.Errorf("after the end: got %v, want ErrNoTask", err)
	}
}

func TestSubmitted(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Task","Resource":"switchback:a:B.waitForTaskToken","Parameters":{},"End":true}`))
	run, effects := begin(t, machine, "{}")
	id := effects.Tasks[0].ID
	checkSubmitted(t, run, false)
	for i, want := range []int{1, 0} {
		effects, err := machine.TaskSubmitted(run, id, json.RawMessage(`{"sent":true}`), asltest.Start)
		if err != nil || len(effects.Events) != want {
			t.Fatalf("call %d: %+v, %v", i+1, effects, err)
		}
		checkSubmitted(t, run, true)
	}
	effects, err := machine.TaskSucceeded(run, id, json.RawMessage(`1`), asltest.Start)
	if err != nil || effects.Events[0].Type != "TaskSucceeded" {
		t.Errorf("got %+v, %v", effects.Events, err)
	}
}

// checkSubmitted looks at the one pending task, before and after a restart.
func checkSubmitted(t *testing.T, run *asl.Run, want bool) {
	t.Helper()
	stored, err := asltest.ThroughJSON(run)
	if err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*asl.Run{"run": run, "stored run": stored} {
		if pending := r.Pending(); len(pending) != 1 || pending[0].IsSubmitted != want {
			t.Errorf("%s: pending %+v, want one with IsSubmitted %v", name, pending, want)
		}
	}
}

// TestSubmittedOnceAnAttempt retries a submitted task: the new attempt is to be handed over.
func TestSubmittedOnceAnAttempt(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Task","Resource":"switchback:a:B.waitForTaskToken","Parameters":{},"End":true,
		"Retry":[{"ErrorEquals":["States.ALL"]}]}`))
	run, effects := begin(t, machine, "{}")
	id := effects.Tasks[0].ID
	if _, err := machine.TaskSubmitted(run, id, nil, asltest.Start); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.TaskFailed(run, id, asl.Error{Name: "No"}, asltest.Start); err != nil {
		t.Fatal(err)
	}
	if _, err := machine.Tick(run, run.Wake()); err != nil {
		t.Fatal(err)
	}
	checkSubmitted(t, run, false)
}

func TestAbort(t *testing.T) {
	machine := mustCompile(t, parallel("", branch("A"), branch("B")))
	run, started := begin(t, machine, "{}")
	effects, err := machine.Abort(run, asl.Error{Name: "Stop", EmptyCause: true}, asltest.Start)
	if err != nil {
		t.Fatal(err)
	}
	if run.Status() != asl.Aborted || run.Failure().Name != "Stop" || !run.Wake().IsZero() || run.Pending() != nil {
		t.Errorf("got %s, %v", run.Status(), run.Failure())
	}
	if diff := cmp.Diff([]string{started.Tasks[0].ID, started.Tasks[1].ID}, effects.Cancelled); diff != "" {
		t.Error(diff)
	}
	if got := string(effects.Events[0].Details); effects.Events[0].Type != "ExecutionAborted" || got != `{"error":"Stop","cause":""}` {
		t.Errorf("got %s %s", effects.Events[0].Type, got)
	}
	again, err := machine.Abort(run, asl.Error{}, asltest.Start)
	if err != nil || again.Events != nil {
		t.Errorf("a second abort: %+v, %v", again, err)
	}
	stored, err := asltest.ThroughJSON(run)
	if err != nil || stored.Status() != asl.Aborted || *stored.Failure() != *run.Failure() {
		t.Errorf("stored: %v, %v", stored.Failure(), err)
	}
}

// TestOneCallIsBounded runs a loop without a wait: each call must do a bounded part of it, and say that it goes on.
func TestOneCallIsBounded(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Pass","Next":"B"},"B":{"Type":"Pass","Next":"A"},"C":{"Type":"Succeed"}`))
	big := `"` + strings.Repeat("x", 200_000) + `"`
	// Bounded in bytes: a few calls will do.
	run, effects := begin(t, machine, big)
	for range 3 {
		effects = checkBounded(t, machine, run, effects)
	}
	// Bounded in events, to the end.
	run, effects = begin(t, machine, "{}")
	events := int64(len(effects.Events))
	for run.Status() == asl.Running {
		effects = checkBounded(t, machine, run, effects)
		events += int64(len(effects.Events))
	}
	if events != run.LastEventID() || events > asl.MaxEvents {
		t.Errorf("%d events, the last is %d", events, run.LastEventID())
	}
	if failure := run.Failure(); failure.Name != asl.ErrorRuntime || !strings.Contains(failure.Cause, "maximum number of history events") {
		t.Errorf("failed with %v", failure)
	}
}

// checkBounded looks at the effects of one call and makes the next.
func checkBounded(t *testing.T, machine *asl.Machine, run *asl.Run, effects asl.Effects) asl.Effects {
	t.Helper()
	size := 0
	for _, e := range effects.Events {
		size += len(e.Details)
	}
	if len(effects.Events) > 1100 || size > 12<<20 {
		t.Fatalf("one call made %d events of %d bytes", len(effects.Events), size)
	}
	if run.Wake().IsZero() || run.Wake().After(asltest.Start) {
		t.Fatalf("the rest waits until %v", run.Wake())
	}
	next, err := machine.Tick(run, asltest.Start)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestStartRefusesInput(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Succeed"}`))
	for name, input := range map[string]string{
		"not JSON":      "{",
		"two values":    "1 2",
		"duplicate key": `{"a":1,"a":1}`,
		"too deep":      strings.Repeat("[", 100_000),
		"10 MB":         `"` + strings.Repeat("x", 10<<20) + `"`,
		"long number":   strings.Repeat("1", 100_000),
		"bad escape":    `"\x"`,
		"control":       "\"\n\"",
	} {
		if _, _, err := machine.Start(asltest.Info, json.RawMessage(input), asltest.Start); !errors.Is(err, asl.ErrInvalidInput) {
			t.Errorf("%s: got %v, want ErrInvalidInput", name, err)
		}
	}
	run, _ := begin(t, machine, "")
	if string(run.Output()) != "{}" {
		t.Errorf("empty input becomes %s", run.Output())
	}
}

func TestNumbersAndKeysKeepTheirForm(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Pass","Parameters":{"z":1.50,"a.$":"$.big","m.$":"$"},"End":true}`))
	run, _ := begin(t, machine, `{"big": 12345678901234567890.10, "e": 1E5, "html": "<&>", "u": "\u00e9\ud83d\ude00\ud800"}`)
	want := `{"z":1.50,"a":12345678901234567890.10,"m":{"big":12345678901234567890.10,"e":1E5,"html":"<&>","u":"é😀` + "\ufffd" + `"}}`
	if diff := cmp.Diff(want, string(run.Output())); diff != "" {
		t.Error(diff)
	}
}

func TestDamagedRuns(t *testing.T) {
	machine := mustCompile(t, oneTask(""))
	run, _ := begin(t, machine, `{"a":1}`)
	stored, err := json.Marshal(run)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"not JSON":      "{",
		"other version": strings.Replace(string(stored), `"v":1`, `"v":99`, 1),
		"no state":      strings.Replace(string(stored), `"t":{"s":"T"`, `"t":{"s":"Gone"`, 1),
		"no task":       strings.Replace(string(stored), `"t":{"id"`, `"x":{"id"`, 1),
		"empty":         "{}",
	} {
		damaged := new(asl.Run)
		err := json.Unmarshal([]byte(text), damaged)
		if err == nil {
			_, err = machine.Tick(damaged, asltest.Start)
		}
		var syntax *json.SyntaxError
		if !errors.Is(err, asl.ErrInvalidRun) && !errors.As(err, &syntax) {
			t.Errorf("%s: got %v, want ErrInvalidRun", name, err)
		}
	}
	other := mustCompile(t, oneTask(""))
	if _, err := other.Tick(run, asltest.Start); !errors.Is(err, asl.ErrInvalidRun) {
		t.Errorf("a run of another machine: got %v, want ErrInvalidRun", err)
	}
}

func TestMachineIsSafeForConcurrentUse(t *testing.T) {
	machine := mustCompile(t, `{"StartAt":"M","States":{"M":{"Type":"Map","ItemProcessor":{"StartAt":"P","States":{
		"P":{"Type":"Pass","Parameters":{"k":{"a":1,"b":2},"v.$":"States.Format('{}', $[?(@.x > 1)].x)"},"End":true}}},"End":true}}}`)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			run, _, err := machine.Start(asltest.Info, fmt.Appendf(nil, `[[{"x":%d},{"x":1}]]`, i+2), asltest.Start)
			want := fmt.Sprintf(`[{"k":{"a":1,"b":2},"v":"[%d]"}]`, i+2)
			if err != nil || string(run.Output()) != want {
				t.Errorf("got %s, %v", run.Output(), err)
			}
		})
	}
	all.Wait()
}

func TestToken(t *testing.T) {
	machine, err := asl.Compile([]byte(states(`"A":{"Type":"Task","Resource":"switchback:a:B.waitForTaskToken","Parameters":{},"End":true}`)),
		asl.Options{Token: func(execution, task string) string { return "token of " + task + " in " + execution[len(execution)-3:] }})
	if err != nil {
		t.Fatal(err)
	}
	_, effects := begin(t, machine, "{}")
	if got := effects.Tasks[0].Token; got != "token of 1 in run" {
		t.Errorf("got %q", got)
	}
}

func TestEventJSON(t *testing.T) {
	machine := mustCompile(t, states(`"A":{"Type":"Pass","Assign":{"v":[1]},"Result":"x","End":true}`))
	_, effects := begin(t, machine, `{"q":"\""}`)
	got, err := json.Marshal(effects.Events[1:3])
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"timestamp":"2026-11-23T12:00:00Z","type":"PassStateEntered","id":2,"previousEventId":0,"stateEnteredEventDetails":` +
		`{"name":"A","input":"{\"q\":\"\\\"\"}","inputDetails":{"truncated":false}}},` +
		`{"timestamp":"2026-11-23T12:00:00Z","type":"PassStateExited","id":3,"previousEventId":2,"stateExitedEventDetails":` +
		`{"name":"A","output":"\"x\"","outputDetails":{"truncated":false},"assignedVariables":{"v":"[1]"},"assignedVariablesDetails":{"truncated":false}}}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

// TestAmplification refers to large data so often that writing it out would take gigabytes.
func TestAmplification(t *testing.T) {
	many := func(text string) string { return strings.TrimSuffix(strings.Repeat(text+",", 5000), ",") }
	var fields, branches strings.Builder
	for i := range 5000 {
		fmt.Fprintf(&fields, `"f%d.$":"$",`, i)
	}
	for i := range 100 {
		fmt.Fprintf(&branches, `{"StartAt":"X%d","States":{"X%d":{"Type":"Succeed"}}},`, i, i)
	}
	for name, state := range map[string]string{
		"template":    `"Type":"Pass","Parameters":{` + fields.String() + `"z":1},"End":true`,
		"array":       `"Type":"Pass","Parameters":{"a.$":"States.Array(` + many("$") + `)"},"End":true`,
		"text":        `"Type":"Pass","Parameters":{"a.$":"States.JsonToString(States.Array(` + many("$") + `))"},"End":true`,
		"format":      `"Type":"Pass","Parameters":{"a.$":"States.Format('{}', States.Array(` + many("$") + `))"},"End":true`,
		"unique":      `"Type":"Pass","Parameters":{"a.$":"States.ArrayUnique(States.Array(` + many("$") + `))"},"End":true`,
		"variables":   `"Type":"Pass","Assign":{` + fields.String() + `"z":1},"End":true`,
		"task":        `"Type":"Task","Resource":"${F}","Parameters":{` + fields.String() + `"z":1},"End":true`,
		"branches":    `"Type":"Parallel","Parameters":{` + fields.String() + `"z":1},"Branches":[{"StartAt":"X","States":{"X":{"Type":"Succeed"}}}],"End":true`,
		"iterations":  `"Type":"Map","ItemsPath":"$$.StateMachine.Id","ItemProcessor":{"StartAt":"X","States":{"X":{"Type":"Succeed"}}},"End":true`,
		"result list": `"Type":"Parallel","Branches":[` + strings.TrimSuffix(branches.String(), ",") + `],"End":true`,
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			simulation := asltest.Simulation{Machine: mustCompile(t, states(`"A":{`+state+`}`))}
			got, err := simulation.Do(`"` + strings.Repeat("x", 200_000) + `"`)
			if err != nil {
				t.Fatal(err)
			}
			if got.Run.Status() != asl.Failed {
				t.Errorf("%s", got.Run.Status())
			}
			if took := time.Since(started); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
