// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

type base struct {
	Inner string `json:"inner"`
}

type params struct {
	base
	Text     string    `json:"text"`
	Optional string    `json:"optional,omitempty"`
	Moment   time.Time `json:"moment,omitzero"`
	Pointer  *int      `json:"pointer"`
	Plain    bool      `json:"plain"`
	Skipped  string    `json:"-"`
	//lint:ignore U1000 must not become a field
	hidden string
	Nested []struct{} `json:"nested,omitempty"`
}

func TestFieldsOf(t *testing.T) {
	want := []action.Field{
		{Name: "inner", Required: true}, {Name: "text", Required: true}, {Name: "optional"}, {Name: "moment"},
		{Name: "pointer"}, {Name: "plain", Required: true}, {Name: "nested"},
	}
	if diff := cmp.Diff(want, action.FieldsOf[params]()); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestQueryDecodesStrictly(t *testing.T) {
	q := action.Query(action.Info{ID: "test:Query", IsChange: true}, func(_ context.Context, _ *action.Env, p params) (params, error) {
		return p, nil
	})
	if q.Info().IsChange || len(q.Info().Fields) != 7 {
		t.Errorf("info is %+v", q.Info())
	}
	const full = `{"inner":"i","text":"t","plain":false}`
	out, err := q.Run(t.Context(), &action.Env{}, json.RawMessage(full))
	if err != nil || !strings.Contains(string(out), `"text":"t"`) {
		t.Errorf("output %s, %v", out, err)
	}
	for name, raw := range map[string]string{
		"missing":       `{"inner":"i","plain":false}`,
		"null":          `{"inner":"i","text":null,"plain":false}`,
		"unknown":       `{"inner":"i","text":"t","plain":false,"more":1}`,
		"other case":    `{"inner":"i","Text":"t","plain":false}`,
		"wrong type":    `{"inner":"i","text":1,"plain":false}`,
		"not an object": `"text"`,
	} {
		_, err := q.Run(t.Context(), &action.Env{}, json.RawMessage(raw))
		if got := nameOf(err); got != action.ErrorInvalidParameters {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func nameOf(err error) string {
	var named *asl.Error
	if errors.As(err, &named) {
		return named.Name
	}
	return ""
}

func TestRegisterRefuses(t *testing.T) {
	fine := action.Query(action.Info{ID: "test:Registered"}, func(context.Context, *action.Env, base) (base, error) { return base{}, nil })
	action.Register(fine)
	for name, a := range map[string]action.Action{
		"empty": action.Query(action.Info{}, func(context.Context, *action.Env, base) (base, error) { return base{}, nil }),
		"form":  action.Query(action.Info{ID: "Test.Verb"}, func(context.Context, *action.Env, base) (base, error) { return base{}, nil }),
		"twice": fine,
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			action.Register(a)
		}()
	}
	var c action.Catalog
	fields, ok := c.Action("test:Registered")
	if diff := cmp.Diff([]asl.Field{{Name: "inner", Required: true}}, fields); !ok || diff != "" {
		t.Errorf("catalog %t (-want +got):\n%s", ok, diff)
	}
	if _, ok := c.Action("test:Unknown"); ok || c.IsRead("test:Unknown") || !c.IsRead("test:Registered") {
		t.Error("the catalog mixes up what is known and what reads")
	}
}

func apiError(service, code string) error {
	return &smithy.OperationError{ServiceID: service, OperationName: "X", Err: &smithy.GenericAPIError{Code: code, Message: "no"}}
}

func TestErrorNames(t *testing.T) {
	sent := &gate.NotSent{Reason: fmt.Errorf("%w: until noon", gate.ErrPaused)}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{apiError("CloudTrail", "TrailNotFoundException"), "CloudTrail.TrailNotFoundException"},
		{apiError("KMS", "DisabledException"), "Kms.DisabledException"},
		{apiError("CloudWatch Logs", "ResourceNotFoundException"), "CloudWatchLogs.ResourceNotFoundException"},
		{apiError("DynamoDB", "ConditionalCheckFailedException"), "DynamoDb.ConditionalCheckFailedException"},
		{apiError("S3", "NoSuchBucket"), "S3.NoSuchBucketException"},
		{apiError("EC2", "UnauthorizedOperation"), "Ec2.AccessDeniedException"},
		{apiError("IAM", "Throttling"), "Iam.ThrottlingException"},
		{&smithy.OperationError{ServiceID: "CloudTrail", Err: apiError("STS", "AccessDenied")}, "Sts.AccessDeniedException"},
		{&smithy.OperationError{ServiceID: "CloudTrail", Err: sent}, action.ErrorPaused},
		{gate.ErrBudget, action.ErrorBudgetSpent},
		{gate.ErrNeedsApproval, action.ErrorApprovalRequired},
		{gate.ErrNoAccess, action.ErrorNoAccess},
		{fmt.Errorf("read: %w", incident.ErrNotFound), action.ErrorNotFound},
		{&smithyhttp.RequestSendError{Err: errors.New("refused")}, action.ErrorUnreachable},
		{errors.New("odd"), action.ErrorOther},
		{&asl.Error{Name: "My.Own"}, "My.Own"},
	} {
		if got := nameOf(action.AsError(t.Context(), tc.err)); got != tc.want {
			t.Errorf("%v is %q, want %q", tc.err, got, tc.want)
		}
	}
	if action.AsError(t.Context(), nil) != nil {
		t.Error("no error has no name")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := nameOf(action.AsError(ctx, context.Canceled)); got != "" {
		t.Errorf("the end of the context is %q, want it left alone", got)
	}
	if !action.IsDenied(apiError("S3", "AccessDenied")) || action.IsDenied(apiError("S3", "NoSuchKey")) {
		t.Error("a refusal is not told from another error")
	}
	long := action.AsError(t.Context(), errors.New(strings.Repeat("ä", 5000)))
	if n := len(long.Error()); n > 1100 {
		t.Errorf("a cause has %d bytes", n)
	}
}

// lazy is a change whose effect shows only after some readings.
type lazy struct {
	readings int // until the effect shows, after it was done
	done     *bool
	reads    *int
}

func (lazy) Info() action.Info { return action.Info{ID: "test:Lazy"} }

func (lazy) Prepare(_ context.Context, _ *action.Env, p base) (base, action.Target, error) {
	return p, action.Target{}, nil
}

func (l lazy) Read(context.Context, *action.Env, base) (bool, error) {
	if *l.done {
		*l.reads++
	}
	return *l.done && *l.reads > l.readings, nil
}

func (lazy) IsInPlace(_ base, now bool) (bool, string) { return now, fmt.Sprintf("it is %t", now) }

func (l lazy) Do(context.Context, *action.Env, base, bool) (string, error) {
	*l.done = true
	return "request", nil
}

func (lazy) Undo(context.Context, *action.Env, base, bool) error { return nil }

func (lazy) Lowers(bool) bool { return false }

func TestVerifyWaitsForTheEffect(t *testing.T) {
	for _, tc := range []struct {
		readings int
		name     string // of the error
		within   time.Duration
	}{
		{0, "", 0},
		{3, "", time.Second},
		{1000, action.ErrorNotVerified, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			a := action.Change(lazy{readings: tc.readings, done: aws.Bool(false), reads: new(int)})
			_, err := a.Run(t.Context(), &action.Env{}, json.RawMessage(`{"inner":"x"}`))
			if got := nameOf(err); got != tc.name {
				t.Errorf("after %d readings: %v, want %q", tc.readings, err, tc.name)
			}
			if took := time.Since(begin); took > tc.within {
				t.Errorf("after %d readings: took %s, want at most %s", tc.readings, took, tc.within)
			}
		})
	}
}

func TestVerifyEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		a := action.Change(lazy{readings: 1000, done: aws.Bool(false), reads: new(int)})
		if _, err := a.Run(ctx, &action.Env{}, json.RawMessage(`{"inner":"x"}`)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error is %v, want the end of the context", err)
		}
	})
}

func TestChangeInAnIncidentNeedsAStore(t *testing.T) {
	done := false
	a := action.Change(lazy{done: &done, reads: new(int)})
	env := &action.Env{Incident: incident.Incident{ID: "20260504-x-1a2b3c4d"}}
	if _, err := a.Run(t.Context(), env, json.RawMessage(`{"inner":"x"}`)); err == nil || done {
		t.Errorf("error %v, done %t: a change that cannot be undone was made", err, done)
	}
}
