// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
	"github.com/switchback-project/switchback/internal/source/sqs"
)

const (
	bucket  = sourcetest.Bucket
	logKey  = "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/111122223333_CloudTrail_eu-west-1_20260504T1015Z_Ab12Cd34Ef56Gh78.json.gz"
	logKey2 = "AWSLogs/o-abcdefghij/444455556666/CloudTrail/us-gov-west-1/2026/05/04/444455556666_CloudTrail_us-gov-west-1_20260504T1020Z_Zz12Cd34Ef56Gh78.json.gz"
	digest  = "AWSLogs/111122223333/CloudTrail-Digest/eu-west-1/2026/05/04/111122223333_CloudTrail-Digest_eu-west-1_main_eu-west-1_20260504T101112Z.json.gz"
	insight = "AWSLogs/111122223333/CloudTrail-Insight/eu-west-1/2026/05/04/111122223333_CloudTrail-Insight_eu-west-1_20260504T1015Z_Ab12Cd34Ef56Gh78.json.gz"
	marker  = "AWSLogs/111122223333/CloudTrail/"
)

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err) // cannot fail on strings
	}
	return string(b)
}

// sns wraps a body as a subscription without raw delivery does.
func sns(body string) string {
	return `{"Type":"Notification","MessageId":"m","TopicArn":"arn:aws:sns:eu-west-1:111122223333:ct","Message":` + quote(body) +
		`,"Timestamp":"2026-05-04T10:20:00.000Z","SignatureVersion":"1","Signature":"x"}`
}

func fromCloudTrail(keys ...string) string {
	b, err := json.Marshal(map[string]any{"s3Bucket": bucket, "s3ObjectKey": keys})
	if err != nil {
		panic(err) // cannot fail on strings
	}
	return string(b)
}

func fromS3(event, key string) string {
	return fmt.Sprintf(`{"eventVersion":"2.1","eventSource":"aws:s3","awsRegion":"eu-west-1","eventName":%q,"s3":{"s3SchemaVersion":"1.0","bucket":{"name":%q,"arn":"arn:aws:s3:::x"},"object":{"key":%s,"size":7,"eTag":"e","versionId":"v"}}}`,
		event, bucket, quote(key))
}

func s3Notification(records ...string) string {
	return `{"Records":[` + strings.Join(records, ",") + "]}"
}

func eventBridgeS3(source, detailType, key string) string {
	return fmt.Sprintf(`{"version":"0","id":"e","detail-type":%q,"source":%q,"account":"111122223333","time":"2026-05-04T10:11:12Z","region":"eu-west-1","resources":[],"detail":{"version":"0","bucket":{"name":%q},"object":{"key":%s,"size":7},"reason":"PutObject"}}`,
		detailType, source, bucket, quote(key))
}

const testEvent = `{"Service":"Amazon S3","Event":"s3:TestEvent","Time":"2026-05-04T10:11:12.000Z","Bucket":"logs-111122223333","RequestId":"r","HostId":"h"}`

func event(name string) string {
	return `{"version":"0","id":"e-` + name + `","detail-type":"AWS API Call via CloudTrail","source":"aws.cloudtrail","account":"111122223333","time":"2026-05-04T10:11:12Z","region":"eu-west-1","resources":[],"detail":` + sourcetest.Record(name) + `}`
}

// asEvents is the body itself, handed to the decoder.
func asEvents(body string) sqs.Content { return sqs.Content{Events: []byte(body)} }

func files(keys ...string) sqs.Content {
	var c sqs.Content
	for _, k := range keys {
		c.Objects = append(c.Objects, sqs.Object{Bucket: bucket, Key: k})
	}
	return c
}

