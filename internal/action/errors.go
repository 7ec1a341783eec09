// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package action

import (
	"context"
	"errors"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// Names of our own errors in state machines. Those of AWS are spelt as Step Functions spells them for its SDK
// integrations: the service, a dot, the exception ("CloudTrail.TrailNotFoundException").
const (
	ErrorInvalidParameters = "Switchback.InvalidParameters"
	// ErrorNotDelivered: no channel accepted the message.
	ErrorNotDelivered     = "Switchback.NotDelivered"
	ErrorPaused           = "Switchback.Paused"
	ErrorBudgetSpent      = "Switchback.BudgetSpent"
	ErrorApprovalRequired = "Switchback.ApprovalRequired"
	ErrorNotSent          = "Switchback.NotSent"
	ErrorNoAccess         = "Switchback.NoAccess"
	ErrorNotFound         = "Switchback.NotFound"
	ErrorNotVerified      = "Switchback.NotVerified"
	ErrorUnreachable      = "Switchback.Unreachable"
	// ErrorForeignBucket: a bucket changed hands, and nothing was sent; ErrorNoReserveBucket: none is configured.
	ErrorForeignBucket   = "Switchback.ForeignBucket"
	ErrorNoReserveBucket = "Switchback.NoReserveBucket"
	ErrorOther           = "Switchback.Error"
)

// meanings are the errors of ours with a name, first match wins.
var meanings = []struct {
	err  error
	name string
}{
	{gate.ErrPaused, ErrorPaused},
	{gate.ErrBudget, ErrorBudgetSpent},
	{gate.ErrNeedsApproval, ErrorApprovalRequired},
	{gate.ErrNotJournalled, ErrorNotSent},
	{gate.ErrDryRun, ErrorNotSent},
	{gate.ErrNoAccess, ErrorNoAccess},
	{incident.ErrNotFound, ErrorNotFound},
}

const maxCause = 1000

// AsError names err for a state machine. An error that has a name keeps it. The end of the context is returned as it is:
// it says nothing about the action, which will be run again.
func AsError(ctx context.Context, err error) error {
	var named *asl.Error
	if err == nil || errors.As(err, &named) {
		return err
	}
	if ctx.Err() != nil {
		return err
	}
	return &asl.Error{Name: nameOf(err), Cause: cut(err.Error())}
}

func nameOf(err error) string {
	for _, m := range meanings {
		if errors.Is(err, m.err) {
			return m.name
		}
	}
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return prefix(serviceOf(err)) + "." + exception(answer.ErrorCode())
	}
	var unsent *smithyhttp.RequestSendError
	if errors.As(err, &unsent) || errors.Is(err, context.DeadlineExceeded) {
		return ErrorUnreachable
	}
	return ErrorOther
}

// serviceOf is the ServiceID of the innermost call: where assuming a role failed, that of STS, whatever the role was for.
func serviceOf(err error) string {
	service := "AWS"
	for {
		var call *smithy.OperationError
		if !errors.As(err, &call) {
			return service
		}
		service, err = call.Service(), call.Unwrap()
	}
}

// prefix spells a ServiceID as Step Functions does: "CloudTrail", "Kms", "CloudWatchLogs", "DynamoDb".
//
// https://docs.aws.amazon.com/step-functions/latest/dg/supported-services-awssdk.html
func prefix(serviceID string) string {
	var b strings.Builder
	previous := ' '
	for _, r := range serviceID {
		switch {
		case unicode.IsSpace(r):
		case unicode.IsUpper(r) && unicode.IsUpper(previous):
			b.WriteRune(unicode.ToLower(r))
		default:
			b.WriteRune(r)
		}
		previous = r
	}
	return b.String()
}

// What services call the same thing. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
var (
	denied = []string{
		"AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException",
		"Client.UnauthorizedOperation", "UnauthorizedOperation", "403", "Forbidden",
	}
	throttled = []string{
		"Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"RequestLimitExceeded", "TooManyRequestsException", "SlowDown", "BandwidthLimitExceeded",
	}
)

// exception spells an error code as an exception of the SDK. All refusals, and all throttling, have one name a service,
// so that a state machine can catch them.
func exception(code string) string {
	code = strings.TrimPrefix(code, "AWS.SimpleQueueService.") // from before SQS spoke JSON
	switch {
	case slices.Contains(denied, code):
		return "AccessDeniedException"
	case slices.Contains(throttled, code):
		return "ThrottlingException"
	case strings.HasSuffix(code, "Exception"):
		return code
	}
	return code + "Exception"
}

// IsDenied reports whether AWS refused a call for want of permission.
func IsDenied(err error) bool {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		return slices.Contains(denied, answer.ErrorCode())
	}
	var named *asl.Error
	return errors.As(err, &named) && strings.HasSuffix(named.Name, ".AccessDeniedException")
}

func cut(s string) string {
	if len(s) <= maxCause {
		return s
	}
	return strings.ToValidUTF8(s[:maxCause], "") + "…"
}
