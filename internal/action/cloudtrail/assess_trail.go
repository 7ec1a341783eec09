// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "cloudtrail:AssessTrail", Summary: "what happened to a trail, what it should be, and what it takes to put it back",
		Class: "read", IsUrgent: true,
		Permissions: []string{
			"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetInsightSelectors",
			"cloudtrail:GetTrailStatus", "cloudtrail:ListTags", "cloudtrail:ListTrails", "cloudtrail:LookupEvents",
		},
	}, assess))
}

// Verdicts about a trail.
const (
	verdictFine     = "fine"
	verdictStopped  = "stopped"
	verdictDeleted  = "deleted"
	verdictWeakened = "weakened"
	verdictForeign  = "foreign"
	verdictUnknown  = "unknown"
)

// assessment is the output of AssessTrail; see the package comment.
type assessment struct {
	Verdict     string             `json:"verdict"`
	Reason      string             `json:"reason"`
	Trail       string             `json:"trail"`
	Name        string             `json:"name"`
	Account     string             `json:"account"`
	HomeRegion  string             `json:"home_region"`
	Trigger     triggerEvent       `json:"trigger"`
	Severity    trail.Severity     `json:"severity"`
	Differences []trail.Difference `json:"differences"`
	Want        config             `json:"want"`
	WantSource  string             `json:"want_source"`
	WantAt      time.Time          `json:"want_at,omitzero"`
	Have        config             `json:"have"`
	Steps       steps              `json:"steps"`
	Repairable  bool               `json:"repairable"`
	WhoCan      string             `json:"who_can"`
	Lost        []string           `json:"lost"`
	Gaps        []string           `json:"gaps"`
	// Planned: an exception covers the event, and nothing else is wrong.
	Planned bool `json:"planned"`
	// BackOffSeconds is how long to wait before putting back what somebody weakens again and again.
	BackOffSeconds int `json:"back_off_seconds"`
}

// triggerEvent is the event that is assessed; all empty when there is none.
type triggerEvent struct {
	EventID   cloudtrail.EventID `json:"event_id"`
	EventName string             `json:"event_name"`
	EventTime time.Time          `json:"event_time,omitzero"`
	Failed    bool               `json:"failed"`
	Worse     trail.Answer       `json:"worse"`
}

// steps are the changes that are needed, in the order in which they are made.
type steps struct {
	Create           bool `json:"create"`
	Update           bool `json:"update"`
	EventSelectors   bool `json:"event_selectors"`
	InsightSelectors bool `json:"insight_selectors"`
	Tags             bool `json:"tags"`
	Start            bool `json:"start"`
}

// assessor is one assessment while it is made.
type assessor struct {
	env    *action.Env
	record *cloudtrail.Record // nil without an event
	target trail.Target

	exists bool
	have   trail.Trail
	status state.Status
	former former
	// allowed is what planned change and pipelines leave of the comparison.
	allowed allowed

	out assessment
}

func assess(ctx context.Context, env *action.Env, p subjectParams) (assessment, error) {
	s, err := p.find(ctx, env)
	if err != nil {
		return assessment{}, err
	}
	a := &assessor{env: env, record: s.record, target: s.target}
	a.out.Differences, a.out.Lost, a.out.Gaps = []trail.Difference{}, []string{}, []string{}
	if err := a.read(ctx); err != nil {
		if foreign := a.foreign(ctx, err); foreign != "" {
			return a.cannot(foreign), nil
		}
		return assessment{}, err
	}
	if a.former, err = findFormer(ctx, env, a.record, a.target); err != nil {
		return assessment{}, err
	}
	a.gap(a.former.gaps...)
	if err := a.allow(ctx); err != nil {
		return assessment{}, err
	}
	unapproved := a.demandOnly()
	a.decide()
	a.show(unapproved)
	if a.out.Verdict != verdictFine || a.wasStopped() {
		if err := a.weigh(ctx); err != nil {
			return assessment{}, err
		}
	}
	if err := a.conclude(ctx); err != nil {
		return assessment{}, err
	}
	return a.finish(ctx)
}

// demandOnly takes what an unapproved baseline asks for out of what is put back, where no event was seen that changed it:
// such a baseline may be what an attacker left, and the difference what put it right. It returns what is only to be shown.
func (a *assessor) demandOnly() []trail.Difference {
	if a.record != nil || !a.exists || !a.former.isKnown || a.former.isTrusted || a.former.snapshot.IsZero() {
		return nil
	}
	all := trail.Weakened(a.former.trail, a.have)
	a.former.trail = trail.Demanded(a.former.trail, a.have)
	a.former.source, a.former.snapshot, a.former.isDemanded = sourceBaseline, time.Time{}, true
	demanded := trail.Weakened(a.former.trail, a.have)
	return slices.DeleteFunc(all, func(d trail.Difference) bool {
		return slices.ContainsFunc(demanded, func(x trail.Difference) bool { return x.Field == d.Field })
	})
}

