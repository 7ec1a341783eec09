// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
)

// dying is a store whose process dies at one commit, before or after it is durable: from then on it answers nothing.
type dying struct {
	engine.Store
	mu      sync.Mutex
	left    int // commits until then
	isAfter bool
	isDead  bool
	dead    chan struct{}
	commits int
}

// newDying makes a store that dies at commit at, never when that is 0.
func newDying(s engine.Store, at int, isAfter bool) *dying {
	return &dying{Store: s, left: at, isAfter: isAfter, dead: make(chan struct{})}
}

var errDead = errors.New("the process is dead")

func (d *dying) Commit(ctx context.Context, c engine.Change) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isDead {
		return errDead
	}
	d.commits++
	d.left--
	if d.left != 0 {
		return d.Store.Commit(ctx, c)
	}
	d.isDead = true
	defer close(d.dead)
	if d.isAfter {
		return errors.Join(d.Store.Commit(ctx, c), errDead)
	}
	return errDead
}

func (d *dying) Load(ctx context.Context, name string) (engine.Row, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isDead {
		return engine.Row{}, errDead
	}
	return d.Store.Load(ctx, name)
}

// Abandon: a dead process gives nothing up. Its lease has to run out.
func (d *dying) Abandon(ctx context.Context, l engine.Lease, now time.Time) (bool, error) {
	if d.isOver() {
		return false, errDead
	}
	return d.Store.Abandon(ctx, l, now)
}

func (d *dying) isOver() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.isDead
}

// restartable are machines with one of each thing that may be interrupted.
var restartable = map[string]string{
	"chain": chain(3),
	"retry": machine("A", task("A", `"Retry":[{"ErrorEquals":["Odd"],"IntervalSeconds":5,"MaxAttempts":3}],"ResultPath":"$.a","Next":"B"`), task("B", `"End":true`)),
	"catch": machine("A", task("A", `"Catch":[{"ErrorEquals":["Odd"],"Next":"B"}],"Next":"B"`), task("B", `"End":true`)),
	"wait":  machine("A", task("A", `"Next":"W"`), `"W":{"Type":"Wait","Seconds":3600,"Next":"B"}`, task("B", `"End":true`)),
	"parallel": machine("P", `"P":{"Type":"Parallel","Branches":[`+
		machine("A", task("A", `"Next":"A2"`), task("A2", `"End":true`))+","+
		machine("B", `"B":{"Type":"Wait","Seconds":10,"Next":"B2"}`, task("B2", `"End":true`))+`],"Next":"C"}`, task("C", `"End":true`)),
	"map": machine("M", `"M":{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":2,"ItemProcessor":`+
		machine("A", task("A", `"Next":"N"`), `"N":{"Type":"Map","ItemsPath":"$.in.list","ItemProcessor":`+machine("B", task("B", `"End":true`))+`,"End":true}`)+
		`,"End":true}`),
	"token": asking,
	"heartbeat": machine("A", `"A":{"Type":"Task","Resource":"switchback:test:Ask.waitForTaskToken","HeartbeatSeconds":600,`+
		`"Parameters":{"token.$":"$$.Task.Token"},"Catch":[{"ErrorEquals":["States.HeartbeatTimeout"],"ResultPath":"$.silent","Next":"B"}],"Next":"C"}`,
		task("B", `"End":true`), task("C", `"End":true`)),
}

const restartInput = `{"items":[{"list":[1,2]},{"list":[]},{"list":[3]}]}`

// answering works on tasks and answers questions. The first attempt of "A" fails where the machine expects it.
func (s *session) answering(_ context.Context, t engine.Task) (json.RawMessage, error) {
	if t.Token != "" && s.isSilent {
		return t.Parameters, nil
	}
	if t.Token != "" {
		s.mu.Lock()
		s.tokens[t.Visit] = t.Token
		s.mu.Unlock()
		return t.Parameters, nil
	}
	if t.State == "A" && t.Attempt == 1 && s.fails {
		return nil, asl.Error{Name: "Odd", Cause: "first attempt"}
	}
	return t.Parameters, nil
}

// session is an execution over several processes.
type session struct {
	machine, name string
	fails         bool
	isSilent      bool // nobody answers questions
	clock         *clock

	mu     sync.Mutex
	tokens map[string]string // open questions by visit
}

