// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"crypto/rand"
	"encoding/hex"
	"sync"
)

// The windows are larger than what a daemon under attack does in the hour that a log file may take. Reads are apart, so
// that listing a bucket cannot push a mutation out.
const (
	ownMutations = 1 << 14
	ownReads     = 1 << 12
)

// ownIDs remembers the request ids of our latest calls.
type ownIDs struct {
	mu               sync.RWMutex
	known            map[string]struct{}
	mutations, reads []string // rings
	nextM, nextR     int
}

func newOwnIDs() ownIDs {
	return ownIDs{
		known:     make(map[string]struct{}),
		mutations: make([]string, ownMutations),
		reads:     make([]string, ownReads),
	}
}

func (o *ownIDs) add(id string, mutation bool) {
	if id == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	ring, next := o.reads, &o.nextR
	if mutation {
		ring, next = o.mutations, &o.nextM
	}
	delete(o.known, ring[*next])
	ring[*next] = id
	o.known[id] = struct{}{}
	*next = (*next + 1) % len(ring)
}

func (o *ownIDs) has(id string) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	_, ok := o.known[id]
	return ok
}

// newUUID is a random UUID, version 4: the shape of most request ids.
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	var s [36]byte
	hex.Encode(s[:8], b[:4])
	s[8], s[13], s[18], s[23] = '-', '-', '-', '-'
	hex.Encode(s[9:13], b[4:6])
	hex.Encode(s[14:18], b[6:8])
	hex.Encode(s[19:23], b[8:10])
	hex.Encode(s[24:], b[10:])
	return string(s[:])
}
