// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Request is one call as a Backend sees it.
type Request struct {
	// Account and Region are those that the aws.Config was made for; Account is "" where the gate asks whose the
	// credentials are (sts:GetCallerIdentity).
	Account, Region string
	// Service is the SDK's ServiceID, "CloudTrail"; Operation the API's name, "StopLogging".
	Service, Operation string
	// Input is the SDK's typed input, *cloudtrail.StopLoggingInput, validated by the SDK. It belongs to the caller:
	// a backend MUST NOT change it and MUST copy what it keeps.
	Input any
	// AccessKeyID of the credentials that would have signed the call: who calls.
	AccessKeyID string
	// UserAgent is never empty; calls of the gate hold "switchback/VERSION" and, inside one, "incident/ID".
	UserAgent string
	// RequestID is chosen by the gate, new for each attempt, and known to IsOwn before Do is called. The backend puts
	// it into the event record.
	RequestID string
}

// Backend answers instead of AWS: the sandbox.
type Backend interface {
	// Do returns the SDK's typed output (*cloudtrail.StopLoggingOutput, a new one for each call) or a typed SDK error
	// (*types.TrailNotFoundException, or any smithy.APIError). It is called from many goroutines at once. Errors that
	// the SDK would retry (throttling, server faults) are retried by the gate. An error may tell its HTTP status by a
	// method HTTPStatusCode() int; without one it is 400 for the client's faults and 500 for the server's.
	Do(ctx context.Context, r Request) (output any, err error)
}

// callBackend asks the backend as often as the SDK would ask AWS. The call ends here: nothing is serialized, signed or
// sent.
func (e *entrance) callBackend(ctx context.Context, p *passage, input any, metadata *middleware.Metadata) (any, error) {
	g := e.gate
	for {
		if err := g.toll(ctx, p); err != nil {
			return nil, err
		}
		id := g.o.NewID()
		p.ids = append(p.ids, id)
		g.own.add(id, p.call.IsMutation)
		out, err := g.o.Backend.Do(ctx, Request{
			Account: e.account, Region: e.region, Service: p.call.Service, Operation: p.call.Operation,
			Input: input, AccessKeyID: p.call.AccessKeyID, UserAgent: e.userAgent, RequestID: id,
		})
		p.call.HTTPStatus, err = backendAnswer(out, err, id)
		if err == nil {
			awsmiddleware.SetRequestIDMetadata(metadata, id)
			return out, nil
		}
		if p.call.Attempts >= g.retryer.MaxAttempts() || !g.retryer.IsErrorRetryable(err) {
			return nil, err
		}
		delay, delayErr := g.retryer.RetryDelay(p.call.Attempts, err)
		if delayErr != nil {
			return nil, errors.Join(err, delayErr)
		}
		if sleepErr := g.o.Sleep(ctx, delay); sleepErr != nil {
			return nil, errors.Join(err, sleepErr)
		}
	}
}

// backendBackoff is the SDK's for throttling without its jitter: there is no crowd to spread, and a simulation with the same
// seed must take the same time.
func backendBackoff(attempt int, _ error) (time.Duration, error) {
	return min(time.Second<<(attempt-1), retry.DefaultMaxBackoff), nil
}

// backendAnswer wraps an error as the SDK does, so that code which looks for a status or a request id finds it.
func backendAnswer(out any, err error, id string) (int, error) {
	if err == nil && out == nil {
		return 0, errNilOutput
	}
	if err == nil {
		return http.StatusOK, nil
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return 0, err
	}
	status := http.StatusBadRequest
	if api.ErrorFault() == smithy.FaultServer {
		status = http.StatusInternalServerError
	}
	var told interface{ HTTPStatusCode() int }
	if errors.As(err, &told) {
		status = told.HTTPStatusCode()
	}
	return status, &awshttp.ResponseError{RequestID: id, ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody}},
		Err:      err,
	}}
}

// BackendConfig returns a configuration for the same Backend past the gate: no policy, no journal, no retries. It is how
// the sandbox's other principals act, an attacker or an administrator of a scenario, and it never reaches a network. The
// calls carry creds.AccessKeyID and userAgent ("" for the SDK's own).
func BackendConfig(b Backend, account, region string, creds aws.Credentials, userAgent string) aws.Config {
	d := direct{
		backend: b, account: account, region: region, key: creds.AccessKeyID,
		userAgent: cmp.Or(userAgent, aws.SDKName+"/"+aws.SDKVersion),
	}
	return aws.Config{
		Region:      region,
		Credentials: credentials.StaticCredentialsProvider{Value: creds},
		HTTPClient:  noNetwork{},
		APIOptions: []func(*middleware.Stack) error{func(stack *middleware.Stack) error {
			if _, presign := stack.Initialize.Get(presignID); presign {
				return nil
			}
			return stack.Initialize.Add(d, middleware.After)
		}},
	}
}

// direct is the middleware of BackendConfig.
type direct struct {
	backend                         Backend
	account, region, key, userAgent string
}

// ID names the middleware.
func (direct) ID() string { return "SwitchbackBackend" }

// HandleInitialize asks the backend once.
func (d direct) HandleInitialize(
	ctx context.Context, in middleware.InitializeInput, _ middleware.InitializeHandler,
) (out middleware.InitializeOutput, metadata middleware.Metadata, err error) {
	id := newUUID()
	out.Result, err = d.backend.Do(ctx, Request{
		Account: d.account, Region: d.region,
		Service: awsmiddleware.GetServiceID(ctx), Operation: awsmiddleware.GetOperationName(ctx),
		Input: in.Parameters, AccessKeyID: d.key, UserAgent: d.userAgent, RequestID: id,
	})
	_, err = backendAnswer(out.Result, err, id)
	if err == nil {
		awsmiddleware.SetRequestIDMetadata(&metadata, id)
	}
	return out, metadata, err
}
