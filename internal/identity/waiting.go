// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"slices"
	"sync"

	"github.com/switchback-project/switchback/cloudtrail"
)

// maxWaiting bounds the records that wait when nobody says otherwise.
const maxWaiting = 10_000

// Waiting remembers the records whose chain ends where an event has not come yet, and says which of them to resolve again
// when an event arrives. It is a short cut, not a promise: beyond its limit the oldest are forgotten. Its zero value is
// usable.
type Waiting struct {
	// Limit is how many records wait at most; zero is 10,000.
	Limit int

	mu    sync.Mutex
	byID  map[string]map[cloudtrail.EventID]bool
	all   map[cloudtrail.EventID]waiter
	order []cloudtrail.EventID // as they came; some are gone
}

type waiter struct {
	record cloudtrail.Record
	ids    []string
}

// Note takes the outcome of a resolution: r waits while it is unresolved for want of an event, else it is forgotten. It
// reports whether r waits.
func (w *Waiting) Note(r cloudtrail.Record, res Resolution) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.forget(r.EventID)
	if res.Status != Unresolved || len(res.Missing) == 0 || r.EventID == "" {
		return false
	}
	if w.all == nil {
		w.byID, w.all = map[string]map[cloudtrail.EventID]bool{}, map[cloudtrail.EventID]waiter{}
	}
	one := waiter{record: Slim(r)}
	for _, clue := range res.Missing {
		one.ids = append(one.ids, clue.ID)
		if w.byID[clue.ID] == nil {
			w.byID[clue.ID] = map[cloudtrail.EventID]bool{}
		}
		w.byID[clue.ID][r.EventID] = true
	}
	w.all[r.EventID] = one
	w.order = append(w.order, r.EventID)
	w.shrink()
	return true
}

// Arrived returns the records that waited for what the event r issued, oldest first; they go on waiting until Note says
// otherwise. The event must be in the index by then.
func (w *Waiting) Arrived(r cloudtrail.Record) []cloudtrail.Record {
	issue, ok := IssueOf(r)
	if !ok {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	helped := map[cloudtrail.EventID]bool{}
	for _, id := range issue.IDs() {
		for event := range w.byID[id] {
			helped[event] = true
		}
	}
	var again []cloudtrail.Record
	for event := range helped {
		again = append(again, w.all[event].record)
	}
	slices.SortFunc(again, func(a, b cloudtrail.Record) int { return compareEvents(a.EventTime, b.EventTime, a.EventID, b.EventID) })
	return again
}

// Len is how many records wait.
func (w *Waiting) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all)
}

func (w *Waiting) forget(event cloudtrail.EventID) {
	for _, id := range w.all[event].ids {
		delete(w.byID[id], event)
		if len(w.byID[id]) == 0 {
			delete(w.byID, id)
		}
	}
	delete(w.all, event)
}

// shrink forgets the oldest beyond the limit, and takes those that are gone out of the order once they are the most of it.
func (w *Waiting) shrink() {
	limit := w.Limit
	if limit <= 0 {
		limit = maxWaiting
	}
	for len(w.all) > limit {
		w.forget(w.order[0])
		w.order = w.order[1:]
	}
	if len(w.order) <= 2*limit {
		return
	}
	seen := map[cloudtrail.EventID]bool{}
	var kept []cloudtrail.EventID
	for _, event := range slices.Backward(w.order) { // the last time that it was noted counts
		if _, waits := w.all[event]; waits && !seen[event] {
			seen[event] = true
			kept = append(kept, event)
		}
	}
	slices.Reverse(kept)
	w.order = kept
}
