// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	gocmp "cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/asl"
	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/iam"
	_ "github.com/switchback-project/switchback/internal/action/kms"
	_ "github.com/switchback-project/switchback/internal/action/logs"
	_ "github.com/switchback-project/switchback/internal/action/s3"
	_ "github.com/switchback-project/switchback/internal/action/sns"
	_ "github.com/switchback-project/switchback/internal/action/trail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

const (
	account = "111122223333"
	region  = "eu-west-1"
	topic   = "arn:aws:sns:eu-west-1:111122223333:trail"
	group   = "arn:aws:logs:eu-west-1:111122223333:log-group:trail"
	role    = "arn:aws:iam::111122223333:role/TrailToLogs"
)

// world is an account whose trail depends on one of each kind.
type world struct {
	testing.TB
	box    *sandbox.Sandbox
	seeded sandbox.Seeded
	admin  string // access key
	db     *sqlite.DB
	now    time.Time
	asked  *asked

	exceptions incident.Exceptions
	incident   incident.ID
	snapshots  int // that are taken beside the usual six
}

// asked notes which operations reach AWS.
type asked struct {
	gate.Backend
	mu    sync.Mutex
	calls map[string]bool
}

func (a *asked) Do(ctx context.Context, r gate.Request) (any, error) {
	a.mu.Lock()
	a.calls[r.Service+"."+r.Operation] = true
	a.mu.Unlock()
	return a.Backend.Do(ctx, r)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{TB: t, now: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
	var err error
	w.box, err = sandbox.New(sandbox.Options{Clock: func() time.Time { return w.now }})
	w.check(err)
	w.seeded, err = w.box.Seed(t.Context(), sandbox.Seed{Region: region})
	w.check(err)
	root, err := w.box.Root(account)
	w.check(err)
	w.admin = root.AccessKeyID
	w.db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	w.check(err)
	t.Cleanup(func() { w.check(w.db.Close()) })
	w.asked = &asked{Backend: w.box, calls: map[string]bool{}}
	w.furnish()
	w.now = w.now.Add(time.Hour)
	return w
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// do calls as the administrator.
func (w *world) do(name, input string) {
	w.Helper()
	_, err := w.box.Invoke(w.Context(), name, json.RawMessage(input), gate.Request{
		Account: account, Region: region, AccessKeyID: w.admin, UserAgent: "aws-cli", RequestID: fmt.Sprintf("r-%d", w.now.UnixNano()),
	})
	if err != nil {
		w.Fatalf("%s: %v", name, err)
	}
	w.now = w.now.Add(time.Second)
}

func (w *world) furnish() {
	w.do("SNS.CreateTopic", `{"Name":"trail"}`)
	w.do("SNS.SetTopicAttributes", `{"TopicArn":"`+topic+`","AttributeName":"Policy","AttributeValue":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudtrail.amazonaws.com\"},\"Action\":\"SNS:Publish\",\"Resource\":\"*\"}]}"}`)
	w.do("SNS.Subscribe", `{"TopicArn":"`+topic+`","Protocol":"sqs","Endpoint":"arn:aws:sqs:eu-west-1:111122223333:switchback-events"}`)
	w.do("CloudWatch Logs.CreateLogGroup", `{"LogGroupName":"trail"}`)
	w.do("CloudWatch Logs.PutDataProtectionPolicy", `{"LogGroupIdentifier":"trail","PolicyDocument":"{\"Name\":\"x\",\"Version\":\"2021-06-01\",\"Statement\":[{\"DataIdentifier\":[\"arn:aws:dataprotection::aws:data-identifier/EmailAddress\"],\"Operation\":{\"Deidentify\":{\"MaskConfig\":{}}}}]}"}`)
	w.do("IAM.CreateRole", `{"RoleName":"TrailToLogs","AssumeRolePolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudtrail.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"}`)
	w.do("IAM.PutRolePolicy", `{"RoleName":"TrailToLogs","PolicyName":"deliver","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"logs:PutLogEvents\",\"Resource\":\"*\"}]}"}`)
	w.do("IAM.CreatePolicy", `{"PolicyName":"streams","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"logs:CreateLogStream\",\"Resource\":\"*\"}]}"}`)
	w.do("IAM.AttachRolePolicy", `{"RoleName":"TrailToLogs","PolicyArn":"arn:aws:iam::111122223333:policy/streams"}`)
	w.do("CloudTrail.UpdateTrail", `{"Name":"main","SnsTopicName":"trail","CloudWatchLogsLogGroupArn":"`+group+`:*","CloudWatchLogsRoleArn":"`+role+`"}`)
}

func (w *world) env() *action.Env { return w.envOf(gate.Scope{Mode: gate.Observe}) }

// acting is an env whose changes are made.
func (w *world) acting() *action.Env {
	env := w.envOf(gate.Scope{Incident: "i-1", Action: "restore", Class: "restore-trail", Mode: gate.Act})
	visit := fmt.Sprintf("restore-%d", w.now.UnixNano())
	env.Incident, env.Task = incident.Incident{ID: gocmp.Or(w.incident, "i-1")}, action.Task{Execution: "x", State: visit, ID: visit, Visit: visit}
	return env
}

func (w *world) envOf(scope gate.Scope) *action.Env {
	w.Helper()
	g, err := gate.Open(w.Context(), gate.Options{
		Backend: w.asked, Region: region, Clock: func() time.Time { return w.now }, Pace: gate.PaceNever,
		Accounts: map[string]gate.Access{account: {RoleARN: w.seeded.ResponderARN}},
	})
	w.check(err)
	return &action.Env{
		Services: action.Services{
			Clock: func() time.Time { return w.now }, Snapshots: w.db, Timeline: w.db, Store: w.db, Undos: w.db, Exceptions: w.exceptions, Blind: w.db,
			History: state.EventHistory{Clock: func() time.Time { return w.now }},
		},
		Door:     g.Door(scope),
		Incident: incident.Incident{ID: w.incident},
	}
}

// baseline takes what is there; trusted says whether somebody approves it.
func (w *world) baseline(trusted bool) {
	w.Helper()
	taken, err := state.TakeBaseline(w.Context(), w.env().Door, account, []string{region}, state.Keeper{Into: w.db}, w.now)
	w.check(err)
	if len(taken.Snapshots) != 6+w.snapshots || len(taken.Gaps) > 0 {
		w.Fatalf("taken: %d, gaps %q", len(taken.Snapshots), taken.Gaps)
	}
	for _, s := range taken.Snapshots {
		if trusted {
			w.check(w.db.TrustSnapshot(w.Context(), s.Trusted("carol", "approved", w.now)))
		}
	}
	w.now = w.now.Add(time.Hour)
}

// assessed is what the tests read of the output.
type assessed struct {
	Reason     string    `json:"reason"`
	Trail      string    `json:"trail"`
	Trails     []arn.ARN `json:"trails"`
	Others     []arn.ARN `json:"others"`
	Harmless   bool      `json:"harmless"`
	Planned    bool      `json:"planned"`
	Needed     bool      `json:"needed"`
	Blind      bool      `json:"blind"`
	Left       bool      `json:"left"`
	WrongOwner bool      `json:"wrong_owner"`
	WhoCan     string    `json:"who_can"`
	Called     bool      `json:"called"`
	Writers    []struct {
		EventName string `json:"event_name"`
		Principal string `json:"principal"`
	} `json:"writers"`
	Gaps         []string `json:"gaps"`
	Dependencies []struct {
		Kind        trail.Kind         `json:"kind"`
		Class       string             `json:"class"`
		Needed      bool               `json:"needed"`
		Trusted     bool               `json:"trusted"`
		Differences []trail.Difference `json:"differences"`
	} `json:"dependencies"`
	Restore []struct {
		Kind       trail.Kind `json:"kind"`
		Resource   arn.ARN    `json:"resource"`
		Account    string     `json:"account"`
		BaselineAt time.Time  `json:"baseline_at"`
	} `json:"restore"`
	Trigger struct {
		EventName string `json:"event_name"`
		Failed    bool   `json:"failed"`
	} `json:"trigger"`
	flags map[string]bool
}

// summary is what was found, in one line: what is not fine, and what follows.
func (a assessed) summary() string {
	var out []string
	for _, d := range a.Dependencies {
		if d.Class != "fine" {
			out = append(out, string(d.Kind)+" "+d.Class)
		}
	}
	for name, is := range map[string]bool{
		"needed": a.Needed, "blind": a.Blind, "left": a.Left, "wrong owner": a.WrongOwner, "harmless": a.Harmless,
	} {
		if is {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func (w *world) assess(params string) assessed {
	w.Helper()
	a, ok := action.Get("trail:AssessDependencies")
	if !ok {
		w.Fatal("no such action")
	}
	raw, err := a.Run(w.Context(), w.env(), json.RawMessage(params))
	w.check(err)
	if len(raw) > 40<<10 {
		w.Errorf("the output has %d bytes", len(raw))
	}
	var out assessed
	w.check(json.Unmarshal(raw, &out))
	var flags map[string]any
	w.check(json.Unmarshal(raw, &flags))
	out.flags = map[string]bool{}
	for name, v := range flags {
		if is, ok := v.(bool); ok && strings.HasPrefix(name, "needs_") {
			out.flags[name] = is
		}
	}
	if len(out.flags) != 8 {
		w.Errorf("flags are %v, want one of each kind", out.flags)
	}
	return out
}

// last is the newest record of a call.
func (w *world) last(name string) string {
	w.Helper()
	where := region
	if slices.Contains([]string{"DeleteRolePolicy", "DetachRolePolicy", "UpdateAssumeRolePolicy"}, name) {
		where = "us-east-1"
	}
	records, _, err := state.EventHistory{Clock: func() time.Time { return w.now }}.Lookup(w.Context(), w.env().Door, state.Query{
		Account: account, Region: where, EventNames: []string{name}, From: w.now.Add(-30 * time.Minute),
	})
	w.check(err)
	if len(records) == 0 {
		w.Fatalf("no record of %s", name)
	}
	return string(records[len(records)-1].Raw)
}

func TestAssessDependencies(t *testing.T) {
	for name, tt := range map[string]struct {
		damage   func(w *world)
		event    string
		want     string // approved
		unknown  string // not approved
		flag     string
		restores trail.Kind
	}{
		"a disabled key": {
			func(w *world) { w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`) }, "DisableKey",
			"blind, key restore, needed", "blind, key restore, needed", "needs_key", trail.KindKey,
		},
		"a log group that is gone": {
			func(w *world) { w.do("CloudWatch Logs.DeleteLogGroup", `{"LogGroupName":"trail"}`) }, "DeleteLogGroup",
			"log-group restore, needed", "left, log-group alert", "needs_log_group", trail.KindLogGroup,
		},
		"a topic that is gone": {
			func(w *world) { w.do("SNS.DeleteTopic", `{"TopicArn":"`+topic+`"}`) }, "DeleteTopic",
			"needed, topic restore", "left, topic alert", "needs_topic", trail.KindTopic,
		},
		"a role without its policy": {
			func(w *world) { w.do("IAM.DeleteRolePolicy", `{"RoleName":"TrailToLogs","PolicyName":"deliver"}`) }, "DeleteRolePolicy",
			"needed, role restore", "left, role alert", "needs_role", trail.KindRole,
		},
		"more retention": {
			func(w *world) {
				w.do("CloudWatch Logs.PutRetentionPolicy", `{"LogGroupName":"trail","RetentionInDays":7}`)
			}, "PutRetentionPolicy",
			"log-group restore, needed", "left, log-group alert", "needs_log_group", trail.KindLogGroup,
		},
		"nothing at all": {
			func(w *world) {
				w.do("KMS.PutKeyPolicy", `{"KeyId":"`+w.seeded.KeyARN+`","PolicyName":"default","Policy":`+w.keyPolicy()+`}`)
			}, "PutKeyPolicy", "harmless", "harmless", "", "",
		},
		"taken away and put right by somebody else": {
			func(w *world) {
				w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
				w.do("KMS.EnableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
			}, "DisableKey", "", "", "", "",
		},
	} {
		for _, trusted := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, approved %t", name, trusted), func(t *testing.T) {
				w := newWorld(t)
				w.baseline(trusted)
				tt.damage(w)
				got := w.assess(`{"event":` + w.last(tt.event) + `}`)
				want := tt.want
				if !trusted {
					want = tt.unknown
				}
				if got.summary() != want {
					t.Errorf("found %q, want %q: %s, gaps %q", got.summary(), want, got.Reason, got.Gaps)
				}
				if got.Trail != w.seeded.TrailARN || got.Trigger.EventName != tt.event {
					t.Errorf("about %s and %s", got.Trail, got.Trigger.EventName)
				}
				restores := strings.Contains(want, "restore")
				if restores != got.flags[tt.flag] || restores != (len(got.Restore) == 1 && got.Restore[0].Kind == tt.restores) {
					t.Errorf("flags %v, restore %+v", got.flags, got.Restore)
				}
				if strings.Contains(want, "alert") != strings.Contains(got.WhoCan, "then approve") {
					t.Errorf("who can: %q", got.WhoCan)
				}
			})
		}
	}
}

func (w *world) keyPolicy() string {
	w.Helper()
	raw, err := w.box.Invoke(w.Context(), "KMS.GetKeyPolicy", json.RawMessage(`{"KeyId":"`+w.seeded.KeyARN+`","PolicyName":"default"}`), gate.Request{
		Account: account, Region: region, AccessKeyID: w.admin,
	})
	w.check(err)
	var out struct{ Policy string }
	w.check(json.Unmarshal(raw, &out))
	text, err := json.Marshal(out.Policy)
	w.check(err)
	return string(text)
}

// Everything that is wrong is listed in the order of repair, whichever of it is asked about, or the trail.
func TestOrder(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.do("IAM.DeleteRolePolicy", `{"RoleName":"TrailToLogs","PolicyName":"deliver"}`)
	w.do("SNS.DeleteTopic", `{"TopicArn":"`+topic+`"}`)
	w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	for _, resource := range []string{w.seeded.TrailARN, topic, w.seeded.KeyARN, role} {
		got := w.assess(fmt.Sprintf(`{"resource":%q}`, resource))
		var kinds []trail.Kind
		for _, r := range got.Restore {
			kinds = append(kinds, r.Kind)
			s, err := w.db.SnapshotBefore(t.Context(), r.Resource, r.BaselineAt.Add(time.Nanosecond))
			if err != nil || !s.TakenAt.Equal(r.BaselineAt) || r.Account != account {
				t.Errorf("%s: restore %+v names no version: %v", resource, r, err)
			}
		}
		if diff := cmp.Diff([]trail.Kind{trail.KindKey, trail.KindTopic, trail.KindRole}, kinds); diff != "" {
			t.Errorf("%s: restore (-want +got):\n%s", resource, diff)
		}
	}
}

func TestWrongOwner(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.empty()
	w.do("S3.DeleteBucket", `{"Bucket":"`+w.seeded.Bucket+`"}`)
	if got := w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.TrailARN)); !got.Blind || got.WrongOwner {
		t.Errorf("a bucket that is gone: %s", got.summary())
	}
	w.check(w.box.AddAccount("444455556666", "aws", ""))
	root, err := w.box.Root("444455556666")
	w.check(err)
	_, err = w.box.Invoke(t.Context(), "S3.CreateBucket", json.RawMessage(`{"Bucket":"`+w.seeded.Bucket+`","CreateBucketConfiguration":{"LocationConstraint":"eu-west-1"}}`),
		gate.Request{Account: "444455556666", Region: region, AccessKeyID: root.AccessKeyID})
	w.check(err)
	got := w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.TrailARN))
	if got.summary() != "blind, bucket substitute, left, needed, wrong owner" || len(got.Restore) > 0 || !strings.Contains(got.WhoCan, "another bucket") {
		t.Errorf("a bucket of another account: %s, restore %+v, who can %q", got.summary(), got.Restore, got.WhoCan)
	}
}

func (w *world) empty() {
	w.Helper()
	raw, err := w.box.Invoke(w.Context(), "S3.ListObjectsV2", json.RawMessage(`{"Bucket":"`+w.seeded.Bucket+`"}`), gate.Request{Account: account, Region: region, AccessKeyID: w.admin})
	w.check(err)
	var list struct{ Contents []struct{ Key string } }
	w.check(json.Unmarshal(raw, &list))
	for _, o := range list.Contents {
		w.do("S3.DeleteObject", fmt.Sprintf(`{"Bucket":%q,"Key":%q}`, w.seeded.Bucket, o.Key))
	}
}

// What we may not look at may be blind, and is for a person; what has no baseline is a gap.
func TestUnreadable(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.check(w.box.Deny(account, "kms:DescribeKey"))
	got := w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.KeyARN))
	if got.summary() != "blind, key guide, left, needed" || len(got.Gaps) != 1 || !strings.Contains(got.WhoCan, "root") {
		t.Errorf("a key that we may not look at: %s, gaps %q, who can %q", got.summary(), got.Gaps, got.WhoCan)
	}
}

func TestNoBaseline(t *testing.T) {
	w := newWorld(t)
	got := w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.TrailARN))
	if got.Trail != "" || got.Harmless || got.Needed || len(got.Dependencies) > 0 || got.Reason == "" {
		t.Errorf("without a baseline: %+v", got)
	}
	s := state.Snapshot{
		Resource: arn.ARN(w.seeded.TrailARN), Kind: state.KindTrail, TakenAt: w.now, LastSeenAt: w.now,
		Content: trail.Trail{Name: "main", ARN: arn.ARN(w.seeded.TrailARN), HomeRegion: region, S3BucketName: "x", SnsTopicARN: topic}.JSON(),
	}
	w.check(w.db.PutSnapshot(t.Context(), s))
	if got := w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.TrailARN)); got.Trail != w.seeded.TrailARN || len(got.Gaps) != 2 || got.Needed {
		t.Errorf("with a baseline of the trail alone: %s, gaps %q", got.summary(), got.Gaps)
	}
}

func TestParameters(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	a, _ := action.Get("trail:AssessDependencies")
	for name, params := range map[string]string{
		"nothing": `{}`, "an unknown event": `{"event_id":"e-1"}`, "no event": `{"event":"x"}`, "a strange field": `{"trail":"x"}`,
	} {
		_, err := a.Run(t.Context(), w.env(), json.RawMessage(params))
		var named *asl.Error
		if !errors.As(err, &named) || named.Name != action.ErrorInvalidParameters {
			t.Errorf("%s: %v", name, err)
		}
	}
	// An event of ours is no call: the resource counts.
	_, _, err := w.db.Admit(t.Context(), incident.Candidate{
		Key: incident.Key{Runbook: "x"}, Event: "f-1", OccurredAt: w.now, ReceivedAt: w.now,
		Envelope: json.RawMessage(`{"id":"f-1","source":"switchback","detail-type":"Trail Status","detail":{}}`),
	})
	w.check(err)
	if got := w.assess(`{"event_id":"f-1","resource":"` + w.seeded.KeyARN + `"}`); got.Trail != w.seeded.TrailARN || got.Trigger.EventName != "" {
		t.Errorf("about %+v", got)
	}
	// What an attacker writes into an event costs nothing.
	hostile := fmt.Sprintf(`{"event":{"eventVersion":"1.11","eventID":"e","eventSource":"s3.amazonaws.com","eventName":%q,"awsRegion":"x","requestParameters":{"bucketName":%q}}}`,
		strings.Repeat("\u202e", 50_000), strings.Repeat("b", 50_000))
	if got := w.assess(hostile); got.Trail != "" || got.Harmless || len(got.Trigger.EventName) > 500 {
		t.Errorf("about %+v", got)
	}
}

// A refused call is no harmless one, and nothing else follows from it.
func TestFailedCall(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.do("KMS.PutKeyPolicy", `{"KeyId":"`+w.seeded.KeyARN+`","PolicyName":"default","Policy":`+w.keyPolicy()+`}`)
	r, err := cloudtrail.ParseRecord([]byte(w.last("PutKeyPolicy")))
	w.check(err)
	event := strings.Replace(string(r.Raw), `"eventName"`, `"errorCode":"AccessDenied","eventName"`, 1)
	if got := w.assess(`{"event":` + event + `}`); got.summary() != "" || !got.Trigger.Failed {
		t.Errorf("found %q, %+v", got.summary(), got.Trigger)
	}
}

// What was found without an event was done by somebody: who wrote since may not answer for it.
func TestWriters(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	inc, _, err := w.db.Admit(t.Context(), incident.Candidate{
		Key: incident.Key{Runbook: "x"}, Event: "f-1", OccurredAt: w.now, ReceivedAt: w.now,
		Envelope: json.RawMessage(`{"id":"f-1","source":"switchback","detail-type":"Dependency Status","detail":{}}`),
	})
	w.check(err)
	a, _ := action.Get("trail:AssessDependencies")
	env := w.env()
	env.Incident = inc
	raw, err := a.Run(t.Context(), env, json.RawMessage(`{"event_id":"f-1","resource":"`+w.seeded.KeyARN+`"}`))
	w.check(err)
	var got assessed
	w.check(json.Unmarshal(raw, &got))
	if got.Called || len(got.Writers) != 1 || got.Writers[0].EventName != "DisableKey" || got.Writers[0].Principal != "arn:aws:iam::111122223333:root" {
		t.Errorf("writers are %+v", got.Writers)
	}
	inc, err = w.db.Get(t.Context(), inc.ID)
	w.check(err)
	if !inc.IsOnChain("arn:aws:iam::111122223333:root") {
		t.Errorf("on the chain are %q", inc.Who.Chain)
	}
}

// The action's permissions are those of the calls that it makes.
func TestPermissions(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	w.asked.calls = map[string]bool{}
	w.open(`{"id":"e-1","source":"switchback","detail-type":"Dependency Status","detail":{}}`) // what is lost is written down
	w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.TrailARN))
	// Whose a bucket is that we may not look at is found in the list of our own.
	w.check(w.box.Deny(account, "s3:ListBucket"))
	w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.TrailARN))
	used := map[string]bool{}
	for call := range w.asked.calls {
		service, operation, _ := strings.Cut(call, ".")
		if permission := gate.Permission(service, operation); permission != "sts:AssumeRole" {
			used[permission] = true
		}
	}
	var got []string
	for permission := range used {
		got = append(got, permission)
	}
	slices.Sort(got)
	a, _ := action.Get("trail:AssessDependencies")
	want := slices.Clone(a.Info().Permissions)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("permissions (-listed +used):\n%s", diff)
	}
}
