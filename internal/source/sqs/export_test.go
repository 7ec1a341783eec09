// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

// What the tests of message bodies look at.
type (
	Content = content
	Object  = object
)

var (
	ParseBody = parseBody
	RegionOf  = regionOf
)
