// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
)

// History finds past CloudTrail records in one source at hand: received events, given files, Event history.
type History interface {
	// Lookup returns the records that match q, oldest first, and says in words what could not be searched. An error
	// means that nothing at all could be searched.
	Lookup(ctx context.Context, door *gate.Door, q Query) (records []cloudtrail.Record, gaps []string, err error)
}

// Query narrows a History. Empty fields do not restrict; From and To bound eventTime.
type Query struct {
	Account, Region string
	From, To        time.Time
	EventNames      []string
	AccessKeyID     string // that made the call
	IssuedKeyID     string // that the call issued (AssumeRole*, GetFederationToken)
	ResourceName    string // name or ARN mentioned in the request
	Limit           int    // zero: 1000
}
