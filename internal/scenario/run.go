// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/respond"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
)

// Options of Run.
type Options struct {
	// Runbooks that watch; required.
	Runbooks []*runbook.Runbook
	Place    Place
	// Channels carry the messages beside the scenario's own.
	Channels []notify.Channel
	// Opened is told of every event that an incident was opened for, or joined, when the story has ended; nil asks nothing.
	Opened func(incident.Incident, cloudtrail.Envelope)

	// For games, which are played on the stage of a story.
	game rules
}

// Run plays a scenario and returns what came of it, with placeholders instead of the place. An error means that the
// story itself could not be played: a call failed that should not, an answer was not refused that should be.
func Run(ctx context.Context, s Scenario, o Options) (string, error) {
	story, err := s.in(o.Place)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "switchback-scenario-")
	if err != nil {
		return "", fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	defer os.RemoveAll(dir)
	stage, err := build(ctx, dir, story, o)
	if err != nil {
		return "", fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	defer stage.close(ctx)
	if err := stage.play(ctx, story); err != nil {
		return "", fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	text, err := stage.result(ctx)
	if err != nil {
		return "", fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	if err := stage.tell(ctx, o.Opened); err != nil {
		return "", fmt.Errorf("scenario %s: %w", s.Name, err)
	}
	return o.Place.generalize(strings.ReplaceAll(text, dir+string(filepath.Separator), "")), nil
}

// play goes through the steps in order, letting time pass between them, and on to the story's end.
func (st *stage) play(ctx context.Context, story Story) error {
	for i, step := range story.Steps {
		if err := st.passTo(ctx, st.begin.Add(time.Duration(step.At))); err != nil {
			return err
		}
		if err := st.do(ctx, step); err != nil {
			return fmt.Errorf("step %d: %w", i+1, err)
		}
	}
	return st.passTo(ctx, st.begin.Add(time.Duration(story.Until)))
}

// passTo lets time pass: everything that becomes due on the way is done at its own moment.
func (st *stage) passTo(ctx context.Context, moment time.Time) error {
	for {
		next, err := st.settle(ctx)
		if err != nil {
			return err
		}
		if next.IsZero() || next.After(moment) {
			st.clock.set(moment)
			_, err := st.settle(ctx)
			return err
		}
		st.clock.set(next)
	}
}

// settle takes in what is in the queue and does what is due until nothing moves; next is when something will.
func (st *stage) settle(ctx context.Context) (next time.Time, err error) {
	for {
		st.sandbox.Deliver()
		received, err := st.source.Poll(ctx, 0, st.handle)
		if err != nil {
			return time.Time{}, err
		}
		polled, err := st.poll(ctx)
		if err != nil {
			return time.Time{}, err
		}
		if next, err = st.system.RunDue(ctx); err != nil {
			return time.Time{}, err
		}
		if received == 0 {
			return earliest(next, polled), nil
		}
	}
}

// poll has everybody look who looks by himself, when it is time, and returns when it is time again; zero for never.
func (st *stage) poll(ctx context.Context) (next time.Time, err error) {
	if st.clock.Now().Before(st.begin) {
		return time.Time{}, nil
	}
	for _, p := range st.pollers {
		if !p.Next().After(st.clock.Now()) {
			err = errors.Join(err, p.Poll(ctx, st.system.Handle))
		}
		next = earliest(next, p.Next())
	}
	return next, err
}

// earliest is the first of moments, of which zero is never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (st *stage) do(ctx context.Context, step Step) error {
	st.repeat, st.lose = step.Repeat, step.Lose
	switch {
	case step.Assume != "":
		return st.assume(ctx, step)
	case step.Call != "":
		for range max(1, step.Times) {
			if err := st.call(ctx, step); err != nil {
				return err
			}
		}
		return st.then(ctx, step)
	case step.Empty != "":
		return errors.Join(st.empty(ctx, step), st.then(ctx, step))
	case step.Event != "":
		return st.event(ctx, step)
	case step.Answer != "":
		return st.answer(ctx, step)
	case step.Exception != nil:
		return step.refusal(st.exception(ctx, step))
	case step.Deliver != nil:
		return st.deliver(ctx, step)
	case step.Snapshot:
		return st.takeBaseline(ctx, false)
	case step.Pause > 0:
		return st.pause(ctx, step)
	case step.Deny != "":
		return st.sandbox.Deny(st.ownARN(), step.Deny)
	case step.Allow != "":
		return st.sandbox.Allow(st.ownARN(), step.Allow)
	}
	return errors.New("a step needs assume, call, event, empty, answer, exception, deliver, snapshot, pause, deny or allow")
}

func (st *stage) then(ctx context.Context, step Step) error {
	for _, next := range step.Then {
		if err := st.call(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// empty deletes what is in a bucket, so that a story need not know the names of log files.
func (st *stage) empty(ctx context.Context, step Step) error {
	in, err := json.Marshal(object{"Bucket": step.Empty})
	if err != nil {
		return err
	}
	out, err := st.invoke(ctx, step, "S3.ListObjectVersions", in)
	if err != nil {
		return err
	}
	type version struct{ Key, VersionID string }
	var list struct{ Versions, DeleteMarkers []version }
	if err := json.Unmarshal(out, &list); err != nil {
		return fmt.Errorf("read versions: %w", err)
	}
	var all []object
	for _, v := range append(list.Versions, list.DeleteMarkers...) {
		del := object{"Key": v.Key}
		if step.Versions {
			del["VersionId"] = v.VersionID
		}
		all = append(all, del)
	}
	if step.AtOnce {
		return st.delete(ctx, step, "S3.DeleteObjects", object{"Delete": object{"Objects": all}})
	}
	for _, del := range all {
		if err := st.delete(ctx, step, "S3.DeleteObject", del); err != nil {
			return err
		}
	}
	return nil
}

// delete makes a call that deletes objects of the bucket that is emptied.
func (st *stage) delete(ctx context.Context, step Step, name string, input object) error {
	input["Bucket"] = step.Empty
	in, err := json.Marshal(input)
	if err != nil {
		return err
	}
	_, err = st.invoke(ctx, step, name, in)
	return err
}

// deliver hands the pipeline an event; its time is the step's unless it says another.
func (st *stage) deliver(ctx context.Context, step Step) error {
	event := maps.Clone(step.Deliver)
	if event["time"] == nil {
		event["time"] = st.clock.Now().UTC().Format(time.RFC3339)
	}
	data, err := json.Marshal(event)
	if err != nil {
		return fmt.Errorf("read event: %w", err)
	}
	envelope, err := cloudtrail.ParseEnvelope(st.withKept(data))
	if err != nil {
		return err
	}
	return st.handle(ctx, source.Delivery{Envelope: envelope, Via: "story", From: "the story", DeliveredAt: st.clock.Now()})
}

// withKept fills in what was only known once it was made.
func (st *stage) withKept(text []byte) []byte {
	for name, value := range st.kept {
		text = bytes.ReplaceAll(text, []byte("${"+name+"}"), []byte(value))
	}
	return text
}

func (st *stage) pause(ctx context.Context, step Step) error {
	now := st.clock.Now()
	return st.db.AddPause(ctx, incident.Pause{
		ID: fmt.Sprintf("pause-%d", now.Unix()), CreatedAt: now, Until: now.Add(time.Duration(step.Pause)), By: step.As, Reason: "the story",
	})
}

// assume opens a role session that later steps act as.
func (st *stage) assume(ctx context.Context, step Step) error {
	in := map[string]any{"RoleArn": st.roleARN(step.Assume), "RoleSessionName": step.Session}
	if step.SourceIdentity != "" {
		in["SourceIdentity"] = step.SourceIdentity
	}
	input, err := json.Marshal(in)
	if err != nil {
		return err
	}
	out, err := st.invoke(ctx, step, "STS.AssumeRole", input)
	if err != nil {
		return err
	}
	var issued struct {
		Credentials struct{ AccessKeyID string }
	}
	if err := json.Unmarshal(out, &issued); err != nil {
		return fmt.Errorf("read AssumeRole: %w", err)
	}
	st.keys[step.Session] = issued.Credentials.AccessKeyID
	return nil
}

func (st *stage) call(ctx context.Context, step Step) error {
	input, err := step.input()
	if err != nil {
		return err
	}
	out, err := st.invoke(ctx, step, step.Call, st.withKept(input))
	var refusal smithy.APIError
	switch {
	case step.Fails == "":
		return errors.Join(err, st.keep(step, out))
	case errors.As(err, &refusal) && refusal.ErrorCode() == step.Fails:
		return nil
	}
	return fmt.Errorf("%s: want the error %s, got %v", step.Call, step.Fails, err)
}

// keep remembers parts of an answer.
func (st *stage) keep(step Step, answer json.RawMessage) error {
	for name, path := range step.Keep {
		part := answer
		for member := range strings.SplitSeq(path, ".") {
			var all map[string]json.RawMessage
			if err := json.Unmarshal(part, &all); err != nil {
				return fmt.Errorf("keep %s of %s: %w", path, step.Call, err)
			}
			part = all[member]
		}
		var value string
		if err := json.Unmarshal(part, &value); err != nil {
			return fmt.Errorf("keep %s of %s: %w", path, step.Call, err)
		}
		st.kept[name] = value
	}
	return nil
}

func (st *stage) invoke(ctx context.Context, step Step, name string, input json.RawMessage) (json.RawMessage, error) {
	key, ok := st.keys[step.As]
	if !ok {
		return nil, fmt.Errorf("nobody is called %q", step.As)
	}
	account := st.place.Account
	if step.As == outsider {
		account = otherAccount
	}
	region := step.Region
	if region == "" {
		region = st.place.Region
	}
	if step.UserAgent != "" {
		if err := st.sandbox.SetSource(key, sandbox.Source{IP: sourceIP, UserAgent: step.UserAgent}); err != nil {
			return nil, err
		}
	}
	st.requests++
	return st.sandbox.Invoke(ctx, name, input, gate.Request{
		Account: account, Region: region, AccessKeyID: key, UserAgent: userAgent,
		RequestID: fmt.Sprintf("story-%04d", st.requests),
	})
}

// sourceIP is where everybody calls from.
const sourceIP = "198.51.100.7"

// userAgent is the attacker's: a browser, as in the console.
const userAgent = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:128.0) Gecko/20100101 Firefox/128.0"

func (st *stage) answer(ctx context.Context, step Step) error {
	list, err := st.system.Services.Store.List(ctx, incident.Filter{Limit: 1})
	if err != nil || len(list) == 0 {
		return errors.Join(errors.New("no incident to answer"), err)
	}
	who := st.person(step.As)
	switch id := list[0].ID; step.Answer {
	case "ack":
		err = st.system.Acknowledge(ctx, id, who)
	case "undo":
		_, err = st.system.Undo(ctx, id, who)
	case "approve":
		_, err = st.system.Approve(ctx, id, who)
	case "reject":
		err = st.system.Reject(ctx, id, who)
	case string(incident.MineExpected), string(incident.MineMistake), string(incident.NotMe):
		_, err = st.system.Answer(ctx, id, who, incident.Verdict(step.Answer), "")
	default:
		err = fmt.Errorf("no answer %q", step.Answer)
	}
	return step.refusal(err)
}

// refusal turns an expected refusal into none, and one that does not come into an error.
func (st Step) refusal(err error) error {
	if st.Refused == "" {
		return err
	}
	if err == nil || !strings.Contains(err.Error(), st.Refused) {
		return fmt.Errorf("%s by %s: want a refusal with %q, got %v", orDefault(st.Answer, "exception"), st.As, st.Refused, err)
	}
	return nil
}

func (st *stage) person(name string) respond.Answerer {
	return respond.Answerer{Name: name, Names: []string{name, name + "@example.com", st.userARN(name)}, IsKnown: name != "stranger"}
}

// exception adds, approves or ends one; approved and ended is the newest.
func (st *stage) exception(ctx context.Context, step Step) error {
	x, who := step.Exception, st.person(step.As)
	if x.Do == "add" {
		now := st.clock.Now()
		st.requests++
		_, _, err := st.system.AddException(ctx, incident.Exception{
			ID: fmt.Sprintf("exception-%04d", st.requests), Resource: arn.ARN(x.Resource), Events: x.Events, Fields: x.Fields,
			Principals: x.Principals, Until: now.Add(time.Duration(x.For)), Ticket: x.Ticket,
		}, who)
		return err
	}
	all, err := st.db.ListExceptions(ctx, incident.ExceptionFilter{})
	if err != nil || len(all) == 0 {
		return errors.Join(errors.New("no exception to decide about"), err)
	}
	switch id := all[len(all)-1].ID; x.Do {
	case "approve":
		_, _, err = st.system.ApproveException(ctx, id, who)
	case "end":
		_, _, err = st.system.EndException(ctx, id, who)
	default:
		err = fmt.Errorf("exception: cannot %q", x.Do)
	}
	return err
}
