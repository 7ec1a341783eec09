// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// orgWorld is a management account with one member and an organization trail that logs.
func orgWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, sandbox.Seed{})
	must(0, w.AddAccount(member, "aws", ""))(t)
	must(0, w.AddOrganization("o-exampleorgid", account, member))(t)
	w.readPolicy(t)
	w.setPolicy(t, strings.Replace(w.policy, "/AWSLogs/"+account+"/*", "/AWSLogs/*", 1))
	must(w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, IsOrganizationTrail: aws.Bool(true)}))(t)
	return w
}

func TestOrganizationTrail(t *testing.T) {
	w := orgWorld(t)
	there := cloudtrailapi.NewFromConfig(w.root(member, elsewhere))
	list := must(there.DescribeTrails(t.Context(), &cloudtrailapi.DescribeTrailsInput{}))(t).TrailList
	if len(list) != 1 || *list[0].TrailARN != w.TrailARN || *list[0].HomeRegion != region {
		t.Fatalf("the member sees %+v", list)
	}
	if got := must(there.DescribeTrails(t.Context(), &cloudtrailapi.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(false)}))(t).TrailList; len(got) != 0 {
		t.Errorf("without shadows the member sees %d trails", len(got))
	}
	status := must(there.GetTrailStatus(t.Context(), &cloudtrailapi.GetTrailStatusInput{Name: &w.TrailARN}))(t)
	if !*status.IsLogging {
		t.Error("the member sees a trail that does not log")
	}
	here := w.root(member, region)
	if got := code(w.stop(here)); got != "OperationNotPermittedException" {
		t.Errorf("the member stops the trail: %q", got)
	}
	if _, err := cloudtrailapi.NewFromConfig(here).CreateTrail(t.Context(), &cloudtrailapi.CreateTrailInput{
		Name: aws.String("own"), S3BucketName: &w.Bucket, IsOrganizationTrail: aws.Bool(true),
	}); code(err) != "NotOrganizationMasterAccountException" {
		t.Errorf("the member makes an organization trail: %v", err)
	}
	w.clock.Advance(delay)
	found := false
	for _, f := range w.logFiles(w.Bucket) {
		if strings.HasPrefix(f.key, "AWSLogs/o-exampleorgid/"+member+"/CloudTrail/"+region+"/") {
			found = true
		}
	}
	if !found {
		t.Error("the member's records are in no log file of the organization trail")
	}
}

// TestOrganizationTrailIsRefused: what must be there first.
func TestOrganizationTrailIsRefused(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	_, err := w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, IsOrganizationTrail: aws.Bool(true)})
	if code(err) != "OrganizationsNotInUseException" {
		t.Errorf("without an organization: %v", err)
	}
	must(0, w.AddOrganization("o-exampleorgid", account))(t)
	_, err = w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, IsOrganizationTrail: aws.Bool(true)})
	if code(err) != "InsufficientS3BucketPolicyException" {
		t.Errorf("with a policy for one account: %v", err)
	}
}

