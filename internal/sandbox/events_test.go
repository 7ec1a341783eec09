// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/sandbox"
)

// deliveryRules are steps, and the names of the events that the seeded subscription then gets.
var deliveryRules = []struct {
	name string
	do   func(t *testing.T, w *world)
	want string
}{
	{"a stop is itself delivered", func(t *testing.T, w *world) {
		must(0, w.stop(w.as(w.AccessKeys["alice"], region)))(t)
	}, "StopLogging"},
	{"nothing after the stop, then the start", func(t *testing.T, w *world) {
		cfg := w.as(w.AccessKeys["alice"], region)
		must(0, w.stop(cfg))(t)
		createUser(t, cfg, "mallory")
		must(0, w.start(cfg))(t)
		createUser(t, cfg, "trudy")
	}, "StopLogging StartLogging CreateUser"},
	{"a failed call", func(t *testing.T, w *world) {
		must(0, w.Deny(w.Account, "cloudtrail:Stop*"))(t)
		if got := code(w.stop(w.as(w.AccessKeys["alice"], region))); got != "AccessDeniedException" {
			t.Errorf("error code is %q", got)
		}
	}, "StopLogging"},
	{"deleting the last trail", func(t *testing.T, w *world) {
		must(w.trails().DeleteTrail(t.Context(), &cloudtrailapi.DeleteTrailInput{Name: &w.TrailARN}))(t)
		createUser(t, w.root(w.Account, region), "mallory")
	}, "DeleteTrail"},
	{"dropping management events", func(t *testing.T, w *world) {
		must(w.trails().PutEventSelectors(t.Context(), &cloudtrailapi.PutEventSelectorsInput{
			TrailName: &w.TrailARN, EventSelectors: []types.EventSelector{{IncludeManagementEvents: aws.Bool(false)}},
		}))(t)
		createUser(t, w.root(w.Account, region), "mallory")
	}, "PutEventSelectors"},
	{"leaving out a source", func(t *testing.T, w *world) {
		must(w.trails().PutEventSelectors(t.Context(), &cloudtrailapi.PutEventSelectorsInput{
			TrailName: &w.TrailARN, EventSelectors: []types.EventSelector{{ReadWriteType: types.ReadWriteTypeReadOnly}},
		}))(t)
		createUser(t, w.root(w.Account, region), "mallory")
		assume(t, w, "alice")
	}, "PutEventSelectors AssumeRole"},
	{"reads by name are hidden, by flag are not", func(t *testing.T, w *world) {
		must(w.trails().DescribeTrails(t.Context(), &cloudtrailapi.DescribeTrailsInput{}))(t)
		must(w.trails().LookupEvents(t.Context(), &cloudtrailapi.LookupEventsInput{}))(t)
		must(w.buckets().HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &w.Bucket}))(t)
		must(sts.NewFromConfig(w.as(w.AccessKeys["alice"], region)).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{}))(t)
		must(sts.NewFromConfig(w.as(w.AccessKeys["alice"], region)).GetFederationToken(t.Context(), &sts.GetFederationTokenInput{Name: aws.String("carol")}))(t)
	}, "LookupEvents HeadBucket GetFederationToken"},
	{"another region, by the shadow trail", func(t *testing.T, w *world) {
		must(sqs.NewFromConfig(w.root(w.Account, elsewhere)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")}))(t)
	}, "CreateQueue"},
	{"another region, of a single-region trail", func(t *testing.T, w *world) {
		must(w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, IsMultiRegionTrail: aws.Bool(false)}))(t)
		must(sqs.NewFromConfig(w.root(w.Account, elsewhere)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")}))(t)
		createUser(t, w.root(w.Account, region), "mallory") // recorded in the global region, which is not the trail's
	}, "UpdateTrail"},
	{"data events only when a trail asks for them", func(t *testing.T, w *world) {
		put := func() {
			must(w.buckets().PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.Bucket, Key: aws.String("k")}))(t)
		}
		put()
		must(w.trails().PutEventSelectors(t.Context(), &cloudtrailapi.PutEventSelectorsInput{
			TrailName: &w.TrailARN, AdvancedEventSelectors: []types.AdvancedEventSelector{
				selector("eventCategory=Management"),
				selector("eventCategory=Data", "resources.type=AWS::S3::Object", "eventName=DeleteObject"),
			},
		}))(t)
		put()
		must(w.buckets().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &w.Bucket, Key: aws.String("k")}))(t)
	}, "PutEventSelectors DeleteObject"},
	{"a second trail goes on", func(t *testing.T, w *world) {
		must(w.trails().CreateTrail(t.Context(), &cloudtrailapi.CreateTrailInput{Name: aws.String("second"), S3BucketName: &w.Bucket}))(t)
		must(w.trails().StartLogging(t.Context(), &cloudtrailapi.StartLoggingInput{Name: aws.String("second")}))(t)
		must(0, w.stop(w.root(w.Account, region)))(t)
		must(w.buckets().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &w.Bucket}))(t)
	}, "CreateTrail StartLogging StopLogging DeleteBucketPolicy"},
}

