// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// history is the sandbox with a made-up Event history of some regions, and regions that refuse.
type history struct {
	gate.Backend
	events  map[string][]types.Event // by region, newest first
	refuse  func(region string, asked int) error
	asked   map[string]int
	queries []string
}

func (h *history) Do(ctx context.Context, r gate.Request) (any, error) {
	in, ok := r.Input.(*api.LookupEventsInput)
	if !ok {
		return h.Backend.Do(ctx, r)
	}
	h.asked[r.Region]++
	by := ""
	for _, a := range in.LookupAttributes {
		by = string(a.AttributeKey) + "=" + *a.AttributeValue
	}
	h.queries = append(h.queries, r.Region+" "+by)
	if h.refuse != nil {
		if err := h.refuse(r.Region, h.asked[r.Region]); err != nil {
			return nil, err
		}
	}
	first := 0
	if in.NextToken != nil {
		if _, err := fmt.Sscan(*in.NextToken, &first); err != nil {
			return nil, err
		}
	}
	out := &api.LookupEventsOutput{}
	for i, e := range h.events[r.Region] {
		if i < first || e.EventTime.After(*in.EndTime) || e.EventTime.Before(*in.StartTime) || !isBy(e, by) {
			continue
		}
		if len(out.Events) == int(*in.MaxResults) {
			out.NextToken = new(fmt.Sprint(i))
			break
		}
		out.Events = append(out.Events, e)
	}
	return out, nil
}

func isBy(e types.Event, by string) bool {
	return by == "" || by == "ReadOnly="+*e.ReadOnly || by == "AccessKeyId="+*e.AccessKeyId
}

const (
	intruder = "ASIAINTRUDEREXAMPLE1"
	issued   = "ASIAISSUEDKEYEXAMPLE"
	somebody = "AKIAIOSFODNN7EXAMPLE"
)

// past is an event so many seconds into the window.
func past(n int, key string, isRead bool, response string) types.Event {
	at := start.Add(time.Duration(n) * time.Second)
	text := fmt.Sprintf(`{"eventID":"%08x-0000-4000-8000-%012d","eventTime":%q,"eventName":"Call%d","eventSource":"iam.amazonaws.com","userIdentity":{"type":"IAMUser","accessKeyId":%q},"responseElements":%s}`,
		n, n, at.Format(time.RFC3339), n, key, response)
	return types.Event{EventTime: &at, AccessKeyId: &key, ReadOnly: new(fmt.Sprint(isRead)), CloudTrailEvent: &text}
}

// blinded is a world whose incident has blind windows of an hour, and a history to fill them from.
func blinded(t *testing.T, events map[string][]types.Event) (*world, *action.Env, *history) {
	t.Helper()
	w := newSandbox(t, "eu-central-1")
	h := &history{Backend: w.sandbox, events: events, asked: map[string]int{}}
	opened, _, err := w.db().Admit(t.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "cloudtrail-off", Account: account, Resource: string(w.arn), EventName: "StopLogging", Outcome: incident.Succeeded},
		Event: "0a6c6a43-0000-4000-8000-000000000002", OccurredAt: start, ReceivedAt: start,
		Envelope: json.RawMessage(`{"eventID":"0a6c6a43-0000-4000-8000-000000000002","eventName":"StopLogging","eventSource":"cloudtrail.amazonaws.com","userIdentity":{"accessKeyId":"` + intruder + `"}}`),
	})
	check(t, err)
	var windows []incident.BlindWindow
	for _, class := range []string{"management read", "management write", "data write AWS::S3::Object"} {
		windows = append(windows, incident.BlindWindow{Incident: opened.ID, Trail: w.arn, BlindWindow: trail.BlindWindow{
			Account: account, Region: trail.AllRegions, Class: class, Lost: start, Found: start.Add(time.Hour),
		}})
	}
	check(t, w.db().PutBlindWindows(t.Context(), windows...))
	g, err := gate.Open(t.Context(), gate.Options{
		Region: w.region, Accounts: w.accounts(), Clock: w.now(), Pace: gate.PaceAlways, Backend: h, MaxAttempts: 1,
		Sleep: func(_ context.Context, d time.Duration) error { w.clock.Advance(d); return nil },
	})
	check(t, err)
	env := w.env("Backfill")
	env.Store, env.Blind, env.Incident, env.EvidenceDir = w.db(), w.db(), opened, t.TempDir()
	env.Regions = []string{"eu-central-1", "us-east-1"}
	env.Door = g.Door(gate.Scope{Class: "read"})
	w.clock.Advance(10 * time.Minute) // Event history is complete by then
	return w, env, h
}