// live is one process: it works until the execution has ended or the process is dead, and reports which.
func (s *session) live(t *testing.T, store *dying) (isEnded bool) {
	t.Helper()
	e, err := engine.Open(t.Context(), store, map[string][]byte{"m": []byte(s.machine)}, s.answering, engine.Options{Clock: s.clock.Now, Workers: 4})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err = e.Start(ctx, engine.StartRequest{Machine: "m", Name: s.name, Input: json.RawMessage(restartInput)})
	for err == nil && !store.isOver() {
		next, err := s.round(ctx, e, store)
		if err != nil {
			break
		}
		if x, err := e.Describe(ctx, s.name); err == nil && x.Status != asl.Running {
			return true
		}
		if !next.IsZero() && !s.answer(ctx, e) && !store.isOver() {
			s.clock.set(next)
		}
	}
	if err != nil && !errors.Is(err, errDead) {
		t.Fatal(err)
	}
	return false
}

// round is RunDue, which for a dead process never returns: its workers try for ever to commit.
func (s *session) round(ctx context.Context, e *engine.Engine, store *dying) (next time.Time, err error) {
	type result struct {
		next time.Time
		err  error
	}
	done := make(chan result, 1)
	go func() {
		next, err := e.RunDue(ctx)
		done <- result{next, err}
	}()
	select {
	case r := <-done:
		return r.next, r.err
	case <-store.dead:
		return time.Time{}, errDead
	}
}

func (s *session) answer(ctx context.Context, e *engine.Engine) (isAnswered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for visit, token := range s.tokens {
		err := e.SendTaskSuccess(ctx, token, json.RawMessage(`"yes"`))
		if err == nil || errors.Is(err, asl.ErrNoTask) {
			delete(s.tokens, visit)
			isAnswered = true
		}
	}
	return isAnswered
}

// TestRestartAtEveryCommit lets the process die at every commit, before and after it is durable, and compares the end
// with an undisturbed run.
func TestRestartAtEveryCommit(t *testing.T) {
	for name, definition := range restartable {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := openDB(t, fresh(t)).Executions()
			begin := func(run string) *session {
				return &session{
					machine: definition, name: run, fails: name == "retry" || name == "catch", isSilent: name == "heartbeat",
					clock: &clock{now: noon}, tokens: map[string]string{},
				}
			}
			whole, store := begin("whole"), newDying(db, 0, false)
			if !whole.live(t, store) {
				t.Fatal("the undisturbed run did not end")
			}
			want, wantTypes := ending(t, db, "whole")
			if want.Status != asl.Succeeded || store.commits < 4 {
				t.Fatalf("the undisturbed run took %d commits and is %s: %s %s", store.commits, want.Status, want.Error, want.Cause)
			}
			for at := 1; at <= store.commits; at++ {
				for _, isAfter := range []bool{false, true} {
					run := fmt.Sprintf("killed at commit %d, after it %v", at, isAfter)
					s := begin(run)
					if !s.live(t, newDying(db, at, isAfter)) {
						s.clock.advance(time.Minute) // the lease of the dead is over
						if !s.live(t, newDying(db, 0, false)) {
							t.Fatalf("%s: it did not end", run)
						}
					}
					got, gotTypes := ending(t, db, run)
					if got.Status != want.Status || string(got.Output) != string(want.Output) {
						t.Errorf("%s: %s %s, want %s %s", run, got.Status, got.Output, want.Status, want.Output)
					}
					if diff := cmp.Diff(wantTypes, gotTypes); diff != "" {
						t.Errorf("%s: history differs: %s", run, diff)
					}
				}
			}
		})
	}
}

// ending reads the execution and how often each type of event is in its history.
func ending(t *testing.T, store engine.Store, name string) (engine.Execution, map[string]int) {
	t.Helper()
	row, err := store.Load(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	history, err := store.History(t.Context(), name, 0, asl.MaxEvents)
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]int{}
	for i, e := range history {
		types[e.Type]++
		if e.ID != int64(i+1) {
			t.Errorf("event %d has id %d", i+1, e.ID)
		}
	}
	return row.Execution, types
}

// faulty is a store that fails some commits for a while, as with a full disk.
type faulty struct {
	engine.Store
	mu    sync.Mutex
	count int
	fails func(n int) bool
}

func (f *faulty) Commit(ctx context.Context, c engine.Change) error {
	f.mu.Lock()
	f.count++
	isFailing := f.fails(f.count)
	f.mu.Unlock()
	if isFailing {
		return errors.New("disk is full")
	}
	return f.Store.Commit(ctx, c)
}