func TestParseBody(t *testing.T) {
	prefixed := "my prefix/a+b/" + logKey
	cases := []struct {
		name, body string
		want       sqs.Content
	}{
		{"EventBridge event", event("StopLogging"), asEvents(event("StopLogging"))},
		{"EventBridge event through SNS", sns(event("StopLogging")), asEvents(event("StopLogging"))},
		{"event of another service", `{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{}}`, asEvents(`{"detail-type":"GuardDuty Finding","source":"aws.guardduty","detail":{}}`)},
		{"records", `{"Records":[` + sourcetest.Record("A") + `]}`, asEvents(`{"Records":[` + sourcetest.Record("A") + `]}`)},
		{"one record", sourcetest.Record("A"), asEvents(sourcetest.Record("A"))},
		{"list", "[" + sourcetest.Record("A") + "]", asEvents("[" + sourcetest.Record("A") + "]")},
		{"lines", sourcetest.Record("A") + "\n" + sourcetest.Record("B"), asEvents(sourcetest.Record("A") + "\n" + sourcetest.Record("B"))},

		{"CloudTrail raw", fromCloudTrail(logKey), files(logKey)},
		{"CloudTrail through SNS", sns(fromCloudTrail(logKey)), files(logKey)},
		{"CloudTrail with several", fromCloudTrail(logKey, digest, logKey2, insight, marker), files(logKey, logKey2)},
		{"CloudTrail with digests only", fromCloudTrail(digest), sqs.Content{}},
		{"CloudTrail keys are not escaped", fromCloudTrail(prefixed), files(prefixed)},

		{"S3", s3Notification(fromS3("ObjectCreated:Put", logKey)), files(logKey)},
		{"S3, completed upload", s3Notification(fromS3("ObjectCreated:CompleteMultipartUpload", logKey)), files(logKey)},
		{"S3 with the old prefix", s3Notification(fromS3("s3:ObjectCreated:Copy", logKey)), files(logKey)},
		{"S3 through SNS", sns(s3Notification(fromS3("ObjectCreated:Put", logKey))), files(logKey)},
		{"S3 doubly wrapped", sns(sns(s3Notification(fromS3("ObjectCreated:Put", logKey)))), files(logKey)},
		{"S3 keys are escaped", s3Notification(fromS3("ObjectCreated:Put", "my+prefix/a%2Bb/"+strings.ReplaceAll(logKey, "/", "%2F"))), files(prefixed)},
		{"S3 with several", s3Notification(fromS3("ObjectCreated:Put", logKey), fromS3("ObjectCreated:Put", digest), fromS3("ObjectCreated:Put", logKey2)), files(logKey, logKey2)},
		{"S3 removed it", s3Notification(fromS3("ObjectRemoved:Delete", logKey)), sqs.Content{}},
		{"S3 test", testEvent, sqs.Content{}},
		{"S3 test through SNS", sns(testEvent), sqs.Content{}},
		{"CloudTrail test", "CloudTrail validation message.", sqs.Content{}},
		{"CloudTrail test through SNS", sns("CloudTrail validation message."), sqs.Content{}},

		{"S3 through EventBridge", eventBridgeS3("aws.s3", "Object Created", logKey), files(logKey)},
		{"S3 through EventBridge, not escaped", eventBridgeS3("aws.s3", "Object Created", prefixed), files(prefixed)},
		{"S3 through EventBridge, digest", eventBridgeS3("aws.s3", "Object Created", digest), sqs.Content{}},
		{
			"S3 through EventBridge, no trail's object", eventBridgeS3("aws.s3", "Object Created", "photo.jpg"),
			asEvents(eventBridgeS3("aws.s3", "Object Created", "photo.jpg")),
		},
		{
			"S3 through EventBridge, deleted", eventBridgeS3("aws.s3", "Object Deleted", logKey),
			asEvents(eventBridgeS3("aws.s3", "Object Deleted", logKey)),
		},
		{
			"somebody's event that looks like S3's", eventBridgeS3("shop", "Object Created", logKey),
			asEvents(eventBridgeS3("shop", "Object Created", logKey)),
		},

		{"text", "hello", asEvents("hello")},
		{"cut short", event("A")[:50], asEvents(event("A")[:50])},
		{"null", "null", asEvents("null")},
		{"no records", `{"Records":[]}`, asEvents(`{"Records":[]}`)},
		{"records of no known kind", `{"Records":[{"s3":7}]}`, asEvents(`{"Records":[{"s3":7}]}`)},
		{"names in another case", `{"TYPE":"Notification","message":"x","S3Bucket":"y"}`, asEvents(`{"TYPE":"Notification","message":"x","S3Bucket":"y"}`)},
		{"blanks around it", " \n" + event("A") + "\n", asEvents(event("A"))},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := sqs.ParseBody([]byte(c.body))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseBodyRefuses(t *testing.T) {
	wrapped := event("A")
	for range 4 {
		wrapped = sns(wrapped)
	}
	confirmation := `{"Type":"SubscriptionConfirmation","TopicArn":"arn:aws:sns:eu-west-1:111122223333:ct","Token":"t","Message":"You have chosen to subscribe","SubscribeURL":"https://example.com/"}`
	cases := []struct{ name, body, says string }{
		{"empty", " \n", "it is empty"},
		{"wrapped too often", wrapped, "wrapped more than 3 times"},
		{"a subscription to be confirmed", confirmation, `topic "arn:aws:sns:eu-west-1:111122223333:ct" asks to confirm`},
		{"CloudTrail without keys", `{"s3Bucket":"logs"}`, "has no list s3ObjectKey"},
		{"CloudTrail with keys of another type", `{"s3Bucket":"logs","s3ObjectKey":7}`, "has no list s3ObjectKey"},
		{"CloudTrail without a bucket", `{"s3Bucket":"","s3ObjectKey":[` + quote(logKey) + `]}`, `"" is no name of a bucket`},
		{"an access point for a bucket", `{"s3Bucket":"arn:aws:s3:eu-west-1:444455556666:accesspoint/evil","s3ObjectKey":[` + quote(logKey) + `]}`, "is no name of a bucket"},
		{"a path for a bucket", `{"s3Bucket":"../evil","s3ObjectKey":[` + quote(logKey) + `]}`, "is no name of a bucket"},
		{"S3 with a key that is not escaped right", s3Notification(fromS3("ObjectCreated:Put", "%zz"+logKey)), "invalid URL escape"},
		{"S3 with a record of something else", s3Notification(fromS3("ObjectCreated:Put", logKey), sourcetest.Record("A")), "has no s3"},
		{"S3 through EventBridge with another detail", `{"source":"aws.s3","detail-type":"Object Created","detail":[]}`, "detail of S3's event"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, err := sqs.ParseBody([]byte(c.body))
			if !errors.Is(err, source.ErrPoison) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want one that says %q", err, c.says)
			}
			if got.Events != nil || got.Objects != nil {
				t.Errorf("content %+v beside the error", got)
			}
			if _, err := sqs.ParseBody([]byte(sns(c.body))); !errors.Is(err, source.ErrPoison) {
				t.Errorf("through SNS: %v", err)
			}
		})
	}
}

