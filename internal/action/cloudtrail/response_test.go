// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// assessed is what the tests read of AssessTrail's output.
type assessed struct {
	Verdict    string             `json:"verdict"`
	Reason     string             `json:"reason"`
	Trail      string             `json:"trail"`
	Account    string             `json:"account"`
	HomeRegion string             `json:"home_region"`
	Severity   string             `json:"severity"`
	Diffs      []trail.Difference `json:"differences"`
	Want       json.RawMessage    `json:"want"`
	WantSource string             `json:"want_source"`
	Have       json.RawMessage    `json:"have"`
	Steps      map[string]bool    `json:"steps"`
	Repairable bool               `json:"repairable"`
	WhoCan     string             `json:"who_can"`
	Lost       []string           `json:"lost"`
	Gaps       []string           `json:"gaps"`
	Planned    bool               `json:"planned"`
	Trigger    struct {
		EventName string       `json:"event_name"`
		Failed    bool         `json:"failed"`
		Worse     trail.Answer `json:"worse"`
	} `json:"trigger"`
}

func (a assessed) steps() string {
	var out []string
	for _, name := range []string{"create", "update", "event_selectors", "insight_selectors", "tags", "start"} {
		if a.Steps[name] {
			out = append(out, name)
		}
	}
	return strings.Join(out, " ")
}

func (a assessed) fields() string {
	var out []string
	for _, d := range a.Diffs {
		out = append(out, d.Field)
	}
	return strings.Join(out, " ")
}

func (w *world) assess(env *action.Env, event string) assessed {
	w.t.Helper()
	out := do[assessed](w, env, "cloudtrail:AssessTrail", `{"event":`+event+`}`)
	if len(out.Steps) != 6 {
		w.t.Errorf("steps are %v, want all six", out.Steps)
	}
	return out
}

// repair runs the whole row of changes, as a state machine may, and returns those that changed something.
func (w *world) repair(env *action.Env, a assessed) string {
	w.t.Helper()
	var changed []string
	for _, id := range []string{"CreateTrail", "UpdateTrail", "PutEventSelectors", "PutInsightSelectors", "AddTags", "StartLogging"} {
		params := fmt.Sprintf(`{"trail":%q,"want":%s}`, a.Trail, a.Want)
		if id == "StartLogging" {
			params = fmt.Sprintf(`{"trail":%q}`, a.Trail)
		}
		env.Task.Visit = id
		if out := do[action.Output](w, env, "cloudtrail:"+id, params); out.Changed {
			changed = append(changed, id)
		}
	}
	return strings.Join(changed, " ")
}

// attack is a call of an attacker.
type attack struct {
	name string
	call func(w *world, c *api.Client) error
}

func stopLogging(w *world, c *api.Client) error {
	_, err := c.StopLogging(w.t.Context(), &api.StopLoggingInput{Name: aws.String("main")})
	return err
}

func deleteTrail(w *world, c *api.Client) error {
	_, err := c.DeleteTrail(w.t.Context(), &api.DeleteTrailInput{Name: aws.String(string(w.arn))})
	return err
}

func weaken(w *world, c *api.Client) error {
	_, err := c.UpdateTrail(w.t.Context(), &api.UpdateTrailInput{
		Name: aws.String("main"), IsMultiRegionTrail: aws.Bool(false), EnableLogFileValidation: aws.Bool(false), KmsKeyId: aws.String(""),
	})
	return err
}

func dropManagement(w *world, c *api.Client) error {
	_, err := c.PutEventSelectors(w.t.Context(), &api.PutEventSelectorsInput{TrailName: aws.String("main"), EventSelectors: []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeReadOnly, IncludeManagementEvents: aws.Bool(false),
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{}}},
	}}})
	return err
}

