// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// group validates one account and region: all its chains, then the log files that none of them lists. Its goroutine owns
// everything but queue, which the reporting goroutine empties.
type group struct {
	run   *run
	scope knownScope
	queue chan item // results in the order of reporting; bounded, which holds the walk back
	err   error     // ends the whole run; set before queue is closed

	places    []Scope // buckets and prefixes in which the chains' log files lie
	listed    listedSet
	spans     []span     // times for which no digest file proves anything
	proven    []Interval // times that an earlier run searched
	newestEnd time.Time  // of the newest valid digest file
	// newestListed is the end of the newest digest file, valid or not.
	newestListed time.Time
}

// item is a result that is there, or a stream of results to come.
type item struct {
	result Result
	stream <-chan Result
}

// span is a time in which log files are not listed for a known reason.
type span struct {
	from, to time.Time
	isOff    bool // logging or validation was off; else the digest file is missing, invalid or unreadable
}

func newGroup(r *run, s knownScope) *group {
	return &group{run: r, scope: s, queue: make(chan item, 2*r.opts.Concurrency), listed: newListedSet(r)}
}

func (g *group) validate(ctx context.Context) error {
	chains, err := g.run.list(ctx, g.scope.Scope)
	state := g.run.rings[g.scope.Region]
	<-state.loaded // always closed, at the latest when ctx ends
	if state.err != nil {
		return g.put(ctx, unreadable(g.scope.Scope, SubjectKey, state.err, "no digest file can be verified"))
	}
	if err != nil {
		if g.run.opts.AWSCompatible {
			return err
		}
		where := "list s3://" + g.scope.Bucket + "/" + g.scope.digestFolder()
		return g.put(ctx, unreadable(g.scope.Scope, SubjectChain, err, where))
	}
	if g.run.opts.AWSCompatible {
		return g.walkOne(ctx, chains)
	}
	return g.walkAll(ctx, chains)
}

func (g *group) start(ctx context.Context) {
	defer close(g.queue)
	defer g.listed.release()
	g.err = g.validate(ctx)
}

func (g *group) put(ctx context.Context, r Result) error { return g.putItem(ctx, item{result: r}) }

func (g *group) putItem(ctx context.Context, it item) error {
	select {
	case g.queue <- it:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// walkOne walks the two chains of the requested trail.
func (g *group) walkOne(ctx context.Context, chains listing) error {
	s := g.scope.Scope
	s.Trail, s.HomeRegion = g.run.req.Trail.Name, g.run.req.Trail.HomeRegion
	for _, isBackfill := range []bool{false, true} {
		s.Backfill = isBackfill
		if err := newChain(g, s, chains[s]).walk(ctx); err != nil {
			return err
		}
	}
	return nil
}

// walkAll walks every chain found. Those of trails that were not asked for are walked silently, for the log files that
// they list are not unlisted.
func (g *group) walkAll(ctx context.Context, chains listing) error {
	scopes := slices.SortedFunc(maps.Keys(chains), Scope.compare)
	if !slices.ContainsFunc(scopes, g.run.isMeant) {
		return g.empty(ctx, len(chains) > 0)
	}
	g.places = []Scope{g.scope.Scope}
	logs := g.listLogs(ctx, g.scope.Scope)
	for _, s := range scopes {
		c := newChain(g, s, chains[s])
		c.isQuiet = !g.run.isMeant(s)
		if err := c.walk(ctx); err != nil {
			return err
		}
	}
	return g.searchUnlisted(ctx, logs)
}

// isMeant reports whether a chain is one of the requested trail, if there is one.
func (r *run) isMeant(s Scope) bool {
	t := r.req.Trail
	return t.Name == "" || t.Name == s.Trail && t.HomeRegion == s.HomeRegion
}

// empty reports a scope without digest files in the range. Where other trails have some, only an expected one is missed.
func (g *group) empty(ctx context.Context, hasOthers bool) error {
	if hasOthers && !g.scope.isExpected {
		return nil
	}
	detail := fmt.Sprintf("no digest file ends between %s and %s under s3://%s/%s", display(g.run.req.Start),
		display(g.run.req.End.Add(digestHour)), g.scope.Bucket, g.scope.digestFolder())
	r := nothingFound(g.scope.Scope, detail)
	r.From, r.To = g.run.req.Start, g.run.req.End
	return g.put(ctx, r)
}
