// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"fmt"
	"net/http"

	"github.com/aws/smithy-go"
)

// failure is an API error with its HTTP status: what handlers return. The gate wraps it in a response error, as the SDK
// does with what AWS answers.
type failure struct {
	status int
	err    smithy.APIError
	code   string // as the record spells it
}

// Error is that of the exception.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap is the typed exception.
func (f *failure) Unwrap() error { return f.err }

// HTTPStatusCode is the status of the answer.
func (f *failure) HTTPStatusCode() int { return f.status }

// msg is the message of a typed exception.
func msg(format string, args ...any) *string {
	s := fmt.Sprintf(format, args...)
	return &s
}

// fail makes what handlers return: a typed exception with the HTTP status that AWS documents for it.
func fail(status int, err smithy.APIError) error {
	return failAs(err.ErrorCode(), status, err)
}

// failAs is fail for an exception that CloudTrail records under another name than the API's.
func failAs(code string, status int, err smithy.APIError) error {
	return &failure{status: status, err: err, code: code}
}

// apiError is an exception that the SDK has no type for.
func apiError(code, message string) smithy.APIError {
	return &smithy.GenericAPIError{Code: code, Message: message, Fault: smithy.FaultClient}
}

// invalid is a refused value, with the code that the service uses.
func invalid(code, format string, args ...any) error {
	return fail(http.StatusBadRequest, apiError(code, fmt.Sprintf(format, args...)))
}

// deniedBy refuses the call, in AWS's words.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
func (c *call) deniedBy(resource, why string) error {
	text := fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", c.by.arn(), c.action(), resource, why)
	// Whatever the API calls it, the record says AccessDenied; only SNS keeps its own word.
	code := accessDenied
	if c.op.service == snsService {
		code = snsService.denied
	}
	return failAs(code, http.StatusForbidden, apiError(c.op.service.denied, text))
}

const (
	becauseSCP      = "with an explicit deny in a service control policy"
	becauseIdentity = "with an explicit deny in an identity-based policy"
	becauseResource = "with an explicit deny in a resource-based policy"
	becauseNothing  = "because no resource-based policy allows the action"
	becauseSession  = "because no session policy allows the action"
)
