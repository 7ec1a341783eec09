// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/incident"
)

// planner is a sandbox with a baseline and an exception for alice.
type planner struct {
	*world
	env *action.Env
}

func newPlanner(t *testing.T, change func(*incident.Exception)) planner {
	t.Helper()
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Hour)
	now := w.clock.Now()
	e := incident.Exception{
		ID: "exception-1", Resource: w.arn, Events: []string{"UpdateTrail", "StopLogging", "DeleteTrail", "AddTags"},
		Principals: []string{"arn:aws:iam::111122223333:user/alice"}, Until: now.Add(2 * time.Hour), Ticket: "CHG-1",
		AddedBy: "carol", AddedAt: now, ApprovedBy: "dave", ApprovedAt: now,
	}
	if change != nil {
		change(&e)
	}
	check(t, w.db().AddException(t.Context(), e))
	w.clock.Advance(time.Minute)
	env := w.env("assess")
	env.Exceptions = w.db()
	return planner{w, env}
}

// tag sets the tag "team" and returns the event.
func (p planner) tag(user, value string) string {
	p.t.Helper()
	_, err := p.as(user).AddTags(p.t.Context(), &api.AddTagsInput{ResourceId: aws.String(string(p.arn)), TagsList: []types.Tag{{Key: aws.String("team"), Value: &value}}})
	check(p.t, err)
	event := p.lastEvent("AddTags")
	p.clock.Advance(time.Minute)
	return event
}

// expect assesses an event, and repairs what is to be repaired.
func (p planner) expect(event string, planned bool, steps string) assessed {
	p.t.Helper()
	got := p.assess(p.env, event)
	if got.Planned != planned || got.steps() != steps {
		p.t.Errorf("planned %t, steps %q, want %t and %q: %s %v", got.Planned, got.steps(), planned, steps, got.Reason, got.Gaps)
	}
	if steps != "" {
		p.repair(p.env, got)
	}
	return got
}

func (p planner) wantTag(value string) {
	p.t.Helper()
	if got := p.read().Tags["team"]; got != value {
		p.t.Errorf("the tag is %q, want %q", got, value)
	}
}

// Another value of the planned field is put back to the planned one, and to the baseline once the exception is over.
func TestPlannedValueIsKept(t *testing.T) {
	p := newPlanner(t, nil)
	first := p.tag("alice", "platform")
	p.expect(first, true, "")
	attack := p.tag("bob", "evil")
	p.expect(attack, false, "tags")
	p.wantTag("platform")
	p.expect(first, true, "") // delivered again
	if got := do[assessed](p.world, p.env, "cloudtrail:AssessTrail", `{"trail":"`+string(p.arn)+`"}`); !got.Planned || got.steps() != "" {
		t.Errorf("looked at without an event: %+v", got)
	}
	p.clock.Advance(2 * time.Hour)
	p.expect(first, false, "tags")
	p.wantTag("security")
	// When all is as it should be again, what was planned is no harm.
	if got := p.expect(first, false, ""); got.Verdict != "fine" || got.Trigger.Worse != "no" {
		t.Errorf("after the end: %s, worse %s", got.Verdict, got.Trigger.Worse)
	}
}

// Events come late and in any order: what a planned change set is not put back to what an earlier one set.
func TestPlannedChangesInAnyOrder(t *testing.T) {
	p := newPlanner(t, nil)
	first := p.tag("alice", "one")
	second := p.tag("alice", "two")
	p.expect(first, true, "")
	p.expect(second, true, "")
	p.expect(first, true, "")
	p.wantTag("two")
	attack := p.tag("bob", "one")
	p.expect(attack, false, "tags")
	p.wantTag("two")
}

