// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

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

const (
	account = "111122223333"
	member  = "444455556666"
)

// world is a seeded sandbox, a door into it and its administrator.
type world struct {
	t      testing.TB
	s      *sandbox.Sandbox
	seeded sandbox.Seeded
	target trail.Target
	door   *gate.Door
	admin  *api.Client
	now    time.Time
}

func newWorld(t testing.TB, region string) *world {
	t.Helper()
	w := &world{t: t, now: time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC)}
	var err error
	w.s, err = sandbox.New(sandbox.Options{Clock: func() time.Time { return w.now }})
	check(t, err)
	w.seeded, err = w.s.Seed(t.Context(), sandbox.Seed{Region: region})
	check(t, err)
	w.target, err = trail.TargetOfARN(arn.ARN(w.seeded.TrailARN))
	check(t, err)
	w.door = w.open(map[string]gate.Access{account: {RoleARN: w.seeded.ResponderARN}})
	w.admin = api.NewFromConfig(w.root(account, region))
	return w
}

func (w *world) open(accounts map[string]gate.Access) *gate.Door {
	w.t.Helper()
	g, err := gate.Open(w.t.Context(), gate.Options{
		Backend: w.s, Region: w.seeded.Region, Accounts: accounts, Clock: func() time.Time { return w.now },
		Sleep: func(_ context.Context, d time.Duration) error { w.now = w.now.Add(d); return nil },
	})
	check(w.t, err)
	return g.Door(gate.Scope{})
}

func (w *world) root(account, region string) aws.Config {
	w.t.Helper()
	root, err := w.s.Root(account)
	check(w.t, err)
	return gate.BackendConfig(w.s, account, region, root, "admin")
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadTrail(t *testing.T) {
	for _, region := range []string{"eu-west-1", "us-gov-west-1", "cn-north-1"} {
		w := newWorld(t, region)
		got, status, err := state.ReadTrail(t.Context(), w.door, w.target)
		check(t, err)
		want := trail.Trail{
			Name: "main", ARN: w.target.ARN, HomeRegion: region, S3BucketName: w.seeded.Bucket, KmsKeyId: w.seeded.KeyARN,
			IncludeGlobalServiceEvents: true, IsMultiRegionTrail: true, LogFileValidationEnabled: true,
			EventSelectors: got.EventSelectors, IsLogging: true,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: trail (-want +got):\n%s", region, diff)
		}
		if d := trail.Weakened(trail.Trail{EventSelectors: trail.DefaultEventSelectors()}, trail.Trail{EventSelectors: got.EventSelectors}); len(d) > 0 {
			t.Errorf("%s: selectors are %+v", region, got.EventSelectors)
		}
		if !status.StartLoggingTime.Equal(w.now) || len(status.Gaps) > 0 {
			t.Errorf("%s: status is %+v", region, status)
		}
	}
}

func TestReadTrailFollowsNamesHome(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	shadow := trail.Target{Name: "main", ARN: arn.Trail("eu-central-1", account, "main"), Account: account, HomeRegion: "eu-central-1"}
	got, _, err := state.ReadTrail(t.Context(), w.door, shadow)
	check(t, err)
	if got.ARN != w.target.ARN || !got.IsLogging {
		t.Errorf("found %s, want the trail at home", got.ARN)
	}
	shadow.IsCertain = true // an ARN means that trail and no other
	if _, _, err := state.ReadTrail(t.Context(), w.door, shadow); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("a trail that is not there: %v", err)
	}
}

func TestReadTrailOfAnOrganization(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	check(t, w.s.AddAccount(member, "aws", ""))
	check(t, w.s.AddOrganization("o-exampleorgid", account, member))
	check(t, openBucket(w))
	_, err := w.admin.UpdateTrail(t.Context(), &api.UpdateTrailInput{Name: aws.String("main"), IsOrganizationTrail: aws.Bool(true)})
	if err != nil {
		t.Fatalf("make it an organization's trail: %v", err)
	}
	memberRole, err := w.s.Seed(t.Context(), sandbox.Seed{Account: member, Region: "eu-west-1", Trail: "own"})
	check(t, err)
	both := w.open(map[string]gate.Access{account: {RoleARN: w.seeded.ResponderARN}, member: {RoleARN: memberRole.ResponderARN}})
	seen := trail.Target{Name: "main", ARN: arn.Trail("eu-west-1", member, "main"), Account: member, HomeRegion: "eu-west-1"}
	got, _, err := state.ReadTrail(t.Context(), both, seen)
	check(t, err)
	if got.ARN != w.target.ARN || !got.IsOrganizationTrail {
		t.Errorf("found %s, want the organization's trail with its owner", got.ARN)
	}
	readings, gaps, err := state.ReadTrails(t.Context(), both, member, "eu-west-1")
	check(t, err)
	var arns []string
	for _, r := range readings {
		arns = append(arns, string(r.Trail.ARN))
	}
	if diff := cmp.Diff([]string{w.seeded.TrailARN, memberRole.TrailARN}, arns); diff != "" || len(gaps) > 0 {
		t.Errorf("trails of the member, gaps %q (-want +got):\n%s", gaps, diff)
	}
}

