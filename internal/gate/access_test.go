// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/gate"
)

const role = "arn:aws:iam::" + other + ":role/switchback/responder"

// stsBackend hands out sessions with the keys ASIA1EXAMPLE, ASIA2EXAMPLE, …
type stsBackend struct {
	mu      sync.Mutex
	clock   *clock
	asked   []sts.AssumeRoleInput
	regions []string // where it was asked
	callers []string // keys that made other calls
	refuse  func(in *sts.AssumeRoleInput) error
}

func (b *stsBackend) Do(_ context.Context, r gate.Request) (any, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, ok := r.Input.(*sts.AssumeRoleInput)
	if !ok {
		b.callers = append(b.callers, r.AccessKeyID)
		return &cloudtrail.StopLoggingOutput{}, nil
	}
	b.regions = append(b.regions, r.Region)
	b.asked = append(b.asked, sts.AssumeRoleInput{
		RoleArn: in.RoleArn, RoleSessionName: in.RoleSessionName, SourceIdentity: in.SourceIdentity,
		DurationSeconds: in.DurationSeconds, ExternalId: in.ExternalId,
	})
	if b.refuse != nil {
		if err := b.refuse(in); err != nil {
			return nil, err
		}
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{
		AccessKeyId: aws.String(fmt.Sprintf("ASIA%dEXAMPLE", len(b.asked))), SecretAccessKey: aws.String("hush"), SessionToken: aws.String("hush-token"),
		Expiration: aws.Time(b.clock.Now().Add(time.Duration(*in.DurationSeconds) * time.Second)),
	}}, nil
}

func roleGate(t *testing.T, b *stsBackend, o gate.Options) *gate.Gate {
	t.Helper()
	o.Backend, o.Clock = b, b.clock.Now
	o.Accounts = map[string]gate.Access{other: {RoleARN: role, ExternalID: "ext-1"}}
	return open(t, o)
}

func stopIn(t *testing.T, g *gate.Gate, incident string) error {
	t.Helper()
	s := act
	s.Incident = incident
	cfg, err := g.Door(s).Config(t.Context(), other, region)
	if err != nil {
		t.Fatal(err)
	}
	return stopLogging(t.Context(), cfg)
}

func TestRoleSessions(t *testing.T) {
	b := &stsBackend{clock: newClock()}
	book := &ledger{}
	g := roleGate(t, b, gate.Options{Journal: book})
	stop := func(incident string) {
		t.Helper()
		if err := stopIn(t, g, incident); err != nil {
			t.Fatal(err)
		}
	}
	stop("inc 42/\u00e4")
	if len(b.asked) != 1 {
		t.Fatalf("%d sessions", len(b.asked))
	}
	in := b.asked[0]
	if *in.RoleArn != role || *in.RoleSessionName != "switchback-inc-42--" || *in.SourceIdentity != "inc-42--" || *in.DurationSeconds != 900 || *in.ExternalId != "ext-1" {
		t.Errorf("asked for %s as %s, identity %s, %d s, external id %s", *in.RoleArn, *in.RoleSessionName, *in.SourceIdentity, *in.DurationSeconds, *in.ExternalId)
	}
	if c := book.last(t); c.AccessKeyID != "ASIA1EXAMPLE" || c.Role != role || c.Account != other {
		t.Errorf("journalled %+v", c)
	}
	if c := book.done[0]; c.Operation != "AssumeRole" || c.IsMutation || c.Target != role || c.Incident != "inc 42/\u00e4" {
		t.Errorf("assuming was journalled as %+v", c)
	}

	stop("inc 42/\u00e4")
	b.clock.advance(12 * time.Minute)
	stop("inc 42/\u00e4") // cached
	stop("43")            // another incident, another session
	b.clock.advance(2 * time.Minute)
	stop("inc 42/\u00e4") // in its last minutes: renewed
	if want := []string{"ASIA1EXAMPLE", "ASIA1EXAMPLE", "ASIA1EXAMPLE", "ASIA2EXAMPLE", "ASIA3EXAMPLE"}; !slices.Equal(b.callers, want) {
		t.Errorf("callers %v, want %v", b.callers, want)
	}
	stop(strings.Repeat("x", 100))
	if last := b.asked[len(b.asked)-1]; len(*last.RoleSessionName) != 64 || len(*last.SourceIdentity) != 64 {
		t.Errorf("session name %q, identity %q", *last.RoleSessionName, *last.SourceIdentity)
	}
	stop("")
	if last := b.asked[len(b.asked)-1]; *last.RoleSessionName != "switchback" || last.SourceIdentity != nil {
		t.Errorf("outside incidents: %q, %v", *last.RoleSessionName, last.SourceIdentity)
	}
}

func TestSTSIsAskedAtHome(t *testing.T) {
	for name, tc := range map[string]struct{ home, region, want string }{
		"our own region":                {"eu-central-1", "eu-west-1", "eu-central-1"},
		"none of our own":               {"", "eu-west-1", "eu-west-1"},
		"a target in another partition": {"eu-central-1", "cn-north-1", "cn-north-1"},
	} {
		b := &stsBackend{clock: newClock()}
		cfg, err := roleGate(t, b, gate.Options{Region: tc.home}).Door(act).Config(t.Context(), other, tc.region)
		if err != nil {
			t.Fatal(err)
		}
		if err := stopLogging(t.Context(), cfg); err != nil || !slices.Equal(b.regions, []string{tc.want}) {
			t.Errorf("%s: asked in %v, want %s (%v)", name, b.regions, tc.want, err)
		}
	}
}

