// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// entrance is the middleware that every call passes.
type entrance struct {
	gate            *Gate
	scope           Scope
	account, region string
	role            string
	credentials     aws.CredentialsProvider
	userAgent       string
	mode            Mode
	modeReason      string
	presign         bool
}

// passage is one call on its way. Its presence in a context is what the HTTP client and the credentials ask for. One
// goroutine works on it at a time.
type passage struct {
	call Call
	cost float64 // of one attempt in tokens of the quota
	ids  []string
}

type passageKey struct{}

// passageOf finds the passage of the call that ctx belongs to. A call made with the context of another (by a middleware of
// an action, say) does not pass on the other's.
func passageOf(ctx context.Context) *passage {
	p, _ := ctx.Value(passageKey{}).(*passage)
	if p == nil || p.call.Operation != awsmiddleware.GetOperationName(ctx) || p.call.Service != awsmiddleware.GetServiceID(ctx) {
		return nil
	}
	return p
}

// ID names the middleware.
func (*entrance) ID() string { return "SwitchbackGate" }

// HandleInitialize judges the call, lets it through or keeps it, and journals what became of it.
func (e *entrance) HandleInitialize(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	p := e.newPassage(ctx, in.Parameters)
	if err = e.admit(ctx, p); err == nil {
		through := context.WithValue(ctx, passageKey{}, p)
		if e.gate.o.Backend != nil && !e.presign {
			out.Result, err = e.callBackend(through, p, in.Parameters, &metadata)
		} else {
			out, metadata, err = next.HandleInitialize(through, in)
		}
	}
	e.gate.finish(ctx, p, err)
	return out, metadata, err
}

func (e *entrance) newPassage(ctx context.Context, input any) *passage {
	s := &e.scope
	p := &passage{cost: 1, call: Call{
		ID:       e.gate.o.NewID(),
		Incident: s.Incident, Execution: s.Execution, Runbook: s.Runbook, Action: s.Action,
		Class: s.Class, Actor: s.Actor,
		Account: e.account, Region: e.region, Role: e.role,
		Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx),
		IsPresign: e.presign,
		StartedAt: e.gate.o.Clock(),
	}}
	if s.Rate > 0 && s.Rate < 1 {
		p.cost = 1 / s.Rate
	}
	c := &p.call
	c.IsPlumbing = isPlumbing(c.Service, c.Operation, input, s.Own)
	c.IsMutation = !c.IsPlumbing && !IsRead(c.Service, c.Operation)
	if c.IsMutation || e.gate.o.Journal != nil {
		c.Target, c.Input = describe(input)
	}
	return p
}

// isPlumbing reports whether a call only moves messages of a queue, or tells people through a channel, that the scope
// names as ours.
func isPlumbing(service, operation string, input any, own []string) bool {
	path := plumbing[key{service, operation}]
	if len(own) == 0 || path == "" {
		return false
	}
	names := namesAt(reflect.ValueOf(input).Elem(), path)
	return len(names) > 0 && !slices.ContainsFunc(names, func(n string) bool { return n == "" || !slices.Contains(own, n) })
}

// namesAt are the texts of a member, "" for one that is not set. A member of a member is that of every element of a list.
func namesAt(v reflect.Value, path string) []string {
	first, rest, isNested := strings.Cut(path, ".")
	member := v.FieldByName(first)
	if !isNested {
		if member.IsNil() {
			return []string{""}
		}
		return []string{member.Elem().String()}
	}
	var all []string
	for i := range member.Len() {
		all = append(all, namesAt(member.Index(i), rest)...)
	}
	return all
}

// admit is the list of package comment "What passes".
func (e *entrance) admit(ctx context.Context, p *passage) error {
	if p.call.IsMutation {
		if err := e.checkMode(); err != nil {
			return notSent(p.call, err)
		}
	}
	creds, err := e.credentials.Retrieve(ctx)
	if err != nil {
		return fmt.Errorf("get credentials for account %s: %w", e.account, err)
	}
	p.call.AccessKeyID = creds.AccessKeyID
	if !p.call.IsMutation {
		return nil
	}
	if err := e.gate.ask(ctx, p.call); err != nil {
		return err
	}
	if err := e.gate.budget.spend(e.gate.o.Clock(), &p.call); err != nil {
		return notSent(p.call, err)
	}
	return e.gate.intend(ctx, p.call)
}

