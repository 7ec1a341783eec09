// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/switchback-project/switchback/internal/arn"
)

// trailOperations makes, changes and removes trails.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_CreateTrail.html
func trailOperations(t table) {
	handle(t, cloudtrailService, "CreateTrail", writes, createTrail)
	handle(t, cloudtrailService, "UpdateTrail", writes, updateTrail)
	handle(t, cloudtrailService, "DeleteTrail", writes, deleteTrail)
	handle(t, cloudtrailService, "StartLogging", writes, startLogging)
	handle(t, cloudtrailService, "StopLogging", writes, stopLogging)
}

// trailChange is what CreateTrail and UpdateTrail have in common. A nil field is left as it is.
type trailChange struct {
	bucket, prefix, topic, key, logGroup, logRole *string
	global, multiRegion, organization, validation *bool
}

func createTrail(c *call, in *cloudtrail.CreateTrailInput) (*cloudtrail.CreateTrailOutput, error) {
	name := aws.ToString(in.Name)
	if err := checkTrailName(name); err != nil {
		return nil, err
	}
	t := &trail{
		account: c.account(), home: c.region, name: name, arn: c.arnOf("cloudtrail", "trail/"+name), global: true,
		tags: cloudtrailTags(in.TagsList),
	}
	c.touch("AWS::CloudTrail::Trail", t.arn)
	if slices.ContainsFunc(c.account().trails, func(x *trail) bool { return x.arn == t.arn }) {
		return nil, fail(400, &types.TrailAlreadyExistsException{Message: msg("Trail %s already exists for customer: %s", name, c.account().id)})
	}
	err := c.change(t, trailChange{
		bucket: in.S3BucketName, prefix: in.S3KeyPrefix, topic: in.SnsTopicName, key: in.KmsKeyId,
		logGroup: in.CloudWatchLogsLogGroupArn, logRole: in.CloudWatchLogsRoleArn,
		global: in.IncludeGlobalServiceEvents, multiRegion: in.IsMultiRegionTrail,
		organization: in.IsOrganizationTrail, validation: in.EnableLogFileValidation,
	})
	if err != nil {
		return nil, err
	}
	c.account().put(t)
	d := t.describe()
	return &cloudtrail.CreateTrailOutput{
		//lint:ignore SA1019 AWS still answers the old name beside the ARN
		Name: d.Name, TrailARN: d.TrailARN, S3BucketName: d.S3BucketName, S3KeyPrefix: d.S3KeyPrefix, SnsTopicName: d.SnsTopicName,
		SnsTopicARN: d.SnsTopicARN, KmsKeyId: d.KmsKeyId, IncludeGlobalServiceEvents: d.IncludeGlobalServiceEvents,
		IsMultiRegionTrail: d.IsMultiRegionTrail, IsOrganizationTrail: d.IsOrganizationTrail,
		LogFileValidationEnabled:  d.LogFileValidationEnabled,
		CloudWatchLogsLogGroupArn: d.CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: d.CloudWatchLogsRoleArn,
	}, nil
}

func updateTrail(c *call, in *cloudtrail.UpdateTrailInput) (*cloudtrail.UpdateTrailOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	before := t.describe()
	err = c.change(t, trailChange{
		bucket: in.S3BucketName, prefix: in.S3KeyPrefix, topic: in.SnsTopicName, key: in.KmsKeyId,
		logGroup: in.CloudWatchLogsLogGroupArn, logRole: in.CloudWatchLogsRoleArn,
		global: in.IncludeGlobalServiceEvents, multiRegion: in.IsMultiRegionTrail,
		organization: in.IsOrganizationTrail, validation: in.EnableLogFileValidation,
	})
	if err != nil {
		return nil, err
	}
	d := t.describe()
	c.same = sameJSON(before, d)
	return &cloudtrail.UpdateTrailOutput{
		//lint:ignore SA1019 AWS still answers the old name beside the ARN
		Name: d.Name, TrailARN: d.TrailARN, S3BucketName: d.S3BucketName, S3KeyPrefix: d.S3KeyPrefix, SnsTopicName: d.SnsTopicName,
		SnsTopicARN: d.SnsTopicARN, KmsKeyId: d.KmsKeyId, IncludeGlobalServiceEvents: d.IncludeGlobalServiceEvents,
		IsMultiRegionTrail: d.IsMultiRegionTrail, IsOrganizationTrail: d.IsOrganizationTrail,
		LogFileValidationEnabled:  d.LogFileValidationEnabled,
		CloudWatchLogsLogGroupArn: d.CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn: d.CloudWatchLogsRoleArn,
	}, nil
}

// change validates the trail that would be and only then changes t.
func (c *call) change(t *trail, x trailChange) error {
	next := *t
	assign(&next.destination.bucket, x.bucket)
	assign(&next.destination.prefix, x.prefix)
	assign(&next.logGroup, x.logGroup)
	assign(&next.logRole, x.logRole)
	assign(&next.global, x.global)
	assign(&next.multiRegion, x.multiRegion)
	assign(&next.organization, x.organization)
	assign(&next.validation, x.validation)
	if next.multiRegion && !next.global {
		return fail(400, &types.InvalidParameterCombinationException{Message: msg("Multi-Region trail must include global service events.")})
	}
	for _, check := range []func(*trail, trailChange) error{c.checkQuota, c.checkOrganization, c.checkBucket, c.checkTopic, c.checkKey, c.checkLogGroup} {
		if err := check(&next, x); err != nil {
			return err
		}
	}
	*t = next
	return nil
}

