// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/report"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/report"
)

type output struct {
	Stage      string              `json:"stage"`
	ReportedAt time.Time           `json:"reported_at"`
	Artefacts  []incident.Artefact `json:"artefacts"`
}

func newWorld(t *testing.T) *tellingtest.World {
	t.Helper()
	w := tellingtest.New(t)
	w.Reporter = &report.Writer{
		Builder: report.Builder{Store: w.DB, Timeline: w.DB, Undos: w.DB, Outbox: w.DB}, Dir: t.TempDir(),
	}
	return w
}

func TestWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.Now()
	for _, stage := range []string{"provisional", "final"} {
		var out output
		if err := w.Run(t, "report:Write", "v", `{"stage":"`+stage+`"}`, &out); err != nil {
			t.Fatal(err)
		}
		if out.Stage != stage || !out.ReportedAt.Equal(first) || len(out.Artefacts) != 3 {
			t.Errorf("got %+v", out)
		}
		text, err := os.ReadFile(out.Artefacts[0].Path)
		if err != nil || !strings.Contains(string(text), "Report: "+stage) || !strings.Contains(string(text), "| report | 6s |") {
			t.Errorf("%v:\n%s", err, text)
		}
		w.Pass(time.Minute)
	}
	if at := w.Incident(t).Times.Reported; !at.Equal(first) {
		t.Errorf("reported at %s, want the first report's moment %s", at, first)
	}
	entries := w.Entries(t)
	if got := strings.Join(entries[len(entries)-2:], "; "); got != "report: provisional report written, 3 files; report: final report written, 3 files" {
		t.Errorf("timeline %q", entries)
	}
}

func TestWriteWrongStage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, params := range []string{`{}`, `{"stage":""}`, `{"stage":"draft"}`} {
		if err := w.Run(t, "report:Write", "v", params, nil); tellingtest.ErrorName(err) != action.ErrorInvalidParameters {
			t.Errorf("%s: got %v", params, err)
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write(context.Context, incident.ID) ([]incident.Artefact, error) {
	return nil, errors.New("no space")
}

// A report that could not be written was not written.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Reporter = fullDisk{}
	if err := w.Run(t, "report:Write", "v", `{"stage":"final"}`, nil); err == nil || !w.Incident(t).Times.Reported.IsZero() {
		t.Errorf("got %v, reported at %s", err, w.Incident(t).Times.Reported)
	}
}
