// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"fmt"
	"time"
)

// chain walks the digest files of one trail, account and region from the newest to the oldest: by the pointer in each
// digest file, and by the listing where a pointer leads nowhere or the file cannot be trusted.
type chain struct {
	group *group
	run   *run
	scope Scope // as results and Progress name it
	place Scope // where the walk is now: scope, until the trail had another bucket or prefix
	// listed is what the listing holds of this chain and the walk has not passed, oldest first.
	listed  []string
	ahead   *prefetcher
	ring    *keyring
	proven  []Interval
	isQuiet bool // report nothing, read no log files

	successor   *successor // of the digest file that comes next; nil when the walk came by the listing
	lastStart   time.Time  // start of the last valid or resumed digest file
	newestEnd   time.Time  // end of the newest valid one; zero: none so far
	isStarting  bool       // the oldest valid one starts the chain
	isExhausted bool       // the walk stopped for want of digest files
}

// successor is what the newer digest file says about the one before it.
type successor struct {
	previous Pointer
	start    time.Time
}

func newChain(g *group, s Scope, listed []string) *chain {
	c := &chain{group: g, run: g.run, scope: s, place: s, listed: listed, ring: g.run.rings[s.Region].ring}
	c.ahead = newPrefetcher(g.run, s.Bucket, listed)
	c.proven = g.run.opts.Resume.intervals(s)
	if s.Backfill && g.run.opts.AWSCompatible {
		c.ring = newKeyring(s.Region, true) // the AWS CLI starts this walk without keys
	} else if s.Backfill {
		c.ring = c.ring.clone()
	}
	return c
}

func (c *chain) walk(ctx context.Context) error {
	defer func() { c.ahead.close() }()
	if !c.isQuiet && !c.scope.Backfill && len(c.listed) > 0 {
		c.run.trails.Add(1)
	}
	key := c.pop()
	c.lastStart = keyTime(key)
	c.group.newestListed = maxTime(c.group.newestListed, c.lastStart)
	for key != "" && !c.run.req.Start.After(c.lastStart) {
		next, err := c.step(ctx, key)
		if err != nil {
			return err
		}
		c.isExhausted = next == ""
		key = next
	}
	if c.run.opts.AWSCompatible || c.isQuiet || c.scope.Backfill {
		return nil
	}
	return c.checkEnds(ctx)
}

// step deals with one digest file and returns the key of the next, empty at the end.
func (c *chain) step(ctx context.Context, key string) (string, error) {
	d := c.ahead.get(ctx, c.place.Bucket, key)
	if err := ctx.Err(); err != nil {
		return "", err
	}
	if err := c.passTo(ctx, key); err != nil {
		return "", err
	}
	file, f := c.judge(ctx, key, d)
	if f != nil {
		return c.broken(ctx, key, d, f)
	}
	if before := c.provenAt(key); before != nil {
		if hexSum(d.sum) == before.Newest.SHA256 {
			return c.resume(ctx, key, *before)
		}
		if err := c.report(ctx, c.finding(key, CodeResumeMismatch, SeverityError,
			"this digest file is not the one that was proven before; what it covers is validated again")); err != nil {
			return "", err
		}
	}
	return c.valid(ctx, key, d, file)
}

// pop takes the newest listed key.
func (c *chain) pop() string {
	if len(c.listed) == 0 {
		return ""
	}
	key := c.listed[len(c.listed)-1]
	c.listed = c.listed[:len(c.listed)-1]
	return key
}

// passTo drops the listed keys that are not older than key. Dropping another one than key itself means that no digest
// file led to it.
func (c *chain) passTo(ctx context.Context, key string) error {
	at := keyTime(key)
	for n := len(c.listed); n > 0 && !keyTime(c.listed[n-1]).Before(at); n = len(c.listed) {
		passed := c.pop()
		if passed == key || c.successor == nil {
			continue
		}
		err := c.report(ctx, c.finding(passed, CodeUnlinkedDigest, SeverityWarning, "no digest file of the chain leads to it; it was not used"))
		if err != nil {
			return err
		}
	}
	return nil
}

// report hands on a result; the findings of ours are not for compatible mode, and nothing is for quiet walks.
func (c *chain) report(ctx context.Context, r Result) error {
	isShown := !c.run.opts.AWSCompatible || r.isCLI() || r.Code == CodeUnreadable || r.Code == CodeGap
	if c.isQuiet || !isShown {
		return nil
	}
	return c.group.put(ctx, r)
}

// finding is a result beside the verdict on a digest file.
func (c *chain) finding(key string, code Code, severity Severity, detail string) Result {
	r := Result{Scope: c.scope, Subject: SubjectChain, Code: code, Severity: severity, Detail: detail}
	if key != "" {
		r.Subject, r.Bucket, r.Key = SubjectDigest, c.place.Bucket, key
	}
	return r
}

// broken reports a digest file that proves nothing and goes on with the next older one of the listing.
func (c *chain) broken(ctx context.Context, key string, d *loaded, f *fault) (string, error) {
	next := c.pop()
	end := keyTime(key)
	from := end.Add(-digestHour)
	if next != "" {
		from = keyTime(next)
	}
	c.successor, c.isStarting = nil, false
	c.group.spans = append(c.group.spans, span{from: from, to: maxTime(end, c.lastStart)})

	r := c.finding(key, f.code, SeverityError, f.detail)
	r.Bytes, r.err = d.stored, f.err
	holes := holeCount(from, end.Add(-digestHour))
	if c.scope.Backfill {
		holes = 0 // these are written for some hours only
	}
	if f.code == CodeMissingDigest {
		r.Count, r.From, r.To = 1+holes, from, end
	}
	if err := c.report(ctx, r); err != nil || f.code == CodeMissingDigest || holes == 0 {
		return next, err
	}
	return next, c.report(ctx, c.hole(from, end.Add(-digestHour), holes))
}

