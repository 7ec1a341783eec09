// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package enginetest is the contract suite of engine.Store: each store runs it in its own tests and must pass all of it.
package enginetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/incident"
)

// Opener returns an empty store, which it closes when the test ends. Reopen must return the same store as another
// process would see it, while the first is still open.
type Opener func(t *testing.T) (first engine.Store, reopen func(t *testing.T) engine.Store)

// Run holds a store against the contract.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*testing.T, Opener){
		"Definitions": testDefinitions, "Commit": testCommit, "CommitEnded": testCommitEnded,
		"CommitConcurrently": testCommitConcurrently, "CreateConcurrently": testCreateConcurrently, "List": testList,
		"History": testHistory, "Due": testDue, "Prune": testPrune, "NameUsedAgain": testNameUsedAgain, "Leases": testLeases,
		"Secret": testSecret,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.UTC)

// row is the first version of an execution.
func row(name string) engine.Row {
	return engine.Row{
		Execution: engine.Execution{
			Name: name, Machine: "cloudtrail-off", Definition: "d1", Status: asl.Running,
			Input: json.RawMessage(`{"a":"<'; --\u0000>"}`), StartedAt: noon,
		},
		Run: []byte(`{"v":1}`), Version: 1,
	}
}

// event is one event of a history.
func event(id int64) asl.Event {
	return asl.Event{
		ID: id, PreviousEventID: id - 1, Timestamp: noon.Add(time.Duration(id)), Type: "TaskStateEntered", State: "Übergang \"1\"",
		Details: json.RawMessage(`{"name":"<x>"}`),
	}
}

func commit(t *testing.T, s engine.Store, r engine.Row, events ...asl.Event) {
	t.Helper()
	must(t, s.Commit(t.Context(), engine.Change{Row: r, Events: events}))
}

func load(t *testing.T, s engine.Store, name string) engine.Row {
	t.Helper()
	r, err := s.Load(t.Context(), name)
	must(t, err)
	return r
}

func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func testDefinitions(t *testing.T, open Opener) {
	s, reopen := open(t)
	for range 2 {
		must(t, s.PutDefinition(t.Context(), "d1", []byte(`{"StartAt": "A"}`)))
	}
	got, err := reopen(t).Definition(t.Context(), "d1")
	must(t, err)
	equal(t, "definition", `{"StartAt": "A"}`, string(got))
	if _, err := s.Definition(t.Context(), "none"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown definition: %v, want ErrNotFound", err)
	}
}

func testCommit(t *testing.T, open Opener) {
	s, reopen := open(t)
	want := row("x")
	want.Wake, want.Owner = noon.Add(time.Minute), "one"
	commit(t, s, want)
	equal(t, "created", want, load(t, reopen(t), "x"))

	want.Version, want.Run, want.Wake, want.Owner = 2, []byte(`{"v":2}`), time.Time{}, ""
	commit(t, reopen(t), want)
	equal(t, "moved", want, load(t, s, "x"))
	want.Version, want.Run = 3, []byte(`{"v":3}`)
	commit(t, s, want)
	equal(t, "moved again, waking and owned as before", want, load(t, s, "x"))

	for name, version := range map[string]int64{"created again": 1, "the same version": 3, "a version ahead": 5} {
		stale := want
		stale.Version, stale.Run = version, []byte(`{"v":"stale"}`)
		err := s.Commit(t.Context(), engine.Change{Row: stale, Events: []asl.Event{event(1)}})
		if !errors.Is(err, incident.ErrConflict) {
			t.Errorf("%s: %v, want ErrConflict", name, err)
		}
	}
	unknown := row("unknown")
	unknown.Version = 2
	if err := s.Commit(t.Context(), engine.Change{Row: unknown}); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("moving an unknown execution: %v, want ErrConflict", err)
	}
	equal(t, "after conflicts", want, load(t, s, "x"))
	history, err := s.History(t.Context(), "x", 0, 10)
	must(t, err)
	equal(t, "history after conflicts", []asl.Event(nil), history)
	if _, err := s.Load(t.Context(), "unknown"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown execution: %v, want ErrNotFound", err)
	}
}

