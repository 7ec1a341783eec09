// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/state"
	"github.com/switchback-project/switchback/internal/trail"
)

// outsider is the administrator of another account, in which the reserve bucket is.
const (
	outsider     = "outsider"
	otherAccount = "444455556666"
	organization = "o-exampleorgid"
)

// Names of what the trail of a story may depend on beside bucket and key.
const (
	topicName  = "trail"
	groupName  = "trail"
	roleName   = "TrailToLogs"
	policyName = "deliver"
)

// furnish adds what the story asks for to the seeded account.
func (st *stage) furnish(ctx context.Context, story Story) error {
	if story.Reserve || story.Organization || hasOutsider(story.Before) || hasOutsider(story.Steps) {
		if err := st.addOutsider(); err != nil {
			return err
		}
	}
	if story.Organization {
		if err := st.sandbox.AddOrganization(organization, st.place.Account, otherAccount); err != nil {
			return err
		}
	}
	if story.Reserve {
		if err := st.makeReserve(ctx); err != nil {
			return err
		}
	}
	if story.Own {
		if err := st.makeOwn(ctx, story.Bus); err != nil {
			return err
		}
	}
	if story.Depends {
		if err := st.makeDependencies(ctx); err != nil {
			return err
		}
	}
	for i, step := range story.Before {
		if err := st.call(ctx, step); err != nil {
			return fmt.Errorf("before, step %d: %w", i+1, err)
		}
	}
	return nil
}

func hasOutsider(steps []Step) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.As == outsider || hasOutsider(s.Then) })
}

func (st *stage) addOutsider() error {
	if err := st.sandbox.AddAccount(otherAccount, st.place.Partition, ""); err != nil {
		return err
	}
	root, err := st.sandbox.Root(otherAccount)
	if err != nil {
		return err
	}
	st.keys[outsider] = root.AccessKeyID
	return nil
}

// forget drops the events of what furnish did: nobody is to respond to it.
func (st *stage) forget(ctx context.Context, story Story) error {
	if !story.Depends && !story.Reserve && !story.Own && len(story.Before) == 0 {
		return nil
	}
	for {
		st.sandbox.Deliver()
		n, err := st.source.Poll(ctx, 0, func(context.Context, source.Delivery) error { return nil })
		if err != nil || n == 0 {
			return err
		}
	}
}

// object is one of JSON.
type object = map[string]any

// ask makes a call as the administrator of an account.
func (st *stage) ask(ctx context.Context, who, name string, input object) error {
	data, err := json.Marshal(input)
	if err != nil {
		return err
	}
	account := st.place.Account
	if who == outsider {
		account = otherAccount
	}
	_, err = st.sandbox.Invoke(ctx, name, data, gate.Request{
		Account: account, Region: st.place.Region, AccessKeyID: st.keys[who], UserAgent: userAgent,
	})
	return err
}

func (st *stage) arnOf(service, resource string) string {
	return arn.Parts{Partition: st.place.Partition, Service: service, Region: st.place.Region, AccountID: st.place.Account, Resource: resource}.String()
}

// makeReserve makes the bucket in which emergency trails write.
func (st *stage) makeReserve(ctx context.Context) error {
	st.reserve = action.Reserve{Bucket: "switchback-reserve-" + otherAccount, Account: otherAccount}
	bucket := string(arn.Bucket(st.place.Region, st.reserve.Bucket))
	service := object{"Service": arn.ServiceHost("cloudtrail")}
	from := object{"StringLike": object{"aws:SourceArn": st.arnOf("cloudtrail", "trail/switchback-emergency-*")}}
	policy, err := json.Marshal(object{"Version": "2012-10-17", "Statement": []object{
		{"Effect": "Allow", "Principal": service, "Action": "s3:GetBucketAcl", "Resource": bucket, "Condition": from},
		{"Effect": "Allow", "Principal": service, "Action": "s3:PutObject", "Resource": bucket + "/AWSLogs/*", "Condition": from},
		{"Effect": "Allow", "Principal": object{"AWS": st.ownARN()}, "Action": []string{"s3:ListBucket", "s3:GetObject"}, "Resource": []string{bucket, bucket + "/*"}},
	}})
	if err != nil {
		return err
	}
	in := object{"Bucket": st.reserve.Bucket, "CreateBucketConfiguration": object{"LocationConstraint": st.place.Region}}
	if err := st.ask(ctx, outsider, "S3.CreateBucket", in); err != nil {
		return err
	}
	return st.ask(ctx, outsider, "S3.PutBucketPolicy", object{"Bucket": st.reserve.Bucket, "Policy": string(policy)})
}