func advancedOnlyData(w *world, c *api.Client) error {
	_, err := c.PutEventSelectors(w.t.Context(), &api.PutEventSelectorsInput{TrailName: aws.String("main"), AdvancedEventSelectors: []types.AdvancedEventSelector{{
		FieldSelectors: []types.AdvancedFieldSelector{
			{Field: aws.String("eventCategory"), Equals: []string{"Data"}},
			{Field: aws.String("resources.type"), Equals: []string{"AWS::S3::Object"}},
		},
	}}})
	return err
}

var attacks = []struct {
	attack
	event, verdict, severity, fields, steps string
}{
	{attack{"stop", stopLogging}, "StopLogging", "stopped", "critical", "IsLogging", "start"},
	{attack{"delete", deleteTrail}, "DeleteTrail", "deleted", "critical", "", "create event_selectors insight_selectors start"},
	{attack{"weaken", weaken}, "UpdateTrail", "weakened", "critical", "IsMultiRegionTrail LogFileValidationEnabled KmsKeyId", "update"},
	{attack{"drop management events", dropManagement}, "PutEventSelectors", "weakened", "critical", "EventSelectors", "event_selectors"},
	{attack{"advanced selectors", advancedOnlyData}, "PutEventSelectors", "weakened", "critical", "EventSelectors", "event_selectors"},
}

