// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/switchback-project/switchback/internal/incident"
)

// attack is a way to turn a trail off. It is made through moto's API, and told to Switchback as EventBridge would.
type attack struct {
	name string
	// before changes the trail before Switchback gets to know it.
	before func(*motoWorld)
	do     func(*motoWorld)
	event  string
	// request are the parameters as the event record shows them.
	request  map[string]any
	severity incident.Severity
	// calls are what puts it back, in order.
	calls []string
}

var attacks = []attack{
	{
		name: "StopLogging",
		do: func(w *motoWorld) {
			_, err := w.trails.StopLogging(w.t.Context(), &cloudtrail.StopLoggingInput{Name: aws.String(motoTrail)})
			check(w.t, err)
		},
		event: "StopLogging", request: map[string]any{"name": motoTrail}, severity: incident.Critical,
		calls: []string{"StartLogging"},
	},
	{
		name: "DeleteTrail",
		do: func(w *motoWorld) {
			_, err := w.trails.DeleteTrail(w.t.Context(), &cloudtrail.DeleteTrailInput{Name: aws.String(motoTrail)})
			check(w.t, err)
			if _, exists := w.read(); exists {
				w.t.Fatal("the trail is still there")
			}
		},
		event: "DeleteTrail", request: map[string]any{"name": motoTrail}, severity: incident.Critical,
		calls: []string{"CreateTrail", "PutEventSelectors", "StartLogging"},
	},
	{
		name:  "UpdateTrail: other bucket",
		do:    func(w *motoWorld) { w.update(cloudtrail.UpdateTrailInput{S3BucketName: aws.String(motoOther)}) },
		event: "UpdateTrail", request: map[string]any{"name": motoTrail, "s3BucketName": motoOther}, severity: incident.Critical,
		calls: []string{"UpdateTrail"},
	},
	{
		name: "UpdateTrail: single region",
		do: func(w *motoWorld) {
			w.update(cloudtrail.UpdateTrailInput{IsMultiRegionTrail: aws.Bool(false), IncludeGlobalServiceEvents: aws.Bool(false)})
		},
		event: "UpdateTrail", request: map[string]any{"name": motoTrail, "isMultiRegionTrail": false, "includeGlobalServiceEvents": false},
		severity: incident.Critical, calls: []string{"UpdateTrail"},
	},
	{
		name:  "UpdateTrail: validation off",
		do:    func(w *motoWorld) { w.update(cloudtrail.UpdateTrailInput{EnableLogFileValidation: aws.Bool(false)}) },
		event: "UpdateTrail", request: map[string]any{"name": motoTrail, "enableLogFileValidation": false}, severity: incident.Medium,
		calls: []string{"UpdateTrail"},
	},
	{
		name:  "UpdateTrail: key removed",
		do:    func(w *motoWorld) { w.update(cloudtrail.UpdateTrailInput{KmsKeyId: aws.String("")}) },
		event: "UpdateTrail", request: map[string]any{"name": motoTrail, "kmsKeyId": ""}, severity: incident.Critical,
		calls: []string{"UpdateTrail"},
	},
	{
		name:  "PutEventSelectors: classic",
		do:    func(w *motoWorld) { w.putSelectors(types.ReadWriteTypeReadOnly) },
		event: "PutEventSelectors", severity: incident.Critical, calls: []string{"PutEventSelectors"},
		request: map[string]any{"trailName": motoTrail, "eventSelectors": []any{map[string]any{"readWriteType": "ReadOnly", "includeManagementEvents": true}}},
	},
	{
		name:   "PutEventSelectors: advanced",
		before: func(w *motoWorld) { w.putAdvanced("Management", "Data") },
		do:     func(w *motoWorld) { w.putAdvanced("Data") },
		event:  "PutEventSelectors", severity: incident.Critical, calls: []string{"PutEventSelectors"},
		request: map[string]any{"trailName": motoTrail, "advancedEventSelectors": []any{map[string]any{
			"fieldSelectors": []any{map[string]any{"field": "eventCategory", "equals": []any{"Data"}}},
		}}},
	},
}

// TestServeMoto: the daemon as a process of its own, against an AWS that is not ours.
func TestServeMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: starts a daemon and an account in moto for each case")
	}
	for _, attack := range attacks {
		t.Run(attack.name, func(t *testing.T) {
			w := newMotoWorld(t)
			if attack.before != nil {
				attack.before(w)
			}
			want, _ := w.read()
			w.serve()
			attack.do(w)
			if got, exists := w.read(); exists && cmp.Equal(want, got, ignoreMetadata) {
				t.Fatal("the attack changed nothing")
			}
			event := w.deliverAttack(attack.event, attack.request)
			until(t, "the first proof", func() bool { return w.is(func(i incident.Incident) bool { return !i.Times.Contained.IsZero() }) })
			got, _ := w.read()
			if diff := cmp.Diff(want, got, ignoreMetadata); diff != "" {
				t.Errorf("the trail is not what it was (-want +got):\n%s", diff)
			}
			one := w.prove()
			w.conclude(one)
			judge(t, one, event, attack.severity, attack.calls)
		})
	}
}

var ignoreMetadata = cmp.Options{
	cmpopts.IgnoreUnexported(types.Trail{}, types.EventSelector{}, types.AdvancedEventSelector{},
		types.AdvancedFieldSelector{}, types.DataResource{}, types.Tag{}),
	// The order of selectors means nothing.
	cmpopts.SortSlices(func(a, b types.AdvancedEventSelector) bool {
		return a.FieldSelectors[0].Equals[0] < b.FieldSelectors[0].Equals[0]
	}),
}

// is reports whether there is an incident of which it is so.
func (w *motoWorld) is(so func(incident.Incident) bool) bool {
	all := incidents(w.t, w.config)
	return len(all) > 0 && so(all[0])
}

// prove acts as CloudTrail, and waits for the second proof and the end of the runbook.
func (w *motoWorld) prove() shown {
	w.t.Helper()
	id := incidents(w.t, w.config)[0].ID
	made := calls(w.t, showIncident(w.t, w.config, id))
	if len(made) == 0 {
		w.t.Fatal("no call of ours is on the timeline")
	}
	w.deliverOwn(made[len(made)-1])
	until(w.t, "the second proof", func() bool {
		one := showIncident(w.t, w.config, id)
		return !one.Times.Proven.IsZero() && len(one.Findings["WriteProven"]) > 0
	})
	until(w.t, "the end of the queue", w.queueIsEmpty)
	return showIncident(w.t, w.config, id)
}

// conclude ends the daemon and looks at what it leaves.
func (w *motoWorld) conclude(one shown) {
	w.t.Helper()
	if status := w.daemon.end(); status != exitFine {
		w.t.Errorf("serve ended with exit status %d: %s", status, w.daemon.err.String())
	}
	if all := incidents(w.t, w.config); len(all) != 1 {
		w.t.Errorf("%d incidents, want 1: our own calls start nothing", len(all))
	}
	fine(w.t, "--config", w.config, "ledger", "verify")
	fine(w.t, "--config", w.config, "deadletter", "list")
	if report := fine(w.t, "--config", w.config, "incident", "report", string(one.ID)); !strings.Contains(report, attackerIP) {
		w.t.Errorf("the report does not tell the source address:\n%s", report)
	}
	if n := len(w.posts()); n != 2 {
		w.t.Errorf("%d messages, want one to security and one to alice", n)
	}
}

// judge compares the incident with what happened.
func judge(t *testing.T, one shown, event string, severity incident.Severity, wantCalls []string) {
	t.Helper()
	type facts struct {
		Event, Principal, Human, Status string
		Severity                        incident.Severity
		Outcome                         incident.Outcome
		Resource                        string
		Calls, Problems                 []string
		Open                            int
	}
	got := facts{
		Event: string(one.Events[0]), Principal: one.Who.Principal, Human: one.Who.Human, Status: one.Who.Status,
		Severity: one.Severity, Outcome: one.Key.Outcome, Resource: one.Key.Resource, Open: len(one.Open),
	}
	for _, c := range calls(t, one) {
		got.Calls = append(got.Calls, c.Operation)
	}
	for _, e := range one.Timeline {
		if e.Kind == incident.EntryProblem {
			got.Problems = append(got.Problems, e.Text)
		}
	}
	want := facts{
		Event: event, Principal: attackerSession, Human: "alice", Status: "resolved", Severity: severity,
		Outcome: incident.Succeeded, Resource: motoARN, Calls: wantCalls,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("incident (-want +got):\n%s", diff)
	}
	if len(one.Runs) != 1 || one.Times.HumanReached.IsZero() || one.Times.Reported.IsZero() {
		t.Errorf("%d runs, times %+v; want one run, a human reached and a report", len(one.Runs), one.Times)
	}
	// moto has no Event history: that is a gap in what is known, not a failure.
	var gathered struct{ Gaps []string }
	check(t, json.Unmarshal(one.Findings["Gather"], &gathered))
	if !strings.Contains(strings.Join(gathered.Gaps, "\n"), "Event history of "+motoRegion) {
		t.Errorf("gaps are %q, want that Event history was not searched", gathered.Gaps)
	}
}

// TestKillMoto kills the daemon when AWS has answered and before it could write that down, the worst moment. The daemon
// that comes after it must not do it again, and must not lose sight of it. TestKill does that everywhere, in the sandbox.
func TestKillMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: starts daemons and an account in moto")
	}
	attack := attacks[slices.IndexFunc(attacks, func(a attack) bool { return a.name == "DeleteTrail" })]
	w := newMotoWorld(t)
	counts := w.through()
	want, _ := w.read()
	spec, err := json.Marshal(mortal{Config: w.config, Kind: atWrite, What: "Done", At: 1, Log: filepath.Join(w.dir, "moments")})
	check(t, err)
	w.start(startChild(t, childMortal, w.environment(), string(spec)))
	attack.do(w)
	event := w.deliverAttack(attack.event, attack.request)
	until(t, "the kill", w.daemon.hasEnded)
	if !w.daemon.wasKilled() {
		t.Fatalf("the daemon ended by itself: %s", w.daemon.err.String())
	}
	if half, exists := w.read(); !exists || half.IsLogging {
		t.Errorf("when killed the trail exists: %t, logs: %t; want it created and not started", exists, half.IsLogging)
	}
	w.serve()
	until(t, "the first proof", func() bool { return w.is(func(i incident.Incident) bool { return !i.Times.Contained.IsZero() }) })
	got, _ := w.read()
	if diff := cmp.Diff(want, got, ignoreMetadata); diff != "" {
		t.Errorf("the trail is not what it was (-want +got):\n%s", diff)
	}
	one := w.prove()
	w.conclude(one)
	judge(t, one, event, attack.severity, attack.calls)
	for _, name := range attack.calls {
		if n := counts()[name]; n != 1 {
			t.Errorf("%s was called %d times, want once", name, n)
		}
	}
}
