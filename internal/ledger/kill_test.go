// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/ledger"
)

// TestKillAtEveryByte cuts a write short after every possible number of bytes, twice in a row, so that the repair is
// interrupted too.
func TestKillAtEveryByte(t *testing.T) {
	base := newMemory()
	fill(t, base, ledger.Options{}, 2)
	full := base.restarted()
	fill(t, full, ledger.Options{}, 1)
	written := len(full.files["0001.jsonl"]) - len(base.files["0001.jsonl"])
	for cut := range written {
		for i, second := range []int{-1, 1, 50} {
			if i > 0 && cut%8 != i { // a sample is enough where two kills meet
				continue
			}
			folder := killedAfter(t, base, cut)
			if second >= 0 {
				folder = killedAfter(t, folder, second)
			}
			if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken != nil {
				t.Fatalf("cut after %d and %d bytes, before repair: %v", cut, second, got.Broken)
			}
			fill(t, folder, ledger.Options{}, 3)
			got := verify(t, folder, ledger.VerifyOptions{})
			if got.Broken != nil || got.Entries < 5 || len(got.Torn) > 1 || len(got.Torn) == 1 && !got.Torn[0].IsRecorded {
				t.Fatalf("cut after %d and %d bytes: %+v, broken %v", cut, second, got, got.Broken)
			}
		}
	}
}

// killedAfter lets a process append an entry to folder that dies after some bytes.
func killedAfter(t *testing.T, folder *memory, bytes int) *memory {
	t.Helper()
	dying := folder.restarted()
	l := open(t, dying, ledger.Options{})
	dying.budget = &bytes
	if err := l.Append(t.Context(), entry(1)); err == nil && bytes > 0 {
		return dying.restarted() // the cut lay beyond the write
	}
	return dying.restarted()
}

func TestTornEndIsReportedAndNotBroken(t *testing.T) {
	base := newMemory()
	fill(t, base, ledger.Options{}, 2)
	folder := killedAfter(t, base, 40)
	want := []ledger.Torn{{Segment: "0001.jsonl", Line: 3, Bytes: 40}}
	if diff := cmp.Diff(want, verify(t, folder, ledger.VerifyOptions{}).Torn); diff != "" {
		t.Error(diff)
	}
	fill(t, folder, ledger.Options{}, 1)
	want = []ledger.Torn{{Segment: "0001.jsonl", Line: 3, Bytes: 41, IsRecorded: true}}
	if diff := cmp.Diff(want, verify(t, folder, ledger.VerifyOptions{}).Torn); diff != "" {
		t.Error(diff)
	}
}

func TestZerosAfterPowerCutAreTorn(t *testing.T) {
	folder := newMemory()
	fill(t, folder, ledger.Options{}, 2)
	folder.files["0001.jsonl"] = append(folder.files["0001.jsonl"], make([]byte, 4096)...)
	fill(t, folder, ledger.Options{}, 2)
	got := verify(t, folder, ledger.VerifyOptions{})
	if got.Broken != nil || got.Entries != 5 || len(got.Torn) != 1 {
		t.Errorf("verify: %+v, broken %v", got, got.Broken)
	}
}

// TestLedgerSurvivesFullDisk lets writes fail without a restart in between.
func TestLedgerSurvivesFullDisk(t *testing.T) {
	folder := newMemory()
	l := fill(t, folder, ledger.Options{SegmentBytes: 800}, 5)
	for _, space := range []int{0, 1, 100, 250} {
		folder.budget = &space
		if err := l.Append(t.Context(), entry(6)); err == nil {
			t.Fatal("a write to a full disk succeeded")
		}
		folder.budget = nil
		if err := l.Append(t.Context(), entry(7)); err != nil {
			t.Fatal(err)
		}
	}
	got := verify(t, folder, ledger.VerifyOptions{Checkpoint: l.Head()})
	if got.Broken != nil || got.Entries < 9 {
		t.Errorf("verify: %+v, broken %v", got, got.Broken)
	}
}

func TestAsyncEntriesSurviveFullDisk(t *testing.T) {
	folder := newMemory()
	l := fill(t, folder, ledger.Options{}, 1)
	if err := l.AppendAsync(t.Context(), entry(2)); err != nil {
		t.Fatal(err)
	}
	space := 0
	folder.budget = &space
	if err := l.Flush(t.Context()); err == nil {
		t.Fatal("a flush to a full disk succeeded")
	}
	folder.budget = nil
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{string(entry(1).Body), string(entry(2).Body)}, bodies(t, folder)); diff != "" {
		t.Error(diff)
	}
}
