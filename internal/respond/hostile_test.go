// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/source"
)

// altered is a delivery whose record says something else.
func altered(t *testing.T, d source.Delivery, change func(record map[string]any)) source.Delivery {
	t.Helper()
	var record map[string]any
	if err := json.Unmarshal(d.Envelope.Record.Raw, &record); err != nil {
		t.Fatal(err)
	}
	change(record)
	raw, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := cloudtrail.ParseRecord(raw)
	if err != nil {
		t.Fatal(err)
	}
	return source.Delivery{Envelope: cloudtrail.Wrap(parsed), Via: "test"}
}

func (w *world) handle(t *testing.T, d source.Delivery) {
	t.Helper()
	if err := w.system.Handle(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

func (w *world) incidents(t *testing.T) []incident.Incident {
	t.Helper()
	list, err := w.db.List(t.Context(), incident.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// until waits for what the engine does in the background.
func (w *world) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s; incidents: %+v", what, w.incidents(t))
		}
	}
}

func (w *world) isLogging(t *testing.T) bool {
	t.Helper()
	s := w.seeded[0]
	out, err := w.box.Invoke(t.Context(), "CloudTrail.GetTrailStatus", fmt.Appendf(nil, `{"Name":%q}`, s.TrailARN), gate.Request{
		Account: s.Account, Region: region, AccessKeyID: s.AccessKeys["alice"], RequestID: "look",
	})
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ IsLogging bool }
	if err := json.Unmarshal(out, &status); err != nil {
		t.Fatal(err)
	}
	return status.IsLogging
}

func one(id string, outcome incident.Outcome) func(incident.Incident) bool {
	return func(i incident.Incident) bool {
		return i.Events[0] == cloudtrail.EventID(id) && i.Key.Outcome == outcome
	}
}

func (w *world) find(t *testing.T, is func(incident.Incident) bool) (incident.Incident, bool) {
	t.Helper()
	for _, i := range w.incidents(t) {
		if is(i) {
			return i, true
		}
	}
	return incident.Incident{}, false
}

// TestAttemptFindsTheTrailOff: the event of the stop never came; a later attempt, which AWS refused, shows the trail as it
// is, and it is put right.
func TestAttemptFindsTheTrailOff(t *testing.T) {
	w := open(t, 1)
	w.handle(t, altered(t, w.stop(t, 0), func(r map[string]any) { r["errorCode"] = "AccessDenied" }))
	w.until(t, "the restart", func() bool { return w.isLogging(t) })
	w.until(t, "the proof", func() bool {
		i, ok := w.find(t, one("event-0", incident.Attempted))
		return ok && !i.Times.Contained.IsZero()
	})
}

// TestForgedEventIDHidesNothing: an event with the id of the stop, about another trail, came before it.
func TestForgedEventIDHidesNothing(t *testing.T) {
	w := open(t, 1)
	stop := w.stop(t, 0)
	w.handle(t, altered(t, stop, func(r map[string]any) { r["requestParameters"] = map[string]string{"name": "decoy"} }))
	w.handle(t, stop)
	w.handle(t, stop)
	w.until(t, "the restart", func() bool { return w.isLogging(t) })
	list := w.incidents(t)
	if len(list) != 2 || list[0].Count != 1 || list[1].Count != 1 {
		t.Errorf("incidents are %+v, want one for each event", list)
	}
}

