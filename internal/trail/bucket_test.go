// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/trail"
)

const (
	trailARN  = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	logBucket = "arn:aws:s3:::logs-111122223333"
	ourQueue  = "arn:aws:sqs:eu-west-1:111122223333:logs"
	ourKey    = "arn:aws:kms:eu-west-1:111122223333:key/1111"
)

// The statements of AWS's policy for one account.
const (
	aclCheck = `{"Sid":"AWSCloudTrailAclCheck20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:GetBucketAcl",` +
		`"Resource":"` + logBucket + `","Condition":{"StringEquals":{"aws:SourceArn":"` + trailARN + `"}}}`
	write = `{"Sid":"AWSCloudTrailWrite20150319","Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"s3:PutObject",` +
		`"Resource":"` + logBucket + `/AWSLogs/111122223333/*","Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control","aws:SourceArn":"` + trailARN + `"}}}`
	reader    = `{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::111122223333:role/siem","arn:aws:iam::111122223333:role/audit"]},"Action":["s3:GetObject","s3:ListBucket"],"Resource":["` + logBucket + `","` + logBucket + `/*"]}`
	hardening = `{"Effect":"Deny","Principal":"*","Action":["s3:DeleteObject*","s3:PutLifecycleConfiguration","s3:DeleteBucket"],"Resource":["` + logBucket + `","` + logBucket + `/*"],` +
		`"Condition":{"StringNotEquals":{"aws:PrincipalArn":["arn:aws:iam::111122223333:role/break-glass"]}}}`
	tls = `{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["` + logBucket + `","` + logBucket + `/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}`
)

