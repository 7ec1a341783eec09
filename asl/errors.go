// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

// Names of errors that the States Language predefines.
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
const (
	ErrorAll                = "States.ALL"
	ErrorTimeout            = "States.Timeout"
	ErrorHeartbeatTimeout   = "States.HeartbeatTimeout"
	ErrorTaskFailed         = "States.TaskFailed"
	ErrorParameterPath      = "States.ParameterPathFailure"
	ErrorPermissions        = "States.Permissions"
	ErrorResultPathMatch    = "States.ResultPathMatchFailure"
	ErrorBranchFailed       = "States.BranchFailed"
	ErrorNoChoiceMatched    = "States.NoChoiceMatched"
	ErrorIntrinsicFailure   = "States.IntrinsicFailure"
	ErrorToleratedThreshold = "States.ExceedToleratedFailureThreshold"
	ErrorItemReaderFailed   = "States.ItemReaderFailed"
	ErrorResultWriterFailed = "States.ResultWriterFailed"
	ErrorQueryEvaluation    = "States.QueryEvaluationError"
	ErrorDataLimitExceeded  = "States.DataLimitExceeded"
	ErrorRuntime            = "States.Runtime"
)

// Causes in AWS's words.
const (
	causeHistoryLimit       = "The execution reached the maximum number of history events (25000)."
	causeToleratedThreshold = "The specified tolerated failure threshold was exceeded"
)

// Error is a failure as the States Language sees it: what AWS calls Error and Cause. Both may be absent, which is not
// the same as empty: HasName and HasCause tell, and a literal that sets Name or Cause need not set them.
type Error struct {
	// Name is matched by ErrorEquals, such as "States.Timeout" or "CloudTrail.TrailNotFoundException".
	Name string
	// Cause is for people.
	Cause string
	// EmptyName and EmptyCause say that the member is present although its text is empty.
	EmptyName, EmptyCause bool
}

// HasName reports whether the error has a name.
func (e Error) HasName() bool { return e.Name != "" || e.EmptyName }

// HasCause reports whether the error has a cause.
func (e Error) HasCause() bool { return e.Cause != "" || e.EmptyCause }

// Error returns name and cause in one line.
func (e Error) Error() string {
	switch {
	case e.Cause == "" && e.Name == "":
		return "failed without a name or a cause"
	case e.Cause == "":
		return e.Name
	case e.Name == "":
		return e.Cause
	}
	return e.Name + ": " + e.Cause
}
