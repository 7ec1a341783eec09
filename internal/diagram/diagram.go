// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package diagram draws a state machine, or one execution of it: the path that it took, how long it stayed where, how
// often it tried again. It writes SVG, by a small layered layout of its own, and Mermaid.
//
// The same machine and history give the same bytes. An SVG has no script and loads nothing; it follows the reader's
// light or dark theme. All text comes from definitions and histories, so it is escaped, shortened and freed of invisible
// characters. The picture judges nothing: asl.Check does.
//
// https://docs.aws.amazon.com/step-functions/latest/dg/concepts-view-execution-details.html
package diagram

import (
	"errors"
	"fmt"

	"github.com/switchback-project/switchback/asl"
)

// Options of a drawing. The zero value draws the machine alone.
type Options struct {
	// Title stands above the picture.
	Title string
	// Trace, if set, is an execution of the machine.
	Trace *Trace
}

// MaxStates and MaxRules are how many states, and rules of Choice and Catch, a picture holds: those inside of Parallel and
// Map states included.
const (
	MaxStates = 200
	MaxRules  = 800
)

// ErrTooLarge says that a machine has more than MaxStates states or MaxRules rules.
var ErrTooLarge = errors.New("too large for a picture")

func checkSize(m *asl.StateMachine) error {
	states, rules := 0, 0
	m.Walk(func(s *asl.State) bool {
		states++
		rules += len(s.Choices) + len(s.Catch)
		return true
	})
	if states > MaxStates || rules > MaxRules {
		return fmt.Errorf("draw %d states with %d rules, where %d with %d fit: %w", states, rules, MaxStates, MaxRules, ErrTooLarge)
	}
	return nil
}

// SVG draws the machine as an SVG document. The error is ErrTooLarge.
func SVG(m *asl.StateMachine, o Options) ([]byte, error) {
	if err := checkSize(m); err != nil {
		return nil, err
	}
	p := layOut(newGraph(m, o.Trace, true))
	return p.document(o), nil
}
