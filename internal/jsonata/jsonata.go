// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package jsonata evaluates JSONata expressions as AWS Step Functions does: with the reference implementation, jsonata
// 2.0.6, on a JavaScript interpreter, minus $eval, plus $partition, $range, $hash, $random, $uuid and $parse. It
// implements asl.Expressions.
//
// Expressions are hostile: every evaluation has a time limit, and limits of the call depth and of memory. One that
// exceeds a limit fails, its virtual machine is thrown away, and the process goes on. Virtual machines are made when
// they are needed (some 30 ms) and kept for the next evaluation.
//
// It is not a general JSONata library: there is no input document ($ and $$ are undefined at the top level), data come
// in through variables.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
package jsonata

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// Defaults of Options, which are AWS's limits where AWS has documented one.
const (
	DefaultTimeout     = time.Second
	DefaultMemoryBytes = 512 << 20
	maxCallDepth       = 2000
	// maxItems is the largest array that the range operator and $range make.
	maxItems = 1_000_000
)

// Reasons for which an evaluation is cut off.
var (
	ErrTimeout = errors.New("the expression took too long to evaluate")
	ErrMemory  = errors.New("the expression needs too much memory")
	ErrDepth   = errors.New("stack overflow: the expression recurses too deep")
)

// Options of New. The zero value works.
type Options struct {
	// Timeout bounds one evaluation; zero means DefaultTimeout.
	Timeout time.Duration
	// MemoryBytes bounds by how much the heap of the process may grow during an evaluation; zero means
	// DefaultMemoryBytes. It is measured from outside, so it is a safety net and not a quota.
	MemoryBytes uint64
	// Machines is how many virtual machines are kept; zero means one a processor. More evaluations at a time wait.
	Machines int
	// Clock is what $now() and $millis() see; nil means the clock of the system.
	Clock func() time.Time
	// Random and UUID are behind $random() and $uuid(); nil means math/rand/v2 and crypto/rand.
	Random func() float64
	UUID   func() string
}

// Engine evaluates expressions. It is safe for concurrent use.
type Engine struct {
	options Options
	// idle holds one token for each machine that may be in use: nil for one that has yet to be made.
	idle chan *machine
}

var _ asl.Expressions = (*Engine)(nil)

// New returns an engine. Nothing is loaded before the first expression.
func New(o Options) *Engine {
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	if o.MemoryBytes == 0 {
		o.MemoryBytes = DefaultMemoryBytes
	}
	if o.Machines <= 0 {
		o.Machines = runtime.GOMAXPROCS(0)
	}
	e := &Engine{options: o, idle: make(chan *machine, o.Machines)}
	for range o.Machines {
		e.idle <- nil
	}
	return e
}

// Check reports the syntax fault of an expression.
func (e *Engine) Check(expression string) error {
	_, err := e.use(func(m *machine) (json.RawMessage, error) { return nil, m.check(expression) })
	return err
}

// Evaluate returns the JSON text of the expression's result, or nil when it is undefined. It returns
// asl.ErrUnsupportedResult for a function.
func (e *Engine) Evaluate(expression string, bindings map[string]json.RawMessage) (json.RawMessage, error) {
	return e.use(func(m *machine) (json.RawMessage, error) { return m.evaluate(expression, bindings) })
}

// use runs work on a machine, within the limits. A machine that was cut off is not used again.
func (e *Engine) use(work func(*machine) (json.RawMessage, error)) (json.RawMessage, error) {
	m := <-e.idle
	defer func() { e.idle <- m }()
	if m == nil {
		fresh, err := newMachine(&e.options)
		if err != nil {
			return nil, fmt.Errorf("load jsonata: %w", err)
		}
		m = fresh
	}
	stop := m.watch(&e.options)
	result, err := work(m)
	if cut := stop(); cut != nil {
		m = nil
		return nil, cut
	}
	if errors.Is(err, ErrDepth) {
		m = nil
	}
	return result, err
}

// watch interrupts the machine when it exceeds a limit. The returned function ends the watch and tells which limit was
// exceeded, if any; it returns only after the watching goroutine has ended.
func (m *machine) watch(o *Options) func() error {
	ctx, cancel := context.WithTimeout(context.Background(), o.Timeout) //nolint:contextcheck // asl.Expressions has no context: the limit is ours.
	done := make(chan error, 1)
	go func() { done <- m.guard(ctx, o.MemoryBytes) }()
	return func() error {
		cancel()
		return <-done
	}
}
