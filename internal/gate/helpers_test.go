// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/switchback-project/switchback/internal/gate"
)

const (
	account = "111122223333"
	other   = "444455556666"
	region  = "eu-west-1"
	keyID   = "AKIAIOSFODNN7EXAMPLE"
	secret  = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

// ledger is a Journal that remembers.
type ledger struct {
	mu           sync.Mutex
	intended     []gate.Call
	done         []gate.Call
	intendErr    error
	doneErr      error
	older        []string // request ids of an earlier process
	beforeIntend func()
}

func (l *ledger) Intend(_ context.Context, c gate.Call) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.beforeIntend != nil {
		l.beforeIntend()
	}
	l.intended = append(l.intended, c)
	return l.intendErr
}

func (l *ledger) Done(ctx context.Context, c gate.Call) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.done = append(l.done, c)
	return l.doneErr
}

func (l *ledger) IsOwn(_ context.Context, id string) (bool, error) {
	return slices.Contains(l.older, id), nil
}

// last returns the latest finished call.
func (l *ledger) last(t *testing.T) gate.Call {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.done) == 0 {
		t.Fatal("nothing was journalled")
	}
	return l.done[len(l.done)-1]
}

// backendFunc is a Backend of one function.
type backendFunc func(ctx context.Context, r gate.Request) (any, error)

func (f backendFunc) Do(ctx context.Context, r gate.Request) (any, error) { return f(ctx, r) }

// accepts answers every call that the tests make.
func accepts(_ context.Context, r gate.Request) (any, error) {
	switch r.Operation {
	case "GetCallerIdentity":
		return &sts.GetCallerIdentityOutput{Account: aws.String(account)}, nil
	case "DescribeTrails":
		return &cloudtrail.DescribeTrailsOutput{}, nil
	}
	return &cloudtrail.StopLoggingOutput{}, nil
}

// guardFunc is a Guard of one function.
type guardFunc func(ctx context.Context, c gate.Call) error

func (f guardFunc) Allow(ctx context.Context, c gate.Call) error { return f(ctx, c) }

// clock is simulated time: sleeping moves it.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 5, 4, 10, 30, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	c.slept = append(c.slept, d)
	return ctx.Err()
}

func open(t testing.TB, o gate.Options) *gate.Gate {
	t.Helper()
	g, err := gate.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func configOf(t testing.TB, g *gate.Gate, s gate.Scope) aws.Config {
	t.Helper()
	cfg, err := g.Door(s).Config(t.Context(), account, region)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

var act = gate.Scope{Incident: "42", Execution: "x1", Runbook: "cloudtrail-off", Action: "cloudtrail:StartLogging", Class: gate.ClassRestore, Mode: gate.Act}

func stopLogging(ctx context.Context, cfg aws.Config, fns ...func(*cloudtrail.Options)) error {
	_, err := cloudtrail.NewFromConfig(cfg).StopLogging(ctx, &cloudtrail.StopLoggingInput{Name: aws.String("main")}, fns...)
	return err
}

// live serves requests like AWS. GetCallerIdentity is answered for every test; the rest goes to handle.
func live(t testing.TB, o gate.Options, handle http.HandlerFunc) *gate.Gate {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if string(body) == "Action=GetCallerIdentity&Version=2011-06-15" {
			w.Header().Set("Content-Type", "text/xml")
			_, _ = io.WriteString(w, `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>`+
				`<Arn>arn:aws:iam::`+account+`:user/responder</Arn><UserId>AIDAEXAMPLE</UserId><Account>`+account+`</Account>`+
				`</GetCallerIdentityResult><ResponseMetadata><RequestId>11111111-1111-4111-8111-111111111111</RequestId></ResponseMetadata></GetCallerIdentityResponse>`)
			return
		}
		handle(w, r)
	}))
	t.Cleanup(server.Close)
	o.Endpoint = server.URL
	if o.Credentials == nil {
		o.Credentials = credentials.NewStaticCredentialsProvider(keyID, secret, "")
	}
	return open(t, o)
}

func requestIDOf(m middleware.Metadata) (string, bool) { return awsmiddleware.GetRequestIDMetadata(m) }

// answerJSON answers like a JSON API.
func answerJSON(w http.ResponseWriter, status int, requestID, body string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.Header().Set("X-Amzn-RequestId", requestID)
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// logged collects log lines.
type logged struct {
	mu    sync.Mutex
	lines []string
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(p))
	return len(p), nil
}

func (l *logged) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

// TestMain keeps the developer's own AWS configuration out of the tests.
func TestMain(m *testing.M) {
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "AWS_") {
			_ = os.Unsetenv(name)
		}
	}
	_ = os.Setenv("AWS_CONFIG_FILE", os.DevNull)
	_ = os.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
	_ = os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	os.Exit(m.Run())
}
