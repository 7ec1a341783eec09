// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package benign

import (
	"fmt"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// object is one of JSON.
type object = map[string]any

// kind is one sort of events.
type kind struct {
	weight            int
	service, name     string
	by                by
	reads, global     bool
	eventType         string
	request, response func(h *History) object
}

// of makes the parameters of calls about one thing of a sort.
func of(parameter, sort string) func(h *History) object {
	return func(h *History) object { return object{parameter: h.name(sort)} }
}

// with adds fixed parameters.
func with(make func(h *History) object, more object) func(h *History) object {
	return func(h *History) object {
		o := make(h)
		for k, v := range more {
			o[k] = v
		}
		return o
	}
}

// arnOf makes the parameters of calls that name one thing of a sort by its ARN.
func arnOf(parameter, service, sort string) func(h *History) object {
	return func(h *History) object { return object{parameter: h.arn(service, h.name(sort))} }
}

func keyID(h *History) object {
	return object{"keyId": h.arn("kms", fmt.Sprintf("key/1234abcd-12ab-34cd-56ef-%012d", h.random.IntN(40)))}
}

func queueURL(h *History) object {
	return object{"queueUrl": "https://sqs." + h.o.Region + "." + h.partition.DNSSuffix + "/" + h.o.Account + "/" + h.name("jobs")}
}

func bucketPolicy(h *History) object {
	bucket := h.name("assets")
	return object{"bucketName": bucket, "bucketPolicy": object{"Version": "2012-10-17", "Statement": []object{{
		"Effect": "Allow", "Principal": object{"AWS": h.global("iam", "role/Deploy")}, "Action": "s3:GetObject",
		"Resource": string(arn.Bucket(h.o.Region, bucket)) + "/*",
	}}}}
}

// issued is a new session.
func issued(h *History) object {
	s := h.session("Deploy", "GitHubActions").identity
	return object{
		"credentials":     object{"accessKeyId": s.AccessKeyID, "expiration": h.now.Add(time.Hour).Format("Jan 2, 2006, 3:04:05 PM")},
		"assumedRoleUser": object{"assumedRoleId": s.PrincipalID, "arn": s.ARN},
	}
}

func assumes(h *History) object {
	return object{"roleArn": h.global("iam", "role/Deploy"), "roleSessionName": "GitHubActions", "durationSeconds": 3600}
}

// token is the web identity that a pipeline's session is opened with.
func token(h *History) caller {
	repository := repositories[h.random.IntN(len(repositories))]
	return caller{identity: cloudtrail.UserIdentity{
		Type: cloudtrail.IdentityWebIdentityUser, UserName: "repo:" + repository + ":ref:refs/heads/main",
		PrincipalID:      h.global("iam", "oidc-provider/token.actions.githubusercontent.com"),
		IdentityProvider: h.global("iam", "oidc-provider/token.actions.githubusercontent.com"),
	}, address: h.address("192.0.2"), agent: "configure-aws-credentials-for-github-actions"}
}

// kinds are what happens in an account, with how often: one line each. None is about a trail, or about anything that one
// depends on by its name; see Protected.Calls for those.
var kinds = []kind{
	// Reads, which are most of what happens.
	{weight: 300, service: "ec2", name: "DescribeInstances", by: scanner, reads: true},
	{weight: 100, service: "ec2", name: "DescribeSecurityGroups", by: person, reads: true},
	{weight: 100, service: "config", name: "DescribeConfigurationRecorders", by: scanner, reads: true},
	{weight: 100, service: "s3", name: "GetBucketPolicy", by: scanner, reads: true, request: of("bucketName", "assets")},
	{weight: 60, service: "cloudtrail", name: "LookupEvents", by: person, reads: true},
	{weight: 60, service: "cloudtrail", name: "DescribeTrails", by: scanner, reads: true},
	{weight: 60, service: "cloudtrail", name: "GetTrailStatus", by: scanner, reads: true},
	{weight: 60, service: "iam", name: "ListRoles", by: scanner, reads: true, global: true},
	{weight: 40, service: "guardduty", name: "ListDetectors", by: scanner, reads: true},
	{weight: 40, service: "sts", name: "GetCallerIdentity", by: pipeline, reads: true},

	// Sessions.
	{weight: 40, service: "sts", name: "AssumeRole", by: service("ec2"), reads: true, request: assumes, response: issued},
	{weight: 40, service: "sts", name: "AssumeRoleWithWebIdentity", by: token, reads: true, request: assumes, response: issued},
	{
		weight: 10, service: "signin", name: "ConsoleLogin", by: user, eventType: cloudtrail.EventTypeConsoleSignIn, global: true,
		response: func(*History) object { return object{"ConsoleLogin": "Success"} },
	},

	// Pipelines and people change what no trail depends on.
	{weight: 30, service: "s3", name: "CreateBucket", by: pipeline, request: of("bucketName", "assets")},
	{weight: 30, service: "s3", name: "PutBucketPolicy", by: pipeline, request: bucketPolicy},
	{weight: 10, service: "s3", name: "DeleteBucketPolicy", by: person, request: of("bucketName", "assets")},
	{weight: 20, service: "s3", name: "PutBucketLifecycle", by: pipeline, request: with(of("bucketName", "assets"), object{
		"LifecycleConfiguration": object{"Rule": object{"ID": "old", "Status": "Enabled", "Expiration": object{"Days": 30}}},
	})},
	{weight: 20, service: "s3", name: "PutBucketEncryption", by: pipeline, request: of("bucketName", "assets")},
	{weight: 10, service: "s3", name: "PutBucketVersioning", by: person, request: with(of("bucketName", "assets"), object{"VersioningConfiguration": object{"Status": "Suspended"}})},
	{weight: 10, service: "s3", name: "DeleteBucket", by: person, request: of("bucketName", "assets")},
	{weight: 10, service: "kms", name: "CreateKey", by: pipeline},
	{weight: 5, service: "kms", name: "ScheduleKeyDeletion", by: pipeline, request: with(keyID, object{"pendingWindowInDays": 30})},
	{weight: 5, service: "kms", name: "DisableKey", by: person, request: keyID},
	{weight: 10, service: "kms", name: "PutKeyPolicy", by: pipeline, request: with(keyID, object{"policyName": "default", "policy": "{}"})},
	{weight: 20, service: "kms", name: "CreateGrant", by: scaling, request: keyID},
	{weight: 20, service: "iam", name: "CreateRole", by: pipeline, global: true, request: of("roleName", "service")},
	{weight: 30, service: "iam", name: "PutRolePolicy", by: pipeline, global: true, request: with(of("roleName", "service"), object{"policyName": "run", "policyDocument": "{}"})},
	{weight: 20, service: "iam", name: "AttachRolePolicy", by: person, global: true, request: of("roleName", "service")},
	{weight: 10, service: "iam", name: "DetachRolePolicy", by: person, global: true, request: of("roleName", "service")},
	{weight: 10, service: "iam", name: "UpdateAssumeRolePolicy", by: pipeline, global: true, request: of("roleName", "service")},
	{weight: 10, service: "iam", name: "DeleteRole", by: pipeline, global: true, request: of("roleName", "service")},
	{weight: 30, service: "lambda", name: "UpdateFunctionCode20150331v2", by: pipeline, request: of("functionName", "api")},
	{weight: 20, service: "lambda", name: "UpdateFunctionConfiguration20150331v2", by: pipeline, request: of("functionName", "api")},
	{weight: 10, service: "lambda", name: "DeleteFunction20150331", by: pipeline, request: of("functionName", "api")},
	{weight: 20, service: "logs", name: "CreateLogGroup", by: pipeline, request: of("logGroupName", "/aws/lambda/api")},
	{weight: 20, service: "logs", name: "PutRetentionPolicy", by: pipeline, request: with(of("logGroupName", "/aws/lambda/api"), object{"retentionInDays": 7})},
	{weight: 10, service: "logs", name: "DeleteLogGroup", by: pipeline, request: of("logGroupName", "/aws/lambda/api")},
	{weight: 20, service: "sns", name: "SetTopicAttributes", by: pipeline, request: arnOf("topicArn", "sns", "orders")},
	{weight: 10, service: "sns", name: "DeleteTopic", by: pipeline, request: arnOf("topicArn", "sns", "orders")},
	{weight: 20, service: "sqs", name: "SetQueueAttributes", by: pipeline, request: queueURL},
	{weight: 10, service: "sqs", name: "PurgeQueue", by: person, request: queueURL},
	{weight: 20, service: "events", name: "PutRule", by: pipeline, request: of("name", "nightly")},
	{weight: 10, service: "events", name: "DisableRule", by: person, request: of("name", "nightly")},
	{weight: 10, service: "events", name: "RemoveTargets", by: pipeline, request: with(of("rule", "nightly"), object{"ids": []string{"1"}})},
	{weight: 20, service: "monitoring", name: "PutMetricAlarm", by: pipeline, request: of("alarmName", "latency")},
	{weight: 10, service: "monitoring", name: "DeleteAlarms", by: pipeline, request: func(h *History) object { return object{"alarmNames": []string{h.name("latency")}} }},
	{weight: 10, service: "states", name: "UpdateStateMachine", by: pipeline, request: arnOf("stateMachineArn", "states", "stateMachine:billing")},
	{weight: 40, service: "ec2", name: "AuthorizeSecurityGroupIngress", by: pipeline, request: of("groupId", "sg")},
	{weight: 20, service: "cloudformation", name: "UpdateStack", by: pipeline, request: of("stackName", "app")},

	// Services by themselves.
	{weight: 100, service: "ec2", name: "RunInstances", by: scaling},
	{weight: 100, service: "ec2", name: "TerminateInstances", by: scaling},
	{weight: 60, service: "kms", name: "GenerateDataKey", by: service("cloudtrail"), reads: true},
	{weight: 5, service: "kms", name: "RotateKey", by: service("kms"), eventType: cloudtrail.EventTypeServiceEvent, request: keyID},
	{weight: 60, service: "logs", name: "CreateLogStream", by: service("lambda"), request: of("logGroupName", "/aws/lambda/api")},

	// Detectors are turned on, and told more.
	{weight: 5, service: "guardduty", name: "UpdateDetector", by: pipeline, request: func(*History) object { return object{"detectorId": "12abc34d567e8fa901bc2d34e56789f0", "enable": true} }},
	{weight: 5, service: "config", name: "StartConfigurationRecorder", by: pipeline, request: func(*History) object { return object{"configurationRecorderName": "default"} }},
	{weight: 5, service: "config", name: "PutConfigRule", by: pipeline},
	{weight: 5, service: "securityhub", name: "BatchEnableStandards", by: pipeline},
}
