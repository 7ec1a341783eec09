// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// Changer is one alteration of AWS, in its parts; Change makes an Action of it. P is the parameter struct. B is what the
// action reads before and after: everything that it may alter and nothing that moves by itself, for two readings with
// the same JSON are taken for the same state.
type Changer[P, B any] interface {
	// Info describes the action; Fields and IsChange are filled in.
	Info() Info
	// Prepare completes the parameters from our own stores, without asking AWS, and says what is altered. Wrong
	// parameters are an error.
	Prepare(ctx context.Context, env *Env, p P) (P, Target, error)
	// Read reads the state.
	Read(ctx context.Context, env *Env, p P) (B, error)
	// IsInPlace reports whether now is what p asks for, and in one sentence what is or deviates.
	IsInPlace(p P, now B) (ok bool, reason string)
	// Do alters the state that was just read as now. It returns AWS's id of its last request.
	Do(ctx context.Context, env *Env, p P, now B) (requestID string, err error)
	// Undo alters the state back to before. A state that is before already is not given to it.
	Undo(ctx context.Context, env *Env, p P, before B) error
	// Lowers reports whether going back to before lowers protection.
	Lowers(before B) bool
}

// Target is the resource that a change is about.
type Target struct {
	Account, Region, ARN string
}

// Output is what every change returns.
type Output struct {
	// Changed: the state was altered by this state visit, also where an earlier attempt did it and was killed.
	Changed bool `json:"changed"`
	// Already: nothing needed altering.
	Already bool `json:"already"`
	// Intended: in dry-run; the call that would alter it was not sent.
	Intended bool            `json:"intended"`
	Reason   string          `json:"reason"`
	Before   json.RawMessage `json:"before"`
	After    json.RawMessage `json:"after"`
	// RequestID of our call; "" where this attempt made none.
	RequestID string    `json:"request_id"`
	At        time.Time `json:"at"`
	// Advice is there for changes that are Advisers.
	*Advice
}

// Advice is what a person, or the state machine, has to know about the state that a change leaves behind.
type Advice struct {
	// WhoCan says what no call of ours mends, who can, and with which command; "" for nothing.
	WhoCan string `json:"who_can"`
	// Note says what is different for good.
	Note string `json:"note"`
	// RevalidateTrail: CloudTrail has to be told of the resource anew, by UpdateTrail with the ARNs that the trail has.
	RevalidateTrail bool `json:"revalidate_trail"`
}

// Adviser is a Changer with advice about a state.
type Adviser[P, B any] interface {
	Advise(p P, now B) Advice
}

// Change makes an action of c. Running it goes: read, compare; store durably how to undo it; do; read back until the
// effect is there; mark the undo record done. So it can be killed anywhere and run again: what is in place is not done
// twice, and since the first undo record of a state visit wins, the output still tells what was there before.
//
// After a kill between storing and doing, somebody else may have put the state right; the output then says changed, and
// an undo takes back what it was before. The journal of calls tells the two apart.
func Change[P, B any](c Changer[P, B]) Undoer {
	info := c.Info()
	info.Fields = FieldsOf[P]()
	info.IsChange = true
	return change[P, B]{info, c}
}

type change[P, B any] struct {
	info Info
	c    Changer[P, B]
}

// Info implements Action.
func (a change[P, B]) Info() Info { return a.info }

// Run implements Action.
func (a change[P, B]) Run(ctx context.Context, env *Env, params json.RawMessage) (json.RawMessage, error) {
	v, err := a.visit(ctx, env, params)
	if err != nil {
		return nil, err
	}
	out, err := a.run(ctx, env, v)
	if err != nil {
		return nil, AsError(ctx, err)
	}
	return encode(out)
}

// visit is what one run is about.
type visit[P any] struct {
	p      P
	params json.RawMessage
	target Target
}

func (a change[P, B]) visit(ctx context.Context, env *Env, params json.RawMessage) (visit[P], error) {
	p, err := decodeParameters[P](a.info.Fields, params)
	if err != nil {
		return visit[P]{}, err
	}
	p, target, err := a.c.Prepare(ctx, env, p)
	if ctx.Err() != nil {
		return visit[P]{}, err
	}
	if err != nil {
		return visit[P]{}, invalid("%v", err)
	}
	return visit[P]{p, params, target}, nil
}

