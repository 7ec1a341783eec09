// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state_test

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	api "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/sqlite"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// kept is a world with a store and a keeper.
type kept struct {
	*world
	db     *sqlite.DB
	keeper state.Keeper
}

func newKept(t *testing.T) *kept {
	t.Helper()
	w := newWorld(t, "eu-west-1")
	db, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{})
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	w.now = w.now.Add(time.Hour)
	return &kept{w, db, state.Keeper{Into: db, Incidents: db, History: state.EventHistory{Clock: func() time.Time { return w.now }}}}
}

// take takes the baseline after d.
func (k *kept) take(d time.Duration) state.Taken {
	k.t.Helper()
	k.now = k.now.Add(d)
	taken, err := state.TakeBaseline(k.t.Context(), k.door, account, []string{"eu-west-1"}, k.keeper, k.now)
	check(k.t, err)
	return taken
}

// approve trusts the newest version of everything.
func (k *kept) approve() {
	k.t.Helper()
	all, err := state.Baselines(k.t.Context(), k.db)
	check(k.t, err)
	for _, b := range all {
		_, newest := b.Newest()
		check(k.t, k.db.TrustSnapshot(k.t.Context(), newest.Trusted("carol", "approved", k.now)))
	}
}

// of is what is kept about a resource.
func (k *kept) of(resource arn.ARN) state.Baseline {
	k.t.Helper()
	all, err := state.Baselines(k.t.Context(), k.db)
	check(k.t, err)
	for _, b := range all {
		if b.ARN == resource {
			return b
		}
	}
	k.t.Fatalf("nothing is kept about %s", resource)
	return state.Baseline{}
}

// standing says of each version whether it is trusted, oldest first, and which decides.
func (k *kept) standing(resource arn.ARN) string {
	k.t.Helper()
	b := k.of(resource)
	current, _ := b.Current()
	var out []string
	for i, v := range b.Versions {
		text := "untrusted"
		if v.IsTrusted() {
			text = v.TrustedBy
		}
		if i+1 == current {
			text += "*"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

// as is a client of a user's.
func (k *kept) as(user string) *api.Client {
	k.t.Helper()
	creds, err := k.s.Credentials(k.seeded.AccessKeys[user])
	check(k.t, err)
	return api.NewFromConfig(gate.BackendConfig(k.s, account, "eu-west-1", creds, "aws-cli"))
}

func (k *kept) tag(client *api.Client, key string) {
	k.t.Helper()
	_, err := client.AddTags(k.t.Context(), &api.AddTagsInput{ResourceId: &k.seeded.TrailARN, TagsList: tags(key, "x")})
	check(k.t, err)
}

// suspect opens an incident with a user on its chain.
func (k *kept) suspect(user string) incident.ID {
	k.t.Helper()
	inc, _, err := k.db.Admit(k.t.Context(), incident.Candidate{
		Key: incident.Key{Runbook: "x", Account: account, Resource: "y", EventName: "z", Outcome: incident.Succeeded}, Event: cloudtrail.EventID("e-" + user),
		Envelope: []byte(`{}`), OccurredAt: k.now, ReceivedAt: k.now,
	})
	check(k.t, err)
	_, err = k.db.Update(k.t.Context(), inc.ID, func(i *incident.Incident) error {
		i.Who.Chain = []string{"arn:aws:iam::" + account + ":user/" + user}
		return nil
	})
	check(k.t, err)
	return inc.ID
}

func TestTakeBaseline(t *testing.T) {
	k := newKept(t)
	first := k.take(0)
	if len(first.Snapshots) != 3 || len(first.Drifts) > 0 || len(first.Gaps) > 0 {
		t.Fatalf("taken: %+v, want the trail, its key and its bucket", first)
	}
	var kinds []string
	for _, s := range first.Snapshots {
		kinds = append(kinds, s.Kind)
		if s.IsTrusted() {
			t.Errorf("%s: the first version is trusted by %s", s.Resource, s.TrustedBy)
		}
	}
	if diff := cmp.Diff([]string{"trail", "key", "bucket"}, kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	k.approve()

	keys := kms.NewFromConfig(k.root(account, "eu-west-1"))
	_, err := keys.DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &k.seeded.KeyARN})
	check(t, err)
	weak := k.take(time.Minute)
	if len(weak.Drifts) != 1 || weak.Drifts[0].Resource != arn.ARN(k.seeded.KeyARN) || weak.Drifts[0].Kind != "key" {
		t.Errorf("a disabled key: %+v, want a drift", weak.Drifts)
	}
	if got := k.standing(arn.ARN(k.seeded.KeyARN)); got != "carol*" {
		t.Errorf("versions of the key: %s", got)
	}
	_, err = keys.EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &k.seeded.KeyARN})
	check(t, err)
	if back := k.take(time.Minute); len(back.Drifts) > 0 || len(back.Snapshots) != 3 {
		t.Errorf("put back: %+v", back)
	}
	if b := k.of(arn.ARN(k.seeded.KeyARN)); len(b.Versions) != 1 || !b.Versions[0].LastSeenAt.Equal(k.now) {
		t.Errorf("versions of the key: %+v, want one, last seen now", b.Versions)
	}
}