func TestResultOfTaskSurvivesFullDisk(t *testing.T) {
	var mu sync.Mutex
	done := map[string]int{}
	store := &faulty{Store: openDB(t, fresh(t)).Executions(), fails: func(n int) bool { return n%3 == 0 }}
	e, err := engine.Open(t.Context(), store, map[string][]byte{"m": []byte(chain(3))}, func(_ context.Context, task engine.Task) (json.RawMessage, error) {
		mu.Lock()
		defer mu.Unlock()
		done[task.ID]++
		return task.Parameters, nil
	}, engine.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if _, err := e.Start(t.Context(), engine.StartRequest{Machine: "m", Name: "x", Input: json.RawMessage(`{}`)}); err != nil {
		t.Fatal(err)
	}
	for range 3 { // an execution that could not be taken up is reported, and taken up the next time
		_, err = e.RunDue(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	wantEnd(t, e, "x", asl.Succeeded, `{}`)
	for id, n := range done {
		if n != 1 {
			t.Errorf("task %s was done %d times", id, n)
		}
	}
}

// counter is a handler that counts how often each task was handed out.
type counter struct {
	mu    sync.Mutex
	tasks map[string]int
}

func (c *counter) work(_ context.Context, t engine.Task) (json.RawMessage, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tasks[t.ExecutionName+" "+t.ID]++
	return t.Parameters, nil
}

// TestTwoEnginesNeverRunTheSame starts executions in two engines on one database, and looks that each task was handed
// out once.
func TestTwoEnginesNeverRunTheSame(t *testing.T) {
	const executions = 200
	path := fresh(t)
	count := &counter{tasks: map[string]int{}}
	var ended sync.WaitGroup
	ended.Add(executions)
	o := engine.Options{Clock: time.Now, Workers: 8, Ended: func(context.Context, engine.Execution) error { ended.Done(); return nil }}
	one, two := newWorld(t, path, chain(5), count.work, o), newWorld(t, path, chain(5), count.work, o)
	stopOne, stopTwo := running(t, one.Engine), running(t, two.Engine)
	var wait sync.WaitGroup
	for n := range executions {
		wait.Go(func() { []*world{one, two}[n%2].start(t, fmt.Sprint("x", n/2*2+n%2), `{}`) })
		// The same start in both engines.
		wait.Go(func() { []*world{two, one}[n%2].start(t, fmt.Sprint("x", n/2*2+n%2), `{}`) })
	}
	wait.Wait()
	ended.Wait()
	stopOne()
	stopTwo()
	if len(count.tasks) != 5*executions {
		t.Errorf("%d tasks, want %d", len(count.tasks), 5*executions)
	}
	for task, n := range count.tasks {
		if n != 1 {
			t.Errorf("task %s was handed out %d times", task, n)
		}
	}
	for n := range executions {
		wantEnd(t, one.Engine, fmt.Sprint("x", n), asl.Succeeded, `{}`)
	}
}

// TestLeaseOfStuckEngineIsTakenOver has an engine whose process hangs: its lease runs out, another takes over, and what
// the first says in the end has no effect.
func TestLeaseOfStuckEngineIsTakenOver(t *testing.T) {
	path := fresh(t)
	started, goOn := make(chan bool), make(chan bool)
	stuck := newWorld(t, path, chain(2), func(_ context.Context, task engine.Task) (json.RawMessage, error) {
		started <- true
		<-goOn
		return json.RawMessage(`{"in":"late"}`), nil
	}, engine.Options{})
	stuck.start(t, "x", `{}`)
	var wait sync.WaitGroup
	wait.Go(func() { stuck.runDue(t) })
	<-started

	other := newWorld(t, path, chain(2), nil, engine.Options{Clock: stuck.clock.Now})
	other.runDue(t)
	if got := other.log.all(); len(got) != 0 {
		t.Errorf("before the lease is over: %v", got)
	}
	stuck.clock.advance(time.Minute)
	if err := other.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := other.RunDue(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantEnd(t, other.Engine, "x", asl.Succeeded, `{}`)
	close(goOn)
	wait.Wait()
	wantEnd(t, stuck.Engine, "x", asl.Succeeded, `{}`)
	if got := strings.Join(other.log.all(), ", "); got != "x S1, x S2" {
		t.Errorf("the second engine did %s", got)
	}
}

func TestClosedEngineGivesUpAtOnce(t *testing.T) {
	path := fresh(t)
	started := make(chan bool, 1)
	first := newWorld(t, path, chain(1), func(ctx context.Context, _ engine.Task) (json.RawMessage, error) {
		started <- true
		<-ctx.Done()
		return nil, ctx.Err()
	}, engine.Options{})
	first.start(t, "x", `{}`)
	stop := running(t, first.Engine)
	<-started
	second := newWorld(t, path, chain(1), nil, engine.Options{})
	first.Close()
	stop()
	second.runDue(t)
	wantEnd(t, second.Engine, "x", asl.Succeeded, `{}`)
}