func (a change[P, B]) run(ctx context.Context, env *Env, v visit[P]) (Output, error) {
	earlier, err := earlierAttempt(ctx, env)
	if err != nil {
		return Output{}, err
	}
	now, err := a.c.Read(ctx, env, v.p)
	if err != nil {
		return Output{}, err
	}
	if ok, reason := a.c.IsInPlace(v.p, now); ok {
		if earlier == nil {
			return a.output(env, Output{Already: true, Reason: reason, Advice: a.advise(v.p, now)}, now, now)
		}
		return a.finish(ctx, env, *earlier, now, Output{
			Changed: true, Reason: reason + " (done by an earlier attempt)", Advice: a.advise(v.p, now),
		})
	}
	undo, err := a.record(ctx, env, v, now)
	if err != nil {
		return Output{}, err
	}
	requestID, err := a.c.Do(ctx, env, v.p, now)
	if earlier == nil && hadNoEffect(err) {
		err = errors.Join(err, drop(ctx, env, undo))
	}
	if errors.Is(err, gate.ErrDryRun) {
		_, reason := a.c.IsInPlace(v.p, now)
		return a.output(env, Output{Intended: true, Reason: "dry-run: " + reason, Advice: a.advise(v.p, now)}, now, nil)
	}
	if err != nil {
		return Output{}, err
	}
	after, reason, err := a.verify(ctx, env, v.p)
	if err != nil {
		return Output{}, err
	}
	return a.finish(ctx, env, undo, after, Output{Changed: true, Reason: reason, RequestID: requestID, Advice: a.advise(v.p, after)})
}

func (a change[P, B]) advise(p P, now B) *Advice {
	adviser, ok := a.c.(Adviser[P, B])
	if !ok {
		return nil
	}
	advice := adviser.Advise(p, now)
	return &advice
}

// hadNoEffect reports whether an error of a change says that nothing happened: the gate kept it back, or AWS refused it.
func hadNoEffect(err error) bool {
	var some partly
	if errors.As(err, &some) {
		return false
	}
	var kept *gate.NotSent
	var named *asl.Error
	if errors.As(err, &named) && (named.Name == ErrorForeignBucket || named.Name == ErrorNoReserveBucket) {
		return true
	}
	return errors.As(err, &kept) || IsDenied(err)
}

// drop forgets how to undo what certainly did not happen: undoing it later would take away what others did meanwhile.
func drop(ctx context.Context, env *Env, u incident.Undo) error {
	if u.Incident == "" {
		return nil
	}
	if err := env.Undos.DropUndo(ctx, u.Incident, u.Key); err != nil {
		return fmt.Errorf("forget how to undo %s: %w", u.Action, err)
	}
	return nil
}

// earlierAttempt is the undo record that an earlier attempt of this state visit stored, or nil.
func earlierAttempt(ctx context.Context, env *Env) (*incident.Undo, error) {
	if env.Incident.ID == "" {
		return nil, nil
	}
	if env.Undos == nil {
		return nil, errors.New("look for an earlier attempt: no store of undo records is wired")
	}
	records, err := env.Undos.ListUndos(ctx, env.Incident.ID)
	if err != nil {
		return nil, fmt.Errorf("look for an earlier attempt: %w", err)
	}
	for _, u := range records {
		if u.Key == env.Task.key() {
			return &u, nil
		}
	}
	return nil, nil
}

// record stores how to undo what is about to be done. Outside of incidents there is nothing to undo it by.
func (a change[P, B]) record(ctx context.Context, env *Env, v visit[P], before B) (incident.Undo, error) {
	encoded, err := encode(before)
	if err != nil {
		return incident.Undo{}, err
	}
	u := incident.Undo{
		Incident: env.Incident.ID, Key: env.Task.key(), Action: a.info.ID,
		Account: v.target.Account, Region: v.target.Region, Target: v.target.ARN,
		Params: v.params, Before: encoded, CreatedAt: env.Now(), Lowers: a.c.Lowers(before),
	}
	if u.Incident == "" {
		return u, nil
	}
	stored, err := env.Undos.RecordUndo(ctx, u)
	if err != nil {
		return incident.Undo{}, fmt.Errorf("store how to undo %s: %w", a.info.ID, err)
	}
	return stored, nil
}