// The dependencies are those of the baseline: a trail that was pointed at another bucket still has its old one.
func TestTakeBaselineOfWhatTheTrailHad(t *testing.T) {
	k := newKept(t)
	k.take(0)
	k.approve()
	_, err := k.admin.DeleteTrail(t.Context(), &api.DeleteTrailInput{Name: aws.String("main")})
	check(t, err)
	taken := k.take(time.Minute)
	if len(taken.Snapshots) != 2 {
		t.Errorf("taken without the trail: %+v, want its key and bucket", taken)
	}
}

func TestStrengthened(t *testing.T) {
	self := arn.ARN(arn.Trail("eu-west-1", account, "main"))
	for name, tt := range map[string]struct {
		play func(k *kept)
		want string
		gap  string
	}{
		"by somebody who is known, once history is complete": {func(k *kept) {
			k.tag(k.as("alice"), "team")
			k.take(time.Minute)
			if got := k.standing(self); got != "carol* untrusted" {
				k.t.Errorf("at once: %s", got)
			}
			k.take(16 * time.Minute)
		}, "carol carol*", ""},
		"by somebody under suspicion": {func(k *kept) {
			k.suspect("alice")
			k.tag(k.as("alice"), "team")
			k.take(time.Minute)
			k.take(16 * time.Minute)
		}, "carol* untrusted", "on the identity chain"},
		"by one of two who is under suspicion": {func(k *kept) {
			k.suspect("bob")
			k.tag(k.as("bob"), "team")
			k.tag(k.as("alice"), "cost")
			k.take(time.Minute)
			k.take(16 * time.Minute)
		}, "carol* untrusted", "on the identity chain"},
		"once the incident is closed": {func(k *kept) {
			id := k.suspect("alice")
			k.tag(k.as("alice"), "team")
			k.take(time.Minute)
			_, err := k.db.Update(k.t.Context(), id, func(i *incident.Incident) error { i.Status = incident.Closed; return nil })
			check(k.t, err)
			k.take(16 * time.Minute)
		}, "carol carol*", ""},
		"by nobody who is known": {func(k *kept) {
			k.keeper.History = nil
			k.tag(k.as("alice"), "team")
			k.take(time.Minute)
			k.take(16 * time.Minute)
		}, "carol* untrusted", "no history"},
		"and back": {func(k *kept) {
			k.tag(k.as("alice"), "team")
			k.take(time.Minute)
			_, err := k.admin.RemoveTags(k.t.Context(), &api.RemoveTagsInput{ResourceId: &k.seeded.TrailARN, TagsList: tags("team", "x")})
			check(k.t, err)
			k.take(time.Minute)
		}, "carol untrusted carol*", ""},
		"with nothing approved": {func(k *kept) {
			b := k.of(self)
			_, s := b.Newest()
			check(k.t, k.db.TrustSnapshot(k.t.Context(), s.Trusted("", "", time.Time{})))
			k.tag(k.as("alice"), "team")
			k.take(time.Minute)
			k.take(16 * time.Minute)
		}, "untrusted untrusted*", ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKept(t)
			k.take(0)
			k.approve()
			k.now = k.now.Add(time.Minute)
			tt.play(k)
			if got := k.standing(self); got != tt.want {
				t.Errorf("versions: %s, want %s", got, tt.want)
			}
			if tt.gap == "" {
				return
			}
			if again := k.take(time.Minute); len(again.Gaps) == 0 || !strings.Contains(strings.Join(again.Gaps, "\n"), tt.gap) {
				t.Errorf("gaps are %q, want %q", again.Gaps, tt.gap)
			}
		})
	}
}

