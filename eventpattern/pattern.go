// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"errors"
	"fmt"
	"sync"
)

const (
	// MaxPatternSize is the greatest length of a pattern in bytes. EventBridge's own quota is 4096.
	MaxPatternSize = 256 << 10
	// MaxCombinations is the greatest product of the lengths of all $or lists, as for EventBridge.
	MaxCombinations = 1000
)

// ErrTooComplex tells that an event was built so that its arrays cannot be searched in reasonable time. Methods that
// return no error count such an event as matching: a needless look is better than a missed event.
var ErrTooComplex = errors.New("event is too complex to be matched: names with dots, or repeated names, before arrays")

// InvalidError tells why a pattern is invalid.
type InvalidError struct {
	// Reason is in EventBridge's words wherever EventBridge refuses the pattern too.
	Reason string
}

// Error is the message of EventBridge's InvalidEventPatternException, without the position.
func (e *InvalidError) Error() string {
	return "Event pattern is not valid. Reason: " + e.Reason
}

func invalidf(format string, args ...any) error {
	return &InvalidError{Reason: fmt.Sprintf(format, args...)}
}

// Pattern is a compiled event pattern. It is safe for concurrent use.
type Pattern struct {
	plan  *plan
	rules []rule
	views sync.Pool
}

// Compile checks and compiles a pattern. The error is an [*InvalidError].
func Compile(pattern []byte) (*Pattern, error) {
	rules, err := compile(pattern)
	if err != nil {
		return nil, err
	}
	p := &Pattern{rules: rules, plan: newPlan()}
	for i := range rules {
		p.plan.add(&rules[i], i)
	}
	return p, nil
}

// Match tells whether the event, any JSON object, matches. It fails when the event is not a JSON object, or is one of
// those of [ErrTooComplex].
func (p *Pattern) Match(event []byte) (bool, error) {
	v := p.view()
	defer p.views.Put(v)
	if err := v.readJSON(p.plan, event); err != nil {
		return false, fmt.Errorf("match event: %w", err)
	}
	matched := p.match(v)
	if v.exhausted {
		return false, ErrTooComplex
	}
	return matched, nil
}

// MatchEvent tells whether the event matches.
func (p *Pattern) MatchEvent(e *Event) bool {
	v := p.view()
	defer p.views.Put(v)
	v.readEvent(p.plan, e)
	return p.match(v)
}

func (p *Pattern) view() *view {
	if v, ok := p.views.Get().(*view); ok {
		return v
	}
	return new(view)
}

func (p *Pattern) match(v *view) bool {
	for i := range p.plan.rules {
		if v.matches(&p.plan.rules[i]) {
			return true
		}
	}
	return false
}
