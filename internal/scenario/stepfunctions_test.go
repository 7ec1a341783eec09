// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
)

// pollSeconds replaces the minute between two looks of the stage's runbooks: moto waits in real time.
const pollSeconds = 1

// ending is how an execution ended: what must be the same wherever it ran.
type ending struct {
	Status string
	// Entered are the states in the order in which they were entered first.
	Entered []string
	Output  map[string]any
}

// Exported runbooks are executed by a third party's Step Functions, the function behind their tasks being our responder:
// they end as they do in the embedded engine.
func TestExportedOnStepFunctions(t *testing.T) {
	if testing.Short() {
		t.Skip("moto takes real time")
	}
	function := newFunction(t)
	for _, test := range []struct {
		story   string
		atLeast []string
	}{
		{"harmless-change-is-recorded", []string{"Harmless", "GatherHarmless", "WriteReport"}},
		{"denied-responder-says-who-can", []string{"StartLogging", "Gather", "TellSecurity", "WriteReport"}},
		{"stopped-trail-restarts", []string{"StartLogging", "ProveAccepted", "TellPerson", "ProveDelivering", "WriteReport"}},
	} {
		t.Run(test.story, func(t *testing.T) {
			here := embedded(t, test.story)
			for _, state := range test.atLeast {
				if !slices.Contains(here.Entered, state) {
					t.Errorf("the embedded engine does not enter %s: %v", state, here.Entered)
				}
			}
			if diff := cmp.Diff(here, function.exported(t, test.story)); diff != "" {
				t.Errorf("-embedded +Step Functions:\n%s", diff)
			}
		})
	}
}

// embedded plays a story to its end in the embedded engine.
func embedded(t *testing.T, name string) ending {
	t.Helper()
	s, _ := bookOf(t, name)
	st, story := staged(t, s, builtIn(t))
	if err := st.play(t.Context(), story); err != nil {
		t.Fatal(err)
	}
	run := firstRun(t, st)
	x, err := st.system.Engine.Describe(t.Context(), run.Execution)
	if err != nil {
		t.Fatal(err)
	}
	history, err := st.db.Executions().History(t.Context(), run.Execution, 0, asl.MaxEvents)
	if err != nil {
		t.Fatal(err)
	}
	var entered []string
	for _, e := range history {
		if strings.HasSuffix(string(e.Type), "StateEntered") && !slices.Contains(entered, e.State) {
			entered = append(entered, e.State)
		}
	}
	return ending{string(x.Status), entered, outputOf(t, x.Output)}
}

// staged builds the world of a story.
func staged(t *testing.T, s Scenario, books []*runbook.Runbook) (*stage, Story) {
	t.Helper()
	place := Places()[0]
	story, err := s.in(place)
	if err != nil {
		t.Fatal(err)
	}
	st, err := build(t.Context(), t.TempDir(), story, Options{Runbooks: books, Place: place})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.close(context.WithoutCancel(t.Context())) })
	return st, story
}

func bookOf(t *testing.T, name string) (Scenario, *runbook.Runbook) {
	t.Helper()
	for _, book := range builtIn(t) {
		if text, ok := book.Scenarios[name]; ok {
			s, err := Parse(name, text)
			if err != nil {
				t.Fatal(err)
			}
			return s, book
		}
	}
	t.Fatalf("no scenario %s", name)
	return Scenario{}, nil
}

func firstRun(t *testing.T, st *stage) incident.Run {
	t.Helper()
	list, err := st.system.Services.Store.List(t.Context(), incident.Filter{Limit: 1})
	if err != nil || len(list) == 0 || len(list[0].Runs) == 0 {
		t.Fatalf("no run of an incident in %v, %v", list, err)
	}
	return list[0].Runs[0]
}

// function is what moto invokes for every action: it hands the call to the responder of the stage at work.
type function struct {
	machines *sfn.Client
	arn      string

	mu      sync.Mutex
	st      *stage
	input   json.RawMessage
	visited map[string]int
	failure error
}

const functionRole = "arn:aws:iam::123456789012:role/r"

func newFunction(t *testing.T) *function {
	t.Helper()
	f := &function{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	t.Setenv("MOTO_LAMBDA_URL", server.URL)
	gatetest.StartMoto(t)
	cfg := gatetest.MotoConfig(t, "123456789012", "eu-west-1") // the account of keys that moto did not issue
	if _, err := iam.NewFromConfig(cfg).CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: aws.String("{}")}); err != nil {
		t.Fatal(err)
	}
	made, err := lambda.NewFromConfig(cfg).CreateFunction(t.Context(), &lambda.CreateFunctionInput{
		FunctionName: aws.String("switchback"), Runtime: lambdatypes.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Role: aws.String(functionRole), Code: &lambdatypes.FunctionCode{ZipFile: []byte("PK\x05\x06" + strings.Repeat("\x00", 18))},
	})
	if err != nil {
		t.Fatal(err)
	}
	f.machines, f.arn = sfn.NewFromConfig(cfg), aws.ToString(made.FunctionArn)
	return f
}

// exported plays a story up to the incident, and has Step Functions execute its runbook.
func (f *function) exported(t *testing.T, name string) ending {
	t.Helper()
	s, book := bookOf(t, name)
	definition, err := book.Export(f.arn)
	if err != nil {
		t.Fatal(err)
	}
	st, story := staged(t, s, []*runbook.Runbook{book})
	run := incidentOf(t, st, story)
	f.st, f.input, f.visited, f.failure = st, hurried(t, run.Input), map[string]int{}, nil
	machine, err := f.machines.CreateStateMachine(t.Context(), &sfn.CreateStateMachineInput{
		Name: aws.String(name), Definition: aws.String(string(definition)), RoleArn: aws.String(functionRole),
	})
	if err != nil {
		t.Fatal(err)
	}
	x, err := f.machines.StartExecution(t.Context(), &sfn.StartExecutionInput{
		StateMachineArn: machine.StateMachineArn, Name: &run.Execution, Input: aws.String(string(f.input)),
	})
	if err != nil {
		t.Fatal(err)
	}
	return f.ended(t, x.ExecutionArn)
}