// TestCrowdOfAttempts: refused calls for trails that nobody ever saw do not make a case each; those for our trail stay one
// of their own.
func TestCrowdOfAttempts(t *testing.T) {
	w := open(t, 1)
	stop := w.stop(t, 0)
	for i := range 100 {
		w.handle(t, altered(t, stop, func(r map[string]any) {
			r["errorCode"], r["eventID"] = "AccessDenied", fmt.Sprintf("crowd-%d", i)
			r["requestParameters"] = map[string]string{"name": fmt.Sprintf("trail-%d", i)}
		}))
	}
	w.handle(t, altered(t, stop, func(r map[string]any) { r["errorCode"], r["eventID"] = "AccessDenied", "ours" }))
	list := w.incidents(t)
	if len(list) != 10 {
		t.Errorf("%d incidents, want 8, one of all others, one of our trail", len(list))
	}
	if i, ok := w.find(t, one("ours", incident.Attempted)); !ok || i.Key.Resource != w.seeded[0].TrailARN {
		t.Errorf("the attempt on our trail is part of %+v", i)
	}
	if i, ok := w.find(t, one("crowd-8", incident.Attempted)); !ok || i.Count != 92 || len(i.Runs) != 1 || !strings.Contains(i.Title, "many") {
		t.Errorf("the crowd is %+v", i)
	}
}

func person(names ...string) respond.Answerer {
	return respond.Answerer{Name: names[0], Names: names, IsKnown: true}
}

