// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/sqlite"
)

// Objectives of the index.
const (
	leastEventsASecond = 10_000
	mostMemory         = 300 << 20
	slowestLookup      = time.Millisecond
)

// fill indexes n records, read from JSON as sources would, by two of them at once, in batches, and returns how long that
// took.
func fill(t testing.TB, index identity.Store, n int) (took time.Duration) {
	t.Helper()
	const batch, sources = 1000, 2
	for first := 0; first < n; first += sources * batch {
		var texts [sources][][]byte
		for i := first; i < min(first+sources*batch, n); i++ {
			texts[i%sources] = append(texts[i%sources], issued(i))
		}
		began := time.Now()
		var wait sync.WaitGroup
		for _, mine := range texts {
			wait.Go(func() {
				var records []cloudtrail.Record
				for _, text := range mine {
					r, err := cloudtrail.ParseRecord(text)
					if err != nil {
						t.Error(err)
						return
					}
					records = append(records, r)
				}
				if err := index.Put(t.Context(), records...); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
		took += time.Since(began)
	}
	return took
}

// lookups finds random keys among n events, and returns how long each took, sorted.
func lookups(t testing.TB, index identity.Index, n, times int) []time.Duration {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 1))
	var all []time.Duration
	for range times {
		issue, _ := identity.IssueOf(parse(t, issued(rng.IntN(n/10)*10+2)))
		clue := identity.Clue{Kind: identity.ClueKey, ID: issue.AccessKeyID, Since: issue.IssuedAt.Add(-identity.LongestSession), Until: issue.IssuedAt}
		began := time.Now()
		found, err := index.Find(t.Context(), clue)
		if all = append(all, time.Since(began)); err != nil || len(found) != 1 {
			t.Fatalf("found %d, %v", len(found), err)
		}
	}
	slices.Sort(all)
	return all
}

// memoryHigh is the most memory that this process has had at once, in bytes; 0 where the system does not say.
func memoryHigh(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Logf("memory is not measured: %v", err)
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	kilobytes, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}

// TestSessionsSoak indexes a million events, of which JSON is part of the price, and holds the index to its objectives.
// Run alone: memory is that of the process.
func TestSessionsSoak(t *testing.T) {
	if os.Getenv("SWITCHBACK_SOAK") == "" {
		t.Skip("a million events: SWITCHBACK_SOAK=1")
	}
	const n = 1_000_000
	index := open(t, fresh(t), sqlite.Options{}).SessionIndex()
	took := fill(t, index, n)
	all := lookups(t, index, n, 10_000)
	rate, memory, slow := float64(n)/took.Seconds(), memoryHigh(t), all[len(all)*99/100]
	t.Logf("%.0f events/s, %d MB at most, lookup median %s, p99 %s, slowest %s", rate, memory>>20, all[len(all)/2], slow, all[len(all)-1])
	if rate < leastEventsASecond || memory > mostMemory || slow > slowestLookup {
		t.Error("an objective is missed")
	}
}

func BenchmarkSessionsPut(b *testing.B) {
	index := open(b, fresh(b), sqlite.Options{}).SessionIndex()
	b.ReportAllocs()
	b.ResetTimer()
	took := fill(b, index, b.N)
	b.ReportMetric(float64(b.N)/took.Seconds(), "events/s")
}

func BenchmarkSessionsFind(b *testing.B) {
	const n = 100_000
	index := open(b, fresh(b), sqlite.Options{}).SessionIndex()
	fill(b, index, n)
	b.ReportAllocs()
	b.ResetTimer()
	all := lookups(b, index, n, b.N)
	b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "p99-µs")
}
