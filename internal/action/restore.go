// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// Restorer puts one kind of resource back that a trail depends on. T is the kind's type in package trail.
type Restorer[T any] interface {
	// Info describes the action; Fields and IsChange are filled in.
	Info() Info
	Kind() trail.Kind
	// Apply alters now to want wherever now is weaker, with as few calls as possible, and leaves alone what is not. It
	// returns AWS's id of its last request.
	Apply(ctx context.Context, env *Env, d trail.Dependency, want, now T) (requestID string, err error)
	// Revert alters now back to before, exactly: it undoes Apply. What cannot be taken back is an error that says why.
	Revert(ctx context.Context, env *Env, d trail.Dependency, before, now T) error
}

// Guide is a Restorer that knows what its calls do not mend.
type Guide[T any] interface {
	// Guide says what is left for a person in now. The differences in the fields of beyond do not count against the
	// restore: the trail can do without.
	Guide(d trail.Dependency, want, now T) (advice Advice, beyond []string)
}

// Surveyor is a Restorer that looks, beside the resource, at what its baseline says belongs to it.
type Surveyor[T any] interface {
	// Survey completes now, which was just read.
	Survey(ctx context.Context, env *Env, d trail.Dependency, want, now T) (T, error)
}

// Refused is a Restorer that knows who can act where AWS refuses us.
type Refused interface {
	WhenRefused(d trail.Dependency) (whoCan string)
}

// ErrorNeedsPerson names what no call of ours mends and the trail cannot do without; the cause says who can, and how.
const ErrorNeedsPerson = "Switchback.NeedsPerson"

// NeedsPerson is an error of that name.
func NeedsPerson(format string, args ...any) error {
	return &asl.Error{Name: ErrorNeedsPerson, Cause: cut(fmt.Sprintf(format, args...))}
}

// RestoreParams are the parameters of every action that Restore makes.
type RestoreParams struct {
	Resource arn.ARN `json:"resource"`
	// Account and Region are where to look for it; see trail.Dependency.
	Account string `json:"account"`
	Region  string `json:"region,omitempty"`
	// BaselineAt names the snapshot of the resource to go back to by the time when it was taken.
	BaselineAt time.Time `json:"baseline_at"`
	// want is the snapshot's content with what is planned, filled in by Prepare.
	want json.RawMessage
}

// Restore makes an action of r: it goes back to a snapshot of the resource, wherever the resource is weaker now.
func Restore[T any](r Restorer[T]) Undoer { return Change(restorer[T]{r}) }

type restorer[T any] struct{ r Restorer[T] }

func (a restorer[T]) Info() Info { return a.r.Info() }

func (p RestoreParams) dependency(kind trail.Kind) trail.Dependency {
	return trail.Dependency{Kind: kind, ARN: p.Resource, Account: p.Account, Region: p.Region}
}

// Prepare reads the snapshot.
func (a restorer[T]) Prepare(ctx context.Context, env *Env, p RestoreParams) (RestoreParams, Target, error) {
	if env.Snapshots == nil {
		return p, Target{}, errors.New("no store of snapshots is wired")
	}
	s, err := env.Snapshots.SnapshotBefore(ctx, p.Resource, p.BaselineAt.Add(time.Nanosecond))
	if err != nil {
		return p, Target{}, fmt.Errorf("read the baseline of %s: %w", p.Resource, err)
	}
	if !s.TakenAt.Equal(p.BaselineAt) || s.Kind != string(a.r.Kind()) {
		return p, Target{}, fmt.Errorf("read the baseline of %s: there is none of kind %s taken at %s", p.Resource, a.r.Kind(), p.BaselineAt)
	}
	if p.want, err = a.planned(ctx, env, p.Resource, s.Content); err != nil {
		return p, Target{}, err
	}
	return p, Target{Account: p.Account, Region: p.Region, ARN: string(p.Resource)}, nil
}

