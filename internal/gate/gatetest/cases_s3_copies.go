// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// copyName is a bucket that gets copies of another's objects, or its access log.
const copyName = "gatetest-copies-111122223333"

// bucketCopyCases are about copies of objects, and what protects the originals.
var bucketCopyCases = []contract{
	{"replication: put, get, delete", func(e *env) {
		e.newBucket(bucketName)
		e.newBucket(copyName)
		refuse(e.s3.GetBucketReplication(e.ctx, &s3.GetBucketReplicationInput{Bucket: bucket}))("ReplicationConfigurationNotFoundError")
		e.version(types.BucketVersioningStatusEnabled)
		e.versionOf(copyName, types.BucketVersioningStatusEnabled)
		ok(e.s3.PutBucketReplication(e.ctx, e.replicate()))
		got := ok(e.s3.GetBucketReplication(e.ctx, &s3.GetBucketReplicationInput{Bucket: bucket, ExpectedBucketOwner: owner})).ReplicationConfiguration
		equal("role", aws.ToString(got.Role), e.global(Account, "role/copy"))
		equal("rules", len(got.Rules), 1)
		equal("destination", aws.ToString(got.Rules[0].Destination.Bucket), e.bucketARNOf(copyName))
		ok(e.s3.DeleteBucketReplication(e.ctx, &s3.DeleteBucketReplicationInput{Bucket: bucket}))
		refuse(e.s3.GetBucketReplication(e.ctx, &s3.GetBucketReplicationInput{Bucket: bucket}))("ReplicationConfigurationNotFoundError")
	}},
	{"replication: needs versioning", func(e *env) {
		e.newBucket(bucketName)
		e.newBucket(copyName)
		refuse(e.s3.PutBucketReplication(e.ctx, e.replicate()))("InvalidRequest")
		e.version(types.BucketVersioningStatusEnabled)
		refuse(e.s3.PutBucketReplication(e.ctx, e.replicate()))("InvalidRequest")
	}},
	{"replication: holds versioning", func(e *env) {
		e.newBucket(bucketName)
		e.newBucket(copyName)
		e.version(types.BucketVersioningStatusEnabled)
		e.versionOf(copyName, types.BucketVersioningStatusEnabled)
		ok(e.s3.PutBucketReplication(e.ctx, e.replicate()))
		refuse(e.suspend())("InvalidBucketState")
	}},
	{"bucket logging", func(e *env) {
		e.newBucket(bucketName)
		e.newBucket(copyName)
		ok(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: aws.String(copyName), PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}}))
		equal("new", ok(e.s3.GetBucketLogging(e.ctx, &s3.GetBucketLoggingInput{Bucket: bucket})).LoggingEnabled == nil, true)
		ok(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{Bucket: aws.String(copyName), Policy: aws.String(e.logPolicy(copyName))}))
		ok(e.s3.PutBucketLogging(e.ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{
			LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String(copyName), TargetPrefix: aws.String("access/")},
		}}))
		got := ok(e.s3.GetBucketLogging(e.ctx, &s3.GetBucketLoggingInput{Bucket: bucket})).LoggingEnabled
		equal("target", []string{aws.ToString(got.TargetBucket), aws.ToString(got.TargetPrefix)}, []string{copyName, "access/"})
		ok(e.s3.PutBucketLogging(e.ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{}}))
		equal("off", ok(e.s3.GetBucketLogging(e.ctx, &s3.GetBucketLoggingInput{Bucket: bucket})).LoggingEnabled == nil, true)
	}},
	{"bucket logging: target is not there", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.PutBucketLogging(e.ctx, &s3.PutBucketLoggingInput{Bucket: bucket, BucketLoggingStatus: &types.BucketLoggingStatus{
			LoggingEnabled: &types.LoggingEnabled{TargetBucket: aws.String("gatetest-not-there"), TargetPrefix: aws.String("")},
		}}))("InvalidTargetBucketForLogging")
	}},
	{"buckets: listed with their regions", func(e *env) {
		e.newBucket(bucketName)
		list := ok(e.s3.ListBuckets(e.ctx, &s3.ListBucketsInput{Prefix: bucket, MaxBuckets: aws.Int32(10)})).Buckets
		equal("region", aws.ToString(list[0].BucketRegion), e.region)
	}},
	{"buckets: listed by prefix, to their owner", func(e *env) {
		e.newBucket(bucketName)
		e.newBucket(copyName)
		list := ok(e.s3.ListBuckets(e.ctx, &s3.ListBucketsInput{Prefix: bucket, MaxBuckets: aws.Int32(10)})).Buckets
		equal("buckets", len(list), 1)
		other := newS3(e.config(Member, e.region))
		equal("of the other account", len(ok(other.ListBuckets(e.ctx, &s3.ListBucketsInput{Prefix: bucket, MaxBuckets: aws.Int32(10)})).Buckets), 0)
	}},
	{"versioning: MFA delete needs the device", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.PutBucketVersioning(e.ctx, &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{
			Status: types.BucketVersioningStatusEnabled, MFADelete: types.MFADeleteEnabled,
		}}))("AccessDenied")
	}},
	{"versioning: held by object lock", func(e *env) {
		ok(e.s3.CreateBucket(e.ctx, &s3.CreateBucketInput{
			Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true),
			CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.region)},
		}))
		refuse(e.suspend())("InvalidBucketState")
	}},
	{"bucket policy: public is blocked", func(e *env) {
		e.newBucket(bucketName)
		ok(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicPolicy: aws.Bool(true)}}))
		refuse(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{
			Bucket: bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"` + e.bucketARN() + `/*"}]}`),
		}))("AccessDenied")
	}},
	{"ownership: enforced only without ACLs", func(e *env) {
		e.newBucket(bucketName)
		e.own(types.ObjectOwnershipObjectWriter)
		ok(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(false)}}))
		ok(e.s3.PutBucketAcl(e.ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPublicRead}))
		refuse(e.s3.PutBucketOwnershipControls(e.ctx, &s3.PutBucketOwnershipControlsInput{
			Bucket: bucket, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: types.ObjectOwnershipBucketOwnerEnforced}}},
		}))("InvalidBucketAclWithObjectOwnership")
	}},
	{"notifications: two of the same", func(e *env) {
		e.newBucket(bucketName)
		for _, name := range []string{"q", "r"} {
			ok(e.sqs.CreateQueue(e.ctx, &sqs.CreateQueueInput{QueueName: aws.String(name)}))
		}
		refuse(e.s3.PutBucketNotificationConfiguration(e.ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{
			QueueConfigurations: []types.QueueConfiguration{
				{QueueArn: aws.String(e.arn("sqs", "q")), Events: []types.Event{"s3:ObjectCreated:*"}},
				{QueueArn: aws.String(e.arn("sqs", "r")), Events: []types.Event{"s3:ObjectCreated:Put"}},
			},
		}}))("InvalidArgument")
	}},
	{"notifications: queue that is not there", func(e *env) {
		e.newBucket(bucketName)
		in := &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{
			QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String(e.arn("sqs", "nobody")), Events: []types.Event{"s3:ObjectCreated:*"}}},
		}}
		refuse(e.s3.PutBucketNotificationConfiguration(e.ctx, in))("InvalidArgument")
		in.SkipDestinationValidation = aws.Bool(true)
		ok(e.s3.PutBucketNotificationConfiguration(e.ctx, in))
	}},
}

func (e *env) bucketARNOf(name string) string {
	return e.bucketARN()[:len(e.bucketARN())-len(bucketName)] + name
}

func (e *env) versionOf(name string, status types.BucketVersioningStatus) {
	ok(e.s3.PutBucketVersioning(e.ctx, &s3.PutBucketVersioningInput{Bucket: &name, VersioningConfiguration: &types.VersioningConfiguration{Status: status}}))
}

func (e *env) suspend() (*s3.PutBucketVersioningOutput, error) {
	return e.s3.PutBucketVersioning(e.ctx, &s3.PutBucketVersioningInput{
		Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusSuspended},
	})
}

// logPolicy lets S3 write its access log.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
func (e *env) logPolicy(name string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"logging.s3.amazonaws.com"},"Action":"s3:PutObject","Resource":"` + e.bucketARNOf(name) + `/*"}]}`
}

