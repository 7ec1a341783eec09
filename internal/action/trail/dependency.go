// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// Classes: what can be done about a dependency.
const (
	classFine       = "fine"
	classRestore    = "restore"
	classSubstitute = "substitute"
	classGuide      = "guide"
	classAlert      = "alert"
)

// restorers are the actions that put a kind right.
var restorers = map[trail.Kind]string{
	trail.KindKey: "kms:RestoreKey", trail.KindBucket: "s3:RestoreBucket", trail.KindTopic: "sns:RestoreTopic",
	trail.KindLogGroup: "logs:RestoreLogGroup", trail.KindRole: "iam:RestoreRole", trail.KindRule: "events:RestoreRule",
	trail.KindQueue: "sqs:RestoreQueue", trail.KindAlarm: "cloudwatch:RestoreAlarms",
}

// dependency is what was found about one resource.
type dependency struct {
	Kind        trail.Kind         `json:"kind"`
	Resource    arn.ARN            `json:"resource"`
	Account     string             `json:"account"`
	Region      string             `json:"region"`
	BaselineAt  time.Time          `json:"baseline_at,omitzero"`
	Trusted     bool               `json:"trusted"`
	Needed      bool               `json:"needed"`
	Class       string             `json:"class"`
	Blind       bool               `json:"blind"`
	Differences []trail.Difference `json:"differences"`
	Reason      string             `json:"reason"`

	// Planned: it is not as its baseline, but as an exception allows until its end.
	Planned bool `json:"planned"`

	wrongOwner    bool
	keepsVersions bool      // by its baseline
	lastGood      time.Time // when it was last seen to be as its baseline
	whoCan, gap   string
	plan          *action.Plan
	stops         bool // for want of it no log file can be written, for certain
}

// look reads one resource and compares it with its baseline. Only the end of the context is an error: what cannot be read
// is found out, too. The record, nil for none, is asked whether it is planned change of the resource.
func look(ctx context.Context, env *action.Env, on trail.Dependency, record *cloudtrail.Record) (dependency, error) {
	d := dependency{
		Kind: on.Kind, Resource: on.ARN, Account: on.Account, Region: on.Region, Class: classFine, Differences: []trail.Difference{},
		Reason: fmt.Sprintf("%s %s is as its baseline asks for", on.Kind, on.ARN),
	}
	base, err := state.BaselineBefore(ctx, env.Snapshots, on.ARN, env.Now().Add(time.Nanosecond))
	switch {
	case isNotFound(err):
		d.Reason = fmt.Sprintf("%s %s has no baseline", on.Kind, on.ARN)
		d.gap = d.Reason + ": it was not looked at"
		return d, nil
	case err != nil:
		return d, err
	}
	d.BaselineAt, d.Trusted, d.keepsVersions, d.lastGood = base.TakenAt, base.IsTrusted(), keepsVersions(base), base.LastSeenAt
	have, err := state.ReadDependency(ctx, env.Door, on)
	if ctx.Err() != nil {
		return d, err
	}
	if err != nil {
		d.unreadable(err)
		return d, nil
	}
	want, have, err := d.planned(ctx, env, record, base.Content, have)
	if err != nil {
		return d, err
	}
	weaker, err := trail.WeakenedDependency(on.Kind, want, have)
	if err != nil {
		d.unreadable(err)
		return d, nil
	}
	if d.judge(weaker, have); len(weaker) > 0 || len(d.plan.Overlaid) == 0 {
		return d, nil
	}
	beside, err := trail.WeakenedDependency(on.Kind, base.Content, have)
	if d.Planned = err != nil || len(beside) > 0; d.Planned {
		d.Reason = fmt.Sprintf("%s %s is as it should be, and as planned", on.Kind, on.ARN)
	}
	return d, nil
}

// planned takes what is planned into what is compared: into the baseline what planned changes set, and out of what is there
// now what this event may have set.
func (d *dependency) planned(ctx context.Context, env *action.Env, record *cloudtrail.Record, base, now json.RawMessage) (want, have json.RawMessage, err error) {
	on := d.dependency()
	if record != nil && !slices.ContainsFunc(trail.Touched(*record), func(t trail.Touch) bool { return t.Is(on) }) {
		record = nil
	}
	if d.plan, err = env.PlanOf(ctx, d.Resource, record); err != nil {
		return nil, nil, err
	}
	form := action.DependencyForm(d.Kind)
	if want, err = action.Allow(ctx, d.plan, base, form); err != nil {
		return nil, nil, err
	}
	have = now
	for _, f := range d.plan.Fields {
		if have, err = form.With(have, f, want); err != nil {
			return nil, nil, err
		}
	}
	d.gap = identity.Printable(strings.Join(d.plan.Gaps, "; "), maxReason)
	return want, have, nil
}

