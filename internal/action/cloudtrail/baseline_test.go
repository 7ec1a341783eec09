// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/state"
)

// approve trusts the newest version of the trail.
func (w *world) approve() {
	w.t.Helper()
	s, err := w.db().SnapshotBefore(w.t.Context(), w.arn, w.clock.Now().Add(time.Hour))
	check(w.t, err)
	check(w.t, w.db().TrustSnapshot(w.t.Context(), s.Trusted("carol", "approved", w.clock.Now())))
}

func (w *world) update(in *api.UpdateTrailInput) {
	w.t.Helper()
	in.Name = aws.String("main")
	_, err := w.admin.UpdateTrail(w.t.Context(), in)
	check(w.t, err)
}

// Where no event was seen, an unapproved baseline only puts back what every trail should have; the rest is shown.
func TestAssessWithoutEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		approved                             bool
		damage                               func(w *world)
		verdict, steps, fields, want, whoCan string
	}{
		"approved: all of it": {true, func(w *world) { w.update(updateKey("main", "")) }, "weakened", "update", "KmsKeyId", "snapshot", ""},
		"unapproved: the key is only shown": {
			false, func(w *world) { w.update(updateKey("main", "")) }, "unknown", "", "KmsKeyId", "baseline", "trail baseline diff",
		},
		"unapproved: a stop is undone": {false, func(w *world) { w.stop() }, "stopped", "start", "IsLogging", "baseline", ""},
		"unapproved: both": {
			false, func(w *world) {
				w.stop()
				w.update(&api.UpdateTrailInput{KmsKeyId: aws.String(""), EnableLogFileValidation: aws.Bool(false)})
			}, "stopped", "update start", "IsLogging LogFileValidationEnabled KmsKeyId", "baseline", "trail baseline diff",
		},
		"unapproved and gone: made again": {
			false, func(w *world) { check(w.t, deleteTrail(w, w.admin)) }, "deleted", "create event_selectors insight_selectors start", "", "snapshot", "",
		},
		"unapproved and fine": {false, func(*world) {}, "fine", "", "", "baseline", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newSandbox(t, "eu-west-1")
			w.snapshot()
			if tt.approved {
				w.approve()
			}
			w.clock.Advance(time.Hour)
			tt.damage(w)
			got := do[assessed](w, w.env("assess"), "cloudtrail:AssessTrail", fmt.Sprintf(`{"trail":%q}`, w.arn))
			if got.Verdict != tt.verdict || got.steps() != tt.steps || got.fields() != tt.fields || got.WantSource != tt.want {
				t.Errorf("verdict %s, steps %q, fields %q, want from %s: %s", got.Verdict, got.steps(), got.fields(), got.WantSource, got.Reason)
			}
			if !strings.Contains(got.WhoCan, tt.whoCan) || tt.whoCan == "" && got.WhoCan != "" {
				t.Errorf("who can: %q, want %q", got.WhoCan, tt.whoCan)
			}
		})
	}
}

// What an unapproved baseline does not demand is not put back by the changes either.
func TestRepairOfUnapproved(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Hour)
	w.stop()
	w.update(&api.UpdateTrailInput{KmsKeyId: aws.String(""), EnableLogFileValidation: aws.Bool(false)})
	a := do[assessed](w, w.env("assess"), "cloudtrail:AssessTrail", fmt.Sprintf(`{"trail":%q}`, w.arn))
	if got := w.repair(w.env("repair"), a); got != "UpdateTrail StartLogging" {
		t.Errorf("changed %s", got)
	}
	if now := w.read(); now.KmsKeyId != "" || !now.LogFileValidationEnabled || !now.IsLogging {
		t.Errorf("the trail is %+v, want it validated and logging, and its key left alone", now)
	}
}

