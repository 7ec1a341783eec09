// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/switchback-project/switchback/internal/gate"
)

const amzID = "22222222-2222-4222-8222-222222222222"

func TestLiveCallIsMarkedSignedAndJournalled(t *testing.T) {
	book := &ledger{}
	var got *http.Request
	g := live(t, gate.Options{Journal: book, Version: "1.2.3"}, func(w http.ResponseWriter, r *http.Request) {
		got = r
		answerJSON(w, 200, amzID, `{}`)
	})
	if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil {
		t.Fatal(err)
	}
	if target := got.Header.Get("X-Amz-Target"); !strings.HasSuffix(target, ".StopLogging") {
		t.Errorf("target %q", target)
	}
	if ua := got.UserAgent(); !strings.Contains(ua, " switchback/1.2.3 ") || !strings.Contains(ua, " incident/42") {
		t.Errorf("user agent %q", ua)
	}
	if auth := got.Header.Get("Authorization"); !strings.Contains(auth, "Credential="+keyID+"/") || !strings.Contains(auth, "/"+region+"/cloudtrail/") {
		t.Errorf("authorization %q", auth)
	}
	c := book.last(t)
	if c.RequestID != amzID || c.HTTPStatus != 200 || c.AccessKeyID != keyID || c.Account != account || c.Outcome != gate.Sent {
		t.Errorf("journalled %+v", c)
	}
	if own, err := g.IsOwn(t.Context(), amzID); !own || err != nil {
		t.Errorf("own: %t, %v", own, err)
	}
}

func TestDryRunSendsNothingLive(t *testing.T) {
	g := live(t, gate.Options{DryRun: true}, func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("%s left the process", r.Header.Get("X-Amz-Target"))
	})
	if err := stopLogging(t.Context(), configOf(t, g, act)); !errors.Is(err, gate.ErrDryRun) {
		t.Errorf("error is %v", err)
	}
}

func TestOwnCredentialsReachTheirAccountOnly(t *testing.T) {
	g := live(t, gate.Options{}, func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, 200, amzID, `{}`) })
	_, err := g.Door(act).Config(t.Context(), other, region)
	if !errors.Is(err, gate.ErrNoAccess) || !strings.Contains(err.Error(), other) || !strings.Contains(err.Error(), account) {
		t.Errorf("error is %v", err)
	}
	who, err := g.Caller(t.Context(), "", region)
	want := gate.Identity{Account: account, ARN: "arn:aws:iam::" + account + ":user/responder", UserID: "AIDAEXAMPLE"}
	if err != nil || who != want {
		t.Errorf("caller %+v, %v", who, err)
	}
}

// TestPauseBetweenLiveAttemptsStopsTheNext has a guard that fails with what the SDK would retry, were it AWS's answer.
func TestPauseBetweenLiveAttemptsStopsTheNext(t *testing.T) {
	book := &ledger{}
	asked, requests := 0, 0
	o := gate.Options{Journal: book, Guard: guardFunc(func(context.Context, gate.Call) error {
		if asked++; asked > 1 {
			return &smithy.GenericAPIError{Code: "ThrottlingException", Message: "the store is busy"}
		}
		return nil
	})}
	g := live(t, o, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		answerJSON(w, 503, amzID, `{"__type":"ServiceUnavailable"}`)
	})
	err := stopLogging(t.Context(), configOf(t, g, act))
	var kept *gate.NotSent
	if !errors.As(err, &kept) || !errors.Is(err, gate.ErrPaused) || requests != 1 || asked != 2 {
		t.Fatalf("%d requests, guard asked %d times, error %v", requests, asked, err)
	}
	if c := book.last(t); c.Outcome != gate.Failed || c.RequestID != amzID || c.ErrorCode != "" || !strings.Contains(c.Reason, "the store is busy") {
		t.Errorf("journalled %+v", c)
	}
}

func TestServerFaultsAreRetriedValidationIsNot(t *testing.T) {
	book := &ledger{}
	ids := []string{"first", "second", "third"}
	requests := 0
	g := live(t, gate.Options{Journal: book}, func(w http.ResponseWriter, _ *http.Request) {
		status := 500
		if requests == 2 {
			status = 200
		}
		requests++
		answerJSON(w, status, ids[requests-1], `{}`)
	})
	cfg := configOf(t, g, act)
	if err := stopLogging(t.Context(), cfg); err != nil || requests != 3 {
		t.Fatalf("%d requests, %v", requests, err)
	}
	c := book.last(t)
	if c.Attempts != 3 || c.RequestID != "third" || !slices.Equal(c.EarlierRequestIDs, ids[:2]) {
		t.Errorf("journalled %+v", c)
	}
	for _, id := range ids {
		if own, err := g.IsOwn(t.Context(), id); !own || err != nil {
			t.Errorf("attempt %s is not ours (%v)", id, err)
		}
	}
	calls := len(book.done)
	if _, err := cloudtrail.NewFromConfig(cfg).StopLogging(t.Context(), nil); err == nil || requests != 3 || len(book.done) != calls {
		t.Errorf("an invalid input: %d requests, %d journalled, %v", requests-3, len(book.done)-calls, err)
	}
}

