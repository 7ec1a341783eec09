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

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "cloudtrail:ProveAccepted", Summary: "read a trail back: does everything stand as it should", Class: "read", IsUrgent: true,
		Permissions: []string{
			"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetInsightSelectors",
			"cloudtrail:GetTrailStatus", "cloudtrail:ListTags", "kms:DescribeKey", "s3:ListBucket",
		},
	}, proveAccepted))
}

type acceptedParams struct {
	Trail arn.ARN `json:"trail"`
	Want  *config `json:"want"`
	// Also are trails that must stand too: they share what was weakened.
	Also []arn.ARN `json:"also,omitempty"`
}

// accepted is the output of ProveAccepted; see the package comment.
type accepted struct {
	Accepted bool      `json:"accepted"`
	Checks   []check   `json:"checks"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
	Gaps     []string  `json:"gaps"`
}

type check struct {
	Name  string `json:"name"`
	OK    bool   `json:"ok"`
	Found string `json:"found"`
}

func proveAccepted(ctx context.Context, env *action.Env, p acceptedParams) (accepted, error) {
	out := accepted{Gaps: []string{}}
	have, err := out.look(ctx, env, p.Trail, p.Want)
	if err != nil {
		return accepted{}, err
	}
	for _, other := range p.Also {
		if other == p.Trail {
			continue
		}
		beside := accepted{}
		t, err := beside.look(ctx, env, other, nil)
		if err != nil {
			return accepted{}, err
		}
		for _, c := range beside.Checks {
			out.add(t.Name+" "+c.Name, c.OK, "%s", c.Found)
		}
		out.Gaps = append(out.Gaps, beside.Gaps...)
	}
	return out.conclude(ctx, env, have, len(p.Also))
}

// look reads one trail back.
func (a *accepted) look(ctx context.Context, env *action.Env, of arn.ARN, wanted *config) (trail.Trail, error) {
	found, err := find(ctx, env, of)
	if err != nil {
		return trail.Trail{}, err
	}
	have, status, err := found.ReadAll(ctx)
	if err != nil {
		return trail.Trail{}, err
	}
	a.Gaps = append(a.Gaps, status.Gaps...)
	want := have
	if wanted != nil && !wanted.isEmpty() {
		if want, err = wanted.resolve(ctx, env, of); err != nil {
			return trail.Trail{}, invalid(err)
		}
	}
	a.compare(want, have, status)
	if err := a.key(ctx, env, have); err != nil {
		return trail.Trail{}, err
	}
	return have, a.bucket(ctx, env, want, have)
}

func (a *accepted) add(name string, ok bool, format string, args ...any) {
	a.Checks = append(a.Checks, check{name, ok, brief(fmt.Sprintf(format, args...))})
}

// compare judges what the API of CloudTrail tells.
func (a *accepted) compare(want, have trail.Trail, status state.Status) {
	want.IsLogging = true
	if status.InsightsUnreadable {
		want.InsightSelectors = have.InsightSelectors
	}
	if status.TagsUnreadable {
		want.Tags = have.Tags
	}
	differences := trail.Weakened(want, have)
	for _, c := range []struct {
		name  string
		is    func(trail.Difference) bool
		fine  string
		apart bool // judged apart, where nothing is wrong by comparison
	}{
		{"logging", func(d trail.Difference) bool { return d.Field == trail.FieldIsLogging }, "is logging", false},
		{"configuration", trail.Difference.IsUpdate, "as wanted", false},
		{"selectors", func(d trail.Difference) bool { return d.Field == trail.FieldEventSelectors }, "cover what they should", false},
		{"insight selectors", func(d trail.Difference) bool { return d.Field == trail.FieldInsightSelectors }, "as wanted", status.InsightsUnreadable},
		{"tags", trail.Difference.IsTag, "as wanted", status.TagsUnreadable},
	} {
		wrong := slices.DeleteFunc(slices.Clone(differences), func(d trail.Difference) bool { return !c.is(d) })
		switch {
		case len(wrong) > 0:
			a.add(c.name, false, "%s", fieldsOf(wrong))
		case c.apart:
			a.add(c.name, true, "not read")
		default:
			a.add(c.name, true, "%s", c.fine)
		}
	}
}

// key: a disabled key, or one that waits for its deletion, stops delivery while the trail goes on logging.
func (a *accepted) key(ctx context.Context, env *action.Env, have trail.Trail) error {
	if have.KmsKeyId == "" {
		a.add("key", true, "none: log files have S3's own encryption")
		return nil
	}
	key, err := state.ReadKey(ctx, env.Door, have.KmsKeyId, placeOf(have))
	switch {
	case err == nil:
		a.add("key", key.IsEnabled, "%s is %s", key.ARN, key.State)
	case ctx.Err() != nil:
		return err
	case action.IsDenied(err):
		a.Gaps = append(a.Gaps, "the key was not read: "+brief(err.Error()))
		a.add("key", true, "not read: we may not")
	default:
		a.add("key", false, "%v", err)
	}
	return nil
}

// bucket: it must be there and belong to whom it did. Where nobody knows the owner, the trail's account is tried.
func (a *accepted) bucket(ctx context.Context, env *action.Env, want, have trail.Trail) error {
	owner := want.S3BucketOwner
	isKnown := owner != ""
	if !isKnown {
		owner = have.Account()
	}
	_, err := state.ReadBucket(ctx, env.Door, have.S3BucketName, owner, placeOf(have))
	switch {
	case err == nil:
		a.add("bucket", true, "%s belongs to %s", have.S3BucketName, owner)
	case ctx.Err() != nil:
		return err
	case !isKnown && errors.Is(err, state.ErrBucketDenied):
		a.Gaps = append(a.Gaps, fmt.Sprintf("bucket %s is not one of %s, or may not be looked at: whose it is was not proven", have.S3BucketName, owner))
		a.add("bucket", true, "%s: owner not proven", have.S3BucketName)
	default:
		a.add("bucket", false, "%v", err)
	}
	return nil
}

func placeOf(t trail.Trail) state.Place {
	return state.Place{Account: t.Account(), Region: t.HomeRegion}
}

// conclude notes the proof of the trail, and of as many others.
func (a *accepted) conclude(ctx context.Context, env *action.Env, have trail.Trail, others int) (accepted, error) {
	a.At = env.Now()
	a.Gaps = list(a.Gaps)
	var wrong []string
	for _, c := range a.Checks {
		if !c.OK {
			wrong = append(wrong, c.Name+": "+c.Found)
		}
	}
	if len(wrong) > 0 {
		a.Reason = fmt.Sprintf("trail %s is not accepted: %s", have.Name, strings.Join(wrong, "; "))
		return *a, nil
	}
	a.Accepted, a.Reason = true, fmt.Sprintf("trail %s is logging and reads back as it should", have.Name)
	if others > 0 {
		a.Reason += fmt.Sprintf(", and so do %d more that share what was weakened", others)
	}
	if err := keepStanding(ctx, env, have.Name); err != nil {
		return *a, err
	}
	if err := closeBlind(ctx, env, a.At, false); err != nil {
		return *a, err
	}
	return *a, action.Note(ctx, env, action.Milestone{
		Name: "accepted", Text: a.Reason, Data: a.Checks, At: a.At,
		Of: func(t *incident.Times) *time.Time { return &t.Contained },
	})
}

// keepStanding says on the incident that a trail was stood in for, and not put back.
func keepStanding(ctx context.Context, env *action.Env, name string) error {
	if !strings.HasPrefix(name, emergencyName) || env.Incident.ID == "" || env.Store == nil {
		return nil
	}
	_, err := env.Store.Update(ctx, env.Incident.ID, func(i *incident.Incident) error {
		i.Standing = "an emergency trail records"
		return nil
	})
	if err != nil {
		return fmt.Errorf("note that an emergency trail records: %w", err)
	}
	return nil
}