type filled struct {
	Done      bool   `json:"done"`
	NextAfter int    `json:"next_after"`
	Reason    string `json:"reason"`
	Requests  int    `json:"requests"`
	Events    int    `json:"events"`
	ByOrder   []struct {
		Order  string `json:"order"`
		Events int    `json:"events"`
	} `json:"by_order"`
	Regions []struct {
		Region  string `json:"region"`
		Outcome string `json:"outcome"`
		Events  int    `json:"events"`
	} `json:"regions"`
	File   string   `json:"file"`
	Lost   []string `json:"lost"`
	WhoCan string   `json:"who_can"`
}

// fill visits until it is done, as the state machine does.
func fill(w *world, env *action.Env) filled {
	w.t.Helper()
	for range 100 {
		out := do[filled](w, env, "cloudtrail:Backfill", `{}`)
		if out.Done {
			return out
		}
		if out.NextAfter < 1 {
			w.t.Fatalf("next_after %d", out.NextAfter)
		}
		w.clock.Advance(time.Duration(out.NextAfter) * time.Second)
	}
	w.t.Fatal("not done after 100 visits")
	return filled{}
}

// names are the calls in the evidence file.
func names(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	check(t, err)
	defer f.Close() //nolint:errcheck // it was only read
	zip, err := gzip.NewReader(f)
	check(t, err)
	text, err := io.ReadAll(zip)
	check(t, err)
	var out []string
	for line := range strings.Lines(string(text)) {
		r, err := cloudtrail.ParseRecord([]byte(line))
		check(t, err)
		out = append(out, r.EventName)
	}
	return out
}

func TestBackfillOrder(t *testing.T) {
	t.Parallel()
	issue := `{"credentials":{"accessKeyId":"` + issued + `"}}`
	w, env, h := blinded(t, map[string][]types.Event{
		"eu-central-1": {
			past(4000, somebody, false, "null"), past(9, somebody, true, "null"), past(8, issued, false, "null"),
			past(7, somebody, false, "null"), past(6, intruder, true, "null"),
		},
		"us-east-1": {past(5, intruder, false, issue), past(-1, somebody, false, "null")},
	})
	out := fill(w, env)
	if diff := cmp.Diff([]string{"Call6", "Call5", "Call8", "Call7", "Call9"}, names(t, out.File)); diff != "" {
		t.Errorf("events in order (-want +got)\n%s", diff)
	}
	if diff := cmp.Diff([]string{
		"eu-central-1 ", // the sample
		"eu-central-1 AccessKeyId=" + intruder, "us-east-1 AccessKeyId=" + intruder,
		"eu-central-1 AccessKeyId=" + issued, "us-east-1 AccessKeyId=" + issued,
		"eu-central-1 ReadOnly=false", "us-east-1 ReadOnly=false", "eu-central-1 ReadOnly=true", "us-east-1 ReadOnly=true",
	}, h.queries); diff != "" {
		t.Errorf("queries (-want +got)\n%s", diff)
	}
	if len(out.Lost) != 1 || !strings.Contains(out.Lost[0], "data write AWS::S3::Object, all regions") || out.WhoCan != "" {
		t.Errorf("lost %q, who can %q", out.Lost, out.WhoCan)
	}
	windows, err := w.db().ListBlindWindows(t.Context(), env.Incident.ID)
	check(t, err)
	for _, b := range windows {
		if b.Backfilled.IsZero() == b.IsRecoverable() {
			t.Errorf("%s: backfilled %v", b.Class, b.Backfilled)
		}
	}
	entries, err := w.db().Entries(t.Context(), env.Incident.ID)
	check(t, err)
	if len(entries) != 2 || !strings.Contains(entries[0].Text, "begins") || !strings.Contains(entries[1].Text, "5 events") {
		t.Errorf("timeline: %+v", entries)
	}
	asked := len(h.queries)
	if again := fill(w, env); again.Events != 5 || len(h.queries) != asked {
		t.Errorf("again: %+v, %d requests", again, len(h.queries)-asked)
	}
}