func TestAttacksAreUndone(t *testing.T) {
	for _, region := range []string{"eu-west-1", "us-gov-west-1", "cn-north-1"} {
		for _, source := range []string{"snapshot", "events"} {
			if source == "events" && region != "eu-west-1" {
				continue // nothing in it depends on the partition that the snapshot's way has not
			}
			for _, tc := range attacks {
				t.Run(region+" "+source+" "+tc.name, func(t *testing.T) {
					w := newSandbox(t, region)
					if source == "snapshot" {
						w.snapshot()
						w.clock.Advance(time.Hour)
					}
					before := w.describe()
					check(t, tc.call(w, w.as("alice")))
					env, event := w.env("assess"), w.lastEvent(tc.event)
					got := w.assess(env, event)
					if got.Verdict != tc.verdict || got.Severity != tc.severity || got.fields() != tc.fields || got.steps() != tc.steps || !got.Repairable || got.WantSource != source {
						t.Errorf("assessment is %+v\nwant %+v from %s", got, tc, source)
					}
					if got.Trigger.Worse != trail.Yes || got.Trail != string(w.arn) || got.HomeRegion != region || got.Account != account {
						t.Errorf("trigger %+v on %s of %s in %s", got.Trigger, got.Trail, got.Account, got.HomeRegion)
					}
					w.repair(env, got)
					if diff := cmp.Diff(before, w.describe()); diff != "" {
						t.Errorf("the trail after the repair (-want +got):\n%s", diff)
					}
					proof := do[proof](w, env, "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q,"want":%s}`, got.Trail, got.Want))
					if !proof.Accepted {
						t.Errorf("not accepted: %+v", proof)
					}
					if again := w.assess(env, event); again.Verdict != "fine" {
						t.Errorf("after the repair the verdict is %+v", again)
					}
				})
			}
		}
	}
}

type proof struct {
	Accepted bool `json:"accepted"`
	Checks   []struct {
		Name, Found string
		OK          bool
	} `json:"checks"`
	Reason string   `json:"reason"`
	Gaps   []string `json:"gaps"`
}

// wrong are the names of the checks that failed.
func (p proof) wrong() string {
	var out []string
	for _, c := range p.Checks {
		if !c.OK {
			out = append(out, c.Name)
		}
	}
	return strings.Join(out, " ")
}

func TestAttacksAreUndoneInMoto(t *testing.T) {
	for _, tc := range attacks {
		t.Run(tc.name, func(t *testing.T) {
			w := newMoto(t, "eu-west-1")
			w.snapshot()
			parameters := `{"name":"main"}`
			if tc.event == "PutEventSelectors" {
				parameters = `{"trailName":"main"}`
			}
			// moto finds a trail to delete by its name only.
			if tc.event == "DeleteTrail" {
				_, err := w.admin.DeleteTrail(t.Context(), &api.DeleteTrailInput{Name: aws.String("main")})
				check(t, err)
			} else {
				check(t, tc.call(w, w.admin))
			}
			env := w.env("assess")
			got := w.assess(env, w.event(tc.event, parameters))
			if got.Verdict != tc.verdict || got.Severity != tc.severity || got.fields() != tc.fields || !got.Repairable {
				t.Errorf("assessment is %+v\nwant %+v", got, tc)
			}
			w.repair(env, got)
			want, have := w.wanted(got), w.read()
			if weaker := trail.Weakened(want, have); len(weaker) > 0 {
				t.Errorf("still weaker: %+v", weaker)
			}
		})
	}
}

func (w *world) wanted(a assessed) trail.Trail {
	w.t.Helper()
	var t trail.Trail
	check(w.t, json.Unmarshal(a.Want, &t))
	t.IsLogging = true
	return t
}

func TestAssessWithoutEventHistoryInMoto(t *testing.T) {
	w := newMoto(t, "eu-west-1")
	check(t, weaken(w, w.admin))
	got := w.assess(w.env("assess"), w.event("UpdateTrail", `{"name":"main","isMultiRegionTrail":false}`))
	if got.Verdict != "unknown" || got.WantSource != "baseline" || got.Repairable || got.WhoCan == "" {
		t.Errorf("assessment is %+v, want unknown with a suggestion", got)
	}
	if !slices.ContainsFunc(got.Gaps, func(g string) bool { return strings.Contains(g, "was not searched to the end") }) {
		t.Errorf("gaps are %q, want the missing Event history among them", got.Gaps)
	}
}

func TestNothingIsInvented(t *testing.T) {
	for _, tc := range []struct {
		attack
		event, source, steps string
	}{
		{attack{"delete", deleteTrail}, "DeleteTrail", "none", ""},
		{attack{"weaken", weaken}, "UpdateTrail", "baseline", ""},
		{attack{"drop management events", dropManagement}, "PutEventSelectors", "baseline", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newSandbox(t, "eu-west-1")
			check(t, tc.call(w, w.as("alice")))
			env := w.env("assess")
			env.History = nil
			got := w.assess(env, w.lastEvent(tc.event))
			if got.Verdict != "unknown" || got.Repairable || got.WhoCan == "" || got.WantSource != tc.source || got.steps() != tc.steps || got.Severity != "critical" {
				t.Errorf("assessment is %+v", got)
			}
			if tc.source == "none" {
				if string(got.Want) != "{}" {
					t.Errorf("want is %s, want nothing", got.Want)
				}
				_, err := run(w, env, "cloudtrail:CreateTrail", fmt.Sprintf(`{"trail":%q,"want":{}}`, got.Trail))
				var named *asl.Error
				if !errors.As(err, &named) || named.Name != action.ErrorInvalidParameters {
					t.Errorf("creating from nothing: %v", err)
				}
			}
		})
	}
}

// TestStopNeedsNoConfiguration: a stopped trail starts again even where nothing is known about it.
func TestStopNeedsNoConfiguration(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	check(t, stopLogging(w, w.as("alice")))
	env := w.env("assess")
	env.History, env.Snapshots = nil, nil
	got := w.assess(env, w.lastEvent("StopLogging"))
	if got.Verdict != "stopped" || got.steps() != "start" || !got.Repairable || string(got.Want) != "{}" || got.Severity != "critical" {
		t.Errorf("assessment is %+v", got)
	}
	env.Task.Visit = "start"
	do[action.Output](w, env, "cloudtrail:StartLogging", fmt.Sprintf(`{"trail":%q}`, got.Trail))
	if p := do[proof](w, env, "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q,"want":{}}`, got.Trail)); !p.Accepted {
		t.Errorf("not accepted: %+v", p)
	}
}

