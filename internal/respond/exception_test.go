// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/respond"
)

// planned is an exception for alice to stop the trail for an hour, which bob adds.
func (p *pipeline) planned() incident.Exception {
	p.Helper()
	e, _, err := p.system.AddException(p.Context(), incident.Exception{
		ID: "exception-1", Resource: arn.ARN(p.seeded.TrailARN), Events: []string{"StopLogging"}, Ticket: "CHG-1",
		Principals: []string{"arn:aws:iam::" + p.seeded.Account + ":user/alice"}, Until: p.now.Add(time.Hour),
	}, person("bob", "bob@example.com"))
	p.check(err)
	return e
}

// restarts counts our calls that start the trail.
func (p *pipeline) restarts() int {
	p.Helper()
	n := 0
	for _, inc := range p.list() {
		for _, text := range p.timeline(inc.ID, incident.EntryCall) {
			if strings.HasPrefix(text, "CloudTrail.StartLogging") {
				n++
			}
		}
	}
	return n
}

// TestExceptionIsEnforcedOnce: at its end the trail is started again, once, however often the process dies on the way,
// and whether or not anybody can be told.
func TestExceptionIsEnforcedOnce(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.planned()
	_, _, err := p.system.ApproveException(t.Context(), "exception-1", person("carol"))
	p.check(err)
	p.stopTrail("planned")
	p.settle()
	if i := p.only(); i.Status != incident.Closed || i.Severity != incident.Low || p.records() {
		t.Fatalf("the planned stop is %s and %s, the trail logs: %t", i.Status, i.Severity, p.records())
	}
	p.now = p.now.Add(time.Hour)
	p.mail.isDown = true
	for range 3 {
		if _, _, err := p.system.RunTimers(t.Context(), p.now); err != nil {
			t.Fatal(err)
		}
		p.settle()
		// As if the process had died before it could note that.
		_, err := p.db.UpdateException(t.Context(), "exception-1", func(e *incident.Exception) error { e.SettledAt = time.Time{}; return nil })
		p.check(err)
	}
	if !p.records() || p.restarts() != 1 || len(p.list()) != 2 {
		t.Errorf("the trail logs: %t, after %d restarts in %d incidents, want one in two", p.records(), p.restarts(), len(p.list()))
	}
}

// TestExceptionIsNotApprovedInSecret: what nobody can be told of does not hold.
func TestExceptionIsNotApprovedInSecret(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.planned()
	p.mail.isDown = true
	if _, _, err := p.system.ApproveException(t.Context(), "exception-1", person("carol")); !errors.Is(err, notify.ErrNotDelivered) {
		t.Errorf("approved with every channel down: %v", err)
	}
	p.mail.isDown = false
	p.stopTrail("not planned")
	p.settle()
	if !p.records() || p.restarts() != 1 {
		t.Errorf("the trail logs: %t, after %d restarts", p.records(), p.restarts())
	}
}

// TestExceptionDecisions: who may, and when.
func TestExceptionDecisions(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.planned()
	for name, tt := range map[string]struct {
		who  respond.Answerer
		want error
	}{
		"whoever added it":             {person("bob"), respond.ErrNotSecond},
		"the same with another login":  {person("robert", "BOB@example.com"), respond.ErrNotSecond},
		"somebody nobody knows":        {respond.Answerer{Name: "eve", Names: []string{"eve"}}, respond.ErrUnknownPerson},
		"nobody knows, the same login": {respond.Answerer{Name: "bob", Names: []string{"bob"}}, respond.ErrNotSecond},
	} {
		if _, _, err := p.system.ApproveException(t.Context(), "exception-1", tt.who); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
	if _, _, err := p.system.ApproveException(t.Context(), "exception-2", person("carol")); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("one that is not there: %v", err)
	}
	p.now = p.now.Add(time.Hour)
	if _, _, err := p.system.ApproveException(t.Context(), "exception-1", person("carol")); !errors.Is(err, respond.ErrOver) {
		t.Errorf("too late: %v", err)
	}
	if _, _, err := p.system.EndException(t.Context(), "exception-1", person("carol")); !errors.Is(err, respond.ErrOver) {
		t.Errorf("ended after its end: %v", err)
	}
	if kinds := p.mail.kinds(); !slices.Equal(kinds, []string{"notice"}) {
		t.Errorf("messages are %v, want the one that it was added", kinds)
	}
}

// TestFightAndOffender: sessions of one role are one actor; each stop is put back, the fallback is told once at once, and
// to contain the role is proposed until somebody answers.
func TestFightAndOffender(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	for n := range 5 {
		id := fmt.Sprint("stop-", n)
		_, err := p.box.Invoke(t.Context(), "CloudTrail.StopLogging", fmt.Appendf(nil, `{"Name":%q}`, p.seeded.TrailARN), gate.Request{
			Account: p.seeded.Account, Region: region, AccessKeyID: p.seeded.AccessKeys["alice"], RequestID: "request-" + id,
		})
		p.check(err)
		p.check(p.system.Handle(t.Context(), p.event(id, map[string]any{"userIdentity": map[string]any{
			"type": "AssumedRole", "accountId": p.seeded.Account, "arn": fmt.Sprintf("arn:aws:sts::%s:assumed-role/Deploy/session-%d", p.seeded.Account, n),
		}})))
		p.settle()
		if n >= 2 && p.records() {
			t.Errorf("stop %d was put back without a wait", n)
		}
		p.now = p.now.Add(30 * time.Second)
		p.settle()
		if !p.records() {
			t.Fatalf("stop %d was not put back within 30 s", n)
		}
	}
	i := p.only()
	want := "Contain: contain arn:aws:sts::" + p.seeded.Account + ":assumed-role/Deploy: needs approval (its changes were put back 5 times within 1h0m0s)"
	if i.Severity != incident.Critical || !slices.Contains(i.Open, want) {
		t.Errorf("the incident is %s, open is %q, want %q", i.Severity, i.Open, want)
	}
	fallbacks := 0
	for _, kind := range p.mail.kinds() {
		if kind == string(incident.ToFallback) {
			fallbacks++
		}
	}
	if fallbacks != 1 {
		t.Errorf("the fallback was told %d times, want once: %v", fallbacks, p.mail.kinds())
	}
	p.check(p.system.Acknowledge(t.Context(), i.ID, person("bob")))
	if i := p.only(); slices.Contains(i.Open, want) {
		t.Errorf("after the answer open is %q", i.Open)
	}
}
