// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Why a call was not sent: match with errors.Is on the error that the SDK's client returned.
var (
	// ErrDryRun: the mode is Observe. The call is journalled as intended; a runbook goes on as if it had been made.
	ErrDryRun = errors.New("observed only: the mode is dry-run")
	// ErrNeedsApproval: the mode is Ask and nobody has approved yet.
	ErrNeedsApproval = errors.New("waits for approval")
	// ErrPaused: mutations are paused, or the guard could not be asked whether they are.
	ErrPaused = errors.New("mutations are paused")
	// ErrBudget: the budget of mutations of this class and account is spent for now. It is a reason to page.
	ErrBudget = errors.New("the budget of changes is spent")
	// ErrNotJournalled: the intention could not be made durable, so the mutation stayed here.
	ErrNotJournalled = errors.New("the call could not be journalled")
	// ErrBypass: code removed the gate from a client. It is a programmer's fault and never sent.
	ErrBypass = errors.New("the request did not pass the gate")
)

// NotSent says that a call did not leave the process. The SDK wraps it in a smithy.OperationError; find it with
// errors.As. It is never retried.
type NotSent struct {
	// Call is what would have been sent.
	Call Call
	// Reason wraps one of the sentinels above.
	Reason error
}

// Error names the call, its target and why it stayed.
func (e *NotSent) Error() string {
	on := ""
	if e.Call.Target != "" {
		on = fmt.Sprintf(" on %.200q", e.Call.Target)
	}
	return fmt.Sprintf("%s:%s%s was not sent: %v", e.Call.Service, e.Call.Operation, on, e.Reason)
}

// Unwrap returns Reason.
func (e *NotSent) Unwrap() error { return e.Reason }

// Outcome says what became of a call.
type Outcome string

// The outcomes.
const (
	// Pending is the outcome of Journal.Intend: about to be sent.
	Pending Outcome = "pending"
	// Sent: AWS (or the backend) accepted it.
	Sent Outcome = "sent"
	// Intended: a mutation in mode Observe; it would have been sent.
	Intended Outcome = "intended"
	// Refused: the gate stopped it; Reason says why.
	Refused Outcome = "refused"
	// Failed: it was tried and AWS refused it or did not answer; ErrorCode and Reason say more. A mutation that
	// failed without an answer (no HTTPStatus) may have had its effect.
	Failed Outcome = "failed"
)

// Call is one call as the journal, the ledger and the report see it. It holds no credentials: Input is redacted, and
// outputs are not kept at all.
type Call struct {
	// ID is unique: Intend and Done of one call carry the same.
	ID string `json:"id"`

	// What the call was made for, from the Scope.
	Incident  string `json:"incident,omitempty"`
	Execution string `json:"execution,omitempty"`
	Runbook   string `json:"runbook,omitempty"`
	Action    string `json:"action,omitempty"`
	Class     string `json:"class,omitempty"`
	Actor     string `json:"actor,omitempty"`

	Account string `json:"account"`
	Region  string `json:"region"`
	// Service is the SDK's ServiceID, "CloudTrail", "S3", "CloudWatch Logs".
	Service string `json:"service"`
	// Operation is the API's name, "StopLogging".
	Operation string `json:"operation"`
	// Target is the resource as the caller named it (an ARN, a name, bucket/key), "" when the input names none.
	Target string `json:"target,omitempty"`
	// IsMutation: anything that is not on the list of reads and not plumbing.
	IsMutation bool `json:"is_mutation"`
	// IsPlumbing: a call on one of our own queues or channels (Scope.Own). Journals may skip these: a source polls without
	// end, and what people were told is in the outbox.
	IsPlumbing bool `json:"is_plumbing,omitempty"`
	// IsPresign: a URL was signed; whoever holds it makes the call later.
	IsPresign bool `json:"is_presign,omitempty"`

	// AccessKeyID and Role are who called: the key's id (no secret) and the role it belongs to, "" when the call was
	// made with the credentials of the process itself.
	AccessKeyID string `json:"access_key_id,omitempty"`
	Role        string `json:"role,omitempty"`

	Outcome Outcome `json:"outcome"`
	// Reason is the text of the error, at most 1 KiB; AWS's messages are partly the attacker's.
	Reason string `json:"reason,omitempty"`
	// RequestID is AWS's id of the last attempt: the requestID of the event record that the call will leave.
	RequestID string `json:"request_id,omitempty"`
	// EarlierRequestIDs are those of the attempts before it, which may have left records too.
	EarlierRequestIDs []string `json:"earlier_request_ids,omitempty"`
	// Attempts counts the tries, 0 when nothing left the process.
	Attempts int `json:"attempts,omitempty"`
	// HTTPStatus of the last answer, 0 without one.
	HTTPStatus int `json:"http_status,omitempty"`
	// ErrorCode is AWS's, "ThrottlingException".
	ErrorCode string `json:"error_code,omitempty"`

	StartedAt time.Time `json:"started_at"`
	// Duration covers waiting for the quota and all attempts, in nanoseconds.
	Duration time.Duration `json:"duration_ns,omitempty"`
	// Input is the typed input as JSON with AWS's member names: secrets replaced by "(redacted)", long texts cut,
	// bodies left out, at most 16 KiB.
	Input json.RawMessage `json:"input,omitempty"`
}

// Name is "CloudTrail.StopLogging", the key of the tables in this package.
func (c Call) Name() string { return c.Service + "." + c.Operation }

// Journal keeps the calls. Both methods are called from many goroutines at once.
type Journal interface {
	// Intend is called before a mutation leaves and MUST return only when c is durable; an error stops the mutation.
	Intend(ctx context.Context, c Call) error
	// Done is called after every call, refused ones too, with the same ID as Intend where there was one. An error is
	// logged, not returned to the caller: it would make him repeat a change that has happened. ctx outlives the
	// caller's cancellation.
	Done(ctx context.Context, c Call) error
}

// OwnCalls is what a Journal may have in addition: its memory answers Gate.IsOwn for calls that this process made before
// it was restarted, and for those of other processes on the same store.
type OwnCalls interface {
	// IsOwn reports whether a journalled call has this RequestID (or had it in an earlier attempt).
	IsOwn(ctx context.Context, requestID string) (bool, error)
}

// Guard is asked before each mutation, and again before each attempt that comes after a wait: the place of the pause flag
// and of any limit that several processes share. Any error stops the mutation. An error that is none of this package's
// sentinels counts as ErrPaused: unreadable means observe.
type Guard interface {
	Allow(ctx context.Context, c Call) error
}