// TestWeakenedThenDeleted: what the same session changed just before does not become the trail's former configuration.
func TestWeakenedThenDeleted(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	before := w.describe()
	check(t, weaken(w, w.as("alice")))
	w.clock.Advance(time.Minute)
	check(t, deleteTrail(w, w.as("alice")))
	env := w.env("assess")
	got := w.assess(env, w.lastEvent("DeleteTrail"))
	if !slices.ContainsFunc(got.Gaps, func(g string) bool { return strings.Contains(g, "under suspicion") }) {
		t.Errorf("gaps are %q, want the call that was passed over", got.Gaps)
	}
	w.repair(env, got)
	if diff := cmp.Diff(before, w.describe()); diff != "" {
		t.Errorf("the trail after the repair (-want +got):\n%s", diff)
	}
}

func TestFineTrails(t *testing.T) {
	for _, tc := range []struct {
		attack
		event  string
		worse  trail.Answer
		failed bool
	}{
		{attack{"a harmless update", func(w *world, c *api.Client) error {
			_, err := c.UpdateTrail(w.t.Context(), &api.UpdateTrailInput{Name: aws.String("main"), EnableLogFileValidation: aws.Bool(true), S3BucketName: &w.bucket})
			return err
		}}, "UpdateTrail", trail.No, false},
		{attack{"a failed stop", func(w *world, c *api.Client) error {
			check(w.t, w.sandbox.Deny("arn:aws:iam::"+account+":user/alice", "cloudtrail:StopLogging"))
			if err := stopLogging(w, c); err == nil {
				return errors.New("the stop was to be denied")
			}
			return nil
		}}, "StopLogging", trail.Yes, true},
		{attack{"stopped and started by others", func(w *world, c *api.Client) error {
			if err := stopLogging(w, c); err != nil {
				return err
			}
			_, err := w.admin.StartLogging(w.t.Context(), &api.StartLoggingInput{Name: aws.String("main")})
			return err
		}}, "StopLogging", trail.Yes, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newSandbox(t, "eu-west-1")
			w.snapshot()
			w.clock.Advance(time.Minute)
			check(t, tc.call(w, w.as("alice")))
			got := w.assess(w.env("assess"), w.lastEvent(tc.event))
			if got.Verdict != "fine" || got.steps() != "" || got.Trigger.Worse != tc.worse || got.Trigger.Failed != tc.failed || got.Severity != "low" {
				t.Errorf("assessment is %+v", got)
			}
		})
	}
}

func TestSecondaryTrailIsMedium(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.addTrail("second")
	w.snapshotAll()
	w.clock.Advance(time.Minute)
	_, err := w.as("alice").StopLogging(t.Context(), &api.StopLoggingInput{Name: aws.String("second")})
	check(t, err)
	got := w.assess(w.env("assess"), w.lastEvent("StopLogging"))
	if got.Verdict != "stopped" || got.Severity != "medium" || len(got.Lost) > 0 {
		t.Errorf("assessment is %+v, want stopped and medium", got)
	}
}

// TestForeignTrail: a trail of an account that is not configured is named, with who can repair it.
func TestForeignTrail(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	event := strings.Replace(w.event("StopLogging", `{"name":"arn:aws:cloudtrail:eu-central-1:444455556666:trail/org"}`), `"recipientAccountId":"111122223333"`, `"recipientAccountId":"444455556666"`, 1)
	check(t, w.sandbox.AddAccount("444455556666", "aws", ""))
	got := w.assess(w.env("assess"), event)
	if got.Verdict != "foreign" || got.Repairable || got.Account != "444455556666" || got.HomeRegion != "eu-central-1" || got.Severity != "critical" {
		t.Errorf("assessment is %+v", got)
	}
	for _, want := range []string{"444455556666", "eu-central-1", "start-logging"} {
		if !strings.Contains(got.WhoCan, want) {
			t.Errorf("who can: %q lacks %q", got.WhoCan, want)
		}
	}
}

