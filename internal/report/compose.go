// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/route"
)

// Stages of a report.
const (
	Provisional = "provisional"
	Final       = "final"
)

// Facts of an incident that no state found: they are kept beside the findings for actions that come later.
const (
	// StageFact holds the stage of the report that the runbook wants written.
	StageFact = "report"
	// RemindersFact holds the policy of the incident's reminders.
	RemindersFact = "reminders"
)

// Sizes of what is quoted, in bytes, and how many lines of each list are kept.
const (
	maxText    = 1000
	maxName    = 512
	maxFinding = 16 << 10
	maxLines   = 2000
)

func compose(inc incident.Incident, facts identity.Facts, goals Objectives, entries []incident.Entry,
	found map[string]json.RawMessage, undos []incident.Undo, messages []incident.Delivery,
) Report {
	r := Report{
		Version: Version, Stage: stage(inc), Incident: shortCase(inc), Who: who(inc.Who), Facts: facts, Times: inc.Times,
		Sentence: text(inc.Summary), Intervals: intervals(inc, goals), Window: window(inc),
		Open: texts(inc.Open), Timeline: []Line{}, Calls: []Call{}, Messages: []incident.Delivery{}, Undos: []Undo{},
		Findings: findings(found),
	}
	if r.Sentence == "" && facts.EventID != "" {
		r.Sentence = facts.Sentence(inc.Who.Human)
	}
	if g, ok := route.GuideOf(inc.Facts); ok {
		r.Guide = &g
	}
	for i, e := range entries {
		if i == maxLines {
			more := fmt.Sprintf("%d more entries are left out here", len(entries)-i)
			r.Timeline = append(r.Timeline, Line{e.At.UTC(), incident.EntryProblem, more})
			break
		}
		// A report does not tell of itself: written again after a kill, it is the same to the byte.
		if e.Kind == incident.EntryReport && strings.HasPrefix(e.Text, r.Stage) {
			continue
		}
		r.Timeline = append(r.Timeline, Line{e.At.UTC(), e.Kind, text(e.Text)})
		if call, ok := callOf(e); ok {
			r.Calls = append(r.Calls, call)
		}
	}
	for _, m := range messages {
		m.Error, m.At, m.To = text(m.Error), m.At.UTC(), texts(m.To)
		r.Messages = append(r.Messages, m)
	}
	for _, u := range slices.Backward(undos) {
		r.Undos = append(r.Undos, undoOf(u))
	}
	return r
}

// stage is what the runbook asked for; else what the times say.
func stage(inc incident.Incident) string {
	var asked struct{ Stage string }
	if json.Unmarshal(inc.Facts[StageFact], &asked) == nil && asked.Stage != "" {
		return asked.Stage
	}
	if inc.Key.Outcome == incident.Succeeded && inc.Times.Proven.IsZero() {
		return Provisional
	}
	return Final
}

func shortCase(inc incident.Incident) Case {
	c := Case{
		ID: inc.ID, Title: name(inc.Title), Runbook: name(inc.Key.Runbook), Trigger: name(inc.Trigger),
		Severity: inc.Severity, Status: inc.Status, Outcome: inc.Key.Outcome, EventName: name(inc.Key.EventName),
		Account: name(inc.Key.Account), Region: name(inc.Region), Place: arn.Place(inc.Region), Resource: name(inc.Key.Resource),
		Count: inc.Count, Events: []string{}, Related: inc.Related, AcknowledgedBy: name(inc.AcknowledgedBy),
	}
	for _, id := range inc.Events {
		c.Events = append(c.Events, name(string(id)))
	}
	return c
}

func who(w incident.Who) incident.Who {
	w.Principal, w.Human, w.HumanARN, w.SessionKey = name(w.Principal), name(w.Human), name(w.HumanARN), name(w.SessionKey)
	w.Chain = texts(w.Chain)
	return w
}

