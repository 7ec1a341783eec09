// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
)

// states wraps states into a machine that starts at A.
func states(text string) string { return `{"StartAt":"A","States":{` + text + `}}` }

func TestCheck(t *testing.T) {
	tests := []struct {
		name, definition string
		want             []string // "path: part of the message"; warnings begin with "warning "
	}{
		{"nothing wrong", states(`"A":{"Type":"Pass","End":true}`), nil},
		{"blank", " \n", []string{": Definition must be a valid JSON object"}},
		{"not JSON", `{"StartAt":`, []string{": line 1, column 12: unexpected end"}},
		{"not an object", `[]`, []string{": Definition must be a valid JSON object"}},
		{"duplicate key", "{\"a\":1,\n\"a\":2}", []string{`: line 2, column 1: duplicate key "a"`}},
		{"required fields", `{}`, []string{"/: These fields are required: [States, StartAt]"}},
		{"timeout", `{"TimeoutSeconds":0.5,"StartAt":"A","States":{"A":{"Type":"Succeed"}}}`, []string{"/TimeoutSeconds: must be an integer"}},
		{"start", `{"StartAt":"B","States":{"A":{"Type":"Pass","End":true}}}`, []string{"/StartAt: Missing 'StartAt' target: B", "warning /States/A: not reachable"}},
		{"next", states(`"A":{"Type":"Pass","Next":"b"},"B":{"Type":"Succeed"}`), []string{"/States/A/Next: Missing 'Next' target: b", "warning /States/B: not reachable"}},
		{"names are escaped", states(`"A":{"Type":"Pass","Next":"x/~y"},"x/~y":{"Type":"Pass"}`), []string{"/States/x~1~0y: must have one of [Next, End]", "/States: No terminal"}},
		{"type", states(`"A":{"Type":"Loop","End":true}`), []string{"/States/A/Type: not one of"}},
		{"unknown field", states(`"A":{"Type":"Pass","End":true,"Recource":1}`), []string{`/States/A/Recource: Field "Recource" is not supported`}},
		{"choice has no Next", states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"B"}],"Next":"B"},"B":{"Type":"Succeed"}`), []string{"/States/A/Next: not supported"}},
		{"two operators", states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"IsString":true,"Next":"B"}]},"B":{"Type":"Succeed"}`), []string{"/States/A/Choices/0: exactly one operator, but has 2"}},
		{"nested rule with Next", states(`"A":{"Type":"Choice","Choices":[{"Not":{"Variable":"$.a","IsNull":true,"Next":"B"},"Next":"B"}]},"B":{"Type":"Succeed"}`), []string{"/States/A/Choices/0/Not/Next: not supported in a nested rule"}},
		{"operand of a wrong type", states(`"A":{"Type":"Choice","Choices":[{"Variable":"$.a","NumericEquals":"1","Next":"B"}]},"B":{"Type":"Succeed"}`), []string{"/States/A/Choices/0/NumericEquals: must be a number"}},
		{"two kinds of wait", states(`"A":{"Type":"Wait","Seconds":1,"SecondsPath":"$.x","End":true}`), []string{"/States/A: may have only one of", "/States/A: may have only one of"}},
		{"timestamp", states(`"A":{"Type":"Wait","Timestamp":"2026-11-23 12:00:00Z","End":true}`), []string{"/States/A/Timestamp: String does not match RFC3339 timestamp"}},
		{"nine digits of fraction", states(`"A":{"Type":"Wait","Timestamp":"2026-11-23T12:00:00.123456789+01:00","End":true}`), nil},
		{"heartbeat", states(`"A":{"Type":"Task","Resource":"${F}","TimeoutSeconds":5,"HeartbeatSeconds":5,"End":true}`), []string{"/States/A/HeartbeatSeconds: smaller"}},
		{"ALL not alone", states(`"A":{"Type":"Task","Resource":"${F}","Retry":[{"ErrorEquals":["States.ALL","X"]}],"End":true}`), []string{"/States/A/Retry/0/ErrorEquals: alone"}},
		{"ALL not last", states(`"A":{"Type":"Task","Resource":"${F}","Catch":[{"ErrorEquals":["States.ALL"],"Next":"B"},{"ErrorEquals":["X"],"Next":"B"}],"End":true},"B":{"Type":"Fail"}`), []string{"/States/A/Catch/0/ErrorEquals: last"}},
		{"max delay", states(`"A":{"Type":"Task","Resource":"${F}","Retry":[{"ErrorEquals":["X"],"IntervalSeconds":9,"MaxDelaySeconds":9}],"End":true}`), []string{"/States/A/Retry/0/MaxDelaySeconds: greater"}},
		{"bad path in a template", states(`"A":{"Type":"Pass","Parameters":{"a":[{"b.$":"x"}]},"End":true}`), []string{"/States/A/Parameters/a/0/b.$: expected a path or a call"}},
		{"field twice", states(`"A":{"Type":"Pass","Parameters":{"b.$":"$.x","b":1},"End":true}`), []string{"/States/A/Parameters/b.$: duplicate field"}},
		{"result path of a variable", states(`"A":{"Type":"Pass","ResultPath":"$v","End":true}`), []string{"/States/A/ResultPath: single $"}},
		{"result path of many nodes", states(`"A":{"Type":"Pass","ResultPath":"$.a[*]","End":true}`), []string{"/States/A/ResultPath: not a Reference Path"}},
		{"name of a variable", states(`"A":{"Type":"Pass","Assign":{"a-b":1,"states":2},"End":true}`), []string{"/States/A/Assign/a-b: not the name", "/States/A/Assign/states: reserved"}},
		{"shadowed variable", states(`"A":{"Type":"Pass","Assign":{"x":1},"Next":"P"},"P":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"I","States":{"I":{"Type":"Pass","Assign":{"x":2},"End":true}}}]}`), []string{"/States/P/Branches/0/States/I/Assign/x: outer scope"}},
		{"name twice in the machine", states(`"A":{"Type":"Parallel","End":true,"Branches":[{"StartAt":"A","States":{"A":{"Type":"Succeed"}}}]}`), []string{"/States/A/Branches/0/States/A: Duplicate state name"}},
		{"JSONata field in JSONPath", states(`"A":{"Type":"Pass","Output":1,"End":true}`), []string{"/States/A/Output: not supported when QueryLanguage is JSONPath"}},
		{"JSONPath state in JSONata", `{"QueryLanguage":"JSONata","StartAt":"A","States":{"A":{"Type":"Pass","QueryLanguage":"JSONPath","End":true}}}`, []string{"/States/A: 'QueryLanguage' can not be 'JSONPath' if set to 'JSONata' for whole state machine"}},
		{"result outside Output", states(`"A":{"Type":"Task","QueryLanguage":"JSONata","Resource":"${F}","Arguments":"{% $states.result %}","End":true}`), []string{"/States/A/Arguments: $states.result exists only"}},
		{"label", states(`"A":{"Type":"Map","Label":"a b","ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}},"End":true}`), []string{"/States/A/Label: invalid character"}},
		{"S3 reader", states(`"A":{"Type":"Map","ItemReader":{"Resource":"arn:aws:states:::s3:getObject"},"ItemProcessor":{"ProcessorConfig":{"Mode":"DISTRIBUTED","ExecutionType":"STANDARD"},"StartAt":"I","States":{"I":{"Type":"Succeed"}}},"End":true}`), []string{"warning /States/A/ItemReader: S3"}},
		{"integration that does not exist", states(`"A":{"Type":"Task","Resource":"arn:aws:states:::dynamodb:scan","End":true}`), []string{"/States/A/Resource: is not recognized"}},
		{"integration without that pattern", states(`"A":{"Type":"Task","Resource":"arn:aws:states:::lambda:invoke.sync","End":true}`), []string{"/States/A/Resource: is not recognized"}},
		{"integrations", states(`"A":{"Type":"Task","Resource":"arn:${P}:states:::lambda:invoke.waitForTaskToken","Next":"B"},"B":{"Type":"Task","Resource":"arn:aws:states:::aws-sdk:cloudtrail:startLogging","End":true}`), nil},
		{"placeholders with colons", states(`"A":{"Type":"Task","Resource":"arn:${AWS::Partition}:lambda:${AWS::Region}:${AWS::AccountId}:function:f","End":true}`), nil},
		{"action without parameters", states(`"A":{"Type":"Task","Resource":"switchback:cloudtrail:StartLogging","End":true}`), []string{"/States/A: needs an object Parameters"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			compareProblems(t, asl.Check([]byte(test.definition), asl.CheckOptions{}), test.want)
		})
	}
}

