// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source/watcher"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// keepDependency keeps what a resource looks like, as a baseline does.
func (w *world) keepDependency(kind trail.Kind, resource string) {
	w.Helper()
	d := trail.Dependency{Kind: kind, ARN: arn.ARN(resource), Account: account}
	content, err := state.ReadDependency(w.Context(), w.gate.Door(gate.Scope{}), d)
	w.check(err)
	w.check(w.db.PutSnapshot(w.Context(), state.Snapshot{
		Resource: d.ARN, Kind: string(kind), Source: state.SourceRead, TakenAt: w.clock(), LastSeenAt: w.clock(), Content: content,
	}))
}

// What a trail depends on is read too, by its kind; what became weaker is a finding about that resource.
func TestDependencies(t *testing.T) {
	w := newWorld(t)
	bucket := "arn:aws:s3:::" + w.seeded.Bucket
	w.keepDependency(trail.KindKey, w.seeded.KeyARN)
	w.keepDependency(trail.KindBucket, bucket)
	w.want("well", w.poll())
	w.reads()
	for range 60 {
		w.want("well", w.after(time.Minute))
	}
	want := map[string]int{}
	kept := map[trail.Kind]int{trail.KindKey: 1, trail.KindBucket: 1}
	for _, l := range (watcher.Options{}).LoadOf(1, func(k trail.Kind) int { return kept[k] }, time.Hour) {
		if l.Calls >= 1 {
			want[l.Service+"."+l.Operation] += int(l.Calls)
		}
	}
	if diff := cmp.Diff(want, w.reads()); diff != "" {
		t.Errorf("calls in an hour (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct {
		do, undo [2]string
		resource string
		kind     trail.Kind
	}{
		"key": {
			[2]string{"KMS.DisableKey", fmt.Sprintf(`{"KeyId":%q}`, w.seeded.KeyARN)}, [2]string{"KMS.EnableKey", fmt.Sprintf(`{"KeyId":%q}`, w.seeded.KeyARN)},
			w.seeded.KeyARN, trail.KindKey,
		},
		"bucket": {
			[2]string{"S3.PutBucketRequestPayment", fmt.Sprintf(`{"Bucket":%q,"RequestPaymentConfiguration":{"Payer":"Requester"}}`, w.seeded.Bucket)},
			[2]string{"S3.PutBucketRequestPayment", fmt.Sprintf(`{"Bucket":%q,"RequestPaymentConfiguration":{"Payer":"BucketOwner"}}`, w.seeded.Bucket)},
			bucket, trail.KindBucket,
		},
	} {
		w.call(tt.do[0], tt.do[1])
		var found []string
		for range 15 {
			found = append(found, w.after(time.Minute)...)
			if len(found) > 0 && w.finding(w.taken[0]).Kind != "" {
				break
			}
			found = nil // that log files do not arrive is found as well
		}
		w.want(name, found, "weakened", tt.do[0][strings.IndexByte(tt.do[0], '.')+1:])
		e, f := w.taken[0].Envelope, w.finding(w.taken[0])
		if e.DetailType != "Dependency Status" || !cmp.Equal(e.Resources, []string{tt.resource}) || f.Kind != tt.kind || string(f.Resource) != tt.resource ||
			f.Account != account || len(f.Differences) == 0 || f.Trail != "" {
			t.Errorf("%s: event %s", name, e.Raw)
		}
		w.call(tt.undo[0], tt.undo[1])
		for range 16 {
			w.after(time.Minute)
		}
	}
}

// An event that names a dependency has it read at once.
func TestSeenDependency(t *testing.T) {
	w := newWorld(t)
	w.keepDependency(trail.KindKey, w.seeded.KeyARN)
	w.keepDependency(trail.KindBucket, "arn:aws:s3:::"+w.seeded.Bucket)
	w.poll()
	w.pass(10 * time.Second)
	for name, tt := range map[string]struct{ event, source, parameters, read string }{
		"key by id":   {"EnableKeyRotation", "kms", fmt.Sprintf(`{"keyId":%q}`, w.seeded.KeyARN[strings.LastIndexByte(w.seeded.KeyARN, '/')+1:]), "KMS.DescribeKey"},
		"key by ARN":  {"TagResource", "kms", fmt.Sprintf(`{"keyId":%q}`, w.seeded.KeyARN), "KMS.DescribeKey"},
		"bucket":      {"PutBucketCors", "s3", fmt.Sprintf(`{"bucketName":%q}`, w.seeded.Bucket), "S3.GetBucketPolicy"},
		"another key": {"DisableKey", "kms", `{"keyId":"other"}`, ""},
	} {
		w.reads()
		r, err := cloudtrail.ParseRecord(fmt.Appendf(nil, `{"eventVersion":"1.11","eventID":"e","eventName":%q,"eventSource":"%s.amazonaws.com",
			"recipientAccountId":%q,"eventCategory":"Management","readOnly":false,"requestParameters":%s}`, tt.event, tt.source, account, tt.parameters))
		w.check(err)
		w.src.Seen(cloudtrail.Wrap(r))
		w.want(name, w.poll())
		reads := w.reads()
		if tt.read == "" && len(reads) > 0 || tt.read != "" && reads[tt.read] != 1 {
			t.Errorf("%s: read %v", name, reads)
		}
		w.pass(6 * time.Second)
	}
}

// A version that somebody trusts goes before a newer one that nobody does: whoever weakened a resource, and got it read as
// it then was, has not become what it should be.
func TestTrustedBaselineCounts(t *testing.T) {
	w := newWorld(t)
	w.pass(time.Hour)
	w.keepDependency(trail.KindKey, w.seeded.KeyARN)
	all, err := w.db.NewestSnapshots(t.Context(), string(trail.KindKey))
	w.check(err)
	w.check(w.db.TrustSnapshot(t.Context(), all[0].Trusted("carol", "approved", w.clock())))
	w.pass(time.Minute)
	w.call("KMS.DisableKey", fmt.Sprintf(`{"KeyId":%q}`, w.seeded.KeyARN))
	w.keepDependency(trail.KindKey, w.seeded.KeyARN)
	w.want("weaker than the trusted version", w.poll(), "weakened", "DisableKey")
	if f := w.finding(w.taken[0]); f.Kind != trail.KindKey || len(f.Differences) != 1 || f.Differences[0].Field != trail.FieldKeyState {
		t.Errorf("found %+v", f)
	}
}
