// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"encoding/json"
	"errors"
	"time"
)

// Limits that AWS sets for standard state machines, and that this package keeps.
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
const (
	// MaxDefinitionBytes is the largest definition that Parse, Check and Compile accept.
	MaxDefinitionBytes = 1 << 20
	// MaxDataBytes is the largest input, output or result of a state, as compact JSON in UTF-8. A larger input of an
	// execution is refused by Start; a larger output of a state or a task fails it with States.DataLimitExceeded.
	MaxDataBytes = 256 << 10
	// MaxVariableBytes is the most that the variables of one scope may hold together.
	MaxVariableBytes = 10 << 20
	// MaxEvents is the largest number of history events of an execution; one that needs more fails with States.Runtime.
	MaxEvents = 25000
	// MaxDepth is the deepest nesting of JSON values, in definitions and in data.
	MaxDepth = 500
)

var (
	// ErrNoTask says that no task with that ID is awaited: it never was, it has ended, it timed out or was cancelled, or
	// the execution has ended. The Run is unchanged. AWS answers TaskDoesNotExist or TaskTimedOut.
	ErrNoTask = errors.New("no such task is awaited")
	// ErrInvalidInput says that the input of an execution is not one JSON value, has a duplicate key, is nested deeper
	// than MaxDepth or larger than MaxDataBytes. AWS answers InvalidExecutionInput.
	ErrInvalidInput = errors.New("invalid execution input")
	// ErrInvalidOutput says that the output of a task is not one JSON value, has a duplicate key or is nested too deep.
	// The Run is unchanged; the caller reports the task as failed or asks again. AWS answers InvalidOutput.
	ErrInvalidOutput = errors.New("invalid task output")
	// ErrInvalidRun says that a Run does not belong to this machine: the definition has no such state, or the stored form
	// is damaged.
	ErrInvalidRun = errors.New("run does not fit the state machine")
)

// Expressions evaluates JSONata, the second query language of the States Language. Implementations are safe for
// concurrent use and answer in bounded time and memory.
// https://docs.aws.amazon.com/step-functions/latest/dg/transforming-data.html
type Expressions interface {
	// Check reports the syntax fault of an expression, which is given without its {% %}.
	Check(expression string) error
	// Evaluate returns the JSON text of the result, or nil when the expression returns nothing (undefined). Bindings are
	// the variables by name without "$": "states" and those of Assign, each as JSON text. A result that is no JSON value
	// (a function) is ErrUnsupportedResult; any other error is the cause of a States.QueryEvaluationError.
	Evaluate(expression string, bindings map[string]json.RawMessage) (json.RawMessage, error)
}

// ErrUnsupportedResult is the error of Expressions.Evaluate for a result that JSON cannot express, such as a function.
var ErrUnsupportedResult = errors.New("returned an unsupported result type")

// Options of Compile. The zero value works: it refuses JSONata.
type Options struct {
	// Expressions evaluates JSONata; nil refuses definitions that use it.
	Expressions Expressions
	// Random returns numbers in [0,1) for JitterStrategy FULL and States.MathRandom; nil means math/rand/v2. It MUST be
	// safe for concurrent use.
	Random func() float64
	// UUID returns the value of States.UUID; nil means a random version 4 UUID made from crypto/rand.
	UUID func() string
	// Token returns the task token of an attempt of a .waitForTaskToken task, from the execution's ID and the task's ID,
	// which together are unique. It MUST be unguessable where strangers can answer (an HMAC, say). The token is stored
	// in the Run. Nil joins the two by a colon: good for tests and simulations only.
	Token func(executionID, taskID string) string
}

// ExecutionInfo says what an execution is; it becomes the context object ($$).
// https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html
type ExecutionInfo struct {
	// ID is the ARN or ID of the execution ($$.Execution.Id); MUST be unique.
	ID string
	// Name and RoleARN are $$.Execution.Name and $$.Execution.RoleArn.
	Name, RoleARN string
	// StateMachineID and StateMachineName are $$.StateMachine.Id and $$.StateMachine.Name.
	StateMachineID, StateMachineName string
	// StartedAt is $$.Execution.StartTime; zero means the time given to Start.
	StartedAt time.Time
}

// Status is where an execution stands.
type Status string

// The statuses of DescribeExecution that this package reaches.
const (
	Running   Status = "RUNNING"
	Succeeded Status = "SUCCEEDED"
	Failed    Status = "FAILED"
	TimedOut  Status = "TIMED_OUT"
	Aborted   Status = "ABORTED"
)

// TaskRequest asks for work: one attempt of one Task state.
type TaskRequest struct {
	// ID names the attempt: unique in the execution, new for every attempt. It goes into TaskSucceeded and its kin.
	ID string
	// State is the name of the Task state.
	State string
	// Visit tells apart the visits of states that several branches or iterations make at once: the id of the event that
	// entered the state, and the places of the iterations of distributed Maps, which have no events. It is equal for
	// every attempt.
	Visit string
	// EnteredAt is when the state was entered: $$.State.EnteredTime, equal for every attempt.
	EnteredAt time.Time
	// Resource is the state's Resource as the definition spells it, suffix included; see ParseResource.
	Resource string
	// Parameters is the effective input of the task: Parameters or Arguments applied, else the state's input. The Run may
	// share the bytes: they MUST NOT be changed.
	Parameters json.RawMessage
	// Token is the task token; empty unless Resource ends in .waitForTaskToken.
	Token string
	// Context is the context object ($$) as the task's Parameters saw it.
	Context json.RawMessage
	// Credentials is the evaluated Credentials field; nil when the state has none.
	Credentials json.RawMessage
	// Attempt counts from 1; it is $$.State.RetryCount + 1.
	Attempt int
	// IsSubmitted says that TaskSubmitted was called for the attempt: it was handed over, and only its answer is missing.
	// Whoever goes through Pending after a restart MUST NOT hand it over again.
	IsSubmitted bool
	// Deadline is when the attempt times out, HeartbeatDeadline when it does so for want of a heartbeat (moved by every
	// heartbeat); zero means never.
	Deadline, HeartbeatDeadline time.Time
}

// Effects is what a call asks the world to see and do. It MUST be made visible only once the Run is durable.
type Effects struct {
	// Events are the history events that the call added, in order.
	Events []Event
	// Tasks are to be handed to workers. A task that starts and is cancelled within one call is in neither list.
	Tasks []TaskRequest
	// Cancelled holds the IDs of tasks of earlier calls that nobody awaits any more: timed out, or cut off by a failing
	// sibling branch or by the end of the execution. Tasks that were answered are not in it.
	Cancelled []string
}
