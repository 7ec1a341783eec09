// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/source"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/incident"
)

const silence = `{"version":"0","id":"5e1e7c3e-0000-4000-8000-000000000001","detail-type":"Source Silent","source":"switchback","account":"111122223333",
"time":"2026-05-04T10:00:00Z","region":"eu-west-1","resources":["sqs/1"],"detail":{"source":"sqs/1","reason":"source sqs/1 has brought nothing for 15m0s"}}`

type output struct {
	Source, Reason string
	Heard, Proven  bool
}

func TestProveHeard(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.Open(t, silence)
	told := w.Now()
	look := func() (out output) {
		t.Helper()
		if err := w.Run(t, "source:ProveHeard", "v", `{}`, &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	hear := func(h incident.Heard) {
		t.Helper()
		if err := w.DB.PutHeard(t.Context(), h); err != nil {
			t.Fatal(err)
		}
	}
	if out := look(); out.Heard || out.Source != "sqs/1" || out.Reason != "sqs/1 has brought nothing since 2026-05-04T10:11:22Z" {
		t.Errorf("never heard: %+v", out)
	}
	w.Pass(time.Minute)
	hear(incident.Heard{Source: "sqs/1", At: told.Add(-time.Hour), CanaryAt: told})
	hear(incident.Heard{Source: "s3/2", At: w.Now()})
	if out := look(); out.Heard || !w.Incident(t).Times.Contained.IsZero() {
		t.Errorf("heard before, and another was heard: %+v", out)
	}
	hear(incident.Heard{Source: "sqs/1", At: w.Now()})
	heardAt := w.Now()
	if out := look(); !out.Heard || out.Proven {
		t.Errorf("heard: %+v", out)
	}
	if i := w.Incident(t); !i.Times.Contained.Equal(heardAt) || i.Standing != "heard again" || !i.Times.Proven.IsZero() {
		t.Errorf("incident %+v", i)
	}
	w.Pass(time.Minute)
	hear(incident.Heard{Source: "sqs/1", CanaryAt: w.Now()})
	if out := look(); !out.Proven {
		t.Errorf("a canary came: %+v", out)
	}
	look()
	if i := w.Incident(t); !i.Times.Contained.Equal(heardAt) || !i.Times.Proven.Equal(w.Now()) {
		t.Errorf("incident %+v", i)
	}
	if n := len(w.Entries(t)); n != 2 {
		t.Errorf("timeline %q", w.Entries(t))
	}
	// Silent again: what was heard before says nothing.
	w.Pass(time.Hour)
	w.Update(t, func(i *incident.Incident) {
		i.Times.Again, i.Times.AgainReceived = w.Now(), w.Now()
		i.Times.Contained, i.Times.Proven = time.Time{}, time.Time{}
	})
	if out := look(); out.Heard || !w.Incident(t).Times.Contained.IsZero() {
		t.Errorf("silent again: %+v", out)
	}
}

func TestProveHeardOfWhat(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	var out output
	if err := w.Run(t, "source:ProveHeard", "v", `{"event_id":"none"}`, &out); tellingtest.ErrorName(err) != action.ErrorNotFound {
		t.Errorf("an unknown event: %v", err)
	}
	for name, detail := range map[string]string{"no source": `{"reason":"x"}`, "no text": `{"source":[1,2]}`} {
		w := tellingtest.New(t)
		w.Open(t, `{"id":"e","detail-type":"Source Silent","source":"switchback","account":"1","time":"2026-05-04T10:00:00Z","detail":`+detail+`}`)
		if err := w.Run(t, "source:ProveHeard", "v", `{}`, &out); tellingtest.ErrorName(err) != action.ErrorInvalidParameters {
			t.Errorf("%s: %v", name, err)
		}
	}
}
