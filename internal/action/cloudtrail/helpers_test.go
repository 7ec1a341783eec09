// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

const account = "111122223333"

var start = time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)

// clock is simulated time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is an account with a trail, in the sandbox or in moto, and an administrator who acts past the gate.
type world struct {
	t        testing.TB
	region   string
	arn      arn.ARN
	bucket   string
	clock    *clock // nil in moto
	sandbox  *sandbox.Sandbox
	seeded   sandbox.Seeded
	endpoint string
	admin    *api.Client
	stored   *sqlite.DB // opened by db
}

// newSandbox is a seeded sandbox whose trail has something of everything.
func newSandbox(t testing.TB, region string) *world {
	t.Helper()
	c := &clock{now: start}
	s, err := sandbox.New(sandbox.Options{Clock: c.Now})
	check(t, err)
	seeded, err := s.Seed(t.Context(), sandbox.Seed{Region: region})
	check(t, err)
	root, err := s.Root(account)
	check(t, err)
	w := &world{
		t: t, region: region, arn: arn.ARN(seeded.TrailARN), bucket: seeded.Bucket, clock: c, sandbox: s, seeded: seeded,
		admin: api.NewFromConfig(gate.BackendConfig(s, account, region, root, "admin")),
	}
	w.furnish()
	c.Advance(time.Hour)
	return w
}

// newMoto is an emptied moto with a trail like that of the sandbox.
func newMoto(t testing.TB, region string) *world {
	t.Helper()
	endpoint := gatetest.StartMoto(t)
	t.Setenv("AWS_CA_BUNDLE", "") // reading it takes longer than the test
	cfg := gatetest.MotoConfig(t, account, region)
	w := &world{t: t, region: region, arn: arn.Trail(region, account, "main"), bucket: "logs-111122223333", endpoint: endpoint, admin: api.NewFromConfig(cfg)}
	w.makeBucket(cfg, w.bucket)
	w.makeBucket(cfg, "other-444455556666")
	_, err := w.admin.CreateTrail(t.Context(), &api.CreateTrailInput{
		Name: aws.String("main"), S3BucketName: &w.bucket, IsMultiRegionTrail: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
		KmsKeyId: aws.String("arn:aws:kms:" + region + ":" + account + ":key/1111"),
	})
	check(t, err)
	_, err = w.admin.StartLogging(t.Context(), &api.StartLoggingInput{Name: aws.String("main")})
	check(t, err)
	w.furnish()
	return w
}

func (w *world) makeBucket(cfg aws.Config, name string) {
	in := &s3.CreateBucketInput{Bucket: &name}
	if w.region != arn.PartitionOf(w.region).GlobalRegion {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(w.region)}
	}
	_, err := s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }).CreateBucket(w.t.Context(), in)
	check(w.t, err)
}

// furnish gives the trail selectors, Insights and tags.
func (w *world) furnish() {
	ctx := w.t.Context()
	_, err := w.admin.PutEventSelectors(ctx, &api.PutEventSelectorsInput{TrailName: aws.String("main"), EventSelectors: []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeAll, IncludeManagementEvents: aws.Bool(true),
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:" + arn.PartitionOf(w.region).ID + ":s3:::crown-jewels/"}}},
	}}})
	check(w.t, err)
	_, err = w.admin.PutInsightSelectors(ctx, &api.PutInsightSelectorsInput{TrailName: aws.String("main"), InsightSelectors: []types.InsightSelector{{InsightType: types.InsightTypeApiCallRateInsight}}})
	check(w.t, err)
	_, err = w.admin.AddTags(ctx, &api.AddTagsInput{ResourceId: aws.String(string(w.arn)), TagsList: []types.Tag{{Key: aws.String("team"), Value: aws.String("security")}}})
	check(w.t, err)
}

// db is the world's store.
func (w *world) db() *sqlite.DB {
	w.t.Helper()
	if w.stored == nil {
		db, err := sqlite.Open(w.t.Context(), filepath.Join(w.t.TempDir(), "state.db"), sqlite.Options{})
		check(w.t, err)
		w.t.Cleanup(func() { check(w.t, db.Close()) })
		w.stored = db
	}
	return w.stored
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) now() func() time.Time {
	if w.clock == nil {
		return nil
	}
	return w.clock.Now
}