// planned takes what planned changes set, until their end, into what is gone back to: what is put back beside it must not
// undo it.
func (a restorer[T]) planned(ctx context.Context, env *Env, resource arn.ARN, content json.RawMessage) (json.RawMessage, error) {
	plan, err := env.PlanOf(ctx, resource, nil)
	if err != nil {
		return nil, err
	}
	return Allow(ctx, plan, content, DependencyForm(a.r.Kind()))
}

func (a restorer[T]) Read(ctx context.Context, env *Env, p RestoreParams) (json.RawMessage, error) {
	now, err := state.ReadDependency(ctx, env.Door, p.dependency(a.r.Kind()))
	if err != nil {
		return nil, a.explain(p, err)
	}
	surveyor, ok := a.r.(Surveyor[T])
	if !ok {
		return now, nil
	}
	want, have, err := both[T](p, now)
	if err != nil {
		return nil, err
	}
	if have, err = surveyor.Survey(ctx, env, p.dependency(a.r.Kind()), want, have); err != nil {
		return nil, a.explain(p, err)
	}
	return encode(have)
}

func both[T any](p RestoreParams, now json.RawMessage) (want, have T, err error) {
	if err := errors.Join(json.Unmarshal(p.want, &want), json.Unmarshal(now, &have)); err != nil {
		return want, have, fmt.Errorf("read configurations of %s: %w", p.Resource, err)
	}
	return want, have, nil
}

// explain puts who can act before a refusal.
func (a restorer[T]) explain(p RestoreParams, err error) error {
	refused, ok := a.r.(Refused)
	if !ok || !IsDenied(err) {
		return err
	}
	return fmt.Errorf("%s (%w)", refused.WhenRefused(p.dependency(a.r.Kind())), err)
}

// Advise implements Adviser.
func (a restorer[T]) Advise(p RestoreParams, now json.RawMessage) Advice {
	advice, _ := a.guide(p, now)
	return advice
}

func (a restorer[T]) guide(p RestoreParams, now json.RawMessage) (Advice, []string) {
	guide, ok := a.r.(Guide[T])
	if !ok {
		return Advice{}, nil
	}
	want, have, err := both[T](p, now)
	if err != nil {
		return Advice{}, nil // WeakenedDependency says so
	}
	return guide.Guide(p.dependency(a.r.Kind()), want, have)
}

func (a restorer[T]) IsInPlace(p RestoreParams, now json.RawMessage) (bool, string) {
	weaker, err := trail.WeakenedDependency(a.r.Kind(), p.want, now)
	_, beyond := a.guide(p, now)
	weaker = slices.DeleteFunc(weaker, func(d trail.Difference) bool { return slices.Contains(beyond, d.Field) })
	switch {
	case err != nil:
		return false, err.Error()
	case len(weaker) == 0:
		return true, fmt.Sprintf("%s %s is as its baseline asks for", a.r.Kind(), p.Resource)
	}
	return false, fmt.Sprintf("%s %s: %s", a.r.Kind(), p.Resource, weaker[0].Sentence())
}

func (a restorer[T]) Do(ctx context.Context, env *Env, p RestoreParams, now json.RawMessage) (string, error) {
	want, have, err := both[T](p, now)
	if err != nil {
		return "", err
	}
	requestID, err := a.r.Apply(ctx, env, p.dependency(a.r.Kind()), want, have)
	return requestID, a.explain(p, err)
}

func (a restorer[T]) Undo(ctx context.Context, env *Env, p RestoreParams, before json.RawMessage) error {
	now, err := a.Read(ctx, env, p)
	if err != nil {
		return err
	}
	p.want = before
	was, have, err := both[T](p, now)
	if err != nil {
		return err
	}
	return a.explain(p, a.r.Revert(ctx, env, p.dependency(a.r.Kind()), was, have))
}

// Lowers is always so: what was put back had been weaker.
func (restorer[T]) Lowers(json.RawMessage) bool { return true }