func testCommitEnded(t *testing.T, open Opener) {
	s, reopen := open(t)
	failed := row("failed")
	commit(t, s, failed)
	failed.Status, failed.Run, failed.Version, failed.StoppedAt = asl.Failed, nil, 2, noon.Add(time.Hour)
	failed.Error, failed.Cause = "CloudTrail.TrailNotFoundException", "<no trail>"
	commit(t, s, failed)
	atOnce := row("succeeded")
	atOnce.Status, atOnce.Run, atOnce.StoppedAt, atOnce.Output = asl.Succeeded, nil, noon, json.RawMessage(`{"b":1.50}`)
	commit(t, s, atOnce)
	for _, want := range []engine.Row{failed, atOnce} {
		got := load(t, reopen(t), want.Name)
		equal(t, want.Name, want.Execution, got.Execution)
		if got.Run != nil || !got.Wake.IsZero() || got.Owner != "" {
			t.Errorf("%s has run %s, wake %s and owner %q after its end", want.Name, got.Run, got.Wake, got.Owner)
		}
		for _, version := range []int64{1, 2, 3} {
			again := row(want.Name)
			again.Version = version
			if err := s.Commit(t.Context(), engine.Change{Row: again}); !errors.Is(err, incident.ErrConflict) {
				t.Errorf("version %d of %s after its end: %v, want ErrConflict", version, want.Name, err)
			}
		}
	}
}

// testCommitConcurrently lets two engines move one execution: each version is made once.
func testCommitConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	commit(t, s, row("x"), event(1))
	var (
		mu   sync.Mutex
		wins int
		wait sync.WaitGroup
	)
	for _, door := range []engine.Store{s, reopen(t)} {
		for range 4 {
			wait.Go(func() {
				for {
					r, err := door.Load(t.Context(), "x")
					if err != nil {
						t.Error(err)
						return
					}
					if r.Version == 21 {
						return
					}
					r.Version++
					err = door.Commit(t.Context(), engine.Change{Row: r, Events: []asl.Event{event(r.Version)}})
					if err != nil && !errors.Is(err, incident.ErrConflict) {
						t.Error(err)
						return
					}
					if err == nil {
						mu.Lock()
						wins++
						mu.Unlock()
					}
				}
			})
		}
	}
	wait.Wait()
	history, err := s.History(t.Context(), "x", 0, 100)
	must(t, err)
	if wins != 20 || len(history) != 21 {
		t.Errorf("%d commits and %d events, want 20 and 21", wins, len(history))
	}
}

func testCreateConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	doors := []engine.Store{s, reopen(t)}
	var (
		mu   sync.Mutex
		wins = map[string]int{}
		wait sync.WaitGroup
	)
	for n := range 100 {
		wait.Go(func() {
			r := row(fmt.Sprint(n % 10))
			err := doors[n/50].Commit(t.Context(), engine.Change{Row: r, Events: []asl.Event{event(1)}})
			if err != nil && !errors.Is(err, incident.ErrConflict) {
				t.Error(err)
			}
			if err == nil {
				mu.Lock()
				defer mu.Unlock()
				wins[r.Name]++
			}
		})
	}
	wait.Wait()
	for n := range 10 {
		name := fmt.Sprint(n)
		history, err := s.History(t.Context(), name, 0, 10)
		must(t, err)
		if wins[name] != 1 || len(history) != 1 {
			t.Errorf("execution %s was created %d times and has %d events, want 1", name, wins[name], len(history))
		}
	}
}

func testList(t *testing.T, open Opener) {
	s, _ := open(t)
	for n := range 6 {
		r := row(fmt.Sprint(n))
		r.Machine = []string{"a", "b"}[n%2]
		commit(t, s, r)
		if n < 3 {
			r.Status, r.Version, r.Run, r.StoppedAt = asl.Succeeded, 2, nil, noon
			commit(t, s, r)
		}
	}
	for name, test := range map[string]struct {
		filter engine.Filter
		want   []string
	}{
		"all":       {engine.Filter{}, []string{"5", "4", "3", "2", "1", "0"}},
		"page":      {engine.Filter{Limit: 2, Before: "4"}, []string{"3", "2"}},
		"machine":   {engine.Filter{Machine: "b"}, []string{"5", "3", "1"}},
		"status":    {engine.Filter{Status: asl.Succeeded}, []string{"2", "1", "0"}},
		"both":      {engine.Filter{Machine: "a", Status: asl.Running, Limit: 5}, []string{"4"}},
		"no status": {engine.Filter{Status: asl.Aborted}, nil},
	} {
		got, err := s.List(t.Context(), test.filter)
		must(t, err)
		var names []string
		for _, e := range got {
			names = append(names, e.Name)
		}
		equal(t, name, test.want, names)
	}
}

