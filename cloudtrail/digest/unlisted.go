// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"time"
)

// maxListed bounds the log files that all searches under way remember together: 96 MB.
const maxListed = 12_000_000

// listedSet remembers, in eight bytes each, the log files that valid digest files list. The hash is seeded anew for each
// run, so that nobody can choose a name that collides with a listed one.
type listedSet struct {
	run    *run
	days   map[string][]uint64 // by day folder, so that a day is forgotten once it is searched
	count  int64
	isFull bool
}

func newListedSet(r *run) listedSet { return listedSet{run: r, days: make(map[string][]uint64)} }

func (l *listedSet) hash(bucket, key string) uint64 {
	var h maphash.Hash
	h.SetSeed(l.run.seed)
	_, _ = h.WriteString(bucket) // never fails
	_ = h.WriteByte('/')
	_, _ = h.WriteString(key)
	return h.Sum64()
}

func (l *listedSet) add(file LogFile) {
	if l.run.listed.Add(1) > maxListed {
		l.run.listed.Add(-1)
		l.isFull = true
		return
	}
	l.count++
	day := dayOf(file.Object)
	l.days[day] = append(l.days[day], l.hash(file.Bucket, file.Object))
}

// dayOf is the folder of an object.
func dayOf(key string) string {
	for i := len(key) - 1; i >= 0; i-- {
		if key[i] == '/' {
			return key[:i]
		}
	}
	return ""
}

func (l *listedSet) release() { l.run.listed.Add(-l.count) }

// dayLookup answers for one day folder.
type dayLookup struct {
	day    string
	hashes []uint64
}

func (l *listedSet) lookup(day string) *dayLookup {
	hashes := l.days[day]
	slices.Sort(hashes)
	return &dayLookup{day, hashes}
}

func (g *group) addPlace(s Scope) {
	s.Trail, s.HomeRegion, s.Backfill = "", "", false
	if !slices.Contains(g.places, s) {
		g.places = append(g.places, s)
	}
}

// pagesAhead bounds the pages of a listing of log files that wait for the search: some 150 KB each.
const pagesAhead = 8

// logListing lists the log files of a place in the range, ahead of the search: the walk takes long, and a page can only
// be asked for with the one before.
type logListing struct {
	place  Scope
	folder string
	pages  chan logPage // closed at the end of the range
}

type logPage struct {
	keys []string
	err  error // the last page's
}

func (g *group) listLogs(ctx context.Context, place Scope) *logListing {
	l := &logListing{place, place.logFolder(), make(chan logPage, pagesAhead)}
	g.run.workers.Go(func() {
		defer close(l.pages)
		g.run.listLogs(ctx, l)
	})
	return l
}

func (r *run) listLogs(ctx context.Context, l *logListing) {
	lastDay := r.req.End.Format(dayLayout)
	isAfter := func(key string) bool {
		rest := key[len(l.folder):]
		return len(rest) >= len(lastDay) && rest[:len(lastDay)] > lastDay
	}
	req := ListRequest{Bucket: l.place.Bucket, Prefix: l.folder, StartAfter: l.folder + r.req.Start.Format(dayLayout)}
	isLast := false
	for !isLast {
		page, err := r.access.list(ctx, req)
		keys := page.Keys
		if n := slices.IndexFunc(keys, isAfter); n >= 0 {
			keys, isLast = keys[:n], true
		}
		isLast = isLast || err != nil || page.Next == ""
		req.Token = page.Next
		select {
		case l.pages <- logPage{keys, err}:
		case <-ctx.Done():
			return
		}
	}
}

// searchUnlisted reports the log files of the range that no valid digest file lists. The first place's are being listed.
func (g *group) searchUnlisted(ctx context.Context, logs *logListing) error {
	if g.listed.isFull {
		return g.put(ctx, Result{
			Scope: g.scope.Scope, Subject: SubjectChain, Code: CodeSearchIncomplete, Severity: SeverityWarning,
			Detail: fmt.Sprintf("more than %d log files: not searched for unlisted ones; validate a shorter range", maxListed),
		})
	}
	for _, place := range g.places {
		if place != logs.place {
			logs = g.listLogs(ctx, place)
		}
		if err := g.searchListing(ctx, logs); err != nil {
			return err
		}
	}
	return nil
}

func (g *group) searchListing(ctx context.Context, logs *logListing) error {
	known := new(dayLookup)
	for page := range logs.pages {
		for _, key := range page.keys {
			if day := dayOf(key); known.day != day {
				known = g.listed.lookup(day)
			}
			if _, ok := slices.BinarySearch(known.hashes, g.listed.hash(logs.place.Bucket, key)); ok || key[len(key)-1] == '/' {
				continue
			}
			if err := g.unlisted(ctx, logs.place, key, logTime(key)); err != nil {
				return err
			}
		}
		if page.err != nil && ctx.Err() == nil {
			return g.put(ctx, unreadable(g.scope.Scope, SubjectChain, page.err, "list s3://"+logs.place.Bucket+"/"+logs.folder))
		}
	}
	return ctx.Err()
}

// unlisted reports a log file, unless its digest file may still be on its way or was in an earlier run.
func (g *group) unlisted(ctx context.Context, place Scope, key string, at time.Time) error {
	req := g.run.req
	if !at.IsZero() && (at.Add(time.Minute).Before(req.Start) || at.After(req.End)) || g.isPending(at) || g.isProven(at) {
		return nil
	}
	r := Result{
		Scope: g.scope.Scope, Subject: SubjectLogFile, Code: CodeUnlistedLogFile, Severity: SeverityError, Bucket: place.Bucket, Key: key,
		Detail: "no digest file lists it: CloudTrail did not deliver it, or nothing is left to prove that it did",
	}
	for _, s := range g.spans {
		if at.Add(time.Minute).Before(s.from) || at.After(s.to) {
			continue
		}
		r.Detail = "the digest file of its time is missing, invalid or unreadable"
		if s.isOff {
			r.Code, r.Severity = CodeLoggedWhileOff, SeverityWarning
			r.Detail = fmt.Sprintf("delivered while logging or validation was off, between %s and %s; nothing proves it", display(s.from), display(s.to))
			break
		}
	}
	return g.put(ctx, r)
}

// isPending reports whether a log file of this time may be listed by a digest file that is not written yet, or that ends
// after those asked for. Where one is there for its time, valid or not, or is overdue, it is not.
func (g *group) isPending(at time.Time) bool {
	if !at.After(g.newestListed.Add(-nameSlack)) {
		return false
	}
	if now := g.run.opts.Now; !now.IsZero() && at.After(now.Add(-settleTime)) {
		return true
	}
	return !g.newestEnd.Before(g.run.expectedEnd())
}

func (g *group) isProven(at time.Time) bool {
	return slices.ContainsFunc(g.proven, func(p Interval) bool { return !at.Before(p.From.Add(-nameSlack)) && at.Before(p.To) })
}