// makeDependencies gives the trail a topic, a log group and the role that delivers there, and hardens its bucket, whose
// deleted objects it records.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-required-policy-for-cloudwatch-logs.html
func (st *stage) makeDependencies(ctx context.Context) error {
	topic, group := st.arnOf("sns", topicName), st.arnOf("logs", "log-group:"+groupName)
	service := object{"Service": arn.ServiceHost("cloudtrail")}
	publish := object{
		"Sid": "AWSCloudTrailSNSPolicy20150319", "Effect": "Allow", "Principal": service, "Action": "SNS:Publish", "Resource": topic,
		"Condition": object{"StringEquals": object{"aws:SourceArn": st.seeded.TrailARN}},
	}
	trust := object{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}
	deliver := object{"Effect": "Allow", "Action": []string{"logs:CreateLogStream", "logs:PutLogEvents"}, "Resource": group + ":log-stream:*"}
	bucket := st.seeded.Bucket
	for _, call := range []struct {
		name  string
		input object
	}{
		{"S3.PutBucketVersioning", object{"Bucket": bucket, "VersioningConfiguration": object{"Status": "Enabled"}}},
		{"S3.PutBucketOwnershipControls", object{"Bucket": bucket, "OwnershipControls": object{"Rules": []object{{"ObjectOwnership": "BucketOwnerEnforced"}}}}},
		{"S3.PutPublicAccessBlock", object{"Bucket": bucket, "PublicAccessBlockConfiguration": object{
			"BlockPublicAcls": true, "IgnorePublicAcls": true, "BlockPublicPolicy": true, "RestrictPublicBuckets": true,
		}}},
		{"S3.PutBucketLifecycleConfiguration", object{"Bucket": bucket, "LifecycleConfiguration": object{"Rules": []object{
			{"ID": "years", "Status": "Enabled", "Filter": object{"Prefix": ""}, "Expiration": object{"Days": 3650}},
		}}}},
		{"SNS.CreateTopic", object{"Name": topicName}},
		{"SNS.SetTopicAttributes", object{"TopicArn": topic, "AttributeName": "Policy", "AttributeValue": policyOf(publish)}},
		{"CloudWatch Logs.CreateLogGroup", object{"LogGroupName": groupName}},
		{"CloudWatch Logs.PutRetentionPolicy", object{"LogGroupName": groupName, "RetentionInDays": 365}},
		{"CloudWatch Logs.PutMetricFilter", object{
			"LogGroupName": groupName, "FilterName": "stops", "FilterPattern": "{$.eventName=StopLogging}",
			"MetricTransformations": []object{{"MetricName": "stops", "MetricNamespace": "Trail", "MetricValue": "1"}},
		}},
		{"IAM.CreateRole", object{"RoleName": roleName, "AssumeRolePolicyDocument": policyOf(trust)}},
		{"IAM.PutRolePolicy", object{"RoleName": roleName, "PolicyName": policyName, "PolicyDocument": policyOf(deliver)}},
		{"CloudTrail.UpdateTrail", object{
			"Name": st.seeded.TrailARN, "SnsTopicName": topicName,
			"CloudWatchLogsLogGroupArn": group + ":*", "CloudWatchLogsRoleArn": st.roleARN(roleName),
		}},
		{"CloudTrail.PutEventSelectors", object{"TrailName": st.seeded.TrailARN, "AdvancedEventSelectors": []object{
			{"FieldSelectors": []object{{"Field": "eventCategory", "Equals": []string{"Management"}}}},
			{"FieldSelectors": []object{
				{"Field": "eventCategory", "Equals": []string{"Data"}}, {"Field": "resources.type", "Equals": []string{"AWS::S3::Object"}},
				{"Field": "eventName", "StartsWith": []string{"Delete"}},
				{"Field": "resources.ARN", "StartsWith": []string{string(arn.Bucket(st.place.Region, bucket)) + "/"}},
			}},
		}}},
	} {
		if err := st.ask(ctx, "admin", call.name, call.input); err != nil {
			return fmt.Errorf("%s: %w", call.name, err)
		}
	}
	return nil
}

func policyOf(statements ...object) string {
	text, _ := json.Marshal(object{"Version": "2012-10-17", "Statement": statements}) // strings only
	return string(text)
}

// writeDependencies says of everything that protected trails depend on whether it is as it was before the story.
func (st *stage) writeDependencies(ctx context.Context, b *strings.Builder) error {
	all, err := state.ProtectedTrails(ctx, st.db)
	if err != nil {
		return err
	}
	var list []trail.Dependency
	for _, p := range all {
		list = append(list, trail.Dependencies(p.Trail)...)
	}
	b.WriteString("depends on:\n")
	for _, d := range trail.InOrder(list) {
		text, err := st.standing(ctx, d)
		if err != nil {
			return err
		}
		fmt.Fprintf(b, "  %s %s: %s\n", d.Kind, d.ARN, text)
	}
	b.WriteString("\n")
	return nil
}

// standing compares a resource with its first version.
func (st *stage) standing(ctx context.Context, d trail.Dependency) (string, error) {
	versions, err := st.db.SnapshotVersions(ctx, d.ARN)
	if err != nil || len(versions) == 0 {
		return "no baseline", err
	}
	have, err := state.ReadDependency(ctx, st.system.Gate.Door(gate.Scope{}), d)
	if err != nil {
		return "cannot be read", nil
	}
	weaker, err := trail.WeakenedDependency(d.Kind, versions[0].Content, have)
	if err != nil || len(weaker) == 0 {
		return "as before", err
	}
	var texts []string
	for _, w := range weaker {
		texts = append(texts, w.Sentence())
	}
	return strings.Join(texts, "; "), nil
}
