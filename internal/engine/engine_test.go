// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/sqlite"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

// clock is simulated time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *clock) advance(d time.Duration) { c.set(c.Now().Add(d)) }

func openDB(t testing.TB, path string) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func fresh(t testing.TB) string { return filepath.Join(t.TempDir(), "db") }

// world is one engine on a database in simulated time.
type world struct {
	*engine.Engine
	clock *clock
	db    *sqlite.DB
	path  string
	log   *journal
}

// journal is what handlers did, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) all() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Clone(j.lines)
}

// work answers every task with its parameters and writes it down.
func (w *world) work(_ context.Context, t engine.Task) (json.RawMessage, error) {
	w.log.add("%s %s", t.ExecutionName, t.State)
	return t.Parameters, nil
}

// newWorld opens an engine with one machine, "m". A nil handler is work.
func newWorld(t testing.TB, path, machine string, handler engine.Handler, o engine.Options) *world {
	t.Helper()
	w := &world{clock: &clock{now: noon}, db: openDB(t, path), path: path, log: &journal{}}
	if o.Clock == nil {
		o.Clock = w.clock.Now
	}
	if handler == nil {
		handler = w.work
	}
	var err error
	w.Engine, err = engine.Open(t.Context(), w.db.Executions(), map[string][]byte{"m": []byte(machine)}, handler, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func (w *world) start(t testing.TB, name, input string) engine.Execution {
	t.Helper()
	x, err := w.Start(t.Context(), engine.StartRequest{Machine: "m", Name: name, Input: json.RawMessage(input)})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func (w *world) runDue(t testing.TB) time.Time {
	t.Helper()
	next, err := w.RunDue(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return next
}

// runOut lets simulated time pass until nothing is due any more.
func (w *world) runOut(t testing.TB) {
	t.Helper()
	for next := w.runDue(t); !next.IsZero(); next = w.runDue(t) {
		w.clock.set(next)
	}
}

// wantEnd checks status and output, or error and cause, of an execution.
func wantEnd(t testing.TB, e *engine.Engine, name string, status asl.Status, result string) {
	t.Helper()
	x, err := e.Describe(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	got := string(x.Output)
	if x.Status != asl.Succeeded {
		got = x.Error + ": " + x.Cause
	}
	if x.Status != status || got != result {
		t.Errorf("execution %s is %s with %s, want %s with %s", name, x.Status, got, status, result)
	}
}

// task is a Task state; more are members to add.
func task(name, more string) string {
	return fmt.Sprintf(`"%s":{"Type":"Task","Resource":"switchback:test:Work","Parameters":{"in.$":"$"},%s}`, name, more)
}

func machine(first string, states ...string) string {
	return fmt.Sprintf(`{"StartAt":"%s","States":{%s}}`, first, strings.Join(states, ","))
}

// chain is a machine of n Task states that pass on their input.
func chain(n int) string {
	var states []string
	for i := 1; i < n; i++ {
		states = append(states, task(fmt.Sprint("S", i), fmt.Sprintf(`"OutputPath":"$.in","Next":"S%d"`, i+1)))
	}
	return machine("S1", append(states, task(fmt.Sprint("S", n), `"OutputPath":"$.in","End":true`))...)
}

func TestExecutionRunsToItsEnd(t *testing.T) {
	var observed []string
	w := newWorld(t, fresh(t), chain(3), nil, engine.Options{
		Observe: func(x engine.Execution, events []asl.Event) {
			for _, e := range events {
				observed = append(observed, e.Type)
			}
		},
	})
	if x := w.start(t, "x", `{"a":1}`); x.Status != asl.Running {
		t.Errorf("started as %s", x.Status)
	}
	if next := w.runDue(t); !next.IsZero() {
		t.Errorf("something is due at %s", next)
	}
	wantEnd(t, w.Engine, "x", asl.Succeeded, `{"a":1}`)
	if diff := cmp.Diff([]string{"x S1", "x S2", "x S3"}, w.log.all()); diff != "" {
		t.Error(diff)
	}
	history, err := w.History(t.Context(), "x", 0, 100)
	if err != nil {
		t.Fatal(err)
	}
	var types []string
	for i, e := range history {
		types = append(types, e.Type)
		if e.ID != int64(i+1) {
			t.Errorf("event %d has id %d", i+1, e.ID)
		}
	}
	if diff := cmp.Diff(observed, types); diff != "" || len(types) < 14 {
		t.Errorf("history of %d events differs from what was observed: %s", len(types), diff)
	}
}

func TestStartIsIdempotent(t *testing.T) {
	w := newWorld(t, fresh(t), chain(1), nil, engine.Options{})
	first := w.start(t, "x", `{"a": 1}`)
	again := w.start(t, "x", `{"a":1}`)
	if again.StartedAt != first.StartedAt {
		t.Error("a second start made a second execution")
	}
	w.runDue(t)
	if x := w.start(t, "x", `{"a":1}`); x.Status != asl.Succeeded {
		t.Errorf("started again after its end it is %s", x.Status)
	}
	w.runDue(t)
	if got := w.log.all(); len(got) != 1 {
		t.Errorf("tasks done: %v, want one", got)
	}
	for name, test := range map[string]struct {
		request engine.StartRequest
		want    error
	}{
		"other input":     {engine.StartRequest{Machine: "m", Name: "x", Input: json.RawMessage(`{"a":2}`)}, engine.ErrExists},
		"unknown machine": {engine.StartRequest{Machine: "none", Name: "y", Input: json.RawMessage(`{}`)}, engine.ErrNoMachine},
		"no input":        {engine.StartRequest{Machine: "m", Name: "y", Input: json.RawMessage(`{`)}, asl.ErrInvalidInput},
		"huge input":      {engine.StartRequest{Machine: "m", Name: "y", Input: json.RawMessage(`"` + strings.Repeat("x", 10<<20) + `"`)}, asl.ErrInvalidInput},
	} {
		if _, err := w.Start(t.Context(), test.request); !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", name, err, test.want)
		}
	}
}

func TestFailuresKeepTheirNames(t *testing.T) {
	for name, test := range map[string]struct {
		err  error
		want string
	}{
		"named":   {asl.Error{Name: "CloudTrail.TrailNotFoundException", Cause: "gone"}, "CloudTrail.TrailNotFoundException: gone"},
		"wrapped": {fmt.Errorf("start: %w", &asl.Error{Name: "A.B", Cause: "c"}), "A.B: c"},
		"other":   {errors.New("no route"), engine.ErrorOther + ": no route"},
	} {
		w := newWorld(t, fresh(t), chain(1), func(context.Context, engine.Task) (json.RawMessage, error) { return nil, test.err }, engine.Options{})
		w.start(t, name, `{}`)
		w.runDue(t)
		wantEnd(t, w.Engine, name, asl.Failed, test.want)
	}
	w := newWorld(t, fresh(t), chain(1), func(context.Context, engine.Task) (json.RawMessage, error) { return json.RawMessage(`{`), nil }, engine.Options{})
	w.start(t, "x", `{}`)
	w.runDue(t)
	if x, err := w.Describe(t.Context(), "x"); err != nil || x.Status != asl.Failed || x.Error != engine.ErrorOther {
		t.Errorf("a handler that returns no JSON: %s %s, %v", x.Status, x.Error, err)
	}
}

func TestVisitIsEqualForAllAttempts(t *testing.T) {
	var visits, ids []string
	w := newWorld(t, fresh(t), machine("A", task("A", `"Retry":[{"ErrorEquals":["States.ALL"],"MaxAttempts":2}],"End":true`)),
		func(_ context.Context, task engine.Task) (json.RawMessage, error) {
			visits, ids = append(visits, task.Visit), append(ids, task.ID)
			if task.Attempt < 3 {
				return nil, errors.New("not yet")
			}
			return json.RawMessage(`{}`), nil
		}, engine.Options{})
	w.start(t, "x", `{"State":{"EnteredTime":"hostile"}}`)
	w.runOut(t)
	wantEnd(t, w.Engine, "x", asl.Succeeded, `{}`)
	want := "x/A/2/2026-05-04T12:00:00Z"
	if diff := cmp.Diff([]string{want, want, want}, visits); diff != "" {
		t.Error(diff)
	}
	if len(slices.Compact(ids)) != 3 {
		t.Errorf("attempts have ids %v", ids)
	}
}

// Iterations enter a state at the same moment; what they do must not be taken for one and the same.
func TestVisitsOfIterationsDiffer(t *testing.T) {
	for _, mode := range []string{"INLINE", "DISTRIBUTED"} {
		var mu sync.Mutex
		visits := map[string]bool{}
		definition := fmt.Sprintf(`{"StartAt":"M","States":{"M":{"Type":"Map","End":true,"ItemProcessor":{
			"ProcessorConfig":{"Mode":%q,"ExecutionType":"STANDARD"},
			"StartAt":"A","States":{"A":{"Type":"Task","Resource":"switchback:x:Y","Parameters":{},"End":true}}}}}}`, mode)
		if mode == "INLINE" {
			definition = strings.Replace(definition, `,"ExecutionType":"STANDARD"`, "", 1)
		}
		w := newWorld(t, fresh(t), definition, func(_ context.Context, task engine.Task) (json.RawMessage, error) {
			mu.Lock()
			defer mu.Unlock()
			visits[task.Visit] = true
			return json.RawMessage(`{}`), nil
		}, engine.Options{})
		w.start(t, "x", `[1,2,3]`)
		w.runOut(t)
		if len(visits) != 3 {
			t.Errorf("%s: visits %v, want 3 of them", mode, visits)
		}
	}
}

func TestStopEndsExecutionAndCancelsItsTask(t *testing.T) {
	started, cancelled := make(chan bool), make(chan bool)
	w := newWorld(t, fresh(t), chain(1), func(ctx context.Context, _ engine.Task) (json.RawMessage, error) {
		started <- true
		<-ctx.Done()
		close(cancelled)
		return json.RawMessage(`{}`), nil
	}, engine.Options{})
	w.start(t, "x", `{}`)
	var wait sync.WaitGroup
	wait.Go(func() { w.runDue(t) })
	<-started
	for range 2 {
		if err := w.Stop(t.Context(), "x", asl.Error{Name: "Stopped", Cause: "by alice"}); err != nil {
			t.Fatal(err)
		}
	}
	<-cancelled
	wait.Wait()
	wantEnd(t, w.Engine, "x", asl.Aborted, "Stopped: by alice")
	if err := w.Stop(t.Context(), "none", asl.Error{}); err == nil {
		t.Error("an unknown execution was stopped")
	}
}

func TestEndlessLoopIsBounded(t *testing.T) {
	w := newWorld(t, fresh(t), `{"StartAt":"A","States":{
		"A":{"Type":"Pass","Next":"B"},
		"B":{"Type":"Choice","Choices":[{"Variable":"$.end","IsPresent":true,"Next":"C"}],"Default":"A"},
		"C":{"Type":"Succeed"}}}`, nil, engine.Options{})
	w.start(t, "x", `{}`)
	w.runOut(t)
	if x, err := w.Describe(t.Context(), "x"); err != nil || x.Status != asl.Failed || x.Error != asl.ErrorRuntime {
		t.Errorf("ended as %s with %s, %v", x.Status, x.Error, err)
	}
	events, err := w.History(t.Context(), "x", 0, 2*asl.MaxEvents)
	if err != nil || len(events) > asl.MaxEvents {
		t.Errorf("%d events, %v", len(events), err)
	}
}

func TestRunningExecutionKeepsItsDefinition(t *testing.T) {
	path := fresh(t)
	const wait = `"W":{"Type":"Wait","Seconds":60,"Next":"P"}`
	first := newWorld(t, path, machine("W", wait, `"P":{"Type":"Pass","Result":"first","End":true}`), nil, engine.Options{})
	first.start(t, "old", `{}`)
	first.runDue(t)
	first.Close()
	second := newWorld(t, path, machine("W", wait, `"P":{"Type":"Pass","Result":"second","End":true}`), nil, engine.Options{})
	second.start(t, "new", `{}`)
	second.runOut(t)
	wantEnd(t, second.Engine, "old", asl.Succeeded, `"first"`)
	wantEnd(t, second.Engine, "new", asl.Succeeded, `"second"`)
}

func TestInvalidDefinitionIsRefused(t *testing.T) {
	db := openDB(t, fresh(t))
	_, err := engine.Open(t.Context(), db.Executions(), map[string][]byte{"bad": []byte(`{"StartAt":"A","States":{}}`)}, nil, engine.Options{})
	if err == nil || !strings.Contains(err.Error(), "bad") {
		t.Errorf("error %v, want one that names the machine", err)
	}
}

func TestEndedIsTold(t *testing.T) {
	var told []string
	w := newWorld(t, fresh(t), chain(1), nil, engine.Options{
		Workers: 1,
		Ended: func(_ context.Context, x engine.Execution) error {
			told = append(told, x.Name+" "+string(x.Status))
			return nil
		},
	})
	w.start(t, "x", `{}`)
	w.runDue(t)
	if diff := cmp.Diff([]string{"x SUCCEEDED"}, told); diff != "" {
		t.Error(diff)
	}
}

func TestObserverSeesOnlyWhatIsDurable(t *testing.T) {
	path := fresh(t)
	other := openDB(t, path)
	w := newWorld(t, path, chain(3), nil, engine.Options{Observe: func(x engine.Execution, events []asl.Event) {
		history, err := other.Executions().History(t.Context(), x.Name, 0, 100)
		if err != nil || len(history) == 0 || history[len(history)-1].ID != events[len(events)-1].ID {
			t.Errorf("event %d was seen, of %d that are durable, %v", events[len(events)-1].ID, len(history), err)
		}
	}})
	w.start(t, "x", `{}`)
	w.runDue(t)
	wantEnd(t, w.Engine, "x", asl.Succeeded, `{}`)
}

func TestOneWorkerWorksInOrder(t *testing.T) {
	w := newWorld(t, fresh(t), chain(2), nil, engine.Options{Workers: 1})
	var want []string
	for n := range 20 {
		w.start(t, fmt.Sprintf("x%02d", n), `{}`)
		w.clock.advance(time.Millisecond)
		want = append(want, fmt.Sprintf("x%02d S1", n))
	}
	w.runDue(t)
	var got []string
	for _, line := range w.log.all() {
		if strings.HasSuffix(line, "S1") {
			got = append(got, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
