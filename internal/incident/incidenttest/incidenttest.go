// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package incidenttest is the contract suite of everything that keeps incidents: each store runs it in its own tests and
// must pass all of it. What it does not ask is not promised.
package incidenttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
)

// Stores is one store in each of its roles.
type Stores interface {
	incident.Store
	incident.Timeline
	incident.Findings
	incident.BlindWindows
	incident.Undos
	incident.Timers
	incident.Pauses
	incident.Outbox
	incident.Sessions
	incident.Exceptions
	incident.Restores
	incident.Hearings
	incident.Answers
	state.Snapshots
}

// Opener returns an empty store, which it closes when the test ends. Reopen must return the same store as another
// process would see it, while the first is still open.
type Opener func(t *testing.T) (first Stores, reopen func(t *testing.T) Stores)

// Run holds a store against the contract.
func Run(t *testing.T, open Opener) {
	for name, test := range map[string]func(*testing.T, Opener){
		"Admit": testAdmit, "AdmitConcurrently": testAdmitConcurrently, "AdmitRunbooks": testAdmitRunbooks,
		"AdmitClosed": testAdmitClosed, "AdmitManyEvents": testAdmitManyEvents, "Get": testGet, "Unclosed": testUnclosed, "List": testList,
		"Hearings": testHearings,
		"Update":   testUpdate, "UpdateConcurrently": testUpdateConcurrently,
		"Timeline": testTimeline, "TimelineConcurrently": testTimelineConcurrently, "Evidence": testEvidence,
		"Findings": testFindings, "BlindWindows": testBlindWindows, "Undos": testUndos, "Timers": testTimers, "Pauses": testPauses, "Outbox": testOutbox, "Sessions": testSessions,
		"Snapshots": testSnapshots, "SnapshotsNewest": testSnapshotsNewest, "SnapshotsTrusted": testSnapshotsTrusted,
		"Exceptions": testExceptions, "ExceptionsConcurrently": testExceptionsConcurrently, "Restores": testRestores,
		"Answers": testAnswers, "AnswersConcurrently": testAnswersConcurrently, "Links": testLinks,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open)
		})
	}
}

var noon = time.Date(2026, 5, 4, 12, 0, 0, 123456789, time.UTC)

// hostile is text as an attacker writes it; stores give it back as it is.
const hostile = "<script>'; DROP TABLE incidents; --\u0000\u202e\u2028 \\ \" &"

const trail = "arn:aws:cloudtrail:eu-central-1:111122223333:trail/main"

func key() incident.Key {
	return incident.Key{
		Runbook: "cloudtrail-off", Account: "111122223333", Resource: trail, EventName: "StopLogging", Outcome: incident.Succeeded,
	}
}

// candidate n is one event of the incident that k stands for.
func candidate(k incident.Key, n int) incident.Candidate {
	return incident.Candidate{
		Key: k, Title: "CloudTrail turned off", Trigger: "logging stopped", Severity: incident.Medium, Region: "eu-central-1",
		Event:      cloudtrail.EventID(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)),
		Envelope:   json.RawMessage(fmt.Sprintf(`{ "id":%d, "detail": {"userAgent": "<b>\u0026\/ "} }`, n)),
		OccurredAt: noon, Delivered: noon.Add(time.Second), ReceivedAt: noon.Add(2 * time.Second),
	}
}

func admit(t *testing.T, s incident.Store, c incident.Candidate, want incident.Disposition) incident.Incident {
	t.Helper()
	i, got, err := s.Admit(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	if got != want {
		t.Fatalf("event %s is %s, want %s", c.Event, got, want)
	}
	return i
}

func get(t *testing.T, s incident.Store, id incident.ID) incident.Incident {
	t.Helper()
	i, err := s.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// equal compares what was stored; JSON texts count by value, and no entries at all may be nil or empty.
func equal(t *testing.T, what string, want, got any) {
	t.Helper()
	text := reflect.TypeFor[json.RawMessage]()
	options := cmp.Options{
		cmp.Comparer(equalJSON),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().Type() != text }, cmpopts.EquateEmpty()),
		cmpopts.EquateApproxTime(0),
	}
	if diff := cmp.Diff(want, got, options); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// equalJSON compares values; no text at all is null.
func equalJSON(a, b json.RawMessage) bool {
	value := func(text json.RawMessage) (v any, err error) {
		if len(text) == 0 {
			return nil, nil
		}
		decoder := json.NewDecoder(bytes.NewReader(text))
		decoder.UseNumber()
		return v, decoder.Decode(&v)
	}
	x, errX := value(a)
	y, errY := value(b)
	return errX == nil && errY == nil && reflect.DeepEqual(x, y)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
