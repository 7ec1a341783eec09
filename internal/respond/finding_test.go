// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/trail"
)

// finding is what the watcher says: the trail has been stopped since a moment.
func (p *pipeline) finding(id string, since time.Time) source.Delivery {
	p.Helper()
	f := trail.Finding{
		Code: trail.CodeStopped, Trail: arn.ARN(p.seeded.TrailARN), Account: p.seeded.Account, Region: region,
		Reason: "trail main does not record", Since: since, LastGood: since.Add(-time.Minute), FoundAt: p.now,
	}
	e, err := source.Finding{
		ID: id, DetailType: trail.TrailStatus, Account: f.Account, Region: region, At: since, Resources: []string{p.seeded.TrailARN}, Detail: f,
	}.Event()
	p.check(err)
	return source.Delivery{Envelope: e, Via: "watcher"}
}

// halt really stops the trail, and no event comes.
func (p *pipeline) halt(id string) source.Delivery {
	p.Helper()
	_, err := p.box.Invoke(p.Context(), "CloudTrail.StopLogging", fmt.Appendf(nil, `{"Name":%q}`, p.seeded.TrailARN), gate.Request{
		Account: p.seeded.Account, Region: region, AccessKeyID: p.seeded.AccessKeys["alice"], RequestID: "request-" + id,
	})
	p.check(err)
	return p.event(id, nil)
}

func (p *pipeline) handle(all ...source.Delivery) {
	p.Helper()
	for _, d := range all {
		p.check(p.system.Handle(p.Context(), d))
	}
}

// standing is how an incident stands, in a line.
func standing(i incident.Incident) string {
	return fmt.Sprintf("%s %s count %d runs %d human %q", i.Key.EventName, i.Status, i.Count, len(i.Runs), i.Who.Human)
}

