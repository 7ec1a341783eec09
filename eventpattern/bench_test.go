// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package eventpattern_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/eventpattern"
)

// services and verbs give the events and patterns of the benchmarks the spread of a real account.
var (
	services = strings.Fields("cloudtrail s3 iam sts ec2 lambda kms rds dynamodb sns sqs ecs eks config guardduty securityhub " +
		"secretsmanager ssm route53 cloudfront organizations logs events states cloudformation")
	verbs   = strings.Fields("Create Delete Update Put Attach Detach Stop Start Modify Enable Disable Tag Associate Register Revoke")
	objects = strings.Fields("Trail Bucket Policy Role User Function Key Instance Table Topic Queue Cluster Rule Stack Secret Group")
)

// eventName gives each number a name of its own.
func eventName(i int) string {
	name := verbs[i%len(verbs)] + objects[i/len(verbs)%len(objects)]
	if version := i / (len(verbs) * len(objects)); version > 0 {
		name += fmt.Sprintf("20150331v%d", version)
	}
	return name
}

// benchPatterns makes n patterns in the shapes of the detection rules that people publish.
func benchPatterns(n int) []string {
	patterns := make([]string, n)
	for i := range patterns {
		service, name := services[i%len(services)], eventName(i)
		switch i % 10 {
		case 0, 1, 2:
			patterns[i] = fmt.Sprintf(`{"source":["aws.%s"],"detail-type":["AWS API Call via CloudTrail"],"detail":{"eventSource":["%s.amazonaws.com"],"eventName":["%s","%s"]}}`,
				service, service, name, eventName(i+7))
		case 3, 4:
			patterns[i] = fmt.Sprintf(`{"detail":{"eventSource":["%s.amazonaws.com"],"eventName":["%s"],"errorCode":[{"exists":false}]}}`, service, name)
		case 5:
			patterns[i] = fmt.Sprintf(`{"detail":{"eventName":[{"prefix":"%s"}],"userIdentity":{"type":["Root"]}}}`, name)
		case 6:
			patterns[i] = fmt.Sprintf(`{"detail":{"eventName":["%s"],"requestParameters":{"bucketName":[{"prefix":"logs-%d-"}]},"userIdentity":{"arn":[{"anything-but":{"wildcard":"*:assumed-role/Deploy*/*"}}]}}}`, name, i)
		case 7:
			patterns[i] = fmt.Sprintf(`{"source":["aws.%s"],"detail":{"$or":[{"eventName":["%s"],"errorCode":["AccessDenied","Client.UnauthorizedOperation"]},{"eventName":["%s"],"sourceIPAddress":[{"cidr":"203.0.%d.0/24"}]}]}}`,
				service, name, eventName(i+3), i%250)
		case 8:
			patterns[i] = fmt.Sprintf(`{"detail":{"eventSource":["%s.amazonaws.com"],"eventName":[{"wildcard":"%s*"}],"userIdentity":{"sessionContext":{"attributes":{"mfaAuthenticated":["false"]}}}}}`, service, name)
		case 9:
			patterns[i] = fmt.Sprintf(`{"account":["111122223333","444455556666"],"region":[{"anything-but":"eu-west-%d"}],"detail":{"eventName":["%s"],"resources":{"ARN":[{"suffix":"/trail-%d"}]}}}`, i%3, name, i)
		}
	}
	return patterns
}

