// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bufio"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"sync"
)

const (
	// DefaultSegmentBytes is the size after which a new segment is begun.
	DefaultSegmentBytes = 16 << 20
	// maxQueued bounds the entries that AppendAsync keeps in memory.
	maxQueued = 1024
)

// ErrBroken says that the end of a ledger is damaged in a way that no kill explains; Verify says where and how.
var ErrBroken = errors.New("ledger is broken")

// Options of Open; the zero value works.
type Options struct {
	// SegmentBytes is the size after which a new segment is begun; zero means DefaultSegmentBytes.
	SegmentBytes int64
}

// Ledger appends entries. It is safe for concurrent use.
type Ledger struct {
	folder  Folder
	options Options
	key     ed25519.PrivateKey

	queueing sync.Mutex
	queue    []*pending

	// writing is held by the one caller that writes for all who queue; it guards everything below and the outcome of
	// every pending entry.
	writing sync.Mutex
	start   int // the segment to read from when in doubt
	segment int
	offset  int64 // how far the segment was read or written in whole lines; others wrote what is beyond it
	chain   chain
	reader  *bufio.Reader // of the segment, kept since each write reads on first
}

type pending struct {
	entry    Entry
	hasOwner bool // somebody waits for the outcome
	isDone   bool
	err      error
}

// Open opens the ledger in folder and makes its key on first use. What a kill left behind the first Append repairs. The
// error wraps ErrBroken when the newest entries are damaged in another way.
func Open(ctx context.Context, folder Folder, o Options) (*Ledger, error) {
	if o.SegmentBytes <= 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	key, err := openKey(ctx, folder)
	if err != nil {
		return nil, err
	}
	last, err := lastSegment(ctx, folder)
	if err != nil {
		return nil, err
	}
	l := &Ledger{folder: folder, options: o, key: key, start: firstToRead(last), reader: bufio.NewReaderSize(nil, 64<<10)}
	l.rewind()
	err = l.locked(ctx, func() error {
		tail, err := l.catchUp(ctx)
		if err != nil {
			return err
		}
		return l.judge(tail)
	})
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if err := l.checkHead(); err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	return l, nil
}

// checkHead makes sure that the chain goes on from an entry of ours.
func (l *Ledger) checkHead() error {
	public, ok := l.key.Public().(ed25519.PublicKey)
	if !ok || l.chain.last.Seq == 0 {
		return nil
	}
	if err := l.chain.last.verifySignature(public); err != nil {
		return fmt.Errorf("%w: entry %d %w", ErrBroken, l.chain.last.Seq, err)
	}
	return nil
}

// Head is the newest entry known, a Checkpoint to keep elsewhere. It is zero for an empty ledger.
func (l *Ledger) Head() Checkpoint {
	l.writing.Lock()
	defer l.writing.Unlock()
	return Checkpoint{l.chain.last.Seq, l.chain.last.Hash}
}

// Append records e and returns once it is durable. Concurrent calls share one write. When it fails e may be recorded
// nevertheless, as with any disk. A ctx that ends while e waits its turn does not take it back.
func (l *Ledger) Append(ctx context.Context, e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	p := &pending{entry: e, hasOwner: true}
	l.enqueue(p)
	return l.flush(ctx, p)
}

// AppendAsync records e with the next Append, Flush or Close, whichever comes first; for entries such as calls that only
// read, which no effect waits for. It flushes by itself when many wait.
func (l *Ledger) AppendAsync(ctx context.Context, e Entry) error {
	if err := e.check(); err != nil {
		return err
	}
	if l.enqueue(&pending{entry: e}) < maxQueued {
		return nil
	}
	return l.Flush(ctx)
}

// Flush makes durable what AppendAsync took.
func (l *Ledger) Flush(ctx context.Context) error { return l.flush(ctx, nil) }

// Close flushes. The ledger holds no other resources.
func (l *Ledger) Close(ctx context.Context) error { return l.Flush(ctx) }

func (l *Ledger) enqueue(p *pending) int {
	l.queueing.Lock()
	defer l.queueing.Unlock()
	l.queue = append(l.queue, p)
	return len(l.queue)
}

// flush writes the whole queue unless somebody else wrote p meanwhile.
func (l *Ledger) flush(ctx context.Context, p *pending) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if p != nil && p.isDone {
		return p.err
	}
	l.queueing.Lock()
	batch := l.queue
	l.queue = nil
	l.queueing.Unlock()
	if len(batch) == 0 {
		return nil
	}
	// The batch belongs to many callers: it does not end with the context of one.
	err := l.write(context.WithoutCancel(ctx), batch)
	for _, p := range batch {
		p.isDone, p.err = true, err
	}
	if err != nil {
		l.putBack(batch)
	}
	return err
}

// putBack keeps the entries that nobody waits for, within bounds, for the next attempt.
func (l *Ledger) putBack(batch []*pending) {
	var orphans []*pending
	for _, p := range batch {
		if !p.hasOwner && len(orphans) < maxQueued {
			orphans = append(orphans, p)
		}
	}
	l.queueing.Lock()
	defer l.queueing.Unlock()
	l.queue = append(orphans, l.queue...)
}
