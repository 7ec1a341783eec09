// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package benign_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/benign"
)

var options = benign.Options{Seed: 7, Account: "111122223333", Region: "eu-west-1", Begin: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}

func take(t *testing.T, o benign.Options, n int) []benign.Event {
	t.Helper()
	h := benign.New(o)
	events := make([]benign.Event, 0, n)
	for range n {
		e, err := h.Next()
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// told is a history as text.
func told(events []benign.Event) string {
	var b strings.Builder
	for _, e := range events {
		b.WriteString(e.At.String())
		b.Write(e.Record.Raw)
	}
	return b.String()
}

func TestHistoryIsTheSameForTheSameSeed(t *testing.T) {
	first := told(take(t, options, 500))
	if first != told(take(t, options, 500)) {
		t.Error("the same options make another history")
	}
	other := options
	other.Seed++
	if first == told(take(t, other, 500)) {
		t.Error("another seed makes the same history")
	}
}

// A history is of many services and callers, in order, and no two of its events are one.
func TestHistoryIsManifold(t *testing.T) {
	ids := map[cloudtrail.EventID]bool{}
	sources, callers, names, failed := map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	last := time.Time{}
	for _, e := range take(t, options, 5000) {
		r := e.Record
		ids[r.EventID], sources[r.EventSource], callers[r.UserIdentity.Type], names[r.EventName] = true, true, true, true
		if r.Failed() {
			failed++
		}
		if e.At.Before(last) {
			t.Fatalf("%s comes after %s", e.At, last)
		}
		last = e.At
	}
	if len(ids) != 5000 || len(sources) < 15 || len(callers) < 4 || len(names) < 50 || failed == 0 {
		t.Errorf("%d ids, %d services, %d kinds of callers, %d names, %d failed", len(ids), len(sources), len(callers), len(names), failed)
	}
}

func TestCallsAreMixedIn(t *testing.T) {
	o, calls := options, 0
	var err error
	if o.Calls, err = (benign.Protected{TrailName: "main"}).Calls(); err != nil {
		t.Fatal(err)
	}
	o.CallEvery = 10
	for _, e := range take(t, o, 1000) {
		if e.Call != nil {
			calls++
		}
	}
	if calls != 100 {
		t.Errorf("%d calls of 1000 events, want 100", calls)
	}
}

// What is not named has no calls, and what is named keeps its policy.
func TestCalls(t *testing.T) {
	calls, err := benign.Protected{Region: "eu-west-1", Bucket: "logs", BucketPolicy: `{"Version":"2012-10-17","Statement":[{"Sid":"kept"}]}`}.Calls()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range calls {
		if c.Name != "S3.PutBucketPolicy" {
			continue
		}
		var in struct{ Policy string }
		if err := json.Unmarshal(c.Input, &in); err != nil {
			t.Fatal(err)
		}
		var policy struct {
			Statement []struct{ Sid, Effect string }
		}
		if err := json.Unmarshal([]byte(in.Policy), &policy); err != nil {
			t.Fatal(err)
		}
		if len(policy.Statement) != 2 || policy.Statement[0].Sid != "kept" || policy.Statement[1].Effect != "Deny" {
			t.Errorf("policy = %s, want what was there and one refusal", in.Policy)
		}
		return
	}
	t.Errorf("no call about the bucket's policy in %d", len(calls))
}

func BenchmarkNext(b *testing.B) {
	h := benign.New(options)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.Next(); err != nil {
			b.Fatal(err)
		}
	}
}