func TestEventsReachTheQueue(t *testing.T) {
	for _, c := range deliveryRules {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, sandbox.Seed{})
			w.drain(w.QueueURL)
			c.do(t, w)
			if d := cmp.Diff(c.want, names(w.drain(w.QueueURL))); d != "" {
				t.Errorf("events (-want +got):\n%s", d)
			}
		})
	}
}

func createUser(t *testing.T, cfg aws.Config, name string) {
	t.Helper()
	must(iam.NewFromConfig(cfg).CreateUser(t.Context(), &iam.CreateUserInput{UserName: &name}))(t)
}

// assume assumes the seeded role as a user and returns its credentials' key.
func assume(t *testing.T, w *world, user string) string {
	t.Helper()
	out := must(sts.NewFromConfig(w.as(w.AccessKeys[user], region)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &w.RoleARN, RoleSessionName: aws.String(user + "-deploy"), SourceIdentity: &user,
	}))(t)
	return *out.Credentials.AccessKeyId
}

// selector makes an advanced event selector of field=value.
func selector(fields ...string) types.AdvancedEventSelector {
	var s types.AdvancedEventSelector
	for _, f := range fields {
		for i := range f {
			if f[i] == '=' {
				s.FieldSelectors = append(s.FieldSelectors, types.AdvancedFieldSelector{Field: aws.String(f[:i]), Equals: []string{f[i+1:]}})
				break
			}
		}
	}
	return s
}

func TestSubscriptionToAllManagementEvents(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	url := *must(sqs.NewFromConfig(w.root(w.Account, region)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("all")}))(t).QueueUrl
	must(0, w.Subscribe(w.Account, region, url, true))(t)
	must(w.trails().DescribeTrails(t.Context(), &cloudtrailapi.DescribeTrailsInput{}))(t)
	createUser(t, w.root(w.Account, region), "trudy") // in the global region, which the subscription is not for
	if got := names(w.drain(url)); got != "DescribeTrails" {
		t.Errorf("events are %q, want DescribeTrails", got)
	}
	if err := w.Subscribe(w.Account, "", url+"x", true); code(err) != "ResourceNotFoundException" {
		t.Errorf("subscribing a queue that is not there: %v", err)
	}
}

func TestEventEnvelope(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.drain(w.QueueURL)
	must(0, w.SetSource(w.AccessKeys["alice"], sandbox.Source{IP: "198.51.100.7", UserAgent: "Mozilla/5.0 Firefox"}))(t)
	must(0, w.stop(w.as(w.AccessKeys["alice"], region)))(t)
	got := w.drain(w.QueueURL)
	if len(got) != 1 {
		t.Fatalf("got %d events", len(got))
	}
	type seen struct{ Source, DetailType, Account, Region, Time, IP, Agent, User string }
	e := got[0]
	want := seen{"aws.cloudtrail", "AWS API Call via CloudTrail", account, region, "2026-05-04T10:11:12Z", "198.51.100.7", "Mozilla/5.0 Firefox", "alice"}
	have := seen{e.Source, e.DetailType, e.Account, e.Region, e.Time.Format("2006-01-02T15:04:05Z"), e.Record.SourceIPAddress, e.Record.UserAgent, e.Record.UserIdentity.UserName}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("event (-want +got):\n%s", d)
	}
}
