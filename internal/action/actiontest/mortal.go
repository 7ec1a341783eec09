// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package actiontest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
)

var errKilled = errors.New("the process was killed")

// steps counts what a process does to the outside and kills it at one of them: from then on nothing it does has an
// effect, as nothing of a dead process has.
type steps struct {
	mu        sync.Mutex
	n         int
	sent      int
	dead      bool
	kill      func()
	killAt    int // 0 never
	killAfter bool
}

// begin starts a new process.
func (s *steps) begin(kill func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n, s.dead, s.kill = 0, false, kill
}

func (s *steps) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

// mutations is how many mutating calls reached AWS, over all processes.
func (s *steps) mutations() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sent
}

// take does one step.
func (s *steps) take(operation string, do func() error) error {
	s.mu.Lock()
	if !s.dead {
		s.n++
	}
	hit := s.n == s.killAt
	if s.dead || hit && !s.killAfter {
		s.die()
		s.mu.Unlock()
		return errKilled
	}
	if isMutation(operation) {
		s.sent++
	}
	s.mu.Unlock()
	err := do()
	s.mu.Lock()
	defer s.mu.Unlock()
	if hit {
		s.die()
		return errKilled
	}
	return err
}

func (s *steps) die() {
	s.dead = true
	if s.kill != nil {
		s.kill()
	}
}

// isMutation goes by the verb, as the names of the operations in use allow; "" is a step of the store.
func isMutation(operation string) bool {
	for _, verb := range []string{"Get", "List", "Describe", "Head", "Lookup", "AssumeRole"} {
		if strings.HasPrefix(operation, verb) {
			return false
		}
	}
	return operation != ""
}

type mortalBackend struct {
	gate.Backend
	steps *steps
}

// Do implements gate.Backend.
func (b mortalBackend) Do(ctx context.Context, r gate.Request) (out any, err error) {
	err = b.steps.take(r.Operation, func() error {
		out, err = b.Backend.Do(ctx, r)
		return err
	})
	return out, err
}

// mortalClient counts the calls of JSON protocols, which name their operation in a header, as CloudTrail's do.
type mortalClient struct{ steps *steps }

// Do implements aws.HTTPClient.
func (c mortalClient) Do(r *http.Request) (answer *http.Response, err error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	if i := strings.LastIndex(operation, "."); i >= 0 {
		operation = operation[i+1:]
	}
	err = c.steps.take(operation, func() error {
		answer, err = http.DefaultClient.Do(r)
		return err
	})
	if err != nil && answer != nil {
		return nil, errors.Join(err, answer.Body.Close())
	}
	return answer, err
}

// mortalUndos is the store's part: its writes are steps too.
type mortalUndos struct {
	*sqlite.DB
	steps *steps
}

var _ incident.Undos = mortalUndos{}

// RecordUndo implements incident.Undos.
func (u mortalUndos) RecordUndo(ctx context.Context, r incident.Undo) (out incident.Undo, err error) {
	err = u.steps.take("", func() error {
		out, err = u.DB.RecordUndo(ctx, r)
		return err
	})
	return out, err
}

// MarkDone implements incident.Undos.
func (u mortalUndos) MarkDone(ctx context.Context, id incident.ID, key string) error {
	return u.steps.take("", func() error { return u.DB.MarkDone(ctx, id, key) })
}

// DropUndo implements incident.Undos.
func (u mortalUndos) DropUndo(ctx context.Context, id incident.ID, key string) error {
	return u.steps.take("", func() error { return u.DB.DropUndo(ctx, id, key) })
}

// MarkUndone implements incident.Undos.
func (u mortalUndos) MarkUndone(ctx context.Context, id incident.ID, key, by string, at time.Time) error {
	return u.steps.take("", func() error { return u.DB.MarkUndone(ctx, id, key, by, at) })
}
