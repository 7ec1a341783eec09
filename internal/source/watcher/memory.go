// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/trail"
)

// memory is what the watcher knows from one look to the next, by resource. It is kept over restarts, so that what was
// found stays one event.
type memory map[arn.ARN]*remembered

// remembered is what is known of one resource. Where it says by what, that is tier and code, see place.
type remembered struct {
	// LastGood is when something was last seen not to be wrong, by what.
	LastGood map[string]time.Time `json:"last_good"`
	// Found is what is wrong, by what.
	Found map[string]*found `json:"found,omitempty"`
	// Searches are those for the calls behind what was found; they outlive it, for what is put right at once is well again
	// before its call is in Event history.
	Searches []search `json:"searches,omitempty"`
	// Handed are the newest calls that were handed over.
	Handed []cloudtrail.EventID `json:"handed,omitempty"`
	// LookedAt is when it was last looked at.
	LookedAt time.Time `json:"looked_at,omitzero"`

	since  time.Time // since when it is looked at without a break
	next   map[Tier]time.Time
	failed map[Tier]failure
}

// place is where a finding of a tier is remembered.
func place(t Tier, c trail.Code) string { return string(t) + "/" + string(c) }

// codes are what can be wrong in a tier.
func codes(t Tier) []trail.Code {
	if t != TierStatus {
		return []trail.Code{trail.CodeWeakened, trail.CodeUnreadable}
	}
	return []trail.Code{
		trail.CodeStopped, trail.CodeGone, trail.CodeDeliveryError, trail.CodeLogFilesLate, trail.CodeDigestsLate, trail.CodeUnreadable,
	}
}

// found is a finding until it is well again.
type found struct {
	ID        string        `json:"id"` // of its event
	Finding   trail.Finding `json:"finding"`
	Delivered bool          `json:"delivered"`
}

// of is what is known of a resource.
func (m memory) of(a arn.ARN) *remembered {
	if m[a] == nil {
		m[a] = &remembered{}
	}
	r := m[a]
	if r.LastGood == nil {
		r.LastGood = map[string]time.Time{}
	}
	if r.Found == nil {
		r.Found = map[string]*found{}
	}
	if r.next == nil {
		r.next, r.failed = map[Tier]time.Time{}, map[Tier]failure{}
	}
	return r
}

// keep takes in what one look gave: what is new is delivered, what is well again is forgotten.
func (w *Source) keep(ctx context.Context, s subject, tier Tier, ills []trail.Finding, err error, handle source.Handler) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.services.Clock().UTC()
	m := w.memory.of(s.arn())
	m.next[tier] = now.Add(w.o.every(tier))
	switch {
	case errors.Is(err, errGone):
	case err != nil:
		ills = w.failed(ctx, s, tier, m, now, err)
	default:
		delete(m.failed, tier)
		w.recover(ctx, s, tier, m, ills, now)
	}
	for _, f := range ills {
		w.find(ctx, s, tier, m, f, now)
	}
	w.deliver(ctx, m, handle)
}

// recover forgets what is not wrong, or not any more.
func (w *Source) recover(ctx context.Context, s subject, tier Tier, m *remembered, ills []trail.Finding, now time.Time) {
	for _, code := range codes(tier) {
		if slices.ContainsFunc(ills, func(f trail.Finding) bool { return f.Code == code }) {
			continue
		}
		at := place(tier, code)
		m.LastGood[at] = now
		if f := m.Found[at]; f != nil {
			delete(m.Found, at)
			w.services.Logger.InfoContext(ctx, "as it should be again",
				slog.String("resource", string(s.arn())), slog.String("code", string(code)), slog.Time("since", f.Finding.Since))
		}
	}
}

// find notes a finding. One that was found before is the same, unless it began anew or more is wrong by now.
func (w *Source) find(ctx context.Context, s subject, tier Tier, m *remembered, f trail.Finding, now time.Time) {
	at := place(tier, f.Code)
	f.LastGood = m.LastGood[at]
	if f.LastGood.IsZero() {
		f.LastGood = s.snapshot.LastSeenAt.UTC()
	}
	if f.Since.IsZero() {
		f.Since = f.LastGood
	}
	if old := m.Found[at]; old != nil && old.Finding.Since.Equal(f.Since) && covers(old.Finding, f) {
		return
	}
	f.FoundAt, f.Account, f.Region = now, s.place().Account, s.place().Region
	if s.isTrail() {
		f.Trail = s.arn()
	} else {
		f.Kind, f.Resource = s.dependency.Kind, s.arn()
	}
	m.Found[at] = &found{ID: idOf(s.arn(), at, f), Finding: f}
	w.services.Logger.WarnContext(ctx, "found wrong", slog.String("resource", string(s.arn())), slog.String("code", string(f.Code)),
		slog.Time("since", f.Since), slog.String("reason", f.Reason))
}

// covers reports whether old has every field that f has: what is left of a repair that goes on is no news.
func covers(old, f trail.Finding) bool {
	return !slices.ContainsFunc(f.Differences, func(d trail.Difference) bool {
		return !slices.ContainsFunc(old.Differences, func(o trail.Difference) bool { return o.Field == d.Field })
	})
}

// deliver hands over what was not yet; what is refused comes again with the next look.
func (w *Source) deliver(ctx context.Context, m *remembered, handle source.Handler) {
	for _, key := range slices.Sorted(maps.Keys(m.Found)) {
		f := m.Found[key]
		if f.Delivered {
			continue
		}
		event, err := f.event()
		if err == nil {
			err = w.hand(ctx, event, handle)
		}
		if err != nil {
			w.services.Logger.ErrorContext(ctx, "hand over what was found wrong", slog.String("id", f.ID), slog.Any("error", err))
			continue
		}
		f.Delivered = true
		if f.Finding.IsOfCall() {
			m.Searches = append(m.Searches, search{f.ID, f.Finding, f.Finding.FoundAt.Add(trail.SoughtFor)})
		}
	}
}

// hand gives the pipeline an event. One that it can never take is put aside.
func (w *Source) hand(ctx context.Context, event cloudtrail.Envelope, handle source.Handler) error {
	from := "the watcher"
	err := handle(ctx, source.Delivery{Envelope: event, Via: via, From: from, DeliveredAt: w.services.Clock().UTC()})
	if errors.Is(err, source.ErrPoison) {
		return w.services.PutAside(ctx, via, from, event.Raw, err)
	}
	return err
}

// file is where the memory is kept; "" keeps none.
func (w *Source) file() string {
	if w.services.State == "" {
		return ""
	}
	return filepath.Join(w.services.State, via+".json")
}

// load reads what an earlier process knew. A file that cannot be read is an error and no reason to begin anew: everything
// that is wrong would be found once more.
func (w *Source) load() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isRead {
		return nil
	}
	kept := memory{}
	if w.file() != "" {
		data, err := os.ReadFile(w.file())
		if err == nil {
			err = json.Unmarshal(data, &kept)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("read what the watcher knew (%s; without the file it begins anew): %w", w.file(), err)
		}
	}
	w.memory, w.isRead = kept, true
	return nil
}

func (w *Source) save() error {
	if w.file() == "" {
		return nil
	}
	w.mu.Lock()
	data, err := json.Marshal(w.memory)
	w.mu.Unlock()
	if err == nil {
		err = os.MkdirAll(w.services.State, 0o700)
	}
	if err == nil {
		err = objects.WriteFile(w.file(), append(data, '\n'))
	}
	if err != nil {
		return fmt.Errorf("keep what the watcher knows: %w", err)
	}
	return nil
}
