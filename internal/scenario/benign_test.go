// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/benign"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// Events of the history in which nothing is weakened, and of what is lived through with every change of the code. One in 250
// is a call about the trail or one of its parts.
const (
	benignEvents  = 100_000
	benignInShort = benignEvents / 10
	benignCalls   = 250
)

// Nobody means any harm in hours of events, and Switchback, which may act, changes nothing.
func TestBenignHistory(t *testing.T) { liveThrough(t, benignInShort) }

// TestBenignSoak is the whole history, with SWITCHBACK_SOAK=1.
func TestBenignSoak(t *testing.T) {
	if os.Getenv("SWITCHBACK_SOAK") == "" {
		t.Skip("set SWITCHBACK_SOAK=1 to live through the whole history")
	}
	liveThrough(t, benignEvents)
}

func liveThrough(t *testing.T, events int) {
	t.Helper()
	st := peaceful(t)
	calls, err := st.protected(t).Calls()
	if err != nil {
		t.Fatal(err)
	}
	history := benign.New(benign.Options{
		Seed: 1, Account: st.place.Account, Region: st.place.Region, Begin: st.begin, Every: 500 * time.Millisecond, Calls: calls, CallEvery: benignCalls,
	})
	made := 0
	for range events {
		e, err := history.Next()
		if err != nil {
			t.Fatal(err)
		}
		if e.Call != nil {
			st.happens(t, e, []string{"alice", "bob", "admin"}[made%3])
			made++
			continue
		}
		st.handOver(t, e.Record, e.At)
	}
	if err := st.passTo(t.Context(), st.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	st.wasLeftAlone(t, made)
	t.Logf("%d events, %d of them calls that were made", events, made)
}

// peaceful is a stage on which Switchback may act and the watcher looks.
func peaceful(t *testing.T) *stage {
	t.Helper()
	st, err := build(t.Context(), t.TempDir(), Story{Depends: true, Own: true, Watch: true}, Options{Runbooks: builtIn(t), Place: Places()[0]})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.close(context.WithoutCancel(t.Context())) })
	return st
}

// protected names what the stage's trail depends on.
func (st *stage) protected(t *testing.T) benign.Protected {
	t.Helper()
	out, err := st.invoke(t.Context(), Step{As: "admin"}, "S3.GetBucketPolicy", json.RawMessage(`{"Bucket":"`+st.seeded.Bucket+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	var bucket struct{ Policy string }
	if err := json.Unmarshal(out, &bucket); err != nil {
		t.Fatal(err)
	}
	return benign.Protected{
		Region: st.place.Region, TrailName: "main", TrailARN: st.seeded.TrailARN, Bucket: st.seeded.Bucket, BucketPolicy: bucket.Policy,
		KeyARN: st.seeded.KeyARN, LogGroup: groupName, Role: roleName, Rule: ownName, RulePattern: ownPattern, Alarm: ownName,
	}
}

// happens makes a call about what is protected, at its time, by whoever.
func (st *stage) happens(t *testing.T, e benign.Event, by string) {
	t.Helper()
	if err := st.passTo(t.Context(), e.At); err != nil {
		t.Fatal(err)
	}
	if _, err := st.invoke(t.Context(), Step{As: by}, e.Call.Name, e.Call.Input); err != nil {
		t.Fatalf("%s: %v", e.Call.What, err)
	}
}

// handOver gives the pipeline an event.
func (st *stage) handOver(t *testing.T, r cloudtrail.Record, at time.Time) {
	t.Helper()
	st.clock.set(at)
	d := source.Delivery{Envelope: cloudtrail.Wrap(r), Via: "story", From: "the story", DeliveredAt: at}
	if err := st.handle(t.Context(), d); err != nil {
		t.Fatalf("%s %s: %v", r.EventSource, r.EventName, err)
	}
}

// wasLeftAlone holds that we changed nothing and bothered nobody. A harmless change of what is protected is recorded, as an
// incident that is closed at once: there are at most so many.
func (st *stage) wasLeftAlone(t *testing.T, atMost int) {
	t.Helper()
	for _, m := range st.sandbox.Mutations() {
		// Taking a message from our own queue is no change of the account.
		if m.AccessKeyID == gate.BackendAccessKeyID && m.Operation != "DeleteMessage" {
			t.Errorf("we called %s.%s %.300s", m.Service, m.Operation, m.Input)
		}
	}
	list, err := st.system.Services.Store.List(t.Context(), incident.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, inc := range list {
		if inc.Status != incident.Closed || len(inc.Open) > 0 {
			t.Errorf("%s is %s, %s, open: %v", inc.Title, inc.Severity, inc.Status, inc.Open)
		}
	}
	for _, m := range st.post.messages {
		t.Errorf("told %s: %s", m.Kind, m.Subject)
	}
	t.Logf("%d incidents, all of them closed", len(list))
	if len(list) > atMost {
		t.Errorf("%d incidents, want at most %d", len(list), atMost)
	}
}

// What attack simulations call weakens nothing that is protected, but for the attacks on detection themselves.
func TestAttackSimulationsOnOthers(t *testing.T) {
	attacks := onDetection(t)
	raw, err := os.ReadFile(thirdparty.Path(t, "stratus/events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	st := peaceful(t)
	n := 0
	for line := range bytes.Lines(raw) {
		var e struct {
			Technique string          `json:"technique"`
			Event     json.RawMessage `json:"event"`
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		r, err := cloudtrail.ParseRecord(e.Event)
		if err != nil {
			t.Fatal(err)
		}
		if attacks[e.Technique][r.EventName] {
			continue
		}
		n++
		st.handOver(t, r, st.clock.Now().Add(time.Second))
	}
	if n == 0 {
		t.Fatal("no calls")
	}
	if err := st.passTo(t.Context(), st.clock.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	st.wasLeftAlone(t, 0)
	t.Logf("%d calls", n)
}

// onDetection are the names of the calls that are an attack on detection, by technique.
func onDetection(t *testing.T) map[string]map[string]bool {
	t.Helper()
	raw, err := os.ReadFile(thirdparty.Path(t, "stratus/index.json"))
	if err != nil {
		t.Fatal(err)
	}
	var index []struct {
		Technique  string
		Documented []string `json:"documented_events"`
	}
	if err := json.Unmarshal(raw, &index); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]bool{}
	for _, x := range index {
		if !strings.HasPrefix(x.Technique, "aws.defense-evasion.") {
			continue
		}
		out[x.Technique] = map[string]bool{}
		for _, event := range x.Documented {
			_, name, _ := strings.Cut(event, ":")
			out[x.Technique][name] = true
		}
	}
	return out
}
