// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	digestHour  = time.Hour        // CloudTrail writes a digest file an hour
	settleTime  = 2 * time.Hour    // after which a digest file must be there
	nameSlack   = 15 * time.Minute // between the time in a log file's name and its delivery
	groupsAhead = 8                // accounts x regions under way at once
)

// Validate checks what req names and calls report for each result, from the calling goroutine and in a fixed order:
// accounts and regions sorted, in each the chains with their digest files from newest to oldest, each followed by its
// log files, then what is unlisted. An error of report ends the run.
//
// A file or folder that cannot be read is a result (CodeUnreadable), and the rest goes on. Errors are those of the
// request, of report, of ctx, and in AWS-compatible mode what ends the AWS CLI with status 255; the Summary then counts
// what was reported before, and its Progress goes on from there.
func Validate(ctx context.Context, f Fetcher, req Request, opts Options, report func(Result) error) (Summary, error) {
	summary := Summary{Start: req.Start.UTC(), End: req.End.UTC(), Progress: opts.Resume}
	if err := req.check(opts); err != nil {
		return summary, err
	}
	req.Start, req.End = req.Start.UTC(), req.End.UTC()
	if !opts.AWSCompatible {
		req.Prefix = strings.Trim(req.Prefix, "/")
	}
	ctx, cancel := context.WithCancel(ctx)
	opts = opts.withDefaults()
	r := &run{
		access: newAccess(f, opts), req: req, opts: opts, report: report, summary: summary,
		tracker: newTracker(), seed: maphash.MakeSeed(), checks: make(chan func()),
	}
	for range opts.Concurrency {
		r.workers.Go(func() { r.runChecks(ctx) })
	}
	defer r.workers.Wait()
	defer cancel()
	err := r.validate(ctx)
	r.summary.Trails = int(r.trails.Load())
	r.summary.Progress = r.tracker.progress(opts.Resume)
	return r.summary, err
}

// run is one call of Validate. Fields above the line are fixed once it began; those below belong to the goroutine that
// called Validate.
type run struct {
	access  *access
	req     Request
	opts    Options
	rings   map[string]*ringState // by region
	seed    maphash.Seed
	workers sync.WaitGroup
	checks  chan func() // of log files; taken by runChecks
	// listed counts the log files remembered for the search for unlisted ones; digestsListed feeds Stats.
	listed, digestsListed, trails atomic.Int64
	prefetched                    atomic.Int64 // bytes of digest files read ahead
	large                         sync.Mutex   // held while a large digest file is read

	report  func(Result) error
	summary Summary
	tracker *tracker
	stats   Stats
}

// ringState is a region's keys, or why there are none, once loaded is closed.
type ringState struct {
	loaded chan struct{}
	ring   *keyring
	err    error
}

// runChecks does one check of a log file after the other. A goroutine for each would be as good, but for what requests
// take of the stack: growing it anew for each cost 7 % of the processor time.
func (r *run) runChecks(ctx context.Context) {
	for {
		select {
		case check := <-r.checks:
			check()
		case <-ctx.Done():
			return
		}
	}
}

// check has a check done; it waits for a free goroutine.
func (r *run) check(ctx context.Context, check func()) error {
	select {
	case r.checks <- check:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (r *run) validate(ctx context.Context) error {
	scopes, troubles, err := r.scopes(ctx)
	if err != nil {
		return err
	}
	r.stats.Scopes, r.summary.Scopes = len(scopes), len(scopes)
	found := r.loadKeys(ctx, scopes)
	groups := r.start(ctx, scopes) // they list while the keys are on their way
	if err := r.awaitKeys(scopes, found); err != nil {
		return err
	}
	for _, trouble := range append(troubles, r.keyFindings()...) {
		if err := r.emit(ctx, trouble); err != nil {
			return err
		}
	}
	for g := range groups {
		if err := r.drain(ctx, g); err != nil {
			return err
		}
		r.stats.ScopesDone++
	}
	return ctx.Err()
}

// start runs the groups, a few ahead of the one being reported, and yields them in order.
func (r *run) start(ctx context.Context, scopes []knownScope) <-chan *group {
	groups := make(chan *group, groupsAhead)
	r.workers.Go(func() {
		defer close(groups)
		for _, s := range scopes {
			g := newGroup(r, s)
			select {
			case groups <- g:
			case <-ctx.Done():
				return
			}
			r.workers.Go(func() { g.start(ctx) })
		}
	})
	return groups
}

// drain reports a group's results in the order in which they were asked for.
func (r *run) drain(ctx context.Context, g *group) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case it, ok := <-g.queue:
			if !ok {
				return g.err
			}
			if err := r.drainItem(ctx, it); err != nil {
				return err
			}
		}
	}
}