// db is a store of snapshots.
func db(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	return db
}

func TestTakeSnapshots(t *testing.T) {
	w, store := newWorld(t, "eu-west-1"), db(t)
	take := func() state.Taken {
		t.Helper()
		w.now = w.now.Add(time.Minute)
		taken, err := state.TakeSnapshots(t.Context(), w.door, account, []string{"eu-west-1"}, store, w.now)
		check(t, err)
		if len(taken.Gaps) > 0 {
			t.Errorf("gaps: %q", taken.Gaps)
		}
		return taken
	}
	first := take()
	if len(first.Snapshots) != 1 || len(first.Drifts) != 0 {
		t.Fatalf("first: %+v", first)
	}
	good, err := first.Snapshots[0].Trail()
	check(t, err)
	if good.S3BucketOwner != account || good.S3BucketName != w.seeded.Bucket {
		t.Errorf("snapshot of %+v lacks the bucket's owner", good)
	}

	_, err = w.admin.UpdateTrail(t.Context(), &api.UpdateTrailInput{Name: aws.String("main"), EnableLogFileValidation: aws.Bool(false)})
	check(t, err)
	weak := take()
	if len(weak.Snapshots) != 0 || len(weak.Drifts) != 1 || weak.Drifts[0].Differences[0].Field != "LogFileValidationEnabled" {
		t.Errorf("a weakened trail: %+v, want a drift", weak)
	}
	newest, err := store.SnapshotBefore(t.Context(), w.target.ARN, w.now.Add(time.Hour))
	check(t, err)
	if string(newest.Content) != string(good.JSON()) {
		t.Errorf("the newest snapshot is %s, want the good one", newest.Content)
	}

	_, err = w.admin.UpdateTrail(t.Context(), &api.UpdateTrailInput{Name: aws.String("main"), EnableLogFileValidation: aws.Bool(true)})
	check(t, err)
	_, err = w.admin.AddTags(t.Context(), &api.AddTagsInput{ResourceId: &w.seeded.TrailARN, TagsList: tags("team", "security")})
	check(t, err)
	if better := take(); len(better.Snapshots) != 1 || len(better.Drifts) != 0 {
		t.Errorf("a trail with one more tag: %+v, want a snapshot", better)
	}
}

func TestEventHistory(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	w.now = w.now.Add(time.Hour)
	begin := w.now
	alice, err := w.s.Credentials(w.seeded.AccessKeys["alice"])
	check(t, err)
	client := api.NewFromConfig(gate.BackendConfig(w.s, account, "eu-west-1", alice, "aws-cli"))
	for i := range 60 {
		w.now = w.now.Add(time.Second)
		_, err := client.StartLogging(t.Context(), &api.StartLoggingInput{Name: aws.String("main")})
		check(t, err)
		if i%20 == 0 {
			_, err = client.StopLogging(t.Context(), &api.StopLoggingInput{Name: aws.String("main")})
			check(t, err)
		}
	}
	history := state.EventHistory{Clock: func() time.Time { return w.now }}
	for _, tc := range []struct {
		name  string
		query state.Query
		want  int
		gap   string
	}{
		{"by key", state.Query{AccessKeyID: alice.AccessKeyID, From: begin}, 63, ""},
		{"by key and name", state.Query{AccessKeyID: alice.AccessKeyID, EventNames: []string{"StopLogging"}, From: begin}, 3, ""},
		{"by names", state.Query{EventNames: []string{"StopLogging", "StartLogging"}, From: begin}, 63, ""},
		{"by resource", state.Query{ResourceName: w.seeded.TrailARN, EventNames: []string{"StopLogging"}, From: begin}, 3, ""},
		{"by window", state.Query{AccessKeyID: alice.AccessKeyID, From: begin.Add(10 * time.Second), To: begin.Add(20 * time.Second)}, 11, ""},
		{"limited", state.Query{AccessKeyID: alice.AccessKeyID, From: begin, Limit: 10}, 10, "oldest are missing"},
		{"too far back", state.Query{AccessKeyID: alice.AccessKeyID, From: begin.AddDate(-1, 0, 0)}, 63, "reaches back"},
		{"an unknown key", state.Query{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", From: begin}, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			tc.query.Account, tc.query.Region = account, "eu-west-1"
			got, gaps, err := history.Lookup(t.Context(), w.door, tc.query)
			check(t, err)
			if len(got) != tc.want {
				t.Errorf("%d records, want %d", len(got), tc.want)
			}
			for i := 1; i < len(got); i++ {
				if got[i].EventTime.Before(got[i-1].EventTime) {
					t.Errorf("record %d is older than the one before it", i)
				}
			}
			if has := len(gaps) > 0; has != (tc.gap != "") || has && !strings.Contains(gaps[0], tc.gap) {
				t.Errorf("gaps are %q, want %q", gaps, tc.gap)
			}
		})
	}
	check(t, w.s.Deny(account, "cloudtrail:LookupEvents"))
	if _, _, err := history.Lookup(t.Context(), w.door, state.Query{Account: account, Region: "eu-west-1"}); err == nil {
		t.Error("a refused search was no error")
	}
}