// TestTrailChecks: what CreateTrail and UpdateTrail refuse besides what the contract holds.
func TestTrailChecks(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	must(cloudwatchlogs.NewFromConfig(w.root(account, region)).CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: aws.String("ct")}))(t)
	group, role := "arn:aws:logs:eu-west-1:"+account+":log-group:ct:*", "arn:aws:iam::"+account+":role/ct"
	other := *must(w.keys().CreateKey(t.Context(), &kms.CreateKeyInput{}))(t).KeyMetadata.Arn
	disabled := *must(w.keys().CreateKey(t.Context(), &kms.CreateKeyInput{}))(t).KeyMetadata.Arn
	must(w.keys().DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &disabled}))(t)
	must(w.buckets().CreateBucket(t.Context(), &s3.CreateBucketInput{Bucket: aws.String("bare-bucket"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: region}}))(t)
	for _, c := range []struct {
		name string
		in   cloudtrailapi.UpdateTrailInput
		want string
	}{
		{"group without role", cloudtrailapi.UpdateTrailInput{CloudWatchLogsLogGroupArn: &group}, "InvalidCloudWatchLogsRoleArnException"},
		{"role without group", cloudtrailapi.UpdateTrailInput{CloudWatchLogsRoleArn: &role}, "InvalidCloudWatchLogsLogGroupArnException"},
		{"group that is not there", cloudtrailapi.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String(strings.Replace(group, "ct", "nobody", 1)), CloudWatchLogsRoleArn: &role}, "InvalidCloudWatchLogsLogGroupArnException"},
		{"group and role", cloudtrailapi.UpdateTrailInput{CloudWatchLogsLogGroupArn: &group, CloudWatchLogsRoleArn: &role}, ""},
		{"neither again", cloudtrailapi.UpdateTrailInput{CloudWatchLogsLogGroupArn: aws.String(""), CloudWatchLogsRoleArn: aws.String("")}, ""},
		{"key without policy", cloudtrailapi.UpdateTrailInput{KmsKeyId: &other}, "InsufficientEncryptionPolicyException"},
		{"disabled key", cloudtrailapi.UpdateTrailInput{KmsKeyId: &disabled}, "KmsException"},
		{"key by alias", cloudtrailapi.UpdateTrailInput{KmsKeyId: aws.String("alias/switchback-trail")}, ""},
		{"bucket without policy", cloudtrailapi.UpdateTrailInput{S3BucketName: aws.String("bare-bucket")}, "InsufficientS3BucketPolicyException"},
		{"prefix outside policy", cloudtrailapi.UpdateTrailInput{S3KeyPrefix: aws.String("x")}, "InsufficientS3BucketPolicyException"},
		{"no trail's ARN", cloudtrailapi.UpdateTrailInput{Name: &w.KeyARN}, "CloudTrailARNInvalidException"},
		{"nothing", cloudtrailapi.UpdateTrailInput{}, ""},
	} {
		if c.in.Name == nil {
			c.in.Name = &w.TrailARN
		}
		if _, err := w.trails().UpdateTrail(t.Context(), &c.in); code(err) != c.want {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
	if got := must(w.trails().GetTrail(t.Context(), &cloudtrailapi.GetTrailInput{Name: &w.TrailARN}))(t).Trail; *got.KmsKeyId != w.KeyARN {
		t.Errorf("key by alias is stored as %s, want the ARN", *got.KmsKeyId)
	}
}

// TestShadowTrailsCount: a multi-region trail takes a place in every region.
func TestShadowTrailsCount(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	away := cloudtrailapi.NewFromConfig(w.root(account, elsewhere))
	for _, name := range []string{"one", "two", "three", "four"} {
		must(away.CreateTrail(t.Context(), &cloudtrailapi.CreateTrailInput{Name: &name, S3BucketName: &w.Bucket}))(t)
	}
	if _, err := away.CreateTrail(t.Context(), &cloudtrailapi.CreateTrailInput{Name: aws.String("five"), S3BucketName: &w.Bucket}); code(err) != "MaximumNumberOfTrailsExceededException" {
		t.Errorf("a fifth trail beside a shadow: %v", err)
	}
	if _, err := w.trails().CreateTrail(t.Context(), &cloudtrailapi.CreateTrailInput{Name: aws.String("wide"), S3BucketName: &w.Bucket, IsMultiRegionTrail: aws.Bool(true)}); code(err) != "MaximumNumberOfTrailsExceededException" {
		t.Errorf("a multi-region trail where another region is full: %v", err)
	}
	must(w.trails().CreateTrail(t.Context(), &cloudtrailapi.CreateTrailInput{Name: aws.String("narrow"), S3BucketName: &w.Bucket}))(t)
}

func TestLookupEvents(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.clock.Advance(time.Minute)
	from := w.clock.Now().Truncate(time.Second)
	alice := w.as(w.AccessKeys["alice"], region)
	must(0, w.stop(alice))(t)
	w.clock.Advance(time.Minute)
	session := assume(t, w, "alice")
	must(0, w.start(w.as(session, region)))(t)
	for name, c := range map[string]struct {
		key   types.LookupAttributeKey
		value string
		want  string
	}{
		"name":           {types.LookupAttributeKeyEventName, "StopLogging", "StopLogging"},
		"user":           {types.LookupAttributeKeyUsername, "alice", "AssumeRole StopLogging"},
		"session":        {types.LookupAttributeKeyUsername, "alice-deploy", "StartLogging"},
		"key":            {types.LookupAttributeKeyAccessKeyId, session, "StartLogging"},
		"issued key":     {types.LookupAttributeKeyResourceName, session, "AssumeRole"},
		"trail":          {types.LookupAttributeKeyResourceName, w.TrailARN, "StartLogging StopLogging"},
		"type":           {types.LookupAttributeKeyResourceType, "AWS::CloudTrail::Trail", "StartLogging StopLogging"},
		"source":         {types.LookupAttributeKeyEventSource, "sts.amazonaws.com", "AssumeRole"},
		"writes":         {types.LookupAttributeKeyReadOnly, "false", "StartLogging StopLogging"},
		"nobody":         {types.LookupAttributeKeyUsername, "nobody", ""},
		"all since then": {"", "", "AssumeRole"},
	} {
		in := &cloudtrailapi.LookupEventsInput{StartTime: &from}
		if c.key != "" {
			in.LookupAttributes = []types.LookupAttribute{{AttributeKey: c.key, AttributeValue: &c.value}}
		} else {
			in.LookupAttributes = []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyReadOnly, AttributeValue: aws.String("true")}}
			in.EndTime = aws.Time(w.clock.Now())
		}
		var got []string
		for _, e := range must(w.trails().LookupEvents(t.Context(), in))(t).Events {
			if *e.EventName != "LookupEvents" {
				got = append(got, *e.EventName)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("by %s: %q, want %q", name, strings.Join(got, " "), c.want)
		}
	}
	w.clock.Advance(91 * 24 * time.Hour)
	must(0, w.stop(alice))(t)
	if got := w.history(w.root(account, region), "StopLogging"); len(got) != 1 {
		t.Errorf("after 91 days Event history has %d stops, want the new one only", len(got))
	}
}

