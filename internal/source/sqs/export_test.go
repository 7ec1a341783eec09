// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

import "time"

// What the tests of message bodies look at.
type (
	Content = content
	Object  = object
)

var (
	ParseBody = parseBody
	RegionOf  = regionOf
)

// Backoff is when a message comes again after its n-th attempt.
func Backoff(q *Source, n int) time.Duration { return q.backoff(n) }