func (p *pipeline) want(when string, want ...string) {
	p.Helper()
	var got []string
	for _, i := range p.list() {
		got = append(got, standing(i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		p.Errorf("%s (-want +got):\n%s", when, diff)
	}
}

// The finding comes first and the event later, as Event history does: one incident, repaired at once, and its human is
// told as soon as he is known. Nothing happened twice.
func TestFindingThenItsEvent(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	stop := p.halt("stop")
	stoppedAt := p.now
	p.now = p.now.Add(time.Minute)
	p.handle(p.finding("found", stoppedAt))
	p.settle()
	p.want("found", `Trail Status open count 1 runs 1 human ""`)
	if !p.records() {
		t.Error("it does not record")
	}
	contained := p.only().Times.Contained
	bob := respond.Answerer{Name: "bob", Names: []string{"bob"}, IsKnown: true}
	if err := p.system.Acknowledge(t.Context(), p.only().ID, bob); !errors.Is(err, respond.ErrTooEarly) {
		t.Errorf("acknowledged by whoever it may be: %v", err)
	}
	p.now = p.now.Add(10 * time.Minute)
	for range 3 {
		p.handle(stop)
		p.settle()
	}
	p.want("and its event, three times", `Trail Status open count 1 runs 2 human "alice"`)
	if err := p.system.Acknowledge(t.Context(), p.only().ID, respond.Answerer{Name: "alice", Names: []string{"alice"}, IsKnown: true}); !errors.Is(err, respond.ErrOnChain) {
		t.Errorf("acknowledged by who did it: %v", err)
	}
	p.check(p.system.Acknowledge(t.Context(), p.only().ID, bob))
	inc := p.only()
	if inc.Cause != "stop" || !inc.Times.Contained.Equal(contained) || !inc.Times.Occurred.Equal(stoppedAt) || !inc.IsOnChain("alice") {
		t.Errorf("incident %+v", inc)
	}
	if !strings.Contains(inc.Summary, "called StopLogging") {
		t.Errorf("summary %q", inc.Summary)
	}
	events := []string{
		"Trail Status, says switchback",
		"StopLogging succeeded by arn:aws:iam::111122223333:user/alice, the call behind what was found",
	}
	if diff := cmp.Diff(events, p.timeline(inc.ID, incident.EntryEvent)); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
	p.now = p.now.Add(time.Hour)
	p.handle(stop) // from a log file
	for range 5 {  // Event history is read a few pages at a time
		p.settle()
		p.now = p.now.Add(time.Minute)
	}
	p.want("and once more, in another log file", `Trail Status closed count 1 runs 2 human "alice"`)
}

// Both come before a run has begun: it tells of both.
func TestFindingAndEventAtOnce(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	stop := p.halt("stop")
	p.handle(p.finding("found", p.now), stop)
	p.settle()
	p.want("at once", `Trail Status open count 1 runs 1 human "alice"`)
	if diff := cmp.Diff([]string{"security", "person"}, p.mail.kinds()); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
}

// Who did it may stay unknown: then somebody may answer all the same, once nobody looks for it any more.
func TestFindingWithoutItsEvent(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.halt("stop")
	p.handle(p.finding("found", p.now))
	p.settle()
	bob := respond.Answerer{Name: "bob", Names: []string{"bob"}, IsKnown: true}
	p.now = p.now.Add(trail.SoughtFor - time.Second)
	if err := p.system.Acknowledge(t.Context(), p.only().ID, bob); !errors.Is(err, respond.ErrTooEarly) {
		t.Errorf("while it is looked for: %v", err)
	}
	p.now = p.now.Add(time.Second)
	p.check(p.system.Acknowledge(t.Context(), p.only().ID, bob))
}

// The event was there: what the watcher finds is noted, and nothing else.
func TestEventThenFinding(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	stop := p.halt("stop")
	p.handle(stop, p.finding("found", p.now), p.finding("found", p.now))
	p.settle()
	p.want("one incident", `StopLogging open count 1 runs 1 human "alice"`)
	events := p.timeline(p.only().ID, incident.EntryEvent)
	if len(events) != 2 || events[1] != "the watcher has found so too: trail main does not record" {
		t.Errorf("timeline %q", events)
	}
	stoppedAt := p.now
	p.handle(p.finding("before it was put right", stoppedAt))
	p.want("no news", `StopLogging open count 1 runs 1 human "alice"`)
	p.now = p.now.Add(time.Hour)
	again := p.halt("again")
	p.handle(p.finding("stopped again", p.now))
	p.settle()
	p.want("news", `Trail Status open count 1 runs 1 human ""`, `StopLogging open count 1 runs 1 human "alice"`)
	p.now = p.now.Add(time.Minute)
	p.handle(stop) // once more, from another source: it explains nothing new
	p.settle()
	p.want("an event that is known", `Trail Status open count 1 runs 1 human ""`, `StopLogging open count 1 runs 1 human "alice"`)
	p.handle(again)
	p.settle()
	p.want("the right one", `Trail Status open count 1 runs 2 human "alice"`, `StopLogging open count 1 runs 1 human "alice"`)
}

// Only the call that fits is behind a finding.
func TestOtherEventsAreApart(t *testing.T) {
	t.Parallel()
	for name, changes := range map[string]map[string]any{
		"another call":   {"eventName": "DeleteTrail"},
		"long ago":       {"eventTime": "2026-05-03T08:00:00Z"},
		"refused":        {"errorCode": "AccessDenied"},
		"another trail":  {"requestParameters": map[string]any{"name": "arn:aws:cloudtrail:" + region + ":111122223333:trail/other"}},
		"of another one": {"requestParameters": map[string]any{"name": "arn:aws:cloudtrail:" + region + ":444455556666:trail/main"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			p.halt("stop")
			p.handle(p.finding("found", p.now), p.event("other", changes))
			for _, i := range p.list() {
				if i.Key.EventName == trail.TrailStatus && (i.Cause != "" || i.Count != 1) {
					t.Errorf("the finding has the cause %s", i.Cause)
				}
			}
			if n := len(p.list()); n != 2 {
				t.Errorf("%d incidents", n)
			}
		})
	}
}

// What two people took back is our own doing, and left so.
func TestFindingOfAnUndo(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.stopTrail("stop")
	p.settle()
	id := p.only().ID
	bob, carol := respond.Answerer{Name: "bob", Names: []string{"bob"}, IsKnown: true}, respond.Answerer{Name: "carol", Names: []string{"carol"}, IsKnown: true}
	p.now = p.now.Add(time.Minute)
	_, _ = p.system.Undo(t.Context(), id, bob) // which asks for a second person
	_, err := p.system.Approve(t.Context(), id, carol)
	p.check(err)
	if p.records() {
		t.Fatal("it was not undone")
	}
	undoneAt := p.now
	p.now = p.now.Add(30 * time.Second)
	p.handle(p.finding("found", undoneAt))
	p.settle()
	p.want("left alone", `StopLogging open count 1 runs 1 human "alice"`)
	if p.records() {
		t.Error("the undo was undone")
	}
}

// Killed between any two steps, the cause comes again and nothing is done twice.
func TestCauseComesAgain(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	stop := p.halt("stop")
	p.handle(p.finding("found", p.now))
	p.settle()
	// As after a kill behind Admit: the event is known, and not yet the cause.
	inc := p.only()
	_, _, err := p.db.Admit(t.Context(), incident.Candidate{
		Key: inc.Key, Event: "stop", Envelope: stop.Envelope.Raw, OccurredAt: p.now, ReceivedAt: p.now, Severity: incident.Critical,
	})
	p.check(err)
	p.handle(stop)
	p.settle()
	p.want("once", `Trail Status open count 1 runs 2 human "alice"`)
}
