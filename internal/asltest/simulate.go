// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package asltest runs state machines in simulated time and compares them with recordings of AWS. Only tests import it:
// those of asl, and those of internal/jsonata, which brings the second query language.
package asltest

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/asl"
)

// Start is when simulated executions begin.
var Start = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Answer is what a simulated worker does with a task: it answers after a delay, or never.
type Answer struct {
	After   time.Duration
	Output  string // JSON text
	Failure *asl.Error
	Never   bool
	// Heartbeats are sent at these times after the task was handed out.
	Heartbeats []time.Duration
}

// Simulation drives one execution. The zero value of its options works for machines without tasks.
type Simulation struct {
	Machine *asl.Machine
	// Worker answers tasks; nil makes any task an error.
	Worker func(asl.TaskRequest) Answer
	// Store, if set, replaces the Run after every call: a test that sends it through its JSON form proves that nothing
	// else is kept.
	Store func(*asl.Run) (*asl.Run, error)
	// Limit bounds the number of calls; zero means 100,000.
	Limit int

	run    *asl.Run
	now    time.Time
	events []asl.Event
	queue  []appointment
	calls  int
}

// appointment is something that a worker does at a time.
type appointment struct {
	at        time.Time
	task      string
	answer    Answer
	heartbeat bool
}

// Result is how a simulated execution ended.
type Result struct {
	Run    *asl.Run
	Events []asl.Event
	// Elapsed is the simulated time.
	Elapsed time.Duration
}

// Types returns the event types in order.
func (r Result) Types() []string {
	types := make([]string, len(r.Events))
	for i, e := range r.Events {
		types[i] = e.Type
	}
	return types
}

// Do runs the execution to its end.
func (s *Simulation) Do(input string) (Result, error) {
	s.now = Start
	if s.Limit == 0 {
		s.Limit = 100_000
	}
	run, effects, err := s.Machine.Start(Info, json.RawMessage(input), s.now)
	if err != nil {
		return Result{}, err
	}
	if err := s.took(run, effects); err != nil {
		return Result{}, err
	}
	for s.run.Status() == asl.Running {
		if err := s.step(); err != nil {
			return Result{}, err
		}
	}
	return Result{Run: s.run, Events: s.events, Elapsed: s.now.Sub(Start)}, nil
}

// Info is what simulated executions are told about themselves.
var Info = asl.ExecutionInfo{
	ID:               "arn:aws:states:eu-west-1:111122223333:execution:machine:run",
	Name:             "run",
	RoleARN:          "arn:aws:iam::111122223333:role/machine",
	StateMachineID:   "arn:aws:states:eu-west-1:111122223333:stateMachine:machine",
	StateMachineName: "machine",
}

// took stores the run and makes the effects of a call visible.
func (s *Simulation) took(run *asl.Run, effects asl.Effects) error {
	if s.calls++; s.calls > s.Limit {
		return fmt.Errorf("execution did not end within %d calls", s.Limit)
	}
	s.run = run
	if s.Store != nil {
		stored, err := s.Store(run)
		if err != nil {
			return fmt.Errorf("store run: %w", err)
		}
		s.run = stored
	}
	s.events = append(s.events, effects.Events...)
	for _, task := range effects.Tasks {
		if s.Worker == nil {
			return fmt.Errorf("no worker for %s", task.Resource)
		}
		s.schedule(task.ID, s.Worker(task))
	}
	return nil
}

func (s *Simulation) schedule(task string, answer Answer) {
	for _, after := range answer.Heartbeats {
		s.queue = append(s.queue, appointment{s.now.Add(after), task, Answer{}, true})
	}
	if !answer.Never {
		s.queue = append(s.queue, appointment{s.now.Add(answer.After), task, answer, false})
	}
}

// step does whatever comes first: what a worker does, or a timer.
func (s *Simulation) step() error {
	first := -1
	for i, a := range s.queue {
		if first < 0 || a.at.Before(s.queue[first].at) {
			first = i
		}
	}
	wake := s.run.Wake()
	if first < 0 && wake.IsZero() {
		return fmt.Errorf("execution waits for ever in %v", s.run.Current())
	}
	if first >= 0 && (wake.IsZero() || s.queue[first].at.Before(wake)) {
		a := s.queue[first]
		s.queue = append(s.queue[:first], s.queue[first+1:]...)
		return s.keep(a)
	}
	if wake.After(s.now) {
		s.now = wake
	}
	effects, err := s.Machine.Tick(s.run, s.now)
	if err != nil {
		return err
	}
	return s.took(s.run, effects)
}

func (s *Simulation) keep(a appointment) error {
	if a.at.After(s.now) {
		s.now = a.at
	}
	var effects asl.Effects
	var err error
	switch {
	case !s.awaits(a.task):
		return nil
	case a.heartbeat:
		effects, err = s.Machine.TaskHeartbeat(s.run, a.task, s.now)
	case a.answer.Failure != nil:
		effects, err = s.Machine.TaskFailed(s.run, a.task, *a.answer.Failure, s.now)
	default:
		effects, err = s.Machine.TaskSucceeded(s.run, a.task, json.RawMessage(a.answer.Output), s.now)
	}
	if err != nil {
		return err
	}
	return s.took(s.run, effects)
}

func (s *Simulation) awaits(task string) bool {
	for _, pending := range s.run.Pending() {
		if pending.ID == task {
			return true
		}
	}
	return false
}

// ThroughJSON is a Store that keeps nothing but the stored form.
func ThroughJSON(run *asl.Run) (*asl.Run, error) {
	text, err := json.Marshal(run)
	if err != nil {
		return nil, err
	}
	again := new(asl.Run)
	return again, json.Unmarshal(text, again)
}