// compareProblems matches each problem with "path: part of the message".
func compareProblems(t *testing.T, got []asl.Problem, want []string) {
	t.Helper()
	for i, p := range got {
		text := p.Path + ": " + p.Message
		if p.Severity == asl.SeverityWarning {
			text = "warning " + text
		}
		if i >= len(want) {
			t.Errorf("unexpected: %s", text)
			continue
		}
		path, part, _ := strings.Cut(want[i], ": ")
		if !strings.HasPrefix(text, path+": ") || !strings.Contains(text, part) {
			t.Errorf("got %q, want %q", text, want[i])
		}
	}
	if len(got) < len(want) {
		t.Errorf("missing: %q", want[len(got):])
	}
}

type catalog map[string][]asl.Field

func (c catalog) Action(id string) ([]asl.Field, bool) {
	fields, ok := c[id]
	return fields, ok
}

func TestCheckActions(t *testing.T) {
	known := catalog{"cloudtrail:StartLogging": {{Name: "trail", Required: true}, {Name: "region"}}}
	task := func(resource, parameters string) string {
		return states(`"A":{"Type":"Task","Resource":"` + resource + `","Parameters":` + parameters + `,"End":true}`)
	}
	tests := []struct {
		name, definition string
		options          asl.CheckOptions
		want             []string
	}{
		{"fine", task("switchback:cloudtrail:StartLogging", `{"trail.$":"$.t","region":"eu-west-1"}`), asl.CheckOptions{Catalog: known}, nil},
		{"with a token", task("switchback:cloudtrail:StartLogging.waitForTaskToken", `{"trail":"t"}`), asl.CheckOptions{Catalog: known}, nil},
		{"unknown action", task("switchback:cloudtrail:Nothing", `{}`), asl.CheckOptions{Catalog: known}, []string{"/States/A/Resource: no action cloudtrail:Nothing"}},
		{"unknown and missing field", task("switchback:cloudtrail:StartLogging", `{"trial":"t"}`), asl.CheckOptions{Catalog: known}, []string{`/States/A/Parameters/trial: has no field "trial"`, `/States/A/Parameters: needs the field "trail"`}},
		{"no catalog", task("switchback:cloudtrail:Nothing", `{}`), asl.CheckOptions{}, nil},
		{"no verb", task("switchback:cloudtrail", `{}`), asl.CheckOptions{}, []string{"/States/A/Resource: does not name an action"}},
		{"on AWS", task("switchback:cloudtrail:StartLogging", `{}`), asl.CheckOptions{AWS: true}, []string{"/States/A/Resource: must be exported"}},
		{"placeholder on AWS", task("${SwitchbackActionsCloudtrail}", `{}`), asl.CheckOptions{AWS: true}, nil},
		{"URI on AWS", task("foo:bar", `{}`), asl.CheckOptions{AWS: true}, []string{"/States/A/Resource: not a valid resource ARN"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			compareProblems(t, asl.Check([]byte(test.definition), test.options), test.want)
		})
	}
}

