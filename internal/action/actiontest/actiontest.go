// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package actiontest is the contract that every Change passes: done twice it changes once; undone, everything is as it
// was; in dry-run nothing is sent; without approval it fails by name; and killed before or after any call to AWS or to the
// store of undo records, and run again, it ends as if nothing had happened, with no effect made twice.
//
// The suite runs against anything behind the gate: the sandbox, or moto. The store is SQLite.
package actiontest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
)

// World is an account in which the action has something to do.
type World struct {
	// Backend answers instead of AWS, or Endpoint does, as moto.
	Backend  gate.Backend
	Endpoint string
	// Accounts and Region are the gate's options.
	Accounts map[string]gate.Access
	Region   string
	// Clock is the gate's and the action's; nil is the machine's.
	Clock func() time.Time
	// Params are the action's.
	Params string
	// Reserve is the reserve bucket.
	Reserve action.Reserve
	// Snapshots are in the store.
	Snapshots []state.Snapshot
	// State reads, past the gate, everything that the action may alter, in a form that can be compared.
	State func() string
}

// Contract is what Run runs.
type Contract struct {
	Action string
	// New makes a fresh world. It is called many times.
	New func(t testing.TB) World
	// NoKills leaves the kills out, for slow targets.
	NoKills bool
	// NoUndo leaves the undo out, where taking it back is refused; the caller tests that.
	NoUndo bool

	db *sqlite.DB // one for all worlds: each has an incident of its own
}

// Run runs the contract.
func Run(t *testing.T, c Contract) {
	t.Helper()
	c.db = openDB(t)
	t.Run("changes once", c.changesOnce)
	if !c.NoUndo {
		t.Run("undo restores", c.undoRestores)
	}
	t.Run("dry run sends nothing", c.dryRun)
	t.Run("needs approval", c.needsApproval)
	t.Run("refuses strange input", c.strangeInput)
	if !c.NoKills {
		t.Run("survives kills", c.survivesKills)
	}
}

