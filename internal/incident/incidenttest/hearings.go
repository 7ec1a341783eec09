// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incidenttest

import (
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

func testHearings(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	for _, h := range []incident.Heard{
		{Source: "sqs/1", At: noon},
		{Source: "sqs/1", CanaryAt: noon.Add(time.Minute)},
		{Source: "sqs/1", At: noon.Add(-time.Hour), CanaryAt: noon}, // late, and forgotten
		{Source: hostile, CanaryAt: noon},
		{Source: "s3/2", At: noon},
		{Source: "s3/2", At: noon.Add(time.Nanosecond)},
	} {
		must(t, s.PutHeard(ctx, h))
	}
	got, err := reopen(t).Heard(ctx)
	must(t, err)
	equal(t, "heard", []incident.Heard{
		{Source: hostile, CanaryAt: noon},
		{Source: "s3/2", At: noon.Add(time.Nanosecond)},
		{Source: "sqs/1", At: noon, CanaryAt: noon.Add(time.Minute)},
	}, got)
}
