// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incidenttest

import (
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

const (
	one   incident.ID = "20260504-cloudtrail-off-00000001"
	other incident.ID = "20260504-cloudtrail-off-00000002"
)

func testTimeline(t *testing.T, open Opener) {
	s, reopen := open(t)
	entries := []incident.Entry{
		{Incident: one, At: noon, Kind: incident.EntryEvent, Text: hostile, Data: json.RawMessage(`{"a":["<&>",1.50]}`), Key: "a"},
		{Incident: other, At: noon, Kind: incident.EntryDecision, Text: "elsewhere", Key: "a"},
		{Incident: one, At: noon.Add(-time.Hour), Kind: incident.EntryCall, Text: "without a key"},
	}
	must(t, s.Append(t.Context(), entries...))
	again := []incident.Entry{
		{Incident: one, At: noon, Kind: incident.EntryProof, Text: "left out", Key: "a"},
		{Incident: one, At: noon, Kind: incident.EntryCall, Text: "without a key"},
		{Incident: one, At: noon, Kind: incident.EntryReport, Text: "new", Key: "b"},
	}
	must(t, s.Append(t.Context(), again...))
	must(t, s.Append(t.Context()))
	want := []incident.Entry{entries[0], entries[2], again[1], again[2]}
	for i := range want {
		want[i].Seq = int64(i + 1)
	}
	got, err := reopen(t).Entries(t.Context(), one)
	must(t, err)
	equal(t, "timeline", want, got)
	entries[1].Seq = 1
	got, err = s.Entries(t.Context(), other)
	must(t, err)
	equal(t, "timeline of the other incident", entries[1:2], got)
	got, err = s.Entries(t.Context(), "20260504-none-00000000")
	must(t, err)
	equal(t, "timeline of nothing", []incident.Entry(nil), got)
}

func testTimelineConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	doors := []Stores{s, reopen(t)}
	var wait sync.WaitGroup
	for n := range 50 {
		wait.Go(func() {
			e := incident.Entry{Incident: one, At: noon, Kind: incident.EntryCall, Text: "call", Key: fmt.Sprint(n / 2)}
			if err := doors[n%2].Append(t.Context(), e); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	got, err := s.Entries(t.Context(), one)
	must(t, err)
	if len(got) != 25 {
		t.Errorf("%d entries, want 25", len(got))
	}
	for i, e := range got {
		if e.Seq != int64(i+1) {
			t.Errorf("entry %d has number %d", i+1, e.Seq)
		}
	}
}

func testEvidence(t *testing.T, open Opener) {
	s, reopen := open(t)
	c := candidate(key(), 1)
	admit(t, s, c, incident.Opened)
	// The same event for another runbook, wrapped differently: the first envelope stands.
	second := candidate(incident.Key{Runbook: "log-integrity"}, 1)
	second.Envelope = json.RawMessage(`{"other":true}`)
	admit(t, s, second, incident.Opened)
	got, err := reopen(t).Evidence(t.Context(), c.Event)
	must(t, err)
	if string(got) != string(c.Envelope) {
		t.Errorf("evidence %s, want byte by byte %s", got, c.Envelope)
	}
	if _, err := s.Evidence(t.Context(), "none"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown event: %v, want ErrNotFound", err)
	}
}

func testFindings(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	must(t, s.PutFinding(ctx, one, "Gather", json.RawMessage(`{"n":12345678901234567890.5}`)))
	must(t, s.PutFinding(ctx, one, "Assess", json.RawMessage(`{"verdict":"fine"}`)))
	must(t, reopen(t).PutFinding(ctx, one, "Assess", json.RawMessage(`{"verdict":"stopped"}`)))
	must(t, s.PutFinding(ctx, other, "Gather", json.RawMessage(`1`)))
	got, err := reopen(t).ListFindings(ctx, one)
	must(t, err)
	equal(t, "findings, the newest of each state", map[string]json.RawMessage{
		"Gather": json.RawMessage(`{"n":12345678901234567890.5}`), "Assess": json.RawMessage(`{"verdict":"stopped"}`),
	}, got)
	none, err := s.ListFindings(ctx, "none")
	must(t, err)
	equal(t, "findings of nothing", map[string]json.RawMessage{}, none)
}

func testUndos(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	first := incident.Undo{
		Incident: one, Key: "x/Restart/1", Action: "cloudtrail:StartLogging", Account: "111122223333", Region: "eu-central-1",
		Target: trail, Params: json.RawMessage(`{"Name":"<main>"}`), Before: json.RawMessage(`{"IsLogging":false}`), CreatedAt: noon, Lowers: true,
	}
	second := first
	second.Key, second.Before = "x/Restart/2", nil
	elsewhere := first
	elsewhere.Incident = other
	for _, u := range []incident.Undo{first, second, elsewhere} {
		got, err := s.RecordUndo(ctx, u)
		must(t, err)
		equal(t, "recorded", u, got)
	}
	again := first
	again.Before = json.RawMessage(`{"IsLogging":true}`)
	got, err := reopen(t).RecordUndo(ctx, again)
	must(t, err)
	equal(t, "recorded again", first, got)

	must(t, s.MarkDone(ctx, one, first.Key))
	must(t, s.MarkUndone(ctx, one, first.Key, "bob", noon.Add(time.Hour)))
	must(t, s.MarkUndone(ctx, one, first.Key, "carol", noon.Add(2*time.Hour)))
	first.Done, first.UndoneBy, first.UndoneAt = true, "bob", noon.Add(time.Hour)
	all, err := reopen(t).ListUndos(ctx, one)
	must(t, err)
	equal(t, "records, newest first", []incident.Undo{second, first}, all)
	for name, err := range map[string]error{
		"done": s.MarkDone(ctx, one, "none"), "undone": s.MarkUndone(ctx, "none", first.Key, "bob", noon),
	} {
		if !errors.Is(err, incident.ErrNotFound) {
			t.Errorf("unknown record marked %s: %v, want ErrNotFound", name, err)
		}
	}
	must(t, s.DropUndo(ctx, one, second.Key))
	must(t, s.DropUndo(ctx, one, second.Key))
	all, err = reopen(t).ListUndos(ctx, one)
	must(t, err)
	equal(t, "records after one was dropped", []incident.Undo{first}, all)
}

func testTimers(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	timer := func(id incident.ID, key string, after time.Duration) incident.Timer {
		return incident.Timer{Incident: id, Key: key, Kind: "reminder", DueAt: noon.Add(after), Attempt: 2}
	}
	a, b, c := timer(one, "a", time.Hour), timer(one, "b", time.Minute), timer(other, "a", 2*time.Hour)
	for _, x := range []incident.Timer{a, b, c, timer(one, "moved", 0)} {
		must(t, s.Schedule(ctx, x))
	}
	moved := timer(one, "moved", 3*time.Hour)
	must(t, reopen(t).Schedule(ctx, moved))
	check := func(now time.Duration, limit int, wantNext time.Time, want ...incident.Timer) {
		t.Helper()
		got, next, err := s.Due(ctx, noon.Add(now), limit)
		must(t, err)
		equal(t, fmt.Sprintf("due after %s", now), want, got)
		if !next.Equal(wantNext) {
			t.Errorf("after %s the next is at %s, want %s", now, next, wantNext)
		}
	}
	check(0, 10, b.DueAt)
	check(time.Hour, 10, c.DueAt, b, a)
	check(time.Hour, 1, c.DueAt, b)
	check(100*time.Hour, 0, time.Time{}, b, a, c, moved)
	must(t, s.Complete(ctx, one, "b"))
	must(t, s.Complete(ctx, one, "none"))
	lift := incident.Timer{Incident: one, Key: "lift", Kind: incident.TimerLift, DueAt: c.DueAt, Attempt: 1}
	must(t, s.Schedule(ctx, lift))
	must(t, s.CancelTimers(ctx, one))
	check(100*time.Hour, 10, time.Time{}, lift, c)
}

func testPauses(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	long := incident.Pause{ID: "1", Account: "111122223333", Runbook: "cloudtrail-off", Reason: hostile, By: "alice", CreatedAt: noon, Until: noon.Add(2 * time.Hour)}
	short := incident.Pause{ID: "2", Reason: "maintenance", By: "bob", CreatedAt: noon, Until: noon.Add(time.Hour)}
	must(t, s.AddPause(ctx, long))
	must(t, s.AddPause(ctx, short))
	active := func(after time.Duration, want ...incident.Pause) {
		t.Helper()
		got, err := reopen(t).ActivePauses(ctx, noon.Add(after))
		must(t, err)
		equal(t, fmt.Sprintf("pauses after %s", after), want, got)
	}
	active(0, short, long)
	active(time.Hour, long)
	active(2 * time.Hour)
	must(t, s.EndPause(ctx, "1"))
	must(t, s.EndPause(ctx, "1"))
	active(0, short)
	if err := s.EndPause(ctx, "none"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("unknown pause: %v, want ErrNotFound", err)
	}
	short.Until = noon.Add(3 * time.Hour)
	must(t, s.AddPause(ctx, short))
	active(2*time.Hour, short)
}

func testOutbox(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	delivery := func(message, channel string, accepted bool, after time.Duration) incident.Delivery {
		return incident.Delivery{
			Message: message, Kind: incident.ToSecurity, Channel: channel, To: []string{"a@example.com"}, Accepted: accepted,
			ReachesHuman: true, Attempts: 3, Error: hostile, At: noon.Add(after),
		}
	}
	failed, accepted := delivery("m1", "smtp", false, 0), delivery("m1", "smtp", true, time.Second)
	again, slack := delivery("m1", "smtp", true, time.Minute), delivery("m1", "slack", true, 2*time.Second)
	next := delivery("m2", "smtp", false, time.Hour)
	for _, d := range []incident.Delivery{failed, accepted, slack, again, next} {
		must(t, s.RecordDelivery(ctx, one, d))
	}
	must(t, s.RecordDelivery(ctx, other, delivery("m3", "smtp", true, 0)))
	for message, want := range map[string][]incident.Delivery{"m1": {accepted, slack}, "m2": nil, "none": nil} {
		got, err := reopen(t).Sent(ctx, message)
		must(t, err)
		equal(t, "sent "+message, want, got)
	}
	got, err := s.Deliveries(ctx, one)
	must(t, err)
	equal(t, "deliveries", []incident.Delivery{failed, accepted, slack, again, next}, got)
}

func testSessions(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	session := func(key, id, event string, after time.Duration) incident.IssuedSession {
		return incident.IssuedSession{
			AccessKeyID: key, SessionID: id, EventID: cloudtrail.EventID(event), IssuedAt: noon.Add(after),
			ExpiresAt: noon.Add(after + time.Hour), Record: json.RawMessage(`{"eventName":"AssumeRole"}`),
		}
	}
	late := session("ASIAONEEXAMPLE", "AROAEXAMPLE:alice", "2", time.Hour)
	early := session("ASIATWOEXAMPLE", "AROAEXAMPLE:alice", "1", 0)
	alone := session("ASIATHREEEXAMPLE", "", "3", 0)
	for _, x := range []incident.IssuedSession{late, early, alone, late} {
		must(t, s.PutIssued(ctx, x))
	}
	for name, want := range map[string][]incident.IssuedSession{
		"ASIAONEEXAMPLE": {late}, "AROAEXAMPLE:alice": {early, late}, "ASIATHREEEXAMPLE": {alone}, "": nil, "none": nil,
	} {
		got, err := reopen(t).IssuedBy(ctx, name)
		must(t, err)
		equal(t, "issued "+name, want, got)
	}
}

func snapshot(resource arn.ARN, after time.Duration, content string) state.Snapshot {
	at := noon.Add(after)
	return state.Snapshot{Resource: resource, Kind: "trail", TakenAt: at, LastSeenAt: at, Source: "read", Content: json.RawMessage(content)}
}

func testSnapshots(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	good, weak := snapshot(trail, 0, `{"b":1,"a":"<x>"}`), snapshot(trail, time.Hour, `{"b":2,"a":"<x>"}`)
	same := snapshot(trail, 10*time.Minute, `{ "a":"<x>", "b":1 }`)
	back := snapshot(trail, 2*time.Hour, `{"b":1,"a":"<x>"}`)
	for _, x := range []state.Snapshot{good, same, weak, back} {
		must(t, s.PutSnapshot(ctx, x))
	}
	good.LastSeenAt = same.LastSeenAt
	for name, test := range map[string]struct {
		before time.Duration
		want   state.Snapshot
	}{
		"now": {3 * time.Hour, back}, "at the third": {2 * time.Hour, weak}, "at the second": {time.Hour, good}, "soon": {time.Nanosecond, good},
	} {
		got, err := reopen(t).SnapshotBefore(ctx, trail, noon.Add(test.before))
		must(t, err)
		equal(t, name, test.want, got)
	}
	for resource, before := range map[arn.ARN]time.Duration{trail: 0, trail + "2": time.Hour} {
		if got, err := s.SnapshotBefore(ctx, resource, noon.Add(before)); !errors.Is(err, incident.ErrNotFound) {
			t.Errorf("%s before %s: %+v, %v, want ErrNotFound", resource, before, got, err)
		}
	}
}

func testSnapshotsNewest(t *testing.T, open Opener) {
	ctx := t.Context()
	s, _ := open(t)
	b, a := snapshot(trail+"-b", 0, `1`), snapshot(trail+"-a", time.Hour, `2`)
	bucket := snapshot("arn:aws:s3:::logs", 0, `3`)
	bucket.Kind = "bucket"
	// One that is older than the newest is kept without becoming the newest.
	old := snapshot(trail+"-a", 0, `4`)
	for _, x := range []state.Snapshot{b, a, bucket, old} {
		must(t, s.PutSnapshot(ctx, x))
	}
	got, err := s.NewestSnapshots(ctx, "trail")
	must(t, err)
	equal(t, "newest trails", []state.Snapshot{a, b}, got)
	got, err = s.NewestSnapshots(ctx, "none")
	must(t, err)
	equal(t, "newest of nothing", []state.Snapshot(nil), got)
}

func testSnapshotsTrusted(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	first, second, other := snapshot(trail, 0, `1`), snapshot(trail, time.Hour, `2`), snapshot(trail+"2", 0, `1`)
	for _, x := range []state.Snapshot{first, other, second} {
		must(t, s.PutSnapshot(ctx, x))
	}
	first.TrustedBy, first.TrustedAt, first.TrustReason = "alice", noon.Add(2*time.Hour), "approved"
	first.Writer, first.WrittenBy = hostile, "e-1"
	asked := first
	asked.Content, asked.Source, asked.LastSeenAt = json.RawMessage(`9`), "events", noon.Add(9*time.Hour)
	must(t, s.TrustSnapshot(ctx, asked))
	asked.TakenAt = asked.TakenAt.Add(time.Nanosecond)
	if err := s.TrustSnapshot(ctx, asked); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("trust a version that is not there: %v, want ErrNotFound", err)
	}
	got, err := reopen(t).SnapshotVersions(ctx, trail)
	must(t, err)
	equal(t, "versions", []state.Snapshot{first, second}, got)
	got, err = s.SnapshotVersions(ctx, trail+"3")
	must(t, err)
	equal(t, "versions of nothing", []state.Snapshot(nil), got)
	// The same content again moves LastSeenAt and keeps the trust.
	same := snapshot(trail, 3*time.Hour, `2`)
	second.TrustedBy = "bob"
	must(t, s.TrustSnapshot(ctx, second))
	must(t, s.PutSnapshot(ctx, same))
	newest, err := s.SnapshotBefore(ctx, trail, noon.Add(4*time.Hour))
	must(t, err)
	second.LastSeenAt = same.LastSeenAt
	equal(t, "the newest", second, newest)
}
