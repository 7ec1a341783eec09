// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package contacttest gives the tests of directories an AWS account to ask: the sandbox behind the gate.
package contacttest

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// Account and Region are where the account is.
const (
	Account = "111122223333"
	Region  = "us-east-1"
)

// World is an account, with its own clock.
type World struct {
	Sandbox *sandbox.Sandbox
	Gate    *gate.Gate
	// Door can only read, as a directory's can.
	Door *gate.Door
	// Config may change the account: for the story of a test.
	Config aws.Config
	// Fail, where it is set, is asked before each call, and refuses it with its error. Set it between calls.
	Fail func(r gate.Request) error

	now time.Time
}

// New makes an account at noon of 2026-05-04.
func New(t *testing.T) *World {
	t.Helper()
	w := &World{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}
	s, err := sandbox.New(sandbox.Options{Clock: w.Clock})
	if err != nil {
		t.Fatal(err)
	}
	w.Sandbox = s
	if err := s.AddAccount(Account, "aws", "example"); err != nil {
		t.Fatal(err)
	}
	root, err := s.Root(Account)
	if err != nil {
		t.Fatal(err)
	}
	w.Gate, err = gate.Open(t.Context(), gate.Options{
		Backend: moody{w, s}, Clock: w.Clock, Region: Region,
		Sleep:       func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return root, nil }),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Door = w.Gate.Door(gate.Scope{})
	if w.Config, err = w.Gate.Door(gate.Scope{Mode: gate.Act}).Config(t.Context(), Account, Region); err != nil {
		t.Fatal(err)
	}
	return w
}

// Clock is the account's time. Tests of one world do not run beside each other.
func (w *World) Clock() time.Time { return w.now }

// Pass lets time pass.
func (w *World) Pass(d time.Duration) { w.now = w.now.Add(d) }

// moody is the sandbox on days on which it does not answer.
type moody struct {
	w    *World
	next gate.Backend
}

// Do implements gate.Backend.
func (m moody) Do(ctx context.Context, r gate.Request) (any, error) {
	if m.w.Fail != nil {
		if err := m.w.Fail(r); err != nil {
			return nil, err
		}
	}
	return m.next.Do(ctx, r)
}
