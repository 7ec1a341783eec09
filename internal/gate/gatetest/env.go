// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gatetest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/account"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/identitystore"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/securityhub"
	"github.com/aws/aws-sdk-go-v2/service/sesv2"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/arn"
)

// env is where a case acts: clients of Account in the target's region, and what the cases need again and again.
type env struct {
	ctx               context.Context
	region, elsewhere string
	config            func(account, region string) aws.Config
	as                func(aws.Credentials) aws.Config

	account    *account.Client
	alarms     *cloudwatch.Client
	events     *eventbridge.Client
	iam        *iam.Client
	identities *identitystore.Client
	kms        *kms.Client
	logs       *cloudwatchlogs.Client
	s3         *s3.Client
	sns        *sns.Client
	sqs        *sqs.Client
	sts        *sts.Client
	trails     *cloudtrail.Client
	hub        *securityhub.Client
	mail       *sesv2.Client
}

func newEnv(t testing.TB, target Target, seen operations) *env {
	e := &env{
		ctx: t.Context(), region: cmp.Or(target.Region, "eu-west-1"), elsewhere: cmp.Or(target.Elsewhere, "ap-southeast-2"),
	}
	base := target.Config(t, Account, e.region)
	e.config = func(account, region string) aws.Config {
		cfg := base.Copy()
		if account != Account || region != e.region {
			cfg = target.Config(t, account, region)
		}
		return seen.watch(cfg)
	}
	e.as = func(c aws.Credentials) aws.Config { return seen.watch(target.As(t, c, e.region)) }
	cfg := e.config(Account, e.region)
	e.account, e.iam, e.kms = account.NewFromConfig(cfg), iam.NewFromConfig(cfg), kms.NewFromConfig(cfg)
	e.identities = identitystore.NewFromConfig(cfg)
	e.logs, e.s3, e.sns = cloudwatchlogs.NewFromConfig(cfg), newS3(cfg), sns.NewFromConfig(cfg)
	e.hub, e.mail = securityhub.NewFromConfig(cfg), sesv2.NewFromConfig(cfg)
	e.alarms, e.events = cloudwatch.NewFromConfig(cfg), eventbridge.NewFromConfig(cfg)
	e.sqs, e.sts, e.trails = sqs.NewFromConfig(cfg), sts.NewFromConfig(cfg), cloudtrail.NewFromConfig(cfg)
	return e
}

func newS3(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true })
}

// codeOf is AWS's error code, "" for none.
func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

const (
	bucketName = "gatetest-logs-111122223333"
	trailName  = "main"
)

func (e *env) arn(service, resource string) string {
	return arn.Parts{Partition: arn.PartitionOf(e.region).ID, Service: service, Region: e.region, AccountID: Account, Resource: resource}.String()
}

func (e *env) global(account, resource string) string {
	return arn.Parts{Partition: arn.PartitionOf(e.region).ID, Service: "iam", AccountID: account, Resource: resource}.String()
}

func (e *env) bucketARN() string { return string(arn.Bucket(e.region, bucketName)) }

func (e *env) trailARN() string { return string(arn.Trail(e.region, Account, trailName)) }

// newBucket makes a bucket.
func (e *env) newBucket(name string) {
	ok(e.s3.CreateBucket(e.ctx, &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(e.region)},
	}))
}

// policy is AWS's policy for a trail's bucket.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func (e *env) policy(bucket string) string {
	service := arn.ServiceHost("cloudtrail")
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[`+
		`{"Sid":"AclCheck","Effect":"Allow","Principal":{"Service":%q},"Action":"s3:GetBucketAcl","Resource":%q},`+
		`{"Sid":"Write","Effect":"Allow","Principal":{"Service":%q},"Action":"s3:PutObject","Resource":%q,`+
		`"Condition":{"StringEquals":{"s3:x-amz-acl":"bucket-owner-full-control"}}}]}`,
		service, string(arn.Bucket(e.region, bucket)), service, string(arn.Bucket(e.region, bucket))+"/*")
}

// newLogBucket makes a bucket that CloudTrail may write to.
func (e *env) newLogBucket(name string) {
	e.newBucket(name)
	ok(e.s3.PutBucketPolicy(e.ctx, &s3.PutBucketPolicyInput{Bucket: &name, Policy: aws.String(e.policy(name)), ExpectedBucketOwner: aws.String(Account)}))
}

// newTrail makes the bucket and a multi-region trail that does not log yet.
func (e *env) newTrail() {
	e.newLogBucket(bucketName)
	ok(e.trails.CreateTrail(e.ctx, &cloudtrail.CreateTrailInput{
		Name: aws.String(trailName), S3BucketName: aws.String(bucketName), IsMultiRegionTrail: aws.Bool(true), EnableLogFileValidation: aws.Bool(true),
	}))
}

// trust lets an account assume a role.
func (e *env) trust(account string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":%q},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}`, e.global(account, "root"))
}

// trailKeyPolicy lets the account and CloudTrail use a key.
func (e *env) trailKeyPolicy() string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[`+
		`{"Effect":"Allow","Principal":{"AWS":%q},"Action":"kms:*","Resource":"*"},`+
		`{"Effect":"Allow","Principal":{"Service":%q},"Action":["kms:GenerateDataKey*","kms:DescribeKey"],"Resource":"*"}]}`,
		e.global(Account, "root"), arn.ServiceHost("cloudtrail"))
}

// topicPolicy lets CloudTrail publish.
func (e *env) topicPolicy(topicARN string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":%q},"Action":"SNS:Publish","Resource":%q}]}`,
		arn.ServiceHost("cloudtrail"), topicARN)
}