// A version that somebody on the chain of an open incident wrote is examined as such; a session of the same role counts.
func TestExamine(t *testing.T) {
	k := newKept(t)
	k.tag(k.as("alice"), "team")
	k.take(time.Minute)
	b := k.of(arn.Trail("eu-west-1", account, "main"))
	_, newest := b.Newest()
	s, suspect, gaps, err := k.keeper.Examine(t.Context(), k.door, b.Dependency, newest)
	if err != nil || suspect != nil || len(gaps) > 0 || !strings.HasSuffix(s.Writer, "user/alice") || s.WrittenBy == "" {
		t.Errorf("examined: %+v, %v, %q, %v; want alice as its writer", s, suspect, gaps, err)
	}
	k.suspect("alice")
	_, suspect, _, err = k.keeper.Examine(t.Context(), k.door, b.Dependency, newest)
	if err != nil || suspect == nil || !errors.Is(suspect, state.ErrSuspect) {
		t.Errorf("suspect is %v, %v; want alice", suspect, err)
	}
	session := cloudtrail.Record{UserIdentity: cloudtrail.UserIdentity{Type: "AssumedRole", ARN: "arn:aws:sts::" + account + ":assumed-role/Deploy/two"}}
	_, err = k.db.Update(t.Context(), suspect.Incident, func(i *incident.Incident) error {
		i.Who = incident.Who{Principal: "arn:aws:sts::" + account + ":assumed-role/Deploy/one"}
		return nil
	})
	check(t, err)
	if suspect, err := k.keeper.Suspect(t.Context(), []cloudtrail.Record{session}); err != nil || suspect == nil {
		t.Errorf("another session of the role: %v, %v", suspect, err)
	}
	session.UserIdentity.ARN = "arn:aws:sts::" + account + ":assumed-role/Deployer/three"
	if suspect, err := k.keeper.Suspect(t.Context(), []cloudtrail.Record{session}); err != nil || suspect != nil {
		t.Errorf("a session of another role: %v, %v", suspect, err)
	}
}

func TestDependedOn(t *testing.T) {
	k := newKept(t)
	k.take(0)
	found, err := state.FindDepended(t.Context(), k.db, arn.ARN(k.seeded.KeyARN))
	if err != nil || found.Kind != trail.KindKey || len(found.Trails) != 1 || found.Trails[0] != arn.ARN(k.seeded.TrailARN) {
		t.Errorf("the key: %+v, %v", found, err)
	}
	if _, err := state.FindDepended(t.Context(), k.db, arn.Bucket("eu-west-1", "lunch")); !errors.Is(err, incident.ErrNotFound) {
		t.Errorf("a bucket of nobody's: %v", err)
	}
	if found, err := state.DependedOn(t.Context(), k.db, nil); err != nil || len(found) > 0 {
		t.Errorf("nothing touched: %+v, %v", found, err)
	}
}

// The record of a call that takes an alias away from a key does not name the key: its baseline does.
func TestTouchedAlias(t *testing.T) {
	k := newKept(t)
	k.take(0)
	for name, tt := range map[string]struct {
		alias, region, account string
		want                   int
	}{
		"its own":              {"alias/switchback-trail", "eu-west-1", account, 1},
		"of another key":       {"alias/lunch", "eu-west-1", account, 0},
		"in another region":    {"alias/switchback-trail", "eu-central-1", account, 0},
		"in another account":   {"alias/switchback-trail", "eu-west-1", "444455556666", 0},
		"no alias, nor a name": {"", "eu-west-1", account, 0},
	} {
		r := cloudtrail.Record{
			EventSource: arn.ServiceHost("kms"), EventName: "UpdateAlias", AWSRegion: tt.region, RecipientAccountID: tt.account,
			RequestParameters: json.RawMessage(`{"aliasName":"` + tt.alias + `","targetKeyId":"00000000-0000-4000-8000-000000000000"}`),
		}
		found, err := state.TouchedBaseline(t.Context(), k.db, r)
		check(t, err)
		if len(found) != tt.want || len(found) > 0 && string(found[0].ARN) != k.seeded.KeyARN {
			t.Errorf("%s: found %+v, want %d keys", name, found, tt.want)
		}
	}
}

// What decides is the newest trusted version that was there at the moment, else the newest.
func TestBaselineBefore(t *testing.T) {
	k := newKept(t)
	ctx := t.Context()
	self := arn.Trail("eu-west-1", account, "main")
	version := func(after time.Duration, content string) state.Snapshot {
		at := k.now.Add(after)
		s := state.Snapshot{Resource: self, Kind: state.KindTrail, TakenAt: at, LastSeenAt: at, Content: []byte(content)}
		check(t, k.db.PutSnapshot(ctx, s))
		return s
	}
	one := version(0, `{"Name":"one"}`)
	version(time.Hour, `{"Name":"two"}`)
	at := func(after time.Duration) string {
		s, err := state.BaselineBefore(ctx, k.db, self, k.now.Add(after))
		if errors.Is(err, incident.ErrNotFound) {
			return "none"
		}
		check(t, err)
		return string(s.Content)
	}
	for after, want := range map[time.Duration]string{0: "none", time.Minute: `{"Name":"one"}`, 2 * time.Hour: `{"Name":"two"}`} {
		if got := at(after); got != want {
			t.Errorf("after %s: %s, want %s", after, got, want)
		}
	}
	check(t, k.db.TrustSnapshot(ctx, one.Trusted("carol", "approved", k.now)))
	if got := at(2 * time.Hour); got != `{"Name":"one"}` {
		t.Errorf("once the first is trusted: %s", got)
	}
}
