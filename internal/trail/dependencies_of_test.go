// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/trail"
)

const (
	aKey    = "arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	aTopic  = "arn:aws:sns:eu-west-1:111122223333:ct"
	aGroup  = "arn:aws:logs:eu-west-1:111122223333:log-group:/cloudtrail/main"
	aRole   = "arn:aws:iam::111122223333:role/service/CloudTrailLogs"
	aBucket = "arn:aws:s3:::logs-444455556666"
)

func whole() trail.Trail {
	return trail.Trail{
		Name: "main", ARN: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main", HomeRegion: "eu-west-1",
		S3BucketName: "logs-444455556666", S3BucketOwner: "444455556666", KmsKeyId: aKey, SnsTopicARN: aTopic,
		CloudWatchLogsLogGroupArn: aGroup + ":*", CloudWatchLogsRoleArn: aRole,
	}
}

func TestDependencies(t *testing.T) {
	all := []trail.Dependency{
		{Kind: trail.KindKey, ARN: aKey, Account: "444455556666", Region: "eu-west-1"},
		{Kind: trail.KindBucket, ARN: aBucket, Account: "444455556666"},
		{Kind: trail.KindTopic, ARN: aTopic, Account: "111122223333", Region: "eu-west-1"},
		{Kind: trail.KindLogGroup, ARN: aGroup, Account: "111122223333", Region: "eu-west-1"},
		{Kind: trail.KindRole, ARN: aRole, Account: "111122223333", Region: "eu-west-1"},
	}
	for name, tt := range map[string]struct {
		change func(*trail.Trail)
		want   []trail.Dependency
	}{
		"all of them": {func(*trail.Trail) {}, all},
		"names instead of ARNs, an owner that is not known": {func(x *trail.Trail) {
			*x = trail.Trail{
				ARN: x.ARN, HomeRegion: x.HomeRegion, S3BucketName: x.S3BucketName, S3BucketOwner: "not 444455556666",
				KmsKeyId: "1234abcd-12ab-34cd-56ef-1234567890ab", SnsTopicName: "ct",
			}
		}, []trail.Dependency{
			{Kind: trail.KindKey, ARN: "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab", Account: "111122223333", Region: "eu-west-1"},
			{Kind: trail.KindBucket, ARN: aBucket, Account: "111122223333"},
			all[2],
		}},
		"an alias names no key": {func(x *trail.Trail) { x.KmsKeyId = "alias/trails" }, all[1:]},
		"none":                  {func(x *trail.Trail) { *x = trail.Trail{} }, nil},
	} {
		x := whole()
		tt.change(&x)
		if diff := cmp.Diff(tt.want, trail.Dependencies(x)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestInOrder(t *testing.T) {
	all := trail.Dependencies(whole())
	mixed := []trail.Dependency{all[4], all[1], all[0], all[3], all[1], all[2]}
	if diff := cmp.Diff(all, trail.InOrder(mixed)); diff != "" {
		t.Errorf("order (-want +got):\n%s", diff)
	}
}

func TestTouched(t *testing.T) {
	for name, tt := range map[string]struct {
		record string // beside account and region
		want   trail.Kind
	}{
		"a bucket by name":             {`"eventSource":"s3.amazonaws.com","requestParameters":{"bucketName":"logs-444455556666"}`, trail.KindBucket},
		"a bucket as a resource":       {`"eventSource":"s3.amazonaws.com","resources":[{"ARN":"arn:aws:s3:::logs-444455556666"}]`, trail.KindBucket},
		"an object in it":              {`"eventSource":"s3.amazonaws.com","resources":[{"ARN":"arn:aws:s3:::logs-444455556666/AWSLogs/x"}]`, trail.KindBucket},
		"a bucket of another name":     {`"eventSource":"s3.amazonaws.com","requestParameters":{"bucketName":"logs-444455556666-2"}`, ""},
		"a key by ARN":                 {`"eventSource":"kms.amazonaws.com","requestParameters":{"keyId":"` + aKey + `"}`, trail.KindKey},
		"a key by id, elsewhere":       {`"eventSource":"kms.amazonaws.com","requestParameters":{"keyId":"1234abcd-12ab-34cd-56ef-1234567890ab"}`, ""},
		"a key that AWS lists":         {`"eventSource":"kms.amazonaws.com","requestParameters":{"keyId":"alias/x"},"resources":[{"ARN":"` + aKey + `"}]`, trail.KindKey},
		"an alias, of who knows which": {`"eventSource":"kms.amazonaws.com","requestParameters":{"aliasName":"alias/x"}`, ""},
		"a topic":                      {`"eventSource":"sns.amazonaws.com","requestParameters":{"topicArn":"` + aTopic + `"}`, trail.KindTopic},
		"a subscription of it":         {`"eventSource":"sns.amazonaws.com","requestParameters":{"subscriptionArn":"` + aTopic + `:1-2-3"}`, trail.KindTopic},
		"a topic of a longer name":     {`"eventSource":"sns.amazonaws.com","requestParameters":{"topicArn":"` + aTopic + `2"}`, ""},
		"a log group":                  {`"eventSource":"logs.amazonaws.com","requestParameters":{"logGroupName":"/cloudtrail/main"}`, trail.KindLogGroup},
		"a log group by identifier":    {`"eventSource":"logs.amazonaws.com","requestParameters":{"logGroupIdentifier":"` + aGroup + `:*"}`, trail.KindLogGroup},
		"a role, without its path":     {`"eventSource":"iam.amazonaws.com","requestParameters":{"roleName":"CloudTrailLogs"}`, trail.KindRole},
		"another role":                 {`"eventSource":"iam.amazonaws.com","requestParameters":{"roleName":"service"}`, ""},
		"another service":              {`"eventSource":"ec2.amazonaws.com","requestParameters":{"bucketName":"logs-444455556666"}`, ""},
		"a host that only looks it":    {`"eventSource":"s3.amazonaws.com.example.com","requestParameters":{"bucketName":"logs-444455556666"}`, ""},
		"no text":                      {`"eventSource":"s3.amazonaws.com","requestParameters":{"bucketName":{"a":1}}`, ""},
	} {
		var r cloudtrail.Record
		if err := json.Unmarshal([]byte(`{"eventVersion":"1.11","eventName":"X","awsRegion":"eu-west-1","recipientAccountId":"111122223333",`+tt.record+`}`), &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got trail.Kind
		for _, d := range trail.Dependencies(whole()) {
			for _, touch := range trail.Touched(r) {
				if touch.Is(d) {
					got = d.Kind
				}
			}
		}
		if got != tt.want {
			t.Errorf("%s: touched %q, want %q", name, got, tt.want)
		}
	}
}