func (a change[P, B]) finish(ctx context.Context, env *Env, u incident.Undo, after B, out Output) (Output, error) {
	if u.Incident != "" && !u.Done {
		if err := env.Undos.MarkDone(ctx, u.Incident, u.Key); err != nil {
			return Output{}, fmt.Errorf("mark %s done: %w", a.info.ID, err)
		}
	}
	return a.output(env, out, u.Before, after)
}

func (a change[P, B]) output(env *Env, out Output, before, after any) (Output, error) {
	var err error
	if out.Before, err = shown(before); err != nil {
		return Output{}, err
	}
	if out.After, err = shown(after); err != nil {
		return Output{}, err
	}
	out.At = env.Now()
	return out, nil
}

// Verification reads back at growing intervals, some six seconds in all: AWS is eventually consistent.
const (
	verifyAttempts = 8
	verifyFirst    = 50 * time.Millisecond
)

func (a change[P, B]) verify(ctx context.Context, env *Env, p P) (B, string, error) {
	for attempt, delay := 1, verifyFirst; ; attempt, delay = attempt+1, 2*delay {
		now, err := a.c.Read(ctx, env, p)
		if err != nil && (attempt == verifyAttempts || !errors.Is(err, incident.ErrNotFound)) {
			return now, "", fmt.Errorf("read back: %w", err)
		}
		if err == nil {
			ok, reason := a.c.IsInPlace(p, now)
			if ok {
				return now, reason, nil
			}
			if attempt == verifyAttempts {
				return now, "", &asl.Error{Name: ErrorNotVerified, Cause: cut("AWS accepted the call, but: " + reason)}
			}
		}
		if err := wait(ctx, delay); err != nil {
			return now, "", fmt.Errorf("read back: %w", err)
		}
	}
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Undo implements Undoer. Its errors are those of the calls, not named for a state machine.
func (a change[P, B]) Undo(ctx context.Context, env *Env, u incident.Undo) error {
	v, err := a.visit(ctx, env, u.Params)
	if err != nil {
		return err
	}
	var before B
	if err := json.Unmarshal(u.Before, &before); err != nil {
		return fmt.Errorf("read the state before: %w", err)
	}
	isBack, err := a.isBack(ctx, env, v.p, before)
	if err != nil || isBack {
		return err
	}
	if err := a.c.Undo(ctx, env, v.p, before); err != nil {
		return err
	}
	for attempt, delay := 1, verifyFirst; attempt <= verifyAttempts; attempt, delay = attempt+1, 2*delay {
		isBack, err := a.isBack(ctx, env, v.p, before)
		if err != nil || isBack {
			return err
		}
		if err := wait(ctx, delay); err != nil {
			return err
		}
	}
	return &asl.Error{Name: ErrorNotVerified, Cause: "AWS accepted the call, but the state is not what it was before"}
}

func (a change[P, B]) isBack(ctx context.Context, env *Env, p P, before B) (bool, error) {
	now, err := a.c.Read(ctx, env, p)
	if err != nil {
		return false, err
	}
	have, err := encode(now)
	if err != nil {
		return false, err
	}
	want, err := encode(before)
	return bytes.Equal(have, want), err
}

// maxShown bounds a state in an output; the undo record has all of it.
const maxShown = 8 << 10

// shown is v as JSON, or only its size and hash when it is large; {} for nothing.
func shown(v any) (json.RawMessage, error) {
	if v == nil {
		return json.RawMessage("{}"), nil
	}
	b, err := encode(v)
	if err != nil || len(b) <= maxShown {
		return b, err
	}
	sum := sha256.Sum256(b)
	return encode(omitted{true, len(b), hex.EncodeToString(sum[:])})
}

type omitted struct {
	Omitted bool   `json:"omitted"`
	Bytes   int    `json:"bytes"`
	SHA256  string `json:"sha256"`
}

// encode turns a state or output into JSON.
func encode(v any) (json.RawMessage, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return b, nil
}

// Now is the time by the services' clock, in UTC.
func (e *Env) Now() time.Time {
	clock := e.Clock
	if clock == nil {
		clock = time.Now
	}
	return clock().UTC()
}

// key is that of what the running task stores: equal for every attempt of one state visit.
func (t Task) key() string { return cmp.Or(t.Visit, t.ID) }