// The newest trusted version decides, not a newer one that nobody approved.
func TestTrustedWins(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.approve()
	w.clock.Advance(time.Minute)
	other := w.read()
	other.S3KeyPrefix = "elsewhere"
	check(t, w.db().PutSnapshot(t.Context(), state.Snapshot{
		Resource: w.arn, Kind: state.KindTrail, TakenAt: w.clock.Now(), LastSeenAt: w.clock.Now(), Source: state.SourceRead, Content: other.JSON(),
	}))
	w.clock.Advance(time.Minute)
	check(t, stopLogging(w, w.as("alice")))
	got := w.assess(w.env("assess"), w.lastEvent("StopLogging"))
	if got.Verdict != "stopped" || got.fields() != "IsLogging" || strings.Contains(string(got.Want), "elsewhere") {
		t.Errorf("verdict %s, fields %q, want %s", got.Verdict, got.fields(), got.Want)
	}
}

// A bucket that changed hands gets no log files from us, whichever call would send them there.
func TestNeverTowardsAForeignBucket(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	want := w.db()
	known, err := want.SnapshotBefore(t.Context(), w.arn, w.clock.Now().Add(time.Hour))
	check(t, err)
	w.stop()
	w.loseBucket()
	for id, params := range map[string]string{
		"StartLogging": fmt.Sprintf(`{"trail":%q}`, w.arn),
		"UpdateTrail":  fmt.Sprintf(`{"trail":%q,"want":%s,"revalidate":true}`, w.arn, known.Content),
	} {
		_, err := run(w, w.env(id), "cloudtrail:"+id, params)
		var named *asl.Error
		if !errors.As(err, &named) || named.Name != "Switchback.ForeignBucket" {
			t.Errorf("%s: %v, want a refusal", id, err)
		}
	}
	if w.read().IsLogging {
		t.Error("the trail was started")
	}
}

// loseBucket lets another account make the trail's bucket anew.
func (w *world) loseBucket() {
	w.t.Helper()
	const stranger = "444455556666"
	root, err := w.sandbox.Root(account)
	check(w.t, err)
	owner := s3.NewFromConfig(gate.BackendConfig(w.sandbox, account, w.region, root, "admin"))
	list, err := owner.ListObjectsV2(w.t.Context(), &s3.ListObjectsV2Input{Bucket: &w.bucket})
	check(w.t, err)
	for _, o := range list.Contents {
		_, err := owner.DeleteObject(w.t.Context(), &s3.DeleteObjectInput{Bucket: &w.bucket, Key: o.Key})
		check(w.t, err)
	}
	_, err = owner.DeleteBucket(w.t.Context(), &s3.DeleteBucketInput{Bucket: &w.bucket})
	check(w.t, err)
	check(w.t, w.sandbox.AddAccount(stranger, arn.PartitionOf(w.region).ID, ""))
	other, err := w.sandbox.Root(stranger)
	check(w.t, err)
	w.makeBucket(gate.BackendConfig(w.sandbox, stranger, w.region, other, "admin"), w.bucket)
}

// UpdateTrail sends the call where CloudTrail has to look anew, though nothing was weakened, and once a visit.
func TestRevalidate(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	want := w.read().JSON()
	params := fmt.Sprintf(`{"trail":%q,"want":%s,"revalidate":true}`, w.arn, want)
	if out := do[action.Output](w, w.env("one"), "cloudtrail:UpdateTrail", params); !out.Changed || out.RequestID == "" {
		t.Errorf("output %+v, want a call", out)
	}
	if string(w.read().JSON()) != string(want) {
		t.Errorf("the trail is %s, want it as it was", w.read().JSON())
	}
	params = fmt.Sprintf(`{"trail":%q,"want":%s}`, w.arn, want)
	if out := do[action.Output](w, w.env("two"), "cloudtrail:UpdateTrail", params); !out.Already {
		t.Errorf("output %+v, want nothing sent", out)
	}
}

// reserve makes a reserve bucket, and an environment that knows it.
func (w *world) reserve(visit string) *action.Env {
	env := w.env(visit)
	env.Reserve = action.Reserve{Bucket: w.bucket + "-reserve", Account: account}
	return env
}

