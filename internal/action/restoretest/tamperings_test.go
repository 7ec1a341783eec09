// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package restoretest

import (
	"encoding/json"
	"maps"

	"github.com/switchback-project/switchback/internal/trail"
)

const (
	bucketARN = "arn:aws:s3:::logs-111122223333"
	topicARN  = "arn:aws:sns:eu-west-1:111122223333:trail"
	trailARN  = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	groupARN  = "arn:aws:logs:eu-west-1:111122223333:log-group:trail"
	queueARN  = "arn:aws:sqs:eu-west-1:111122223333:events"
	otherARN  = "arn:aws:sqs:eu-west-1:111122223333:other"
	queueURL  = "${GetQueueUrl.QueueUrl}"
	boundary  = "arn:aws:iam::111122223333:policy/Nothing"
	attached  = "arn:aws:iam::111122223333:policy/Look"
)

// policy is a document of statements, as text.
func policy(statements ...object) string {
	text, err := json.Marshal(object{"Version": "2012-10-17", "Statement": statements})
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}

// allow lets a service, by its host name, do something.
func allow(service, what, resource string) object {
	return object{"Sid": "ours", "Effect": "Allow", "Principal": object{"Service": service}, "Action": what, "Resource": resource}
}

// stranger lets another account do something.
func stranger(what, resource string) object {
	return object{"Sid": "theirs", "Effect": "Allow", "Principal": object{"AWS": "arn:aws:iam::444455556666:root"}, "Action": what, "Resource": resource}
}

// in is input with more of it.
func in(base object, more object) object {
	out := maps.Clone(base)
	maps.Copy(out, more)
	return out
}

func one(call string, input object) []step { return []step{{call, input}} }

// tamperings say how each route is taken, by its id.
func tamperings() map[string]tampering {
	out := map[string]tampering{}
	for _, list := range []map[string]tampering{trailTamperings(), bucketTamperings(), keyTamperings(), groupTamperings(), topicTamperings(), ownTamperings()} {
		maps.Copy(out, list)
	}
	for _, of := range []string{"trail-blinded: ", "responder-tampered: "} {
		maps.Copy(out, roleTamperings(of))
	}
	return out
}

var aTrail = &family{arn: trailARN, build: []step{
	{"S3.CreateBucket", inRegion("logs-111122223333")},
	{"S3.CreateBucket", inRegion("elsewhere-111122223333")},
	{"SNS.CreateTopic", object{"Name": "trail"}},
	{"SNS.CreateTopic", object{"Name": "elsewhere"}},
	{"CloudTrail.CreateTrail", object{
		"Name": "main", "S3BucketName": "logs-111122223333", "IsMultiRegionTrail": true, "EnableLogFileValidation": true, "SnsTopicName": "trail",
		"KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/1111", "CloudWatchLogsLogGroupArn": groupARN + ":*",
		"CloudWatchLogsRoleArn": "arn:aws:iam::111122223333:role/TrailToLogs", "IsOrganizationTrail": true,
	}},
	{"CloudTrail.PutEventSelectors", object{"TrailName": "main", "EventSelectors": []object{{"ReadWriteType": "All", "IncludeManagementEvents": true}}}},
	{"CloudTrail.PutInsightSelectors", object{"TrailName": "main", "InsightSelectors": []object{{"InsightType": "ApiCallRateInsight"}}}},
	{"CloudTrail.AddTags", object{"ResourceId": trailARN, "TagsList": []object{{"Key": "team", "Value": "security"}}}},
	{"CloudTrail.StartLogging", object{"Name": "main"}},
}}

func inRegion(bucket string) object {
	return object{"Bucket": bucket, "CreateBucketConfiguration": object{"LocationConstraint": "eu-west-1"}}
}

