// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/route"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "trail:AssessOwnParts", Summary: "what Switchback itself consists of: what is weaker than its baseline, and who can put it right",
		Class: "read", IsUrgent: true, Permissions: ownPermissions,
	}, assessOwn))
}

// ownAssessment is the output; see the package comment.
type ownAssessment struct {
	Reason   string       `json:"reason"`
	At       time.Time    `json:"at"`
	Part     arn.ARN      `json:"part"`
	Trigger  triggerEvent `json:"trigger"`
	Harmless bool         `json:"harmless"`
	Needed   bool         `json:"needed"`
	Left     bool         `json:"left"`
	Guided   bool         `json:"guided"`
	Parts    []dependency `json:"parts"`
	Restore  []restore    `json:"restore"`
	WhoCan   string       `json:"who_can"`
	Gaps     []string     `json:"gaps"`
}

func assessOwn(ctx context.Context, env *action.Env, p params) (ownAssessment, error) {
	out := ownAssessment{At: env.Now(), Parts: []dependency{}, Restore: []restore{}, Gaps: []string{}}
	if env.Snapshots == nil {
		return out, errors.New("assess our own parts: no store of snapshots is wired")
	}
	s, err := p.find(ctx, env)
	if err != nil {
		return out, err
	}
	if r := s.record; r != nil {
		out.Trigger = triggerEvent{EventID: r.EventID, EventName: identity.Printable(r.EventName, maxNote), EventTime: r.EventTime, Failed: r.Failed()}
	}
	var touched, readable []trail.Dependency
	for _, d := range env.Own {
		if s.touches(d) || d.ARN == p.Resource {
			touched = append(touched, d)
		}
		if state.CanRead(d.Kind) {
			readable = append(readable, d)
		}
	}
	if len(touched) == 0 {
		out.Harmless, out.Reason = s.record != nil && !s.record.Failed(), "it is about none of our own parts"
		return out, nil
	}
	out.Part = touched[0].ARN
	if out.Parts, err = readOwn(ctx, env, readable); err != nil {
		return out, err
	}
	out.conclude(s, touched)
	return out, nil
}

// readOwn reads parts of ours, which no exception covers.
func readOwn(ctx context.Context, env *action.Env, list []trail.Dependency) ([]dependency, error) {
	strict := *env
	strict.Exceptions = nil
	return readAll(ctx, &strict, list, nil)
}

// conclude draws what follows from the parts, and from the event where what it did cannot be read.
func (a *ownAssessment) conclude(s subject, touched []trail.Dependency) {
	var wrong, todo []string
	isWeaker := false
	for _, d := range a.Parts {
		a.Needed = a.Needed || d.Needed
		a.Left = a.Left || d.isLeft() && s.touches(d.dependency())
		isWeaker = isWeaker || d.Class != classFine
		if d.gap != "" && len(a.Gaps) < maxList {
			a.Gaps = append(a.Gaps, d.gap)
		}
		if d.Class != classFine {
			wrong = append(wrong, d.Reason)
		}
		if d.whoCan != "" {
			todo = append(todo, d.whoCan)
		}
		if d.Class == classRestore && d.Needed {
			a.Restore = append(a.Restore, restore{d.Kind, d.Resource, d.Account, d.Region, d.BaselineAt})
		}
	}
	if s.record != nil && !s.record.Failed() {
		for _, d := range touched {
			what, do := a.see(d, *s.record)
			wrong, todo = withText(wrong, what), withText(todo, do)
		}
	}
	a.Harmless = s.record != nil && !s.record.Failed() && !isWeaker && !a.Left && len(a.Gaps) == 0 && !isTaking(s.record.EventName)
	a.WhoCan = strings.Join(todo, "; ")
	a.Reason = "everything that Switchback consists of is as it should be"
	if len(wrong) > 0 {
		a.Reason = identity.Printable(strings.Join(wrong, "; "), 2*maxNote)
	}
}

func withText(list []string, text string) []string {
	if text == "" {
		return list
	}
	return append(list, text)
}

// guideOf is the route of a call that is a matter for people although reading its part back shows nothing; nil for others.
func guideOf(r cloudtrail.Record) *route.Route {
	for _, taken := range route.Match(ownRunbook, r) {
		if taken.Class == route.ClassGuide || taken.Class == route.ClassAlert {
			return taken
		}
	}
	return nil
}

// ownRunbook answers to what happens to our own parts.
const ownRunbook = "responder-tampered"

// see takes in a call to a part that cannot be read back. What people are to run the route says, where it is a known one.
func (a *ownAssessment) see(d trail.Dependency, r cloudtrail.Record) (what, todo string) {
	if taken := guideOf(r); taken != nil {
		a.Left, a.Guided = true, true
		return fmt.Sprintf("%s %s: %s", d.Kind, d.ARN, taken.What), ""
	}
	if state.CanRead(d.Kind) {
		return "", ""
	}
	a.Left = true
	what = fmt.Sprintf("%s %s was changed by %s", d.Kind, d.ARN, identity.Printable(r.EventName, maxNote))
	return what, fmt.Sprintf("%s %s: whoever deploys Switchback compares it with what was deployed, and deploys that again", d.Kind, d.ARN)
}
