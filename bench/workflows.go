// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/cschleiden/go-workflows/backend"
	"github.com/cschleiden/go-workflows/backend/sqlite"
	"github.com/cschleiden/go-workflows/client"
	"github.com/cschleiden/go-workflows/worker"
	"github.com/cschleiden/go-workflows/workflow"
)

// patience bounds how long a round of the peer may take.
const patience = 5 * time.Minute

// workflows is a round of the peer: the state machine of ours as a workflow of theirs.
type workflows struct {
	left      atomic.Int64  // activities
	done      chan struct{} // closed when the last one is
	instances []*workflow.Instance
}

func (w *workflows) ten(ctx workflow.Context, in string) (string, error) {
	for range tasks {
		var err error
		if in, err = workflow.ExecuteActivity[string](ctx, workflow.DefaultActivityOptions, w.passOn, in).Get(ctx); err != nil {
			return "", err
		}
	}
	return in, nil
}

// passOn is an activity. The last one tells, since asking the peer whether it is done would hold it up.
func (w *workflows) passOn(_ context.Context, in string) (string, error) {
	if w.left.Add(-1) == 0 {
		close(w.done)
	}
	return in, nil
}

// runWorkflows runs the peer as it comes, on its SQLite backend: a file with journal_mode=WAL and busy_timeout=5000, on one
// connection. It leaves synchronous at SQLite's default, FULL, so that a commit is on disk when it returns, as with ours.
// More pollers, shorter pauses between them and SingleWorkerMode make it slower, since they wait for the one connection;
// so do more executions at a time.
func runWorkflows(ctx context.Context, folder string, count int) (perSecond float64, err error) {
	b := sqlite.NewSqliteBackend(filepath.Join(folder, "workflows.db"), sqlite.WithBackendOptions(backend.WithLogger(slog.New(slog.DiscardHandler))))
	round := &workflows{done: make(chan struct{}), instances: make([]*workflow.Instance, count)}
	round.left.Store(int64(tasks * count))
	w := worker.New(b, nil)
	err = errors.Join(w.RegisterWorkflow(round.ten), w.RegisterActivity(round.passOn))
	if err != nil {
		return 0, err
	}
	running, stop := context.WithCancel(ctx)
	defer stop()
	if err := w.Start(running); err != nil {
		return 0, err
	}
	c := client.New(b)
	perSecond, err = timed(count, func() error { return round.run(ctx, c) })
	if err == nil {
		err = round.verify(ctx, c)
	}
	stop()
	return perSecond, errors.Join(err, w.WaitForCompletion(), b.Close())
}

// run lasts until the last activity is done; that the peer then writes the ends is its gain.
func (w *workflows) run(ctx context.Context, c *client.Client) error {
	err := atOnce(len(w.instances), func(n int) (err error) {
		w.instances[n], err = c.CreateWorkflowInstance(ctx, client.WorkflowInstanceOptions{InstanceID: fmt.Sprint("x", n)}, w.ten, input)
		return err
	})
	if err != nil {
		return err
	}
	select {
	case <-w.done:
		return nil
	case <-time.After(patience):
		return fmt.Errorf("%d activities were not done within %s", w.left.Load(), patience)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// verify makes sure that the work was done.
func (w *workflows) verify(ctx context.Context, c *client.Client) error {
	for _, instance := range w.instances {
		output, err := client.GetWorkflowResult[string](ctx, c, instance, patience)
		if err != nil || output != input {
			return fmt.Errorf("workflow %s ended with %q: %w", instance.InstanceID, output, err)
		}
	}
	return nil
}
