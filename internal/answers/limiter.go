// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package answers

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// What one address, and all together, may ask for: so many at once, and so many a second.
const (
	burstOne, rateOne = 20, 1
	burstAll, rateAll = 200, 50
	// mostSeen bounds the addresses that are remembered. Where there are more, all begin anew: the limit for all holds.
	mostSeen = 4096
)

// limiter keeps a bucket an address, and one for all.
type limiter struct {
	mu    sync.Mutex
	clock func() time.Time
	all   bucket
	seen  map[netip.Prefix]*bucket
}

type bucket struct {
	level float64
	at    time.Time
}

func newLimiter(clock func() time.Time) *limiter {
	return &limiter{clock: clock, seen: map[netip.Prefix]*bucket{}, all: bucket{level: burstAll, at: clock()}}
}

// allows takes one request of the address, "host:port".
func (l *limiter) allows(remote string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, from := l.clock(), network(remote)
	one := l.seen[from]
	if one == nil {
		if len(l.seen) >= mostSeen {
			clear(l.seen)
		}
		one = &bucket{level: burstOne, at: now}
		l.seen[from] = one
	}
	// Whoever is over their own limit must not use up that of the others.
	return one.take(now, burstOne, rateOne) && l.all.take(now, burstAll, rateAll)
}

func (b *bucket) take(now time.Time, burst, rate float64) bool {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.level, b.at = min(burst, b.level+passed*rate), now
	}
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}

// network is what counts as one: an IPv4 address, or the /64 that a subscriber of IPv6 gets. Addresses that cannot be read
// share one.
func network(remote string) netip.Prefix {
	host, _, err := net.SplitHostPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return netip.Prefix{}
	}
	a = a.Unmap().WithZone("")
	bits := 64
	if a.Is4() {
		bits = 32
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
