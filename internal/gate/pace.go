// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Pace says when calls wait for AWS's quotas.
type Pace int

// The paces.
const (
	// PaceAuto paces calls to AWS, and none to a Backend or to an endpoint outside AWS.
	PaceAuto Pace = iota
	// PaceAlways paces everything.
	PaceAlways
	// PaceNever paces nothing.
	PaceNever
)

// ErrQuotaWait says that the caller's deadline ends before the quota has room for the call.
var ErrQuotaWait = errors.New("the quota leaves no room before the deadline")

// pacer keeps one token bucket for each account, region and group of APIs.
type pacer struct {
	mu      sync.Mutex
	buckets map[bucketKey]*bucket
}

type bucketKey struct {
	account, region string
	quota           *quota
}

// bucket may be in debt: who takes the tokens of later seconds waits until then, so that waiters keep their order and
// sleep once.
type bucket struct {
	tokens  float64
	updated time.Time
}

// wait takes the call's tokens and waits until they are there.
func (g *Gate) wait(ctx context.Context, p *passage) (time.Duration, error) {
	q := quotaOf(p.call.Service, p.call.Operation)
	if q == nil {
		return 0, nil
	}
	k := bucketKey{p.call.Account, p.call.Region, q}
	d := g.rates.take(g.o.Clock(), k, p.cost)
	if d <= 0 {
		return 0, nil
	}
	if end, ok := ctx.Deadline(); ok && g.realTime && time.Until(end) < d { // a context's deadline is never simulated
		g.rates.giveBack(k, p.cost)
		return d, fmt.Errorf("%w: %s:%s would wait %s for %g calls a second", ErrQuotaWait, p.call.Service, p.call.Operation,
			d.Round(time.Millisecond), q.perSecond)
	}
	if err := g.o.Sleep(ctx, d); err != nil {
		g.rates.giveBack(k, p.cost)
		return d, fmt.Errorf("wait for the quota of %s:%s: %w", p.call.Service, p.call.Operation, err)
	}
	return d, nil
}

// take returns how long to wait for what it took.
func (r *pacer) take(now time.Time, k bucketKey, cost float64) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.buckets[k]
	if b == nil {
		if r.buckets == nil {
			r.buckets = map[bucketKey]*bucket{}
		}
		b = &bucket{tokens: k.quota.burst, updated: now}
		r.buckets[k] = b
	}
	if passed := now.Sub(b.updated); passed > 0 { // clocks step back
		b.tokens = min(b.tokens+passed.Seconds()*k.quota.perSecond, k.quota.burst)
	}
	b.updated = now
	b.tokens -= cost
	if b.tokens >= 0 {
		return 0
	}
	return time.Duration(-b.tokens / k.quota.perSecond * float64(time.Second))
}

func (r *pacer) giveBack(k bucketKey, cost float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.buckets[k].tokens += cost
}
