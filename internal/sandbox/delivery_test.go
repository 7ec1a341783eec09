// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/sandbox"
)

const delay = 5 * time.Minute

func TestLogFiles(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.clock.Advance(delay) // what seeding left behind
	before := len(w.logFiles(w.Bucket))

	alice := w.as(w.AccessKeys["alice"], region)
	must(0, w.stop(alice))(t)
	w.clock.Advance(delay / 2)
	must(0, w.start(alice))(t)
	w.clock.Advance(delay/2 - time.Second)
	if got := len(w.logFiles(w.Bucket)); got != before {
		t.Fatalf("%d log files before the delay is over, want %d", got, before)
	}
	w.clock.Advance(time.Second)
	files := w.logFiles(w.Bucket)
	if len(files) != before+1 {
		t.Fatalf("%d log files after the delay, want %d", len(files), before+1)
	}
	last := files[len(files)-1]
	var got []string
	for _, r := range last.records {
		got = append(got, r.EventName+" of "+r.UserIdentity.UserName)
	}
	if want := "StopLogging of alice, StartLogging of alice"; strings.Join(got, ", ") != want {
		t.Errorf("records are %q, want %q", got, want)
	}
	key, ok := cloudtrail.ParseObjectKey(last.key)
	want := cloudtrail.ObjectKey{AccountID: account, Kind: cloudtrail.KindLog, Region: region, Time: time.Date(2026, 5, 4, 10, 15, 0, 0, time.UTC), Unique: key.Unique}
	if !ok || key != want {
		t.Errorf("key %s is %+v, want %+v", last.key, key, want)
	}
	if s := w.status(); !s.LatestDeliveryTime.Equal(start.Add(2*delay)) || s.LatestDeliveryError != nil {
		t.Errorf("delivered at %v with error %v, want at %v", s.LatestDeliveryTime, s.LatestDeliveryError, start.Add(2*delay))
	}
}

// TestDeliveryError breaks the way of the log files, sees the error in the status, mends it, and gets the file.
func TestDeliveryError(t *testing.T) {
	for _, c := range []struct {
		name, want  string
		brake, mend func(t *testing.T, w *world)
	}{
		{"policy gone", "AccessDenied", func(t *testing.T, w *world) {
			must(w.buckets().DeleteBucketPolicy(t.Context(), &s3.DeleteBucketPolicyInput{Bucket: &w.Bucket}))(t)
		}, func(t *testing.T, w *world) { w.putPolicy(t) }},
		{"policy denies", "AccessDenied", func(t *testing.T, w *world) {
			w.setPolicy(t, strings.Replace(w.policy, `"Statement":[`, `"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::`+w.Bucket+`/*"},`, 1))
		}, func(t *testing.T, w *world) { w.putPolicy(t) }},
		{"bucket gone", "NoSuchBucket", func(t *testing.T, w *world) {
			must(w.buckets().DeleteBucket(t.Context(), &s3.DeleteBucketInput{Bucket: &w.Bucket}))(t)
		}, func(t *testing.T, w *world) {
			must(w.buckets().CreateBucket(t.Context(), &s3.CreateBucketInput{
				Bucket: &w.Bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: region},
			}))(t)
			w.putPolicy(t)
		}},
		{"requester pays", "AccessDenied", func(t *testing.T, w *world) { w.pays(t, types.PayerRequester) }, func(t *testing.T, w *world) { w.pays(t, types.PayerBucketOwner) }},
		{"key disabled", "KMS.DisabledException", func(t *testing.T, w *world) {
			must(w.keys().DisableKey(t.Context(), &kms.DisableKeyInput{KeyId: &w.KeyARN}))(t)
		}, func(t *testing.T, w *world) {
			must(w.keys().EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &w.KeyARN}))(t)
		}},
		{"key to be deleted", "KMS.KMSInvalidStateException", func(t *testing.T, w *world) {
			must(w.keys().ScheduleKeyDeletion(t.Context(), &kms.ScheduleKeyDeletionInput{KeyId: &w.KeyARN}))(t)
		}, func(t *testing.T, w *world) {
			must(w.keys().CancelKeyDeletion(t.Context(), &kms.CancelKeyDeletionInput{KeyId: &w.KeyARN}))(t)
			must(w.keys().EnableKey(t.Context(), &kms.EnableKeyInput{KeyId: &w.KeyARN}))(t)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, sandbox.Seed{})
			w.readPolicy(t)
			c.brake(t, w)
			w.clock.Advance(delay)
			w.Deliver()
			if s := w.status(); aws.ToString(s.LatestDeliveryError) != c.want || !aws.ToBool(s.IsLogging) {
				t.Fatalf("delivery error is %q, logging %v, want %q and true", aws.ToString(s.LatestDeliveryError), *s.IsLogging, c.want)
			}
			c.mend(t, w)
			w.clock.Advance(2 * delay)
			if s := w.status(); s.LatestDeliveryError != nil || s.LatestDeliveryTime == nil {
				t.Fatalf("after mending: error %v, delivered at %v", aws.ToString(s.LatestDeliveryError), s.LatestDeliveryTime)
			}
			found := false
			for _, f := range w.logFiles(w.Bucket) {
				for _, r := range f.records {
					found = found || r.EventName == "CreateTrail" || r.EventName == "StartLogging"
				}
			}
			if !found {
				t.Error("the records of the broken time are in no log file")
			}
		})
	}
}

