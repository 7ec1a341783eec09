// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package benign

import (
	"encoding/json"
	"fmt"

	"github.com/switchback-project/switchback/internal/arn"
)

// Protected names a trail and what it depends on. What is empty has no calls.
type Protected struct {
	Region                                                                                                string
	TrailName, TrailARN, Bucket, BucketPolicy, KeyARN, TopicARN, LogGroup, Role, Rule, RulePattern, Alarm string
}

// Call is one that is to be made about something protected: an operation of the SDK, "CloudTrail.StartLogging", with its
// input in the SDK's member names.
type Call struct {
	What  string // in words
	Name  string
	Input json.RawMessage
}

// Calls are calls about a trail and its parts that weaken nothing: they leave everything as it was, or protect more.
func (p Protected) Calls() ([]Call, error) {
	var out []Call
	for _, c := range p.calls() {
		input, err := json.Marshal(c.input)
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", c.name, err)
		}
		if c.about != "" {
			out = append(out, Call{c.what, c.name, input})
		}
	}
	return out, nil
}

type protectedCall struct {
	about, what, name string
	input             object
}

func (p Protected) calls() []protectedCall {
	return append(p.ofTrail(), []protectedCall{
		{p.BucketPolicy, "narrow the bucket's policy", "S3.PutBucketPolicy", object{"Bucket": p.Bucket, "Policy": narrowed(p.BucketPolicy, p.Region, p.Bucket)}},
		{p.Bucket, "keep versions", "S3.PutBucketVersioning", object{"Bucket": p.Bucket, "VersioningConfiguration": object{"Status": "Enabled"}}},
		{p.Bucket, "block public access", "S3.PutPublicAccessBlock", object{"Bucket": p.Bucket, "PublicAccessBlockConfiguration": object{
			"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
		}}},
		{p.Bucket, "let the owner pay", "S3.PutBucketRequestPayment", object{"Bucket": p.Bucket, "RequestPaymentConfiguration": object{"Payer": "BucketOwner"}}},
		{p.Bucket, "tag the bucket", "S3.PutBucketTagging", object{"Bucket": p.Bucket, "Tagging": object{"TagSet": []object{{"Key": "team", "Value": "security"}}}}},
		{p.KeyARN, "enable the key that is", "KMS.EnableKey", object{"KeyId": p.KeyARN}},
		{p.LogGroup, "keep logs longer", "CloudWatch Logs.PutRetentionPolicy", object{"LogGroupName": p.LogGroup, "RetentionInDays": 731}},
		{p.LogGroup, "add a metric filter", "CloudWatch Logs.PutMetricFilter", object{
			"LogGroupName": p.LogGroup, "FilterName": "logins", "FilterPattern": "{$.eventName=ConsoleLogin}",
			"MetricTransformations": []object{{"MetricName": "logins", "MetricNamespace": "Trail", "MetricValue": "1"}},
		}},
		{p.Role, "tag the delivery role", "IAM.TagRole", object{"RoleName": p.Role, "Tags": []object{{"Key": "team", "Value": "security"}}}},
		// Not EnableRule: it takes a rule from the state that brings reads, too, to the one that does not.
		{p.Rule, "put the rule as it is", "EventBridge.PutRule", object{
			"Name": p.Rule, "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS", "EventPattern": p.RulePattern,
		}},
		{p.Alarm, "enable the alarm that is", "CloudWatch.EnableAlarmActions", object{"AlarmNames": []string{p.Alarm}}},
	}...)
}

func (p Protected) ofTrail() []protectedCall {
	everyObject := []object{{"Field": "eventCategory", "Equals": []string{"Data"}}, {"Field": "resources.type", "Equals": []string{"AWS::S3::Object"}}}
	return []protectedCall{
		{p.TrailName, "start the trail that logs", "CloudTrail.StartLogging", object{"Name": p.TrailName}},
		{p.TrailARN, "start the trail by its ARN", "CloudTrail.StartLogging", object{"Name": p.TrailARN}},
		{p.TrailName, "update the trail to what it is", "CloudTrail.UpdateTrail", object{
			"Name": p.TrailName, "S3BucketName": p.Bucket, "IsMultiRegionTrail": true, "IncludeGlobalServiceEvents": true, "EnableLogFileValidation": true,
		}},
		{p.TrailName, "update the trail's validation to what it is", "CloudTrail.UpdateTrail", object{"Name": p.TrailName, "EnableLogFileValidation": true}},
		{p.TrailName, "record every object too", "CloudTrail.PutEventSelectors", object{"TrailName": p.TrailName, "AdvancedEventSelectors": []object{
			{"FieldSelectors": []object{{"Field": "eventCategory", "Equals": []string{"Management"}}}}, {"FieldSelectors": everyObject},
		}}},
		{p.TrailName, "watch for more unusual calls", "CloudTrail.PutInsightSelectors", object{
			"TrailName": p.TrailName, "InsightSelectors": []object{{"InsightType": "ApiCallRateInsight"}, {"InsightType": "ApiErrorRateInsight"}},
		}},
		{p.TrailARN, "tag the trail", "CloudTrail.AddTags", object{"ResourceId": p.TrailARN, "TagsList": []object{{"Key": "team", "Value": "security"}}}},
	}
}

// narrowed is a bucket's policy with one more refusal: of whoever comes without TLS.
func narrowed(policy, region, bucket string) string {
	var p struct {
		Version   string            `json:"Version"`
		Statement []json.RawMessage `json:"Statement"`
	}
	if json.Unmarshal([]byte(policy), &p) != nil {
		return policy
	}
	resource := string(arn.Bucket(region, bucket))
	refusal, err := json.Marshal(object{
		"Sid": "OnlyTLS", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": []string{resource, resource + "/*"},
		"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
	})
	if err != nil {
		return policy
	}
	p.Statement = append(p.Statement, refusal)
	text, err := json.Marshal(p)
	if err != nil {
		return policy
	}
	return string(text)
}
