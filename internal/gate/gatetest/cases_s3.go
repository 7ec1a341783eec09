// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

var (
	bucket      = aws.String(bucketName)
	owner       = aws.String(Account)
	notTheOwner = aws.String(Member)
)

var bucketCases = []contract{
	{"bucket: create, find, delete", func(e *env) {
		e.newBucket(bucketName)
		head := ok(e.s3.HeadBucket(e.ctx, &s3.HeadBucketInput{Bucket: bucket, ExpectedBucketOwner: owner}))
		equal("region", aws.ToString(head.BucketRegion), e.region)
		where := ok(e.s3.GetBucketLocation(e.ctx, &s3.GetBucketLocationInput{Bucket: bucket}))
		equal("location", string(where.LocationConstraint), e.region)
		list := ok(e.s3.ListBuckets(e.ctx, &s3.ListBucketsInput{})).Buckets
		equal("buckets", len(list), 1)
		ok(e.s3.DeleteBucket(e.ctx, &s3.DeleteBucketInput{Bucket: bucket}))
		refuse(e.s3.HeadBucket(e.ctx, &s3.HeadBucketInput{Bucket: bucket}))("NotFound")
	}},
	{"bucket: wrong owner", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.HeadBucket(e.ctx, &s3.HeadBucketInput{Bucket: bucket, ExpectedBucketOwner: notTheOwner}))("Forbidden", "AccessDenied")
		refuse(e.s3.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket, ExpectedBucketOwner: notTheOwner}))("AccessDenied")
		refuse(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(e.policy(bucketName)), ExpectedBucketOwner: notTheOwner}))("AccessDenied")
	}},
	{"bucket: name of another account", func(e *env) {
		e.newBucket(bucketName)
		other := newS3(e.config(Member, e.region))
		refuse(other.CreateBucket(e.ctx, &s3.CreateBucketInput{
			Bucket: bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.region)},
		}))("BucketAlreadyExists")
	}},
	{"bucket: own name again", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.CreateBucket(e.ctx, &s3.CreateBucketInput{
			Bucket: bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.region)},
		}))("BucketAlreadyOwnedByYou")
	}},
	{"bucket: wrong location", func(e *env) {
		refuse(e.s3.CreateBucket(e.ctx, &s3.CreateBucketInput{
			Bucket: bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.elsewhere)},
		}))("IllegalLocationConstraintException")
	}},
	{"bucket: bad name", func(e *env) {
		refuse(e.s3.CreateBucket(e.ctx, &s3.CreateBucketInput{
			Bucket: aws.String("Upper"), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.region)},
		}))("InvalidBucketName")
	}},
	{"bucket: addressed in another region", func(e *env) {
		e.newBucket(bucketName)
		away := newS3(e.config(Account, e.elsewhere))
		refuse(away.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket}))("PermanentRedirect")
	}},
	{"bucket: not empty", func(e *env) {
		e.newBucket(bucketName)
		e.putObject("k", "v")
		refuse(e.s3.DeleteBucket(e.ctx, &s3.DeleteBucketInput{Bucket: bucket}))("BucketNotEmpty")
	}},
	{"bucket: not there", func(e *env) {
		refuse(e.s3.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket}))("NoSuchBucket")
		refuse(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String(e.policy(bucketName))}))("NoSuchBucket")
		refuse(e.s3.ListObjectsV2(e.ctx, &s3.ListObjectsV2Input{Bucket: bucket}))("NoSuchBucket")
		refuse(e.s3.GetBucketVersioning(e.ctx, &s3.GetBucketVersioningInput{Bucket: bucket}))("NoSuchBucket")
	}},
}