func keepsVersions(base state.Snapshot) bool {
	var b trail.Bucket
	return base.Kind == string(trail.KindBucket) && json.Unmarshal(base.Content, &b) == nil && b.Versioning.Status == "Enabled"
}

// unreadable: a resource that we may not look at may be blind. Throttling and the like say nothing.
func (d *dependency) unreadable(err error) {
	d.gap = identity.Printable(fmt.Sprintf("%s %s was not read: %v", d.Kind, d.Resource, err), maxReason)
	d.Reason = d.gap
	if !action.IsDenied(err) && !errors.Is(err, gate.ErrNoAccess) && !errors.Is(err, state.ErrBucketDenied) {
		return
	}
	d.Class, d.Needed, d.Blind = classGuide, true, d.Kind == trail.KindKey || d.Kind == trail.KindBucket
	d.whoCan = d.guide("we may not look at it; an administrator of account " + d.Account + " must, or its root where a policy denies everybody else")
}

// judge says what the differences mean and what can be done.
func (d *dependency) judge(weaker []trail.Difference, have json.RawMessage) {
	if len(weaker) == 0 {
		return
	}
	d.wrongOwner = d.Kind == trail.KindBucket && slices.ContainsFunc(weaker, func(x trail.Difference) bool { return x.Field == trail.FieldBucketOwner })
	d.Needed = d.Trusted || !slices.ContainsFunc(weaker, func(x trail.Difference) bool { return !trail.IsDemanded(d.Kind, x) })
	d.Differences = shorten(weaker)
	d.Reason = identity.Printable(fmt.Sprintf("%s %s: %s", d.Kind, d.Resource, sentences(d.Differences)), maxReason)
	_, hasRestorer := action.Get(restorers[d.Kind])
	switch {
	case d.wrongOwner:
		d.Class, d.Needed = classSubstitute, true
		d.whoCan = d.guide("its name belongs to another account now: choose another bucket for the trail, and ask AWS Support about the name")
	case d.Kind == trail.KindKey && !state.Exists(have):
		d.Class, d.Needed = classSubstitute, true
		d.whoCan = d.guide("the key is gone for good: give the trail another one (aws cloudtrail update-trail --kms-key-id)")
	case !d.Needed:
		d.Class = classAlert
		d.whoCan = d.guide("nobody has approved the version that it differs from: switchback trail baseline diff, then approve " + string(d.Resource))
	case !hasRestorer:
		d.Class = classGuide
		d.whoCan = d.guide("put it right by hand: switchback trail baseline diff " + string(d.Resource) + " shows how it was")
	default:
		d.Class = classRestore
	}
	d.Blind = d.Needed && slices.ContainsFunc(weaker, func(x trail.Difference) bool { return trail.IsBlinding(d.Kind, x) })
	d.stops = d.Blind && slices.ContainsFunc(weaker, func(x trail.Difference) bool { return trail.StopsDelivery(d.Kind, x) })
}

// isLeft: it deviates, and no action of ours puts it right.
func (d *dependency) isLeft() bool { return d.Class != classFine && d.Class != classRestore }

func (d *dependency) dependency() trail.Dependency {
	return trail.Dependency{Kind: d.Kind, ARN: d.Resource, Account: d.Account, Region: d.Region}
}

func (d *dependency) guide(text string) string {
	return fmt.Sprintf("%s %s: %s", d.Kind, d.Resource, text)
}

func sentences(differences []trail.Difference) string {
	out := make([]string, 0, len(differences))
	for _, d := range differences {
		out = append(out, d.Sentence())
	}
	return strings.Join(out, "; ")
}

func shorten(differences []trail.Difference) []trail.Difference {
	out := make([]trail.Difference, 0, min(len(differences), maxList))
	for _, d := range differences[:min(len(differences), maxList)] {
		d.Field, d.Want, d.Have, d.Note = brief(d.Field), brief(d.Want), brief(d.Have), brief(d.Note)
		out = append(out, d)
	}
	return out
}

// brief cuts a text that others wrote.
func brief(s string) string {
	if len(s) <= maxNote {
		return s
	}
	return strings.ToValidUTF8(s[:maxNote], "") + "…"
}