func trailTamperings() map[string]tampering {
	of := func(call string, input object) tampering {
		return tampering{family: aTrail, steps: one("CloudTrail."+call, input)}
	}
	update := func(change object) tampering { return of("UpdateTrail", in(object{"Name": "main"}, change)) }
	insights := of("PutInsightSelectors", object{"TrailName": "main", "InsightSelectors": []object{}})
	insights.lacks = "the tampering is harmless" // PutInsightSelectors adds to what is there
	return map[string]tampering{
		"cloudtrail-off: cloudtrail StopLogging":                             of("StopLogging", object{"Name": "main"}),
		"cloudtrail-off: cloudtrail DeleteTrail":                             of("DeleteTrail", object{"Name": "main"}),
		"cloudtrail-off: cloudtrail UpdateTrail (another bucket or prefix)":  update(object{"S3BucketName": "elsewhere-111122223333", "S3KeyPrefix": "x"}),
		"cloudtrail-off: cloudtrail UpdateTrail (one region only)":           update(object{"IsMultiRegionTrail": false}),
		"cloudtrail-off: cloudtrail UpdateTrail (no global services)":        update(object{"IncludeGlobalServiceEvents": false, "IsMultiRegionTrail": false}),
		"cloudtrail-off: cloudtrail UpdateTrail (no log file validation)":    update(object{"EnableLogFileValidation": false}),
		"cloudtrail-off: cloudtrail UpdateTrail (not for the organization)":  update(object{"IsOrganizationTrail": false}),
		"cloudtrail-off: cloudtrail UpdateTrail (another key)":               update(object{"KmsKeyId": "arn:aws:kms:eu-west-1:111122223333:key/2222"}),
		"cloudtrail-off: cloudtrail UpdateTrail (another topic)":             update(object{"SnsTopicName": "elsewhere"}),
		"cloudtrail-off: cloudtrail UpdateTrail (another log group or role)": update(object{"CloudWatchLogsLogGroupArn": groupARN + "-2:*"}),
		"cloudtrail-off: cloudtrail PutEventSelectors": of("PutEventSelectors", object{
			"TrailName": "main", "EventSelectors": []object{{"ReadWriteType": "ReadOnly", "IncludeManagementEvents": false}},
		}),
		"cloudtrail-off: cloudtrail PutInsightSelectors": insights,
		"cloudtrail-off: cloudtrail RemoveTags":          of("RemoveTags", object{"ResourceId": trailARN, "TagsList": []object{{"Key": "team", "Value": "security"}}}),
		"cloudtrail-off: cloudtrail AddTags":             of("AddTags", object{"ResourceId": trailARN, "TagsList": []object{{"Key": "team", "Value": "lunch"}}}),
	}
}

func onLogs(more object) object { return in(object{"Bucket": "logs-111122223333"}, more) }

func encryption(key string) object {
	return onLogs(object{"ServerSideEncryptionConfiguration": object{"Rules": []object{{"ApplyServerSideEncryptionByDefault": object{
		"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "arn:aws:kms:eu-west-1:111122223333:key/" + key,
	}}}}})
}

func lifecycle(days int) object {
	return onLogs(object{"LifecycleConfiguration": object{"Rules": []object{{
		"ID": "expire", "Status": "Enabled", "Filter": object{"Prefix": ""}, "Expiration": object{"Days": days},
	}}}})
}

func block(on bool) object {
	return onLogs(object{"PublicAccessBlockConfiguration": object{
		"BlockPublicAcls": on, "IgnorePublicAcls": on, "BlockPublicPolicy": on, "RestrictPublicBuckets": on,
	}})
}

func ownership(of string) object {
	return onLogs(object{"OwnershipControls": object{"Rules": []object{{"ObjectOwnership": of}}}})
}

func lock(days int) object {
	return onLogs(object{"ObjectLockConfiguration": object{
		"ObjectLockEnabled": "Enabled", "Rule": object{"DefaultRetention": object{"Mode": "GOVERNANCE", "Days": days}},
	}})
}

func notify(queue string) object {
	return onLogs(object{"NotificationConfiguration": object{"QueueConfigurations": []object{{
		"Id": "ours", "QueueArn": queue, "Events": []string{"s3:ObjectCreated:*"},
	}}}})
}

func replicate(to string) object {
	return onLogs(object{"ReplicationConfiguration": object{"Role": "arn:aws:iam::111122223333:role/copy", "Rules": []object{{
		"ID": "copy", "Priority": 1, "Status": "Enabled", "Filter": object{"Prefix": ""}, "DeleteMarkerReplication": object{"Status": "Disabled"},
		"Destination": object{"Bucket": "arn:aws:s3:::" + to},
	}}}})
}

func versioning(of, status string) object {
	return object{"Bucket": of, "VersioningConfiguration": object{"Status": status}}
}

var bucketPolicy = policy(
	allow("cloudtrail.amazonaws.com", "s3:GetBucketAcl", bucketARN), allow("cloudtrail.amazonaws.com", "s3:PutObject", bucketARN+"/AWSLogs/*"),
)

