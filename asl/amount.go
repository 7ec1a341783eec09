// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// eval returns the value of the field; present must be true.
func (a *amount) eval(e *env) (any, error) {
	if a.value == nil {
		return a.literal, nil
	}
	return a.value.eval(e)
}

// scalarText writes a value for a message: strings without quotes.
func scalarText(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return string(encode(v))
}

// waitSeconds evaluates Seconds or SecondsPath of a Wait state.
func (a *amount) waitSeconds(e *env) (int64, error) {
	v, err := a.eval(e)
	if err != nil {
		return 0, err
	}
	n, _ := v.(number)
	seconds, ok := n.int()
	if a.path == "" {
		return a.querySeconds(v, seconds, ok)
	}
	switch {
	case !ok:
		return 0, runtimeFault("The SecondsPath parameter cannot be parsed as a long value: %s == %s", a.path, clip(scalarText(v)))
	case seconds < 0:
		return 0, runtimeFault("The SecondsPath parameter references a negative value: %s == %s", a.path, n)
	}
	return seconds, nil
}

func (a *amount) querySeconds(v any, seconds int64, ok bool) (int64, error) {
	if !ok {
		return 0, typeFault(a.value, a.field, "integer", v)
	}
	if seconds < 0 {
		return 0, a.rangeFault("must not be negative", v)
	}
	return seconds, nil
}

// rangeFault is the fault of a number that is out of its field's range.
func (a *amount) rangeFault(what string, v any) *fault {
	if q, ok := a.value.(*query); ok {
		return q.fault("returned a value that " + what + ": " + clip(scalarText(v)))
	}
	return runtimeFault("The %s field refers to value \"%s\" which %s: %s", a.field, clip(scalarText(v)), what, a.path)
}

// seconds evaluates a timeout; zero when the field is absent.
func (a *amount) seconds(e *env) (time.Duration, error) {
	n, err := a.positive(e)
	if err != nil {
		return 0, err
	}
	return time.Duration(min(n, maxSeconds)) * time.Second, nil
}

// positive evaluates a positive integer; zero when the field is absent.
func (a *amount) positive(e *env) (int64, error) {
	if !a.present {
		return 0, nil
	}
	n, err := a.integer(e)
	if err == nil && n <= 0 {
		return 0, a.rangeFault("is not a positive integer", intNumber(n))
	}
	return n, err
}

// integer evaluates an integer; a path may lead to a string that is a number.
func (a *amount) integer(e *env) (int64, error) {
	v, err := a.eval(e)
	if err != nil {
		return 0, err
	}
	n, ok := v.(number)
	if text, isText := v.(string); isText && a.path != "" {
		if i, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
			return i, nil
		}
	}
	i, isInt := n.int()
	if ok && isInt {
		return i, nil
	}
	if _, ok := a.value.(*query); ok {
		return 0, typeFault(a.value, a.field, "integer", v)
	}
	return 0, runtimeFault("The %s field refers to value \"%s\" which is not a valid integer: %s", a.field, clip(scalarText(v)), a.path)
}

// concurrency evaluates MaxConcurrency; zero means no bound.
func (a *amount) concurrency(e *env) (int64, error) {
	if !a.present {
		return 0, nil
	}
	n, err := a.integer(e)
	if err == nil && n < 0 {
		return 0, runtimeFault("MaxConcurrency cannot be negative.")
	}
	return n, err
}

// tolerance returns how many of n iterations may fail without failing the Map; -1 when the first failure does, with its
// own error. A distributed Map tolerates none, and reports the threshold.
func (part *mapPart) tolerance(e *env, n int) (int, error) {
	tolerated := -1
	if part.distributed {
		tolerated = 0
	}
	if part.toleratedCount.present {
		count, err := part.toleratedCount.integer(e)
		if err != nil {
			return 0, err
		}
		if count < 0 {
			return 0, part.toleratedCount.toleranceFault("ToleratedFailureCount cannot be negative.")
		}
		tolerated = int(min(count, math.MaxInt32))
	}
	if !part.toleratedPercentage.present {
		return tolerated, nil
	}
	percentage, err := part.toleratedPercentage.float(e)
	if err != nil {
		return 0, err
	}
	if percentage < 0 || percentage > 100 {
		return 0, part.toleratedPercentage.toleranceFault("ToleratedFailurePercentage must be between 0 and 100.")
	}
	share := int(math.Floor(float64(n) * percentage / 100))
	if part.toleratedCount.present {
		return min(share, tolerated), nil
	}
	return share, nil
}

func (a *amount) toleranceFault(cause string) *fault {
	if _, ok := a.value.(*query); ok {
		return queryFault(a.field, "%s", cause)
	}
	return runtimeFault("%s", cause)
}

func (a *amount) float(e *env) (float64, error) {
	v, err := a.eval(e)
	if err != nil {
		return 0, err
	}
	if n, ok := v.(number); ok {
		return n.float(), nil
	}
	if text, ok := v.(string); ok && a.path != "" {
		if f, err := strconv.ParseFloat(strings.TrimSpace(text), 64); err == nil && !math.IsNaN(f) {
			return f, nil
		}
	}
	if _, ok := a.value.(*query); ok {
		return 0, typeFault(a.value, a.field, "number", v)
	}
	return 0, runtimeFault("The %s field refers to value \"%s\" which is not a valid float: %s", a.field, clip(scalarText(v)), a.path)
}