func testHistory(t *testing.T, open Opener) {
	s, reopen := open(t)
	r := row("x")
	plain := asl.Event{ID: 2, Timestamp: noon, Type: "PassStateEntered"}
	sameTime := event(6)
	sameTime.Timestamp = event(5).Timestamp
	all := []asl.Event{event(1), plain, event(3), event(4), event(5), sameTime}
	commit(t, s, r, all[:1]...)
	for i, part := range [][]asl.Event{all[1:4], nil, all[4:]} {
		r.Version = int64(i + 2)
		commit(t, s, r, part...)
	}
	other := row("y")
	commit(t, s, other, event(1))
	for _, test := range []struct {
		after int64
		limit int
		want  []asl.Event
	}{{0, 100, all}, {0, 2, all[:2]}, {2, 3, all[2:5]}, {3, 1, all[3:4]}, {6, 10, nil}} {
		got, err := reopen(t).History(t.Context(), "x", test.after, test.limit)
		must(t, err)
		equal(t, fmt.Sprintf("%d events after %d", test.limit, test.after), test.want, got)
	}
}

func testDue(t *testing.T, open Opener) {
	s, reopen := open(t)
	for name, r := range map[string]struct {
		wake  time.Duration
		owner string
	}{"late": {time.Hour, ""}, "soon": {time.Minute, ""}, "mine": {2 * time.Minute, "me"}, "theirs": {time.Second, "they"}, "never": {-1, ""}} {
		x := row(name)
		x.Owner = r.owner
		if r.wake >= 0 {
			x.Wake = noon.Add(r.wake)
		}
		commit(t, s, x)
	}
	check := func(now time.Duration, limit int, wantNext time.Duration, want ...string) {
		t.Helper()
		got, next, err := reopen(t).Due(t.Context(), "me", noon.Add(now), limit)
		must(t, err)
		var names []string
		for _, d := range got {
			names = append(names, d.Name)
			if d.Version != 1 {
				t.Errorf("%s has version %d, want 1", d.Name, d.Version)
			}
		}
		equal(t, fmt.Sprintf("due after %s", now), want, names)
		if wantTime := noon.Add(wantNext); wantNext == 0 && !next.IsZero() || wantNext != 0 && !next.Equal(wantTime) {
			t.Errorf("after %s the next is at %s, want %s", now, next, wantTime)
		}
	}
	check(0, 10, time.Minute)
	check(time.Minute, 10, 2*time.Minute, "soon")
	check(time.Hour, 2, 0, "soon", "mine")
	check(time.Hour, 10, 0, "soon", "mine", "late")
}

func testPrune(t *testing.T, open Opener) {
	s, _ := open(t)
	for n := range 500 {
		r := row(fmt.Sprint("old", n))
		r.Status, r.Run, r.StoppedAt = asl.Succeeded, nil, noon
		commit(t, s, r, event(1), event(2))
	}
	fresh, running := row("fresh"), row("running")
	fresh.Status, fresh.Run, fresh.StoppedAt = asl.Failed, nil, noon.Add(time.Hour)
	commit(t, s, fresh, event(1))
	commit(t, s, running, event(1))
	removed, err := s.Prune(t.Context(), noon.Add(time.Minute))
	must(t, err)
	if removed != 500 {
		t.Errorf("%d removed, want 500", removed)
	}
	left, err := s.List(t.Context(), engine.Filter{})
	must(t, err)
	if len(left) != 2 {
		t.Errorf("%d executions are left, want 2", len(left))
	}
	history, err := s.History(t.Context(), "old1", 0, 10)
	must(t, err)
	if len(history) != 0 {
		t.Errorf("%d events of a removed execution are left", len(history))
	}
	commit(t, s, row("old1"), event(1)) // the name is free again
}