var aBucket = &family{kind: trail.KindBucket, arn: bucketARN, action: "s3:RestoreBucket", build: append([]step{
	{"S3.CreateBucket", inRegion("logs-111122223333")},
}, furniture...)}

var aLockedBucket = &family{kind: trail.KindBucket, arn: bucketARN, action: "s3:RestoreBucket", build: append([]step{
	{"S3.CreateBucket", in(inRegion("logs-111122223333"), object{"ObjectLockEnabledForBucket": true})},
	{"S3.PutObjectLockConfiguration", lock(30)},
}, furniture...)}

var furniture = []step{
	{"S3.PutPublicAccessBlock", block(true)},
	{"S3.PutBucketOwnershipControls", ownership("BucketOwnerEnforced")},
	{"S3.PutBucketVersioning", versioning("logs-111122223333", "Enabled")},
	{"S3.PutBucketPolicy", onLogs(object{"Policy": bucketPolicy})},
	{"S3.PutBucketEncryption", encryption("1111")},
	{"S3.PutBucketLifecycleConfiguration", lifecycle(400)},
	{"SQS.CreateQueue", object{"QueueName": "events"}},
	{"SQS.CreateQueue", object{"QueueName": "other"}},
	{"S3.PutBucketNotificationConfiguration", notify(queueARN)},
	{"S3.CreateBucket", inRegion("copies-111122223333")},
	{"S3.PutBucketVersioning", versioning("copies-111122223333", "Enabled")},
	{"S3.CreateBucket", inRegion("elsewhere-111122223333")},
	{"S3.PutBucketVersioning", versioning("elsewhere-111122223333", "Enabled")},
	{"S3.PutBucketReplication", replicate("copies-111122223333")},
}

func bucketTamperings() map[string]tampering {
	of := func(call string, input object) tampering {
		return tampering{family: aBucket, steps: one("S3."+call, input)}
	}
	locked := of("PutObjectLockConfiguration", lock(1))
	locked.family = aLockedBucket
	acl := of("PutBucketAcl", onLogs(object{"ACL": "public-read-write"}))
	acl.steps = append(one("S3.PutBucketOwnershipControls", ownership("ObjectWriter")), acl.steps...)
	payer := of("PutBucketRequestPayment", onLogs(object{"RequestPaymentConfiguration": object{"Payer": "Requester"}}))
	payer.lacks = "S3.PutBucketRequestPayment"
	return map[string]tampering{
		"trail-blinded: s3 PutBucketPolicy":                  of("PutBucketPolicy", onLogs(object{"Policy": policy(stranger("s3:GetObject", bucketARN+"/*"))})),
		"trail-blinded: s3 DeleteBucketPolicy":               of("DeleteBucketPolicy", onLogs(nil)),
		"trail-blinded: s3 PutBucketLifecycle":               of("PutBucketLifecycleConfiguration", lifecycle(1)),
		"trail-blinded: s3 PutBucketVersioning":              of("PutBucketVersioning", versioning("logs-111122223333", "Suspended")),
		"trail-blinded: s3 PutBucketObjectLockConfiguration": locked,
		"trail-blinded: s3 DeleteBucket":                     of("DeleteBucket", onLogs(nil)),
		"trail-blinded: s3 PutBucketEncryption":              of("PutBucketEncryption", encryption("2222")),
		"trail-blinded: s3 DeleteBucketEncryption":           of("DeleteBucketEncryption", onLogs(nil)),
		"trail-blinded: s3 PutBucketPublicAccessBlock":       of("PutPublicAccessBlock", block(false)),
		"trail-blinded: s3 DeleteBucketPublicAccessBlock":    of("DeletePublicAccessBlock", onLogs(nil)),
		"trail-blinded: s3 PutBucketAcl":                     acl,
		"trail-blinded: s3 PutBucketOwnershipControls":       of("PutBucketOwnershipControls", ownership("ObjectWriter")),
		"trail-blinded: s3 PutBucketNotification":            of("PutBucketNotificationConfiguration", notify(otherARN)),
		"trail-blinded: s3 PutBucketReplication":             of("PutBucketReplication", replicate("elsewhere-111122223333")),
		"trail-blinded: s3 DeleteBucketReplication":          of("DeleteBucketReplication", onLogs(nil)),
		"trail-blinded: s3 PutBucketRequestPayment":          payer,
	}
}