// manyEvents are n writes, one a second, newest first.
func manyEvents(n int) []types.Event {
	var out []types.Event
	for i := n; i > 0; i-- {
		out = append(out, past(i, somebody, false, "null"))
	}
	return out
}

func TestBackfillPaces(t *testing.T) {
	t.Parallel()
	w, env, h := blinded(t, map[string][]types.Event{"eu-central-1": manyEvents(1000)})
	began := w.clock.Now()
	out := fill(w, env)
	took, asked := w.clock.Now().Sub(began).Seconds(), h.asked["eu-central-1"]
	if out.Events != 1000 || len(names(t, out.File)) != 1000 {
		t.Errorf("%d events, %d in the file, want 1000", out.Events, len(names(t, out.File)))
	}
	if asked < 20 || float64(asked-2) > took {
		t.Errorf("%d requests in %.0f s: more than one a second", asked, took)
	}
}

func TestBackfillSurvivesKills(t *testing.T) {
	t.Parallel()
	for at := 1; at <= 20; at += 3 {
		w, env, h := blinded(t, map[string][]types.Event{"eu-central-1": manyEvents(500)})
		ctx, kill := context.WithCancel(t.Context())
		h.refuse = func(_ string, _ int) error {
			if len(h.queries) == at {
				kill()
				return context.Canceled
			}
			return nil
		}
		act, _ := action.Get("cloudtrail:Backfill")
		for ctx.Err() == nil {
			out, err := act.Run(ctx, env, json.RawMessage(`{}`))
			if err == nil && strings.Contains(string(out), `"done":true`) {
				break
			}
			w.clock.Advance(5 * time.Second)
		}
		if out := fill(w, env); out.Events != 500 || len(names(t, out.File)) != 500 {
			t.Errorf("killed at request %d: %d events, %d in the file, want 500", at, out.Events, len(names(t, out.File)))
		}
	}
}

func refusal(code string) error { return &smithy.GenericAPIError{Code: code, Message: "no"} }

