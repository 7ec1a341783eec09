// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"sync"
)

// queueFactor is how many jobs may wait for each worker before executions are left in the store. Enough that workers
// never run dry between two looks at the store.
const queueFactor = 16

// job is work for a worker; closing ends with the pool.
type job func(closing context.Context)

// pool does jobs in the order in which they come, on a bounded number of goroutines, while somebody drives it.
type pool struct {
	ctx    context.Context //nolint:containedctx // the life of the workers, from Open to Close
	cancel context.CancelFunc
	size   int
	// onRoom is called when room was refused and there is some again.
	onRoom func()

	mu       sync.Mutex
	quiet    sync.Cond // workers or queue became empty
	queue    []job
	next     int // index of the first job in queue
	workers  int
	drivers  int
	isClosed bool
	isMissed bool // room was refused
}

func newPool(ctx context.Context, size int, onRoom func()) *pool {
	p := &pool{size: size, onRoom: onRoom}
	p.quiet.L = &p.mu
	p.ctx, p.cancel = context.WithCancel(ctx)
	return p
}

// drive lets the workers work until the function that it returns is called.
func (p *pool) drive() (stop func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.drivers++
	for range p.waiting() {
		p.startWorker()
	}
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.drivers--
		p.quiet.Broadcast()
	}
}

// add queues a job. It never waits: the caller may hold a lock that a worker needs.
func (p *pool) add(j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.next > len(p.queue)/2 && len(p.queue) == cap(p.queue) {
		n := copy(p.queue, p.queue[p.next:])
		clear(p.queue[n:])
		p.queue, p.next = p.queue[:n], 0
	}
	p.queue = append(p.queue, j)
	p.startWorker()
}

func (p *pool) waiting() int { return len(p.queue) - p.next }

// startWorker starts one more, if it may work and there are not enough. The lock is held.
func (p *pool) startWorker() {
	if p.drivers > 0 && !p.isClosed && p.workers < p.size {
		p.workers++
		go p.work()
	}
}

func (p *pool) work() {
	for {
		j, ok := p.take()
		if !ok {
			return
		}
		j(p.ctx)
	}
}

// take returns the next job, or ends the worker.
func (p *pool) take() (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.waiting() == 0 || p.drivers == 0 || p.isClosed {
		p.workers--
		p.quiet.Broadcast()
		return nil, false
	}
	j := p.queue[p.next]
	p.queue[p.next] = nil
	p.next++
	if p.next == len(p.queue) {
		p.queue, p.next = p.queue[:0], 0
	}
	if p.isMissed && p.room() >= p.many() {
		p.isMissed = false
		p.onRoom()
	}
	return j, true
}

// hasRoom reports whether another job should be queued. There is no room in an engine that nobody drives.
func (p *pool) hasRoom() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.room() > 0
}

// roomForMany is how many jobs should be fetched from the store, none unless it is worth the trouble; then onRoom is
// called once it is.
func (p *pool) roomForMany() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	room := p.room()
	if room < p.many() {
		p.isMissed = true
		return 0
	}
	return room
}

// room is called with the lock held.
func (p *pool) room() int {
	if p.drivers == 0 || p.isClosed {
		return 0
	}
	return max(p.size*queueFactor-p.waiting(), 0)
}

func (p *pool) many() int { return max(p.size*queueFactor/2, 1) }

// wait returns when no job is done or queued, or nobody is left to do them.
func (p *pool) wait() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.workers > 0 || p.waiting() > 0 && p.drivers > 0 && !p.isClosed {
		p.quiet.Wait()
	}
}

// close ends the workers and waits for them. It returns a context that outlives them.
func (p *pool) close() context.Context {
	p.cancel()
	p.mu.Lock()
	p.isClosed = true
	p.mu.Unlock()
	p.wait()
	return context.WithoutCancel(p.ctx)
}
