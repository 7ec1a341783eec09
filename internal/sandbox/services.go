// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	awsaccount "github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/switchback-project/switchback/internal/arn"
)

// service is what all operations of an AWS service share.
type service struct {
	id      string // the SDK's service id
	label   string // of its eventSource, its policy actions and its endpoint
	version string // the eventVersion that its records carry
	global  bool   // its calls are recorded in the partition's global region
	// unknownKey and denied are its error codes for a key nobody has and for a call that is not allowed.
	unknownKey, denied string
	// target is the ARN that the call is about, as policies name it; "*" when it is about none.
	target func(c *call) string
}

// The services. Error codes: JSON services say UnrecognizedClientException and AccessDeniedException, query services
// InvalidClientTokenId and AccessDenied, S3 has its own.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var (
	accountService = &service{
		id: awsaccount.ServiceID, label: "account", version: "1.09", global: true,
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: anyTarget,
	}
	cloudtrailService = &service{
		id: cloudtrail.ServiceID, label: "cloudtrail", version: "1.11",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: trailTarget,
	}
	// Policies know the service by another name than records and endpoints do: see alarmOperations.
	cloudwatchService = &service{
		id: cloudwatch.ServiceID, label: "monitoring", version: "1.11",
		unknownKey: invalidClientToken, denied: accessDenied, target: anyTarget,
	}
	eventsService = &service{
		id: eventbridge.ServiceID, label: "events", version: "1.11",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: ruleTarget,
	}
	hubService = &service{
		id: securityhub.ServiceID, label: "securityhub", version: "1.11",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: anyTarget,
	}
	iamService = &service{
		id: iam.ServiceID, label: "iam", version: "1.09", global: true,
		unknownKey: invalidClientToken, denied: accessDenied, target: iamTarget,
	}
	identityStoreService = &service{
		id: identitystore.ServiceID, label: "identitystore", version: "1.09",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: anyTarget,
	}
	kmsService = &service{
		id: kms.ServiceID, label: "kms", version: "1.11",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: keyTarget,
	}
	logsService = &service{
		id: cloudwatchlogs.ServiceID, label: "logs", version: "1.11",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: anyTarget,
	}
	s3Service = &service{
		id: s3.ServiceID, label: "s3", version: "1.11",
		unknownKey: "InvalidAccessKeyId", denied: accessDenied, target: bucketTarget,
	}
	sesService = &service{
		id: sesv2.ServiceID, label: "ses", version: "1.11",
		unknownKey: unrecognizedClient, denied: accessDeniedException, target: senderTarget,
	}
	snsService = &service{
		id: sns.ServiceID, label: "sns", version: "1.11",
		unknownKey: invalidClientToken, denied: "AuthorizationError", target: func(c *call) string { return orAny(text(c.in, "TopicArn")) },
	}
	sqsService = &service{
		id: sqs.ServiceID, label: "sqs", version: "1.11",
		unknownKey: invalidClientToken, denied: accessDenied, target: queueTarget,
	}
	stsService = &service{
		id: sts.ServiceID, label: "sts", version: "1.08",
		unknownKey: invalidClientToken, denied: accessDenied, target: func(c *call) string { return orAny(text(c.in, "RoleArn")) },
	}
	// control is not of AWS: the sandbox's own settings, in the journal like any change.
	control = &service{id: "Sandbox", label: "sandbox", target: anyTarget}
)

const (
	unrecognizedClient    = "UnrecognizedClientException"
	invalidClientToken    = "InvalidClientTokenId"
	accessDenied          = "AccessDenied"
	accessDeniedException = "AccessDeniedException"
)

func anyTarget(*call) string { return "*" }

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// action is the call's name in policies.
func (c *call) action() string {
	if c.op.action != "" {
		return c.op.action
	}
	return c.op.service.label + ":" + c.op.name
}

// arnOf is an ARN of the caller's account in the call's region.
func (c *call) arnOf(service, resource string) string {
	return arn.Parts{
		Partition: c.account().partition, Service: service, Region: c.region, AccountID: c.account().id, Resource: resource,
	}.String()
}