// incidentOf plays a story up to its incident, which no engine works on, and returns the run that was reserved for it.
func incidentOf(t *testing.T, st *stage, story Story) incident.Run {
	t.Helper()
	for _, step := range story.Steps {
		if step.Answer != "" {
			break
		}
		st.clock.set(st.begin.Add(time.Duration(step.At)))
		if err := st.do(t.Context(), step); err != nil {
			t.Fatal(err)
		}
	}
	for end := st.clock.Now().Add(time.Hour); st.clock.Now().Before(end); st.clock.set(st.clock.Now().Add(time.Second)) {
		st.sandbox.Deliver()
		if _, err := st.source.Poll(t.Context(), 0, st.handle); err != nil {
			t.Fatal(err)
		}
		if list, err := st.system.Services.Store.List(t.Context(), incident.Filter{Limit: 1}); err != nil || len(list) > 0 {
			break
		}
	}
	return firstRun(t, st)
}

// hurried is a run's input with short pauses.
func hurried(t *testing.T, input json.RawMessage) json.RawMessage {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal(input, &all); err != nil {
		t.Fatal(err)
	}
	if all["poll_seconds"] == nil {
		t.Fatalf("the run's input has no poll_seconds: %s", input)
	}
	all["poll_seconds"] = pollSeconds
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// ended waits for the end of an execution.
func (f *function) ended(t *testing.T, execution *string) ending {
	t.Helper()
	for tick := time.Tick(50 * time.Millisecond); ; <-tick {
		x, err := f.machines.DescribeExecution(t.Context(), &sfn.DescribeExecutionInput{ExecutionArn: execution})
		if err != nil {
			t.Fatal(err)
		}
		if x.Status == types.ExecutionStatusRunning {
			continue
		}
		if f.failure != nil || x.Error != nil {
			t.Errorf("the function failed: %v; the execution: %s %s", f.failure, aws.ToString(x.Error), aws.ToString(x.Cause))
		}
		return ending{string(x.Status), f.entered(t, execution), outputOf(t, json.RawMessage(aws.ToString(x.Output)))}
	}
}

func (f *function) entered(t *testing.T, execution *string) []string {
	t.Helper()
	var states []string
	pages := sfn.NewGetExecutionHistoryPaginator(f.machines, &sfn.GetExecutionHistoryInput{ExecutionArn: execution})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Events {
			if d := e.StateEnteredEventDetails; d != nil && !slices.Contains(states, aws.ToString(d.Name)) {
				states = append(states, aws.ToString(d.Name))
			}
		}
	}
	return states
}

// ServeHTTP is the invocation of the function: its input is the action's parameters and the reserved field.
func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	output, err := f.invoke(r)
	if err != nil {
		failure := &asl.Error{Name: "Switchback.Error", Cause: err.Error()}
		errors.As(err, &failure)
		w.Header().Set("X-Amz-Function-Error", "Unhandled")
		output, _ = json.Marshal(map[string]string{"errorType": failure.Name, "errorMessage": failure.Cause})
	}
	if _, err := w.Write(output); err != nil {
		f.failure = errors.Join(f.failure, err)
	}
}

func (f *function) invoke(r *http.Request) (json.RawMessage, error) {
	var parameters map[string]json.RawMessage
	var reserved struct{ Action, Execution, State string }
	if err := json.NewDecoder(r.Body).Decode(&parameters); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(parameters[runbook.ReservedField], &reserved); err != nil {
		return nil, fmt.Errorf("read %s: %w", runbook.ReservedField, err)
	}
	input, err := json.Marshal(parameters)
	if err != nil {
		return nil, err
	}
	if f.visited[reserved.State]++; f.visited[reserved.State] > 1 {
		// What is looked at again had a minute in the embedded engine.
		f.st.clock.set(f.st.clock.Now().Add(time.Minute))
	}
	execution := reserved.Execution[strings.LastIndex(reserved.Execution, ":")+1:]
	object, err := json.Marshal(map[string]any{"Execution": map[string]any{"Id": reserved.Execution, "Input": f.input}})
	if err != nil {
		return nil, err
	}
	return f.st.system.Task(context.WithoutCancel(r.Context()), engine.Task{
		ExecutionName: execution, Visit: fmt.Sprintf("%s/%s/%d", execution, reserved.State, f.visited[reserved.State]),
		TaskRequest: asl.TaskRequest{State: reserved.State, Resource: "switchback:" + reserved.Action, Parameters: input, Context: object},
	})
}

// own matches what no two plays of a story share: moments, ids of events and of incidents.
var own = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{8}-[a-z0-9-]+-[0-9a-f]{8}`)

// outputOf is an execution's output without what no two plays share.
func outputOf(t *testing.T, text json.RawMessage) map[string]any {
	t.Helper()
	var out map[string]any
	if err := json.Unmarshal(own.ReplaceAll(text, []byte("<own>")), &out); err != nil {
		t.Fatalf("read %.200q: %v", text, err)
	}
	out["poll_seconds"] = pollSeconds
	errs, _ := out["errors"].(map[string]any)
	for _, e := range errs {
		delete(e.(map[string]any), "Cause") // of a function: its whole answer
	}
	return out
}

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }
