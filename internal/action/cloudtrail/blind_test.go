// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// TestBlindWindowOfFixedTrail: somebody started the trail again before we looked.
func TestBlindWindowOfFixedTrail(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Minute)
	check(t, stopLogging(w, w.as("alice")))
	lost, event := w.clock.Now(), w.lastEvent("StopLogging")
	w.clock.Advance(5 * time.Second)
	_, err := w.admin.StartLogging(t.Context(), &api.StartLoggingInput{Name: aws.String("main")})
	check(t, err)
	env := w.env("start")
	env.Blind = w.db()
	if got := do[assessed](w, env, "cloudtrail:AssessTrail", `{"event":`+event+`}`); got.Verdict != "fine" {
		t.Errorf("verdict %s", got.Verdict)
	}
	w.checkBlind(incidentID, lost, time.Time{}, time.Time{})
	do[proof](w, env, "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q}`, w.arn))
	w.checkBlind(incidentID, lost, w.clock.Now(), time.Time{})
}

// TestNoBlindWindowBesideAnotherTrail: what another trail records is not lost.
func TestNoBlindWindowBesideAnotherTrail(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.addTrail("second")
	w.snapshotAll()
	w.clock.Advance(time.Minute)
	check(t, stopLogging(w, w.as("alice")))
	env := w.env("start")
	env.Blind = w.db()
	do[assessed](w, env, "cloudtrail:AssessTrail", `{"event":`+w.lastEvent("StopLogging")+`}`)
	windows, err := w.db().ListBlindWindows(t.Context(), incidentID)
	check(t, err)
	for _, b := range windows {
		if !strings.HasPrefix(b.Class, "insight") && b.Region != trail.GlobalServices {
			t.Errorf("%s, %s was not lost", b.Class, b.Region)
		}
	}
}

// checkBlind wants management and data events lost at once, each class once.
func (w *world) checkBlind(id incident.ID, lost, found, proven time.Time) {
	w.t.Helper()
	windows, err := w.db().ListBlindWindows(w.t.Context(), id)
	check(w.t, err)
	classes := map[string]bool{}
	for _, b := range windows {
		if classes[b.Class+b.Region] || !b.Lost.Equal(lost.Truncate(time.Second)) || !b.Found.Equal(found) || !b.Proven.Equal(proven) {
			w.t.Errorf("%s, %s: lost %s, found %s, proven %s, want %s, %s, %s", b.Class, b.Region, b.Lost, b.Found, b.Proven, lost, found, proven)
		}
		classes[b.Class+b.Region] = true
	}
	for _, class := range []string{"management write", "management read", "data write AWS::S3::Object of arn:aws:s3:::crown-jewels/*", "insight ApiCallRateInsight"} {
		if !classes[class+trail.AllRegions] {
			w.t.Errorf("%s is not in the ledger: %v", class, classes)
		}
	}
}