func TestATrailThatIsNotReadyIsRetried(t *testing.T) {
	requests := 0
	g := live(t, gate.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		if requests++; requests == 1 {
			answerJSON(w, 400, amzID, `{"__type":"ConflictException","message":"wait a few minutes"}`)
			return
		}
		answerJSON(w, 200, strings.Repeat("x", 5000), `{}`)
	})
	if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil || requests != 2 {
		t.Errorf("%d requests, %v", requests, err)
	}
	if own, err := g.IsOwn(t.Context(), strings.Repeat("x", 256)); !own || err != nil {
		t.Errorf("an endless request id was not cut: %t, %v", own, err)
	}
}

func TestWebPagesAreReadable(t *testing.T) {
	t.Setenv("AWS_MAX_ATTEMPTS", "9") // does not take the bound away
	const page = "<!doctype html>\n<html lang=en><head><style>p{color:red}</style></head><title>500 Internal Server Error</title>\n" +
		"<h1>Internal Server Error</h1><p>The server encountered an internal error.</p>"
	for name, tc := range map[string]struct{ status, requests int }{
		"an emulator that lacks the operation": {500, 1},
		"a gateway for a moment":               {502, 5},
	} {
		t.Run(name, func(t *testing.T) {
			book := &ledger{}
			requests := 0
			g := live(t, gate.Options{Journal: book}, func(w http.ResponseWriter, _ *http.Request) {
				requests++
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, page)
			})
			_, err := cloudtrail.NewFromConfig(configOf(t, g, act)).LookupEvents(t.Context(), nil)
			var api smithy.APIError
			if !errors.As(err, &api) || api.ErrorCode() != "WebPage" || requests != tc.requests {
				t.Fatalf("%d requests (want %d), error %v", requests, tc.requests, err)
			}
			for _, want := range []string{"LookupEvents", "web page", "The server encountered an internal error."} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error lacks %q: %v", want, err)
				}
			}
			if strings.Contains(err.Error(), "<") || strings.Contains(err.Error(), "color") {
				t.Errorf("error holds markup: %v", err)
			}
			if c := book.last(t); c.HTTPStatus != tc.status || c.Outcome != gate.Failed {
				t.Errorf("journalled %+v", c)
			}
		})
	}
}

func TestUnreachableEndpoint(t *testing.T) {
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	book := &ledger{}
	g := open(t, gate.Options{
		Endpoint: server.URL, Journal: book, MaxAttempts: 2, Region: region,
		Credentials: credentials.NewStaticCredentialsProvider(keyID, secret, ""),
	})
	_, err := g.Door(act).Config(t.Context(), account, region)
	if err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Fatalf("error is %v", err)
	}
	if c := book.last(t); c.Outcome != gate.Failed || c.HTTPStatus != 0 || c.Attempts != 2 {
		t.Errorf("journalled %+v", c)
	}
}

// TestCustomEndpointHasOneHostName uses a name, not an address: for addresses the SDK does the right thing by itself.
func TestCustomEndpointHasOneHostName(t *testing.T) {
	var path, host string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, host = r.URL.Path, r.Host
		w.WriteHeader(http.StatusNotFound)
	}))
	defer server.Close()
	endpoint := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	check := func(t *testing.T, o gate.Options, hasLogs bool) {
		t.Helper()
		o.Credentials = credentials.NewStaticCredentialsProvider(keyID, secret, "")
		o.MaxAttempts = 1
		cfg := gate.ConfigUnverified(open(t, o).Door(act), account, region)
		path, host = "", ""
		_, err := s3.NewFromConfig(cfg).GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String("trail-logs"), Key: aws.String("a/b")})
		if err == nil || path != "/trail-logs/a/b" {
			t.Errorf("path %q of host %q, %v", path, host, err)
		}
		if !hasLogs {
			return
		}
		path, host = "", ""
		_, err = cloudwatchlogs.NewFromConfig(cfg).GetLogObject(t.Context(), &cloudwatchlogs.GetLogObjectInput{LogObjectPointer: aws.String("p")})
		if err == nil || "http://"+host != endpoint {
			t.Errorf("host %q, %v", host, err)
		}
	}
	t.Run("option", func(t *testing.T) { check(t, gate.Options{Endpoint: endpoint}, true) })
	t.Run("environment", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL", endpoint)
		check(t, gate.Options{}, true)
	})
	t.Run("environment of one service", func(t *testing.T) {
		t.Setenv("AWS_ENDPOINT_URL_S3", endpoint)
		check(t, gate.Options{}, false)
	})
}

