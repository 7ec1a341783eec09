// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"errors"

	"github.com/switchback-project/switchback/internal/gate"
)

// Steps makes the calls of a change that needs several. One that AWS refuses does not keep the others from being made:
// what can be put back is put back. One that the gate keeps back (pause, budget, dry-run) ends the rest. The zero value
// works.
type Steps struct {
	requestID string
	errs      []error
	ended     bool
	effect    bool // a call succeeded
}

// Call makes one call, client.EnableKey for instance, unless the steps have ended, and reports whether it succeeded.
func Call[I, O, Opt any](ctx context.Context, s *Steps, call func(context.Context, *I, ...func(*Opt)) (*O, error), in *I) bool {
	if s.ended || ctx.Err() != nil {
		return false
	}
	out, err := call(ctx, in)
	if err != nil {
		s.Fail(err)
		return false
	}
	s.effect = true
	if id := gate.RequestID(out); id != "" {
		s.requestID = id
	}
	return true
}

// Interpret is call with another meaning of its errors; an error that means none is success.
func Interpret[I, O, Opt any](call func(context.Context, *I, ...func(*Opt)) (*O, error), meaning func(error) error) func(context.Context, *I, ...func(*Opt)) (*O, error) {
	return func(ctx context.Context, in *I, o ...func(*Opt)) (*O, error) {
		out, err := call(ctx, in, o...)
		if err == nil {
			return out, nil
		}
		if err = meaning(err); err != nil {
			return nil, err
		}
		return new(O), nil
	}
}

// Fail notes that something could not be done.
func (s *Steps) Fail(err error) {
	var kept *gate.NotSent
	s.ended = s.ended || errors.As(err, &kept)
	s.errs = append(s.errs, err)
}

// Result is AWS's id of the last request and what went wrong, all of it.
func (s *Steps) Result(ctx context.Context) (requestID string, err error) {
	err = errors.Join(s.errs...)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil && s.effect {
		err = partly{err}
	}
	return s.requestID, err
}

// partly is the error of a change some of whose calls took effect: how to undo them must not be forgotten.
type partly struct{ error }

// Unwrap returns what went wrong.
func (p partly) Unwrap() error { return p.error }
