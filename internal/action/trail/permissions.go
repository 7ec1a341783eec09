// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import "slices"

// permissions are what the readers of all kinds need, and the search for who wrote.
var permissions = []string{
	"cloudtrail:LookupEvents",
	"iam:GetPolicy", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
	"kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListAliases", "kms:ListGrants",
	"logs:DescribeLogGroups", "logs:DescribeMetricFilters", "logs:DescribeSubscriptionFilters", "logs:GetDataProtectionPolicy",
	"s3:GetBucketAcl", "s3:GetBucketLogging", "s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration",
	"s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketRequestPayment",
	"s3:GetBucketVersioning", "s3:GetEncryptionConfiguration", "s3:GetLifecycleConfiguration", "s3:GetReplicationConfiguration",
	"s3:ListAllMyBuckets", "s3:ListBucket",
	"sns:GetSubscriptionAttributes", "sns:GetTopicAttributes", "sns:ListSubscriptionsByTopic",
	"sts:GetCallerIdentity",
}

// trailPermissions are what it takes to know what other trails record, and whether a trail delivers.
var trailPermissions = []string{
	"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetInsightSelectors", "cloudtrail:GetTrailStatus",
	"cloudtrail:ListTrails",
}

// ownPermissions are what the readers of our own parts need.
var ownPermissions = slices.Sorted(slices.Values(slices.Concat(permissions, []string{
	"cloudwatch:DescribeAlarms", "events:DescribeEventBus", "events:DescribeRule", "events:ListTargetsByRule",
	"sqs:GetQueueAttributes", "sqs:GetQueueUrl",
})))
