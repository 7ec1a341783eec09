// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
)

const dayLong = `{"StartAt":"W","States":{"W":{"Type":"Wait","Seconds":86400,"End":true}}}`

func TestWaitSurvivesRestartAndClockSteps(t *testing.T) {
	path := fresh(t)
	first := newWorld(t, path, dayLong, nil, engine.Options{})
	first.start(t, "x", `{}`)
	if next := first.runDue(t); !next.Equal(noon.Add(24 * time.Hour)) {
		t.Errorf("next is due at %s", next)
	}
	first.clock.advance(-365 * 24 * time.Hour)
	first.runDue(t)
	first.Close()

	second := newWorld(t, path, dayLong, nil, engine.Options{})
	second.clock.advance(24*time.Hour - time.Nanosecond)
	second.runDue(t)
	if x, err := second.Describe(t.Context(), "x"); err != nil || x.Status != asl.Running {
		t.Fatalf("a nanosecond early it is %s, %v", x.Status, err)
	}
	second.clock.advance(365 * 24 * time.Hour)
	second.runDue(t)
	wantEnd(t, second.Engine, "x", asl.Succeeded, `{}`)
}

// TestRunFollowsTheClock sets the clock while the loop runs: it notices within a second.
func TestRunFollowsTheClock(t *testing.T) {
	ended := make(chan bool)
	w := newWorld(t, fresh(t), dayLong, nil, engine.Options{Ended: func(context.Context, engine.Execution) error {
		close(ended)
		return nil
	}})
	stop := running(t, w.Engine)
	w.start(t, "x", `{}`)
	w.clock.advance(24 * time.Hour)
	<-ended
	stop()
	wantEnd(t, w.Engine, "x", asl.Succeeded, `{}`)
}

// running runs an engine until the function that it returns is called.
func running(t testing.TB, e *engine.Engine) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := e.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("run ended with %v", err)
		}
	})
	return func() {
		cancel()
		wait.Wait()
	}
}

func TestRetriesAndCatchInSimulatedTime(t *testing.T) {
	m := machine("A",
		task("A", `"Retry":[{"ErrorEquals":["Busy"],"IntervalSeconds":2,"BackoffRate":3,"MaxAttempts":3}],"Catch":[{"ErrorEquals":["Busy"],"Next":"B"}],"End":true`),
		task("B", `"End":true`))
	log := &journal{}
	var w *world
	w = newWorld(t, fresh(t), m, func(_ context.Context, task engine.Task) (json.RawMessage, error) {
		log.add("%s at %s", task.State, w.clock.Now().Sub(noon))
		if task.State == "A" {
			return nil, asl.Error{Name: "Busy"}
		}
		return json.RawMessage(`"caught"`), nil
	}, engine.Options{})
	w.start(t, "x", `{}`)
	w.runOut(t)
	wantEnd(t, w.Engine, "x", asl.Succeeded, `"caught"`)
	if diff := cmp.Diff([]string{"A at 0s", "A at 2s", "A at 8s", "A at 26s", "B at 26s"}, log.all()); diff != "" {
		t.Error(diff)
	}
}

// TestTimeoutCancelsTheTask also covers the heartbeat: the handler beats once, then falls silent.
func TestTimeoutCancelsTheTask(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		limits string
		beat   bool
	}{
		"timeout":   {`"TimeoutSeconds":60`, false},
		"heartbeat": {`"TimeoutSeconds":600,"HeartbeatSeconds":60`, true},
	} {
		t.Run(name, func(t *testing.T) {
			started, beaten := make(chan bool), make(chan error, 2)
			ended := make(chan engine.Execution, 1)
			w := newWorld(t, fresh(t), machine("A", task("A", test.limits+`,"End":true`)), func(ctx context.Context, task engine.Task) (json.RawMessage, error) {
				started <- true
				if test.beat {
					<-started
					beaten <- task.Heartbeat(ctx)
				}
				<-ctx.Done()
				beaten <- task.Heartbeat(context.WithoutCancel(ctx))
				return json.RawMessage(`"too late"`), nil
			}, engine.Options{Ended: func(_ context.Context, x engine.Execution) error { ended <- x; return nil }})
			stop := running(t, w.Engine)
			defer stop()
			w.start(t, "x", `{}`)
			<-started
			if test.beat {
				w.clock.advance(59 * time.Second)
				started <- true
				if err := <-beaten; err != nil {
					t.Errorf("heartbeat in time: %v", err)
				}
				w.clock.advance(59 * time.Second)
				if x, err := w.Describe(t.Context(), "x"); err != nil || x.Status != asl.Running {
					t.Errorf("after a heartbeat it is %s, %v", x.Status, err)
				}
			}
			w.clock.advance(2 * time.Minute)
			if x := <-ended; x.Status != asl.Failed || x.Error != asl.ErrorTimeout {
				t.Errorf("ended as %s with %s, want %s", x.Status, x.Error, asl.ErrorTimeout)
			}
			if err := <-beaten; !errors.Is(err, asl.ErrNoTask) {
				t.Errorf("heartbeat after the timeout: %v, want ErrNoTask", err)
			}
		})
	}
}

func TestEndedExecutionsArePruned(t *testing.T) {
	w := newWorld(t, fresh(t), chain(1), nil, engine.Options{Retention: time.Hour})
	w.start(t, "x", `{}`)
	w.runDue(t)
	w.clock.advance(2 * time.Hour)
	stop := running(t, w.Engine)
	defer stop()
	for {
		if all, err := w.List(t.Context(), engine.Filter{}); err != nil || len(all) == 0 {
			if err != nil {
				t.Fatal(err)
			}
			return
		}
	}
}