func TestEventHistoryByIssuedKey(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	session, err := assumeRole(w)
	check(t, err)
	got, _, err := state.EventHistory{Clock: func() time.Time { return w.now }}.Lookup(t.Context(), w.door,
		state.Query{Account: account, Region: "eu-west-1", IssuedKeyID: session, From: w.now.Add(-time.Hour)})
	check(t, err)
	if len(got) != 1 || got[0].EventName != "AssumeRole" {
		t.Errorf("found %d records, want the AssumeRole that issued %s", len(got), session)
	}
}

func TestMotoHasNoEventHistory(t *testing.T) {
	endpoint := gatetest.StartMoto(t)
	g, err := gate.Open(t.Context(), gate.Options{
		Endpoint: endpoint, Region: "eu-west-1", Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	})
	check(t, err)
	got, gaps, err := state.EventHistory{}.Lookup(t.Context(), g.Door(gate.Scope{}), state.Query{From: time.Now().Add(-time.Hour)})
	if err != nil || len(got) > 0 || !slices.ContainsFunc(gaps, func(s string) bool { return strings.Contains(s, "was not searched") }) {
		t.Errorf("got %d records, gaps %q, %v; want a gap in words", len(got), gaps, err)
	}
}

func TestReadDependencies(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	ctx, here := t.Context(), state.Place{Account: account, Region: "eu-west-1"}
	key, err := state.ReadKey(ctx, w.door, w.seeded.KeyARN, state.Place{Account: account, Region: "eu-central-1"})
	if err != nil || !key.IsEnabled || key.State != "Enabled" || key.ARN != w.seeded.KeyARN {
		t.Errorf("key is %+v, %v", key, err)
	}
	_, err = kms.NewFromConfig(w.root(account, "eu-west-1")).ScheduleKeyDeletion(ctx, &kms.ScheduleKeyDeletionInput{KeyId: &w.seeded.KeyARN})
	check(t, err)
	if key, err := state.ReadKey(ctx, w.door, w.seeded.KeyARN, here); err != nil || key.IsEnabled || key.State != "PendingDeletion" {
		t.Errorf("key is %+v, %v; want it to wait for its deletion", key, err)
	}
	if b, err := state.ReadBucket(ctx, w.door, w.seeded.Bucket, account, here); err != nil || !b.OwnerConfirmed {
		t.Errorf("bucket is %+v, %v", b, err)
	}
	if _, err := state.ReadBucket(ctx, w.door, w.seeded.Bucket, member, here); !errors.Is(err, state.ErrBucketDenied) {
		t.Errorf("bucket of another owner: %v", err)
	}
	if _, err := state.ReadBucket(ctx, w.door, "no-such-bucket-anywhere", account, here); !errors.Is(err, state.ErrNoBucket) {
		t.Errorf("no bucket: %v", err)
	}
	caller, err := state.ReadCaller(ctx, w.door, account, "eu-west-1")
	if err != nil || caller.Account != account || !strings.Contains(caller.ARN, "assumed-role/") {
		t.Errorf("caller is %+v, %v", caller, err)
	}
}

func TestReadTrailsNamesWhatItCouldNotRead(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	check(t, w.s.Deny(account, "cloudtrail:GetEventSelectors"))
	readings, gaps, err := state.ReadTrails(t.Context(), w.door, account, "eu-west-1")
	if err != nil || len(readings) != 0 || len(gaps) != 1 || !strings.Contains(gaps[0], w.seeded.TrailARN) {
		t.Errorf("readings %+v, gaps %q, %v; want the trail to be named as not read", readings, gaps, err)
	}
	check(t, w.s.Deny(account, "cloudtrail:ListTags"))
	check(t, w.s.Allow(account, "cloudtrail:GetEventSelectors"))
	if _, status, err := state.ReadTrail(t.Context(), w.door, w.target); err != nil || !status.TagsUnreadable || len(status.Gaps) != 1 {
		t.Errorf("status %+v, %v; want the tags to be a gap", status, err)
	}
	if _, err := (state.Snapshot{Kind: "bucket"}).Trail(); err == nil {
		t.Error("a bucket's snapshot was read as a trail's")
	}
}
