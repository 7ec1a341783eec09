// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// dependency is the seeded trail's bucket, in no particular region.
func (w *world) dependency() trail.Dependency {
	return trail.Dependency{Kind: trail.KindBucket, ARN: arn.Bucket(w.seeded.Region, w.seeded.Bucket), Account: account}
}

func (w *world) readBucket(d trail.Dependency) (trail.Bucket, error) {
	w.t.Helper()
	var b trail.Bucket
	content, err := state.ReadDependency(w.t.Context(), w.door, d)
	if err != nil {
		return b, err
	}
	check(w.t, json.Unmarshal(content, &b))
	return b, nil
}

func (w *world) buckets(account string) *s3.Client {
	w.t.Helper()
	return s3.NewFromConfig(w.root(account, w.seeded.Region))
}

func TestReadBucketAsItIsNew(t *testing.T) {
	for _, region := range []string{"eu-west-1", "us-gov-west-1", "cn-north-1"} {
		w := newWorld(t, region)
		got, err := w.readBucket(w.dependency())
		check(t, err)
		if !strings.Contains(string(got.Policy), "AWSCloudTrailWrite20150319") || len(got.ACL.Grants) != 1 || got.ACL.Owner == "" {
			t.Errorf("%s: policy %s, ACL %+v", region, got.Policy, got.ACL)
		}
		got.Policy, got.ACL = nil, trail.ACL{}
		want := trail.Bucket{
			Exists: true, Name: w.seeded.Bucket, Owner: account, Region: region,
			Encryption: []trail.EncryptionRule{{
				ApplyServerSideEncryptionByDefault: &trail.EncryptionDefault{SSEAlgorithm: "AES256"}, BucketKeyEnabled: aws.Bool(false),
			}},
			PublicAccessBlock: &trail.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
			ObjectOwnership:   "BucketOwnerEnforced", Payer: "BucketOwner",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: bucket (-want +got):\n%s", region, diff)
		}
	}
}

// TestReadBucketWithEverything puts one of each part and looks for it in the reading, which must be the same each time.
func TestReadBucketWithEverything(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	ctx, c, name := t.Context(), w.buckets(account), &w.seeded.Bucket
	copies := "copies-111122223333"
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: &copies, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}})
	check(t, err)
	for _, b := range []*string{name, &copies} {
		_, err = c.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{Bucket: b, VersioningConfiguration: &s3types.VersioningConfiguration{Status: "Enabled"}})
		check(t, err)
	}
	_, err = c.PutObjectLockConfiguration(ctx, &s3.PutObjectLockConfigurationInput{Bucket: name, ObjectLockConfiguration: &s3types.ObjectLockConfiguration{
		ObjectLockEnabled: "Enabled", Rule: &s3types.ObjectLockRule{DefaultRetention: &s3types.DefaultRetention{Mode: "GOVERNANCE", Days: aws.Int32(30)}},
	}})
	check(t, err)
	_, err = c.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: name, LifecycleConfiguration: &s3types.BucketLifecycleConfiguration{
		Rules: []s3types.LifecycleRule{{ID: aws.String("x"), Status: "Enabled", Filter: &s3types.LifecycleRuleFilter{Prefix: aws.String("")}, Expiration: &s3types.LifecycleExpiration{Days: aws.Int32(400)}}},
	}})
	check(t, err)
	_, err = c.PutBucketReplication(ctx, &s3.PutBucketReplicationInput{Bucket: name, ReplicationConfiguration: &s3types.ReplicationConfiguration{
		Role: aws.String("arn:aws:iam::111122223333:role/copy"),
		Rules: []s3types.ReplicationRule{{
			Status: "Enabled", Priority: aws.Int32(1), Filter: &s3types.ReplicationRuleFilter{Prefix: aws.String("")},
			Destination: &s3types.Destination{Bucket: aws.String("arn:aws:s3:::" + copies)},
		}},
	}})
	check(t, err)
	_, err = c.PutBucketLogging(ctx, &s3.PutBucketLoggingInput{Bucket: name, BucketLoggingStatus: &s3types.BucketLoggingStatus{
		LoggingEnabled: &s3types.LoggingEnabled{TargetBucket: &copies, TargetPrefix: aws.String("")},
	}})
	check(t, err)
	_, err = c.PutBucketNotificationConfiguration(ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: name, NotificationConfiguration: &s3types.NotificationConfiguration{
		QueueConfigurations: []s3types.QueueConfiguration{{
			QueueArn: aws.String("arn:aws:sqs:eu-west-1:111122223333:switchback-events"), Events: []s3types.Event{"s3:ObjectCreated:*"},
			Filter: &s3types.NotificationConfigurationFilter{Key: &s3types.S3KeyFilter{FilterRules: []s3types.FilterRule{{Name: "prefix", Value: aws.String("AWSLogs/")}}}},
		}},
		EventBridgeConfiguration: &s3types.EventBridgeConfiguration{},
	}})
	check(t, err)
	content, err := state.ReadDependency(ctx, w.door, w.dependency())
	check(t, err)
	again, err := state.ReadDependency(ctx, w.door, w.dependency())
	check(t, err)
	if string(content) != string(again) {
		t.Errorf("read twice:\n%s\n%s", content, again)
	}
	for _, want := range []string{
		`"Versioning":{"Status":"Enabled"}`,
		`"ObjectLock":{"ObjectLockEnabled":"Enabled","Rule":{"DefaultRetention":{"Mode":"GOVERNANCE","Days":30}}}`,
		`"Lifecycle":{"Rules":[{"ID":"x","Status":"Enabled","Filter":{"Prefix":""},"Expiration":{"Days":400}}]}`,
		`"Replication":{"Role":"arn:aws:iam::111122223333:role/copy","Rules":[{"Destination":{"Bucket":"arn:aws:s3:::copies-111122223333"},"Filter":{"Prefix":""},"Priority":1,"Status":"Enabled"}]}`,
		`"Logging":{"TargetBucket":"copies-111122223333"}`,
		`"Notification":{"QueueConfigurations":[{"QueueArn":"arn:aws:sqs:eu-west-1:111122223333:switchback-events","Events":["s3:ObjectCreated:*"],"Filter":{"Key":{"FilterRules":[{"Name":"prefix","Value":"AWSLogs/"}]}}}],"EventBridgeConfiguration":{}}`,
	} {
		if !strings.Contains(string(content), want) {
			t.Errorf("the reading lacks %s:\n%s", want, content)
		}
	}
}

