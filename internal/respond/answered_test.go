// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package respond_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/respond"
)

// ladder is who is asked after the person; the zero value is nobody.
type ladder struct {
	steps []action.Step
	err   error
}

func (l *ladder) Escalation(context.Context, *gate.Door, incident.Who) ([]action.Step, []string, error) {
	return l.steps, nil, l.err
}

func managed() []action.Step {
	return []action.Step{
		{Role: "person", People: []incident.Person{{Name: "alice", Email: "alice@example.com"}}},
		{Role: "manager", People: []incident.Person{{Name: "Mia", Email: "mia@example.com", Source: "manager"}}},
		{Role: "on-call", People: []incident.Person{{Name: "Otto", Email: "otto@example.com", Source: "on-call"}}},
	}
}

// passes lets time pass to each timer, until end.
func (p *pipeline) passes(end time.Time) {
	p.Helper()
	for {
		done, next, err := p.system.RunTimers(p.Context(), p.now)
		p.check(err)
		if done > 0 {
			continue // what was done may have set others
		}
		if next.IsZero() || next.After(end) {
			p.now = end
			return
		}
		p.now = next
	}
}

// asked are the messages from number n on that are the escalation's, with their times since begin.
func (p *pipeline) asked(begin time.Time, n int) []string {
	p.mail.mu.Lock()
	defer p.mail.mu.Unlock()
	var all []string
	for _, m := range p.mail.list[n:] {
		if m.Kind == incident.Reminder {
			continue
		}
		var to []string
		for _, person := range m.To {
			to = append(to, person.Name)
		}
		subject, _, _ := strings.Cut(m.Subject, ":")
		all = append(all, fmt.Sprintf("+%s %s to %s: %s", m.At.Sub(begin), m.Kind, strings.Join(to, ","), subject))
	}
	return all
}

// TestEscalation: who is asked when, by what is answered. No answer ends it; an acknowledgement does.
func TestEscalation(t *testing.T) {
	t.Parallel()
	dave := respond.Answerer{Name: "dave", Names: []string{"dave"}, IsKnown: true}
	alice := respond.Answerer{Name: "alice", Names: []string{"alice"}, IsKnown: true}
	answer := func(who respond.Answerer, v incident.Verdict) func(*pipeline, incident.ID) {
		return func(p *pipeline, id incident.ID) {
			a, err := p.system.Answer(p.Context(), id, who, v, "")
			p.check(err)
			if a.IsOnChain != (who.Name == "alice") {
				p.Errorf("%s: %+v", who.Name, a)
			}
		}
	}
	tests := map[string]struct {
		steps  []action.Step
		answer func(*pipeline, incident.ID) // after five minutes
		want   []string
	}{
		"silence": {managed(), nil, []string{
			"+15m0s person to Security team: Reminder", "+30m0s person to Mia: Did one of yours call StopLogging on 2026-05-04 at 09", "+1h0m0s fallback to Otto: [critical] Needs a person", "+2h0m0s fallback to Security team: [critical] Needs a person",
		}},
		"nobody between": {nil, nil, []string{"+15m0s person to Security team: Reminder", "+2h0m0s fallback to Security team: [critical] Needs a person"}},
		"mine, expected": {managed(), answer(alice, incident.MineExpected), []string{
			"+5m0s notice to Security team: [critical] Answer about StopLogging on main", "+30m0s person to Mia: Did one of yours call StopLogging on 2026-05-04 at 09",
			"+1h0m0s fallback to Otto: [critical] Needs a person", "+2h0m0s fallback to Security team: [critical] Needs a person",
		}},
		"not me": {managed(), answer(alice, incident.NotMe), []string{
			"+5m0s notice to Security team: [critical] Answer about StopLogging on main", "+5m0s person to Mia: Did one of yours call StopLogging on 2026-05-04 at 09",
			"+10m0s fallback to Otto: [critical] Needs a person", "+15m0s fallback to Security team: [critical] Needs a person",
		}},
		"not me, and nobody between": {nil, answer(alice, incident.NotMe), []string{
			"+5m0s notice to Security team: [critical] Answer about StopLogging on main", "+5m0s fallback to Security team: [critical] Needs a person",
		}},
		"acknowledged": {managed(), func(p *pipeline, id incident.ID) { p.check(p.system.Acknowledge(p.Context(), id, dave)) }, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPipeline(t)
			p.steps.steps = tt.steps
			begin := p.now
			p.stopTrail("a")
			p.settle()
			id, told := p.list()[0].ID, len(p.mail.kinds())
			p.passes(begin.Add(5 * time.Minute))
			if tt.answer != nil {
				tt.answer(p, id)
			}
			p.passes(begin.Add(4 * time.Hour)) // then the reminders to security end with the fallback too
			if diff := cmp.Diff(tt.want, p.asked(begin, told)); diff != "" {
				t.Errorf("messages (-want +got):\n%s", diff)
			}
			if inc := p.list()[0]; inc.Times.Contained.IsZero() || (inc.Status == incident.Open) != (name != "acknowledged") {
				t.Errorf("the incident is %s, contained at %s", inc.Status, inc.Times.Contained)
			}
		})
	}
}

