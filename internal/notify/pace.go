// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify

import (
	"sync"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

// pace is the token bucket of one channel. It may be in debt: who takes the tokens of later minutes waits until then, so
// that those who wait keep their order.
type pace struct {
	perMinute float64
	mu        sync.Mutex
	tokens    float64
	updated   time.Time
}

func newPace(perMinute int) *pace {
	if perMinute <= 0 {
		return nil
	}
	return &pace{perMinute: float64(perMinute), tokens: float64(perMinute)}
}

// take returns how long to wait before a message. What is urgent waits for nobody, though it counts: whoever makes noise
// must not be able to keep what matters waiting.
func (p *pace) take(now time.Time, isUrgent bool) time.Duration {
	if p == nil {
		return 0
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if passed := now.Sub(p.updated); passed > 0 { // clocks step back
		p.tokens = min(p.tokens+passed.Minutes()*p.perMinute, p.perMinute)
	}
	p.updated = now
	if isUrgent {
		p.tokens = max(p.tokens-1, -p.perMinute) // others wait for it a minute more at most
		return 0
	}
	p.tokens--
	if p.tokens >= 0 {
		return 0
	}
	return time.Duration(-p.tokens / p.perMinute * float64(time.Minute))
}

// giveBack returns what was taken for a message that was not sent.
func (p *pace) giveBack() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tokens++
}

// isUrgent reports whether a message goes before others.
func isUrgent(m incident.Message) bool {
	return m.Severity.Rank() >= incident.High.Rank() || m.Kind == incident.ToFallback
}
