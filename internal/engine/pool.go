// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"sync"
	"time"
)

// queueFactor is how many jobs may wait for each worker before executions are left in the store. Enough that workers
// never run dry between two looks at the store.
const queueFactor = 16

// job is work for a worker; closing ends with the pool.
type job func(closing context.Context)

// Paperwork is what is not urgent. It does not follow urgent jobs in a burst that the next urgent job would meet, so it is
// held back until nothing was urgent for a while; but nothing waits for ever, as where each job waits for a mail server.
const (
	calm     = 250 * time.Millisecond
	patience = 2 * time.Second
)

// queue holds jobs in the order in which they came, and when that was.
type queue struct {
	jobs []queued
	next int // index of the first one
}

type queued struct {
	job
	at time.Time
}

func (q *queue) waiting() int { return len(q.jobs) - q.next }

func (q *queue) push(j job) {
	if q.next > len(q.jobs)/2 && len(q.jobs) == cap(q.jobs) {
		n := copy(q.jobs, q.jobs[q.next:])
		clear(q.jobs[n:])
		q.jobs, q.next = q.jobs[:n], 0
	}
	q.jobs = append(q.jobs, queued{j, time.Now()})
}

// impatient reports whether the first job has waited for too long.
func (q *queue) impatient() bool {
	return q.waiting() > 0 && time.Since(q.jobs[q.next].at) > patience
}

func (q *queue) pop() job {
	j := q.jobs[q.next].job
	q.jobs[q.next] = queued{}
	q.next++
	if q.next == len(q.jobs) {
		q.jobs, q.next = q.jobs[:0], 0
	}
	return j
}

// pool does jobs on a bounded number of goroutines, while somebody drives it: urgent ones first, each kind in the order
// in which they come. While there are urgent jobs, and for a moment after, the others get one worker: putting things back
// comes before the paperwork about what was put back.
type pool struct {
	ctx    context.Context //nolint:containedctx // the life of the workers, from Open to Close
	cancel context.CancelFunc
	size   int
	// onRoom is called when room was refused and there is some again.
	onRoom func()

	mu       sync.Mutex
	quiet    sync.Cond // workers or queues became empty
	urgent   queue
	rest     queue
	workers  int
	busy     int // workers at urgent jobs
	lastBusy time.Time
	isHeld   bool // somebody looks again when it is calm
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
	p.startWorkers()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.drivers--
		p.quiet.Broadcast()
	}
}

// add queues a job. It never waits: the caller may hold a lock that a worker needs.
func (p *pool) add(j job) { p.queue(&p.rest, j) }

// addUrgent queues a job that goes before the others.
func (p *pool) addUrgent(j job) { p.queue(&p.urgent, j) }

func (p *pool) queue(q *queue, j job) {
	p.mu.Lock()
	defer p.mu.Unlock()
	q.push(j)
	p.startWorkers()
}

func (p *pool) waiting() int { return p.urgent.waiting() + p.rest.waiting() }

// ready is how many jobs may be begun now. The lock is held.
func (p *pool) ready() int {
	if p.drivers == 0 || p.isClosed {
		return 0
	}
	return p.urgent.waiting() + p.readyRest()
}

// readyRest is how many of the jobs that are not urgent may be begun now. The lock is held.
func (p *pool) readyRest() int {
	waiting := p.rest.waiting()
	isCalm := p.urgent.waiting() == 0 && p.busy == 0 && (p.lastBusy.IsZero() || time.Since(p.lastBusy) > calm)
	if waiting == 0 || isCalm {
		return waiting
	}
	p.hold()
	if p.workers == p.busy || p.rest.impatient() {
		return 1
	}
	return 0
}

// hold looks again at what is held back, once. The lock is held.
func (p *pool) hold() {
	if p.isHeld {
		return
	}
	p.isHeld = true
	time.AfterFunc(calm, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.isHeld = false
		p.startWorkers()
	})
}

// startWorkers starts what may work and is not there yet. The lock is held.
func (p *pool) startWorkers() {
	for p.workers < p.size && p.ready() > 0 {
		j, isUrgent := p.take()
		p.workers++
		go p.work(j, isUrgent)
	}
}

// work does the job, and then whatever is ready.
func (p *pool) work(j job, isUrgent bool) {
	for j != nil {
		j(p.ctx)
		j, isUrgent = p.following(isUrgent)
	}
}

// following ends a job and returns the next one, or nil: the worker is gone.
func (p *pool) following(wasUrgent bool) (job, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.workers--
	if wasUrgent {
		p.busy--
		p.lastBusy = time.Now()
	}
	p.startRoom()
	if p.ready() == 0 {
		p.quiet.Broadcast()
		return nil, false
	}
	j, isUrgent := p.take()
	p.workers++
	p.startWorkers()
	return j, isUrgent
}

// take removes the next job. The lock is held, and a job is ready.
func (p *pool) take() (j job, isUrgent bool) {
	if p.urgent.waiting() > 0 {
		p.busy++
		return p.urgent.pop(), true
	}
	return p.rest.pop(), false
}

// startRoom tells when room that was refused is there. The lock is held.
func (p *pool) startRoom() {
	if p.isMissed && p.room() >= p.many() {
		p.isMissed = false
		p.onRoom()
	}
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