var bucketConfigCases = []contract{
	{"bucket policy: put, get, delete", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket}))("NoSuchBucketPolicy")
		want := e.policy(bucketName)
		ok(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &want, ExpectedBucketOwner: owner}))
		equal("policy", aws.ToString(ok(e.s3.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket, ExpectedBucketOwner: owner})).Policy), want)
		ok(e.s3.DeleteBucketPolicy(e.ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket, ExpectedBucketOwner: owner}))
		refuse(e.s3.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket}))("NoSuchBucketPolicy")
		ok(e.s3.DeleteBucketPolicy(e.ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket}))
	}},
	{"bucket policy: malformed", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: aws.String("{")}))("MalformedPolicy")
	}},
	{"bucket policy: without principal", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{
			Bucket: bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"` + e.bucketARN() + `"}]}`),
		}))("MalformedPolicy")
	}},
	{"bucket policy: denies everybody", func(e *env) {
		e.newBucket(bucketName)
		ok(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{
			Bucket: bucket, Policy: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:GetBucketVersioning","Resource":"` + e.bucketARN() + `"}]}`),
		}))
		refuse(e.s3.GetBucketVersioning(e.ctx, &s3.GetBucketVersioningInput{Bucket: bucket}))("AccessDenied")
	}},
	{"bucket policy: no other account without one", func(e *env) {
		e.newBucket(bucketName)
		other := newS3(e.config(Member, e.region))
		refuse(other.GetBucketPolicy(e.ctx, &s3.GetBucketPolicyInput{Bucket: bucket}))("AccessDenied")
	}},
	{"versioning", func(e *env) {
		e.newBucket(bucketName)
		equal("new", ok(e.s3.GetBucketVersioning(e.ctx, &s3.GetBucketVersioningInput{Bucket: bucket})).Status, types.BucketVersioningStatus(""))
		for _, want := range []types.BucketVersioningStatus{types.BucketVersioningStatusEnabled, types.BucketVersioningStatusSuspended} {
			e.version(want)
			equal("status", ok(e.s3.GetBucketVersioning(e.ctx, &s3.GetBucketVersioningInput{Bucket: bucket})).Status, want)
		}
	}},
	{"encryption", func(e *env) {
		e.newBucket(bucketName)
		ok(e.s3.PutBucketEncryption(e.ctx, &s3.PutBucketEncryptionInput{Bucket: bucket, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
			Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{
				SSEAlgorithm: types.ServerSideEncryptionAwsKms, KMSMasterKeyID: aws.String(e.arn("kms", "key/00000000-0000-4000-8000-000000000000")),
			}}},
		}}))
		got := ok(e.s3.GetBucketEncryption(e.ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})).ServerSideEncryptionConfiguration
		equal("rules", len(got.Rules), 1)
		equal("algorithm", got.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm, types.ServerSideEncryptionAwsKms)
		ok(e.s3.DeleteBucketEncryption(e.ctx, &s3.DeleteBucketEncryptionInput{Bucket: bucket}))
	}},
	{"encryption: by default", func(e *env) {
		e.newBucket(bucketName)
		got := ok(e.s3.GetBucketEncryption(e.ctx, &s3.GetBucketEncryptionInput{Bucket: bucket})).ServerSideEncryptionConfiguration
		equal("algorithm", got.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm, types.ServerSideEncryptionAes256)
	}},
	{"lifecycle", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.GetBucketLifecycleConfiguration(e.ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket}))("NoSuchLifecycleConfiguration")
		ok(e.s3.PutBucketLifecycleConfiguration(e.ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: bucket, LifecycleConfiguration: &types.BucketLifecycleConfiguration{
			Rules: []types.LifecycleRule{{ID: aws.String("x"), Status: types.ExpirationStatusEnabled, Filter: &types.LifecycleRuleFilter{Prefix: aws.String("")}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(1)}}},
		}}))
		rules := ok(e.s3.GetBucketLifecycleConfiguration(e.ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket})).Rules
		equal("rules", len(rules), 1)
		equal("days", aws.ToInt32(rules[0].Expiration.Days), 1)
		ok(e.s3.DeleteBucketLifecycle(e.ctx, &s3.DeleteBucketLifecycleInput{Bucket: bucket}))
		refuse(e.s3.GetBucketLifecycleConfiguration(e.ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: bucket}))("NoSuchLifecycleConfiguration")
	}},
	{"public access block", func(e *env) {
		e.newBucket(bucketName)
		ok(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{
			BlockPublicAcls: aws.Bool(true), IgnorePublicAcls: aws.Bool(false), BlockPublicPolicy: aws.Bool(true), RestrictPublicBuckets: aws.Bool(false),
		}}))
		got := ok(e.s3.GetPublicAccessBlock(e.ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})).PublicAccessBlockConfiguration
		equal("block", []bool{*got.BlockPublicAcls, *got.IgnorePublicAcls, *got.BlockPublicPolicy, *got.RestrictPublicBuckets}, []bool{true, false, true, false})
		ok(e.s3.DeletePublicAccessBlock(e.ctx, &s3.DeletePublicAccessBlockInput{Bucket: bucket}))
		refuse(e.s3.GetPublicAccessBlock(e.ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket}))("NoSuchPublicAccessBlockConfiguration")
	}},
	{"public access block: empty", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{}}))("InvalidRequest")
	}},
	{"public access block: by default", func(e *env) {
		e.newBucket(bucketName)
		got := ok(e.s3.GetPublicAccessBlock(e.ctx, &s3.GetPublicAccessBlockInput{Bucket: bucket})).PublicAccessBlockConfiguration
		equal("blocks public ACLs", aws.ToBool(got.BlockPublicAcls), true)
	}},
	{"ownership", func(e *env) {
		e.newBucket(bucketName)
		e.own(types.ObjectOwnershipObjectWriter)
		got := ok(e.s3.GetBucketOwnershipControls(e.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})).OwnershipControls
		equal("ownership", got.Rules[0].ObjectOwnership, types.ObjectOwnershipObjectWriter)
		ok(e.s3.DeleteBucketOwnershipControls(e.ctx, &s3.DeleteBucketOwnershipControlsInput{Bucket: bucket}))
		refuse(e.s3.GetBucketOwnershipControls(e.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket}))("OwnershipControlsNotFoundError")
	}},
	{"ownership: by default", func(e *env) {
		e.newBucket(bucketName)
		got := ok(e.s3.GetBucketOwnershipControls(e.ctx, &s3.GetBucketOwnershipControlsInput{Bucket: bucket})).OwnershipControls
		equal("ownership", got.Rules[0].ObjectOwnership, types.ObjectOwnershipBucketOwnerEnforced)
		refuse(e.s3.PutBucketAcl(e.ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPublicRead}))("AccessControlListNotSupported")
	}},
	{"ACL", func(e *env) {
		e.newBucket(bucketName)
		e.own(types.ObjectOwnershipObjectWriter)
		ok(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(false)}}))
		equal("new", len(ok(e.s3.GetBucketAcl(e.ctx, &s3.GetBucketAclInput{Bucket: bucket})).Grants), 1)
		ok(e.s3.PutBucketAcl(e.ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPublicRead}))
		grants := ok(e.s3.GetBucketAcl(e.ctx, &s3.GetBucketAclInput{Bucket: bucket})).Grants
		public := 0
		for _, g := range grants {
			if g.Permission == types.PermissionRead && strings.HasSuffix(aws.ToString(g.Grantee.URI), "/groups/global/AllUsers") {
				public++
			}
		}
		equal("public grants", public, 1)
		ok(e.s3.PutBucketAcl(e.ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPrivate}))
		equal("private", len(ok(e.s3.GetBucketAcl(e.ctx, &s3.GetBucketAclInput{Bucket: bucket})).Grants), 1)
	}},
	{"ACL: public is blocked", func(e *env) {
		e.newBucket(bucketName)
		e.own(types.ObjectOwnershipObjectWriter)
		ok(e.s3.PutPublicAccessBlock(e.ctx, &s3.PutPublicAccessBlockInput{Bucket: bucket, PublicAccessBlockConfiguration: &types.PublicAccessBlockConfiguration{BlockPublicAcls: aws.Bool(true)}}))
		refuse(e.s3.PutBucketAcl(e.ctx, &s3.PutBucketAclInput{Bucket: bucket, ACL: types.BucketCannedACLPublicRead}))("AccessDenied")
	}},
	{"bucket tags", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.GetBucketTagging(e.ctx, &s3.GetBucketTaggingInput{Bucket: bucket}))("NoSuchTagSet")
		ok(e.s3.PutBucketTagging(e.ctx, &s3.PutBucketTaggingInput{Bucket: bucket, Tagging: &types.Tagging{TagSet: []types.Tag{{Key: aws.String("k"), Value: aws.String("v")}}}}))
		got := ok(e.s3.GetBucketTagging(e.ctx, &s3.GetBucketTaggingInput{Bucket: bucket})).TagSet
		equal("tag", []string{*got[0].Key, *got[0].Value}, []string{"k", "v"})
	}},
	{"requester pays", func(e *env) {
		e.newBucket(bucketName)
		for _, want := range []types.Payer{types.PayerRequester, types.PayerBucketOwner} {
			ok(e.s3.PutBucketRequestPayment(e.ctx, &s3.PutBucketRequestPaymentInput{Bucket: bucket, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: want}}))
			equal("payer", ok(e.s3.GetBucketRequestPayment(e.ctx, &s3.GetBucketRequestPaymentInput{Bucket: bucket})).Payer, want)
		}
	}},
	{"object lock", func(e *env) {
		ok(e.s3.CreateBucket(e.ctx, &s3.CreateBucketInput{
			Bucket: bucket, ObjectLockEnabledForBucket: aws.Bool(true),
			CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.region)},
		}))
		ok(e.s3.PutObjectLockConfiguration(e.ctx, &s3.PutObjectLockConfigurationInput{Bucket: bucket, ObjectLockConfiguration: &types.ObjectLockConfiguration{
			ObjectLockEnabled: types.ObjectLockEnabledEnabled,
			Rule:              &types.ObjectLockRule{DefaultRetention: &types.DefaultRetention{Mode: types.ObjectLockRetentionModeGovernance, Days: aws.Int32(30)}},
		}}))
		got := ok(e.s3.GetObjectLockConfiguration(e.ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket})).ObjectLockConfiguration
		equal("days", aws.ToInt32(got.Rule.DefaultRetention.Days), 30)
	}},
	{"object lock: not there", func(e *env) {
		e.newBucket(bucketName)
		refuse(e.s3.GetObjectLockConfiguration(e.ctx, &s3.GetObjectLockConfigurationInput{Bucket: bucket}))("ObjectLockConfigurationNotFoundError")
	}},
	{"notifications", func(e *env) {
		e.newBucket(bucketName)
		url := ok(e.sqs.CreateQueue(e.ctx, &sqs.CreateQueueInput{QueueName: aws.String("q")})).QueueUrl
		ok(e.s3.PutBucketNotificationConfiguration(e.ctx, &s3.PutBucketNotificationConfigurationInput{Bucket: bucket, NotificationConfiguration: &types.NotificationConfiguration{
			QueueConfigurations: []types.QueueConfiguration{{QueueArn: aws.String(e.arn("sqs", "q")), Events: []types.Event{"s3:ObjectCreated:*"}}},
		}}))
		got := ok(e.s3.GetBucketNotificationConfiguration(e.ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: bucket}))
		equal("queues", len(got.QueueConfigurations), 1)
		e.drop(*url) // the test event
		e.putObject("a b", "v")
		body := e.drop(*url)
		equal("names the key", strings.Contains(body, `"a+b"`), true)
	}},
}

