// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"maps"
	"slices"
)

// tags of a resource. A value is never changed: with and without return another.
type tags map[string]string

func (t tags) with(key, value string) tags {
	out := make(tags, len(t)+1)
	maps.Copy(out, t)
	out[key] = value
	return out
}

func (t tags) without(key string) tags {
	out := maps.Clone(t)
	delete(out, key)
	return out
}

func (t tags) equal(u tags) bool { return maps.Equal(t, u) }

func (t tags) sorted() []string { return slices.Sorted(maps.Keys(t)) }
