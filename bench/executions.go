// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/engine"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// input is what each of the ten tasks of an execution gets and gives back.
const input = `{"trail":"arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"}`

// tasks is how many an execution has, one after the other.
const tasks = 10

// How many executions a round takes: about a second of ours, some seconds of the peer.
const (
	ourExecutions   = 4000
	theirExecutions = 100
)

func executions() []comparison {
	const what, unit = "executions of ten tasks, on disk", "/s"
	return []comparison{
		{what, "go-workflows 1.2.0 on SQLite", unit, 100, "", besideWorkflows},
		{what, "SQLite, its rows in group commits", unit, 0, "", besideSQLite},
	}
}

func besideWorkflows(ctx context.Context, rounds int, round func(ours, theirs float64)) error {
	return inTurns(rounds, inFolder(ctx, ourExecutions, runEngine), inFolder(ctx, theirExecutions, runWorkflows), round)
}

func besideSQLite(ctx context.Context, rounds int, round func(ours, theirs float64)) error {
	return inTurns(rounds, inFolder(ctx, ourExecutions, runEngine), inFolder(ctx, ourExecutions, runSQLite), round)
}

// inFolder gives each round an empty folder on the same disk. What is measured is the work, not opening and closing.
func inFolder(ctx context.Context, count int, run func(ctx context.Context, folder string, count int) (float64, error)) measure {
	return func() (perSecond float64, err error) {
		folder, err := os.MkdirTemp("", "switchback-bench-")
		if err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
		return run(ctx, folder, count)
	}
}

// machine is the state machine of ten tasks that pass on their input.
func machine() []byte {
	var states []string
	for i := 1; i <= tasks; i++ {
		next := fmt.Sprintf(`"Next":"S%d"`, i+1)
		if i == tasks {
			next = `"End":true`
		}
		states = append(states, fmt.Sprintf(`"S%d":{"Type":"Task","Resource":"switchback:test:Work","Parameters":{"in.$":"$"},"OutputPath":"$.in",%s}`, i, next))
	}
	return []byte(`{"StartAt":"S1","States":{` + strings.Join(states, ",") + `}}`)
}

// runEngine is ours: from the first Start to the last end.
func runEngine(ctx context.Context, folder string, count int) (perSecond float64, err error) {
	db, err := sqlite.Open(ctx, filepath.Join(folder, "switchback.db"), sqlite.Options{})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var ended sync.WaitGroup
	ended.Add(count)
	e, err := engine.Open(ctx, db.Executions(), map[string][]byte{"ten": machine()},
		func(_ context.Context, t engine.Task) (json.RawMessage, error) { return t.Parameters, nil },
		engine.Options{Ended: func(context.Context, engine.Execution) error { ended.Done(); return nil }})
	if err != nil {
		return 0, err
	}
	defer e.Close()
	running, stop := context.WithCancel(ctx)
	var loop sync.WaitGroup
	defer loop.Wait()
	defer stop()
	loop.Go(func() { _ = e.Run(running) }) // ends with the context, and says so
	perSecond, err = timed(count, func() error {
		defer ended.Wait()
		return atOnce(count, func(n int) error {
			_, err := e.Start(ctx, engine.StartRequest{Machine: "ten", Name: fmt.Sprint("x", n), Input: json.RawMessage(input)})
			return err
		})
	})
	return perSecond, errors.Join(err, verify(ctx, e, count))
}

// verify makes sure that the work was done.
func verify(ctx context.Context, e *engine.Engine, count int) error {
	succeeded, err := e.List(ctx, engine.Filter{Status: asl.Succeeded})
	if err != nil || len(succeeded) != count {
		return fmt.Errorf("%d executions succeeded, want %d: %w", len(succeeded), count, err)
	}
	for _, x := range succeeded {
		if string(x.Output) != input {
			return fmt.Errorf("execution %s ended with %s", x.Name, x.Output)
		}
	}
	return nil
}

// atOnce calls do for each number below count from 64 goroutines: as many events come in at a time.
func atOnce(count int, do func(n int) error) error {
	numbers := make(chan int)
	var wait sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		wait.Go(func() {
			for n := range numbers {
				errs[i] = errors.Join(errs[i], do(n))
			}
		})
	}
	for n := range count {
		numbers <- n
	}
	close(numbers)
	wait.Wait()
	return errors.Join(errs...)
}
