// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import "fmt"

// failure is Error under a name that leaves the method Error of fault alone.
type failure = Error

// fault is a failure on its way up: from an expression to its state, from there to Retry, Catch, the enclosing Parallel
// or Map state, and the execution.
type fault struct {
	failure
	// alias is a second name that ErrorEquals may use: AWS reports States.Runtime for a path that finds nothing, but
	// documents States.ParameterPathFailure.
	alias string
	// inState says that the cause still lacks AWS's beginning, which names the state and its event.
	inState bool
	// evaluation says that an EvaluationFailed event precedes, with the location of the field.
	evaluation bool
	location   string
	// task says that the failure is that of a task, which States.TaskFailed matches.
	task bool
}

// runtimeFault is a States.Runtime with the cause that AWS begins with "An error occurred while executing the state".
func runtimeFault(format string, args ...any) *fault {
	return &fault{failure: Error{Name: ErrorRuntime, Cause: fmt.Sprintf(format, args...)}, inState: true}
}

// queryFault is a States.QueryEvaluationError of the field at location, which may be empty.
func queryFault(location, format string, args ...any) *fault {
	return &fault{
		failure:  Error{Name: ErrorQueryEvaluation, Cause: fmt.Sprintf(format, args...)},
		location: location, inState: true, evaluation: true,
	}
}

// asFault returns the *fault that every error of an expression is.
func asFault(err error) *fault {
	if f, ok := err.(*fault); ok {
		return f
	}
	return runtimeFault("%v", err)
}

// matchedBy reports whether one of the names of a Retry's or Catch's ErrorEquals stands for the fault. Names are compared
// literally; States.ALL does not stand for the two terminal errors.
func (f *fault) matchedBy(names []string) bool {
	for _, name := range names {
		switch name {
		case ErrorAll:
			if f.Name != ErrorRuntime && f.Name != ErrorDataLimitExceeded {
				return true
			}
		case ErrorTaskFailed:
			if f.task && f.Name != ErrorTimeout && f.Name != ErrorRuntime && f.Name != ErrorDataLimitExceeded {
				return true
			}
		}
		if f.HasName() && name == f.Name || f.alias != "" && name == f.alias {
			return true
		}
	}
	return false
}

// output is the Error Output that a Catch puts into the data.
func (e Error) output() *object {
	o := &object{}
	if e.HasName() {
		o.add("Error", e.Name)
	}
	if e.HasCause() {
		o.add("Cause", e.Cause)
	}
	return o
}
