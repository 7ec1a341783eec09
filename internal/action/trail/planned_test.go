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
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

const caller = "arn:aws:iam::111122223333:root"

// plan allows a principal a change for an hour.
func (w *world) plan(resource, event, principal string, fields ...string) {
	w.Helper()
	w.check(w.db.AddException(w.Context(), incident.Exception{
		ID: fmt.Sprintf("exception-%d", w.now.UnixNano()), Resource: arn.ARN(resource), Events: []string{event}, Fields: fields,
		Principals: []string{principal}, Until: w.now.Add(time.Hour), Ticket: "CHG-1",
		AddedBy: "carol", AddedAt: w.now, ApprovedBy: "dave", ApprovedAt: w.now,
	}))
	w.exceptions = w.db
	w.now = w.now.Add(time.Second)
}

// restore does what an assessment asks for, and expects that afterwards nothing is left.
func (w *world) restore(a assessed) {
	w.Helper()
	for _, r := range a.Restore {
		id := map[trail.Kind]string{
			trail.KindKey: "kms:RestoreKey", trail.KindTopic: "sns:RestoreTopic", trail.KindLogGroup: "logs:RestoreLogGroup",
			trail.KindRole: "iam:RestoreRole", trail.KindBucket: "s3:RestoreBucket",
		}[r.Kind]
		act, ok := action.Get(id)
		if !ok {
			w.Fatalf("no action %s", id)
		}
		_, err := act.Run(w.Context(), w.acting(), json.RawMessage(fmt.Sprintf(`{"resource":%q,"account":%q,"region":%q,"baseline_at":%q}`,
			r.Resource, r.Account, region, r.BaselineAt.Format(time.RFC3339Nano))))
		w.check(err)
	}
}

// A planned change of a dependency is left alone until the end of its exception, and put back then.
func TestPlannedChange(t *testing.T) {
	for name, tt := range map[string]struct {
		call, input, event string
		resource           func(w *world) string
		kind               trail.Kind
	}{
		"a disabled key":               {"KMS.DisableKey", `{"KeyId":"KEY"}`, "DisableKey", theKey, trail.KindKey},
		"a key that is to be deleted":  {"KMS.ScheduleKeyDeletion", `{"KeyId":"KEY"}`, "ScheduleKeyDeletion", theKey, trail.KindKey},
		"a bucket without its policy":  {"S3.DeleteBucketPolicy", `{"Bucket":"BUCKET"}`, "DeleteBucketPolicy", theBucket, trail.KindBucket},
		"a bucket with another policy": {"S3.PutBucketPolicy", `{"Bucket":"BUCKET","Policy":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:PutObject\",\"Resource\":\"arn:aws:s3:::BUCKET/*\",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}]}"}`, "PutBucketPolicy", theBucket, trail.KindBucket},
		"a bucket without versions":    {"S3.PutBucketVersioning", `{"Bucket":"BUCKET","VersioningConfiguration":{"Status":"Suspended"}}`, "PutBucketVersioning", theBucket, trail.KindBucket},
		"an open bucket":               {"S3.PutPublicAccessBlock", `{"Bucket":"BUCKET","PublicAccessBlockConfiguration":{"BlockPublicAcls":true}}`, "PutBucketPublicAccessBlock", theBucket, trail.KindBucket},
		"a bucket that was opened":     {"S3.DeletePublicAccessBlock", `{"Bucket":"BUCKET"}`, "DeleteBucketPublicAccessBlock", theBucket, trail.KindBucket},
		"who asks for files pays":      {"S3.PutBucketRequestPayment", `{"Bucket":"BUCKET","RequestPaymentConfiguration":{"Payer":"Requester"}}`, "PutBucketRequestPayment", theBucket, trail.KindBucket},
		"a topic that is gone":         {"SNS.DeleteTopic", `{"TopicArn":"` + topic + `"}`, "DeleteTopic", the(topic), trail.KindTopic},
		"a topic with another policy":  {"SNS.SetTopicAttributes", `{"TopicArn":"` + topic + `","AttributeName":"Policy","AttributeValue":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"SNS:Publish\",\"Resource\":\"*\"}]}"}`, "SetTopicAttributes", the(topic), trail.KindTopic},
		"a log group that is gone":     {"CloudWatch Logs.DeleteLogGroup", `{"LogGroupName":"trail"}`, "DeleteLogGroup", the(group), trail.KindLogGroup},
		"less retention":               {"CloudWatch Logs.PutRetentionPolicy", `{"LogGroupName":"trail","RetentionInDays":7}`, "PutRetentionPolicy", the(group), trail.KindLogGroup},
		"a role without a policy":      {"IAM.DeleteRolePolicy", `{"RoleName":"TrailToLogs","PolicyName":"deliver"}`, "DeleteRolePolicy", the(role), trail.KindRole},
		"a detached policy":            {"IAM.DetachRolePolicy", `{"RoleName":"TrailToLogs","PolicyArn":"arn:aws:iam::111122223333:policy/streams"}`, "DetachRolePolicy", the(role), trail.KindRole},
		"another trust":                {"IAM.UpdateAssumeRolePolicy", `{"RoleName":"TrailToLogs","PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"sts:AssumeRole\"}]}"}`, "UpdateAssumeRolePolicy", the(role), trail.KindRole},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.versioned()
			w.baseline(true)
			w.plan(tt.resource(w), tt.event, caller)
			w.do(tt.call, strings.NewReplacer("KEY", w.seeded.KeyARN, "BUCKET", w.seeded.Bucket).Replace(tt.input))
			event := w.last(tt.event)
			for range 2 { // delivered again
				got := w.assess(fmt.Sprintf(`{"resource":%q,"event":%s}`, tt.resource(w), event))
				if !got.Planned || got.summary() != "harmless" || len(got.Restore) > 0 || !strings.Contains(got.Reason, "CHG-1") {
					t.Fatalf("planned %t, found %q: %s, gaps %q", got.Planned, got.summary(), got.Reason, got.Gaps)
				}
			}
			if got := w.assess(fmt.Sprintf(`{"resource":%q}`, tt.resource(w))); !got.Planned || got.summary() != "" {
				t.Errorf("looked at without an event: planned %t, found %q", got.Planned, got.summary())
			}
			w.now = w.now.Add(time.Hour)
			got := w.assess(fmt.Sprintf(`{"resource":%q,"event":%s}`, tt.resource(w), event))
			if got.Planned || len(got.Restore) != 1 || got.Restore[0].Kind != tt.kind {
				t.Errorf("after the end: planned %t, found %q, restore %+v", got.Planned, got.summary(), got.Restore)
			}
		})
	}
}

