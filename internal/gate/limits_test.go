// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/gate"
)

func TestBudgetSlides(t *testing.T) {
	now := newClock()
	g := open(t, gate.Options{Backend: backendFunc(accepts), Clock: now.Now, Budget: gate.Budget{Limit: 3, Window: time.Minute, Reserve: 5}})
	contain := act
	contain.Class = "contain"
	spend := func(s gate.Scope, in string) error {
		t.Helper()
		cfg, err := g.Door(s).Config(t.Context(), in, region)
		if err != nil {
			t.Fatal(err)
		}
		return stopLogging(t.Context(), cfg)
	}
	for range 3 {
		if err := spend(contain, account); err != nil {
			t.Fatal(err)
		}
		now.advance(10 * time.Second)
	}
	err := spend(contain, account)
	if !errors.Is(err, gate.ErrBudget) || !strings.Contains(err.Error(), `3 changes of class "contain" in account 111122223333 within 1m0s; the next at 2026-05-04T10:31:00Z`) {
		t.Errorf("the fourth: %v", err)
	}
	if err := spend(contain, other); err != nil {
		t.Errorf("another account: %v", err)
	}
	for i := range 5 {
		if err := spend(act, account); err != nil {
			t.Errorf("restore %d has its own reserve: %v", i, err)
		}
	}
	if err := spend(act, account); !errors.Is(err, gate.ErrBudget) {
		t.Errorf("the sixth restore: %v", err)
	}
	now.advance(29 * time.Second)
	if err := spend(contain, account); !errors.Is(err, gate.ErrBudget) {
		t.Errorf("59 s after the first: %v", err)
	}
	now.advance(time.Second)
	if err := spend(contain, account); err != nil {
		t.Errorf("60 s after the first: %v", err)
	}
	if err := spend(contain, account); !errors.Is(err, gate.ErrBudget) {
		t.Errorf("the second is still in the window: %v", err)
	}
}

