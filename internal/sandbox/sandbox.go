// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
)

// Options are the settings of a Sandbox. The zero value works.
type Options struct {
	// Clock tells the time; nil is the machine's clock. Tests and scenarios give a simulated one and call
	// [Sandbox.Deliver] after moving it.
	Clock func() time.Time
	// Seed varies the ids. Two sandboxes with one seed give the same ids for the same calls.
	Seed uint64
	// DeliveryDelay is how long CloudTrail collects records before it delivers a log file; 0 is 5 minutes.
	//
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/how-cloudtrail-works.html
	DeliveryDelay time.Duration
	// StateFile is the journal of mutations; "" keeps everything in memory. See [Open].
	StateFile string
}

const (
	defaultDeliveryDelay = 5 * time.Minute
	// historyAge is how long Event history keeps an event.
	historyAge = 90 * 24 * time.Hour
)

// Sandbox is a set of AWS accounts in memory. Make one with [New] or [Open], add accounts with [Sandbox.AddAccount] or
// [Sandbox.Seed], and reach it through [gate.BackendConfig].
type Sandbox struct {
	clock func() time.Time
	delay time.Duration
	seed  uint64

	mu            sync.Mutex // guards everything below
	journal       *journal   // nil without a state file
	mutations     []Mutation
	reads         uint64 // calls that are not in the journal: their ids must differ too
	incarnation   uint64 // how often the state file was opened: keeps read ids apart across restarts
	accounts      map[string]*account
	organizations map[string]*organization
	credentials   map[string]*credential // by access key id
	buckets       map[string]*bucket     // by partition and name: one name space for all accounts
	subscriptions []subscription
	denials       denials
	deliveries    deliveries
}

var _ gate.Backend = (*Sandbox)(nil)

// New makes an empty sandbox in memory. It ignores Options.StateFile; use [Open] for that.
func New(o Options) (*Sandbox, error) {
	if o.DeliveryDelay < 0 {
		return nil, fmt.Errorf("make sandbox: delivery delay %s is negative", o.DeliveryDelay)
	}
	s := &Sandbox{
		clock: o.Clock, delay: o.DeliveryDelay, seed: o.Seed,
		accounts:      map[string]*account{},
		organizations: map[string]*organization{},
		credentials:   map[string]*credential{},
		buckets:       map[string]*bucket{},
		deliveries:    deliveries{open: map[batchKey]*batch{}},
	}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.delay == 0 {
		s.delay = defaultDeliveryDelay
	}
	return s, nil
}

// Do answers one AWS API call: it is the [gate.Backend] of the sandbox. The account and the principal are those of
// r.AccessKeyID; r.Account is not believed, as AWS does not. It waits only for ReceiveMessage with a wait time, until a
// message is there, the time is over or ctx is done.
//
// Errors are the SDK's typed exceptions or a smithy.GenericAPIError; they tell AWS's HTTP status (HTTPStatusCode).
// NotImplemented is an operation that the sandbox lacks. An error that is not a smithy.APIError means that the journal
// could not be written or that the request makes no sense; the change is then not to be relied on.
func (s *Sandbox) Do(ctx context.Context, r gate.Request) (any, error) {
	op, ok := operations()[key(r.Service, r.Operation)]
	if !ok || op.service == control {
		return nil, fail(http.StatusNotImplemented, apiError("NotImplemented",
			fmt.Sprintf("the sandbox has no operation %s.%s", r.Service, r.Operation)))
	}
	in, err := op.own(r.Input)
	if err != nil {
		return nil, fmt.Errorf("call %s.%s: %w", r.Service, r.Operation, err)
	}
	r.Input = in
	return s.answer(ctx, op, r)
}

// answer runs the call, again and again while it asks to wait.
func (s *Sandbox) answer(ctx context.Context, op *operation, r gate.Request) (any, error) {
	var deadline <-chan time.Time
	for {
		out, wait, err := s.once(op, r, s.clock())
		if wait == nil {
			return out, err
		}
		if deadline == nil {
			t := time.NewTimer(wait.longest)
			defer t.Stop()
			deadline = t.C
		}
		if done, err := wait.until(ctx, deadline); err != nil {
			return nil, err
		} else if done {
			return out, nil
		}
	}
}

// once runs the call at now, under the lock.
func (s *Sandbox) once(op *operation, r gate.Request, now time.Time) (any, *waiting, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliver(now)
	return s.run(op, r, now)
}

// run authenticates, executes, journals and records one call.
func (s *Sandbox) run(op *operation, r gate.Request, now time.Time) (any, *waiting, error) {
	c, err := s.newCall(op, r, now)
	if err != nil {
		return nil, nil, err
	}
	covered := c.coverageBefore()
	out, callErr := c.execute()
	var apiErr *failure
	if callErr != nil && !errors.As(callErr, &apiErr) {
		return nil, nil, fmt.Errorf("call %s.%s: %w", op.service.id, op.name, callErr)
	}
	if c.wait != nil {
		return out, c.wait, nil
	}
	if op.mutates && !(op.service == control && c.same) {
		if err := s.keep(c, apiErr); err != nil {
			return nil, nil, err
		}
	}
	if err := c.emit(out, apiErr, covered); err != nil {
		return nil, nil, fmt.Errorf("record %s.%s: %w", op.service.id, op.name, err)
	}
	if apiErr != nil {
		return nil, nil, apiErr
	}
	return out, nil, nil
}

// waiting is what a call asks for that has nothing to answer yet.
type waiting struct {
	longest time.Duration
	wake    <-chan struct{}
	again   time.Duration // when something becomes visible by itself; 0 is never
}

// until waits. It reports true when the time is over.
func (w *waiting) until(ctx context.Context, deadline <-chan time.Time) (bool, error) {
	var again <-chan time.Time
	if w.again > 0 {
		t := time.NewTimer(w.again)
		defer t.Stop()
		again = t.C
	}
	select {
	case <-w.wake:
		return false, nil
	case <-again:
		return false, nil
	case <-deadline:
		return true, nil
	case <-ctx.Done():
		return false, fmt.Errorf("wait for message: %w", ctx.Err())
	}
}

// Close closes the state file. Calls after it fail if they change something.
func (s *Sandbox) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.journal == nil {
		return nil
	}
	return s.journal.close()
}

// Deliver does what is due by the clock: it delivers log files, lets keys whose waiting period is over go, and wakes
// receivers whose messages have become visible. Every call does the first two by itself; Deliver is for tests that move
// the clock and then look.
func (s *Sandbox) Deliver() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deliver(s.clock())
	for _, a := range s.accounts {
		for _, q := range a.queues {
			q.wakeUp()
		}
	}
}