func TestEmergencyTrail(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.otherBucket(w.bucket + "-reserve")
	params := fmt.Sprintf(`{"trail":%q}`, w.arn)
	out := do[action.Output](w, w.reserve("one"), "cloudtrail:CreateEmergencyTrail", params)
	var made struct{ TrailARN arn.ARN }
	check(t, json.Unmarshal(out.After, &made))
	if want := arn.Trail("eu-west-1", account, "switchback-emergency-"+string(incidentID)); !out.Changed || made.TrailARN != want {
		t.Fatalf("output %+v, want %s", out, want)
	}
	blinded := w.read()
	w.arn = made.TrailARN
	got := w.read()
	if !got.IsLogging || !got.IsMultiRegionTrail || !got.LogFileValidationEnabled || got.S3BucketName != w.bucket+"-reserve" {
		t.Errorf("the emergency trail is %+v", got)
	}
	if string(mustJSON(t, got.EventSelectors)) != string(mustJSON(t, blinded.EventSelectors)) {
		t.Errorf("it records %+v, want what the other one does: %+v", got.EventSelectors, blinded.EventSelectors)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	check(t, err)
	return b
}

func TestNoEmergencyTrail(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	params := fmt.Sprintf(`{"trail":%q}`, w.arn)
	refused := func(name string, env *action.Env, wantName string, wantCause ...string) {
		t.Helper()
		_, err := run(w, env, "cloudtrail:CreateEmergencyTrail", params)
		var named *asl.Error
		if !errors.As(err, &named) || named.Name != wantName {
			t.Errorf("%s: %v, want %s", name, err, wantName)
			return
		}
		for _, text := range wantCause {
			if !strings.Contains(named.Cause, text) {
				t.Errorf("%s: cause %q lacks %q", name, named.Cause, text)
			}
		}
	}
	refused("no reserve bucket", w.env("none"), "Switchback.NoReserveBucket", "reserve_bucket")
	refused("no such bucket", w.reserve("missing"), "CloudTrail.S3BucketDoesNotExistException")

	w.otherBucket(w.bucket + "-reserve")
	foreign := w.reserve("foreign")
	foreign.Reserve.Account = "444455556666"
	check(t, w.sandbox.AddAccount("444455556666", "aws", ""))
	refused("somebody else's", foreign, "Switchback.ForeignBucket", w.bucket)

	var names []string
	for i := range 4 {
		names = append(names, fmt.Sprintf("more-%d", i))
		w.addTrail(names[i])
	}
	refused("five trails", w.reserve("full"), "CloudTrail.MaximumNumberOfTrailsExceededException", append(names, string(w.arn))...)

	env := w.reserve("nameless")
	env.Incident.ID = ""
	refused("no name", env, "Switchback.InvalidParameters", "name")
}

// An emergency trail that a kill left without being started is started; undone, it is the only one that goes.
func TestEmergencyTrailUndo(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.otherBucket(w.bucket + "-reserve")
	before := w.names()
	do[action.Output](w, w.reserve("one"), "cloudtrail:CreateEmergencyTrail", fmt.Sprintf(`{"trail":%q}`, w.arn))
	records, err := w.db().ListUndos(t.Context(), incidentID)
	check(t, err)
	a, _ := action.Get("cloudtrail:CreateEmergencyTrail")
	for range 2 {
		check(t, a.(action.Undoer).Undo(context.WithoutCancel(t.Context()), w.reserve("undo"), records[0]))
	}
	if got := w.names(); got != before {
		t.Errorf("trails are %s, want %s", got, before)
	}
}

func (w *world) names() string {
	w.t.Helper()
	list, err := w.admin.DescribeTrails(w.t.Context(), &api.DescribeTrailsInput{})
	check(w.t, err)
	var names []string
	for _, t := range list.TrailList {
		names = append(names, aws.ToString(t.Name))
	}
	return strings.Join(names, " ")
}