// show adds differences that a person must judge.
func (a *assessor) show(unapproved []trail.Difference) {
	if len(unapproved) == 0 {
		return
	}
	a.out.Differences = append(a.out.Differences, unapproved...)
	a.out.WhoCan = fmt.Sprintf("a person who knows what trail %s should be: switchback trail baseline diff, then approve %s", a.target.Name, a.target.ARN)
	if a.out.Verdict == verdictFine {
		a.out.Verdict, a.out.Repairable = verdictUnknown, false
		a.out.Reason = fmt.Sprintf("trail %s differs in %s from a baseline that nobody has approved", a.have.Name, fieldsOf(unapproved))
	}
}

// read reads the trail as it is.
func (a *assessor) read(ctx context.Context) error {
	var err error
	a.have, a.status, err = state.ReadTrail(ctx, a.env.Door, a.target)
	if errors.Is(err, incident.ErrNotFound) {
		// The trail is only gone if it is its owner who does not see it.
		_, err = ownersClient(ctx, a.env, a.target)
		return err
	}
	if err != nil {
		return err
	}
	a.exists = true
	a.gap(a.status.Gaps...)
	a.target, err = trail.TargetOfARN(a.have.ARN)
	return err
}

func (a *assessor) gap(gaps ...string) { a.out.Gaps = append(a.out.Gaps, gaps...) }

// foreign says why we cannot act where the trail lives, "" when err says nothing about that.
func (a *assessor) foreign(ctx context.Context, err error) string {
	switch {
	case ctx.Err() != nil:
		return ""
	case errors.Is(err, gate.ErrNoAccess):
		return "we have no access to the account that owns it"
	case action.IsDenied(err):
		return "we are denied access to it: " + brief(err.Error())
	}
	return ""
}

// cannot is the assessment of a trail that only others can look at.
func (a *assessor) cannot(why string) assessment {
	a.describe()
	a.out.Verdict, a.out.WantSource = verdictForeign, sourceNone
	a.out.Reason = fmt.Sprintf("trail %s belongs to account %s: %s", a.target.Name, a.target.Account, why)
	a.out.WhoCan = a.whoCan()
	a.out.Trigger.Worse = a.worse(nil)
	a.out.Severity = trail.Low
	if !a.out.Trigger.Failed && a.out.Trigger.Worse != trail.No {
		// What others still record cannot be seen from here, so the worst is assumed.
		a.out.Severity = trail.Critical
	}
	return a.out
}

// whoCan names the people with the keys, and what they must call.
func (a *assessor) whoCan() string {
	call := "aws cloudtrail start-logging --name " + string(a.target.ARN)
	if a.record != nil && a.record.EventName != trail.StopLogging {
		call = "the call that undoes " + a.record.EventName + " (aws cloudtrail)"
	}
	return fmt.Sprintf("an administrator of account %s, in region %s: %s; or give Switchback a role there (accounts: in the configuration)",
		a.target.Account, a.target.HomeRegion, call)
}

// describe fills in what the target and the event say by themselves.
func (a *assessor) describe() {
	a.out.Trail, a.out.Name = string(a.target.ARN), a.target.Name
	a.out.Account, a.out.HomeRegion = a.target.Account, a.target.HomeRegion
	if a.record == nil {
		a.out.Trigger.Worse = trail.Unclear
		return
	}
	r := a.record
	a.out.Trigger = triggerEvent{EventID: r.EventID, EventName: r.EventName, EventTime: r.EventTime, Failed: r.Failed()}
}

// worse judges the event against the former configuration, nil when that is not known.
func (a *assessor) worse(last *trail.Trail) trail.Answer {
	if a.record == nil {
		return trail.Unclear
	}
	j, err := trail.Judge(*a.record, last)
	if err != nil {
		a.gap("the event itself could not be judged: " + brief(err.Error()))
		return trail.Unclear
	}
	return j.Worse
}

// decide compares and gives the verdict.
func (a *assessor) decide() {
	a.describe()
	var last *trail.Trail
	if a.former.isKnown {
		last = &a.former.trail
	}
	a.out.Trigger.Worse = a.worse(last)
	switch {
	case !a.exists:
		a.decideGone()
	case a.former.isKnown:
		a.decideKnown()
	default:
		a.decideUnknown()
	}
}