func TestPresigningAMutationIsAMutation(t *testing.T) {
	wireless := func(_ http.ResponseWriter, r *http.Request) { t.Errorf("presigning sent %s %s", r.Method, r.URL) }
	book := &ledger{}
	g := live(t, gate.Options{Journal: book}, wireless)
	bucket, object := aws.String("evidence"), aws.String("memory.lime")
	observed := s3.NewPresignClient(s3.NewFromConfig(configOf(t, g, gate.Scope{})))

	_, putErr := observed.PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: object})
	_, deleteErr := observed.PresignDeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: object})
	_, postErr := observed.PresignPostObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: object})
	for name, err := range map[string]error{"put": putErr, "delete": deleteErr, "post": postErr} {
		if !errors.Is(err, gate.ErrDryRun) {
			t.Errorf("presigned %s in dry-run: error %v", name, err)
		}
	}
	if c := book.last(t); !c.IsPresign || c.Outcome != gate.Intended {
		t.Errorf("journalled %+v", c)
	}

	get, err := observed.PresignGetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: object})
	if err != nil || !strings.Contains(get.URL, "X-Amz-Signature=") {
		t.Errorf("a presigned read: %v", err)
	}
	who, err := sts.NewPresignClient(sts.NewFromConfig(configOf(t, g, gate.Scope{}))).PresignGetCallerIdentity(t.Context(), nil)
	if err != nil || !strings.Contains(who.URL, "Action=GetCallerIdentity") {
		t.Errorf("a presigned proof of identity: %v", err)
	}
	put, err := s3.NewPresignClient(s3.NewFromConfig(configOf(t, g, act))).PresignPutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: object})
	if err != nil || !strings.Contains(put.URL, "X-Amz-Signature=") {
		t.Errorf("presigned put in act: %v", err)
	}
	if c := book.intended[len(book.intended)-1]; !c.IsPresign || c.Target != "evidence/memory.lime" {
		t.Errorf("intended %+v", c)
	}
}

func TestPresigningOnABackend(t *testing.T) {
	g := open(t, gate.Options{Backend: backendFunc(func(_ context.Context, r gate.Request) (any, error) {
		t.Errorf("presigning called the backend with %s", r.Operation)
		return nil, errors.New("unexpected")
	})})
	in := &s3.GetObjectInput{Bucket: aws.String("b"), Key: aws.String("k")}
	if _, err := s3.NewPresignClient(s3.NewFromConfig(configOf(t, g, gate.Scope{}))).PresignGetObject(t.Context(), in); err != nil {
		t.Error(err)
	}
	cfg := gate.BackendConfig(backendFunc(accepts), account, region, aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, "")
	if _, err := s3.NewPresignClient(s3.NewFromConfig(cfg)).PresignGetObject(t.Context(), in); err != nil {
		t.Error(err)
	}
}

// TestTheGateCannotBeTakenOut plays an action that tries.
func TestTheGateCannotBeTakenOut(t *testing.T) {
	requests := 0
	g := live(t, gate.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		answerJSON(w, 200, amzID, `{}`)
	})
	cfg := configOf(t, g, act) // even where mutations are allowed
	requests = 0
	strip := func(o *cloudtrail.Options) { o.APIOptions = nil }
	ownClient := func(o *cloudtrail.Options) { o.HTTPClient = http.DefaultClient }
	for name, fns := range map[string][]func(*cloudtrail.Options){
		"middleware removed":                        {strip},
		"middleware removed, own HTTP client":       {strip, ownClient},
		"middleware removed, no retries":            {strip, func(o *cloudtrail.Options) { o.Retryer = aws.NopRetryer{} }},
		"middleware removed, another's credentials": {strip, func(o *cloudtrail.Options) { o.Credentials = credentials.NewStaticCredentialsProvider("a", "b", "") }},
	} {
		if err := stopLogging(t.Context(), cfg, fns...); !errors.Is(err, gate.ErrBypass) {
			t.Errorf("%s: error %v", name, err)
		}
	}
	_, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.APIOptions, o.Credentials = nil, aws.AnonymousCredentials{} }).
		PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String("open"), Key: aws.String("k")})
	if !errors.Is(err, gate.ErrBypass) {
		t.Errorf("unsigned: error %v", err)
	}
	if err := piggyback(t.Context(), cfg, strip); !errors.Is(err, gate.ErrBypass) {
		t.Errorf("in the context of a read: error %v", err)
	}
	if _, err := cfg.Credentials.Retrieve(t.Context()); !errors.Is(err, gate.ErrBypass) {
		t.Errorf("credentials handed out: %v", err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+region+".invalid/", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := cfg.HTTPClient.Do(request)
	if !errors.Is(err, gate.ErrBypass) {
		t.Errorf("HTTP client lent out: %v", err)
	}
	if resp != nil {
		_ = resp.Body.Close()
	}
	if requests != 0 {
		t.Errorf("%d requests left", requests)
	}
}

// piggyback makes a mutation from inside a read that passed, with the read's context.
func piggyback(ctx context.Context, cfg aws.Config, strip func(*cloudtrail.Options)) error {
	var inner error
	_, err := cloudtrail.NewFromConfig(cfg).DescribeTrails(ctx, nil, func(o *cloudtrail.Options) {
		o.APIOptions = append(slices.Clone(o.APIOptions), func(stack *middleware.Stack) error {
			return stack.Build.Add(middleware.BuildMiddlewareFunc("piggyback", func(
				ctx context.Context, _ middleware.BuildInput, _ middleware.BuildHandler,
			) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
				inner = stopLogging(ctx, cfg, strip)
				return out, metadata, inner
			}), middleware.After)
		})
	})
	return errors.Join(inner, err)
}
