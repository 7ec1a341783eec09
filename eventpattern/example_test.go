// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern_test

import (
	"fmt"
	"log"

	"github.com/switchback-project/switchback/eventpattern"
)

func ExampleCompile() {
	p, err := eventpattern.Compile([]byte(`{
		"source": ["aws.cloudtrail"],
		"detail": {"eventName": ["StopLogging", "DeleteTrail"], "errorCode": [{"exists": false}]}
	}`))
	if err != nil {
		log.Fatal(err)
	}
	for _, event := range []string{
		`{"source": "aws.cloudtrail", "detail": {"eventName": "StopLogging"}}`,
		`{"source": "aws.cloudtrail", "detail": {"eventName": "StopLogging", "errorCode": "AccessDenied"}}`,
	} {
		matched, err := p.Match([]byte(event))
		fmt.Println(matched, err)
	}
	// Output:
	// true <nil>
	// false <nil>
}

func ExampleInvalidError() {
	_, err := eventpattern.Compile([]byte(`{"detail": {"eventName": "StopLogging"}}`))
	fmt.Println(err)
	// Output: Event pattern is not valid. Reason: "eventName" must be an object or an array
}

func ExampleSet() {
	var triggers eventpattern.Set[string]
	for runbook, pattern := range map[string]string{
		"cloudtrail-off":   `{"detail": {"eventSource": ["cloudtrail.amazonaws.com"], "eventName": ["StopLogging", "DeleteTrail"]}}`,
		"s3-bucket-policy": `{"detail": {"eventSource": ["s3.amazonaws.com"], "eventName": [{"prefix": "PutBucket"}]}}`,
	} {
		p, err := eventpattern.Compile([]byte(pattern))
		if err != nil {
			log.Fatal(err)
		}
		triggers.Add(runbook, p)
	}
	matched, err := triggers.MatchJSON([]byte(`{"detail": {"eventSource": "s3.amazonaws.com", "eventName": "PutBucketPolicy"}}`))
	fmt.Println(matched, err)
	// Output: [s3-bucket-policy] <nil>
}
