// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"fmt"

	"github.com/switchback-project/switchback/internal/arn"
)

// Kind sorts the resources without which a trail is blind.
type Kind string

// The kinds, in the order in which they must be put right: log files are encrypted before they are written, and a trail
// is started towards a bucket that is there.
const (
	KindKey      Kind = "key"
	KindBucket   Kind = "bucket"
	KindTopic    Kind = "topic"
	KindLogGroup Kind = "log-group"
	KindRole     Kind = "role"
	KindRule     Kind = "rule"
	KindQueue    Kind = "queue"
	KindAlarm    Kind = "alarm"
)

// Dependency is one resource that a trail depends on.
type Dependency struct {
	Kind Kind    `json:"kind"`
	ARN  arn.ARN `json:"arn"`
	// Account and Region are where to look for it; a bucket's ARN tells neither. An empty Region of a bucket is found out.
	Account string `json:"account"`
	Region  string `json:"region,omitempty"`
}

// comparison compares two configurations of one kind, as canonical JSON.
type comparison func(want, have json.RawMessage) ([]Difference, error)

// comparisons is how the configurations of each kind are compared.
var comparisons = map[Kind]comparison{
	KindKey:      compareAs(WeakenedKey),
	KindBucket:   compareAs(WeakenedBucket),
	KindTopic:    compareAs(WeakenedTopic),
	KindLogGroup: compareAs(WeakenedLogGroup),
	KindRole:     compareAs(WeakenedRole),
	KindRule:     compareAs(WeakenedRule),
	KindQueue:    compareAs(WeakenedQueue),
	KindAlarm:    compareAs(WeakenedAlarm),
}

// WeakenedDependency compares two configurations of a kind, as state.ReadDependency gives them, field by field, and
// returns everything in which have is weaker than want. A field in which have is stronger is no difference and outweighs
// none; a new destination, principal or key is never a strengthening.
func WeakenedDependency(kind Kind, want, have json.RawMessage) ([]Difference, error) {
	compare, ok := comparisons[kind]
	if !ok {
		return nil, fmt.Errorf("compare two configurations: unknown kind %q", kind)
	}
	return compare(want, have)
}

// compareAs makes a comparison of one on the kind's own type.
func compareAs[T any](weakened func(want, have T) []Difference) comparison {
	return func(want, have json.RawMessage) ([]Difference, error) {
		var w, h T
		if err := json.Unmarshal(want, &w); err != nil {
			return nil, fmt.Errorf("read the wanted configuration: %w", err)
		}
		if err := json.Unmarshal(have, &h); err != nil {
			return nil, fmt.Errorf("read the present configuration: %w", err)
		}
		return weakened(w, h), nil
	}
}