func TestBudgetPerActor(t *testing.T) {
	now := newClock()
	g := open(t, gate.Options{Backend: backendFunc(accepts), Clock: now.Now, Budget: gate.Budget{PerActor: 2}})
	spend := func(actor, class string) error {
		s := act
		s.Actor, s.Class = actor, class
		return stopLogging(t.Context(), configOf(t, g, s))
	}
	for i, tc := range []struct {
		actor, class string
		want         error
	}{
		{"mallory", "contain", nil}, {"mallory", "contain", nil}, {"mallory", "contain", gate.ErrBudget}, {"mallory", "forensics", nil},
		{"eve", "contain", nil}, {"", "contain", nil}, {"", "contain", nil}, {"", "contain", nil},
	} {
		if err := spend(tc.actor, tc.class); !errors.Is(err, tc.want) {
			t.Errorf("%d: %s %s: %v, want %v", i, tc.actor, tc.class, err, tc.want)
		}
	}
	for i := range 50 {
		if err := spend("mallory", gate.ClassRestore); err != nil {
			t.Fatalf("restore %d of what mallory does: %v", i, err)
		}
	}
	now.advance(time.Hour - time.Second)
	err := spend("mallory", "contain")
	if !errors.Is(err, gate.ErrBudget) || !strings.Contains(err.Error(), `2 changes of class "contain" in account 111122223333 caused by "mallory" within 1h0m0s`) {
		t.Errorf("59 minutes later: %v", err)
	}
	now.advance(time.Second)
	if err := spend("mallory", "contain"); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

// By default no actor makes us act without end.
func TestBudgetPerActorByDefault(t *testing.T) {
	now := newClock()
	g := open(t, gate.Options{Backend: backendFunc(accepts), Clock: now.Now, Budget: gate.Budget{Limit: -1}})
	s := act
	s.Actor, s.Class = "mallory", "contain"
	passed := 0
	for range 50 {
		if stopLogging(t.Context(), configOf(t, g, s)) == nil {
			passed++
		}
		now.advance(time.Minute)
	}
	if passed != 30 {
		t.Errorf("%d of 50 within an hour passed, want 30", passed)
	}
}

func TestBudgetForgetsActors(t *testing.T) {
	now := newClock()
	g := open(t, gate.Options{Backend: backendFunc(accepts), Clock: now.Now, Budget: gate.Budget{PerActor: 2, Limit: -1, ActorWindow: time.Minute}})
	for i := range 10_000 {
		s := act
		s.Actor, s.Class = fmt.Sprint("session-", i), "contain"
		if err := stopLogging(t.Context(), configOf(t, g, s)); err != nil {
			t.Fatal(err)
		}
		now.advance(time.Second)
	}
	if n := gate.BudgetKeys(g); n > 5000 {
		t.Errorf("%d actors are remembered", n)
	}
}

func TestBudgetIsExactUnderConcurrency(t *testing.T) {
	var sent atomic.Int64
	g := open(t, gate.Options{Budget: gate.Budget{Reserve: 10}, Backend: backendFunc(func(ctx context.Context, r gate.Request) (any, error) {
		sent.Add(1)
		return accepts(ctx, r)
	})})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() {
			if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil && !errors.Is(err, gate.ErrBudget) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if sent.Load() != 10 {
		t.Errorf("%d passed a budget of 10", sent.Load())
	}
}

func TestARefusedMutationCostsNoBudget(t *testing.T) {
	paused := true
	g := open(t, gate.Options{Backend: backendFunc(accepts), Budget: gate.Budget{Reserve: 1}, Guard: guardFunc(func(context.Context, gate.Call) error {
		if paused {
			return gate.ErrPaused
		}
		return nil
	})})
	cfg := configOf(t, g, act)
	for range 5 {
		if err := stopLogging(t.Context(), cfg); !errors.Is(err, gate.ErrPaused) {
			t.Fatal(err)
		}
	}
	paused = false
	if err := stopLogging(t.Context(), cfg); err != nil {
		t.Error(err)
	}
}

func TestPace(t *testing.T) {
	lookup := func(ctx context.Context, cfg aws.Config) error {
		_, err := cloudtrail.NewFromConfig(cfg).LookupEvents(ctx, nil)
		return err
	}
	describe := func(ctx context.Context, cfg aws.Config) error {
		_, err := cloudtrail.NewFromConfig(cfg).DescribeTrails(ctx, nil)
		return err
	}
	receive := func(ctx context.Context, cfg aws.Config) error {
		_, err := sqs.NewFromConfig(cfg).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: aws.String("https://q")})
		return err
	}
	stop := func(ctx context.Context, cfg aws.Config) error { return stopLogging(ctx, cfg) }
	for name, tc := range map[string]struct {
		call  func(context.Context, aws.Config) error
		times int
		rate  float64
		want  time.Duration // waited in all
	}{
		"changes of trails, one a second": {call: stop, times: 4, want: 3 * time.Second},
		"lookups, two a second":           {call: lookup, times: 6, want: 2 * time.Second},
		"lookups at half the quota":       {call: lookup, times: 6, rate: 0.5, want: 5 * time.Second},
		"a rate over one is one":          {call: lookup, times: 6, rate: 7, want: 2 * time.Second},
		"reads of trails, ten a second":   {call: describe, times: 30, want: 2 * time.Second},
		"queues are not paced":            {call: receive, times: 500, want: 0},
	} {
		t.Run(name, func(t *testing.T) {
			now := newClock()
			start := now.Now()
			g := open(t, gate.Options{Pace: gate.PaceAlways, Clock: now.Now, Sleep: now.Sleep, Backend: backendFunc(anyOutput)})
			s := act
			s.Rate = tc.rate
			cfg := configOf(t, g, s)
			for range tc.times {
				if err := tc.call(t.Context(), cfg); err != nil {
					t.Fatal(err)
				}
			}
			if got := now.Now().Sub(start).Round(time.Millisecond); got != tc.want {
				t.Errorf("waited %s, want %s (%v)", got, tc.want, now.slept)
			}
		})
	}
}

func anyOutput(ctx context.Context, r gate.Request) (any, error) {
	switch r.Operation {
	case "LookupEvents":
		return &cloudtrail.LookupEventsOutput{}, nil
	case "ReceiveMessage":
		return &sqs.ReceiveMessageOutput{}, nil
	}
	return accepts(ctx, r)
}

