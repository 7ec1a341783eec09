// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"

	"github.com/switchback-project/switchback/eventpattern"
)

// manyPatterns is how many patterns ours matches each event with; jq has one.
const manyPatterns = 500

// corpusEvents is how many events a round takes.
const corpusEvents = 100_000

// jqFilter says what the first of the patterns says.
const jqFilter = `select(.source == "aws.cloudtrail" and (.detail.eventName | IN("StopTrail", "DeleteTrail")) and (.detail | has("errorCode") | not)) | 1`

func patterns() []comparison {
	const what, unit = "events against 500 patterns, raw", "/s"
	const parsed = "events against 500 patterns, parsed"
	const notObtainable = "not obtainable from the module proxy"
	_, err := exec.LookPath("jq")
	jqAbsent := ""
	if err != nil {
		jqAbsent = err.Error()
	}
	return []comparison{
		{what, "quamina", unit, 2.5, notObtainable, rawAlone},
		{parsed, "quamina", unit, 6, notObtainable, parsedAlone},
		{parsed, "sigmalite", unit, 50, notObtainable, parsedAlone},
		{what, "encoding/json, which only decodes", unit, 0, "", besideDecoding},
		{what, "jq, with one of them", unit, 0, jqAbsent, besideJQ},
	}
}

// pattern is the i-th of the patterns, in the shape of the detection rules that people publish.
func pattern(i int) string {
	service, noun := serviceOf(i)
	return fmt.Sprintf(`{"source":["aws.%s"],"detail":{"eventName":["Stop%s","Delete%s"],"errorCode":[{"exists":false}]}}`, service, noun, noun)
}

// serviceOf gives each i a service and a kind of thing; the first is CloudTrail and its trails.
func serviceOf(i int) (service, noun string) {
	services := strings.Fields("cloudtrail s3 iam sts ec2 lambda kms rds dynamodb sns sqs ecs eks config guardduty logs events states ssm route53")
	nouns := strings.Fields("Trail Bucket Policy Role User Function Key Instance Table Topic Queue Cluster Rule Stack Secret Group Alias Grant Stream Zone Vault Domain Fleet Image Volume")
	return services[i%len(services)], nouns[i/len(services)%len(nouns)]
}

// event is the i-th event of some 1.3 KB; one in seven is what some pattern looks for.
func event(i int) []byte {
	service, noun := serviceOf(i)
	verb := []string{"Describe", "List", "Stop", "Get", "Put"}[i%7%5]
	return fmt.Appendf(nil, `{"version":"0","id":"%012x","detail-type":"AWS API Call via CloudTrail","source":"aws.%s","account":"111122223333",`+
		`"time":"2026-05-04T10:11:12Z","region":"eu-west-1","resources":[],"detail":{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole",`+
		`"principalId":"AROAEXAMPLEADMIN00001:alice@example.com","arn":"arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com",`+
		`"accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role",`+
		`"principalId":"AROAEXAMPLEADMIN00001","arn":"arn:aws:iam::111122223333:role/Admin","accountId":"111122223333","userName":"Admin"},`+
		`"attributes":{"creationDate":"2026-05-04T09:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-05-04T10:11:12Z",`+
		`"eventSource":"%s.amazonaws.com","eventName":"%s%s","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.%d",`+
		`"userAgent":"aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.9",`+
		`"requestParameters":{"name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main","tags":[{"key":"team","value":"a"}],"force":true},`+
		`"responseElements":null,"requestID":"%032x","eventID":"%032x","readOnly":false,"eventType":"AwsApiCall","managementEvent":true,`+
		`"recipientAccountId":"111122223333","eventCategory":"Management"}}`, i, service, service, verb, noun, i%250, i, i)
}

func corpus() [][]byte {
	events := make([][]byte, corpusEvents)
	for i := range events {
		events[i] = event(i)
	}
	return events
}

func patternSet() (*eventpattern.Set[int], error) {
	var set eventpattern.Set[int]
	for i := range manyPatterns {
		p, err := eventpattern.Compile([]byte(pattern(i)))
		if err != nil {
			return nil, err
		}
		set.Add(i, p)
	}
	return &set, nil
}

// matchAll returns how many events the first pattern matches.
func matchAll(set *eventpattern.Set[int], events [][]byte) (first int, err error) {
	for _, e := range events {
		matching, err := set.MatchJSON(e)
		if err != nil {
			return 0, err
		}
		for _, i := range matching {
			if i == 0 {
				first++
			}
		}
	}
	if first == 0 {
		return 0, errors.New("nothing matched")
	}
	return first, nil
}

// matching measures work on the whole corpus.
func matching(work func() error) measure {
	return func() (float64, error) { return timed(corpusEvents, work) }
}

func rawAlone(_ context.Context, rounds int, round func(ours, theirs float64)) error {
	events := corpus()
	set, err := patternSet()
	if err != nil {
		return err
	}
	return alone(rounds, matching(func() error {
		_, err := matchAll(set, events)
		return err
	}), round)
}

// parsedAlone matches events that were taken apart before.
func parsedAlone(_ context.Context, rounds int, round func(ours, theirs float64)) error {
	set, err := patternSet()
	if err != nil {
		return err
	}
	events := make([]*eventpattern.Event, corpusEvents)
	for i, text := range corpus() {
		if events[i], err = eventpattern.ParseEvent(text); err != nil {
			return err
		}
	}
	match := func() error {
		for _, e := range events {
			set.Match(e)
		}
		return nil
	}
	return alone(rounds, matching(match), round)
}

func besideDecoding(_ context.Context, rounds int, round func(ours, theirs float64)) error {
	events := corpus()
	set, err := patternSet()
	if err != nil {
		return err
	}
	ours := func() error {
		_, err := matchAll(set, events)
		return err
	}
	theirs := func() error {
		for _, e := range events {
			var v map[string]any
			if err := json.Unmarshal(e, &v); err != nil {
				return err
			}
		}
		return nil
	}
	return inTurns(rounds, matching(ours), matching(theirs), round)
}

// besideJQ has both find the same events.
func besideJQ(ctx context.Context, rounds int, round func(ours, theirs float64)) error {
	events := corpus()
	set, err := patternSet()
	if err != nil {
		return err
	}
	text := bytes.Join(events, []byte("\n"))
	want := 0
	ours := func() (err error) {
		want, err = matchAll(set, events)
		return err
	}
	theirs := func() error {
		found, err := jq(ctx, bytes.NewReader(text))
		if err == nil && found != want {
			err = fmt.Errorf("jq finds %d events, ours finds %d", found, want)
		}
		return err
	}
	return inTurns(rounds, matching(ours), matching(theirs), round)
}

func jq(ctx context.Context, in io.Reader) (found int, err error) {
	cmd := exec.CommandContext(ctx, "jq", jqFilter)
	cmd.Stdin = in
	out, err := cmd.Output()
	return bytes.Count(out, []byte("\n")), err
}
