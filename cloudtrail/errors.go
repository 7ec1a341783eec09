// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// Errors by meaning; what is returned wraps one of them and adds the place.
var (
	// ErrShape tells that the input is not CloudTrail's: neither a record nor one of the wrappers of records.
	ErrShape = errors.New("not a CloudTrail record, log file, EventBridge event or lookup-events output")
	// ErrSyntax tells that the input is not JSON.
	ErrSyntax = errors.New("not valid JSON")
	// ErrTruncated tells that the input ends too early: a copy or download was cut short.
	ErrTruncated = errors.New("input is cut short")
	// ErrTooLarge tells that a limit of [Limits] is exceeded.
	ErrTooLarge = errors.New("input exceeds the limit")
	// ErrCorrupt tells that compressed input is damaged.
	ErrCorrupt = errors.New("gzip data is damaged")
)

// FieldError tells that a known field has a value of a wrong type.
type FieldError struct {
	// Field is the path of the field, as "userIdentity.sessionContext".
	Field string
	// Problem says what is wrong.
	Problem string
}

// Error names the field and the problem.
func (e *FieldError) Error() string {
	return fmt.Sprintf("field %s: %s", e.Field, e.Problem)
}

// within puts the field's name before the path of a FieldError that comes from inside it.
func within(field string, err error) error {
	var inner *FieldError
	if errors.As(err, &inner) {
		return &FieldError{field + "." + inner.Field, inner.Problem}
	}
	return err
}

// RecordError tells that one record of a stream could not be read. The stream goes on after it.
type RecordError struct {
	// Index is the record's number in the stream, from 0; unreadable records count.
	Index int
	// Offset is where the record begins, in bytes of the uncompressed stream.
	Offset int64
	// Err is the reason.
	Err error
}

// Error says which record and why.
func (e *RecordError) Error() string {
	return fmt.Sprintf("record %d at byte %d: %v", e.Index, e.Offset, e.Err)
}

// Unwrap returns the reason.
func (e *RecordError) Unwrap() error { return e.Err }

// textError translates the scanner's errors into those of this package.
func textError(err error) error {
	var syntax *jsonscan.SyntaxError
	switch {
	case errors.Is(err, jsonscan.ErrEnd):
		return fmt.Errorf("%w: it ends inside a JSON value", ErrTruncated)
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return err
}