func (w *world) keys() *kms.Client { return kms.NewFromConfig(w.root(w.Account, w.Region)) }

func (w *world) readPolicy(t *testing.T) {
	t.Helper()
	w.policy = *must(w.buckets().GetBucketPolicy(t.Context(), &s3.GetBucketPolicyInput{Bucket: &w.Bucket}))(t).Policy
}

func (w *world) putPolicy(t *testing.T) { t.Helper(); w.setPolicy(t, w.policy) }

func (w *world) setPolicy(t *testing.T, document string) {
	t.Helper()
	must(w.buckets().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &w.Bucket, Policy: &document}))(t)
}

func (w *world) pays(t *testing.T, p types.Payer) {
	t.Helper()
	must(w.buckets().PutBucketRequestPayment(t.Context(), &s3.PutBucketRequestPaymentInput{
		Bucket: &w.Bucket, RequestPaymentConfiguration: &types.RequestPaymentConfiguration{Payer: p},
	}))(t)
}

// TestTrailThatDeliversElsewhere: the records from before a change of bucket go where the trail points when they are due.
func TestTrailThatDeliversElsewhere(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.readPolicy(t)
	other := "attacker-bucket"
	must(w.buckets().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &other, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: region},
	}))(t)
	policy := strings.ReplaceAll(strings.ReplaceAll(w.policy, w.Bucket, other), "/AWSLogs/", "/x/AWSLogs/")
	must(w.buckets().PutBucketPolicy(t.Context(), &s3.PutBucketPolicyInput{Bucket: &other, Policy: &policy}))(t)
	must(w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, S3BucketName: &other, S3KeyPrefix: aws.String("x")}))(t)
	w.clock.Advance(delay)
	if files := w.logFiles(w.Bucket); len(files) != 0 {
		t.Errorf("the old bucket has %s", files[0].key)
	}
	for _, f := range w.logFiles(other) {
		if !strings.HasPrefix(f.key, "x/AWSLogs/"+account+"/CloudTrail/") {
			t.Errorf("key is %s", f.key)
		}
	}
}

// TestNotifications: the trail's topic and the bucket tell a queue of each log file.
func TestNotifications(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	queues := sqs.NewFromConfig(w.root(account, region))
	topics := sns.NewFromConfig(w.root(account, region))
	for _, name := range []string{"of-topic", "of-bucket"} {
		must(queues.CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: &name}))(t)
	}
	topic := must(topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: aws.String("ct")}))(t).TopicArn
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"cloudtrail.amazonaws.com"},"Action":"SNS:Publish","Resource":"` + *topic + `"}]}`
	must(topics.SetTopicAttributes(t.Context(), &sns.SetTopicAttributesInput{TopicArn: topic, AttributeName: aws.String("Policy"), AttributeValue: &policy}))(t)
	must(topics.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: topic, Protocol: aws.String("sqs"), Endpoint: aws.String("arn:aws:sqs:eu-west-1:" + account + ":of-topic")}))(t)
	must(w.trails().UpdateTrail(t.Context(), &cloudtrailapi.UpdateTrailInput{Name: &w.TrailARN, SnsTopicName: topic}))(t)
	must(w.buckets().PutBucketNotificationConfiguration(t.Context(), &s3.PutBucketNotificationConfigurationInput{
		Bucket: &w.Bucket, NotificationConfiguration: &types.NotificationConfiguration{QueueConfigurations: []types.QueueConfiguration{{
			QueueArn: aws.String("arn:aws:sqs:eu-west-1:" + account + ":of-bucket"), Events: []types.Event{types.EventS3ObjectCreated},
		}}},
	}))(t)
	w.clock.Advance(delay)
	key := w.logFiles(w.Bucket)[0].key
	for _, name := range []string{"of-topic", "of-bucket"} {
		url := "https://sqs.eu-west-1.amazonaws.com/" + account + "/" + name
		got := must(queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url}))(t).Messages
		if len(got) != 1 || !strings.Contains(*got[0].Body, key[strings.LastIndexByte(key, '/')+1:]) {
			t.Errorf("queue %s has %d messages, want one that names %s", name, len(got), key)
		}
	}
	if s := w.status(); s.LatestNotificationTime == nil {
		t.Error("no notification time")
	}
	must(topics.DeleteTopic(t.Context(), &sns.DeleteTopicInput{TopicArn: topic}))(t)
	w.clock.Advance(delay)
	if s := w.status(); aws.ToString(s.LatestNotificationError) != "NotFound" {
		t.Errorf("notification error is %q, want NotFound", aws.ToString(s.LatestNotificationError))
	}
}