// TestLargeConfiguration goes by reference and still comes back whole.
func TestLargeConfiguration(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	var values []string
	for i := range 240 {
		values = append(values, fmt.Sprintf("arn:aws:s3:::a-bucket-with-a-rather-long-name-%03d/", i))
	}
	_, err := w.admin.PutEventSelectors(t.Context(), &api.PutEventSelectorsInput{TrailName: aws.String("main"), EventSelectors: []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: values}},
	}}})
	check(t, err)
	for _, source := range []string{"events", "snapshot"} {
		if source == "snapshot" {
			w.snapshot()
		}
		w.clock.Advance(time.Minute)
		before := w.describe()
		check(t, deleteTrail(w, w.as("alice")))
		env := w.env("assess " + source)
		got := w.assess(env, w.lastEvent("DeleteTrail"))
		if !strings.HasPrefix(string(got.Want), `{"Snapshot":`) {
			t.Errorf("%s: want is %s, want a reference", source, got.Want)
		}
		w.repair(env, got)
		if diff := cmp.Diff(before, w.describe()); diff != "" {
			t.Errorf("%s: the trail after the repair (-want +got):\n%s", source, diff)
		}
		w.stored = nil
	}
}

func TestProofs(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Minute)
	check(t, stopLogging(w, w.as("alice")))
	event := w.lastEvent("StopLogging")
	admitted, _, err := w.db().Admit(t.Context(), incident.Candidate{
		Key:   incident.Key{Runbook: "cloudtrail-off", Account: account, Resource: string(w.arn), EventName: "StopLogging", Outcome: incident.Succeeded},
		Event: "0a6c6a43-0000-4000-8000-000000000002", Envelope: json.RawMessage(event), OccurredAt: w.clock.Now(), ReceivedAt: w.clock.Now(),
	})
	check(t, err)
	w.clock.Advance(20 * time.Second)
	env := w.env("start")
	env.Incident, env.Store, env.Timeline, env.Blind = admitted, w.db(), w.db(), w.db()
	got := do[assessed](w, env, "cloudtrail:AssessTrail", `{"event_id":"0a6c6a43-0000-4000-8000-000000000002"}`)
	do[assessed](w, env, "cloudtrail:AssessTrail", `{"event_id":"0a6c6a43-0000-4000-8000-000000000002"}`)
	lost := w.clock.Now().Add(-20 * time.Second)
	w.checkBlind(admitted.ID, lost, time.Time{}, time.Time{})
	do[action.Output](w, env, "cloudtrail:StartLogging", fmt.Sprintf(`{"trail":%q}`, got.Trail))
	if p := do[proof](w, env, "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q,"want":%s}`, got.Trail, got.Want)); !p.Accepted || p.wrong() != "" {
		t.Errorf("not accepted: %+v", p)
	}
	contained := w.clock.Now()
	w.checkBlind(admitted.ID, lost, contained, time.Time{})
	do[assessed](w, env, "cloudtrail:AssessTrail", `{"event_id":"0a6c6a43-0000-4000-8000-000000000002"}`) // run again, it is fine
	w.checkBlind(admitted.ID, lost, contained, time.Time{})
	early := do[delivered](w, env, "cloudtrail:ProveDelivering", fmt.Sprintf(`{"trail":%q}`, got.Trail))
	if early.Delivered || early.Blind.Proven || early.Blind.Seconds != 20 {
		t.Errorf("before any delivery: %+v", early)
	}
	w.clock.Advance(6 * time.Minute)
	late := do[delivered](w, env, "cloudtrail:ProveDelivering", fmt.Sprintf(`{"trail":%q}`, got.Trail))
	if !late.Delivered || late.EventName != "StartLogging" || !strings.HasPrefix(late.File, "s3://"+w.bucket+"/AWSLogs/"+account+"/CloudTrail/eu-west-1/") || !late.Blind.Proven || late.Blind.Seconds != 20 {
		t.Errorf("after the delivery: %+v", late)
	}
	w.checkTimes(admitted.ID, contained, w.clock.Now())
	w.checkBlind(admitted.ID, lost, contained, w.clock.Now())
}

