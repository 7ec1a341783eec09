// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/gate"
)

// What became of a message that was not accepted, in the words that timeline and report show. A channel wraps the one
// that it knows to be true.
var (
	// ErrDenied: no retry can help until somebody mends the configuration.
	ErrDenied = errors.New("the credentials are wrong, or may not do this")
	// ErrGone: the webhook was deleted, the topic or the project is not there.
	ErrGone = errors.New("the channel is not there any more")
	// ErrDown: nobody answers, or not in time.
	ErrDown = errors.New("the channel does not answer")
	// ErrBounced: the address is refused for good. What bounces after it was accepted is not known to a channel.
	ErrBounced = errors.New("the address was refused, mail to it bounces")
)

// RetryAfter is an error of a channel that says when to try again.
type RetryAfter struct {
	After time.Duration
	Err   error
}

// Error is that of Err.
func (r *RetryAfter) Error() string { return r.Err.Error() }

// Unwrap returns Err.
func (r *RetryAfter) Unwrap() error { return r.Err }

// errNoGate is what a channel of AWS says where it cannot reach it.
var errNoGate = errors.New("there is no way to AWS here")

// Door opens the way to AWS for a channel that only tells: what it may change is what own names, in every mode.
func (s Services) Door(kind string, own ...string) (*gate.Door, error) {
	if s.Gate == nil {
		return nil, fmt.Errorf("%s: %w", kind, errNoGate)
	}
	return s.Gate.Door(gate.Scope{Action: "notify:" + kind, Own: own}), nil
}

// Codes of AWS by which all three of its channels refuse.
//
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
var (
	deniedCodes = []string{
		"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException", "ExpiredToken", "ExpiredTokenException",
		"InvalidClientTokenId", "InvalidSignatureException", "KMSAccessDenied", "KMSAccessDeniedException",
		"SignatureDoesNotMatch", "UnrecognizedClientException",
	}
	goneCodes  = []string{"InvalidAccessException", "NotFound", "NotFoundException", "ResourceNotFoundException"}
	pacedCodes = []string{
		"InternalError", "InternalException", "InternalErrorException", "InternalFailure", "KMSThrottling", "KMSThrottlingException", "LimitExceededException",
		"RequestLimitExceeded", "ServiceUnavailable", "Throttled", "ThrottledException", "Throttling", "ThrottlingException",
		"TooManyRequestsException",
	}
)

// JudgeAWS tells whether a call of AWS may succeed later, and says in words what became of it.
func JudgeAWS(name string, err error) (retry bool, judged error) {
	var kept *gate.NotSent
	var api smithy.APIError
	var status interface{ HTTPStatusCode() int }
	switch {
	case errors.As(err, &kept), errors.Is(err, errNoGate), errors.Is(err, gate.ErrNoAccess), errors.Is(err, gate.ErrNoRegion):
		return false, fmt.Errorf("%s: %w", name, err)
	case errors.Is(err, gate.ErrQuotaWait):
		return true, fmt.Errorf("%s: %w", name, err)
	case !errors.As(err, &api):
		return true, fmt.Errorf("%s: %w: %w", name, ErrDown, err)
	case slices.Contains(deniedCodes, api.ErrorCode()):
		return false, fmt.Errorf("%s: %w: %w", name, ErrDenied, err)
	case slices.Contains(goneCodes, api.ErrorCode()):
		return false, fmt.Errorf("%s: %w: %w", name, ErrGone, err)
	case slices.Contains(pacedCodes, api.ErrorCode()), api.ErrorFault() == smithy.FaultServer:
		return true, fmt.Errorf("%s: %w", name, err)
	}
	if !errors.As(err, &status) {
		return false, fmt.Errorf("%s: %w", name, err)
	}
	switch status.HTTPStatusCode() {
	case http.StatusUnauthorized, http.StatusForbidden:
		return false, fmt.Errorf("%s: %w: %w", name, ErrDenied, err)
	case http.StatusNotFound:
		return false, fmt.Errorf("%s: %w: %w", name, ErrGone, err)
	}
	return IsRetryable(status.HTTPStatusCode()), fmt.Errorf("%s: %w", name, err)
}
