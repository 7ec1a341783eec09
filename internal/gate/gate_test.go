// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	hubtypes "github.com/aws/aws-sdk-go-v2/service/securityhub/types"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	sesv2types "github.com/aws/aws-sdk-go-v2/service/sesv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchback-project/switchback/internal/gate"
)

func TestBackendSeesTheCallAndTheJournalItsOutcome(t *testing.T) {
	var got gate.Request
	book, now := &ledger{}, newClock()
	var g *gate.Gate
	g = open(t, gate.Options{
		Journal: book, Clock: now.Now, Version: "1.2.3",
		Backend: backendFunc(func(ctx context.Context, r gate.Request) (any, error) {
			got = r
			if own, err := g.IsOwn(ctx, r.RequestID); !own || err != nil {
				t.Errorf("inside the call its request id is not ours: %t, %v", own, err)
			}
			if len(book.intended) != 1 {
				t.Error("the mutation arrived before its intention was journalled")
			}
			now.advance(3 * time.Second)
			return &cloudtrail.StopLoggingOutput{}, nil
		}),
	})
	out, err := cloudtrail.NewFromConfig(configOf(t, g, act)).StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String("main")})
	if err != nil {
		t.Fatal(err)
	}
	want := gate.Request{
		Account: account, Region: region, Service: "CloudTrail", Operation: "StopLogging",
		Input: &cloudtrail.StopLoggingInput{Name: aws.String("main")}, AccessKeyID: gate.BackendAccessKeyID,
		UserAgent: aws.SDKName + "/" + aws.SDKVersion + " switchback/1.2.3 incident/42", RequestID: got.RequestID,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(cloudtrail.StopLoggingInput{})); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if id, ok := requestIDOf(out.ResultMetadata); !ok || id != got.RequestID {
		t.Errorf("the output's metadata holds request id %q, the backend saw %q", id, got.RequestID)
	}
	call := gate.Call{
		ID: book.done[0].ID, Incident: "42", Execution: "x1", Runbook: "cloudtrail-off", Action: "cloudtrail:StartLogging", Class: "restore",
		Account: account, Region: region, Service: "CloudTrail", Operation: "StopLogging", Target: "main", IsMutation: true,
		AccessKeyID: gate.BackendAccessKeyID, Outcome: gate.Sent, RequestID: got.RequestID, Attempts: 1, HTTPStatus: 200,
		StartedAt: newClock().Now(), Duration: 3 * time.Second, Input: []byte(`{"Name":"main"}`),
	}
	if diff := cmp.Diff([]gate.Call{call}, book.done, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("done (-want +got):\n%s", diff)
	}
	call.Outcome, call.RequestID, call.Attempts, call.HTTPStatus, call.Duration = gate.Pending, "", 0, 0, 0
	if diff := cmp.Diff([]gate.Call{call}, book.intended, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("intended (-want +got):\n%s", diff)
	}
}

