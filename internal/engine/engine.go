// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/incident"
)

// Execution is one run of a state machine, without its inner state.
type Execution struct {
	// Name is unique in the store.
	Name string `json:"name"`
	// Machine is the state machine's name; Definition the hash of the definition that it began with and ends with.
	Machine    string          `json:"machine"`
	Definition string          `json:"definition"`
	Status     asl.Status      `json:"status"`
	Input      json.RawMessage `json:"input"`
	Output     json.RawMessage `json:"output,omitempty"`
	// Error and Cause are set when it failed.
	Error     string    `json:"error,omitempty"`
	Cause     string    `json:"cause,omitempty"`
	StartedAt time.Time `json:"started_at"`
	StoppedAt time.Time `json:"stopped_at,omitzero"`
}

// Task is one attempt of a Task state, as its handler sees it.
type Task struct {
	asl.TaskRequest
	ExecutionName string
	Machine       string
	// Visit names the visit of the state, "execution/state/visit/entered time", equal for each of its attempts and after a
	// restart: what a handler did under it before is not to be done again.
	Visit string
	// Heartbeat says that the work goes on; it returns asl.ErrNoTask when nobody waits any more.
	Heartbeat func(ctx context.Context) error
}

// Handler does the work of a Task state. An error that is an asl.Error keeps its name; any other is Switchback.Error. The
// context ends when nobody waits for the result any more, and when the engine is closed; then the result is ignored. The
// result of a task with a token is that of handing it over; the answer comes by the token.
type Handler func(ctx context.Context, t Task) (json.RawMessage, error)

// Options of Open; the zero value works.
type Options struct {
	// Clock is time.Now by default.
	Clock  func() time.Time
	Logger *slog.Logger
	// Workers is how many tasks are worked on at once; zero is 512: they mostly wait, for others and for the disk, where
	// many share a commit. With one, tasks run in the order of their dispatch, urgent ones first.
	Workers int
	// IsUrgent tells of a Resource whose tasks go before others; nil: none do.
	IsUrgent func(resource string) bool
	// Retention is how long ended executions are kept; zero is 90 days, as on AWS.
	Retention time.Duration
	// Lease is how long other engines wait for a sign of life before they take over; zero is 15 s.
	Lease time.Duration
	// Owner names this engine among those on the store; empty: host, process id and a random part.
	Owner string
	// Compile are the options of asl.Compile; Token is set by the engine.
	Compile asl.Options
	// Observe is told of each transition after it is durable, in order for each execution. It must not wait.
	Observe func(e Execution, events []asl.Event)
	// Ended is told, once after each end that this engine commits, that an execution ended. Its error is logged. After a
	// kill it may not have been told: who needs to know asks Describe.
	Ended func(ctx context.Context, e Execution) error
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Workers <= 0 {
		o.Workers = 512
	}
	if o.Retention <= 0 {
		o.Retention = 90 * 24 * time.Hour
	}
	if o.Lease <= 0 {
		o.Lease = 15 * time.Second
	}
	if o.Owner == "" {
		o.Owner = newOwner()
	}
	return o
}

func newOwner() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown" // the random part is what makes the name unique
	}
	return fmt.Sprintf("%s-%d-%s", host, os.Getpid(), rand.Text()[:10])
}

// Engine runs executions. It is safe for concurrent use.
type Engine struct {
	store   Store
	handler Handler
	o       Options
	secret  []byte
	pool    *pool

	mu       sync.Mutex
	machines map[string]*asl.Machine // by hash
	names    map[string]string       // hash by name
	live     map[string]*live        // executions at work
	ticking  map[string]bool         // executions that a worker has been asked to look at
	failure  error                   // of the last of them, for RunDue
	renewed  time.Time               // when the lease was renewed last

	alarm alarm
}

// Open makes an engine on a store, with the named state machines. ctx is the life of the workers; Close ends them and
// waits.
func Open(ctx context.Context, store Store, machines map[string][]byte, handler Handler, o Options) (*Engine, error) {
	o = o.withDefaults()
	e := &Engine{
		store: store, handler: handler, o: o, machines: map[string]*asl.Machine{}, names: map[string]string{},
		live: map[string]*live{}, ticking: map[string]bool{}, alarm: newAlarm(),
	}
	e.pool = newPool(ctx, o.Workers, e.alarm.ring)
	var err error
	if e.secret, err = store.Secret(ctx); err != nil {
		return nil, fmt.Errorf("read the key of task tokens: %w", err)
	}
	for name, definition := range machines {
		if err := e.define(ctx, name, definition); err != nil {
			return nil, err
		}
	}
	if err := e.begin(ctx); err != nil {
		e.pool.close()
		return nil, err
	}
	return e, nil
}