// hole reports digest files that must have been there and of which not even a name is left.
func (c *chain) hole(from, to time.Time, count int) Result {
	r := c.finding("", CodeMissingDigest, SeverityError,
		fmt.Sprintf("%d digest files are missing between %s and %s", count, display(from), display(to)))
	r.From, r.To, r.Count = from, to, count
	return r
}

// holeCount is how many hourly digest files are needed to fill a time. A minute is none: ends are not exact.
func holeCount(from, to time.Time) int {
	d := to.Sub(from) - time.Minute
	if d <= 0 {
		return 0
	}
	return int((d + digestHour - 1) / digestHour)
}

// valid reports a proven digest file and what is remarkable about it, has its log files checked and follows its pointer.
func (c *chain) valid(ctx context.Context, key string, d *loaded, file *File) (string, error) {
	start, end, _ := file.Window() // judge parsed it
	r := c.finding(key, CodeValid, SeverityNone, "")
	r.From, r.To, r.Count, r.Bytes, r.SHA256 = start, end, len(file.LogFiles), d.stored, hexSum(d.sum)
	r.link = &link{Ref{c.place.Bucket, key, r.SHA256}, file.Previous}
	if err := c.report(ctx, r); err != nil {
		return "", err
	}
	for _, f := range c.oddities(key, d, file, start, end) {
		if err := c.report(ctx, f); err != nil {
			return "", err
		}
	}
	if err := c.logFiles(ctx, key, file.LogFiles); err != nil {
		return "", err
	}
	c.cover(start, end)
	return c.follow(ctx, key, start, file.Previous)
}

func (c *chain) cover(start, end time.Time) {
	c.lastStart = start
	if c.newestEnd.IsZero() {
		c.newestEnd = end
	}
	c.group.newestEnd = maxTime(c.group.newestEnd, end)
}

// follow returns the key before, which a starting digest file does not name.
func (c *chain) follow(ctx context.Context, key string, start time.Time, previous Pointer) (string, error) {
	c.isStarting = previous.IsZero()
	if c.isStarting {
		c.successor = nil
		next := c.pop()
		if next == "" {
			return "", nil
		}
		return next, c.gap(ctx, keyTime(next), start)
	}
	c.successor = &successor{previous, start}
	if !keyTime(previous.Object).Before(keyTime(key)) {
		// A digest file that points at itself or forward would keep the walk going for ever.
		c.successor = nil
		return c.pop(), c.report(ctx, c.finding(key, CodeDiscontinuity, SeverityError, "its previous digest file is not older: "+previous.Object))
	}
	return previous.Object, c.relocate(ctx, previous)
}

func (c *chain) gap(ctx context.Context, from, to time.Time) error {
	r := c.finding("", CodeGap, SeverityWarning,
		fmt.Sprintf("logging or log file validation was off between %s and %s; nothing proves what was delivered", display(from), display(to)))
	if c.scope.Backfill {
		r.Severity, r.Detail = SeverityNote, fmt.Sprintf("no backfill digest file between %s and %s", display(from), display(to))
	} else {
		c.group.spans = append(c.group.spans, span{from, to, true})
	}
	r.From, r.To = from, to
	return c.report(ctx, r)
}

// relocate follows a chain into the bucket or prefix that its trail had before. The AWS CLI follows buckets only.
func (c *chain) relocate(ctx context.Context, to Pointer) error {
	next := c.scope.relocated(to.Bucket, to.Object)
	if c.run.opts.AWSCompatible {
		next.Prefix, next.Organization = c.place.Prefix, c.place.Organization
	}
	if next == c.place {
		return nil
	}
	c.place = next
	c.group.addPlace(next)
	chains, err := c.run.list(ctx, next)
	if err != nil && c.run.opts.AWSCompatible {
		return err
	}
	// Newer digest files there belong to another time of the trail.
	c.listed = chains[next]
	for at := keyTime(to.Object); len(c.listed) > 0 && keyTime(c.listed[len(c.listed)-1]).After(at); {
		c.pop()
	}
	c.ahead.close()
	c.ahead = newPrefetcher(c.run, next.Bucket, c.listed)
	if err != nil {
		return c.report(ctx, unreadable(c.scope, SubjectChain, err, "list s3://"+next.Bucket+"/"+next.digestFolder()))
	}
	return nil
}

func (c *chain) provenAt(key string) *Interval {
	for i, p := range c.proven {
		if p.Newest.Key == key && p.Newest.Bucket == c.place.Bucket {
			return &c.proven[i]
		}
	}
	return nil
}

// resume jumps over what was proven before.
func (c *chain) resume(ctx context.Context, key string, p Interval) (string, error) {
	r := c.finding("", CodeResumed, SeverityNote,
		fmt.Sprintf("proven before: %d digest files, %d log files between %s and %s", p.Digests, p.LogFiles, display(p.From), display(p.To)))
	r.From, r.To, r.Count, r.mark = p.From, p.To, p.Digests, p
	if err := c.report(ctx, r); err != nil {
		return "", err
	}
	c.group.proven = append(c.group.proven, p)
	c.cover(p.From, p.To)
	for n := len(c.listed); n > 0 && keyTime(c.listed[n-1]).After(p.From); n = len(c.listed) {
		c.pop()
	}
	return c.follow(ctx, key, p.From, p.Previous)
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