func notSent(c Call, reason error) *NotSent {
	err := &NotSent{Call: c, Reason: reason}
	err.Call.Outcome = outcome(c.Attempts, err)
	err.Call.Reason = cut(reason.Error(), maxReason)
	return err
}

func (e *entrance) checkMode() error {
	var err error
	switch {
	case e.mode == Act, e.mode == Ask && e.scope.Approved:
		return nil
	case e.mode == Ask:
		err = ErrNeedsApproval
	default:
		err = ErrDryRun
	}
	if e.modeReason != "" {
		return fmt.Errorf("%w (%s)", err, e.modeReason)
	}
	return err
}

// ask asks the guard.
func (g *Gate) ask(ctx context.Context, c Call) error {
	if g.o.Guard == nil {
		return nil
	}
	err := g.o.Guard.Allow(ctx, c)
	if err == nil {
		return nil
	}
	for _, known := range []error{ErrPaused, ErrBudget, ErrDryRun, ErrNeedsApproval} {
		if errors.Is(err, known) {
			return notSent(c, err)
		}
	}
	return notSent(c, fmt.Errorf("%w: the guard did not answer: %w", ErrPaused, err))
}

func (g *Gate) intend(ctx context.Context, c Call) error {
	if g.o.Journal == nil {
		return nil
	}
	c.Outcome = Pending
	if err := g.o.Journal.Intend(ctx, c); err != nil {
		return notSent(c, fmt.Errorf("%w: %w", ErrNotJournalled, err))
	}
	return nil
}

// finish completes the call's account and journals it.
func (g *Gate) finish(ctx context.Context, p *passage, err error) {
	if g.o.Journal == nil {
		return
	}
	c := &p.call
	c.Duration = g.o.Clock().Sub(c.StartedAt)
	if n := len(p.ids); n > 0 {
		c.RequestID, c.EarlierRequestIDs = p.ids[n-1], p.ids[:n-1]
	}
	c.Outcome = outcome(c.Attempts, err)
	if err != nil {
		c.Reason = cut(err.Error(), maxReason)
		var kept *NotSent
		var api smithy.APIError
		if !errors.As(err, &kept) && errors.As(err, &api) {
			c.ErrorCode = cut(api.ErrorCode(), 128)
		}
	}
	if jerr := g.o.Journal.Done(context.WithoutCancel(ctx), *c); jerr != nil {
		g.o.Logger.ErrorContext(ctx, "a call was not journalled", "call_id", c.ID, "service", c.Service,
			"operation", c.Operation, "outcome", string(c.Outcome), "request_id", c.RequestID, "error", jerr)
	}
}

const maxReason = 1 << 10

// outcome of a call. One that was stopped between two attempts has failed: its earlier attempt may have had its effect.
func outcome(attempts int, err error) Outcome {
	var kept *NotSent
	switch {
	case err == nil:
		return Sent
	case attempts > 0 || !errors.As(err, &kept):
		return Failed
	case errors.Is(err, ErrDryRun):
		return Intended
	default:
		return Refused
	}
}

// cut shortens s to at most n bytes, at a rune's boundary.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// toll is paid before each attempt: the quota's token, and, where time has passed since, the guard's consent again.
func (g *Gate) toll(ctx context.Context, p *passage) error {
	var waited time.Duration
	if g.paced {
		var err error
		if waited, err = g.wait(ctx, p); err != nil {
			return err
		}
	}
	if p.call.IsMutation && (waited > 0 || p.call.Attempts > 0) {
		if err := g.ask(ctx, p.call); err != nil {
			return err
		}
	}
	p.call.Attempts++
	return nil
}

// presignID is the SDK's middleware that marks presigning: the stack will sign a URL and send nothing.
const presignID = "AsIsPresigningMiddleware"
