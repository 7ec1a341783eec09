// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
	"github.com/switchback-project/switchback/internal/source/watcher"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

const (
	account = "111122223333"
	region  = "eu-west-1"
)

// world is an account in the sandbox with a trail of which there is a snapshot, a watcher, and time that stands until it
// is told to pass.
type world struct {
	*testing.T
	mu     sync.Mutex
	now    time.Time
	box    *sandbox.Sandbox
	seeded sandbox.Seeded
	// fail, if set, answers instead of the sandbox.
	fail  func(r gate.Request) error
	calls *sourcetest.Calls
	gate  *gate.Gate
	db    *sqlite.DB
	dead  sourcetest.Shelf
	log   strings.Builder
	state string
	src   *watcher.Source

	taken  []source.Delivery
	refuse error
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC), calls: &sourcetest.Calls{}, state: t.TempDir()}
	var err error
	w.box, err = sandbox.New(sandbox.Options{Clock: w.clock})
	w.check(err)
	w.seeded, err = w.box.Seed(t.Context(), sandbox.Seed{Account: account, Region: region})
	w.check(err)
	w.db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "switchback.db"), sqlite.Options{})
	w.check(err)
	t.Cleanup(func() { w.check(w.db.Close()) })
	w.gate = w.open(w)
	w.snapshot()
	w.pass(time.Minute)
	w.src = w.start(watcher.Options{Workers: 1})
	return w
}

func (w *world) open(backend gate.Backend) *gate.Gate {
	w.Helper()
	g, err := gate.Open(w.Context(), gate.Options{
		Backend: backend, Region: region, Clock: w.clock, Journal: w.calls, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	w.check(err)
	return g
}

// Do implements gate.Backend: the sandbox, unless it is to fail.
func (w *world) Do(ctx context.Context, r gate.Request) (any, error) {
	w.mu.Lock()
	fail := w.fail
	w.mu.Unlock()
	if fail != nil {
		if err := fail(r); err != nil {
			return nil, err
		}
	}
	return w.box.Do(ctx, r)
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) snapshot() {
	w.Helper()
	taken, err := state.TakeSnapshots(w.Context(), w.gate.Door(gate.Scope{}), account, []string{region}, w.db, w.clock())
	w.check(err)
	if len(taken.Gaps) > 0 {
		w.Fatal(taken.Gaps)
	}
}

// start makes a watcher as a new process would, on what an earlier one kept.
func (w *world) start(o watcher.Options) *watcher.Source {
	w.Helper()
	src, err := source.New(source.Config{Type: "watcher", Decode: func(v any) error {
		*v.(*watcher.Options) = o
		return nil
	}}, source.Services{
		Gate: w.gate, Dead: &w.dead, Clock: w.clock, Logger: slog.New(slog.NewTextHandler(&w.log, nil)), State: w.state, Snapshots: w.db,
	})
	w.check(err)
	return src.(*watcher.Source)
}

func (w *world) handle(_ context.Context, d source.Delivery) error {
	if w.refuse == nil {
		w.taken = append(w.taken, d)
	}
	return w.refuse
}

// poll has the watcher look, and returns what it delivered: "stopped", or the name of a call.
func (w *world) poll() []string {
	w.Helper()
	w.taken = nil
	w.check(w.src.Poll(w.Context(), w.handle))
	var all []string
	for _, d := range w.taken {
		if d.Envelope.HasRecord() {
			all = append(all, d.Envelope.Record.EventName)
			continue
		}
		all = append(all, string(w.finding(d).Code))
	}
	return all
}

// after lets time pass and polls.
func (w *world) after(d time.Duration) []string {
	w.Helper()
	w.pass(d)
	return w.poll()
}

func (w *world) finding(d source.Delivery) trail.Finding {
	w.Helper()
	var f trail.Finding
	w.check(json.Unmarshal(d.Envelope.Detail, &f))
	return f
}

// want compares what was delivered.
func (w *world) want(when string, got []string, want ...string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s: delivered %v, want %v\n%s", when, got, want, w.log.String())
	}
}

// call is made by alice; its event reaches nobody.
func (w *world) call(name, input string) {
	w.Helper()
	_, err := w.box.Invoke(w.Context(), name, json.RawMessage(input), gate.Request{
		Account: account, Region: region, AccessKeyID: w.seeded.AccessKeys["alice"], RequestID: fmt.Sprintf("story-%d", w.clock().UnixNano()), UserAgent: "aws-cli",
	})
	w.check(err)
}

func (w *world) stop()  { w.Helper(); w.call("CloudTrail.StopLogging", `{"Name":"main"}`) }
func (w *world) begin() { w.Helper(); w.call("CloudTrail.StartLogging", `{"Name":"main"}`) }

// names are the calls of the gate since the last time, sorted, with their counts.
func (w *world) reads() map[string]int {
	counts := map[string]int{}
	for _, c := range w.calls.All() {
		if c.Name() != "STS.GetCallerIdentity" {
			counts[c.Name()]++
		}
	}
	return counts
}