// TestStoppedInTheShadowOfAnAnswer: an incident that was acknowledged is open again when it happens again, and neither
// contained nor proven until it is so anew.
func TestStoppedInTheShadowOfAnAnswer(t *testing.T) {
	w := open(t, 1)
	stop := w.stop(t, 0)
	w.handle(t, stop)
	is := one("event-0", incident.Succeeded)
	w.until(t, "the first proof", func() bool {
		i, ok := w.find(t, is)
		return ok && !i.Times.Contained.IsZero() && i.Who.Status != ""
	})
	first, _ := w.find(t, is)
	// Whatever else is open keeps the incident from being closed by the answer.
	if _, err := w.db.Update(t.Context(), first.ID, func(i *incident.Incident) error {
		i.Open = []string{"Other: somebody must look"}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w.until(t, "a reminder", func() bool { return w.remind(t, first.ID) == 1 })
	if err := w.system.Acknowledge(t.Context(), first.ID, person("bob")); err != nil {
		t.Fatal(err)
	}
	if i, _ := w.find(t, is); i.Status != incident.Acknowledged {
		t.Fatalf("the incident is %s, want it acknowledged", i.Status)
	}
	again := altered(t, w.stop(t, 0), func(r map[string]any) { r["eventID"], r["requestID"] = "event-again", "attack-again" })
	w.handle(t, again)
	w.until(t, "the second proof", func() bool {
		i, _ := w.find(t, is)
		return len(i.Runs) == 2 && i.Times.Contained.After(first.Times.Contained)
	})
	i, _ := w.find(t, is)
	if i.Status != incident.Open || i.AcknowledgedBy != "" || i.Times.Again.IsZero() || i.Times.AgainReceived.Before(first.Times.Contained) {
		t.Errorf("the incident is %s, acknowledged by %q, again at %s", i.Status, i.AcknowledgedBy, i.Times.Again)
	}
	if !w.isLogging(t) {
		t.Error("the trail is off")
	}
	w.until(t, "reminders anew", func() bool { return w.remind(t, first.ID) == 2 })
}

// remind does what is due in a quarter of an hour, and returns how many reminders were sent so far.
func (w *world) remind(t *testing.T, id incident.ID) int {
	t.Helper()
	if _, _, err := w.system.RunTimers(t.Context(), time.Now().Add(16*time.Minute)); err != nil {
		t.Fatal(err)
	}
	sent, err := w.db.Deliveries(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range sent {
		if d.Kind == incident.Reminder {
			n++
		}
	}
	return n
}

// TestNobodyAnswersTooEarly: while the session is not followed back to a human, nobody is known to be off the chain, and
// whom the event names is on it at once.
func TestNobodyAnswersTooEarly(t *testing.T) {
	w := open(t, 1)
	stop := w.stop(t, 0)
	inc, _, err := w.db.Admit(t.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "cloudtrail-off", Account: w.seeded[0].Account, Resource: w.seeded[0].TrailARN, EventName: "StopLogging", Outcome: incident.Succeeded},
		Event: "early", Envelope: stop.Envelope.Raw, OccurredAt: time.Now(), ReceivedAt: time.Now(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.system.Acknowledge(t.Context(), inc.ID, person("bob")); !errors.Is(err, respond.ErrTooEarly) {
		t.Errorf("got %v, want %v", err, respond.ErrTooEarly)
	}
	w.handle(t, altered(t, stop, func(r map[string]any) { r["eventID"] = "early" })) // the delivery that was cut off comes again
	if i, _ := w.find(t, one("early", incident.Succeeded)); !i.IsOnChain("alice") {
		t.Errorf("the chain is %q, want the caller on it", i.Who.Chain)
	}
	if err := w.system.Acknowledge(t.Context(), inc.ID, person("Alice Example", "ALICE")); !errors.Is(err, respond.ErrOnChain) {
		t.Errorf("got %v, want %v", err, respond.ErrOnChain)
	}
	w.until(t, "the human", func() bool { i, _ := w.find(t, one("early", incident.Succeeded)); return i.Who.Status != "" })
	if err := w.system.Acknowledge(t.Context(), inc.ID, person("bob")); err != nil {
		t.Error(err)
	}
}

// TestSecondPersonIsAnother: one person with two logins is not two.
func TestSecondPersonIsAnother(t *testing.T) {
	w := open(t, 1)
	w.handle(t, w.stop(t, 0))
	is := one("event-0", incident.Succeeded)
	w.until(t, "the human", func() bool { i, ok := w.find(t, is); return ok && i.Who.Status != "" })
	i, _ := w.find(t, is)
	if _, err := w.system.Undo(t.Context(), i.ID, person("bob", "bob@example.com")); !errors.Is(err, respond.ErrSecondPerson) {
		t.Fatalf("undo: %v", err)
	}
	if _, err := w.system.Approve(t.Context(), i.ID, person("robert", "Bob@Example.com")); !errors.Is(err, respond.ErrSecondPerson) {
		t.Errorf("approve by the same person: %v", err)
	}
	if !w.isLogging(t) {
		t.Error("the trail was stopped without a second person")
	}
	if _, err := w.system.Approve(t.Context(), i.ID, person("carol")); err != nil {
		t.Errorf("approve by another: %v", err)
	}
}

// TestManyStopsFewMessages: a trail that is stopped again and again is put back every time, and people are not buried.
func TestManyStopsFewMessages(t *testing.T) {
	const stops = 12
	w := open(t, 1)
	is := one("event-0", incident.Succeeded)
	for n := range stops {
		d := w.stop(t, 0)
		if n > 0 {
			d = altered(t, d, func(r map[string]any) { r["eventID"], r["requestID"] = fmt.Sprint("more-", n), fmt.Sprint("more-", n) })
		}
		w.handle(t, d)
		w.until(t, "the restart", func() bool {
			i, ok := w.find(t, is)
			return ok && len(i.Runs) == n+1 && !i.Times.Contained.IsZero()
		})
	}
	i, _ := w.find(t, is)
	w.until(t, "all runs to wait for the delivery", func() bool {
		return !slices.ContainsFunc(i.Runs, func(run incident.Run) bool {
			history, err := w.db.Executions().History(t.Context(), run.Execution, 0, asl.MaxEvents)
			if err != nil {
				t.Fatal(err)
			}
			return !slices.ContainsFunc(history, func(e asl.Event) bool { return e.State == "WaitForDelivery" })
		})
	})
	sent, err := w.db.Deliveries(t.Context(), i.ID)
	if err != nil {
		t.Fatal(err)
	}
	count := map[incident.MessageKind]int{}
	for _, d := range sent {
		count[d.Kind]++
	}
	for kind, n := range count { // an interval may end meanwhile
		if n < 6 || n > 7 {
			t.Errorf("%d messages %s for %d stops, want 6", n, kind, stops)
		}
	}
	if len(count) != 2 {
		t.Errorf("messages are %v, want those to security and the person", count)
	}
}