func assign[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

// checkQuota counts trails in every region where the trail is going to be seen.
func (c *call) checkQuota(t *trail, _ trailChange) error {
	seen := map[string]int{t.home: 0}
	if t.multiRegion {
		for _, x := range c.account().trails {
			seen[x.home] = 0
		}
	}
	for _, x := range c.account().trails {
		for region := range seen {
			if x.arn != t.arn && x.in(c.account(), region) {
				seen[region]++
			}
		}
	}
	for region, n := range seen {
		if n >= maxTrails {
			return fail(403, &types.MaximumNumberOfTrailsExceededException{
				Message: msg("User: %s already has %d trails in %s.", c.account().id, n, region),
			})
		}
	}
	return nil
}

// checkOrganization: only the management account has organization trails.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/creating-trail-organization.html
func (c *call) checkOrganization(t *trail, _ trailChange) error {
	o := c.account().organization
	switch {
	case !t.organization:
		return nil
	case o == nil:
		return fail(404, &types.OrganizationsNotInUseException{Message: msg("Account %s is not in an organization.", c.account().id)})
	case o.management != c.account():
		return fail(400, &types.NotOrganizationMasterAccountException{Message: msg("Account %s is not the management account of its organization.", c.account().id)})
	default:
		return nil
	}
}

// checkBucket asks the bucket's policy the two questions that CloudTrail asks.
func (c *call) checkBucket(t *trail, x trailChange) error {
	if x.bucket == nil && x.prefix == nil && x.organization == nil {
		return nil
	}
	name := t.destination.bucket
	if len(name) < 3 || len(name) > 63 {
		return fail(400, &types.InvalidS3BucketNameException{Message: msg("Bucket name %.80q must have 3 to 63 characters.", name)})
	}
	if len(t.destination.prefix) > 200 {
		return fail(400, &types.InvalidS3PrefixException{Message: msg("S3 prefix is longer than 200 characters.")})
	}
	b := c.s.bucketIn(t.account.partition, name)
	if b == nil {
		return fail(404, &types.S3BucketDoesNotExistException{Message: msg("S3 bucket %s does not exist!", name)})
	}
	if !t.mayWrite(b, t.keyPrefix(t.account)+"x") || !t.mayDo(b.policy, "s3:GetBucketAcl", b.arn()) {
		return fail(403, &types.InsufficientS3BucketPolicyException{Message: msg("Incorrect S3 bucket policy is detected for bucket: %s", name)})
	}
	return nil
}

// checkTopic resolves the name or ARN of the topic; "" takes it away.
func (c *call) checkTopic(t *trail, x trailChange) error {
	if x.topic == nil {
		return nil
	}
	if t.destination.topic = *x.topic; t.destination.topic == "" {
		return nil
	}
	if !arn.IsARN(t.destination.topic) {
		t.destination.topic = c.arnOf("sns", t.destination.topic)
	}
	topic := c.s.topicByARN(t.destination.topic)
	if topic == nil || !t.mayDo(topic.policy(), "SNS:Publish", topic.arn) {
		return fail(403, &types.InsufficientSnsTopicPolicyException{Message: msg("SNS Topic does not exist or the topic policy is incorrect!")})
	}
	return nil
}

// checkKey resolves the key's id, alias or ARN to its ARN; "" takes it away.
func (c *call) checkKey(t *trail, x trailChange) error {
	if x.key == nil {
		return nil
	}
	if t.destination.key = *x.key; t.destination.key == "" {
		return nil
	}
	k := c.findKey(*x.key)
	if k == nil {
		return fail(400, &types.KmsKeyNotFoundException{Message: msg("KMS key %.200s does not exist.", *x.key)})
	}
	if k.state(c.now) != keyEnabled {
		return fail(400, &types.KmsException{Message: msg("KMS key %s is not enabled.", k.arn)})
	}
	if !t.mayEncrypt(k) {
		return fail(403, &types.InsufficientEncryptionPolicyException{Message: msg("Insufficient permissions to access S3 bucket %s or KMS key %s.", t.destination.bucket, k.arn)})
	}
	t.destination.key = k.arn
	return nil
}

// checkLogGroup: the group and the role go together.
func (c *call) checkLogGroup(t *trail, x trailChange) error {
	switch {
	case x.logGroup == nil && x.logRole == nil || t.logGroup == "" && t.logRole == "":
		return nil
	case !strings.Contains(t.logGroup, ":log-group:"):
		return fail(400, &types.InvalidCloudWatchLogsLogGroupArnException{Message: msg("CloudTrail cannot validate the specified log group ARN.")})
	case !strings.Contains(t.logRole, ":role/"):
		return fail(400, &types.InvalidCloudWatchLogsRoleArnException{Message: msg("You must specify a role ARN as well as a log group.")})
	case c.s.groupByARN(t.logGroup) == nil:
		return fail(400, &types.InvalidCloudWatchLogsLogGroupArnException{Message: msg("CloudTrail cannot validate the specified log group ARN.")})
	default:
		return nil
	}
}

func deleteTrail(c *call, in *cloudtrail.DeleteTrailInput) (*cloudtrail.DeleteTrailOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	a := c.account()
	a.trails = slices.DeleteFunc(slices.Clone(a.trails), func(x *trail) bool { return x == t })
	return &cloudtrail.DeleteTrailOutput{}, nil
}

func startLogging(c *call, in *cloudtrail.StartLoggingInput) (*cloudtrail.StartLoggingOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	c.same = t.logging
	if !t.logging {
		t.logging, t.started = true, c.now
	}
	return &cloudtrail.StartLoggingOutput{}, nil
}

func stopLogging(c *call, in *cloudtrail.StopLoggingInput) (*cloudtrail.StopLoggingOutput, error) {
	t, err := c.trailToChange(aws.ToString(in.Name))
	if err != nil {
		return nil, err
	}
	c.same = !t.logging
	if t.logging {
		t.logging, t.stopped = false, c.now
	}
	return &cloudtrail.StopLoggingOutput{}, nil
}
