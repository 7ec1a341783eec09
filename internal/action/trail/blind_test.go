// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	_ "github.com/switchback-project/switchback/internal/action/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/trail"
)

// open admits an incident about an event and makes the assessments its own.
func (w *world) open(event string) {
	w.Helper()
	inc, _, err := w.db.Admit(w.Context(), incident.Candidate{
		Key: incident.Key{Runbook: "trail-blinded"}, Event: "e-1", OccurredAt: w.now, ReceivedAt: w.now, Envelope: json.RawMessage(event),
	})
	w.check(err)
	w.incident = inc.ID
}

func (w *world) windows() []incident.BlindWindow {
	w.Helper()
	list, err := w.db.ListBlindWindows(w.Context(), w.incident)
	w.check(err)
	return list
}

// deny is a policy of the trail's bucket that lets CloudTrail deliver, and denies everybody an action.
func (w *world) deny(action string) string {
	return `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl","Resource":"arn:aws:s3:::` + w.seeded.Bucket + `"},` +
		`{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject","Resource":"arn:aws:s3:::` + w.seeded.Bucket + `/*"},` +
		`{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"arn:aws:s3:::` + w.seeded.Bucket + `/*"}]}`
}

func (w *world) putBucketPolicy(document string) {
	w.Helper()
	text, err := json.Marshal(document)
	w.check(err)
	w.do("S3.PutBucketPolicy", fmt.Sprintf(`{"Bucket":%q,"Policy":%s}`, w.seeded.Bucket, text))
}

// second adds a trail that writes to the same bucket.
func (w *world) second(name, key string) {
	w.Helper()
	w.putBucketPolicy(strings.Replace(w.deny("s3:DeleteBucket"), w.seeded.Bucket+`/*"}]`, w.seeded.Bucket+`"}]`, 1))
	w.do("CloudTrail.CreateTrail", fmt.Sprintf(`{"Name":%q,"S3BucketName":%q,"S3KeyPrefix":%[1]q,"IsMultiRegionTrail":true,"KmsKeyId":%[3]q}`, name, w.seeded.Bucket, key))
	w.do("CloudTrail.StartLogging", fmt.Sprintf(`{"Name":%q}`, name))
	w.snapshots++
}

// deliver has log files written that are due.
func (w *world) deliver() {
	w.now = w.now.Add(10 * time.Minute)
	w.box.Deliver()
}

// What stops delivery opens a window from the event on for each class; what does not opens none.
func TestBlindWindows(t *testing.T) {
	for name, tt := range map[string]struct {
		damage func(w *world)
		event  string
		opens  bool
	}{
		"a disabled key":              {func(w *world) { w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`) }, "DisableKey", true},
		"a bucket that is gone":       {func(w *world) { w.empty(); w.do("S3.DeleteBucket", `{"Bucket":"`+w.seeded.Bucket+`"}`) }, "DeleteBucket", true},
		"a bucket without its policy": {func(w *world) { w.do("S3.DeleteBucketPolicy", `{"Bucket":"`+w.seeded.Bucket+`"}`) }, "DeleteBucketPolicy", true},
		"a requester who pays": {func(w *world) {
			w.do("S3.PutBucketRequestPayment", `{"Bucket":"`+w.seeded.Bucket+`","RequestPaymentConfiguration":{"Payer":"Requester"}}`)
		}, "PutBucketRequestPayment", true},
		"a Deny that is felt":           {func(w *world) { w.putBucketPolicy(w.deny("s3:PutObject")); w.deliver() }, "PutBucketPolicy", true},
		"a Deny that is not felt":       {func(w *world) { w.putBucketPolicy(w.deny("s3:GetObject")); w.deliver() }, "PutBucketPolicy", false},
		"a topic that is gone":          {func(w *world) { w.do("SNS.DeleteTopic", `{"TopicArn":"`+topic+`"}`) }, "DeleteTopic", false},
		"a log group that is gone":      {func(w *world) { w.do("CloudWatch Logs.DeleteLogGroup", `{"LogGroupName":"trail"}`) }, "DeleteLogGroup", false},
		"what another trail still sees": {func(w *world) { w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`) }, "DisableKey", false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			if name == "what another trail still sees" {
				w.second("other", "")
			}
			w.baseline(true)
			tt.damage(w)
			event := w.last(tt.event)
			w.open(event)
			var at struct{ EventTime time.Time }
			w.check(json.Unmarshal([]byte(event), &at))
			for range 2 {
				w.assess(`{"event":` + event + `}`)
			}
			classes := map[string]int{}
			for _, b := range w.windows() {
				if b.Class == "management read" || b.Class == "management write" {
					classes[b.Class+", "+b.Region]++
				}
				if !b.Lost.Equal(at.EventTime) || !b.Found.IsZero() || b.Trail != arn.ARN(w.seeded.TrailARN) || b.Account != account {
					t.Errorf("%+v, want it lost at %s", b, at.EventTime)
				}
			}
			for _, class := range []string{"management write, " + trail.AllRegions, "management read, " + trail.AllRegions, "management write, " + trail.GlobalServices} {
				if want := map[bool]int{true: 1}[tt.opens]; classes[class] != want {
					t.Errorf("%s: %d windows, want %d: %v", class, classes[class], want, classes)
				}
			}
		})
	}
}

