// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ledger_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/ledger"
)

var noon = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func entry(n int) ledger.Entry {
	return ledger.Entry{
		At: noon.Add(time.Duration(n) * time.Second), Kind: ledger.Call, Incident: "20260504-cloudtrail-off-1a2b3c4d",
		Body: json.RawMessage(fmt.Sprintf(`{"n":%d,"agent":"<script>\u2028\n\",\"hash\":\""}`, n)),
	}
}

func open(t testing.TB, folder ledger.Folder, o ledger.Options) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Open(t.Context(), folder, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fill appends entries 1 to n.
func fill(t testing.TB, folder ledger.Folder, o ledger.Options, n int) *ledger.Ledger {
	t.Helper()
	l := open(t, folder, o)
	for i := 1; i <= n; i++ {
		if err := l.Append(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func verify(t testing.TB, folder ledger.Folder, o ledger.VerifyOptions) ledger.Result {
	t.Helper()
	result, err := ledger.Verify(t.Context(), folder, o)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func bodies(t testing.TB, folder ledger.Folder) []string {
	t.Helper()
	var out []string
	for e, err := range ledger.Entries(t.Context(), folder) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != ledger.Repair {
			out = append(out, string(e.Body))
		}
	}
	return out
}

func TestAppendedEntriesAreKeptAndVerify(t *testing.T) {
	folder := newMemory()
	l := fill(t, folder, ledger.Options{SegmentBytes: 1000}, 10)
	got := verify(t, folder, ledger.VerifyOptions{Checkpoint: l.Head()})
	if got.Broken != nil || got.Entries != 10 || got.Segments < 3 || got.Head != l.Head() || len(got.Torn) != 0 {
		t.Fatalf("verify: %+v", got)
	}
	var want []string
	for i := 1; i <= 10; i++ {
		want = append(want, string(entry(i).Body))
	}
	if diff := cmp.Diff(want, bodies(t, folder)); diff != "" {
		t.Error(diff)
	}
	for e, err := range ledger.Entries(t.Context(), folder) {
		if err != nil || !e.At.Equal(entry(int(e.Seq)).At) || e.Incident != entry(1).Incident || e.Kind != ledger.Call {
			t.Errorf("entry %+v, error %v", e, err)
		}
	}
}

func TestLedgerGoesOnAfterReopening(t *testing.T) {
	folder := newMemory()
	for range 5 {
		fill(t, folder, ledger.Options{SegmentBytes: 900}, 3)
	}
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken != nil || got.Entries != 15 {
		t.Fatalf("verify: %+v, broken %v", got, got.Broken)
	}
}

func TestTwoWritersShareOneChain(t *testing.T) {
	folder := newMemory()
	one, two := open(t, folder, ledger.Options{SegmentBytes: 3000}), open(t, folder, ledger.Options{SegmentBytes: 3000})
	var wait sync.WaitGroup
	for _, l := range []*ledger.Ledger{one, two} {
		for range 10 {
			wait.Go(func() {
				for i := range 20 {
					if err := l.Append(t.Context(), entry(i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wait.Wait()
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken != nil || got.Entries != 400 {
		t.Fatalf("verify: %+v, broken %v", got, got.Broken)
	}
}

// slowDisk lets the other appends queue up while the first is written.
type slowDisk struct {
	*memory
	first   sync.Once
	queued  chan struct{}
	waiting int
}

func (s *slowDisk) Append(ctx context.Context, name string, data []byte) error {
	s.first.Do(func() {
		for range s.waiting {
			<-s.queued
		}
	})
	return s.memory.Append(ctx, name, data)
}

func TestConcurrentAppendsShareOneWrite(t *testing.T) {
	const waiting = 50
	folder := &slowDisk{memory: newMemory(), queued: make(chan struct{}), waiting: waiting}
	l := open(t, folder, ledger.Options{})
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := l.Append(t.Context(), entry(0)); err != nil {
			t.Error(err)
		}
	})
	for i := range waiting {
		if err := l.AppendAsync(t.Context(), entry(i)); err != nil {
			t.Error(err)
		}
		folder.queued <- struct{}{}
	}
	wait.Wait()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if folder.appends > 2 {
		t.Errorf("%d entries took %d writes, want at most 2", waiting+1, folder.appends)
	}
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken != nil || got.Entries != waiting+1 {
		t.Fatalf("verify: %+v, broken %v", got, got.Broken)
	}
}

func TestAppendAsyncIsBounded(t *testing.T) {
	folder := newMemory()
	l := open(t, folder, ledger.Options{})
	for i := range 2500 {
		if err := l.AppendAsync(t.Context(), entry(i)); err != nil {
			t.Fatal(err)
		}
	}
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Entries < 2000 {
		t.Errorf("only %d of 2500 entries are written, the others wait in memory", got.Entries)
	}
	if err := l.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Entries != 2500 {
		t.Errorf("%d entries after Close, want 2500", got.Entries)
	}
}

func TestInvalidEntriesAreRefused(t *testing.T) {
	change := map[string]func(*ledger.Entry){
		"no time":       func(e *ledger.Entry) { e.At = time.Time{} },
		"no kind":       func(e *ledger.Entry) { e.Kind = "" },
		"long incident": func(e *ledger.Entry) { e.Incident = strings.Repeat("x", 300) },
		"not JSON":      func(e *ledger.Entry) { e.Body = json.RawMessage(`{"a":`) },
		"two values":    func(e *ledger.Entry) { e.Body = json.RawMessage(`{} {}`) },
		"too large": func(e *ledger.Entry) {
			e.Body = json.RawMessage(`"` + strings.Repeat("x", ledger.MaxBodyBytes) + `"`)
		},
	}
	folder := newMemory()
	l := open(t, folder, ledger.Options{})
	for name, damage := range change {
		e := entry(1)
		damage(&e)
		if err := l.Append(t.Context(), e); !errors.Is(err, ledger.ErrInvalid) {
			t.Errorf("%s: error %v, want ErrInvalid", name, err)
		}
	}
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Entries != 0 {
		t.Errorf("%d entries were recorded", got.Entries)
	}
}

func TestBodyWithoutContentAndLargestBody(t *testing.T) {
	folder := newMemory()
	l := open(t, folder, ledger.Options{})
	largest := entry(2)
	largest.Body = json.RawMessage(`"` + strings.Repeat("x", ledger.MaxBodyBytes-2) + `"`)
	for _, e := range []ledger.Entry{{At: noon, Kind: ledger.Event}, largest} {
		if err := l.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if got := verify(t, folder, ledger.VerifyOptions{}); got.Broken != nil || got.Entries != 2 {
		t.Fatalf("verify: %+v, broken %v", got, got.Broken)
	}
	if got := bodies(t, folder); got[0] != "null" || got[1] != string(largest.Body) {
		t.Errorf("bodies %.20s, %.20s", got[0], got[1])
	}
}

func TestMissingKeyIsNotReplaced(t *testing.T) {
	folder := newMemory()
	fill(t, folder, ledger.Options{}, 1)
	delete(folder.files, ledger.KeyFile)
	if _, err := ledger.Open(t.Context(), folder, ledger.Options{}); err == nil || !strings.Contains(err.Error(), ledger.KeyFile) {
		t.Errorf("error %v, want one that names %s", err, ledger.KeyFile)
	}
}

func BenchmarkAppend(b *testing.B) {
	l := open(b, newMemory(), ledger.Options{})
	b.SetParallelism(100)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := l.Append(b.Context(), entry(1)); err != nil {
				b.Error(err)
			}
		}
	})
}
