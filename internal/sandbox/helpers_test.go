// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

const (
	account   = "111122223333"
	member    = "444455556666"
	region    = "eu-west-1"
	elsewhere = "ap-southeast-2"
)

var start = time.Date(2026, 5, 4, 10, 11, 12, 345, time.UTC)

// clock is simulated time.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// world is a seeded sandbox with its clock.
type world struct {
	*sandbox.Sandbox
	sandbox.Seeded
	t      testing.TB
	clock  *clock
	policy string // of the bucket, see readPolicy
}

func newWorld(t testing.TB, seed sandbox.Seed) *world {
	t.Helper()
	c := &clock{now: start}
	s, err := sandbox.New(sandbox.Options{Clock: c.Now})
	if err != nil {
		t.Fatal(err)
	}
	if seed.Region == "" {
		seed.Region = region
	}
	return &world{Sandbox: s, Seeded: must(s.Seed(t.Context(), seed))(t), t: t, clock: c}
}

// must is the value of a call that may not fail.
func must[T any](v T, err error) func(testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// as is a configuration for a key in a region.
func (w *world) as(key, region string) aws.Config {
	w.t.Helper()
	creds := must(w.Credentials(key))(w.t)
	return gate.BackendConfig(w.Sandbox, creds.AccountID, region, creds, "")
}

// root is a configuration for the account's root.
func (w *world) root(account, region string) aws.Config {
	w.t.Helper()
	return gate.BackendConfig(w.Sandbox, account, region, must(w.Root(account))(w.t), "")
}

// trails is CloudTrail as the account's root in its home region.
func (w *world) trails() *cloudtrailapi.Client {
	return cloudtrailapi.NewFromConfig(w.root(w.Account, w.Region))
}

func (w *world) buckets() *s3.Client { return s3.NewFromConfig(w.root(w.Account, w.Region)) }

func (w *world) status() *cloudtrailapi.GetTrailStatusOutput {
	w.t.Helper()
	return must(w.trails().GetTrailStatus(w.t.Context(), &cloudtrailapi.GetTrailStatusInput{Name: &w.TrailARN}))(w.t)
}

func (w *world) stop(cfg aws.Config) error {
	_, err := cloudtrailapi.NewFromConfig(cfg).StopLogging(w.t.Context(), &cloudtrailapi.StopLoggingInput{Name: &w.TrailARN})
	return err
}

func (w *world) start(cfg aws.Config) error {
	_, err := cloudtrailapi.NewFromConfig(cfg).StartLogging(w.t.Context(), &cloudtrailapi.StartLoggingInput{Name: &w.TrailARN})
	return err
}

// drain receives and deletes all messages of a queue and parses the events in them.
func (w *world) drain(url string) []cloudtrail.Envelope {
	w.t.Helper()
	client := sqs.NewFromConfig(w.root(w.Account, w.Region))
	var out []cloudtrail.Envelope
	for {
		got := must(client.ReceiveMessage(w.t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &url, MaxNumberOfMessages: 10}))(w.t)
		if len(got.Messages) == 0 {
			return out
		}
		for _, m := range got.Messages {
			out = append(out, must(cloudtrail.ParseEnvelope([]byte(*m.Body)))(w.t))
			must(client.DeleteMessage(w.t.Context(), &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}))(w.t)
		}
	}
}

func names(events []cloudtrail.Envelope) string {
	var out []string
	for _, e := range events {
		out = append(out, e.Record.EventName)
	}
	return strings.Join(out, " ")
}

// logFile is a delivered object.
type logFile struct {
	key     string
	records []cloudtrail.Record
}

// logFiles decodes every log file in a bucket.
func (w *world) logFiles(bucket string) []logFile {
	w.t.Helper()
	client := w.buckets()
	list := must(client.ListObjectsV2(w.t.Context(), &s3.ListObjectsV2Input{Bucket: &bucket}))(w.t)
	var out []logFile
	for _, o := range list.Contents {
		if !strings.Contains(*o.Key, "AWSLogs/") {
			continue
		}
		got := must(client.GetObject(w.t.Context(), &s3.GetObjectInput{Bucket: &bucket, Key: o.Key}))(w.t)
		out = append(out, logFile{*o.Key, decode(w.t, must(io.ReadAll(got.Body))(w.t))})
	}
	return out
}

func decode(t testing.TB, body []byte) []cloudtrail.Record {
	t.Helper()
	d := cloudtrail.NewDecoder(bytes.NewReader(body), cloudtrail.Limits{})
	var out []cloudtrail.Record
	for {
		item, err := d.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, item.Record)
	}
}

// history is Event history of an account and region by event name, newest first.
func (w *world) history(cfg aws.Config, name string) []cloudtrail.Record {
	w.t.Helper()
	in := &cloudtrailapi.LookupEventsInput{}
	if name != "" {
		in.LookupAttributes = []types.LookupAttribute{{AttributeKey: types.LookupAttributeKeyEventName, AttributeValue: &name}}
	}
	var out []cloudtrail.Record
	for p := cloudtrailapi.NewLookupEventsPaginator(cloudtrailapi.NewFromConfig(cfg), in); p.HasMorePages(); {
		for _, e := range must(p.NextPage(w.t.Context()))(w.t).Events {
			out = append(out, must(cloudtrail.ParseRecord([]byte(*e.CloudTrailEvent)))(w.t))
		}
	}
	return out
}

// code is the API error code of err, "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	var api smithy.APIError
	if !errors.As(err, &api) {
		return "not an API error: " + err.Error()
	}
	return api.ErrorCode()
}
