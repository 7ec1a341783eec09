// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/source"
)

// object is a log file that a message announces.
type object struct {
	Bucket, Key string
}

// content is what one message body holds: events themselves, or log files to fetch, or nothing (a test message).
type content struct {
	Events  []byte // for source.Decode, which says what is wrong with them
	Objects []object
}

// members are those of a JSON object, by their exact names.
type members map[string]json.RawMessage

// text is a member that is a string; "" for any other.
func (m members) text(name string) string {
	var s string
	if json.Unmarshal(m[name], &s) != nil {
		return ""
	}
	return s
}

// validationMessage is what CloudTrail posts to a topic when a trail is given one; it is no JSON.
const validationMessage = "CloudTrail validation message."

// maxWraps bounds messages inside messages: S3 to SNS to SQS is one, an SNS topic behind another service's two.
const maxWraps = 3

// parseBody reads the body of a message. Errors are source.ErrPoison: no retry makes it readable.
func parseBody(body []byte) (content, error) {
	for range maxWraps + 1 {
		switch body = bytes.TrimSpace(body); string(body) {
		case validationMessage:
			return content{}, nil
		case "":
			return content{}, poison("it is empty")
		}
		var m members
		if json.Unmarshal(body, &m) != nil {
			return content{Events: body}, nil // no single object: an array, lines, or nothing that can be read
		}
		switch m.text("Type") {
		case "Notification":
			// https://docs.aws.amazon.com/sns/latest/dg/sns-sqs-as-subscriber.html
			body = []byte(m.text("Message"))
			continue
		case "SubscriptionConfirmation", "UnsubscribeConfirmation":
			return content{}, poison("topic %.300q asks to confirm a subscription: a person must decide that", m.text("TopicArn"))
		}
		return m.content(body)
	}
	return content{}, poison("it is wrapped more than %d times", maxWraps)
}

func poison(format string, args ...any) error {
	return fmt.Errorf("read message: "+format+": %w", append(args, source.ErrPoison)...)
}

// content tells the shapes apart by the members that only they have.
func (m members) content(body []byte) (content, error) {
	switch {
	case m.text("Event") == "s3:TestEvent":
		return content{}, nil
	case m["s3Bucket"] != nil:
		return m.fromCloudTrail()
	case m.text("source") == "aws.s3" && m.text("detail-type") == "Object Created":
		return m.fromEventBridgeS3(body)
	}
	var records []s3Record
	if json.Unmarshal(m["Records"], &records) == nil && len(records) > 0 && records[0].S3 != nil {
		return fromS3(records)
	}
	return content{Events: body}, nil
}

// fromCloudTrail reads CloudTrail's own notification.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/configure-sns-notifications-for-cloudtrail.html
func (m members) fromCloudTrail() (content, error) {
	var keys []string
	if err := json.Unmarshal(m["s3ObjectKey"], &keys); err != nil {
		return content{}, poison("CloudTrail's notification has no list s3ObjectKey (%w)", err)
	}
	var c content
	for _, key := range keys {
		if err := c.add(m.text("s3Bucket"), key); err != nil {
			return content{}, err
		}
	}
	return c, nil
}

// s3Record is a record of an S3 event notification.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
type s3Record struct {
	EventName string    `json:"eventName"`
	S3        *s3Entity `json:"s3"`
}

type s3Entity struct {
	Bucket struct {
		Name string `json:"name"`
	} `json:"bucket"`
	Object struct {
		Key string `json:"key"`
	} `json:"object"`
}

// fromS3 decodes the keys: S3 escapes them as in a query, with + for a blank. Other events than new objects hold nothing
// to fetch.
func fromS3(records []s3Record) (content, error) {
	var c content
	for _, r := range records {
		if r.S3 == nil {
			return content{}, poison("a record of S3's notification has no s3")
		}
		if !strings.HasPrefix(strings.TrimPrefix(r.EventName, "s3:"), "ObjectCreated:") {
			continue
		}
		key, err := url.QueryUnescape(r.S3.Object.Key)
		if err != nil {
			return content{}, poison("key %.300q of S3's notification (%w)", r.S3.Object.Key, err)
		}
		if err := c.add(r.S3.Bucket.Name, key); err != nil {
			return content{}, err
		}
	}
	return c, nil
}

// fromEventBridgeS3 reads S3's EventBridge event of a new object, whose key is not escaped. When a trail did not deliver
// the object, it is an event like any other, for the patterns.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html
func (m members) fromEventBridgeS3(body []byte) (content, error) {
	var e s3Entity
	if err := json.Unmarshal(m["detail"], &e); err != nil {
		return content{}, poison("detail of S3's event (%w)", err)
	}
	if _, ok := cloudtrail.ParseObjectKey(e.Object.Key); !ok {
		return content{Events: body}, nil
	}
	var c content
	err := c.add(e.Bucket.Name, e.Object.Key)
	return c, err
}

// bucketForm is that of bucket names, the old ones too; no ARN, which would lead to an access point of anybody.
var bucketForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$`)

// add keeps log files only: the same bucket announces digests, Insights and markers.
func (c *content) add(bucket, key string) error {
	if k, ok := cloudtrail.ParseObjectKey(key); !ok || k.Kind != cloudtrail.KindLog {
		return nil
	}
	if !bucketForm.MatchString(bucket) {
		return poison("%.300q is no name of a bucket", bucket)
	}
	c.Objects = append(c.Objects, object{bucket, key})
	return nil
}
