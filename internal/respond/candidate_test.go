// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/source"
)

// What an event that is no API call opens: by its id, detail type and first resource.
func TestCandidateOfCustomEvent(t *testing.T) {
	received := time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)
	r := &Responder{clock: func() time.Time { return received }}
	book := &runbook.Runbook{Manifest: runbook.Manifest{ID: "log-integrity", Severity: incident.Critical}}
	type want struct {
		Key        incident.Key
		Title      string
		Region     string
		Event      cloudtrail.EventID
		OccurredAt time.Time
	}
	key := incident.Key{
		Runbook: "log-integrity", Account: "111122223333", Resource: "arn:aws:s3:::logs", EventName: "Log File Integrity", Outcome: incident.Succeeded,
	}
	other := key
	other.Account, other.Resource = "444455556666", "arn:aws:cloudtrail:eu-west-2:444455556666:trail/main"
	bare := key
	bare.Resource = ""
	at := time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name, event string
		want        want
	}{
		{"a bucket has no account in its ARN", `{"id":"e-1","detail-type":"Log File Integrity","source":"switchback","account":"111122223333",
			"time":"2026-05-04T09:00:00Z","region":"eu-west-1","resources":["arn:aws:s3:::logs"],"detail":{"code":"hash-mismatch"}}`,
			want{key, "Log File Integrity on logs", "eu-west-1", "e-1", at}},
		{"the account and region of a resource win", `{"id":"e-2","detail-type":"Log File Integrity","source":"switchback","account":"111122223333",
			"time":"2026-05-04T09:00:00Z","region":"eu-west-1","resources":["arn:aws:cloudtrail:eu-west-2:444455556666:trail/main"],"detail":{}}`,
			want{other, "Log File Integrity on main", "eu-west-2", "e-2", at}},
		{"without resource and time", `{"id":"e-3","detail-type":"Log File Integrity","source":"switchback","account":"111122223333","region":"eu-west-1","detail":{}}`,
			want{bare, "Log File Integrity on", "eu-west-1", "e-3", received}},
	} {
		envelope, err := cloudtrail.ParseEnvelope([]byte(tc.event))
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.candidate(book, runbook.Trigger{Name: "x"}, source.Delivery{Envelope: envelope})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tc.want, want{c.Key, c.Title, c.Region, c.Event, c.OccurredAt}); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if c.Severity != incident.Critical || len(c.Envelope) == 0 || !c.ReceivedAt.Equal(received) {
			t.Errorf("%s: %+v", tc.name, c)
		}
	}
}

// An event that cannot be told from others opens nothing: it would be a new incident each time it comes.
func TestCandidateNeedsAnID(t *testing.T) {
	envelope, err := cloudtrail.ParseEnvelope([]byte(`{"detail-type":"Log File Integrity","source":"switchback","detail":{}}`))
	if err != nil {
		t.Fatal(err)
	}
	r := &Responder{clock: time.Now}
	if _, err := r.candidate(&runbook.Runbook{}, runbook.Trigger{}, source.Delivery{Envelope: envelope}); err == nil {
		t.Error("an event without an id was taken")
	}
}