func TestBackfillOutcomes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		refuse           func(region string, asked int) error
		outcome, whoCan  string
		events           int
		isFilled, isSlow bool
	}{
		"one region is denied": {func(region string, _ int) error {
			if region == "us-east-1" {
				return refusal("AccessDeniedException")
			}
			return nil
		}, "denied: ", "in us-east-1 (aws cloudtrail lookup-events)", 1, false, false},
		"one region is off": {func(region string, _ int) error {
			if region == "us-east-1" {
				return refusal("UnrecognizedClientException")
			}
			return nil
		}, "off: ", "", 1, true, false},
		"throttled for a while": {func(region string, asked int) error {
			if region == "us-east-1" && asked <= 3 {
				return refusal("ThrottlingException")
			}
			return nil
		}, "read", "", 2, true, true},
		"throttled for ever": {func(region string, _ int) error {
			if region == "us-east-1" {
				return refusal("ThrottlingException")
			}
			return nil
		}, "not read to the end: ", "in us-east-1 (", 1, false, true},
		"AWS is at fault": {func(region string, asked int) error {
			if region == "us-east-1" && asked == 2 {
				return &smithy.GenericAPIError{Code: "InternalFailure", Message: "sorry", Fault: smithy.FaultServer}
			}
			return nil
		}, "read", "", 2, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, env, h := blinded(t, map[string][]types.Event{
				"eu-central-1": {past(2, somebody, false, "null")}, "us-east-1": {past(1, somebody, true, "null")},
			})
			h.refuse = tc.refuse
			began := w.clock.Now()
			out := fill(w, env)
			if out.Events != tc.events || len(out.Regions) != 2 || !strings.HasPrefix(out.Regions[1].Outcome, tc.outcome) ||
				!strings.Contains(out.WhoCan, tc.whoCan) || (out.WhoCan == "") != (tc.whoCan == "") {
				t.Errorf("%+v", out)
			}
			if isSlow := w.clock.Now().Sub(began) > 20*time.Second; isSlow != tc.isSlow {
				t.Errorf("took %s", w.clock.Now().Sub(began))
			}
			windows, err := w.db().ListBlindWindows(t.Context(), env.Incident.ID)
			check(t, err)
			for _, b := range windows {
				if isFilled := !b.Backfilled.IsZero(); isFilled != (tc.isFilled && b.IsRecoverable()) {
					t.Errorf("%s: backfilled %v", b.Class, isFilled)
				}
			}
		})
	}
}

func TestBackfillForgottenToken(t *testing.T) {
	t.Parallel()
	w, env, h := blinded(t, map[string][]types.Event{"eu-central-1": manyEvents(200)})
	isForgotten := false
	h.refuse = func(_ string, _ int) error {
		if !isForgotten && len(h.queries) == 7 {
			isForgotten = true
			return refusal("InvalidNextTokenException")
		}
		return nil
	}
	seen := map[string]bool{}
	out := fill(w, env)
	for _, name := range names(t, out.File) {
		seen[name] = true
	}
	if len(seen) != 200 || !isForgotten || out.Events > 201 {
		t.Errorf("%d of 200 events, %d lines, forgotten %v", len(seen), out.Events, isForgotten)
	}
}

func TestBackfillEnds(t *testing.T) {
	t.Parallel()
	w, env, _ := blinded(t, map[string][]types.Event{"eu-central-1": manyEvents(500)})
	do[filled](w, env, "cloudtrail:Backfill", `{}`)
	w.clock.Advance(3 * time.Hour)
	out := do[filled](w, env, "cloudtrail:Backfill", `{}`)
	if !out.Done || out.Events == 0 || out.Events >= 500 || len(out.Regions) != 2 || !strings.Contains(out.WhoCan, "eu-central-1, us-east-1") {
		t.Errorf("%+v", out)
	}
}

func TestBackfillWaitsForEventHistory(t *testing.T) {
	t.Parallel()
	w, env, h := blinded(t, nil)
	windows, err := w.db().ListBlindWindows(t.Context(), env.Incident.ID)
	check(t, err)
	for i := range windows {
		windows[i].Found = w.clock.Now()
	}
	check(t, w.db().PutBlindWindows(t.Context(), windows...))
	if out := do[filled](w, env, "cloudtrail:Backfill", `{}`); out.Done || out.NextAfter < 300 || len(h.queries) > 0 {
		t.Errorf("%+v after %d requests", out, len(h.queries))
	}
}

func TestBackfillOfNothing(t *testing.T) {
	t.Parallel()
	w, env, h := blinded(t, nil)
	env.Incident = incident.Incident{ID: "20260504-cloudtrail-off-00000000"}
	if _, err := run(w, env, "cloudtrail:Backfill", `{}`); err == nil {
		t.Error("an unknown incident was backfilled")
	}
	if len(h.queries) > 0 {
		t.Errorf("asked %v", h.queries)
	}
	if found, err := filepath.Glob(filepath.Join(env.EvidenceDir, "*", "*")); err != nil || len(found) > 0 {
		t.Errorf("evidence of nothing: %v, %v", found, err)
	}
}