func TestPaceIsPerAccountAndRegionAndRefills(t *testing.T) {
	now := newClock()
	g := open(t, gate.Options{Pace: gate.PaceAlways, Clock: now.Now, Sleep: now.Sleep, Backend: backendFunc(accepts)})
	for _, place := range [][2]string{{account, region}, {other, region}, {account, "eu-central-1"}} {
		cfg, err := g.Door(act).Config(t.Context(), place[0], place[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := stopLogging(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
	}
	now.advance(time.Hour)
	for range 2 {
		if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second}, now.slept); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestPauseWhileWaitingForTheQuota(t *testing.T) {
	now := newClock()
	var paused bool
	sent := 0
	g := open(t, gate.Options{
		Pace: gate.PaceAlways, Clock: now.Now,
		Sleep:   func(ctx context.Context, d time.Duration) error { paused = true; return now.Sleep(ctx, d) },
		Backend: backendFunc(func(ctx context.Context, r gate.Request) (any, error) { sent++; return accepts(ctx, r) }),
		Guard: guardFunc(func(context.Context, gate.Call) error {
			if paused {
				return gate.ErrPaused
			}
			return nil
		}),
	})
	cfg := configOf(t, g, act)
	if err := stopLogging(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := stopLogging(t.Context(), cfg); !errors.Is(err, gate.ErrPaused) || sent != 1 {
		t.Errorf("sent %d, %v", sent, err)
	}
}

func TestNoRoomBeforeTheDeadline(t *testing.T) {
	book := &ledger{}
	g := open(t, gate.Options{Pace: gate.PaceAlways, Journal: book, Backend: backendFunc(accepts)})
	cfg := configOf(t, g, act)
	if err := stopLogging(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	for range 3 {
		err := stopLogging(ctx, cfg)
		if !errors.Is(err, gate.ErrQuotaWait) || !strings.Contains(err.Error(), "1 calls a second") || ctx.Err() != nil {
			t.Fatalf("error is %v, context %v", err, ctx.Err())
		}
	}
	if c := book.last(t); c.Outcome != gate.Failed || c.Attempts != 0 {
		t.Errorf("journalled %+v", c)
	}
}

func TestACancelledWaitGivesItsTokenBack(t *testing.T) {
	now := newClock()
	cancelled := 3
	g := open(t, gate.Options{Pace: gate.PaceAlways, Clock: now.Now, Backend: backendFunc(accepts), Sleep: func(ctx context.Context, d time.Duration) error {
		if cancelled--; cancelled >= 0 {
			return context.Canceled
		}
		return now.Sleep(ctx, d)
	}})
	cfg := configOf(t, g, act)
	for i, want := range []error{nil, context.Canceled, context.Canceled, context.Canceled, nil} {
		if err := stopLogging(t.Context(), cfg); !errors.Is(err, want) {
			t.Errorf("call %d: %v, want %v", i, err, want)
		}
	}
	if diff := cmp.Diff([]time.Duration{time.Second}, now.slept); diff != "" {
		t.Errorf("waits (-want +got):\n%s", diff)
	}
}

func TestACancelledWaitEndsAtOnce(t *testing.T) {
	g := open(t, gate.Options{Pace: gate.PaceAlways, Backend: backendFunc(accepts)})
	cfg := configOf(t, g, act)
	if err := stopLogging(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	start := time.Now()
	if err := stopLogging(ctx, cfg); !errors.Is(err, context.Canceled) || time.Since(start) > 900*time.Millisecond {
		t.Errorf("error %v after %s", err, time.Since(start))
	}
}

func TestWhatIsPacedByDefault(t *testing.T) {
	for endpoint, want := range map[string]bool{
		"":                      true,
		"http://127.0.0.1:5000": false,
		"https://vpce-1.cloudtrail.eu-west-1.vpce.amazonaws.com":     true,
		"https://vpce-1.cloudtrail.cn-north-1.vpce.amazonaws.com.cn": true,
		"https://amazonaws.com.example.org":                          false,
	} {
		g := open(t, gate.Options{Endpoint: endpoint})
		if got := gate.IsPaced(g); got != want {
			t.Errorf("endpoint %q: paced %t", endpoint, got)
		}
	}
	if gate.IsPaced(open(t, gate.Options{Backend: backendFunc(accepts)})) {
		t.Error("a backend is paced")
	}
}
