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
			if text := unseen(d, s.record); text != "" {
				a.Left = true
				todo = append(todo, text)
				wrong = append(wrong, fmt.Sprintf("%s %s was changed by %s", d.Kind, d.ARN, s.record.EventName))
			}
		}
	}
	a.Harmless = s.record != nil && !s.record.Failed() && !isWeaker && !a.Left && len(a.Gaps) == 0 && !isTaking(s.record.EventName)
	a.WhoCan = strings.Join(todo, "; ")
	a.Reason = "everything that Switchback consists of is as it should be"
	if len(wrong) > 0 {
		a.Reason = identity.Printable(strings.Join(wrong, "; "), 2*maxNote)
	}
}

// unseenCalls did something that reading the part back does not show, by the beginnings of their names: CloudTrail appends
// versions to those of Lambda. The commands are for whoever deployed it.
var unseenCalls = []struct {
	kind    trail.Kind
	begins  string
	text    string
	command []string
}{
	{
		trail.KindQueue, "PurgeQueue", "the events that it held are lost to it: fetch them from Event history once it is idle",
		[]string{"switchback", "replay", "aws:"},
	},
	{
		trail.KindAlarm, "SetAlarmState", "somebody set its state; CloudWatch sets it anew with the next evaluation: look at what it warned of",
		[]string{"aws", "cloudwatch", "describe-alarm-history", "--alarm-name", "NAME"},
	},
	{
		trail.KindFunction, "PutFunctionConcurrency", "it may not run any more",
		[]string{"aws", "lambda", "delete-function-concurrency", "--function-name", "ARN"},
	},
	{
		trail.KindFunction, "", "deploy the version again whose code hash is known, and compare it",
		[]string{"aws", "lambda", "get-function-configuration", "--function-name", "ARN", "--query", "[CodeSha256,Role,Handler,Layers,Environment]"},
	},
	{
		trail.KindStateMachine, "", "deploy it again, and start the executions that were stopped",
		[]string{"aws", "stepfunctions", "describe-state-machine", "--state-machine-arn", "ARN"},
	},
}

// unseen is what a person must do about a call whose effect cannot be read back; "" for others.
func unseen(d trail.Dependency, r *cloudtrail.Record) string {
	for _, c := range unseenCalls {
		if c.kind != d.Kind || !strings.HasPrefix(r.EventName, c.begins) {
			continue
		}
		p, err := d.ARN.Parse()
		if err != nil {
			return ""
		}
		words := make([]string, len(c.command))
		for i, w := range c.command {
			words[i] = strings.NewReplacer("ARN", string(d.ARN), "NAME", strings.TrimPrefix(p.Resource, "alarm:")).Replace(w)
		}
		return fmt.Sprintf("%s %s: %s: an administrator of account %s runs: %s", d.Kind, d.ARN, c.text, d.Account, action.ShellCommand(words...))
	}
	return ""
}
