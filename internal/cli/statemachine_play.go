// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
)

// passing is time that passes when it is waited for: at once, or really.
type passing struct {
	isReal bool

	mu  sync.Mutex
	now time.Time // the simulated time
}

// Now returns the time.
func (p *passing) Now() time.Time {
	if p.isReal {
		return time.Now()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.now
}

// until lets time pass.
func (p *passing) until(ctx context.Context, moment time.Time) error {
	if p.isReal {
		t := time.NewTimer(time.Until(moment))
		defer t.Stop()
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if moment.After(p.now) {
		p.now = moment
	}
	return ctx.Err()
}

// play is one execution outside of the engine: nothing of it is kept but the types of its events. Tasks are done one at a
// time, in the order in which they were handed out.
type play struct {
	machine *asl.Machine
	clock   *passing
	worker  *worker

	run    *asl.Run
	tasks  []asl.TaskRequest // handed out, not done
	events []string
}

// do plays the execution to its end.
func (p *play) do(ctx context.Context, input json.RawMessage) error {
	run, fx, err := p.machine.Start(playInfo(), input, p.clock.Now())
	if err != nil {
		return fmt.Errorf("start: %w", err)
	}
	p.run = run
	p.take(fx)
	for p.run.Status() == asl.Running {
		if fx, err = p.step(ctx); err != nil {
			return err
		}
		p.take(fx)
	}
	return nil
}

func (p *play) take(fx asl.Effects) {
	for _, e := range fx.Events {
		p.events = append(p.events, e.Type)
	}
	p.tasks = append(p.tasks, fx.Tasks...)
	for _, id := range fx.Cancelled {
		p.tasks = slices.DeleteFunc(p.tasks, func(t asl.TaskRequest) bool { return t.ID == id })
	}
}

// step does the next task, or lets time pass to the next timer.
func (p *play) step(ctx context.Context) (asl.Effects, error) {
	if err := ctx.Err(); err != nil {
		return asl.Effects{}, fmt.Errorf("the execution was interrupted in %s: %w", strings.Join(p.run.Current(), ", "), err)
	}
	if len(p.tasks) > 0 {
		t := p.tasks[0]
		p.tasks = p.tasks[1:]
		return p.perform(ctx, t)
	}
	wake := p.run.Wake()
	if wake.IsZero() {
		return asl.Effects{}, withHint(fmt.Errorf("the execution waits for ever in %s: nobody answers its task token", strings.Join(p.run.Current(), ", ")),
			"--task RESOURCE=FILE answers; TimeoutSeconds ends the wait")
	}
	if err := p.clock.until(ctx, wake); err != nil {
		return asl.Effects{}, err
	}
	return p.machine.Tick(p.run, p.clock.Now())
}

// perform does a task and tells the machine what came of it.
func (p *play) perform(ctx context.Context, t asl.TaskRequest) (asl.Effects, error) {
	output, isAnswered, err := p.worker.do(ctx, t)
	if ctx.Err() != nil {
		return asl.Effects{}, ctx.Err()
	}
	if err != nil {
		return p.machine.TaskFailed(p.run, t.ID, taskFailure(err), p.clock.Now())
	}
	end := p.machine.TaskSucceeded
	if !isAnswered {
		end = p.machine.TaskSubmitted
	}
	fx, err := end(p.run, t.ID, output, p.clock.Now())
	if err != nil {
		err = fmt.Errorf("state %s: result of %s: %w", t.State, t.Resource, err)
	}
	return fx, err
}

// taskFailure is how a state machine sees an error of a task.
func taskFailure(err error) asl.Error {
	var named *asl.Error
	if errors.As(err, &named) {
		return *named
	}
	return asl.Error{Name: action.ErrorOther, Cause: err.Error()}
}