// decideGone: the trail is not there. A call that failed did not delete it, and a trail that nobody knows never was.
func (a *assessor) decideGone() {
	if a.out.Trigger.Failed && !a.former.isKnown {
		a.out.Verdict, a.out.Reason = verdictFine, fmt.Sprintf("there is no trail %s, and the call failed", a.target.Name)
		return
	}
	if !a.former.isKnown {
		a.out.Verdict = verdictUnknown
		a.out.Reason = fmt.Sprintf("trail %s is gone, and what it looked like is not known for certain", a.target.Name)
		return
	}
	if a.allowed.isDeleted() {
		a.out.Verdict, a.out.Reason = verdictFine, fmt.Sprintf("there is no trail %s, as planned", a.target.Name)
		return
	}
	t := a.former.trail
	a.out.Verdict, a.out.Reason, a.out.Repairable = verdictDeleted, fmt.Sprintf("trail %s was deleted", t.Name), true
	a.out.Steps = steps{
		Create: true, EventSelectors: !t.HasDefaultSelectors(), InsightSelectors: len(t.InsightSelectors) > 0, Start: t.IsLogging,
	}
}

// decideKnown compares with the former configuration field by field.
func (a *assessor) decideKnown() {
	have := a.have
	if a.status.InsightsUnreadable {
		have.InsightSelectors = a.former.trail.InsightSelectors
	}
	if a.status.TagsUnreadable {
		have.Tags = a.former.trail.Tags
	}
	for _, f := range a.allowed.fields {
		have = have.With(f, a.former.trail)
	}
	differences := trail.Weakened(a.former.trail, have)
	a.out.Differences = append(a.out.Differences, differences...)
	a.out.Repairable = true
	for _, d := range differences {
		switch {
		case d.Field == trail.FieldIsLogging:
			a.out.Steps.Start = true
		case d.Field == trail.FieldEventSelectors:
			a.out.Steps.EventSelectors = true
		case d.Field == trail.FieldInsightSelectors:
			a.out.Steps.InsightSelectors = true
		case d.IsTag():
			a.out.Steps.Tags = true
		case d.IsUpdate():
			a.out.Steps.Update = true
		}
	}
	switch {
	case a.out.Steps.Start:
		a.out.Verdict, a.out.Reason = verdictStopped, fmt.Sprintf("trail %s was stopped%s", a.have.Name, also(differences))
	case len(differences) > 0:
		a.out.Verdict, a.out.Reason = verdictWeakened, fmt.Sprintf("trail %s was weakened in %s", a.have.Name, fieldsOf(differences))
	default:
		a.out.Verdict, a.out.Reason = verdictFine, fmt.Sprintf("trail %s is as it should be", a.have.Name)
	}
}

// decideUnknown: without a former configuration only a stop can be mended; a weakening is shown and asked about.
func (a *assessor) decideUnknown() {
	name := a.have.Name
	a.out.Steps.Start = !a.have.IsLogging && a.mustLog()
	switch worse := a.out.Trigger.Worse; {
	case !a.out.Trigger.Failed && a.isWeakening() && worse != trail.No:
		a.out.Verdict = verdictUnknown
		a.out.Reason = fmt.Sprintf("%s on trail %s may have weakened it, and what it looked like before is not known for certain", a.record.EventName, name)
		a.out.Differences = append(a.out.Differences, trail.Weakened(a.former.suggestion(a.have), a.have)...)
	case a.out.Steps.Start:
		a.out.Verdict, a.out.Reason, a.out.Repairable = verdictStopped, fmt.Sprintf("trail %s was stopped", name), true
		a.out.Differences = append(a.out.Differences, trail.Difference{
			Field: trail.FieldIsLogging, Want: "true", Have: "false", Note: "the trail does not record",
		})
	default:
		a.out.Verdict, a.out.Reason, a.out.Repairable = verdictFine, fmt.Sprintf("trail %s is as it should be, as far as is known", name), true
	}
}

// mustLog: a trail that never logged is not ours to start, unless somebody was seen to stop it.
func (a *assessor) mustLog() bool {
	return a.record == nil || isStop(a.record)
}

// isWeakening: the event could have changed more than whether the trail logs.
func (a *assessor) isWeakening() bool {
	return a.record != nil && slices.Contains(
		[]string{trail.UpdateTrail, trail.PutEventSelectors, trail.PutInsightSelectors, trail.RemoveTags}, a.record.EventName)
}

func also(differences []trail.Difference) string {
	rest := slices.DeleteFunc(slices.Clone(differences), func(d trail.Difference) bool { return d.Field == trail.FieldIsLogging })
	if len(rest) == 0 {
		return ""
	}
	return ", and weakened in " + fieldsOf(rest)
}

func fieldsOf(differences []trail.Difference) string {
	var names []string
	for _, d := range differences {
		names = append(names, d.Field)
	}
	return brief(strings.Join(names, ", "))
}