func (e *env) own(o types.ObjectOwnership) {
	ok(e.s3.PutBucketOwnershipControls(e.ctx, &s3.PutBucketOwnershipControlsInput{
		Bucket: bucket, OwnershipControls: &types.OwnershipControls{Rules: []types.OwnershipControlsRule{{ObjectOwnership: o}}},
	}))
}

func (e *env) version(status types.BucketVersioningStatus) {
	ok(e.s3.PutBucketVersioning(e.ctx, &s3.PutBucketVersioningInput{Bucket: bucket, VersioningConfiguration: &types.VersioningConfiguration{Status: status}}))
}

func (e *env) putObject(key, body string) *s3.PutObjectOutput {
	return ok(e.s3.PutObject(e.ctx, &s3.PutObjectInput{Bucket: bucket, Key: &key, Body: strings.NewReader(body), ContentType: aws.String("text/plain")}))
}

func (e *env) getObject(in *s3.GetObjectInput) string {
	in.Bucket = bucket
	out := ok(e.s3.GetObject(e.ctx, in))
	defer out.Body.Close()
	return string(ok(io.ReadAll(out.Body)))
}

var objectCases = []contract{
	{"object: put, get, head, delete", func(e *env) {
		e.newBucket(bucketName)
		put := e.putObject("dir/key", "hello")
		equal("body", e.getObject(&s3.GetObjectInput{Key: aws.String("dir/key")}), "hello")
		head := ok(e.s3.HeadObject(e.ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("dir/key")}))
		equal("size", aws.ToInt64(head.ContentLength), 5)
		equal("ETag", aws.ToString(head.ETag), aws.ToString(put.ETag))
		equal("type", aws.ToString(head.ContentType), "text/plain")
		ok(e.s3.DeleteObject(e.ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("dir/key")}))
		refuse(e.s3.GetObject(e.ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("dir/key")}))("NoSuchKey")
		refuse(e.s3.HeadObject(e.ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("dir/key")}))("NotFound")
		ok(e.s3.DeleteObject(e.ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("dir/key")}))
	}},
	{"object: range", func(e *env) {
		e.newBucket(bucketName)
		e.putObject("k", "0123456789")
		equal("middle", e.getObject(&s3.GetObjectInput{Key: aws.String("k"), Range: aws.String("bytes=2-4")}), "234")
		equal("end", e.getObject(&s3.GetObjectInput{Key: aws.String("k"), Range: aws.String("bytes=7-")}), "789")
	}},
	{"object: list in pages", func(e *env) {
		e.newBucket(bucketName)
		for _, k := range []string{"b", "a/1", "a/2", "c"} {
			e.putObject(k, "x")
		}
		var keys []string
		for p := s3.NewListObjectsV2Paginator(e.s3, &s3.ListObjectsV2Input{Bucket: bucket, MaxKeys: aws.Int32(3)}); p.HasMorePages(); {
			for _, o := range ok(p.NextPage(e.ctx)).Contents {
				keys = append(keys, *o.Key)
			}
		}
		equal("keys", keys, []string{"a/1", "a/2", "b", "c"})
		prefixed := ok(e.s3.ListObjectsV2(e.ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("a/"), StartAfter: aws.String("a/1")}))
		equal("after", len(prefixed.Contents), 1)
		grouped := ok(e.s3.ListObjectsV2(e.ctx, &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/")}))
		equal("groups", []int{len(grouped.CommonPrefixes), len(grouped.Contents)}, []int{1, 2})
	}},
	{"object: versions", func(e *env) {
		e.newBucket(bucketName)
		e.version(types.BucketVersioningStatusEnabled)
		first := e.putObject("k", "one")
		e.putObject("k", "two")
		equal("newest", e.getObject(&s3.GetObjectInput{Key: aws.String("k")}), "two")
		equal("first", e.getObject(&s3.GetObjectInput{Key: aws.String("k"), VersionId: first.VersionId}), "one")
		gone := ok(e.s3.DeleteObject(e.ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("k")}))
		equal("marker", aws.ToBool(gone.DeleteMarker), true)
		refuse(e.s3.GetObject(e.ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("k")}))("NoSuchKey")
		list := ok(e.s3.ListObjectVersions(e.ctx, &s3.ListObjectVersionsInput{Bucket: bucket}))
		equal("versions and markers", []int{len(list.Versions), len(list.DeleteMarkers)}, []int{2, 1})
		ok(e.s3.DeleteObject(e.ctx, &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("k"), VersionId: gone.VersionId}))
		equal("back", e.getObject(&s3.GetObjectInput{Key: aws.String("k")}), "two")
	}},
	{"object: only if it is not there", func(e *env) {
		e.newBucket(bucketName)
		e.putObject("k", "v")
		refuse(e.s3.PutObject(e.ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("k"), Body: strings.NewReader("w"), IfNoneMatch: aws.String("*")}))("PreconditionFailed")
	}},
}