func policy(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

func canonical(t testing.TB, document string) json.RawMessage {
	t.Helper()
	p, err := trail.CanonicalBucketPolicy(document)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// goodBucket has something of everything.
func goodBucket(t testing.TB) trail.Bucket {
	return trail.Bucket{
		Exists: true, Name: "logs-111122223333", Owner: "111122223333", Region: "eu-west-1",
		Policy: canonical(t, policy(aclCheck, write, reader, hardening)),
		Lifecycle: &trail.Lifecycle{Rules: []trail.LifecycleRule{{
			ID: ptr("keep"), Status: "Enabled", Filter: &trail.LifecycleFilter{Prefix: ptr("")},
			Expiration: &trail.Expiration{Days: ptr(int32(400))}, Transitions: []trail.Transition{{Days: ptr(int32(90)), StorageClass: "GLACIER"}},
			NoncurrentVersionExpiration: &trail.NoncurrentExpiration{NoncurrentDays: ptr(int32(400))},
		}}},
		Versioning: trail.Versioning{Status: "Enabled", MFADelete: "Enabled"},
		ObjectLock: &trail.ObjectLock{ObjectLockEnabled: "Enabled", Rule: &trail.ObjectLockRule{
			DefaultRetention: &trail.DefaultRetention{Mode: "COMPLIANCE", Years: ptr(int32(1))},
		}},
		Encryption:        []trail.EncryptionRule{encrypted("aws:kms", ourKey)},
		PublicAccessBlock: &trail.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
		ObjectOwnership:   "BucketOwnerEnforced",
		ACL:               trail.ACL{Owner: "owner", Grants: []trail.Grant{grant("owner", "FULL_CONTROL")}},
		Notification: trail.Notification{
			QueueConfigurations:      []trail.Notified{notified(ourQueue, "AWSLogs/", ".json.gz", "s3:ObjectCreated:*")},
			EventBridgeConfiguration: &trail.EventBridge{},
		},
		Replication: &trail.Replication{Role: "arn:aws:iam::111122223333:role/copy", Rules: []json.RawMessage{copyTo("copies")}},
		Payer:       "BucketOwner",
		Logging:     &trail.Logging{TargetBucket: "access-111122223333", TargetPrefix: "logs/"},
	}
}

func encrypted(algorithm, key string) trail.EncryptionRule {
	d := &trail.EncryptionDefault{SSEAlgorithm: algorithm}
	if key != "" {
		d.KMSMasterKeyID = &key
	}
	return trail.EncryptionRule{ApplyServerSideEncryptionByDefault: d, BucketKeyEnabled: ptr(true)}
}

func grant(id, permission string) trail.Grant {
	return trail.Grant{Grantee: &trail.Grantee{Type: "CanonicalUser", ID: &id}, Permission: permission}
}

func groupGrant(group string) trail.Grant {
	return trail.Grant{Grantee: &trail.Grantee{Type: "Group", URI: ptr("http://acs.amazonaws.com/groups/global/" + group)}, Permission: "READ"}
}

func notified(queue, prefix, suffix string, events ...string) trail.Notified {
	return trail.Notified{ID: ptr("of " + queue), QueueArn: queue, Events: events, Filter: &trail.NotifiedFilter{Key: &trail.NotifiedKey{FilterRules: []trail.NotifiedRule{
		{Name: "Prefix", Value: prefix}, {Name: "Suffix", Value: suffix},
	}}}}
}

func copyTo(bucket string) json.RawMessage {
	return json.RawMessage(`{"ID":"` + bucket + `","Priority":1,"Status":"Enabled","Filter":{"Prefix":""},"Destination":{"Bucket":"arn:aws:s3:::` + bucket + `"}}`)
}

func expire(days int32, prefix string) trail.LifecycleRule {
	return trail.LifecycleRule{ID: ptr("x"), Status: "Enabled", Filter: &trail.LifecycleFilter{Prefix: &prefix}, Expiration: &trail.Expiration{Days: &days}}
}

func TestWeakenedBucket(t *testing.T) {
	soon := time.Date(2026, 5, 5, 0, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name   string
		change func(*trail.Bucket)
		want   string // fields
		note   string // in the first
	}{
		{"nothing", func(*trail.Bucket) {}, "", ""},
		{"gone", func(b *trail.Bucket) { *b = trail.Bucket{Name: b.Name} }, "Exists", "gone"},
		{"somebody else's, and nothing else counts", func(b *trail.Bucket) { b.Owner, b.Policy = "not 111122223333", nil }, "Owner", "another account"},
		{"in another region", func(b *trail.Bucket) { b.Region, b.Versioning = "eu-central-1", trail.Versioning{} }, "Region", "another bucket"},
		{"policy gone", func(b *trail.Bucket) { b.Policy = nil }, "Policy Policy", "no longer allowed to deliver"},

		{"lifecycle gone", func(b *trail.Bucket) { b.Lifecycle = nil }, "", ""},
		{"lifecycle later, archived later", func(b *trail.Bucket) {
			b.Lifecycle.Rules[0].Expiration.Days, b.Lifecycle.Rules[0].Transitions[0].Days = ptr(int32(900)), ptr(int32(100))
		}, "", ""},
		{"expiry of a part as late", func(b *trail.Bucket) { b.Lifecycle.Rules = append(b.Lifecycle.Rules, expire(400, "AWSLogs/")) }, "", ""},
		{"expiry sooner", func(b *trail.Bucket) { b.Lifecycle.Rules[0].Expiration.Days = ptr(int32(1)) }, "LifecycleConfiguration", "after 1 days"},
		{"expiry sooner beside the old one", func(b *trail.Bucket) { b.Lifecycle.Rules = append(b.Lifecycle.Rules, expire(1, "AWSLogs/")) }, "LifecycleConfiguration", `below "AWSLogs/"`},
		{"expiry by date", func(b *trail.Bucket) { b.Lifecycle.Rules[0].Expiration = &trail.Expiration{Date: &soon} }, "LifecycleConfiguration", "from 2026-05-05"},
		{"expiry that is switched off", func(b *trail.Bucket) {
			r := expire(1, "")
			r.Status = "Disabled"
			b.Lifecycle.Rules = append(b.Lifecycle.Rules, r)
		}, "", ""},
		{"expiry of what is tagged", func(b *trail.Bucket) {
			r := expire(1, "")
			r.Filter = &trail.LifecycleFilter{Tag: &trail.ObjectTag{Key: "a", Value: "b"}}
			b.Lifecycle.Rules = append(b.Lifecycle.Rules, r)
		}, "LifecycleConfiguration", "after 1 days"},
		{"expiry of what is large, as late", func(b *trail.Bucket) {
			r := expire(400, "")
			r.Filter = &trail.LifecycleFilter{And: &trail.LifecycleAnd{Prefix: ptr("x"), ObjectSizeGreaterThan: ptr(int64(1000))}}
			b.Lifecycle.Rules = append(b.Lifecycle.Rules, r)
		}, "", ""},
		{"expiry of what was large only", func(b *trail.Bucket) { b.Lifecycle.Rules = []trail.LifecycleRule{expire(400, "")} }, "", ""},
		{"archived deeper", func(b *trail.Bucket) { b.Lifecycle.Rules[0].Transitions[0].StorageClass = "DEEP_ARCHIVE" }, "LifecycleConfiguration", "archived"},
		{"moved to a class that is read at once", func(b *trail.Bucket) { b.Lifecycle.Rules[0].Transitions[0].StorageClass = "STANDARD_IA" }, "", ""},
		{"old versions archived", func(b *trail.Bucket) {
			b.Lifecycle.Rules[0].NoncurrentVersionTransitions = []trail.NoncurrentTransition{{NoncurrentDays: ptr(int32(1)), StorageClass: "GLACIER"}}
		}, "LifecycleConfiguration", "old versions are archived"},
		{"old versions removed sooner", func(b *trail.Bucket) { b.Lifecycle.Rules[0].NoncurrentVersionExpiration.NoncurrentDays = ptr(int32(1)) }, "LifecycleConfiguration", "old versions are removed"},
		{"old rule's prefix", func(b *trail.Bucket) {
			b.Lifecycle.Rules = append(b.Lifecycle.Rules, trail.LifecycleRule{Status: "Enabled", Prefix: ptr("A"), Expiration: &trail.Expiration{Days: ptr(int32(2))}})
		}, "LifecycleConfiguration", `below "A"`},

		{"versioning suspended", func(b *trail.Bucket) { b.Versioning.Status = "Suspended" }, "Versioning", "lost"},
		{"MFA delete off", func(b *trail.Bucket) { b.Versioning.MFADelete = "Disabled" }, "MFADelete", "without MFA"},
		{"lock's retention gone", func(b *trail.Bucket) { b.ObjectLock.Rule = nil }, "ObjectLockConfiguration", "0 days instead of 365"},
		{"lock shorter", func(b *trail.Bucket) {
			b.ObjectLock.Rule.DefaultRetention = &trail.DefaultRetention{Mode: "COMPLIANCE", Days: ptr(int32(364))}
		}, "ObjectLockConfiguration", "364 days"},
		{"lock as long in days", func(b *trail.Bucket) {
			b.ObjectLock.Rule.DefaultRetention = &trail.DefaultRetention{Mode: "COMPLIANCE", Days: ptr(int32(365))}
		}, "", ""},
		{"lock can be overridden, but is longer", func(b *trail.Bucket) {
			b.ObjectLock.Rule.DefaultRetention = &trail.DefaultRetention{Mode: "GOVERNANCE", Years: ptr(int32(2))}
		}, "ObjectLockConfiguration", "overridden"},
		{"no lock", func(b *trail.Bucket) { b.ObjectLock = nil }, "ObjectLockConfiguration", "no Object Lock"},
		{"other key", func(b *trail.Bucket) { b.Encryption = []trail.EncryptionRule{encrypted("aws:kms", ourKey+"2")} }, "ServerSideEncryptionConfiguration", "otherwise"},
		{"key by its id", func(b *trail.Bucket) { b.Encryption = []trail.EncryptionRule{encrypted("aws:kms", "1111")} }, "", ""},
		{"no key", func(b *trail.Bucket) { b.Encryption = nil }, "ServerSideEncryptionConfiguration", ""},
		{"every block off", func(b *trail.Bucket) { b.PublicAccessBlock = nil }, "PublicAccessBlock PublicAccessBlock PublicAccessBlock PublicAccessBlock", "BlockPublicAcls"},
		{"one block off", func(b *trail.Bucket) { b.PublicAccessBlock.RestrictPublicBuckets = false }, "PublicAccessBlock", "RestrictPublicBuckets"},
		{"ACLs count again", func(b *trail.Bucket) { b.ObjectOwnership = "" }, "ObjectOwnership", "count again"},
		{"public ACL", func(b *trail.Bucket) { b.ACL.Grants = append(b.ACL.Grants, groupGrant("AllUsers")) }, "AccessControlPolicy", "READ to everybody"},
		{"ACL for every account", func(b *trail.Bucket) { b.ACL.Grants = append(b.ACL.Grants, groupGrant("AuthenticatedUsers")) }, "AccessControlPolicy", "every AWS account"},
		{"foreign ACL", func(b *trail.Bucket) { b.ACL.Grants = append(b.ACL.Grants, grant("evil", "READ")) }, "AccessControlPolicy", "foreign account evil"},
		{"owner's grants differ", func(b *trail.Bucket) { b.ACL.Grants = []trail.Grant{grant("owner", "WRITE")} }, "", ""},
		{"requester pays", func(b *trail.Bucket) { b.Payer = "Requester" }, "Payer", "does not deliver"},

		{"notifications gone", func(b *trail.Bucket) { b.Notification = trail.Notification{} }, "NotificationConfiguration", ourQueue + "; EventBridge"},
		{"other queue", func(b *trail.Bucket) { b.Notification.QueueConfigurations[0].QueueArn = ourQueue + "2" }, "NotificationConfiguration", ourQueue},
		{"one more queue", func(b *trail.Bucket) {
			b.Notification.QueueConfigurations = append(b.Notification.QueueConfigurations, notified(ourQueue+"2", "x", "", "s3:ObjectRemoved:*"))
		}, "", ""},
		{"fewer events", func(b *trail.Bucket) {
			b.Notification.QueueConfigurations[0].Events = []string{"s3:ObjectCreated:Copy"}
		}, "NotificationConfiguration", ""},
		{"more events", func(b *trail.Bucket) {
			b.Notification.QueueConfigurations[0].Events = []string{"s3:ObjectRemoved:*", "s3:ObjectCreated:*"}
		}, "", ""},
		{"narrower filter", func(b *trail.Bucket) {
			b.Notification.QueueConfigurations[0] = notified(ourQueue, "AWSLogs/1", ".json.gz", "s3:ObjectCreated:*")
		}, "NotificationConfiguration", ""},
		{"wider filter", func(b *trail.Bucket) {
			b.Notification.QueueConfigurations[0] = notified(ourQueue, "AWS", ".gz", "s3:ObjectCreated:*")
		}, "", ""},
		{"replication gone", func(b *trail.Bucket) { b.Replication = nil }, "ReplicationConfiguration", "no longer copied"},
		{"replication off", func(b *trail.Bucket) {
			b.Replication.Rules[0] = json.RawMessage(strings.Replace(string(copyTo("copies")), "Enabled", "Disabled", 1))
		}, "ReplicationConfiguration", "no longer copied"},
		{"copies to a stranger too", func(b *trail.Bucket) { b.Replication.Rules = append(b.Replication.Rules, copyTo("evil")) }, "ReplicationConfiguration", "copied elsewhere"},
		{"rule under another name", func(b *trail.Bucket) {
			b.Replication.Rules[0] = json.RawMessage(strings.Replace(string(copyTo("copies")), `"ID":"copies"`, `"ID":"b"`, 1))
		}, "", ""},
		{"copies by another role", func(b *trail.Bucket) { b.Replication.Role = "arn:aws:iam::111122223333:role/evil" }, "ReplicationConfiguration", "another role"},
		{"access log off", func(b *trail.Bucket) { b.Logging = nil }, "LoggingEnabled", "nowhere"},
		{"access log elsewhere", func(b *trail.Bucket) { b.Logging.TargetBucket = "evil" }, "LoggingEnabled", "elsewhere"},
		{"one up, one down", func(b *trail.Bucket) {
			b.Policy, b.Versioning.Status = canonical(t, policy(aclCheck, write, hardening, tls)), "Suspended"
		}, "Versioning", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want, have := goodBucket(t), goodBucket(t)
			tc.change(&have)
			got := trail.WeakenedBucket(want, have)
			if diff := cmp.Diff(tc.want, fields(got)); diff != "" {
				t.Fatalf("weakened fields (-want +got):\n%s\n%+v", diff, got)
			}
			if len(got) > 0 && !strings.Contains(got[0].Note, tc.note) {
				t.Errorf("note is %q, want %q in it", got[0].Note, tc.note)
			}
		})
	}
}

// TestWeakenedDependencyOfBucket goes by way of JSON, as snapshots do.
func TestWeakenedDependencyOfBucket(t *testing.T) {
	want, have := goodBucket(t), goodBucket(t)
	have.Payer = "Requester"
	encode := func(b trail.Bucket) json.RawMessage {
		text, err := json.Marshal(b.Canonical())
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	got, err := trail.WeakenedDependency(trail.KindBucket, encode(want), encode(have))
	if err != nil || fields(got) != "Payer" {
		t.Errorf("differences %+v, %v", got, err)
	}
	if got, err := trail.WeakenedDependency(trail.KindBucket, encode(want), encode(want)); err != nil || len(got) > 0 {
		t.Errorf("differences to itself %+v, %v", got, err)
	}
	have = goodBucket(t)
	have.ACL.Grants = append([]trail.Grant{groupGrant("AllUsers")}, have.ACL.Grants...)
	want.ACL.Grants = append(want.ACL.Grants, groupGrant("AllUsers"))
	want.Payer = "BucketOwner"
	if string(encode(want)) != string(encode(have)) {
		t.Error("the order of grants changes the canonical form")
	}
}

func TestNotificationWith(t *testing.T) {
	ours := trail.Notification{QueueConfigurations: []trail.Notified{notified(ourQueue, "AWSLogs/", "", "s3:ObjectCreated:*")}}
	theirs := trail.Notified{ID: ptr("theirs"), TopicArn: "arn:aws:sns:eu-west-1:111122223333:t", Events: []string{"s3:ObjectRemoved:*"}}
	rival := notified("arn:aws:sqs:eu-west-1:444455556666:evil", "AWSLogs/1", "", "s3:ObjectCreated:Put")
	have := trail.Notification{
		QueueConfigurations: []trail.Notified{rival}, TopicConfigurations: []trail.Notified{theirs}, EventBridgeConfiguration: &trail.EventBridge{},
	}
	want := trail.Notification{
		QueueConfigurations: ours.QueueConfigurations, TopicConfigurations: []trail.Notified{theirs}, EventBridgeConfiguration: &trail.EventBridge{},
	}
	if diff := cmp.Diff(want, ours.With(have)); diff != "" {
		t.Errorf("what others added stays, unless it is in the way (-want +got):\n%s", diff)
	}
}