// What an exception does not cover is put back, however close it is.
func TestNotPlanned(t *testing.T) {
	for name, tt := range map[string]struct {
		plan func(w *world)
		gap  string
	}{
		"by somebody else":   {func(w *world) { w.plan(theKey(w), "DisableKey", "arn:aws:iam::111122223333:user/bob") }, ""},
		"another resource":   {func(w *world) { w.plan(topic, "DisableKey", caller) }, ""},
		"another call":       {func(w *world) { w.plan(theKey(w), "ScheduleKeyDeletion", caller) }, ""},
		"another field":      {func(w *world) { w.plan(theKey(w), "DisableKey", caller, "Policy") }, "does not allow all that was changed"},
		"over":               {func(w *world) { w.plan(theKey(w), "DisableKey", caller); w.now = w.now.Add(time.Hour) }, ""},
		"whoever is suspect": {func(w *world) { w.plan(theKey(w), "DisableKey", caller); w.suspect(caller) }, "is on the identity chain of"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.baseline(true)
			tt.plan(w)
			w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
			got := w.assess(`{"event":` + w.last("DisableKey") + `}`)
			if got.Planned || len(got.Restore) != 1 || tt.gap == "" != (len(got.Gaps) == 0) || !strings.Contains(strings.Join(got.Gaps, " "), tt.gap) {
				t.Errorf("planned %t, found %q, gaps %q", got.Planned, got.summary(), got.Gaps)
			}
		})
	}
}

