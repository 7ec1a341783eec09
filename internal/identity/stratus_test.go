// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// truth is one line of the third-party answers: which event issued the session that an event was made with.
type truth struct {
	EventID   cloudtrail.EventID   `json:"eventID"`
	IssuedBy  []cloudtrail.EventID `json:"issued_by_eventID"`
	EventName string               `json:"issued_by_eventName"`
	Caller    string               `json:"caller"`
}

// Every session of the Stratus recordings whose issuing event is among them must lead there, exactly, and no other
// session anywhere.
func TestResolveStratus(t *testing.T) {
	t.Parallel()
	want := map[cloudtrail.EventID]truth{}
	for _, line := range lines(t, "stratus/identity-truth.jsonl") {
		var tr truth
		if err := json.Unmarshal(line, &tr); err != nil {
			t.Fatal(err)
		}
		want[tr.EventID] = tr
	}
	if len(want) != 48 {
		t.Fatalf("%d truths, want 48", len(want))
	}
	records, index := stratus(t)
	resolved, unresolved := 0, 0
	for _, r := range records {
		if _, ok := identity.SessionOf(r.UserIdentity); !ok {
			continue
		}
		res, err := identity.Resolve(t.Context(), r, index)
		if err != nil {
			t.Fatal(err)
		}
		tr, ok := want[r.EventID]
		if !ok {
			unresolved++
			if res.Status != identity.Unresolved || len(res.Chain) != 0 || res.Human != "" || res.Reason == "" {
				t.Errorf("%s: no issuing event is there, got %+v", r.EventID, res)
			}
			continue
		}
		resolved++
		checkTruth(t, tr, res)
	}
	if resolved != 48 || unresolved != 21 {
		t.Errorf("%d sessions with and %d without an issuing event, want 48 and 21", resolved, unresolved)
	}
}

func checkTruth(t *testing.T, want truth, res identity.Resolution) {
	t.Helper()
	if res.Status != identity.Resolved || len(res.Chain) != 1 || res.HumanARN != want.Caller {
		t.Errorf("%s: got %+v, want one hop to %s", want.EventID, res, want.Caller)
		return
	}
	hop := res.Chain[0]
	got := truth{want.EventID, []cloudtrail.EventID{hop.EventID}, hop.EventName, hop.Caller}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", want.EventID, diff)
	}
	if hop.Confidence != identity.ByKey {
		t.Errorf("%s: confidence %s", want.EventID, hop.Confidence)
	}
}

func stratus(t testing.TB) ([]cloudtrail.Record, *identity.Memory) {
	t.Helper()
	var records []cloudtrail.Record
	index := &identity.Memory{Source: "files"}
	for _, line := range lines(t, "stratus/events.jsonl") {
		var row struct{ Event json.RawMessage }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatal(err)
		}
		r, err := cloudtrail.ParseRecord(row.Event)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
		index.Add(r)
	}
	if len(records) != 310 {
		t.Fatalf("%d records, want 310", len(records))
	}
	return records, index
}

func lines(t testing.TB, name string) [][]byte {
	t.Helper()
	f, err := os.Open(thirdparty.Path(t, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var all [][]byte
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		all = append(all, append([]byte(nil), s.Bytes()...))
	}
	if s.Err() != nil || len(all) == 0 {
		t.Fatalf("read %s: %d lines, %v", name, len(all), s.Err())
	}
	return all
}
