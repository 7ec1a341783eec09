// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// widen makes the trail weaker in a way that somebody may approve of.
func widen(w *world, c *api.Client) error {
	_, err := c.UpdateTrail(w.t.Context(), &api.UpdateTrailInput{Name: aws.String("main"), KmsKeyId: aws.String("")})
	return err
}

// TestOldEventBringsNothingBack: an event that comes late, or an old log file that is delivered again, does not bring back
// what the trail was before a change that a person approved since.
func TestOldEventBringsNothingBack(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Hour)
	check(t, widen(w, w.admin))
	event := w.lastEvent("UpdateTrail")
	w.clock.Advance(time.Hour)
	approved := w.read()
	approved.S3BucketOwner = account
	check(t, w.db().PutSnapshot(t.Context(), state.Snapshot{
		Resource: w.arn, Kind: state.KindTrail, Source: state.SourceApproved, Content: approved.JSON(), TakenAt: w.clock.Now(), LastSeenAt: w.clock.Now(),
	}))
	w.clock.Advance(time.Hour)
	if got := w.assess(w.env("assess"), event); got.Verdict != "fine" || got.WantSource != "approved" || got.steps() != "" {
		t.Errorf("verdict %s by %s with steps %q; want the approved configuration to count", got.Verdict, got.WantSource, got.steps())
	}
}

// TestStaleEventOnlySuggests: where nothing but past calls is known, a day-old event repairs nothing by itself.
func TestStaleEventOnlySuggests(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	check(t, weaken(w, w.as("alice")))
	event := w.lastEvent("UpdateTrail")
	if got := w.assess(w.env("assess"), event); got.Verdict != "weakened" || !got.Repairable {
		t.Fatalf("assessed at once: %+v", got)
	}
	w.clock.Advance(25 * time.Hour)
	got := w.assess(w.env("later"), event)
	if got.Verdict != "unknown" || got.Repairable || got.WhoCan == "" || !strings.Contains(strings.Join(got.Gaps, "|"), "old") {
		t.Errorf("assessed a day later: %+v", got)
	}
}

// TestRemadeByTheAttacker: whoever deletes the trail, makes a lesser one of its name and deletes that too does not thereby
// say what to restore.
func TestRemadeByTheAttacker(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	want := w.describe()
	check(t, deleteTrail(w, w.as("alice")))
	w.clock.Advance(time.Minute)
	_, err := w.as("alice").CreateTrail(t.Context(), &api.CreateTrailInput{Name: aws.String("main"), S3BucketName: aws.String(w.bucket)})
	check(t, err)
	w.clock.Advance(time.Minute)
	check(t, deleteTrail(w, w.as("alice")))
	env := w.env("assess")
	got := w.assess(env, w.lastEvent("DeleteTrail"))
	if got.Verdict != "deleted" || !got.Repairable {
		t.Fatalf("assessment is %+v", got)
	}
	w.repair(env, got)
	if diff := cmp.Diff(want, w.describe()); diff != "" {
		t.Errorf("the trail after the repair (-want +got):\n%s", diff)
	}
}

// TestBucketThatChangedHands: log files are not sent into a bucket that belongs to somebody else by now.
func TestBucketThatChangedHands(t *testing.T) {
	for name, attack := range map[string]attack{"CreateTrail": {call: deleteTrail}, "UpdateTrail": {call: weaken}} {
		t.Run(name, func(t *testing.T) {
			w := newSandbox(t, "eu-west-1")
			want := w.read()
			want.S3BucketOwner = "444455556666"
			check(t, attack.call(w, w.as("alice")))
			before := w.describe()
			_, err := run(w, w.env("repair"), "cloudtrail:"+name, fmt.Sprintf(`{"trail":%q,"want":%s}`, w.arn, want.JSON()))
			var named *asl.Error
			if !errors.As(err, &named) || named.Name != action.ErrorForeignBucket || !strings.Contains(named.Cause, "444455556666") {
				t.Errorf("got %v, want a refusal that names the owner", err)
			}
			if diff := cmp.Diff(before, w.describe()); diff != "" {
				t.Errorf("the trail was changed (-before +after):\n%s", diff)
			}
		})
	}
}

// TestOmittedParameters: a call so large that CloudTrail leaves its parameters out still finds its trail.
func TestOmittedParameters(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Minute)
	want := w.describe()
	check(t, dropManagement(w, w.as("alice")))
	var record map[string]any
	check(t, json.Unmarshal([]byte(w.lastEvent("PutEventSelectors")), &record))
	record["requestParameters"], record["responseElements"] = map[string]bool{"omitted": true}, nil
	event, err := json.Marshal(record)
	check(t, err)
	env := w.env("assess")
	got := w.assess(env, string(event))
	if got.Verdict != "weakened" || got.Trail != string(w.arn) || got.Trigger.Worse != trail.Unclear {
		t.Fatalf("assessment is %+v", got)
	}
	w.repair(env, got)
	if diff := cmp.Diff(want, w.describe()); diff != "" {
		t.Errorf("the trail after the repair (-want +got):\n%s", diff)
	}
}