func TestPartitions(t *testing.T) {
	// Where China's global events are recorded is the SDK's business: internal/arn has it from there.
	china := arn.PartitionOf("cn-north-1").GlobalRegion
	for _, c := range []struct{ region, partition, global, host string }{
		{"eu-west-1", "aws", "us-east-1", "iam.amazonaws.com"},
		{"us-gov-east-1", "aws-us-gov", "us-gov-west-1", "iam.us-gov-west-1.amazonaws.com"},
		{"cn-north-1", "aws-cn", china, "iam." + china + ".amazonaws.com.cn"},
	} {
		t.Run(c.partition, func(t *testing.T) {
			w := newWorld(t, sandbox.Seed{Region: c.region})
			for _, s := range []string{w.TrailARN, w.KeyARN, w.RoleARN} {
				if p := must(arn.Parse(s))(t); p.Partition != c.partition {
					t.Errorf("%s is in partition %s, want %s", s, p.Partition, c.partition)
				}
			}
			w.drain(w.QueueURL)
			createUser(t, w.root(w.Account, c.region), "mallory")
			got := w.drain(w.QueueURL)
			if len(got) != 1 {
				t.Fatalf("%d events", len(got))
			}
			r := got[0].Record
			want := []string{"iam.amazonaws.com", c.global, c.host, "arn:" + c.partition + ":iam::" + w.Account + ":root"}
			if d := cmp.Diff(want, []string{r.EventSource, r.AWSRegion, r.TLSDetails.ClientProvidedHostHeader, r.UserIdentity.ARN}); d != "" {
				t.Errorf("record (-want +got):\n%s", d)
			}
			w.clock.Advance(delay)
			if len(w.logFiles(w.Bucket)) == 0 {
				t.Error("no log file")
			}
		})
	}
}