// FuzzParseBody: whatever the body, only log files are fetched, from what can be a bucket; errors are poison; and what
// comes through SNS is what comes without it.
func FuzzParseBody(f *testing.F) {
	for _, seed := range []string{
		event("A"), sns(event("A")), sourcetest.Record("A"), fromCloudTrail(logKey, digest), sns(fromCloudTrail(logKey)),
		s3Notification(fromS3("ObjectCreated:Put", logKey)), s3Notification(fromS3("ObjectRemoved:Delete", "%zz")), testEvent,
		"CloudTrail validation message.", eventBridgeS3("aws.s3", "Object Created", logKey), `{"Type":"SubscriptionConfirmation"}`,
		`{"s3Bucket":7,"s3ObjectKey":[null]}`, `{"Records":[{"s3":{}}]}`, `{"Records":null,"Records":[{}]}`, "\xff", "[", "nul",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := sqs.ParseBody(body)
		if err != nil && !errors.Is(err, source.ErrPoison) {
			t.Errorf("error %v is no poison", err)
		}
		for _, o := range got.Objects {
			if k, ok := cloudtrail.ParseObjectKey(o.Key); !ok || k.Kind != cloudtrail.KindLog || strings.ContainsAny(o.Bucket, "/:") || o.Bucket == "" {
				t.Errorf("fetches %q of %q", o.Key, o.Bucket)
			}
		}
		if got.Events != nil && got.Objects != nil {
			t.Error("both events and log files")
		}
		text := strings.ToValidUTF8(string(body), "?")
		plain, plainErr := sqs.ParseBody([]byte(text))
		wrapped, wrappedErr := sqs.ParseBody([]byte(sns(text)))
		if strings.Contains(text, `"Type"`) {
			return // wrapped already, perhaps as often as may be
		}
		if diff := cmp.Diff(plain, wrapped); diff != "" || (plainErr == nil) != (wrappedErr == nil) {
			t.Errorf("through SNS (-plain +wrapped):\n%s\nerrors %v, %v", diff, plainErr, wrappedErr)
		}
	})
}