func intervals(inc incident.Incident, goals Objectives) []Interval {
	t := inc.Times
	all := []Interval{
		interval("contained", newer(t.Received, t.AgainReceived), t.Contained, goals.Contained),
		interval("human_reached", t.Received, t.HumanReached, goals.HumanReached),
		interval("report", t.Received, t.Reported, goals.Report),
	}
	if inc.Key.Outcome == incident.Attempted {
		return all[1:] // there is nothing to contain
	}
	return all
}

func interval(name string, from, to time.Time, goal time.Duration) Interval {
	i := Interval{Name: name, Took: span(from, to)}
	if goal > 0 {
		i.Objective = new(Span(goal))
	}
	if i.Took != nil && i.Objective != nil {
		i.IsMet = new(*i.Took <= *i.Objective)
	}
	return i
}

// span is nil when either end is not known.
func span(from, to time.Time) *Span {
	if from.IsZero() || to.IsZero() {
		return nil
	}
	return new(Span(to.Sub(from)))
}

// newer is again where something happened again, else first.
func newer(first, again time.Time) time.Time {
	if again.IsZero() {
		return first
	}
	return again
}

// window counts from the event itself, not from when it reached us; from the newest, where it happened again.
func window(inc incident.Incident) *Window {
	if inc.Key.Outcome == incident.Attempted {
		return nil
	}
	t := inc.Times
	from := newer(t.Occurred, t.Again)
	w := &Window{
		Kind: "exposed", From: from.UTC(),
		ProvisionalTo: t.Contained.UTC(), Provisional: span(from, t.Contained),
		ProvenTo: t.Proven.UTC(), Proven: span(from, t.Proven),
	}
	if p, err := arn.Parse(inc.Key.Resource); err == nil && p.Service == "cloudtrail" {
		w.Kind = "blind"
	}
	return w
}

// callOf reads the call of an entry that the gate's journal wrote.
func callOf(e incident.Entry) (Call, bool) {
	var c gate.Call
	if e.Kind != incident.EntryCall || json.Unmarshal(e.Data, &c) != nil || c.Operation == "" {
		return Call{}, false
	}
	return Call{
		At: cmp.Or(c.StartedAt, e.At).UTC(), Action: name(c.Action), Service: name(c.Service), Operation: name(c.Operation),
		Target: name(c.Target), Account: name(c.Account), Region: name(c.Region), Outcome: c.Outcome,
		RequestID: name(c.RequestID), Reason: text(c.Reason),
	}, true
}

func undoOf(u incident.Undo) Undo {
	out := Undo{
		Key: name(u.Key), Action: name(u.Action), Target: name(u.Target), Account: name(u.Account), Region: name(u.Region),
		At: u.CreatedAt.UTC(), State: "possible", UndoneAt: u.UndoneAt.UTC(), UndoneBy: name(u.UndoneBy), Lowers: u.Lowers,
	}
	switch {
	case !u.UndoneAt.IsZero():
		out.State = "undone"
	case !u.Done:
		out.State = "unconfirmed"
	}
	return out
}

// findings are what the states found, by name; what is too long is left out, saying so.
func findings(found map[string]json.RawMessage) []Finding {
	all := []Finding{}
	for _, state := range slices.Sorted(maps.Keys(found)) {
		if isReport(found[state]) {
			continue
		}
		var compact bytes.Buffer
		if json.Compact(&compact, found[state]) != nil || compact.Len() > maxFinding {
			compact.Reset()
			compact.WriteString(`{"omitted":true}`)
		}
		all = append(all, Finding{name(state), json.RawMessage(compact.Bytes())})
	}
	return all
}

// isReport tells the output of a state that wrote a report: the report does not tell of itself.
func isReport(output json.RawMessage) bool {
	var written struct {
		Stage     string            `json:"stage"`
		Artefacts []json.RawMessage `json:"artefacts"`
	}
	return json.Unmarshal(output, &written) == nil && written.Stage != "" && len(written.Artefacts) > 0
}

func text(s string) string { return identity.Printable(s, maxText) }

func name(s string) string { return identity.Printable(s, maxName) }

func texts(all []string) []string {
	out := []string{}
	for i, s := range all {
		if i == maxLines {
			break
		}
		out = append(out, text(s))
	}
	return out
}

// words spells the name of an interval for people.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }
