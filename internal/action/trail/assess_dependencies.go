// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func init() {
	action.Register(action.Query(action.Info{
		ID: "trail:AssessDependencies", Summary: "what a trail depends on: what is weaker than its baseline, and who can put it right",
		Class: "read", IsUrgent: true, Permissions: slices.Concat(trailPermissions, permissions),
	}, assess))
}

// assessment is the output; see the package comment.
type assessment struct {
	Reason       string       `json:"reason"`
	At           time.Time    `json:"at"`
	Trail        arn.ARN      `json:"trail"`
	Trails       []arn.ARN    `json:"trails"`
	Others       []arn.ARN    `json:"others"`
	Trigger      triggerEvent `json:"trigger"`
	Harmless     bool         `json:"harmless"`
	Planned      bool         `json:"planned"`
	Needed       bool         `json:"needed"`
	Blind        bool         `json:"blind"`
	Left         bool         `json:"left"`
	WrongOwner   bool         `json:"wrong_owner"`
	Dependencies []dependency `json:"dependencies"`
	Restore      []restore    `json:"restore"`
	Called       bool         `json:"called"`
	Writers      []writer     `json:"writers"`
	WhoCan       string       `json:"who_can"`
	Gaps         []string     `json:"gaps"`
	needs

	protects []trail.Trail // those of Trails, as their baselines have them
}

// triggerEvent is the event that is assessed; all empty when there is none.
type triggerEvent struct {
	EventID   cloudtrail.EventID `json:"event_id"`
	EventName string             `json:"event_name"`
	EventTime time.Time          `json:"event_time,omitzero"`
	Failed    bool               `json:"failed"`
}

// needs are flags for the choices of state machines.
type needs struct {
	Key      bool `json:"needs_key"`
	Bucket   bool `json:"needs_bucket"`
	Topic    bool `json:"needs_topic"`
	LogGroup bool `json:"needs_log_group"`
	Role     bool `json:"needs_role"`
	Rule     bool `json:"needs_rule"`
	Queue    bool `json:"needs_queue"`
	Alarm    bool `json:"needs_alarm"`
}

func (n *needs) set(kind trail.Kind) {
	flag, ok := map[trail.Kind]*bool{
		trail.KindKey: &n.Key, trail.KindBucket: &n.Bucket, trail.KindTopic: &n.Topic, trail.KindLogGroup: &n.LogGroup,
		trail.KindRole: &n.Role, trail.KindRule: &n.Rule, trail.KindQueue: &n.Queue, trail.KindAlarm: &n.Alarm,
	}[kind]
	if ok {
		*flag = true
	}
}

// restore is what the actions that restore take.
type restore struct {
	Kind       trail.Kind `json:"kind"`
	Resource   arn.ARN    `json:"resource"`
	Account    string     `json:"account"`
	Region     string     `json:"region"`
	BaselineAt time.Time  `json:"baseline_at"`
}

// maxList bounds lists, maxNote texts that others wrote, maxReason sentences made of them.
const (
	maxList   = 12
	maxNote   = 400
	maxReason = 1000
)

func assess(ctx context.Context, env *action.Env, p params) (assessment, error) {
	out := assessment{
		At: env.Now(), Trails: []arn.ARN{}, Others: []arn.ARN{}, Dependencies: []dependency{}, Restore: []restore{}, Writers: []writer{}, Gaps: []string{},
	}
	if env.Snapshots == nil {
		return out, errors.New("assess dependencies: no store of snapshots is wired")
	}
	s, err := p.find(ctx, env)
	if err != nil {
		return out, err
	}
	if r := s.record; r != nil {
		out.Called = true
		out.Trigger = triggerEvent{EventID: r.EventID, EventName: identity.Printable(r.EventName, maxNote), EventTime: r.EventTime, Failed: r.Failed()}
	}
	list, err := out.protected(ctx, env, s)
	if err != nil {
		return out, err
	}
	if out.Dependencies, err = readAll(ctx, env, list, s.record); err != nil {
		return out, err
	}
	out.conclude(s)
	if err := out.note(ctx, env); err != nil {
		return out, err
	}
	if err := out.planned(ctx, env, s); err != nil || out.Planned {
		return out, err
	}
	if !out.Called {
		if err := out.findWriters(ctx, env); err != nil {
			return out, err
		}
	}
	if err := out.openBlind(ctx, env, s.record); err != nil || !out.Called {
		return out, err
	}
	if !out.Harmless {
		return out, nil
	}
	mended, err := mendedSince(ctx, env, out.Dependencies, s.record.EventTime)
	out.Harmless = !mended
	return out, err
}

// maxIncidents bounds how many are looked at for what they put back.
const maxIncidents = 100

// mendedSince reports whether one of the resources was put back for another incident after the event: then it is as it
// should be for that, and not because the event did no harm.
func mendedSince(ctx context.Context, env *action.Env, list []dependency, since time.Time) (bool, error) {
	if env.Store == nil || env.Undos == nil {
		return false, nil
	}
	recent, err := env.Store.List(ctx, incident.Filter{Limit: maxIncidents})
	if err != nil {
		return false, fmt.Errorf("look for what was put back: %w", err)
	}
	for _, inc := range recent {
		undos, err := env.Undos.ListUndos(ctx, inc.ID)
		if err != nil {
			return false, fmt.Errorf("look for what was put back: %w", err)
		}
		for _, u := range undos {
			isOne := slices.ContainsFunc(list, func(d dependency) bool { return string(d.Resource) == u.Target })
			if isOne && !u.CreatedAt.Before(since.Truncate(time.Second)) {
				return true, nil
			}
		}
	}
	return false, nil
}

// protected finds the trails that the subject is about and lists what they depend on.
func (a *assessment) protected(ctx context.Context, env *action.Env, s subject) ([]trail.Dependency, error) {
	all, err := state.ProtectedTrails(ctx, env.Snapshots)
	if err != nil {
		return nil, err
	}
	var list []trail.Dependency
	for _, p := range all {
		on := trail.Dependencies(p.Trail)
		if p.Trail.ARN != s.trail && !slices.ContainsFunc(on, s.touches) {
			continue
		}
		a.Trails, a.protects = append(a.Trails, p.Trail.ARN), append(a.protects, p.Trail)
		list = append(list, on...)
	}
	if len(a.Trails) > 0 {
		a.Trail = a.Trails[0]
	}
	a.Others = others(a.Trails)
	return trail.InOrder(list), nil
}

// readAll reads them all. The record is asked for planned change, nil for none.
func readAll(ctx context.Context, env *action.Env, list []trail.Dependency, record *cloudtrail.Record) ([]dependency, error) {
	out := make([]dependency, 0, len(list))
	for _, d := range list {
		one, err := look(ctx, env, d, record)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// conclude draws what follows from the dependencies.
func (a *assessment) conclude(s subject) {
	var todo []string
	isTouched := false
	for i := range a.Dependencies {
		d := &a.Dependencies[i]
		a.Needed = a.Needed || d.Needed
		a.Blind = a.Blind || d.Blind
		a.Left = a.Left || d.isLeft() && (a.Trail == s.trail || s.touches(d.dependency()))
		a.WrongOwner = a.WrongOwner || d.wrongOwner
		if d.gap != "" && len(a.Gaps) < maxList {
			a.Gaps = append(a.Gaps, d.gap)
		}
		if d.whoCan != "" {
			todo = append(todo, d.whoCan)
		}
		if d.Class == classRestore && d.Needed {
			a.set(d.Kind)
			a.Restore = append(a.Restore, restore{d.Kind, d.Resource, d.Account, d.Region, d.BaselineAt})
		}
		isTouched = isTouched || d.Class != classFine
	}
	keepsVersions := slices.ContainsFunc(a.Dependencies, func(d dependency) bool { return d.keepsVersions && s.touches(d.dependency()) })
	if lost := s.lost(keepsVersions); lost != "" {
		todo = append(todo, lost)
	}
	a.WhoCan = strings.Join(todo, "; ")
	a.Harmless = a.Trail != "" && s.record != nil && !s.record.Failed() && !isTouched && len(a.Gaps) == 0 && !isTaking(s.record.EventName)
	a.Reason = a.sentence()
}

func (a *assessment) sentence() string {
	if a.Trail == "" {
		return "no protected trail depends on it"
	}
	var wrong []string
	for _, d := range a.Dependencies {
		if d.Class != classFine {
			wrong = append(wrong, d.Reason)
		}
	}
	if len(wrong) == 0 {
		return fmt.Sprintf("everything that %s depends on is as it should be", a.Trail)
	}
	return identity.Printable(strings.Join(wrong, "; "), maxReason)
}

// planned says whether what was asked about is as an exception allows, and nothing else is wrong; then nothing is put back
// until the end of the exception. Of what was covered by one that is over, and is put right, nobody need be told again.
func (a *assessment) planned(ctx context.Context, env *action.Env, s subject) error {
	if slices.ContainsFunc(a.Dependencies, func(d dependency) bool { return d.Class != classFine || d.gap != "" }) {
		return nil
	}
	for _, d := range a.Dependencies {
		switch {
		case !s.touches(d.dependency()) || d.plan == nil:
		case d.plan.Covering != nil:
			a.Planned, a.Harmless, a.Reason = true, true, identity.Printable(d.plan.Sentence(), maxReason)
			return env.NoteAllowed(ctx, s.record.EventID, a.Reason, "allowed by "+d.plan.Covering.ID, true)
		case s.record == nil && d.Planned:
			a.Planned, a.Reason = true, d.Reason
			return env.NoteAllowed(ctx, cloudtrail.EventID(d.Resource), d.Reason, "as planned", true)
		case d.plan.WasCovered:
			a.Harmless = a.Trail != ""
		}
	}
	return nil
}

// taking are the beginnings of the names of calls that take something away, whatever it is, and benign those of them that
// keep log files longer.
var (
	taking = []string{"Delete", "Disable", "Schedule", "Detach", "Revoke", "Retire", "Remove", "Unsubscribe", "Disassociate"}
	benign = []string{"DeleteBucketLifecycle", "DeleteRetentionPolicy"}
)

// isTaking: of a call that took something away people are told, also where somebody has put it right meanwhile.
func isTaking(event string) bool {
	return !slices.Contains(benign, event) && slices.ContainsFunc(taking, func(p string) bool { return strings.HasPrefix(event, p) })
}

// isNotFound tells whether nobody knows of a thing.
func isNotFound(err error) bool { return errors.Is(err, incident.ErrNotFound) }
