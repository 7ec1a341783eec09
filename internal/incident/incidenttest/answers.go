// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incidenttest

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
)

func testAnswers(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	id := admit(t, s, candidate(key(), 1), incident.Opened).ID
	want := []incident.Answer{
		{Incident: id, Key: "link/2", By: hostile, Verdict: incident.NotMe, Comment: hostile, Via: incident.ViaLink, At: noon, IsOnChain: true},
		{Incident: id, Key: "1", By: "carol", Names: []string{"carol", "c"}, Verdict: incident.MineMistake, Via: incident.ViaCommandLine, At: noon, IsKnown: true, Refused: "late"},
	}
	for _, a := range want {
		must(t, s.AddAnswer(ctx, a))
	}
	again := want[0]
	again.Verdict = incident.MineExpected
	if err := s.AddAnswer(ctx, again); !errors.Is(err, incident.ErrConflict) {
		t.Errorf("an answer with the same key: %v, want ErrConflict", err)
	}
	other := again
	other.Incident = "another"
	must(t, s.AddAnswer(ctx, other))
	got, err := reopen(t).ListAnswers(ctx, id)
	must(t, err)
	equal(t, "answers", want, got)
}

// A link that two browsers use at once counts once.
func testAnswersConcurrently(t *testing.T, open Opener) {
	s, reopen := open(t)
	var counted atomic.Int32
	var wait sync.WaitGroup
	for i := range 20 {
		store := s
		if i%2 == 0 {
			store = reopen(t)
		}
		wait.Go(func() {
			err := store.AddAnswer(t.Context(), incident.Answer{Incident: "i", Key: "link/1", Verdict: incident.NotMe, At: noon})
			switch {
			case err == nil:
				counted.Add(1)
			case !errors.Is(err, incident.ErrConflict):
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if counted.Load() != 1 {
		t.Errorf("it counted %d times", counted.Load())
	}
}

func testLinks(t *testing.T, open Opener) {
	ctx := t.Context()
	s, reopen := open(t)
	first := incident.Link{
		Nonce: "01", Message: "m1", Incident: "i", Person: hostile, IsPerson: true, Verdicts: incident.Verdicts(), KeyID: "k",
		ExpiresAt: noon.Add(time.Hour),
	}
	for _, nonce := range []string{"01", "02"} { // a message that is written again has the link that it had
		l := first
		l.Nonce = nonce
		got, err := s.KeepLink(ctx, l)
		must(t, err)
		equal(t, "kept link", first, got)
	}
	second := first
	second.Nonce, second.Message = "03", "m2"
	_, err := s.KeepLink(ctx, second)
	must(t, err)
	other := reopen(t)
	got, err := other.GetLink(ctx, "03")
	must(t, err)
	equal(t, "link", second, got)
	if _, err := other.GetLink(ctx, "02"); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("a link that was never given out: %v, want ErrNotFound", err)
	}
}
