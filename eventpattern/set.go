// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern

import (
	"fmt"
	"slices"
	"sync"
)

// Set matches events against many patterns at once. Each pattern is filed under the values of its most selective field,
// so that an event is checked only against the patterns that it may match.
//
// The zero value is an empty set. A Set is safe for concurrent use; Add makes the next match build the index anew, so
// add all patterns first.
type Set[K comparable] struct {
	mu       sync.RWMutex
	keys     []K
	ordinals map[K]int
	patterns []keyedPattern
	index    *index
}

type keyedPattern struct {
	pattern *Pattern
	// ordinal is the key's place in keys.
	ordinal int
}

// Add adds a pattern under a key. A key may have several patterns: it matches when one of them does.
func (s *Set[K]) Add(key K, p *Pattern) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ordinal, ok := s.ordinals[key]
	if !ok {
		if s.ordinals == nil {
			s.ordinals = map[K]int{}
		}
		ordinal = len(s.keys)
		s.ordinals[key] = ordinal
		s.keys = append(s.keys, key)
	}
	s.patterns = append(s.patterns, keyedPattern{p, ordinal})
	s.index = nil
}

// Len returns the number of keys.
func (s *Set[K]) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.keys)
}

// Match returns the keys of the patterns that match, in the order in which they were first added.
func (s *Set[K]) Match(e *Event) []K {
	ix, keys := s.built()
	v := ix.view()
	defer ix.views.Put(v)
	v.readEvent(ix.plan, e)
	return matched(keys, ix.match(v))
}

// MatchJSON is Match for an event's text. It looks only at the fields that the patterns name, and is much faster than
// [ParseEvent] and Match. It fails when the event is not a JSON object.
func (s *Set[K]) MatchJSON(event []byte) ([]K, error) {
	ix, keys := s.built()
	v := ix.view()
	defer ix.views.Put(v)
	if err := v.readJSON(ix.plan, event); err != nil {
		return nil, fmt.Errorf("match event: %w", err)
	}
	return matched(keys, ix.match(v)), nil
}

func matched[K comparable](keys []K, ordinals []int) []K {
	if len(ordinals) == 0 {
		return nil
	}
	slices.Sort(ordinals)
	result := make([]K, len(ordinals))
	for i, ordinal := range ordinals {
		result[i] = keys[ordinal]
	}
	return result
}

// built returns the index, which it builds after a change, and the keys it speaks of.
func (s *Set[K]) built() (*index, []K) {
	s.mu.RLock()
	ix, keys := s.index, s.keys
	s.mu.RUnlock()
	if ix != nil {
		return ix, keys
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.index == nil {
		s.index = newIndex(s.patterns)
	}
	return s.index, s.keys
}
