// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/switchback-project/switchback/internal/engine"
)

const benchInput = `{"trail":"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"}`

// mixed is ten states of which every other is a Task.
func mixed() string {
	var states []string
	for i := 1; i < 10; i += 2 {
		end := `"End":true`
		if i < 9 {
			end = fmt.Sprintf(`"Next":"S%d"`, i+2)
		}
		states = append(states, task(fmt.Sprint("S", i), fmt.Sprintf(`"OutputPath":"$.in","Next":"S%d"`, i+1)),
			fmt.Sprintf(`"S%d":{"Type":"Pass",%s}`, i+1, end))
	}
	return machine("S1", states...)
}

// BenchmarkExecutions runs whole executions of ten states, from Start to the end, each transition on disk before its
// effect.
func BenchmarkExecutions(b *testing.B) {
	for name, definition := range map[string]string{"TenTasks": chain(10), "FiveTasksFivePasses": mixed()} {
		b.Run(name, func(b *testing.B) {
			var ended sync.WaitGroup
			done := func(context.Context, engine.Execution) error { ended.Done(); return nil }
			db := openDB(b, fresh(b))
			e, err := engine.Open(b.Context(), db.Executions(), map[string][]byte{"m": []byte(definition)},
				func(_ context.Context, t engine.Task) (json.RawMessage, error) { return t.Parameters, nil }, engine.Options{Ended: done})
			if err != nil {
				b.Fatal(err)
			}
			stop := running(b, e)
			b.ReportAllocs()
			b.ResetTimer()
			ended.Add(b.N)
			startMany(b, e, b.N)
			ended.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "executions/s")
			stop()
			e.Close()
		})
	}
}

// startMany starts executions from as many goroutines as events come in on.
func startMany(tb testing.TB, e *engine.Engine, n int) {
	names := make(chan int)
	var wait sync.WaitGroup
	for range 64 {
		wait.Go(func() {
			for i := range names {
				r := engine.StartRequest{Machine: "m", Name: fmt.Sprint("x", i), Input: json.RawMessage(benchInput)}
				if _, err := e.Start(tb.Context(), r); err != nil {
					tb.Error(err)
				}
			}
		})
	}
	for i := range n {
		names <- i
	}
	close(names)
	wait.Wait()
}

// TestIdleExecutionsAreNotInMemory has thousands of executions wait for a timer and for a person.
func TestIdleExecutionsAreNotInMemory(t *testing.T) {
	const count, limit = 1500, 2 << 10
	both := `{"StartAt":"P","States":{"P":{"Type":"Parallel","End":true,"Branches":[` + dayLong + `,` + asking + `]}}}`
	w := newWorld(t, fresh(t), strings.ReplaceAll(both, `"TimeoutSeconds":3600,`, ""),
		func(context.Context, engine.Task) (json.RawMessage, error) { return json.RawMessage(`{}`), nil }, engine.Options{})
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	w.start(t, "first", `{}`)
	w.runDue(t)
	before := heap()
	startMany(t, w.Engine, count)
	w.runDue(t)
	after := heap()
	if all, err := w.List(t.Context(), engine.Filter{Status: "RUNNING"}); err != nil || len(all) != count+1 {
		t.Fatalf("%d executions wait, want %d, error %v", len(all), count+1, err)
	}
	each := (int64(after) - int64(before)) / count
	t.Logf("%d bytes an execution", each)
	if each > limit {
		t.Errorf("%d idle executions keep %d bytes each in memory, at most %d are allowed", count, each, limit)
	}
}
