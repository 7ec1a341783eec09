// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// reader reads the whole configuration of one resource that a trail depends on. A resource that is not there is no error:
// its type says so by a field Exists.
type reader func(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error)

// readers is how each kind is read.
var readers = map[trail.Kind]reader{
	trail.KindKey:      readKeyDependency,
	trail.KindBucket:   readBucket,
	trail.KindTopic:    readTopic,
	trail.KindLogGroup: readLogGroup,
	trail.KindRole:     readRole,
	trail.KindRule:     readRule,
	trail.KindQueue:    readQueue,
	trail.KindAlarm:    readAlarm,
}

// ReadDependency reads the configuration of a resource that a trail depends on, as canonical JSON: the same bytes for the
// same configuration. trail.WeakenedDependency compares two of them.
func ReadDependency(ctx context.Context, door *gate.Door, d trail.Dependency) (json.RawMessage, error) {
	read, ok := readers[d.Kind]
	if !ok {
		return nil, fmt.Errorf("read %s: unknown kind %q", d.ARN, d.Kind)
	}
	content, err := read(ctx, door, d)
	if err != nil {
		return nil, fmt.Errorf("read %s %s: %w", d.Kind, d.ARN, err)
	}
	return json.Marshal(content)
}

// CanRead reports whether this build knows how to read a kind.
func CanRead(kind trail.Kind) bool { return readers[kind] != nil }

// Exists reports whether the resource of a configuration, as ReadDependency returns it, is there.
func Exists(content json.RawMessage) bool {
	var c struct{ Exists bool }
	return json.Unmarshal(content, &c) == nil && c.Exists
}