// TestEscalationWithDeadChannel: what no channel takes moves the escalation on, and the fallback is tried until somebody is
// reached.
func TestEscalationWithDeadChannel(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.steps.err = errors.New("directory is down")
	begin := p.now
	p.stopTrail("a")
	p.settle()
	id, told := p.list()[0].ID, len(p.mail.kinds())
	_, err := p.system.Answer(t.Context(), id, respond.Answerer{Name: "alice", Names: []string{"alice"}}, incident.MineExpected, "")
	p.check(err)
	p.mail.isDown = true
	for p.now.Before(begin.Add(3 * time.Hour)) {
		done, next, _ := p.system.RunTimers(t.Context(), p.now) // the reminder to security is due all the time, and fails
		if done == 0 {
			p.now = next
		}
	}
	p.mail.isDown = false
	p.passes(p.now.Add(10 * time.Minute))
	got := p.asked(begin, told)
	if len(got) != 2 || !strings.Contains(got[0], "notice") || !strings.Contains(got[1], "fallback to Security team") {
		t.Errorf("messages %q, want the fallback told once when the channel came back", got)
	}
	if problems := p.timeline(id, incident.EntryProblem); !slices.ContainsFunc(problems, func(s string) bool { return strings.Contains(s, "directory is down") }) {
		t.Errorf("problems %q", problems)
	}
}

// TestAnswerAfterKill: an answer that was kept and told to nobody is told by whoever goes on.
func TestAnswerAfterKill(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.stopTrail("a")
	p.settle()
	id := p.list()[0].ID
	p.mail.isDown = true // the process dies before it can tell
	_, err := p.system.Answer(t.Context(), id, respond.Answerer{Name: "alice", Names: []string{"alice"}}, incident.NotMe, "<!channel>\u202e\r\n")
	if err == nil || !strings.Contains(err.Error(), "the answer is kept") {
		t.Errorf("nobody was told: %v", err)
	}
	p.mail.isDown = false
	told := len(p.mail.kinds())
	p.now = p.now.Add(time.Minute)
	p.passes(p.now)
	if got := p.mail.kinds()[told:]; !slices.Equal(got, []string{"notice", "fallback"}) && !slices.Equal(got, []string{"fallback", "notice"}) {
		t.Errorf("messages %v, want the notice and, at once, the next rung", got)
	}
	answers := p.timeline(id, incident.EntryAnswer)
	if len(answers) != 1 || !strings.Contains(answers[0], "it was not them") || strings.ContainsAny(answers[0], "\u202e\r\n") {
		t.Errorf("timeline %q", answers)
	}
	all, err := p.db.ListAnswers(t.Context(), id)
	p.check(err)
	if len(all) != 1 || all[0].IsKnown {
		t.Errorf("answers %+v", all)
	}
}

// TestApprovalHasADeadline: silence never approves. Half-way whoever is on call is told; what is approved in time is done.
func TestApprovalHasADeadline(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.steps.steps = managed()
	p.stopTrail("a")
	p.settle()
	id := p.list()[0].ID
	dave, carol := respond.Answerer{Name: "dave", Names: []string{"dave"}, IsKnown: true}, respond.Answerer{Name: "carol", Names: []string{"carol"}, IsKnown: true}
	p.check(p.system.Acknowledge(t.Context(), id, dave)) // no escalation in between
	ask := func() {
		if _, err := p.system.Undo(t.Context(), id, dave); !errors.Is(err, respond.ErrSecondPerson) {
			t.Fatalf("undo: %v", err)
		}
	}
	ask()
	begin, told := p.now, len(p.mail.kinds())
	p.now = begin.Add(time.Hour)
	if _, err := p.system.Approve(t.Context(), id, carol); !errors.Is(err, respond.ErrApprovalOver) {
		t.Errorf("approved when it was over, before its timer: %v", err)
	}
	p.now = begin
	p.passes(begin.Add(2 * time.Hour))
	want := []string{"+30m0s fallback to Otto: [critical] Needs a person", fmt.Sprintf("+1h0m0s notice to Security team: nobody approved the undo of %s that dave asked for within 1h0m0s", id)}
	if diff := cmp.Diff(want, p.asked(begin, told)); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if _, err := p.system.Approve(t.Context(), id, carol); !errors.Is(err, respond.ErrNotAsked) {
		t.Errorf("approved when it was over: %v", err)
	}
	ask()
	p.now = p.now.Add(50 * time.Minute)
	if done, err := p.system.Approve(t.Context(), id, carol); err != nil || len(done) != 1 {
		t.Errorf("approved in time: %v, %v", done, err)
	}
}

// TestAnswerRefuses what is no answer, or about no incident.
func TestAnswerRefuses(t *testing.T) {
	t.Parallel()
	p := newPipeline(t)
	p.stopTrail("a")
	p.settle()
	id := p.list()[0].ID
	if _, err := p.system.Answer(t.Context(), id, respond.Answerer{Name: "x"}, "maybe", ""); !errors.Is(err, respond.ErrNoVerdict) {
		t.Errorf("maybe: %v", err)
	}
	if _, err := p.system.Answer(t.Context(), "none", respond.Answerer{Name: "x"}, incident.NotMe, ""); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("no incident: %v", err)
	}
}