func (w *world) checkTimes(id incident.ID, contained, proven time.Time) {
	w.t.Helper()
	inc, err := w.db().Get(w.t.Context(), id)
	check(w.t, err)
	if !inc.Times.Contained.Equal(contained) || !inc.Times.Proven.Equal(proven) {
		w.t.Errorf("contained at %s and proven at %s, want %s and %s", inc.Times.Contained, inc.Times.Proven, contained, proven)
	}
	entries, err := w.db().Entries(w.t.Context(), id)
	check(w.t, err)
	proofs := slices.DeleteFunc(entries, func(e incident.Entry) bool { return e.Kind != incident.EntryProof })
	if len(proofs) != 2 {
		w.t.Errorf("the timeline has the proofs %+v, want two", proofs)
	}
}

type delivered struct {
	Delivered bool     `json:"delivered"`
	Reason    string   `json:"reason"`
	File      string   `json:"file"`
	EventName string   `json:"event_name"`
	Checked   int      `json:"files_checked"`
	Gaps      []string `json:"gaps"`
	Blind     struct {
		Seconds int64
		Proven  bool
	} `json:"blind"`
}

// TestOthersCallsProveNothing: a log file with the attacker's own StartLogging is no proof of ours.
func TestOthersCallsProveNothing(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	check(t, stopLogging(w, w.as("alice")))
	w.clock.Advance(time.Second)
	_, err := w.as("alice").StartLogging(t.Context(), &api.StartLoggingInput{Name: aws.String("main")})
	check(t, err)
	w.clock.Advance(10 * time.Minute)
	env := w.env("prove")
	env.Incident.ID = "" // outside of an incident the proof is always our own call
	got := do[delivered](w, env, "cloudtrail:ProveDelivering", fmt.Sprintf(`{"trail":%q}`, w.arn))
	if got.Delivered || got.Checked == 0 {
		t.Errorf("proof is %+v, want files looked at and none taken", got)
	}
}