// Found without an event, a window begins at the write that may have opened it.
func TestBlindWindowWithoutEvent(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	lost := w.now
	w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	w.now = w.now.Add(15 * time.Minute)
	w.open(`{"id":"e-1","source":"switchback","detail-type":"Dependency Status","detail":{}}`)
	w.assess(fmt.Sprintf(`{"resource":%q}`, w.seeded.KeyARN))
	windows := w.windows()
	if len(windows) == 0 || !windows[0].Lost.Equal(lost) {
		t.Errorf("windows are %+v, want them from %s on", windows, lost)
	}
}

// Of trails that share what was weakened, all must be proven.
func TestSharedDependency(t *testing.T) {
	w := newWorld(t)
	w.second("twin", w.seeded.KeyARN)
	w.baseline(true)
	w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	w.do("KMS.EnableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	event := w.last("DisableKey")
	w.open(event)
	got := w.assess(fmt.Sprintf(`{"resource":"arn:aws:s3:::%s"}`, w.seeded.Bucket))
	if len(got.Trails) != 2 || len(got.Others) != 1 || got.Others[0] == arn.ARN(got.Trail) {
		t.Fatalf("trails %v, others %v", got.Trails, got.Others)
	}
	since := w.now
	prove := func(id, params string) bool {
		act, _ := action.Get(id)
		raw, err := act.Run(t.Context(), w.acting(), json.RawMessage(params))
		w.check(err)
		var out struct{ Accepted, Delivered bool }
		w.check(json.Unmarshal(raw, &out))
		return out.Accepted || out.Delivered
	}
	accepted := fmt.Sprintf(`{"trail":%q,"also":[%q]}`, got.Trail, got.Others[0])
	delivering := fmt.Sprintf(`{"trail":%q,"since":%q,"also":[%q]}`, got.Trail, since.Format(time.RFC3339), got.Others[0])
	if !prove("cloudtrail:ProveAccepted", accepted) || prove("cloudtrail:ProveDelivering", delivering) {
		t.Error("both log, and none has delivered yet")
	}
	w.do("CloudTrail.StopLogging", fmt.Sprintf(`{"Name":%q}`, got.Others[0]))
	w.deliver()
	if prove("cloudtrail:ProveAccepted", accepted) || prove("cloudtrail:ProveDelivering", delivering) {
		t.Error("the other one does not log")
	}
	w.do("CloudTrail.StartLogging", fmt.Sprintf(`{"Name":%q}`, got.Others[0]))
	w.deliver()
	if !prove("cloudtrail:ProveAccepted", accepted) || !prove("cloudtrail:ProveDelivering", delivering) {
		t.Error("both deliver")
	}
}
