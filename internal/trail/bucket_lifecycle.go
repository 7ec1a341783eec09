// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// effect is one thing that a lifecycle rule does to the objects of its scope.
type effect struct {
	scope scope
	kind  effectKind
	// days after which it happens, or date on which it begins.
	days int32
	date time.Time
	// newer versions are kept whatever their age.
	newer int32
	// class is where objects are archived, "" where they are removed.
	class string
	rule  string
}

// effectKind sorts effects by what becomes of an object.
type effectKind string

// Archived objects take hours to come back; until then nobody can read them.
const (
	expires           effectKind = "current versions are removed"
	expiresNoncurrent effectKind = "old versions are removed"
	archives          effectKind = "current versions are archived"
	archivesOld       effectKind = "old versions are archived"
)

// archival are the storage classes from which an object must be restored before it can be read.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/archived-objects.html
var archival = map[string]bool{"GLACIER": true, deepArchive: true}

// deepArchive takes longest of all.
const deepArchive = "DEEP_ARCHIVE"

// scope is which objects a rule takes.
type scope struct {
	prefix string
	tags   map[string]string
	// larger and smaller than these many bytes; -1 and the largest number for all.
	larger, smaller int64
}

// lifecycle reports what the present rules remove or archive and the wanted ones do not, or not so early. An effect is
// taken for new unless one wanted rule certainly has it on at least the same objects.
func (w *weakening) lifecycle(want, have *Lifecycle) {
	wanted := want.effects()
	var found []string
	for _, e := range have.effects() {
		if !slices.ContainsFunc(wanted, e.within) {
			found = append(found, e.describe())
		}
	}
	if len(found) > 0 {
		w.add(FieldBucketLifecycle, lifecycleText(want), lifecycleText(have), joinSome(found))
	}
}

func lifecycleText(l *Lifecycle) string {
	if l == nil {
		return "none"
	}
	return string(mustJSON(l.Rules))
}

// effects are those of the enabled rules. Giving up uploads and removing lone delete markers loses nothing.
func (l *Lifecycle) effects() []effect {
	if l == nil {
		return nil
	}
	var out []effect
	for _, r := range l.Rules {
		if r.Status != enabled {
			continue
		}
		base := effect{scope: r.scope(), rule: given(r.ID)}
		add := func(kind effectKind, class string, days *int32, date *time.Time, newer *int32) {
			e := base
			e.kind, e.class, e.days, e.date, e.newer = kind, class, given(days), given(date), given(newer)
			out = append(out, e)
		}
		if x := r.Expiration; x != nil && (x.Days != nil || x.Date != nil) {
			add(expires, "", x.Days, x.Date, nil)
		}
		if x := r.NoncurrentVersionExpiration; x != nil {
			add(expiresNoncurrent, "", x.NoncurrentDays, nil, x.NewerNoncurrentVersions)
		}
		for _, x := range r.Transitions {
			if archival[x.StorageClass] {
				add(archives, x.StorageClass, x.Days, x.Date, nil)
			}
		}
		for _, x := range r.NoncurrentVersionTransitions {
			if archival[x.StorageClass] {
				add(archivesOld, x.StorageClass, x.NoncurrentDays, nil, x.NewerNoncurrentVersions)
			}
		}
	}
	return out
}

// within reports whether other has the effect on at least the same objects, and at least as early.
func (e effect) within(other effect) bool {
	return e.kind == other.kind && (e.class == other.class || other.class == deepArchive) && e.date.IsZero() == other.date.IsZero() && !e.date.Before(other.date) &&
		e.days >= other.days && e.newer >= other.newer && e.scope.within(other.scope)
}

func (e effect) describe() string {
	when := fmt.Sprintf("after %d days", e.days)
	if !e.date.IsZero() {
		when = "from " + e.date.UTC().Format(time.DateOnly)
	}
	return fmt.Sprintf("%s %s, below %.100q (rule %.60q)", e.kind, when, e.scope.prefix, e.rule)
}

// scope is what the rule's filter takes.
func (r LifecycleRule) scope() scope {
	s := scope{prefix: given(r.Prefix), tags: map[string]string{}, larger: -1, smaller: math.MaxInt64}
	f := r.Filter
	if f == nil {
		return s
	}
	and := LifecycleAnd{Prefix: f.Prefix, ObjectSizeGreaterThan: f.ObjectSizeGreaterThan, ObjectSizeLessThan: f.ObjectSizeLessThan}
	if f.Tag != nil {
		and.Tags = []ObjectTag{*f.Tag}
	}
	if f.And != nil {
		and = *f.And
	}
	if and.Prefix != nil {
		s.prefix = *and.Prefix
	}
	for _, t := range and.Tags {
		s.tags[t.Key] = t.Value
	}
	if and.ObjectSizeGreaterThan != nil {
		s.larger = *and.ObjectSizeGreaterThan
	}
	if and.ObjectSizeLessThan != nil {
		s.smaller = *and.ObjectSizeLessThan
	}
	return s
}

// within reports whether other takes every object that s takes.
func (s scope) within(other scope) bool {
	for _, k := range slices.Sorted(maps.Keys(other.tags)) {
		if v, ok := s.tags[k]; !ok || v != other.tags[k] {
			return false
		}
	}
	return strings.HasPrefix(s.prefix, other.prefix) && s.larger >= other.larger && s.smaller <= other.smaller
}