// Only the named fields are allowed; the rest of the same call is put back.
func TestPlannedFields(t *testing.T) {
	p := newPlanner(t, func(e *incident.Exception) { e.Fields = []string{"KmsKeyId"} })
	check(t, weaken(p.world, p.as("alice")))
	if got := p.expect(p.lastEvent("UpdateTrail"), false, "update"); got.fields() != "IsMultiRegionTrail LogFileValidationEnabled" {
		t.Errorf("differences are %s", got.fields())
	}
	if now := p.read(); now.KmsKeyId != "" || !now.IsMultiRegionTrail || !now.LogFileValidationEnabled {
		t.Errorf("the trail is %s", now.JSON())
	}
	p.clock.Advance(time.Minute)
	check(t, stopLogging(p.world, p.as("bob")))
	p.expect(p.lastEvent("StopLogging"), false, "start")
	if now := p.read(); now.KmsKeyId != "" || !now.IsLogging {
		t.Errorf("after a stop by somebody else the trail is %s", now.JSON())
	}
}

func TestPlannedDeletion(t *testing.T) {
	p := newPlanner(t, nil)
	check(t, deleteTrail(p.world, p.as("alice")))
	event := p.lastEvent("DeleteTrail")
	p.expect(event, true, "")
	if p.describe() != "gone" {
		t.Error("the trail is there")
	}
	p.clock.Advance(2 * time.Hour)
	p.expect(event, false, "create event_selectors insight_selectors start")
	if p.describe() == "gone" {
		t.Error("the trail is gone")
	}
}

// What an exception does not cover is put back, however close it is.
func TestNotPlanned(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*incident.Exception)
		user   string
	}{
		"by somebody else":    {nil, "bob"},
		"another trail":       {func(e *incident.Exception) { e.Resource += "-2" }, "alice"},
		"another call":        {func(e *incident.Exception) { e.Events = []string{"UpdateTrail"} }, "alice"},
		"not this field":      {func(e *incident.Exception) { e.Fields = []string{"IsMultiRegionTrail"} }, "alice"},
		"not approved":        {func(e *incident.Exception) { e.ApprovedBy, e.ApprovedAt = "", time.Time{} }, "alice"},
		"approved afterwards": {func(e *incident.Exception) { e.ApprovedAt = e.ApprovedAt.Add(2 * time.Minute) }, "alice"},
		"over":                {func(e *incident.Exception) { e.Until = e.AddedAt.Add(time.Minute) }, "alice"},
		"ended":               {func(e *incident.Exception) { e.EndedAt = e.AddedAt.Add(time.Second) }, "alice"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlanner(t, tt.change)
			check(t, stopLogging(p.world, p.as(tt.user)))
			event := p.lastEvent("StopLogging")
			p.clock.Advance(2 * time.Minute)
			p.expect(event, false, "start")
			if !p.read().IsLogging {
				t.Error("the trail does not log")
			}
		})
	}
}

// A thief of a planned principal is allowed nothing: another open incident has it on its chain.
func TestNotPlannedForSuspects(t *testing.T) {
	p := newPlanner(t, nil)
	p.env.Store = p.db()
	other, _, err := p.db().Admit(t.Context(), incident.Candidate{
		Key: incident.Key{Runbook: "cloudtrail-off", Account: account, EventName: "StopLogging"}, Event: "other", OccurredAt: p.clock.Now(),
	})
	check(t, err)
	chain := func(status incident.Status) {
		t.Helper()
		_, err := p.db().Update(t.Context(), other.ID, func(i *incident.Incident) error {
			i.Who.Chain, i.Status = []string{"arn:aws:iam::111122223333:user/alice"}, status
			return nil
		})
		check(t, err)
	}
	p.env.Incident = incident.Incident{}
	chain(incident.Acknowledged)
	check(t, stopLogging(p.world, p.as("alice")))
	p.expect(p.lastEvent("StopLogging"), false, "start")
	chain(incident.Closed)
	p.clock.Advance(time.Minute)
	check(t, stopLogging(p.world, p.as("alice")))
	p.expect(p.lastEvent("StopLogging"), true, "")
}