func (w *world) accounts() map[string]gate.Access {
	role := w.seeded.ResponderARN
	if role == "" {
		role = arn.Parts{Partition: arn.PartitionOf(w.region).ID, Service: "iam", AccountID: account, Resource: "role/responder"}.String()
	}
	return map[string]gate.Access{account: {RoleARN: role}}
}

func (w *world) gate() *gate.Gate {
	w.t.Helper()
	o := gate.Options{Region: w.region, Accounts: w.accounts(), Clock: w.now(), Pace: gate.PaceNever}
	if w.sandbox != nil {
		o.Backend = w.sandbox
		o.Sleep = func(_ context.Context, d time.Duration) error { w.clock.Advance(d); return nil }
	} else {
		o.Endpoint, o.Credentials = w.endpoint, credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", "")
	}
	g, err := gate.Open(w.t.Context(), o)
	check(w.t, err)
	return g
}

const incidentID incident.ID = "20260504-cloudtrail-off-1a2b3c4d"

// env is what an action of an incident gets.
func (w *world) env(visit string) *action.Env {
	w.t.Helper()
	door := w.gate().Door(gate.Scope{Incident: string(incidentID), Class: "restore-trail", Mode: gate.Act})
	return &action.Env{
		Services: action.Services{
			Clock: w.now(), Undos: w.db(), Snapshots: w.db(), Timeline: w.db(), History: state.EventHistory{Clock: w.now()},
		},
		Door: door, Incident: incident.Incident{ID: incidentID}, Task: action.Task{Execution: "x", State: visit, ID: visit, Visit: visit},
	}
}

// do runs an action and decodes its output.
func do[R any](w *world, env *action.Env, id, params string) R {
	w.t.Helper()
	raw, err := run(w, env, id, params)
	if err != nil {
		w.t.Fatalf("%s: %v", id, err)
	}
	if len(raw) > 20<<10 {
		w.t.Errorf("%s: the output has %d bytes", id, len(raw))
	}
	var out R
	if err := json.Unmarshal(raw, &out); err != nil {
		w.t.Fatalf("%s: %v in %s", id, err, raw)
	}
	return out
}

func run(w *world, env *action.Env, id, params string) (json.RawMessage, error) {
	w.t.Helper()
	a, ok := action.Get(id)
	if !ok {
		w.t.Fatalf("no action %s", id)
	}
	return a.Run(w.t.Context(), env, json.RawMessage(params))
}

// read is the trail through our own reader.
func (w *world) read() trail.Trail {
	w.t.Helper()
	target, err := trail.TargetOfARN(w.arn)
	check(w.t, err)
	t, _, err := state.ReadTrail(w.t.Context(), w.gate().Door(gate.Scope{}), target)
	check(w.t, err)
	return t
}

// describe is the trail through the SDK alone, as text, "gone" when there is none.
func (w *world) describe() string {
	w.t.Helper()
	ctx, name := w.t.Context(), aws.String(string(w.arn))
	list, err := w.admin.DescribeTrails(ctx, &api.DescribeTrailsInput{})
	check(w.t, err)
	for _, t := range list.TrailList {
		if aws.ToString(t.TrailARN) != string(w.arn) {
			continue
		}
		status, err := w.admin.GetTrailStatus(ctx, &api.GetTrailStatusInput{Name: name})
		check(w.t, err)
		selectors, err := w.admin.GetEventSelectors(ctx, &api.GetEventSelectorsInput{TrailName: name})
		check(w.t, err)
		insights, err := w.admin.GetInsightSelectors(ctx, &api.GetInsightSelectorsInput{TrailName: name})
		if err != nil {
			insights = &api.GetInsightSelectorsOutput{}
		}
		tags, err := w.admin.ListTags(ctx, &api.ListTagsInput{ResourceIdList: []string{*name}})
		check(w.t, err)
		text, err := json.MarshalIndent([]any{
			t, aws.ToBool(status.IsLogging), selectors.EventSelectors, selectors.AdvancedEventSelectors, insights.InsightSelectors, tags.ResourceTagList,
		}, "", " ")
		check(w.t, err)
		return string(text)
	}
	return "gone"
}