func TestWhatKeepsAMutation(t *testing.T) {
	policy, err := gate.ParsePolicy([]gate.Rule{{Mode: "act"}, {Account: account, Mode: "ask"}}, gate.Known{})
	if err != nil {
		t.Fatal(err)
	}
	observer := act
	observer.Mode = gate.Observe
	asking := act
	asking.Mode = gate.Ask
	approved := asking
	approved.Approved = true
	broken := errors.New("disk full")
	for name, tc := range map[string]struct {
		o       gate.Options
		book    *ledger
		scope   gate.Scope
		want    error
		outcome gate.Outcome
		reason  string
	}{
		"act":                      {scope: act, outcome: gate.Sent},
		"observe":                  {scope: observer, want: gate.ErrDryRun, outcome: gate.Intended, reason: `CloudTrail:StopLogging on "main" was not sent`},
		"zero scope":               {want: gate.ErrDryRun, outcome: gate.Intended},
		"dry-run over act":         {o: gate.Options{DryRun: true}, scope: act, want: gate.ErrDryRun, outcome: gate.Intended},
		"ask":                      {scope: asking, want: gate.ErrNeedsApproval, outcome: gate.Refused},
		"ask, approved":            {scope: approved, outcome: gate.Sent},
		"policy over act":          {o: gate.Options{Policy: &policy}, scope: act, want: gate.ErrNeedsApproval, outcome: gate.Refused, reason: "policy entry 2 (account 111122223333: ask)"},
		"policy, approved":         {o: gate.Options{Policy: &policy}, scope: func() gate.Scope { s := act; s.Approved = true; return s }(), outcome: gate.Sent},
		"empty policy":             {o: gate.Options{Policy: &gate.Policy{}}, scope: act, want: gate.ErrDryRun, outcome: gate.Intended, reason: "observe is the default"},
		"paused":                   {o: gate.Options{Guard: refuse(fmt.Errorf("%w until noon", gate.ErrPaused))}, scope: act, want: gate.ErrPaused, outcome: gate.Refused, reason: "until noon"},
		"guard unreadable":         {o: gate.Options{Guard: refuse(broken)}, scope: act, want: gate.ErrPaused, outcome: gate.Refused, reason: "disk full"},
		"guard's budget":           {o: gate.Options{Guard: refuse(gate.ErrBudget)}, scope: act, want: gate.ErrBudget, outcome: gate.Refused},
		"guard says observe":       {o: gate.Options{Guard: refuse(gate.ErrDryRun)}, scope: act, want: gate.ErrDryRun, outcome: gate.Intended},
		"intention not journalled": {book: &ledger{intendErr: broken}, scope: act, want: gate.ErrNotJournalled, outcome: gate.Refused, reason: "disk full"},
		"a budget without limit":   {o: gate.Options{Budget: gate.Budget{Reserve: -1, Limit: 1, PerActor: 1}}, scope: act, outcome: gate.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			if tc.book == nil {
				tc.book = &ledger{}
			}
			tc.o.Journal = tc.book
			tc.o.Backend = backendFunc(func(ctx context.Context, r gate.Request) (any, error) { calls++; return accepts(ctx, r) })
			err := stopLogging(t.Context(), configOf(t, open(t, tc.o), tc.scope))
			done := tc.book.last(t)
			if done.Outcome != tc.outcome || !strings.Contains(done.Reason, tc.reason) {
				t.Errorf("journalled as %s (%s), want %s (%s)", done.Outcome, done.Reason, tc.outcome, tc.reason)
			}
			if tc.want == nil {
				if err != nil || calls != 1 {
					t.Errorf("%d calls, %v; want one", calls, err)
				}
				return
			}
			var kept *gate.NotSent
			if !errors.As(err, &kept) || !errors.Is(err, tc.want) {
				t.Fatalf("error is %v, want a NotSent of %v", err, tc.want)
			}
			if calls != 0 {
				t.Errorf("the backend got %d calls", calls)
			}
			if kept.Call.Operation != "StopLogging" || kept.Call.Outcome != tc.outcome || string(kept.Call.Input) != `{"Name":"main"}` {
				t.Errorf("NotSent holds %+v", kept.Call)
			}
		})
	}
}

func refuse(err error) gate.Guard {
	return guardFunc(func(context.Context, gate.Call) error { return err })
}