// benchEvent is an EventBridge event of some 1.9 KB; about one in four matches a pattern, or several.
func benchEvent(i int) []byte {
	service := services[i%len(services)]
	name := eventName(i)
	if i%2 == 0 {
		name = "Describe" + name
	}
	return fmt.Appendf(nil, `{"version":"0","id":"36eb8523-97d0-4518-b33d-%012x","detail-type":"AWS API Call via CloudTrail","source":"aws.%s","account":"111122223333",`+
		`"time":"2026-05-04T10:11:12Z","region":"eu-west-1","resources":[],"detail":{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole",`+
		`"principalId":"AROAEXAMPLEADMIN00001:alice@example.com","arn":"arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com","accountId":"111122223333",`+
		`"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEADMIN00001",`+
		`"arn":"arn:aws:iam::111122223333:role/team/Admin","accountId":"111122223333","userName":"Admin"},"webIdFederationData":{},`+
		`"attributes":{"creationDate":"2026-05-04T09:00:00Z","mfaAuthenticated":"false"}}},"eventTime":"2026-05-04T10:11:12Z",`+
		`"eventSource":"%s.amazonaws.com","eventName":"%s","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.%d",`+
		`"userAgent":"aws-cli/2.17.60 md/awscrt#0.21.2 ua/2.0 os/linux#6.1 md/arch#x86_64 lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#standard md/command#%s.%s",`+
		`"requestParameters":{"name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main","bucketName":"logs-%d-x","tags":[{"key":"team","value":"a"},{"key":"stage","value":"prod"}],"force":true},`+
		`"responseElements":null,"requestID":"5d1c0e6a-0000-4000-8000-%012x","eventID":"0a6c6a43-0000-4000-8000-%012x","readOnly":false,`+
		`"resources":[{"ARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/trail-%d","accountId":"111122223333","type":"AWS::CloudTrail::Trail"}],`+
		`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","eventCategory":"Management",`+
		`"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"%s.eu-west-1.amazonaws.com"}}}`,
		i, service, service, name, i%250, service, name, i, i, i, i, service)
}

func benchSet(tb testing.TB, n int) *eventpattern.Set[int] {
	tb.Helper()
	var set eventpattern.Set[int]
	for i, text := range benchPatterns(n) {
		set.Add(i, compile(tb, text))
	}
	return &set
}

func benchEvents() [][]byte {
	events := make([][]byte, 500)
	for i := range events {
		events[i] = benchEvent(i)
	}
	return events
}

// TestBenchmarkCorpus keeps the benchmarks honest: the set gives what its patterns give one by one, and enough events
// match.
func TestBenchmarkCorpus(t *testing.T) {
	set := benchSet(t, 500)
	var patterns []*eventpattern.Pattern
	for _, text := range benchPatterns(500) {
		patterns = append(patterns, compile(t, text))
	}
	matching := 0
	for _, event := range benchEvents()[:50] {
		got, err := set.MatchJSON(event)
		if err != nil {
			t.Fatal(err)
		}
		var want []int
		for i, p := range patterns {
			if ok, err := p.Match(event); err != nil {
				t.Fatal(err)
			} else if ok {
				want = append(want, i)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("set gives %v, the patterns %v", got, want)
		}
		if len(want) > 0 {
			matching++
		}
	}
	if matching < 8 || matching > 30 {
		t.Errorf("%d of 50 events match a pattern, want a mixture", matching)
	}
}

// BenchmarkSetMatchJSON matches events from their text.
func BenchmarkSetMatchJSON(b *testing.B) {
	for _, n := range []int{1, 50, 500, 5000} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			set, events := benchSet(b, n), benchEvents()
			b.SetBytes(int64(len(events[0])))
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if _, err := set.MatchJSON(events[i%len(events)]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

// BenchmarkSetMatchJSONParallel does so on all processors.
func BenchmarkSetMatchJSONParallel(b *testing.B) {
	set, events := benchSet(b, 500), benchEvents()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			if _, err := set.MatchJSON(events[i%len(events)]); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkSetMatch matches events that were taken apart before.
func BenchmarkSetMatch(b *testing.B) {
	for _, n := range []int{1, 50, 500, 5000} {
		b.Run(fmt.Sprintf("patterns=%d", n), func(b *testing.B) {
			set := benchSet(b, n)
			var events []*eventpattern.Event
			for _, text := range benchEvents() {
				e, err := eventpattern.ParseEvent(text)
				if err != nil {
					b.Fatal(err)
				}
				events = append(events, e)
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				set.Match(events[i%len(events)])
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}

func BenchmarkParseEvent(b *testing.B) {
	event := benchEvent(1)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := eventpattern.ParseEvent(event); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPatternMatch(b *testing.B) {
	p := compile(b, benchPatterns(1)[0])
	event := benchEvent(1)
	b.SetBytes(int64(len(event)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Match(event); err != nil {
			b.Fatal(err)
		}
	}
}
