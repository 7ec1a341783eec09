// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/identity"
	"github.com/switchback-project/switchback/internal/action/tellingtest"
	"github.com/switchback-project/switchback/internal/incident"
)

func TestExtract(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	var out struct {
		EventID  cloudtrail.EventID `json:"event_id"`
		Date     string             `json:"date"`
		Time     string             `json:"time"`
		SourceIP string             `json:"source_ip"`
		Agent    string             `json:"agent"`
		Sentence string             `json:"sentence"`
	}
	if err := w.Run(t, "identity:Extract", "v", `{}`, &out); err != nil {
		t.Fatal(err)
	}
	const sentence = "role session Admin/s at 2026-05-04 10:11:12 UTC called StopLogging on main in eu-west-1 (Europe (Ireland)) from 198.51.100.7 with AWS CLI 2.17 on Linux"
	got := []string{string(out.EventID), out.Date, out.Time, out.SourceIP, out.Agent, out.Sentence, w.Incident(t).Summary}
	want := []string{string(tellingtest.StopID), "2026-05-04", "10:11:12", "198.51.100.7", "AWS CLI 2.17 on Linux", sentence, sentence}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestUnknownEvent(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	for _, id := range []string{"identity:Extract", "identity:Resolve"} {
		if err := w.Run(t, id, "v", `{"event_id":"none"}`, nil); tellingtest.ErrorName(err) != action.ErrorNotFound {
			t.Errorf("%s: got %v", id, err)
		}
	}
}

type resolved struct {
	Status string   `json:"status"`
	Human  string   `json:"human"`
	Chain  []string `json:"chain"`
	Hops   []struct {
		EventID            cloudtrail.EventID `json:"eventID"`
		Confidence, Source string
	} `json:"hops"`
	Reason   string   `json:"reason"`
	Gaps     []string `json:"gaps"`
	Sentence string   `json:"sentence"`
}

func TestResolve(t *testing.T) {
	t.Parallel()
	assume, err := cloudtrail.ParseRecord([]byte(tellingtest.Assume))
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		indexed        bool
		history        *tellingtest.History
		status, source string
		gap            string
	}{
		"received before":       {true, nil, "resolved", "sessions index", ""},
		"in Event history":      {false, &tellingtest.History{Records: []cloudtrail.Record{assume}}, "resolved", "event history", ""},
		"the index comes first": {true, &tellingtest.History{Err: errors.New("down")}, "resolved", "sessions index", ""},
		"nowhere":               {false, &tellingtest.History{}, "unresolved", "", ""},
		"the history is down":   {false, &tellingtest.History{Err: errors.New("down")}, "unresolved", "", "down"},
		"the history has a gap": {false, &tellingtest.History{Gaps: []string{"not to the end"}}, "unresolved", "", "not to the end"},
		"there is no history":   {false, nil, "unresolved", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := tellingtest.New(t)
			if tt.indexed {
				w.Index(t, tellingtest.Assume)
			}
			if tt.history != nil {
				w.History = *tt.history
			}
			var out resolved
			if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil {
				t.Fatal(err)
			}
			check(t, w, out, tt.status, tt.source, tt.gap)
		})
	}
}

func check(t *testing.T, w *tellingtest.World, out resolved, status, source, gap string) {
	t.Helper()
	inc := w.Incident(t)
	if out.Status != status || inc.Who.Status != status || inc.Summary != out.Sentence || !strings.Contains(strings.Join(out.Gaps, " "), gap) {
		t.Errorf("got %+v, incident %+v", out, inc)
	}
	if status == "unresolved" {
		if out.Human != "" || out.Reason == "" || !inc.IsOnChain("arn:aws:sts::111122223333:assumed-role/Admin/s") {
			t.Errorf("got %+v", out)
		}
		return
	}
	if len(out.Hops) != 1 || out.Hops[0].EventID != tellingtest.AssumeID || out.Hops[0].Source != source || out.Hops[0].Confidence != "key" {
		t.Errorf("hops %+v", out.Hops)
	}
	if out.Human != "alice" || !inc.IsOnChain("alice") || !inc.IsOnChain("arn:aws:iam::111122223333:user/alice") {
		t.Errorf("got %+v, who %+v", out, inc.Who)
	}
	want := "decision: the human is alice; AssumeRole " + string(tellingtest.AssumeID) + " by arn:aws:iam::111122223333:user/alice (key)"
	if entries := w.Entries(t); entries[len(entries)-1] != want {
		t.Errorf("timeline %q, want %q", entries, want)
	}
}

// Events come late: what was unresolved is resolved by the next attempt, and what was resolved stays.
func TestResolveAgain(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	for _, want := range []string{"unresolved", "resolved", "resolved"} {
		var out resolved
		if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil || out.Status != want || w.Incident(t).Who.Status != want {
			t.Errorf("got %s, %v, incident %s, want %s", out.Status, err, w.Incident(t).Who.Status, want)
		}
		w.Index(t, tellingtest.Assume)
	}
	w.Update(t, func(i *incident.Incident) { i.Who.Human = "alice2" })
	w.Sessions = tellingtest.New(t).DB // one that knows nothing
	var out resolved
	if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil || out.Status != "unresolved" || w.Incident(t).Who.Human != "alice2" {
		t.Errorf("got %+v, %v: an answer got worse: %+v", out, err, w.Incident(t).Who)
	}
}

const found = `{"version":"0","id":"5e1e7c3e-0000-4000-8000-000000000001","detail-type":"Trail Status","source":"switchback","account":"111122223333",
"time":"2026-05-04T10:11:00Z","region":"eu-west-1","resources":["arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"],
"detail":{"code":"stopped","reason":"trail main does not record"}}`

// A finding names nobody; once the call behind it is known, that is who did it.
func TestFinding(t *testing.T) {
	t.Parallel()
	w := tellingtest.New(t)
	w.Index(t, tellingtest.Assume)
	w.Open(t, found)
	const sentence = "Switchback found: trail main does not record, since 2026-05-04 10:11:00 UTC; who did it is not known"
	var facts struct {
		EventName string `json:"event_name"`
		Target    string `json:"target"`
		Sentence  string `json:"sentence"`
	}
	if err := w.Run(t, "identity:Extract", "v", `{}`, &facts); err != nil {
		t.Fatal(err)
	}
	if facts.EventName != "Trail Status" || facts.Target != "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main" || facts.Sentence != sentence || w.Incident(t).Summary != sentence {
		t.Errorf("got %+v, incident %+v", facts, w.Incident(t))
	}
	var out resolved
	if err := w.Run(t, "identity:Resolve", "v", `{}`, &out); err != nil || out.Status != "unresolved" || w.Incident(t).Who.Status != "unresolved" {
		t.Errorf("got %+v, %v", out, err)
	}
	w.Update(t, func(i *incident.Incident) {
		i.Cause, i.Events = tellingtest.StopID, append(i.Events, tellingtest.StopID)
	})
	for _, params := range []string{`{}`, `{"event_id":"5e1e7c3e-0000-4000-8000-000000000001"}`} {
		if err := w.Run(t, "identity:Resolve", "v", params, &out); err != nil || out.Human != "alice" {
			t.Errorf("got %+v, %v", out, err)
		}
	}
	if i := w.Incident(t); i.Who.Human != "alice" || !strings.HasPrefix(i.Summary, "alice through role session Admin/s") || !i.IsOnChain("alice") {
		t.Errorf("incident %+v", i)
	}
}