func (r *run) drainItem(ctx context.Context, it item) error {
	if it.stream == nil {
		return r.emit(ctx, it.result)
	}
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case result, ok := <-it.stream:
			if !ok {
				return nil
			}
			if err := r.emit(ctx, result); err != nil {
				return err
			}
		}
	}
}

// emit is the one place where a result becomes visible.
func (r *run) emit(ctx context.Context, result Result) error {
	if err := ctx.Err(); err != nil {
		return err // the result may be about being cancelled
	}
	if r.opts.AWSCompatible && result.Code == CodeUnreadable {
		return fmt.Errorf("validate %s: %w", result.place(), result.err)
	}
	r.summary.add(result)
	r.tracker.observe(result)
	if err := r.report(result); err != nil {
		return err
	}
	if r.opts.OnStats != nil {
		r.stats.count(result, r.digestsListed.Load())
		r.opts.OnStats(r.stats)
	}
	return nil
}

func (r Result) place() string {
	if uri := r.URI(); uri != "" {
		return uri
	}
	return r.Scope.String()
}

func (s *Stats) count(r Result, listed int64) {
	s.DigestsListed = int(listed)
	s.Bytes += r.Bytes
	if r.Key == "" || !r.isCLI() && r.Code != CodeUnreadable {
		return
	}
	switch r.Subject {
	case SubjectDigest:
		s.Digests++
	case SubjectLogFile:
		s.LogFiles++
	}
}

// loadKeys begins to get the public keys of all regions, and returns where they are counted.
func (r *run) loadKeys(ctx context.Context, scopes []knownScope) *atomic.Int64 {
	found := new(atomic.Int64)
	r.rings = make(map[string]*ringState)
	for _, s := range scopes {
		if r.rings[s.Region] == nil {
			r.rings[s.Region] = &ringState{loaded: make(chan struct{}), ring: newKeyring(s.Region, r.opts.AWSCompatible)}
		}
	}
	for _, state := range r.rings {
		r.workers.Go(func() {
			defer close(state.loaded)
			// Two hours more: the newest digest file may already be signed with the next key.
			n, err := state.ring.load(ctx, r.access, r.req.Start, r.req.End.Add(2*time.Hour))
			state.err = err
			found.Add(int64(n))
		})
	}
	return found
}

// awaitKeys waits for the keys. Only compatible mode fails for want of them.
func (r *run) awaitKeys(scopes []knownScope, found *atomic.Int64) error {
	for _, state := range r.rings {
		<-state.loaded
	}
	if !r.opts.AWSCompatible {
		return nil
	}
	if err := r.rings[scopes[0].Region].err; err != nil {
		return err
	}
	if found.Load() == 0 {
		return noKeysError(r.req.Start, r.req.End.Add(2*time.Hour))
	}
	return nil
}

func noKeysError(from, to time.Time) error {
	return fmt.Errorf("%w between %s and %s", ErrNoPublicKeys, display(from), display(to))
}

func (r *run) keyFindings() []Result {
	var findings []Result
	for _, region := range sortedKeys(r.rings) {
		for _, key := range r.rings[region].ring.bad {
			findings = append(findings, Result{
				Scope: Scope{Bucket: r.req.Bucket, Prefix: r.req.Prefix, Region: region}, Subject: SubjectKey,
				Code: CodeFingerprint, Severity: SeverityError,
				Detail: fmt.Sprintf("public key %.64q has the fingerprint %s; it is not used", key.Fingerprint, FingerprintOf(key.Value)),
			})
		}
	}
	return findings
}

func unreadable(s Scope, subject Subject, err error, what string) Result {
	detail := err.Error()
	if !strings.HasPrefix(detail, what) { // most Fetchers say themselves what they did
		detail = what + ": " + detail
	}
	var again *RetryError
	if errors.As(err, &again) {
		detail += " (still refused after several attempts)"
	}
	return Result{Scope: s, Subject: subject, Code: CodeUnreadable, Severity: SeverityError, Detail: detail, err: err}
}