func openDB(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
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

// player runs the action in one world.
type player struct {
	t     testing.TB
	world World
	steps *steps
	db    *sqlite.DB
	act   action.Undoer
	// incident is the world's own: all share the store.
	incident incident.ID
}

func (c Contract) play(t testing.TB) *player {
	t.Helper()
	a, ok := action.Get(c.Action)
	if !ok {
		t.Fatalf("no action %s", c.Action)
	}
	undoer, ok := a.(action.Undoer)
	if !ok {
		t.Fatalf("%s cannot be undone", c.Action)
	}
	id := incident.NewID("actiontest", cloudtrail.EventID(t.Name()), time.Unix(0, 0))
	world := c.New(t)
	for _, s := range world.Snapshots {
		if err := c.db.PutSnapshot(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return &player{t: t, world: world, steps: &steps{}, db: c.db, act: undoer, incident: id}
}

// env opens a gate as a freshly started process does.
func (p *player) env(mode gate.Mode, visit string) *action.Env {
	p.t.Helper()
	o := gate.Options{Accounts: p.world.Accounts, Region: p.world.Region, Clock: p.world.Clock, Pace: gate.PaceNever}
	switch {
	case p.world.Backend != nil:
		o.Backend = mortalBackend{p.world.Backend, p.steps}
	default:
		p.t.Setenv("AWS_CA_BUNDLE", "") // the SDK refuses it beside an HTTP client of our own
		o.Endpoint = p.world.Endpoint
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")
		o.HTTPClient = mortalClient{p.steps}
	}
	g, err := gate.Open(p.t.Context(), o)
	if err != nil {
		p.t.Fatal(err)
	}
	return &action.Env{
		Services: action.Services{Clock: p.world.Clock, Undos: mortalUndos{p.db, p.steps}, Snapshots: p.db, Store: p.db, Timeline: p.db, Reserve: p.world.Reserve},
		Door:     g.Door(gate.Scope{Incident: string(p.incident), Action: p.act.Info().ID, Class: p.act.Info().Class, Mode: mode}),
		Incident: incident.Incident{ID: p.incident},
		Task:     action.Task{Execution: "x", State: "s", ID: visit + "-1", Visit: visit},
	}
}

// run does the action once, in a process that dies where p.steps says.
func (p *player) run(mode gate.Mode, visit string) (action.Output, error) {
	p.t.Helper()
	ctx, cancel := context.WithCancelCause(p.t.Context())
	defer cancel(nil)
	p.steps.begin(func() { cancel(errKilled) })
	raw, err := p.act.Run(ctx, p.env(mode, visit), json.RawMessage(p.world.Params))
	if err != nil {
		return action.Output{}, err
	}
	var out action.Output
	if err := json.Unmarshal(raw, &out); err != nil {
		p.t.Fatalf("output %s: %v", raw, err)
	}
	return out, nil
}

func (p *player) mustRun(mode gate.Mode, visit string) action.Output {
	p.t.Helper()
	out, err := p.run(mode, visit)
	if err != nil {
		p.t.Fatalf("%s: %v", p.act.Info().ID, err)
	}
	return out
}

func (c Contract) changesOnce(t *testing.T) {
	p := c.play(t)
	before := p.world.State()
	first := p.mustRun(gate.Act, "first")
	after := p.world.State()
	if !first.Changed || first.Already || first.Intended || first.Reason == "" {
		t.Errorf("the first run is %+v, want it changed, with a reason", first)
	}
	if first.RequestID == "" && p.world.Backend != nil { // moto's S3 gives no ids
		t.Errorf("the first run is %+v, want the id of a request", first)
	}
	if before == after {
		t.Errorf("the first run altered nothing: %s", before)
	}
	sent := p.steps.mutations()
	second := p.mustRun(gate.Act, "second")
	if second.Changed || !second.Already {
		t.Errorf("the second run is %+v, want it already so", second)
	}
	if got := p.steps.mutations(); got != sent {
		t.Errorf("the second run sent %d mutations", got-sent)
	}
	if diff := cmp.Diff(after, p.world.State()); diff != "" {
		t.Errorf("the second run altered something (-want +got):\n%s", diff)
	}
	if records := p.records(); len(records) != 1 || !records[0].Done {
		t.Errorf("undo records are %+v, want one that is done", records)
	}
}

func (p *player) records() []incident.Undo {
	p.t.Helper()
	records, err := p.db.ListUndos(p.t.Context(), p.incident)
	if err != nil {
		p.t.Fatal(err)
	}
	return records
}

func (c Contract) undoRestores(t *testing.T) {
	p := c.play(t)
	before := p.world.State()
	p.mustRun(gate.Act, "only")
	lowers := p.records()[0].Lowers
	open := func(action.Info, incident.Undo) (*action.Env, error) { return p.env(gate.Act, "undo"), nil }
	if lowers {
		_, err := action.UndoIncident(t.Context(), p.incident, action.UndoOptions{By: "bob"}, open, p.db)
		if !errors.Is(err, action.ErrLowers) {
			t.Errorf("undo of what lowers protection: %v, want ErrLowers", err)
		}
	}
	for i, want := range []int{1, 0} {
		done, err := action.UndoIncident(t.Context(), p.incident, action.UndoOptions{By: "bob", MayLower: true}, open, p.db)
		if err != nil {
			t.Fatalf("undo %d: %v", i+1, err)
		}
		if len(done) != want {
			t.Errorf("undo %d took back %d changes, want %d", i+1, len(done), want)
		}
		if diff := cmp.Diff(before, p.world.State()); diff != "" {
			t.Errorf("undo %d left a difference (-want +got):\n%s", i+1, diff)
		}
	}
	// The record alone, as after a kill between taking back and noting it.
	if err := p.act.Undo(t.Context(), p.env(gate.Act, "undo"), p.records()[0]); err != nil {
		t.Errorf("undo again: %v", err)
	}
}

func (c Contract) dryRun(t *testing.T) {
	p := c.play(t)
	before := p.world.State()
	out := p.mustRun(gate.Observe, "only")
	if !out.Intended || out.Changed || out.Already {
		t.Errorf("a dry run is %+v, want it intended", out)
	}
	if n := p.steps.mutations(); n != 0 {
		t.Errorf("%d mutations were sent", n)
	}
	if diff := cmp.Diff(before, p.world.State()); diff != "" {
		t.Errorf("a dry run altered something (-want +got):\n%s", diff)
	}
}

func (c Contract) needsApproval(t *testing.T) {
	p := c.play(t)
	_, err := p.run(gate.Ask, "only")
	var named *asl.Error
	if !errors.As(err, &named) || named.Name != action.ErrorApprovalRequired {
		t.Errorf("error is %v, want %s", err, action.ErrorApprovalRequired)
	}
	if n := p.steps.mutations(); n != 0 {
		t.Errorf("%d mutations were sent", n)
	}
}

func (c Contract) strangeInput(t *testing.T) {
	p := c.play(t)
	for name, params := range map[string]string{
		"unknown field": p.world.Params[:len(p.world.Params)-1] + `,"surprise":1}`,
		"no object":     `[]`,
		"no field":      `{}`,
	} {
		_, err := p.act.Run(t.Context(), p.env(gate.Act, "only"), json.RawMessage(params))
		var named *asl.Error
		if !errors.As(err, &named) || named.Name != action.ErrorInvalidParameters {
			t.Errorf("%s: error is %v, want %s", name, err, action.ErrorInvalidParameters)
		}
	}
}

// survivesKills kills at every step of a run, before it happens and after it happened but before its answer came, and
// runs the same state visit again.
func (c Contract) survivesKills(t *testing.T) {
	undisturbed := c.play(t)
	want := undisturbed.mustRun(gate.Act, "visit")
	wantState, wantEffects := undisturbed.world.State(), undisturbed.steps.mutations()
	for at := 1; at <= undisturbed.steps.count(); at++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("step %d, after it happened %t", at, after), func(t *testing.T) {
				p := c.play(t)
				p.steps.killAt, p.steps.killAfter = at, after
				if out, err := p.run(gate.Act, "visit"); err == nil {
					t.Fatalf("the killed run returned %+v", out)
				}
				p.steps.killAt = 0
				got := p.mustRun(gate.Act, "visit")
				if !got.Changed || got.Already {
					t.Errorf("the second attempt is %+v, want it changed", got)
				}
				if diff := cmp.Diff(string(want.Before), string(got.Before)); diff != "" {
					t.Errorf("before (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(wantState, p.world.State()); diff != "" {
					t.Errorf("the state at the end (-want +got):\n%s", diff)
				}
				if n := p.steps.mutations(); n != wantEffects {
					t.Errorf("%d mutations reached AWS, want %d", n, wantEffects)
				}
			})
		}
	}
}
