// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"encoding/json"

	"github.com/switchback-project/switchback/internal/arn"
)

// members of a JSON object.
type members = map[string]any

// bucketPolicy is AWS's policy for the bucket of one account's trails; naming the account's trails of every region, so
// that several can share the bucket.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func bucketPolicy(x *Seeded) string {
	bucket := string(arn.Bucket(x.Region, x.Bucket))
	service := members{"Service": hostOf("cloudtrail")}
	from := members{"aws:SourceArn": x.trails()}
	return policyJSON(
		members{
			"Sid": "AWSCloudTrailAclCheck20150319", "Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl",
			"Resource": bucket, "Condition": members{"StringLike": from},
		},
		members{
			"Sid": "AWSCloudTrailWrite20150319", "Effect": "Allow", "Principal": service, "Action": "s3:PutObject",
			"Resource": bucket + "/AWSLogs/" + x.Account + "/*",
			"Condition": members{
				"StringLike":   from,
				"StringEquals": members{"s3:x-amz-acl": "bucket-owner-full-control"},
			},
		},
	)
}

// keyPolicy is AWS's policy for the key of one account's trails.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
func keyPolicy(x *Seeded) string {
	root := arn.Parts{Partition: x.Partition, Service: "iam", AccountID: x.Account, Resource: "root"}.String()
	service := members{"Service": hostOf("cloudtrail")}
	return policyJSON(
		members{
			"Sid": "Enable IAM User Permissions", "Effect": "Allow", "Principal": members{"AWS": root},
			"Action": "kms:*", "Resource": "*",
		},
		members{
			"Sid": "Allow CloudTrail to encrypt logs", "Effect": "Allow", "Principal": service, "Action": "kms:GenerateDataKey*",
			"Resource": "*", "Condition": members{
				"StringLike": members{"kms:EncryptionContext:aws:cloudtrail:arn": x.trails(), "aws:SourceArn": x.trails()},
			},
		},
		members{
			"Sid": "Allow CloudTrail to describe key", "Effect": "Allow", "Principal": service, "Action": "kms:DescribeKey",
			"Resource": "*", "Condition": members{"StringLike": members{"aws:SourceArn": x.trails()}},
		},
	)
}

// trails is the pattern of the ARNs of the account's trails.
func (x *Seeded) trails() string {
	return arn.Parts{Partition: x.Partition, Service: "cloudtrail", Region: "*", AccountID: x.Account, Resource: "trail/*"}.String()
}

func policyJSON(statements ...members) string {
	b, _ := json.Marshal(members{"Version": "2012-10-17", "Statement": statements}) // strings only
	return string(b)
}