// replicate copies everything to copyName.
func (e *env) replicate() *s3.PutBucketReplicationInput {
	return &s3.PutBucketReplicationInput{Bucket: bucket, ReplicationConfiguration: &types.ReplicationConfiguration{
		Role: aws.String(e.global(Account, "role/copy")),
		Rules: []types.ReplicationRule{{
			ID: aws.String("copy"), Priority: aws.Int32(1), Status: types.ReplicationRuleStatusEnabled, Filter: &types.ReplicationRuleFilter{Prefix: aws.String("")},
			DeleteMarkerReplication: &types.DeleteMarkerReplication{Status: types.DeleteMarkerReplicationStatusDisabled},
			Destination:             &types.Destination{Bucket: aws.String(e.bucketARNOf(copyName))},
		}},
	}}
}

// versionCases are about what is left of objects that were deleted.
var versionCases = []contract{
	{"object: delete several, and take the markers away", func(e *env) {
		e.newBucket(bucketName)
		e.version(types.BucketVersioningStatusEnabled)
		for _, k := range []string{"a", "b", "c"} {
			e.putObject(k, "v")
		}
		gone := ok(e.s3.DeleteObjects(e.ctx, &s3.DeleteObjectsInput{Bucket: bucket, ExpectedBucketOwner: owner, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("b")}}}}))
		equal("deleted", len(gone.Deleted), 2)
		var markers []types.ObjectIdentifier
		for _, d := range gone.Deleted {
			equal("marker", aws.ToBool(d.DeleteMarker), true)
			markers = append(markers, types.ObjectIdentifier{Key: d.Key, VersionId: d.DeleteMarkerVersionId})
		}
		equal("left", len(ok(e.s3.ListObjectsV2(e.ctx, &s3.ListObjectsV2Input{Bucket: bucket})).Contents), 1)
		ok(e.s3.DeleteObjects(e.ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: markers, Quiet: aws.Bool(true)}}))
		equal("back", len(ok(e.s3.ListObjectsV2(e.ctx, &s3.ListObjectsV2Input{Bucket: bucket})).Contents), 3)
	}},
	{"object: delete several, none named", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.DeleteObjects(e.ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{}}}))("MalformedXML")
	}},
	{"object: versions in pages", func(e *env) {
		e.newBucket(bucketName)
		e.version(types.BucketVersioningStatusEnabled)
		for _, k := range []string{"a", "a", "b", "b", "b", "c"} {
			e.putObject(k, "v")
		}
		ok(e.s3.DeleteObject(e.ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("b")}))
		versions, markers, pages := 0, 0, 0
		for p := s3.NewListObjectVersionsPaginator(e.s3, &s3.ListObjectVersionsInput{Bucket: bucket, MaxKeys: aws.Int32(2)}); p.HasMorePages(); pages++ {
			page := ok(p.NextPage(e.ctx))
			versions, markers = versions+len(page.Versions), markers+len(page.DeleteMarkers)
		}
		equal("versions, markers, pages", []int{versions, markers, pages}, []int{6, 1, 4})
		one := ok(e.s3.ListObjectVersions(e.ctx, &s3.ListObjectVersionsInput{Bucket: bucket, Prefix: aws.String("b")}))
		equal("of one key", []int{len(one.Versions), len(one.DeleteMarkers)}, []int{3, 1})
	}},
	{"object: deleted while versioning is suspended", func(e *env) {
		e.newBucket(bucketName)
		e.version(types.BucketVersioningStatusEnabled)
		kept := e.putObject("k", "v")
		e.version(types.BucketVersioningStatusSuspended)
		gone := ok(e.s3.DeleteObject(e.ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("k")}))
		equal("marker", []string{aws.ToString(gone.VersionId)}, []string{"null"})
		refuse(e.s3.GetObject(e.ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("k")}))("NoSuchKey")
		equal("old version", e.getObject(&s3.GetObjectInput{Key: aws.String("k"), VersionId: kept.VersionId}), "v")
	}},
}
