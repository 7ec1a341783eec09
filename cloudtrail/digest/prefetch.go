// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"
)

const (
	// smallDigest is what digest files usually stay below: 3,000 log files. Larger ones are read one at a time and never
	// ahead, so that neither bombs nor a very busy account cost memory many times over.
	smallDigest = 2 << 20
	maxDigest   = 64 << 20
	// prefetchBudget bounds what the digest files that were read ahead hold together. One that does not fit is forgotten
	// and read again when the walk gets there.
	prefetchBudget = 32 << 20
	prefetchDepth  = 32
)

// loaded is a digest object as read. Exactly one of readErr, formatErr and fields is set.
type loaded struct {
	readErr   error // ErrNotFound, or what kept it from being read
	formatErr error // not gzip, not JSON
	fields    map[string]json.RawMessage
	meta      map[string]string
	inflated
}

// load reads one digest file.
func (r *run) load(ctx context.Context, bucket, key string) *loaded {
	d := r.loadUpTo(ctx, bucket, key, smallDigest)
	if !errors.Is(d.readErr, errTooLarge) {
		return d
	}
	r.large.Lock()
	defer r.large.Unlock()
	return r.loadUpTo(ctx, bucket, key, maxDigest)
}

func (r *run) loadUpTo(ctx context.Context, bucket, key string, limit int64) *loaded {
	d := new(loaded)
	var content bytes.Buffer
	err := r.access.get(ctx, bucket, key, func(o *Object) (err error) {
		content.Reset()
		d.meta = o.Metadata
		d.inflated, err = inflate(o.Body, &content, limit)
		return err
	})
	switch {
	case errors.Is(err, errFormat), d.truncated && err == nil:
		d.formatErr = ErrFormat
	case err != nil:
		d.readErr = err
	default:
		d.fields, d.formatErr = parseFields(content.Bytes())
	}
	return d
}

// prefetcher reads the digest files of a listing ahead of the walk, newest first. A chain names each digest file only in
// the one after it; the listing lets them be read in parallel all the same.
type prefetcher struct {
	run     *run
	bucket  string
	keys    []string // still to be asked for, oldest first
	pending []*ahead // asked for, newest first
}

type ahead struct {
	key  string
	done chan struct{}
	data *loaded // nil after done: forgotten
}

func newPrefetcher(r *run, bucket string, keys []string) *prefetcher {
	return &prefetcher{run: r, bucket: bucket, keys: keys}
}

// get returns the digest file with this key, which is usually the next of the listing.
func (p *prefetcher) get(ctx context.Context, bucket, key string) *loaded {
	at := keyTime(key)
	for len(p.pending) > 0 && bucket == p.bucket && p.pending[0].isPassed(key, at) {
		p.drop()
	}
	for len(p.keys) > 0 && bucket == p.bucket && (&ahead{key: p.keys[len(p.keys)-1]}).isPassed(key, at) {
		p.keys = p.keys[:len(p.keys)-1]
	}
	p.fill(ctx)
	if len(p.pending) == 0 || bucket != p.bucket || p.pending[0].key != key {
		return p.run.load(ctx, bucket, key)
	}
	<-p.pending[0].done
	data := p.pending[0].data
	p.drop()
	p.fill(ctx)
	if data == nil {
		return p.run.load(ctx, bucket, key)
	}
	return data
}

// isPassed reports whether a walk that is at key will not come to a.
func (a *ahead) isPassed(key string, at time.Time) bool {
	return a.key != key && !keyTime(a.key).Before(at)
}

// close gives back what was read for nothing.
func (p *prefetcher) close() {
	for len(p.pending) > 0 {
		p.drop()
	}
}

func (p *prefetcher) drop() {
	dropped := p.pending[0]
	p.pending = p.pending[1:]
	p.run.workers.Go(func() {
		<-dropped.done
		if dropped.data != nil {
			p.run.prefetched.Add(-dropped.data.size)
		}
	})
}

func (p *prefetcher) fill(ctx context.Context) {
	for len(p.keys) > 0 && len(p.pending) < prefetchDepth {
		a := &ahead{key: p.keys[len(p.keys)-1], done: make(chan struct{})}
		p.keys = p.keys[:len(p.keys)-1]
		p.pending = append(p.pending, a)
		p.run.workers.Go(func() {
			defer close(a.done)
			a.data = p.run.loadAhead(ctx, p.bucket, a.key)
		})
	}
}

// loadAhead returns nil when there is no room for the digest file.
func (r *run) loadAhead(ctx context.Context, bucket, key string) *loaded {
	d := r.loadUpTo(ctx, bucket, key, smallDigest)
	if errors.Is(d.readErr, errTooLarge) {
		return nil
	}
	if r.prefetched.Add(d.size) > prefetchBudget {
		r.prefetched.Add(-d.size)
		return nil
	}
	return d
}