func TestNotAccepted(t *testing.T) {
	for _, tc := range []struct {
		name, wrong string
		damage      func(w *world)
	}{
		{"stopped", "logging", func(w *world) { w.stop() }},
		{"weakened", "configuration", func(w *world) { check(w.t, weaken(w, w.admin)) }},
		{"selectors", "selectors", func(w *world) { check(w.t, dropManagement(w, w.admin)) }},
		{"key disabled", "key", func(w *world) {
			root, err := w.sandbox.Root(account)
			check(w.t, err)
			_, err = kms.NewFromConfig(gate.BackendConfig(w.sandbox, account, w.region, root, "")).DisableKey(w.t.Context(), &kms.DisableKeyInput{KeyId: &w.seeded.KeyARN})
			check(w.t, err)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := newSandbox(t, "eu-west-1")
			want := w.read()
			want.S3BucketOwner = account
			tc.damage(w)
			got := do[proof](w, w.env("prove"), "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q,"want":%s}`, w.arn, want.JSON()))
			if got.Accepted || got.wrong() != tc.wrong || got.Reason == "" {
				t.Errorf("proof is %+v, want %q to be wrong", got, tc.wrong)
			}
		})
	}
	t.Run("bucket of another owner", func(t *testing.T) {
		w := newSandbox(t, "eu-west-1")
		want := w.read()
		want.S3BucketOwner = "444455556666"
		got := do[proof](w, w.env("prove"), "cloudtrail:ProveAccepted", fmt.Sprintf(`{"trail":%q,"want":%s}`, w.arn, want.JSON()))
		if got.wrong() != "bucket" {
			t.Errorf("proof is %+v, want the bucket to be wrong", got)
		}
	})
}

func TestGather(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.snapshot()
	w.clock.Advance(time.Minute)
	check(t, stopLogging(w, w.as("alice")))
	w.clock.Advance(time.Minute)
	_, err := w.admin.StartLogging(t.Context(), &api.StartLoggingInput{Name: aws.String("main")})
	check(t, err)
	w.clock.Advance(time.Minute)
	check(t, deleteTrail(w, w.as("alice")))
	got := do[struct {
		Event struct {
			EventName, Principal, UserAgent string
			SourceIP                        string `json:"source_ip"`
			EventID                         string `json:"event_id"`
		} `json:"event"`
		Before, After json.RawMessage
		Attempts      []struct {
			EventName string `json:"event_name"`
		}
		AttemptsTotal int `json:"attempts_total"`
		Session       []struct {
			EventName string `json:"event_name"`
		}
		Gaps []string
	}](w, w.env("gather"), "cloudtrail:Gather", `{"event":`+w.lastEvent("DeleteTrail")+`}`)
	if !strings.Contains(got.Event.Principal, "user/alice") || got.Event.EventID == "" || got.Event.SourceIP == "" {
		t.Errorf("event is %+v", got.Event)
	}
	if !strings.Contains(string(got.Before), `"TrailARN":"`+string(w.arn)) || string(got.After) != "{}" {
		t.Errorf("before %s\nafter %s", got.Before, got.After)
	}
	var attempts, session []string
	for _, a := range got.Attempts {
		attempts = append(attempts, a.EventName)
	}
	for _, s := range got.Session {
		session = append(session, s.EventName)
	}
	if got.AttemptsTotal != len(attempts) || !slices.Contains(attempts, "StopLogging") || slices.Contains(attempts, "DeleteTrail") {
		t.Errorf("attempts are %q of %d", attempts, got.AttemptsTotal)
	}
	if diff := cmp.Diff([]string{"StopLogging"}, session); diff != "" {
		t.Errorf("the session's other calls (-want +got):\n%s", diff)
	}
}

func TestEventsOfTheWrongKind(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	env := w.env("assess")
	for name, params := range map[string]string{
		"nothing":          `{}`,
		"unknown event":    `{"event_id":"nobody-knows"}`,
		"not about trails": `{"event":{"eventName":"RunInstances","eventSource":"ec2.amazonaws.com","eventTime":"2026-05-04T10:00:00Z","eventID":"x"}}`,
		"not an event":     `{"event":{"hello":"world"}}`,
		"not a trail":      `{"trail":"arn:aws:s3:::bucket"}`,
	} {
		_, err := run(w, env, "cloudtrail:AssessTrail", params)
		var named *asl.Error
		if !errors.As(err, &named) || named.Name != action.ErrorInvalidParameters {
			t.Errorf("%s: %v, want %s", name, err, action.ErrorInvalidParameters)
		}
	}
}

func TestErrorsAreNamedAsStepFunctionsNamesThem(t *testing.T) {
	w := newSandbox(t, "eu-west-1")
	w.stop()
	gone := strings.Replace(string(w.arn), "trail/main", "trail/gone", 1)
	_, err := run(w, w.env("a"), "cloudtrail:StartLogging", fmt.Sprintf(`{"trail":%q}`, gone))
	var named *asl.Error
	if !errors.As(err, &named) || named.Name != "CloudTrail.TrailNotFoundException" {
		t.Errorf("error is %v, want CloudTrail.TrailNotFoundException", err)
	}
	check(t, w.sandbox.Deny(w.seeded.ResponderARN, "cloudtrail:StartLogging"))
	_, err = run(w, w.env("b"), "cloudtrail:StartLogging", fmt.Sprintf(`{"trail":%q}`, w.arn))
	if !errors.As(err, &named) || named.Name != "CloudTrail.AccessDeniedException" || !action.IsDenied(err) {
		t.Errorf("error is %v, want CloudTrail.AccessDeniedException", err)
	}
}