func TestEndedSessionsAreForgotten(t *testing.T) {
	b := &stsBackend{clock: newClock()}
	g := roleGate(t, b, gate.Options{Budget: gate.Budget{Reserve: -1}})
	for i := range 100 {
		if err := stopIn(t, g, fmt.Sprint("incident-", i)); err != nil {
			t.Fatal(err)
		}
		b.clock.advance(time.Minute)
	}
	if n := gate.Sessions(g); n > 20 {
		t.Errorf("%d sessions of 15 minutes are kept, one began each minute", n)
	}
}

func TestRoleIsNotAssumedInDryRunMutations(t *testing.T) {
	b := &stsBackend{clock: newClock()}
	g := roleGate(t, b, gate.Options{DryRun: true})
	if err := stopIn(t, g, "42"); !errors.Is(err, gate.ErrDryRun) || len(b.asked) != 0 {
		t.Errorf("%d sessions, %v", len(b.asked), err)
	}
}

func TestSourceIdentityRefused(t *testing.T) {
	b := &stsBackend{clock: newClock(), refuse: func(in *sts.AssumeRoleInput) error {
		if in.SourceIdentity == nil {
			return nil
		}
		return &smithy.GenericAPIError{Code: "AccessDenied", Message: "User: arn:aws:sts::111122223333:assumed-role/daemon/i-1 is not authorized to perform: sts:SetSourceIdentity on resource: " + role}
	}}
	var log logged
	g := roleGate(t, b, gate.Options{Logger: log.logger()})
	for _, incident := range []string{"42", "43", "44"} {
		if err := stopIn(t, g, incident); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.asked) != 4 || len(log.lines) != 1 || !strings.Contains(log.lines[0], "sts:SetSourceIdentity") {
		t.Errorf("asked %d times (want 4: once in vain), log %q", len(b.asked), log.lines)
	}
}

func TestRoleRefused(t *testing.T) {
	b := &stsBackend{clock: newClock(), refuse: func(*sts.AssumeRoleInput) error {
		return &smithy.GenericAPIError{Code: "AccessDenied", Message: "is not authorized to perform: sts:AssumeRole on resource: " + role}
	}}
	book := &ledger{}
	err := stopIn(t, roleGate(t, b, gate.Options{Journal: book}), "42")
	if err == nil || !strings.Contains(err.Error(), "assume role "+role) || len(b.asked) != 1 || len(b.callers) != 0 {
		t.Errorf("asked %d times, %v", len(b.asked), err)
	}
	if len(book.intended) != 0 {
		t.Error("a call that nobody can sign was promised")
	}
	if c := book.last(t); c.Outcome != gate.Failed || c.ErrorCode != "AccessDenied" {
		t.Errorf("journalled %+v", c)
	}
}

func TestManyWaitersAssumeOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{})
		b := &stsBackend{clock: newClock(), refuse: func(*sts.AssumeRoleInput) error {
			<-answer
			return nil
		}}
		g := roleGate(t, b, gate.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cfg, err := g.Door(act).Config(ctx, other, region)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				if err := stopLogging(t.Context(), cfg); err != nil {
					t.Error(err)
				}
			})
		}
		synctest.Wait() // one asks STS, the others wait for it
		left := make(chan error)
		go func() { left <- stopLogging(ctx, cfg) }()
		synctest.Wait()
		cancel()
		if err := <-left; !errors.Is(err, context.Canceled) {
			t.Errorf("a waiter that gave up: %v", err)
		}
		close(answer)
		wg.Wait()
		if len(b.asked) != 1 || len(b.callers) != 32 {
			t.Errorf("%d sessions for %d calls", len(b.asked), len(b.callers))
		}
	})
}

// TestLiveRoleSecretsStayHere follows a session over the wire and looks for its secrets in everything that is kept.
func TestLiveRoleSecretsStayHere(t *testing.T) {
	const sessionSecret, token = "session-secret-EXAMPLE", "session-token-EXAMPLE"
	book := &ledger{}
	var log logged
	var form url.Values
	var signedWith, sentToken string
	o := gate.Options{Journal: book, Logger: log.logger(), Accounts: map[string]gate.Access{other: {RoleARN: role}}}
	g := live(t, o, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("X-Amz-Target") != "" {
			signedWith, sentToken = r.Header.Get("Authorization"), r.Header.Get("X-Amz-Security-Token")
			answerJSON(w, 400, amzID, `{"__type":"TrailNotFoundException","message":"Unknown trail"}`)
			return
		}
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		form = r.PostForm
		w.Header().Set("Content-Type", "text/xml")
		_, _ = fmt.Fprintf(w, `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>`+
			`<AccessKeyId>ASIAIOSFODNN7EXAMPLE</AccessKeyId><SecretAccessKey>%s</SecretAccessKey><SessionToken>%s</SessionToken>`+
			`<Expiration>%s</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
			sessionSecret, token, time.Now().Add(15*time.Minute).UTC().Format(time.RFC3339))
	})
	err := stopIn(t, g, "42")
	if err == nil || form.Get("RoleSessionName") != "switchback-42" || form.Get("SourceIdentity") != "42" {
		t.Fatalf("form %v, %v", form, err)
	}
	if !strings.Contains(signedWith, "Credential=ASIAIOSFODNN7EXAMPLE/") || sentToken != token {
		t.Errorf("signed with %q", signedWith)
	}
	kept := fmt.Sprintf("%v %+v %+v %v", err, book.done, book.intended, log.lines)
	for _, hidden := range []string{sessionSecret, token, secret, "AWS4-HMAC"} {
		if strings.Contains(kept, hidden) {
			t.Errorf("%s was kept: %s", hidden, kept)
		}
	}
}