// as is a client of a user of the sandbox.
func (w *world) as(user string) *api.Client {
	w.t.Helper()
	creds, err := w.sandbox.Credentials(w.seeded.AccessKeys[user])
	check(w.t, err)
	return api.NewFromConfig(gate.BackendConfig(w.sandbox, account, w.region, creds, "aws-cli/2.17.60"))
}

// lastEvent is the newest record of a call, from Event history.
func (w *world) lastEvent(name string) string {
	w.t.Helper()
	out, err := w.admin.LookupEvents(w.t.Context(), &api.LookupEventsInput{LookupAttributes: []types.LookupAttribute{{
		AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &name,
	}}})
	check(w.t, err)
	if len(out.Events) == 0 {
		w.t.Fatalf("no %s in Event history", name)
	}
	return aws.ToString(out.Events[0].CloudTrailEvent)
}

// event is a made record of a call in moto, which has no Event history.
func (w *world) event(name, parameters string) string {
	at := time.Now().UTC().Add(2 * time.Second).Format(time.RFC3339)
	return `{"eventVersion":"1.11","eventID":"0a6c6a43-0000-4000-8000-000000000002","eventTime":"` + at + `","eventSource":"cloudtrail.amazonaws.com","eventName":"` + name +
		`","awsRegion":"` + w.region + `","recipientAccountId":"` + account + `","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","accessKeyId":"AKIAIOSFODNN7EXAMPLE"},"requestParameters":` + parameters + `,"responseElements":null}`
}

func (w *world) snapshot() {
	w.t.Helper()
	now := time.Now().UTC()
	if w.clock != nil {
		now = w.clock.Now()
	}
	taken, err := state.TakeSnapshots(w.t.Context(), w.gate().Door(gate.Scope{}), account, []string{w.region}, w.db(), now)
	check(w.t, err)
	if len(taken.Snapshots) != 1 || len(taken.Drifts) > 0 {
		w.t.Fatalf("taken: %+v", taken)
	}
}

// snapshotAll takes snapshots however many trails there are.
func (w *world) snapshotAll() {
	w.t.Helper()
	taken, err := state.TakeSnapshots(w.t.Context(), w.gate().Door(gate.Scope{}), account, []string{w.region}, w.db(), w.clock.Now())
	check(w.t, err)
	if len(taken.Gaps) > 0 || len(taken.Drifts) > 0 {
		w.t.Fatalf("taken: %+v", taken)
	}
}

// otherBucket makes one like the trail's, in which every trail of the account may write.
func (w *world) otherBucket(name string) {
	w.t.Helper()
	root, err := w.sandbox.Root(account)
	check(w.t, err)
	cfg := gate.BackendConfig(w.sandbox, account, w.region, root, "admin")
	buckets := s3.NewFromConfig(cfg)
	policy, err := buckets.GetBucketPolicy(w.t.Context(), &s3.GetBucketPolicyInput{Bucket: &w.bucket})
	check(w.t, err)
	w.makeBucket(cfg, name)
	wider := strings.ReplaceAll(*policy.Policy, w.bucket, name)
	_, err = buckets.PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: &name, Policy: &wider})
	check(w.t, err)
}

// addTrail adds a trail like the first one, beside it.
func (w *world) addTrail(name string) {
	w.t.Helper()
	t := w.read()
	other := w.bucket + "-" + name
	w.otherBucket(other)
	_, err := w.admin.CreateTrail(w.t.Context(), &api.CreateTrailInput{Name: &name, S3BucketName: &other, IsMultiRegionTrail: aws.Bool(true)})
	check(w.t, err)
	in := &api.PutEventSelectorsInput{TrailName: &name}
	for _, s := range t.EventSelectors {
		e := types.EventSelector{ReadWriteType: types.ReadWriteType(s.ReadWriteType), IncludeManagementEvents: &s.IncludeManagementEvents}
		for _, d := range s.DataResources {
			e.DataResources = append(e.DataResources, types.DataResource{Type: &d.Type, Values: d.Values})
		}
		in.EventSelectors = append(in.EventSelectors, e)
	}
	_, err = w.admin.PutEventSelectors(w.t.Context(), in)
	check(w.t, err)
	_, err = w.admin.StartLogging(w.t.Context(), &api.StartLoggingInput{Name: &name})
	check(w.t, err)
}

func updateKey(name, key string) *api.UpdateTrailInput {
	return &api.UpdateTrailInput{Name: &name, KmsKeyId: &key}
}
