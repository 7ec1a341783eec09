// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/identity"
)

// Twenty chains at once, all events shuffled, duplicated, a tenth held back to the end, the uses among the first: each use
// is resolved again only when an event arrives that it waits for. Nothing is wrong at any time, and all are right once
// everything is in.
func TestWaitingResolvesEverything(t *testing.T) {
	t.Parallel()
	for seed := range uint64(100) {
		rng := rand.New(rand.NewPCG(seed, 2))
		human, hops := map[cloudtrail.EventID]string{}, map[cloudtrail.EventID]int{}
		var uses, now, late []cloudtrail.Record
		for n := range 20 {
			use, events, who, length := generatedChain(rng)
			prefix := fmt.Sprintf("%d-", n)
			r := parse(t, use)
			r.EventID = cloudtrail.EventID(prefix) + r.EventID
			uses, human[r.EventID], hops[r.EventID] = append(uses, r), who, length
			for _, text := range events {
				e := parse(t, text)
				e.EventID = cloudtrail.EventID(prefix) + e.EventID
				if e.SharedEventID != "" {
					e.SharedEventID = prefix + e.SharedEventID
				}
				for range 1 + rng.IntN(2) {
					if rng.IntN(10) == 0 {
						late = append(late, e)
						continue
					}
					now = append(now, e)
				}
			}
		}
		rng.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		play(t, seed, uses, append(now, late...), human, hops)
	}
}

func play(t *testing.T, seed uint64, uses, events []cloudtrail.Record, human map[cloudtrail.EventID]string, hops map[cloudtrail.EventID]int) {
	t.Helper()
	index, waiting, right := &identity.Memory{}, &identity.Waiting{}, 0
	try := func(r cloudtrail.Record) {
		res, err := identity.Resolve(t.Context(), r, index)
		if err != nil || res.Human != "" && res.Human != human[r.EventID] || len(res.Chain) > hops[r.EventID] {
			t.Fatalf("seed %d: %s: got %+v, %v, want %s", seed, r.EventID, res, err, human[r.EventID])
		}
		if waiting.Note(r, res) == (res.Status == identity.Resolved) {
			t.Fatalf("seed %d: %s waits for nothing, or for ever: %+v", seed, r.EventID, res)
		}
		if res.Status == identity.Resolved {
			right++
		}
	}
	for _, r := range uses {
		try(r)
	}
	for _, e := range events {
		index.Add(e)
		for _, r := range waiting.Arrived(e) {
			try(r)
		}
	}
	if right != len(uses) || waiting.Len() != 0 {
		t.Errorf("seed %d: %d of %d are right, %d wait", seed, right, len(uses), waiting.Len())
	}
}

func TestWaitingIsBounded(t *testing.T) {
	t.Parallel()
	waiting := &identity.Waiting{Limit: 10}
	index := &identity.Memory{}
	for n := range 1000 {
		use := parse(t, call(fmt.Sprint("use", n%500), "X", session(fmt.Sprint("ASIA", n%500), "R", "s", ""), time.Minute))
		res, err := identity.Resolve(t.Context(), use, index)
		if err != nil || !waiting.Note(use, res) || waiting.Len() > 10 {
			t.Fatalf("%d: %v, %d wait", n, err, waiting.Len())
		}
	}
	if got := waiting.Arrived(parse(t, assume("e", alice, "ASIA0", "R", "s", 0))); len(got) != 0 {
		t.Errorf("forgotten and still there: %v", got)
	}
	if got := waiting.Arrived(parse(t, assume("e", alice, "ASIA499", "R", "s", 0))); len(got) != 1 || got[0].EventID != "use499" {
		t.Errorf("got %v", got)
	}
	if got := waiting.Arrived(parse(t, call("e", "X", alice, 0))); len(got) != 0 {
		t.Errorf("an event that issues nothing helps %v", got)
	}
}
