// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/switchback-project/switchback/internal/arn"
)

// BackendAccessKeyID is the key that calls carry with a Backend when Options.Credentials is nil.
const BackendAccessKeyID = "AKIASWITCHBACK000000"

// answerTimeout limits the wait for the head of an answer. The longest that an API takes by design is the 20 s of an SQS
// long poll; bodies are not limited, they may be log files of gigabytes.
const answerTimeout = time.Minute

// maxIdle connections are kept for reuse. The SDK keeps ten a host; whoever reads log files has more requests under way,
// and each connection beyond would be made anew.
const maxIdle = 128

// Options of Open. The zero value is AWS with the SDK's default credentials, no journal and no guard.
type Options struct {
	// Backend answers instead of AWS; nil means AWS.
	Backend Backend
	// Journal keeps the calls; nil keeps none.
	Journal Journal
	// Guard is asked before each mutation; nil allows.
	Guard Guard
	// Policy caps the mode of each call by its own account, so that an action which also reaches into another account
	// is judged by that one's entry; nil leaves it to Scope.Mode.
	Policy *Policy
	// OUs gives an account's path from the root to its OU, outermost first, for Policy; nil knows none.
	OUs func(account string) []string
	// Clock is time.Now by default. Budgets, pace, role sessions and Call.StartedAt go by it.
	Clock func() time.Time
	// Sleep waits for d or until ctx ends; nil waits in real time. Simulated time gives its own, so that waiting for a
	// quota, or between two attempts at a Backend, takes none. Between attempts at AWS the SDK waits in real time.
	Sleep func(ctx context.Context, d time.Duration) error
	// Accounts says which role to assume in which account (12 digits). An account that is not listed is reached with
	// the process's own credentials if they belong to it, else not at all.
	Accounts map[string]Access
	// Credentials of the process; nil is the SDK's default chain, or BackendAccessKeyID with a Backend.
	Credentials aws.CredentialsProvider
	// Region is used where Door.Config is given none; "" is the SDK's default chain.
	Region string
	// Endpoint is a base URL for all services; "" is the SDK's default chain: AWS_ENDPOINT_URL and its forms per service.
	Endpoint string
	// Version of Switchback for the user agent; "" is "dev".
	Version string
	// DryRun caps every door at Observe, whatever its Scope says: replay over live credentials.
	DryRun bool
	// Budget limits mutations; the zero value is documented there.
	Budget Budget
	// Pace says whether calls wait for AWS's quotas; the zero value does so on AWS only.
	Pace Pace
	// MaxAttempts of one call, the first included; 0 is 5.
	MaxAttempts int
	// Logger gets what has no caller to tell; nil discards.
	Logger *slog.Logger
	// HTTPClient sends what passed; nil is the SDK's with a limit of a minute until the answer's head.
	HTTPClient aws.HTTPClient
	// NewID makes Call.ID and Request.RequestID; nil makes random UUIDs. It MUST be safe for concurrent use.
	NewID func() string
}

// Gate is the one door to AWS. It is safe for concurrent use.
type Gate struct {
	o         Options
	base      aws.Config // never handed out: its credentials and HTTP client are unguarded
	transport aws.HTTPClient
	retryer   *retry.Standard // for the backend; clients get one each
	paced     bool
	realTime  bool // waiting takes real time
	rates     pacer
	budget    budget
	sessions  sessions
	callers   callers
	own       ownIDs
}

// Open loads the SDK's default configuration (environment, shared files, AWS_ENDPOINT_URL) unless there is a Backend.
// It reads files but calls no service: wrong credentials show with the first call.
func Open(ctx context.Context, o Options) (*Gate, error) {
	realTime := o.Sleep == nil
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("open gate: %w", err)
	}
	base, err := o.baseConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("open gate: %w", err)
	}
	g := &Gate{o: o, base: base, realTime: realTime, budget: newBudget(o.Budget), own: newOwnIDs()}
	g.transport = doorway{gate: g, next: base.HTTPClient}
	g.retryer = newRetryer(o.MaxAttempts, retry.BackoffDelayerFunc(backendBackoff))
	g.paced = o.Pace == PaceAlways || o.Pace == PaceAuto && o.Backend == nil && isAWS(base.BaseEndpoint)
	return g, nil
}