func TestReadsPassEveryMode(t *testing.T) {
	book := &ledger{}
	g := open(t, gate.Options{Backend: backendFunc(accepts), DryRun: true, Guard: refuse(gate.ErrPaused), Journal: book})
	client := cloudtrail.NewFromConfig(configOf(t, g, gate.Scope{}))
	if _, err := client.DescribeTrails(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if c := book.last(t); c.Outcome != gate.Sent || c.IsMutation || len(book.intended) != 0 {
		t.Errorf("a read was journalled as %+v, intentions %d", c, len(book.intended))
	}
}

func TestPlumbingOfOurOwnQueuesOnly(t *testing.T) {
	const ours = "https://sqs.eu-west-1.amazonaws.com/111122223333/switchback"
	book := &ledger{}
	g := open(t, gate.Options{Journal: book, Backend: backendFunc(func(context.Context, gate.Request) (any, error) {
		return &sqs.DeleteMessageOutput{}, nil
	})})
	for name, tc := range map[string]struct {
		own   []string
		queue string
		want  error
	}{
		"ours":          {own: []string{ours}, queue: ours},
		"another's":     {own: []string{ours}, queue: ours + "2", want: gate.ErrDryRun},
		"an action's":   {queue: ours, want: gate.ErrDryRun},
		"an empty name": {own: []string{""}, queue: ours, want: gate.ErrDryRun},
	} {
		client := sqs.NewFromConfig(configOf(t, g, gate.Scope{Own: tc.own}))
		_, err := client.DeleteMessage(t.Context(), &sqs.DeleteMessageInput{QueueUrl: &tc.queue, ReceiptHandle: aws.String("r")})
		if !errors.Is(err, tc.want) || (err == nil) != (tc.want == nil) {
			t.Errorf("%s: error %v, want %v", name, err, tc.want)
		}
		if c := book.last(t); c.IsPlumbing != (tc.want == nil) || c.IsMutation == c.IsPlumbing {
			t.Errorf("%s: journalled as %+v", name, c)
		}
		if _, err := client.DeleteQueue(t.Context(), &sqs.DeleteQueueInput{QueueUrl: &tc.queue}); !errors.Is(err, gate.ErrDryRun) {
			t.Errorf("%s: deleting the queue: %v", name, err)
		}
	}
}

// TestTellingThroughOurOwnChannelsOnly: people hear of what happened in every mode, and nobody else can be written to.
func TestTellingThroughOurOwnChannelsOnly(t *testing.T) {
	const topic, product = "arn:aws:sns:eu-west-1:111122223333:alarm", "arn:aws:securityhub:eu-west-1:111122223333:product/111122223333/default"
	own := []string{topic, "switchback@example.com", product, ""}
	book := &ledger{}
	g := open(t, gate.Options{Journal: book, Backend: backendFunc(func(_ context.Context, r gate.Request) (any, error) {
		return map[string]any{
			"Publish": &sns.PublishOutput{}, "SendEmail": &sesv2.SendEmailOutput{}, "BatchImportFindings": &securityhub.BatchImportFindingsOutput{},
		}[r.Operation], nil
	})})
	cfg := configOf(t, g, gate.Scope{Own: own})
	publish := func(topic *string) error {
		_, err := sns.NewFromConfig(cfg).Publish(t.Context(), &sns.PublishInput{TopicArn: topic, Message: aws.String("m")})
		return err
	}
	mail := func(from *string) error {
		_, err := sesv2.NewFromConfig(cfg).SendEmail(t.Context(), &sesv2.SendEmailInput{FromEmailAddress: from, Content: &sesv2types.EmailContent{}})
		return err
	}
	findings := func(products ...string) error {
		in := &securityhub.BatchImportFindingsInput{Findings: []hubtypes.AwsSecurityFinding{}}
		for _, p := range products {
			in.Findings = append(in.Findings, finding(p))
		}
		_, err := securityhub.NewFromConfig(cfg).BatchImportFindings(t.Context(), in)
		return err
	}
	for name, tc := range map[string]struct{ got, want error }{
		"our topic":              {publish(aws.String(topic)), nil},
		"another topic":          {publish(aws.String(topic + "2")), gate.ErrDryRun},
		"no topic: a phone":      {publish(nil), gate.ErrDryRun},
		"our sender":             {mail(aws.String("switchback@example.com")), nil},
		"another sender":         {mail(aws.String("ceo@example.com")), gate.ErrDryRun},
		"no sender":              {mail(nil), gate.ErrDryRun},
		"our product":            {findings(product), nil},
		"another product beside": {findings(product, product+"2"), gate.ErrDryRun},
		"no finding":             {findings(), gate.ErrDryRun},
	} {
		if !errors.Is(tc.got, tc.want) || (tc.got == nil) != (tc.want == nil) {
			t.Errorf("%s: error %v, want %v", name, tc.got, tc.want)
		}
	}
}

func finding(product string) hubtypes.AwsSecurityFinding {
	text := aws.String("x")
	return hubtypes.AwsSecurityFinding{
		ProductArn: &product, AwsAccountId: text, CreatedAt: text, UpdatedAt: text, Description: text, GeneratorId: text, Id: text,
		SchemaVersion: text, Title: text, Resources: []hubtypes.Resource{{Id: text, Type: text}},
	}
}

func TestBackendErrorsLookLikeTheSDKs(t *testing.T) {
	for name, tc := range map[string]struct {
		err    error
		status int
		code   string
	}{
		"client fault": {err: &types.TrailNotFoundException{Message: aws.String("no such trail")}, status: 400, code: "TrailNotFoundException"},
		"server fault": {err: &smithy.GenericAPIError{Code: "InternalFailure", Fault: smithy.FaultServer}, status: 500, code: "InternalFailure"},
		"own status":   {err: statusError{&smithy.GenericAPIError{Code: "NoSuchBucket"}, 404}, status: 404, code: "NoSuchBucket"},
	} {
		t.Run(name, func(t *testing.T) {
			book := &ledger{}
			g := open(t, gate.Options{Journal: book, Sleep: newClock().Sleep, Backend: backendFunc(func(context.Context, gate.Request) (any, error) {
				return nil, tc.err
			})})
			err := stopLogging(t.Context(), configOf(t, g, act))
			var response *awshttp.ResponseError
			var op *smithy.OperationError
			if !errors.As(err, &response) || !errors.As(err, &op) || !errors.Is(err, tc.err) {
				t.Fatalf("error is %v", err)
			}
			c := book.last(t)
			if response.HTTPStatusCode() != tc.status || c.HTTPStatus != tc.status || c.ErrorCode != tc.code || c.Outcome != gate.Failed {
				t.Errorf("status %d, journalled %+v", response.HTTPStatusCode(), c)
			}
			if response.ServiceRequestID() != c.RequestID || c.RequestID == "" {
				t.Errorf("request id %q in the error, %q in the journal", response.ServiceRequestID(), c.RequestID)
			}
		})
	}
}

func TestABackendThatAnswersNothing(t *testing.T) {
	g := open(t, gate.Options{Backend: backendFunc(func(context.Context, gate.Request) (any, error) { return nil, nil })})
	if err := stopLogging(t.Context(), configOf(t, g, act)); err == nil || !strings.Contains(err.Error(), "neither an output nor an error") {
		t.Errorf("error is %v", err)
	}
}

type statusError struct {
	error
	status int
}

func (e statusError) Unwrap() error       { return e.error }
func (e statusError) HTTPStatusCode() int { return e.status }

func TestBackendThrottlingIsRetriedInSimulatedTime(t *testing.T) {
	book, now := &ledger{}, newClock()
	throttled := 2
	var ids []string
	g := open(t, gate.Options{Journal: book, Clock: now.Now, Sleep: now.Sleep, Backend: backendFunc(func(_ context.Context, r gate.Request) (any, error) {
		ids = append(ids, r.RequestID)
		if throttled--; throttled >= 0 {
			return nil, &smithy.GenericAPIError{Code: "ThrottlingException", Message: "Rate exceeded"}
		}
		return &cloudtrail.StopLoggingOutput{}, nil
	})})
	if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil {
		t.Fatal(err)
	}
	c := book.last(t)
	if c.Attempts != 3 || !cmp.Equal(now.slept, []time.Duration{time.Second, 2 * time.Second}) || c.RequestID != ids[2] || !cmp.Equal(c.EarlierRequestIDs, ids[:2]) {
		t.Errorf("attempts %d, slept %v, ids %v, journalled %s after %v", c.Attempts, now.slept, ids, c.RequestID, c.EarlierRequestIDs)
	}
	if len(book.intended) != 1 {
		t.Errorf("%d intentions for one call", len(book.intended))
	}
	for _, id := range ids {
		if own, err := g.IsOwn(t.Context(), id); !own || err != nil {
			t.Errorf("attempt %s is not ours: %v", id, err)
		}
	}

	throttled = 100
	ids = nil
	if err := stopLogging(t.Context(), configOf(t, g, act)); err == nil || len(ids) != 5 {
		t.Errorf("a backend that never lets go got %d attempts (%v), want 5", len(ids), err)
	}
}

func TestPauseBetweenAttemptsStopsTheNext(t *testing.T) {
	book, now := &ledger{}, newClock()
	paused := false
	sent := 0
	g := open(t, gate.Options{
		Journal: book, Sleep: now.Sleep,
		Guard: guardFunc(func(context.Context, gate.Call) error {
			if paused {
				return gate.ErrPaused
			}
			return nil
		}),
		Backend: backendFunc(func(context.Context, gate.Request) (any, error) {
			sent++
			paused = true
			return nil, &smithy.GenericAPIError{Code: "ThrottlingException"}
		}),
	})
	err := stopLogging(t.Context(), configOf(t, g, act))
	if !errors.Is(err, gate.ErrPaused) || sent != 1 {
		t.Fatalf("%d attempts after the pause, error %v", sent-1, err)
	}
	if c := book.last(t); c.Outcome != gate.Failed || c.Attempts != 1 {
		t.Errorf("journalled as %s after %d attempts: an attempt was made, so it has failed", c.Outcome, c.Attempts)
	}
}

func TestJournalOutlivesTheCaller(t *testing.T) {
	var log logged
	book := &ledger{}
	ctx, cancel := context.WithCancel(t.Context())
	g := open(t, gate.Options{Journal: book, Logger: log.logger(), Backend: backendFunc(func(context.Context, gate.Request) (any, error) {
		cancel()
		return &cloudtrail.StopLoggingOutput{}, nil
	})})
	if err := stopLogging(ctx, configOf(t, g, act)); err != nil {
		t.Fatal(err)
	}
	if c := book.last(t); c.Outcome != gate.Sent {
		t.Errorf("journalled as %s", c.Outcome)
	}
	book.doneErr = errors.New("disk full")
	if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil {
		t.Errorf("a call that happened was reported as failed: %v", err)
	}
	if len(log.lines) != 1 || !strings.Contains(log.lines[0], "disk full") || !strings.Contains(log.lines[0], "request_id=") {
		t.Errorf("log: %q", log.lines)
	}
}

func TestIsOwn(t *testing.T) {
	book := &ledger{older: []string{"from-before-the-restart"}}
	var ids []string
	g := open(t, gate.Options{Journal: book, Backend: backendFunc(func(ctx context.Context, r gate.Request) (any, error) {
		ids = append(ids, r.RequestID)
		return accepts(ctx, r)
	})})
	client := cloudtrail.NewFromConfig(configOf(t, g, act))
	if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil {
		t.Fatal(err)
	}
	for range 5000 { // more reads than the window holds
		if _, err := client.DescribeTrails(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	}
	for name, tc := range map[string]struct {
		id   string
		want bool
	}{
		"the mutation, after many reads": {ids[0], true},
		"the latest read":                {ids[len(ids)-1], true},
		"a read long ago":                {ids[1], false},
		"another process's":              {"from-before-the-restart", true},
		"a stranger's":                   {"11111111-1111-4111-8111-111111111111", false},
		"none":                           {"", false},
	} {
		if got, err := g.IsOwn(t.Context(), tc.id); got != tc.want || err != nil {
			t.Errorf("%s: %t, %v", name, got, err)
		}
	}
}

func TestBackendConfigIsAnybody(t *testing.T) {
	var got gate.Request
	b := backendFunc(func(_ context.Context, r gate.Request) (any, error) {
		got = r
		if *r.Input.(*cloudtrail.StopLoggingInput).Name == "gone" {
			return nil, &types.TrailNotFoundException{}
		}
		return &cloudtrail.StopLoggingOutput{}, nil
	})
	cfg := gate.BackendConfig(b, other, region, aws.Credentials{AccessKeyID: "ASIAIOSFODNN7EXAMPLE", SecretAccessKey: "s"}, "Mozilla/5.0")
	if err := stopLogging(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	want := gate.Request{
		Account: other, Region: region, Service: "CloudTrail", Operation: "StopLogging", Input: got.Input,
		AccessKeyID: "ASIAIOSFODNN7EXAMPLE", UserAgent: "Mozilla/5.0", RequestID: got.RequestID,
	}
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(cloudtrail.StopLoggingInput{})); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	_, err := cloudtrail.NewFromConfig(cfg).StopLogging(t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String("gone")})
	var missing *types.TrailNotFoundException
	if !errors.As(err, &missing) {
		t.Errorf("error is %v", err)
	}
	if own, _ := open(t, gate.Options{Backend: b}).IsOwn(t.Context(), got.RequestID); own {
		t.Error("an attacker's call counts as ours")
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, o := range map[string]gate.Options{
		"a role that is no ARN":       {Accounts: map[string]gate.Access{account: {RoleARN: "responder"}}},
		"a role of another account":   {Accounts: map[string]gate.Access{account: {RoleARN: "arn:aws:iam::444455556666:role/responder"}}},
		"a user for a role":           {Accounts: map[string]gate.Access{account: {RoleARN: "arn:aws:s3:::bucket"}}},
		"an endpoint without scheme":  {Endpoint: "localhost:5000"},
		"an endpoint of another kind": {Endpoint: "ftp://localhost"},
	} {
		if _, err := gate.Open(t.Context(), o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestConfigNeedsARegion(t *testing.T) {
	g := open(t, gate.Options{Backend: backendFunc(accepts)})
	if _, err := g.Door(act).Config(t.Context(), account, ""); !errors.Is(err, gate.ErrNoRegion) {
		t.Errorf("error is %v", err)
	}
	g = open(t, gate.Options{Backend: backendFunc(accepts), Region: region})
	cfg, err := g.Door(act).Config(t.Context(), "", "")
	if err != nil || cfg.Region != region {
		t.Errorf("region %q, %v", cfg.Region, err)
	}
}

func TestManyGoroutines(t *testing.T) {
	book := &ledger{}
	g := open(t, gate.Options{Journal: book, Backend: backendFunc(accepts), Pace: gate.PaceAlways, Sleep: newClock().Sleep, Budget: gate.Budget{Reserve: -1}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if err := stopLogging(t.Context(), configOf(t, g, act)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if len(book.done) != 400 || len(book.intended) != 400 {
		t.Errorf("%d done, %d intended, want 400", len(book.done), len(book.intended))
	}
}

func BenchmarkGatedCall(b *testing.B) {
	for name, journal := range map[string]gate.Journal{"no journal": nil, "journal": discard{}} {
		b.Run(name, func(b *testing.B) {
			g := open(b, gate.Options{Backend: backendFunc(accepts), Journal: journal, Budget: gate.Budget{Reserve: -1}})
			client := cloudtrail.NewFromConfig(configOf(b, g, act))
			in := &cloudtrail.StopLoggingInput{Name: aws.String("main")}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := client.StopLogging(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkUngatedCall is what the SDK itself costs up to the same point.
func BenchmarkUngatedCall(b *testing.B) {
	client := cloudtrail.NewFromConfig(gate.BackendConfig(backendFunc(accepts), account, region, aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}, ""))
	in := &cloudtrail.StopLoggingInput{Name: aws.String("main")}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := client.StopLogging(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkConfigAndClient is what an action pays before its first call.
func BenchmarkConfigAndClient(b *testing.B) {
	g := open(b, gate.Options{Backend: backendFunc(accepts)})
	b.ReportAllocs()
	for b.Loop() {
		cloudtrail.NewFromConfig(configOf(b, g, act))
	}
}

type discard struct{}

func (discard) Intend(context.Context, gate.Call) error { return nil }
func (discard) Done(context.Context, gate.Call) error   { return nil }