func TestCompileRefuses(t *testing.T) {
	var invalid *asl.CheckError
	for name, definition := range map[string]string{
		"an invalid definition":       states(`"A":{"Type":"Pass"}`),
		"JSONata without an engine":   states(`"A":{"Type":"Pass","QueryLanguage":"JSONata","End":true}`),
		"what only AWS itself can do": states(`"A":{"Type":"Map","ResultWriter":{"Resource":"arn:aws:states:::s3:putObject"},"ItemProcessor":{"StartAt":"I","States":{"I":{"Type":"Succeed"}}},"End":true}`),
	} {
		if _, err := asl.Compile([]byte(definition), asl.Options{}); !errors.As(err, &invalid) {
			t.Errorf("%s: got %v, want a CheckError", name, err)
		}
	}
	var syntax *asl.ParseError
	if _, err := asl.Compile([]byte("{"), asl.Options{}); !errors.As(err, &syntax) {
		t.Errorf("got %v, want a ParseError", err)
	}
}

// TestHostileDefinitions makes sure that a definition cannot take much time or memory, whatever it holds.
func TestHostileDefinitions(t *testing.T) {
	for name, definition := range map[string]string{
		"too large":       `{"Comment":"` + strings.Repeat("x", asl.MaxDefinitionBytes) + `"}`,
		"too deep":        strings.Repeat(`{"a":`, 100_000),
		"deep arrays":     strings.Repeat("[", 400_000),
		"many duplicates": "{" + strings.Repeat(`"a":1,`, 100_000) + `"a":1}`,
		"many keys":       "{" + manyKeys() + `"z":1}`,
		"long number":     `{"TimeoutSeconds":1` + strings.Repeat("0", 500_000) + "}",
	} {
		t.Run(name, func(t *testing.T) {
			started := time.Now()
			if problems := asl.Check([]byte(definition), asl.CheckOptions{}); !asl.HasErrors(problems) {
				t.Error("no error")
			}
			if took := time.Since(started); took > 2*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func manyKeys() string {
	var b strings.Builder
	for i := range 50_000 {
		b.WriteString(`"k` + strings.Repeat("x", i%7) + string(rune('0'+i%10)) + time.Duration(i).String() + `":1,`)
	}
	return b.String()
}

func TestParse(t *testing.T) {
	machine, err := asl.Parse([]byte(`{"Comment":"c","StartAt":"P","States":{
		"P":{"Type":"Parallel","Branches":[{"StartAt":"T","States":{"T":{"Type":"Task","Resource":"switchback:iam:Quarantine","Parameters":{"z":1,"a":2},
			"Retry":[{"ErrorEquals":["X"],"JitterStrategy":"FULL"}],"Catch":[{"ErrorEquals":["States.ALL"],"Next":"T"}],"End":true}}}],"Next":"C"},
		"C":{"Type":"Choice","Choices":[{"Variable":"$.a","IsNull":true,"Next":"M"}],"Default":"M"},
		"M":{"Type":"Map","ItemProcessor":{"StartAt":"S","States":{"S":{"Type":"Succeed"}}},"End":true}}}`))
	if err != nil {
		t.Fatal(err)
	}
	var paths []string
	machine.Walk(func(s *asl.State) bool {
		paths = append(paths, s.Type+" "+s.Path)
		return true
	})
	want := []string{
		"Parallel /States/P", "Task /States/P/Branches/0/States/T", "Choice /States/C", "Map /States/M",
		"Succeed /States/M/ItemProcessor/States/S",
	}
	if diff := cmp.Diff(want, paths); diff != "" {
		t.Error(diff)
	}
	task := machine.States[0].Branches[0].States[0]
	if diff := cmp.Diff(`{"z":1,"a":2}`, string(task.Parameters)); diff != "" {
		t.Error(diff)
	}
	retry := []asl.Retrier{{ErrorEquals: []string{"X"}, IntervalSeconds: 1, MaxAttempts: 3, BackoffRate: 2, JitterStrategy: "FULL"}}
	if diff := cmp.Diff(retry, task.Retry); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]asl.Choice{{Next: "M", Condition: `{"Variable":"$.a","IsNull":true}`}}, machine.States[1].Choices); diff != "" {
		t.Error(diff)
	}
	if id, ok := asl.ParseResource(task.Resource).ActionID(); !ok || id != "iam:Quarantine" {
		t.Errorf("action is %q, %v", id, ok)
	}
}

func TestParseResource(t *testing.T) {
	tests := []struct {
		resource string
		want     asl.Resource
	}{
		{"switchback:notify:Send.waitForTaskToken", asl.Resource{Kind: "switchback", Service: "notify", Action: "Send", Integration: asl.WaitForTaskToken}},
		{"arn:aws-cn:lambda:cn-north-1:111122223333:function:f:live", asl.Resource{Kind: "lambda", Service: "lambda", Action: "f:live", Partition: "aws-cn"}},
		{"arn:aws:states:::aws-sdk:s3:getObject", asl.Resource{Kind: "integration", Service: "aws-sdk:s3", Action: "getObject", Partition: "aws"}},
		{"arn:aws:states:::states:startExecution.sync:2", asl.Resource{Kind: "integration", Service: "states", Action: "startExecution", Integration: asl.RunJobV2, Partition: "aws"}},
		{"arn:aws:states:eu-west-1:111122223333:activity:a", asl.Resource{Kind: "activity", Service: "states", Action: "a", Partition: "aws"}},
		{"${F}", asl.Resource{Kind: "placeholder"}},
		{"foo:bar", asl.Resource{Kind: "other"}},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, asl.ParseResource(test.resource)); diff != "" {
			t.Errorf("%s: %s", test.resource, diff)
		}
	}
}

// FuzzDefinition reads anything as a definition. What Check finds no fault with must compile, and run to an end or to a
// wait without harm.
func FuzzDefinition(f *testing.F) {
	for _, group := range [][]scenario{retryScenarios, taskScenarios, groupScenarios, flowScenarios} {
		for _, s := range group {
			f.Add(s.definition, s.input)
		}
	}
	f.Fuzz(func(t *testing.T, definition, input string) {
		problems := asl.Check([]byte(definition), asl.CheckOptions{})
		if _, err := asl.Parse([]byte(definition)); err != nil {
			if !asl.HasErrors(problems) {
				t.Fatalf("Parse refuses what Check accepts: %v", err)
			}
			return
		}
		machine, err := asl.Compile([]byte(definition), asl.Options{})
		unsupported := slices.ContainsFunc(problems, func(p asl.Problem) bool { return p.Code == asl.CodeUnsupported })
		if err != nil {
			if !asl.HasErrors(problems) && !unsupported && !strings.Contains(definition, "JSONata") {
				t.Fatalf("Compile refuses what Check accepts: %v", err)
			}
			return
		}
		runWhileBusy(t, machine, input)
	})
}

func runWhileBusy(t *testing.T, machine *asl.Machine, input string) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	run, effects, err := machine.Start(asl.ExecutionInfo{ID: "e"}, []byte(input), now)
	for range 30 {
		if err != nil || run.Status() != asl.Running {
			return
		}
		if len(effects.Tasks) > 0 {
			effects, err = machine.TaskSucceeded(run, effects.Tasks[0].ID, effects.Tasks[0].Parameters, now)
			continue
		}
		wake := run.Wake()
		if wake.IsZero() && len(run.Pending()) == 0 {
			t.Fatalf("waits for nothing in %v", run.Current())
		}
		if wake.After(now) {
			now = wake
		}
		effects, err = machine.Tick(run, now)
	}
}
