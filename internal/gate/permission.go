// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

// Permission is the IAM action that a call needs, as policies name it: "S3", "ListObjectsV2" is "s3:ListBucket". It is ""
// for a service that this package does not know, so that a generated policy fails loudly instead of naming an action that
// does not exist. Some calls need more than this one (an encrypted bucket its key, PassRole, the parts of a DynamoDB
// transaction): an action that makes them lists them itself.
//
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func Permission(service, operation string) string {
	if action, ok := permissions[key{service, operation}]; ok {
		return action
	}
	prefix := permissionPrefixes[service]
	if prefix == "" || operation == "" {
		return ""
	}
	return prefix + ":" + operation
}

// permissionPrefixes are the services' names in policies, by the SDK's ServiceID.
var permissionPrefixes = map[string]string{
	"AccessAnalyzer":              "access-analyzer",
	"Account":                     "account",
	"Athena":                      "athena",
	"Auto Scaling":                "autoscaling",
	"CloudFormation":              "cloudformation",
	"CloudTrail":                  "cloudtrail",
	"CloudWatch":                  "cloudwatch",
	"CloudWatch Logs":             "logs",
	"Config Service":              "config",
	"Cost Explorer":               "ce",
	"DynamoDB":                    "dynamodb",
	"EBS":                         "ebs",
	"EC2":                         "ec2",
	"ECS":                         "ecs",
	"EKS":                         "eks",
	"Elastic Load Balancing":      "elasticloadbalancing",
	"Elastic Load Balancing v2":   "elasticloadbalancing",
	"EventBridge":                 "events",
	"Firehose":                    "firehose",
	"Glue":                        "glue",
	"GuardDuty":                   "guardduty",
	"IAM":                         "iam",
	"KMS":                         "kms",
	"Kinesis":                     "kinesis",
	"Lambda":                      "lambda",
	"Organizations":               "organizations",
	"Pricing":                     "pricing",
	"Resource Groups Tagging API": "tag",
	"S3":                          "s3",
	"S3 Control":                  "s3",
	"SESv2":                       "ses",
	"SFN":                         "states",
	"SNS":                         "sns",
	"SQS":                         "sqs",
	"SSM":                         "ssm",
	"SSO Admin":                   "sso",
	"STS":                         "sts",
	"Scheduler":                   "scheduler",
	"SecurityHub":                 "securityhub",
	"Service Quotas":              "servicequotas",
	"identitystore":               "identitystore",
}

// permissions are the calls whose action has another name.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
var permissions = map[key]string{
	{"DynamoDB", "TransactGetItems"}: "dynamodb:GetItem",

	{"Lambda", "Invoke"}: "lambda:InvokeFunction",

	{"S3", "CompleteMultipartUpload"}:            "s3:PutObject",
	{"S3", "CopyObject"}:                         "s3:PutObject",
	{"S3", "CreateMultipartUpload"}:              "s3:PutObject",
	{"S3", "DeleteBucketCors"}:                   "s3:PutBucketCORS",
	{"S3", "DeleteBucketEncryption"}:             "s3:PutEncryptionConfiguration",
	{"S3", "DeleteBucketInventoryConfiguration"}: "s3:PutInventoryConfiguration",
	{"S3", "DeleteBucketLifecycle"}:              "s3:PutLifecycleConfiguration",
	{"S3", "DeleteBucketOwnershipControls"}:      "s3:PutBucketOwnershipControls",
	{"S3", "DeleteBucketReplication"}:            "s3:PutReplicationConfiguration",
	{"S3", "DeleteBucketTagging"}:                "s3:PutBucketTagging",
	{"S3", "DeleteObjects"}:                      "s3:DeleteObject",
	{"S3", "DeletePublicAccessBlock"}:            "s3:PutBucketPublicAccessBlock",
	{"S3", "GetBucketAccelerateConfiguration"}:   "s3:GetAccelerateConfiguration",
	{"S3", "GetBucketCors"}:                      "s3:GetBucketCORS",
	{"S3", "GetBucketEncryption"}:                "s3:GetEncryptionConfiguration",
	{"S3", "GetBucketInventoryConfiguration"}:    "s3:GetInventoryConfiguration",
	{"S3", "GetBucketLifecycleConfiguration"}:    "s3:GetLifecycleConfiguration",
	{"S3", "GetBucketNotificationConfiguration"}: "s3:GetBucketNotification",
	{"S3", "GetBucketReplication"}:               "s3:GetReplicationConfiguration",
	{"S3", "GetObjectLockConfiguration"}:         "s3:GetBucketObjectLockConfiguration",
	{"S3", "GetPublicAccessBlock"}:               "s3:GetBucketPublicAccessBlock",
	{"S3", "HeadBucket"}:                         "s3:ListBucket",
	{"S3", "HeadObject"}:                         "s3:GetObject",
	{"S3", "ListBucketInventoryConfigurations"}:  "s3:GetInventoryConfiguration",
	{"S3", "ListBuckets"}:                        "s3:ListAllMyBuckets",
	{"S3", "ListMultipartUploads"}:               "s3:ListBucketMultipartUploads",
	{"S3", "ListObjectVersions"}:                 "s3:ListBucketVersions",
	{"S3", "ListObjects"}:                        "s3:ListBucket",
	{"S3", "ListObjectsV2"}:                      "s3:ListBucket",
	{"S3", "ListParts"}:                          "s3:ListMultipartUploadParts",
	{"S3", "PutBucketAccelerateConfiguration"}:   "s3:PutAccelerateConfiguration",
	{"S3", "PutBucketCors"}:                      "s3:PutBucketCORS",
	{"S3", "PutBucketEncryption"}:                "s3:PutEncryptionConfiguration",
	{"S3", "PutBucketInventoryConfiguration"}:    "s3:PutInventoryConfiguration",
	{"S3", "PutBucketLifecycleConfiguration"}:    "s3:PutLifecycleConfiguration",
	{"S3", "PutBucketNotificationConfiguration"}: "s3:PutBucketNotification",
	{"S3", "PutBucketReplication"}:               "s3:PutReplicationConfiguration",
	{"S3", "PutObjectLockConfiguration"}:         "s3:PutBucketObjectLockConfiguration",
	{"S3", "PutPublicAccessBlock"}:               "s3:PutBucketPublicAccessBlock",
	{"S3", "UploadPart"}:                         "s3:PutObject",
	{"S3", "UploadPartCopy"}:                     "s3:PutObject",

	{"S3 Control", "DeletePublicAccessBlock"}: "s3:PutAccountPublicAccessBlock",
	{"S3 Control", "GetPublicAccessBlock"}:    "s3:GetAccountPublicAccessBlock",
	{"S3 Control", "PutPublicAccessBlock"}:    "s3:PutAccountPublicAccessBlock",

	{"SNS", "PublishBatch"}: "sns:Publish",

	{"SQS", "ChangeMessageVisibilityBatch"}: "sqs:ChangeMessageVisibility",
	{"SQS", "DeleteMessageBatch"}:           "sqs:DeleteMessage",
	{"SQS", "SendMessageBatch"}:             "sqs:SendMessage",
}