// begin takes the lease. An engine of the same name that was killed may have left executions that nobody else would take;
// one that lives makes the first renewal fail.
func (e *Engine) begin(ctx context.Context) error {
	for _, do := range []func(context.Context) error{
		e.renew, func(ctx context.Context) error { return e.abandon(ctx, e.o.Owner) }, e.renew, e.Recover,
	} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// StartRequest asks for an execution.
type StartRequest struct {
	Machine string
	Name    string
	Input   json.RawMessage
}

var (
	// ErrNoMachine says that the engine knows no state machine of that name.
	ErrNoMachine = errors.New("no such state machine")
	// ErrExists says that the name is taken by an execution with another input or state machine. AWS answers
	// ExecutionAlreadyExists.
	ErrExists = errors.New("an execution of that name exists already")
)

// Start begins an execution; it is durable when Start returns. Starting it again, with the same name, state machine and
// input, returns the execution that is there, also when it has ended: unlike AWS, so that a start may be repeated after
// a kill.
func (e *Engine) Start(ctx context.Context, r StartRequest) (Execution, error) {
	m, hash, err := e.machineNamed(r.Machine)
	if err != nil {
		return Execution{}, fmt.Errorf("start %s: %w", r.Name, err)
	}
	l := e.acquire(r.Name)
	defer e.release(r.Name, l)
	now := e.o.Clock()
	info := asl.ExecutionInfo{ID: r.Name, Name: r.Name, StateMachineID: r.Machine, StateMachineName: r.Machine, StartedAt: now}
	run, fx, err := m.Start(info, r.Input, now)
	if err != nil {
		return Execution{}, fmt.Errorf("start %s: %w", r.Name, err)
	}
	x := Execution{Name: r.Name, Machine: r.Machine, Definition: hash, Input: run.Input(), StartedAt: now}
	if l.row.Version > 0 { // it is at work here
		return existing(l.row.Execution, x)
	}
	l.run, l.row = run, Row{Execution: x}
	if err = e.commit(ctx, l, fx, fx.Tasks, nil); err == nil {
		return l.row.Execution, nil
	}
	l.run, l.row = nil, Row{}
	if errors.Is(err, incident.ErrConflict) {
		var row Row
		if row, err = e.store.Load(ctx, r.Name); err == nil {
			return existing(row.Execution, x)
		}
	}
	return Execution{}, fmt.Errorf("start %s: %w", r.Name, err)
}

// existing decides whether the execution that is there is the one that was asked for.
func existing(there, asked Execution) (Execution, error) {
	if there.Machine != asked.Machine || !bytes.Equal(there.Input, asked.Input) {
		return Execution{}, fmt.Errorf("start %s: %w", asked.Name, ErrExists)
	}
	return there, nil
}

// Describe returns an execution, or incident.ErrNotFound.
func (e *Engine) Describe(ctx context.Context, name string) (Execution, error) {
	row, err := e.store.Load(ctx, name)
	return row.Execution, err
}

// List returns executions, newest first.
func (e *Engine) List(ctx context.Context, f Filter) ([]Execution, error) {
	return e.store.List(ctx, f)
}

// History returns up to limit events after an event id.
func (e *Engine) History(ctx context.Context, name string, after int64, limit int) ([]asl.Event, error) {
	return e.store.History(ctx, name, after, limit)
}

// Stop aborts an execution; one that has ended stays as it is.
func (e *Engine) Stop(ctx context.Context, name string, failure asl.Error) error {
	err := e.step(ctx, name, transition{do: func(m *asl.Machine, r *asl.Run, now time.Time) (asl.Effects, error) {
		return m.Abort(r, failure, now)
	}})
	if errors.Is(err, asl.ErrNoTask) {
		return nil
	}
	return err
}

// Idle waits until nothing is being worked on.
func (e *Engine) Idle() { e.pool.wait() }

// Close stops the workers, waits for them and gives up what this engine owns. It goes on with the next Open, or at once
// where another engine shares the store.
func (e *Engine) Close() {
	ctx := e.pool.close()
	if err := e.abandon(ctx, e.o.Owner); err != nil {
		e.o.Logger.WarnContext(ctx, "give up executions", slog.Any("error", err))
	}
}