// No exception covers a part of ours, whoever made it.
func TestOwnPartsAreNeverPlanned(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.plan(theKey(w), "DisableKey", caller)
	w.do("KMS.DisableKey", `{"KeyId":"`+w.seeded.KeyARN+`"}`)
	act, _ := action.Get("trail:AssessOwnParts")
	env := w.env()
	env.Own = []trail.Dependency{{Kind: trail.KindKey, ARN: arn.ARN(theKey(w)), Account: account, Region: region}}
	raw, err := act.Run(t.Context(), env, json.RawMessage(`{"event":`+w.last("DisableKey")+`}`))
	w.check(err)
	var got assessed
	w.check(json.Unmarshal(raw, &got))
	if len(got.Restore) != 1 || got.Harmless {
		t.Errorf("restore %+v: %s", got.Restore, got.Reason)
	}
}

// A call whose event does not say in full what it set is not covered.
func TestPlannedCallThatCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.plan(theBucket(w), "PutBucketNotification", caller)
	w.do("S3.PutBucketNotificationConfiguration", `{"Bucket":"`+w.seeded.Bucket+`","NotificationConfiguration":{}}`)
	got := w.assess(`{"event":` + w.last("PutBucketNotification") + `}`)
	if got.Planned || len(got.Gaps) != 1 || !strings.Contains(got.Gaps[0], "cannot be read") {
		t.Errorf("planned %t, found %q, gaps %q", got.Planned, got.summary(), got.Gaps)
	}
}

// What somebody else changes beside it is put back without undoing what is planned.
func TestPlannedChangeIsKept(t *testing.T) {
	w := newWorld(t)
	w.baseline(true)
	w.plan(group, "PutRetentionPolicy", caller)
	w.do("CloudWatch Logs.PutRetentionPolicy", `{"LogGroupName":"trail","RetentionInDays":30}`)
	planned := w.last("PutRetentionPolicy")
	if got := w.assess(`{"event":` + planned + `}`); !got.Planned {
		t.Fatalf("found %q: %s", got.summary(), got.Reason)
	}
	w.do("CloudWatch Logs.DeleteDataProtectionPolicy", `{"LogGroupIdentifier":"trail"}`)
	got := w.assess(fmt.Sprintf(`{"resource":%q}`, group))
	if got.Planned || len(got.Restore) != 1 {
		t.Fatalf("planned %t, found %q", got.Planned, got.summary())
	}
	w.restore(got)
	now := w.logGroup()
	if now.RetentionInDays != 30 || len(now.DataProtectionPolicy) == 0 {
		t.Errorf("kept for %d days, masked by %s", now.RetentionInDays, now.DataProtectionPolicy)
	}
	w.now = w.now.Add(time.Hour)
	w.restore(w.assess(`{"event":` + planned + `}`))
	if now := w.logGroup(); now.RetentionInDays != 0 {
		t.Errorf("after the end kept for %d days", now.RetentionInDays)
	}
}

func theKey(w *world) string                  { return w.seeded.KeyARN }
func theBucket(w *world) string               { return "arn:aws:s3:::" + w.seeded.Bucket }
func the(resource string) func(*world) string { return func(*world) string { return resource } }

// versioned makes the bucket one that keeps versions and is closed.
func (w *world) versioned() {
	w.Helper()
	w.do("S3.PutBucketVersioning", `{"Bucket":"`+w.seeded.Bucket+`","VersioningConfiguration":{"Status":"Enabled"}}`)
	w.do("S3.PutPublicAccessBlock", `{"Bucket":"`+w.seeded.Bucket+`","PublicAccessBlockConfiguration":{"BlockPublicAcls":true,"IgnorePublicAcls":true,"BlockPublicPolicy":true,"RestrictPublicBuckets":true}}`)
}

// suspect puts a principal on the chain of an open incident.
func (w *world) suspect(principal string) {
	w.Helper()
	inc, _, err := w.db.Admit(w.Context(), incident.Candidate{
		Key: incident.Key{Runbook: "x"}, Event: "other", OccurredAt: w.now, Envelope: json.RawMessage(`{}`),
	})
	w.check(err)
	_, err = w.db.Update(w.Context(), inc.ID, func(i *incident.Incident) error {
		i.Who.Chain = []string{principal}
		return nil
	})
	w.check(err)
}

func (w *world) logGroup() trail.LogGroup {
	w.Helper()
	raw, err := state.ReadDependency(w.Context(), w.env().Door, trail.Dependency{Kind: trail.KindLogGroup, ARN: group, Account: account, Region: region})
	w.check(err)
	var g trail.LogGroup
	w.check(json.Unmarshal(raw, &g))
	return g
}