func TestReadBucketThatIsNotOurs(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	check(t, w.s.AddAccount(member, "aws", ""))
	empty := func() {
		t.Helper()
		_, err := w.buckets(account).DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &w.seeded.Bucket})
		check(t, err)
	}
	empty()
	gone, err := w.readBucket(w.dependency())
	if diff := cmp.Diff(trail.Bucket{Name: w.seeded.Bucket}, gone); diff != "" || err != nil {
		t.Errorf("a bucket that is gone: %v (-want +got):\n%s", err, diff)
	}
	_, err = w.buckets(member).CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &w.seeded.Bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"},
	})
	check(t, err)
	foreign, err := w.readBucket(w.dependency())
	if diff := cmp.Diff(trail.Bucket{Exists: true, Name: w.seeded.Bucket, Owner: "not " + account}, foreign); diff != "" || err != nil {
		t.Errorf("somebody else's bucket: %v (-want +got):\n%s", err, diff)
	}
	check(t, w.s.Deny(account, "s3:ListAllMyBuckets"))
	if b, err := w.readBucket(w.dependency()); err == nil {
		t.Errorf("without the list nobody can tell whose it is, but it was read as %+v", b)
	}
}

// TestReadBucketInAnotherRegion asks from the default region for a bucket that lies elsewhere.
func TestReadBucketInAnotherRegion(t *testing.T) {
	w := newWorld(t, "eu-west-1")
	away := s3.NewFromConfig(w.root(account, "eu-central-1"))
	_, err := away.CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("away-111122223333"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: "eu-central-1"},
	})
	check(t, err)
	d := w.dependency()
	d.ARN = arn.Bucket("eu-central-1", "away-111122223333")
	for _, region := range []string{"", "eu-west-1", "eu-central-1"} {
		d.Region = region
		if b, err := w.readBucket(d); err != nil || b.Region != "eu-central-1" || b.Payer == "" {
			t.Errorf("asked in %q: %+v, %v", region, b, err)
		}
	}
	for _, bad := range []arn.ARN{"", "arn:aws:s3:::b/key", arn.ARN(w.seeded.TrailARN)} {
		d.ARN = bad
		if _, err := w.readBucket(d); err == nil {
			t.Errorf("%q was read as a bucket", bad)
		}
	}
}

// TestReadBucketThatKeepsUsOut: one part that is refused is an error, for it may be what was weakened.
func TestReadBucketThatKeepsUsOut(t *testing.T) {
	for _, action := range []string{
		"s3:GetBucketPolicy", "s3:GetLifecycleConfiguration", "s3:GetBucketVersioning", "s3:GetBucketObjectLockConfiguration", "s3:GetEncryptionConfiguration",
		"s3:GetBucketPublicAccessBlock", "s3:GetBucketOwnershipControls", "s3:GetBucketAcl", "s3:GetBucketNotification", "s3:GetReplicationConfiguration",
		"s3:GetBucketRequestPayment", "s3:GetBucketLogging",
	} {
		w := newWorld(t, "eu-west-1")
		w.addToPolicy(`{"Effect":"Deny","Principal":"*","Action":"` + action + `","Resource":"` + string(w.dependency().ARN) + `"}`)
		if b, err := w.readBucket(w.dependency()); err == nil || !strings.Contains(err.Error(), "resource-based policy") {
			t.Errorf("%s is denied: %+v, %v", action, b, err)
		}
	}
	w := newWorld(t, "eu-west-1")
	w.addToPolicy(`{"Effect":"Deny","Principal":"*","Action":"s3:ListBucket","Resource":"` + string(w.dependency().ARN) + `"}`)
	if b, err := w.readBucket(w.dependency()); err != nil || b.Owner != account || b.Payer == "" {
		t.Errorf("only HeadBucket is denied: %+v, %v; want it read all the same", b, err)
	}
}

func (w *world) addToPolicy(statement string) {
	w.t.Helper()
	c := w.buckets(account)
	out, err := c.GetBucketPolicy(w.t.Context(), &s3.GetBucketPolicyInput{Bucket: &w.seeded.Bucket})
	check(w.t, err)
	more := strings.Replace(*out.Policy, `"Statement":[`, `"Statement":[`+statement+",", 1)
	_, err = c.PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: &w.seeded.Bucket, Policy: &more})
	check(w.t, err)
}
