// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// progressVersion is the version of the JSON that Progress becomes.
const progressVersion = 1

// Progress is what runs have proven: for each chain, spans of linked digest files whose signatures, links and log files
// were all valid. It is plain JSON. Options.Resume takes it to go on; the digest file at a span's newest end is read and
// verified again, the rest of the span is not. Keep it where only the validator writes: it is trusted.
type Progress struct {
	Version int             `json:"version"`
	Chains  []ChainProgress `json:"chains"`
}

// ChainProgress is what is proven of one chain.
type ChainProgress struct {
	Scope     Scope      `json:"scope"`
	Intervals []Interval `json:"intervals"` // newest first, not overlapping
}

// Interval is an unbroken, proven span of a chain.
type Interval struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Newest   Ref       `json:"newest"`            // the digest file that ends at To
	Previous Pointer   `json:"previous,omitzero"` // what the one that starts at From leads to; zero if it starts the chain
	Digests  int       `json:"digest_files"`
	LogFiles int       `json:"log_files"`
}

// Ref names an object and its inflated content.
type Ref struct {
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	SHA256 string `json:"sha256"`
}

// ParseProgress reads the JSON of a Progress. Another version, or a field that it does not know, is an error: a resume
// file that is misread would skip files.
func ParseProgress(data []byte) (*Progress, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	p := new(Progress)
	if err := dec.Decode(p); err != nil {
		return nil, fmt.Errorf("parse progress: %w", err)
	}
	if p.Version != progressVersion {
		return nil, fmt.Errorf("parse progress: version %d, want %d", p.Version, progressVersion)
	}
	return p, nil
}

func (p *Progress) intervals(s Scope) []Interval {
	if p == nil {
		return nil
	}
	for _, c := range p.Chains {
		if c.Scope == s {
			return c.Intervals
		}
	}
	return nil
}

// tracker learns from the results, as they are reported, what is proven. What was not reported is not proven: that is
// what makes an interrupted run resumable.
type tracker struct{ chains map[Scope]*chainTracker }

// chainTracker follows one chain from its newest digest file to its oldest.
type chainTracker struct {
	done     []Interval
	open     *Interval
	pending  *pendingDigest
	examined time.Time // end of the oldest digest file that was read
	resumed  []Ref
}

// pendingDigest is a valid digest file whose log files are still to come.
type pendingDigest struct {
	Interval
	logsLeft int
	isBroken bool
}

func newTracker() *tracker { return &tracker{chains: make(map[Scope]*chainTracker)} }

func (t *tracker) observe(r Result) {
	if r.Scope.Trail == "" {
		return
	}
	c := t.chains[r.Scope]
	if c == nil {
		c = new(chainTracker)
		t.chains[r.Scope] = c
	}
	switch {
	case r.link != nil:
		c.flush()
		c.pending = &pendingDigest{Interval: Interval{
			From: r.From, To: r.To, Newest: r.link.ref, Previous: r.link.previous, Digests: 1, LogFiles: r.Count,
		}, logsLeft: r.Count}
		c.examined = r.To
	case r.Code == CodeResumed:
		c.flush()
		c.resumed = append(c.resumed, r.mark.Newest)
		c.join(r.mark)
	case r.Subject == SubjectDigest && r.isCLI():
		c.flush()
		c.close()
		c.examined = keyTime(r.Key)
	case c.pending != nil && r.Subject == SubjectLogFile && (r.isCLI() || r.Code == CodeUnreadable || r.Code == CodeUnknownHash):
		c.pending.logsLeft--
		c.pending.isBroken = c.pending.isBroken || !r.IsValid()
	case c.pending != nil && (r.Severity == SeverityError || r.Severity == SeverityWarning) && r.Key == c.pending.Newest.Key:
		c.pending.isBroken = true
	}
}

// flush decides about the digest file whose log files have all been seen.
func (c *chainTracker) flush() {
	p := c.pending
	c.pending = nil
	switch {
	case p == nil:
	case p.isBroken || p.logsLeft > 0:
		c.close()
	default:
		c.join(p.Interval)
	}
}

// join appends an older span to the open one when the chain links them.
func (c *chainTracker) join(older Interval) {
	o := c.open
	if o == nil || o.Previous.Bucket != older.Newest.Bucket || o.Previous.Object != older.Newest.Key {
		c.close()
		c.open = &older
		return
	}
	o.From, o.Previous = older.From, older.Previous
	o.Digests += older.Digests
	o.LogFiles += older.LogFiles
}

func (c *chainTracker) close() {
	if c.open != nil {
		c.done = append(c.done, *c.open)
		c.open = nil
	}
}

// progress ends the tracking. Spans of before stay as far as this run neither read them again nor took them over.
func (t *tracker) progress(before *Progress) *Progress {
	p := &Progress{Version: progressVersion}
	for scope, c := range t.chains {
		c.flush()
		c.close()
		kept := c.done
		for _, old := range before.intervals(scope) {
			isRead := !c.examined.IsZero() && !old.To.Before(c.examined)
			if !isRead && !slices.Contains(c.resumed, old.Newest) {
				kept = append(kept, old)
			}
		}
		if len(kept) > 0 {
			p.Chains = append(p.Chains, ChainProgress{scope, kept})
		}
	}
	if before != nil {
		for _, old := range before.Chains {
			if t.chains[old.Scope] == nil {
				p.Chains = append(p.Chains, old)
			}
		}
	}
	slices.SortFunc(p.Chains, func(a, b ChainProgress) int { return a.Scope.compare(b.Scope) })
	return p
}