// testNameUsedAgain prunes an execution behind the back of a store that has worked on it, and gives its name to another
// one: what the store remembers of the first must not come between.
func testNameUsedAgain(t *testing.T, open Opener) {
	s, reopen := open(t)
	other := reopen(t)
	first := row("x")
	commit(t, s, first, event(1))
	first.Version = 2
	commit(t, s, first)
	first.Status, first.Version, first.Run, first.StoppedAt = asl.Succeeded, 3, nil, noon
	commit(t, other, first)
	if _, err := other.Prune(t.Context(), noon.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	neighbour, again := row("y"), row("x")
	commit(t, other, neighbour)
	neighbour.Version = 2
	commit(t, other, neighbour)
	commit(t, other, again)
	first.Status, first.Run = asl.Running, []byte(`{"v":"stale"}`)
	if err := s.Commit(t.Context(), engine.Change{Row: first}); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("a commit of the execution that was pruned: %v, want ErrConflict", err)
	}
	again.Version, again.Run = 2, []byte(`{"v":"again"}`)
	commit(t, s, again, event(1))
	equal(t, "the execution of the same name", again, load(t, other, "x"))
	equal(t, "the one beside it", neighbour, load(t, other, "y"))
}

func testLeases(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	must(t, s.RenewLease(ctx, "one", noon))
	must(t, s.RenewLease(ctx, "one", noon.Add(time.Minute)))
	two := reopen(t)
	must(t, two.RenewLease(ctx, "two", noon.Add(time.Hour)))
	for name, owner := range map[string]string{"a": "one", "b": "one", "c": "two", "d": ""} {
		r := row(name)
		r.Owner = owner
		commit(t, s, r)
	}
	want := []engine.Lease{{Owner: "one", Until: noon.Add(time.Minute)}, {Owner: "two", Until: noon.Add(time.Hour)}}
	for _, door := range []engine.Store{s, two} {
		got, err := door.Owners(ctx)
		must(t, err)
		equal(t, "leases", want, got)
	}

	isDone, err := two.Abandon(ctx, engine.Lease{Owner: "one", Until: noon}, noon)
	must(t, err)
	if isDone || load(t, s, "a").Owner != "one" {
		t.Error("a lease that was renewed meanwhile was taken away")
	}
	isDone, err = two.Abandon(ctx, want[0], noon.Add(2*time.Minute))
	must(t, err)
	if !isDone {
		t.Error("a lease that is over was not taken away")
	}
	for name, want := range map[string]engine.Row{
		"a": {Version: 2, Wake: noon.Add(2 * time.Minute)}, "b": {Version: 2, Wake: noon.Add(2 * time.Minute)},
		"c": {Version: 1, Owner: "two"}, "d": {Version: 1},
	} {
		got := load(t, s, name)
		equal(t, name, want, engine.Row{Version: got.Version, Wake: got.Wake, Owner: got.Owner})
	}
	late := row("a")
	late.Version = 2
	if err := s.Commit(ctx, engine.Change{Row: late}); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("a commit of the engine that lost its lease: %v, want ErrConflict", err)
	}
	got, err := s.Owners(ctx)
	must(t, err)
	equal(t, "leases left", want[1:], got)
}

func testSecret(t *testing.T, open Opener) {
	s, reopen := open(t)
	secrets := make([][]byte, 10)
	var wait sync.WaitGroup
	doors := []engine.Store{s, reopen(t)}
	for i := range secrets {
		wait.Go(func() {
			var err error
			if secrets[i], err = doors[i%2].Secret(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	for _, secret := range secrets {
		if len(secret) < 32 || !bytes.Equal(secret, secrets[0]) {
			t.Errorf("secret of %d bytes differs from the first of %d", len(secret), len(secrets[0]))
		}
	}
	other, _ := open(t)
	if secret, err := other.Secret(t.Context()); err != nil || bytes.Equal(secret, secrets[0]) {
		t.Errorf("another store has the same secret, error %v", err)
	}
}
