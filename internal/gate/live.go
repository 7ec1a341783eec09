// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// attempt is the middleware behind the SDK's retries: it runs before each attempt.
type attempt struct{ gate *Gate }

// ID names the middleware.
func (attempt) ID() string { return "SwitchbackAttempt" }

// HandleFinalize pays the toll.
func (a attempt) HandleFinalize(
	ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
) (middleware.FinalizeOutput, middleware.Metadata, error) {
	p := passageOf(ctx)
	if p == nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, ErrBypass
	}
	if err := a.gate.toll(ctx, p); err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	return next.HandleFinalize(ctx, in)
}

// doorway is the HTTP client of every configuration: requests without a passage do not leave.
type doorway struct {
	gate *Gate
	next aws.HTTPClient
}

// Do sends a request that passed, and learns its request id before anybody else can.
func (d doorway) Do(r *http.Request) (*http.Response, error) {
	p := passageOf(r.Context())
	if p == nil {
		return nil, fmt.Errorf("%w: %s %s", ErrBypass, r.Method, r.URL.Host)
	}
	p.call.HTTPStatus = 0
	resp, err := d.next.Do(r)
	if resp == nil {
		return resp, err
	}
	p.call.HTTPStatus = resp.StatusCode
	if id := requestID(resp.Header); id != "" {
		p.ids = append(p.ids, id)
		d.gate.own.add(id, p.call.IsMutation)
	}
	return resp, err
}

func requestID(h http.Header) string {
	for _, name := range [...]string{"X-Amzn-Requestid", "X-Amz-Request-Id", "X-Amz-Requestid"} {
		if id := h.Get(name); id != "" {
			return cut(id, 256)
		}
	}
	return ""
}

// guardedCredentials can be read by calls that passed only.
type guardedCredentials struct{ next aws.CredentialsProvider }

// Retrieve implements aws.CredentialsProvider.
func (c guardedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if passageOf(ctx) == nil {
		return aws.Credentials{}, fmt.Errorf("%w: credentials are for calls of the gate", ErrBypass)
	}
	return c.next.Retrieve(ctx)
}

// notReady are error codes that the SDK does not retry although their documentation says to try again.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html (ConflictException)
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html (OperationAborted)
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html (ConcurrentModification)
var notReady = map[string]struct{}{
	"ConcurrentModification": {}, "ConflictException": {}, "OperationAborted": {},
}

// newRetryer is the SDK's standard one. Each client has its own, so that an unreachable region does not spend the retries
// of the others. A nil backoff is the SDK's.
func newRetryer(attempts int, backoff retry.BackoffDelayer) *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.Backoff = backoff
		o.Retryables = append([]retry.IsErrorRetryable{retry.IsErrorRetryableFunc(neverRetry)}, o.Retryables...)
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: notReady})
	})
}

// neverRetry says no to what cannot become better.
func neverRetry(err error) aws.Ternary {
	var kept *NotSent
	var page *webPage
	switch {
	case errors.As(err, &kept), errors.Is(err, ErrBypass), errors.Is(err, ErrQuotaWait):
		return aws.FalseTernary
	case errors.As(err, &page) && page.final:
		return aws.FalseTernary
	}
	return aws.UnknownTernary
}

// webPage is an HTML page where an API's answer should be: from an emulator that lacks the operation, a proxy, or a load
// balancer without a server. It is a smithy.APIError.
type webPage struct {
	status, text string
	final        bool
}

func (e *webPage) Error() string {
	return fmt.Sprintf("the endpoint answered with a web page instead of an API's answer (%s): %q", e.status, e.text)
}
func (e *webPage) ErrorCode() string             { return "WebPage" }
func (e *webPage) ErrorMessage() string          { return e.Error() }
func (e *webPage) ErrorFault() smithy.ErrorFault { return smithy.FaultServer }

// readable is the innermost Deserialize middleware: it turns web pages into an error that says so, where the SDK would
// complain about the first character of the JSON.
type readable struct{ custom bool }

// ID names the middleware.
func (readable) ID() string { return "SwitchbackReadable" }

// HandleDeserialize looks at the answer before the operation's deserializer does.
func (m readable) HandleDeserialize(
	ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
) (out middleware.DeserializeOutput, metadata middleware.Metadata, err error) {
	out, metadata, err = next.HandleDeserialize(ctx, in)
	resp, ok := out.RawResponse.(*smithyhttp.Response)
	if err != nil || !ok || resp.StatusCode < 300 {
		return out, metadata, err
	}
	kind, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	if kind != "text/html" {
		return out, metadata, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, 16<<10))
	if err != nil {
		return out, metadata, fmt.Errorf("read web page: %w", err)
	}
	// An emulator answers 500 for what it lacks, again and again. Gateways answer 502 to 504 for a moment.
	return out, metadata, &webPage{
		status: http.StatusText(resp.StatusCode), text: pageText(body),
		final: m.custom && resp.StatusCode == http.StatusInternalServerError,
	}
}

var (
	pageHead = regexp.MustCompile(`(?is)<(script|style|head)\b.*?</(script|style|head)>`)
	pageTag  = regexp.MustCompile(`(?s)<[^>]*>`)
)

func pageText(body []byte) string {
	body = pageTag.ReplaceAll(pageHead.ReplaceAll(body, []byte(" ")), []byte(" "))
	return cut(strings.ToValidUTF8(string(bytes.Join(bytes.Fields(body), []byte(" "))), "\uFFFD"), 200)
}

// adaptCustomEndpoint makes a client with a base URL fit for servers that have one host name only. The SDK's options are
// one type a service with the same fields, hence reflection; the gate need not link S3 for it.
//
// https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
func adaptCustomEndpoint(_ string, options any) {
	o := reflect.ValueOf(options).Elem()
	if base, ok := field[*string](o, "BaseEndpoint"); !ok || *base == nil {
		return
	}
	if pathStyle, ok := field[bool](o, "UsePathStyle"); ok {
		*pathStyle = true
	}
	if api, ok := field[[]func(*middleware.Stack) error](o, "APIOptions"); ok {
		*api = append((*api)[:len(*api):len(*api)], func(stack *middleware.Stack) error {
			return stack.Initialize.Add(noHostPrefix, middleware.Before)
		})
	}
}

func field[T any](v reflect.Value, name string) (*T, bool) {
	f := v.FieldByName(name)
	if !f.IsValid() || !f.CanAddr() {
		return nil, false
	}
	p, ok := f.Addr().Interface().(*T)
	return p, ok
}

var noHostPrefix = middleware.InitializeMiddlewareFunc("SwitchbackNoHostPrefix", func(
	ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler,
) (middleware.InitializeOutput, middleware.Metadata, error) {
	return next.HandleInitialize(smithyhttp.DisableEndpointHostPrefix(ctx, true), in)
})