func (o Options) withDefaults() Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.NewID == nil {
		o.NewID = newUUID
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	o.Version = cmp.Or(o.Version, "dev")
	o.MaxAttempts = cmp.Or(o.MaxAttempts, 5)
	return o
}

func (o Options) check() error {
	for _, account := range slices.Sorted(maps.Keys(o.Accounts)) {
		access := o.Accounts[account]
		role, err := arn.Parse(access.RoleARN)
		if err != nil {
			return fmt.Errorf("role of account %q: %w", account, err)
		}
		if role.AccountID != account || role.Service != "iam" {
			return fmt.Errorf("role of account %q: %q is no IAM role of that account", account, access.RoleARN)
		}
	}
	if o.Endpoint == "" {
		return nil
	}
	u, err := url.Parse(o.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("endpoint %q is no http(s) URL", o.Endpoint)
	}
	return nil
}

func (o Options) baseConfig(ctx context.Context) (aws.Config, error) {
	if o.Backend != nil {
		return o.backendConfig(), nil
	}
	client := o.HTTPClient
	if client == nil {
		client = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
			t.ResponseHeaderTimeout = answerTimeout
			t.MaxIdleConns, t.MaxIdleConnsPerHost = maxIdle, maxIdle
		})
	}
	load := []func(*config.LoadOptions) error{config.WithHTTPClient(client)}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Credentials != nil {
		load = append(load, config.WithCredentialsProvider(o.Credentials))
	}
	if o.Endpoint != "" {
		load = append(load, config.WithBaseEndpoint(o.Endpoint))
	}
	base, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return aws.Config{}, fmt.Errorf("load AWS configuration: %w", err)
	}
	base.RetryMaxAttempts = 0 // AWS_MAX_ATTEMPTS would take the bound away from MaxAttempts
	return base, nil
}

func (o Options) backendConfig() aws.Config {
	base := aws.Config{Region: o.Region, Credentials: o.Credentials, HTTPClient: noNetwork{}}
	if base.Credentials == nil {
		base.Credentials = credentials.NewStaticCredentialsProvider(BackendAccessKeyID, "backend", "")
	}
	return base
}

// noNetwork is the HTTP client of a gate with a Backend.
type noNetwork struct{}

func (noNetwork) Do(r *http.Request) (*http.Response, error) {
	return nil, fmt.Errorf("%w: a request for %s left the backend", ErrBypass, r.URL.Host)
}

// isAWS reports whether an endpoint is AWS's own: none given, or a VPC endpoint. Quotas are those of AWS.
func isAWS(endpoint *string) bool {
	if endpoint == nil {
		return true
	}
	u, err := url.Parse(*endpoint)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(arn.Partitions(), func(p arn.Partition) bool {
		return strings.HasSuffix(u.Hostname(), "."+p.DNSSuffix)
	})
}

// sleep waits in real time.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// IsOwn reports whether a record's requestID belongs to a call that went through this gate, or through any gate that
// writes to the same Journal when that implements OwnCalls. Nobody else can make it true: AWS chooses the ids.
func (g *Gate) IsOwn(ctx context.Context, requestID string) (bool, error) {
	if requestID == "" {
		return false, nil
	}
	if g.own.has(requestID) {
		return true, nil
	}
	durable, ok := g.o.Journal.(OwnCalls)
	if !ok {
		return false, nil
	}
	own, err := durable.IsOwn(ctx, requestID)
	if err != nil {
		return false, fmt.Errorf("ask the journal for request %.80q: %w", requestID, err)
	}
	return own, nil
}

var errNilOutput = errors.New("the backend answered with neither an output nor an error")
