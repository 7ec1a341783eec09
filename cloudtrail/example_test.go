// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"strings"

	"github.com/switchback-project/switchback/cloudtrail"
)

func ExampleDecoder() {
	file := strings.NewReader(`{"Records":[
		{"eventVersion":"1.11","eventTime":"2026-05-04T10:11:12Z","eventName":"StopLogging","awsRegion":"eu-west-1"},
		{"oops":true},
		{"eventVersion":"1.11","eventTime":"2026-05-04T10:11:20Z","eventName":"DeleteTrail","awsRegion":"eu-west-1","errorCode":"AccessDenied"}
	]}`)
	for d := cloudtrail.NewDecoder(file, cloudtrail.Limits{}); ; {
		item, err := d.Next()
		var bad *cloudtrail.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.As(err, &bad):
			fmt.Println("skipped record", bad.Index)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(item.Record.EventName, item.Record.EventTime, "failed:", item.Record.Failed())
		}
	}
	// Output:
	// StopLogging 2026-05-04 10:11:12 +0000 UTC failed: false
	// skipped record 1
	// DeleteTrail 2026-05-04 10:11:20 +0000 UTC failed: true
}

func ExampleRecord_RequestParameter() {
	r, err := cloudtrail.ParseRecord([]byte(`{"eventVersion":"1.05","eventName":"PutBucketAcl",
		"requestParameters":{"bucketName":"logs","x-amz-acl":["public-read"]}}`))
	if err != nil {
		log.Fatal(err)
	}
	bucket, _ := r.RequestParameter("bucketName")
	acl, _ := r.RequestParameter("x-amz-acl") // S3 writes an array of one here, other services a text
	fmt.Println(bucket, acl)
	// Output: logs public-read
}

func ExampleWrap() {
	r, err := cloudtrail.ParseRecord([]byte(`{"eventVersion":"1.11","eventID":"e1","eventType":"AwsApiCall","eventSource":"s3.amazonaws.com",
"eventName":"PutBucketPolicy","recipientAccountId":"111122223333"}`))
	if err != nil {
		log.Fatal(err)
	}
	e := cloudtrail.Wrap(r)
	fmt.Println(e.Source, "|", e.DetailType, "|", e.Account)
	// Output: aws.s3 | AWS API Call via CloudTrail | 111122223333
}

func ExampleParseObjectKey() {
	key, ok := cloudtrail.ParseObjectKey("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/05/04/" +
		"111122223333_CloudTrail_eu-west-1_20260504T1015Z_Ab12Cd34Ef56Gh78.json.gz")
	fmt.Println(ok, key.Kind, key.AccountID, key.Region, key.Time)
	// Output: true CloudTrail 111122223333 eu-west-1 2026-05-04 10:15:00 +0000 UTC
}

func ExampleRedacted() {
	fmt.Println(string(cloudtrail.Redacted([]byte(`{"credentials": {"accessKeyId": "ASIAIOSFODNN7EXAMPLE", "sessionToken": "FwoG…"}}`))))
	// Output: {"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE"}}
}
