// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	cloudtrailapi "github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/sandbox"
)

// TestLongPollIsWoken: a receiver gets what comes while it waits, at once.
func TestLongPollIsWoken(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.drain(w.QueueURL)
	queues := sqs.NewFromConfig(w.root(account, region))
	got := make(chan []types.Message)
	begin := time.Now()
	go func() {
		out, err := queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.QueueURL, WaitTimeSeconds: 20})
		if err != nil {
			t.Error(err)
			close(got)
			return
		}
		got <- out.Messages
	}()
	must(0, w.stop(w.root(account, region)))(t)
	if m := <-got; len(m) != 1 || time.Since(begin) > 10*time.Second {
		t.Errorf("%d messages after %s, want one at once", len(m), time.Since(begin))
	}
}

func TestLongPollEndsWithItsContext(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.drain(w.QueueURL)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := sqs.NewFromConfig(w.root(account, region)).ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: &w.QueueURL, WaitTimeSeconds: 20})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error is %v, want that the context was cancelled", err)
	}
}

// TestVisibilityGoesByTheClock: simulated time brings a message back, and Deliver wakes who waits for it.
func TestVisibilityGoesByTheClock(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.drain(w.QueueURL)
	queues := sqs.NewFromConfig(w.root(account, region))
	must(0, w.stop(w.root(account, region)))(t)
	receive := func(wait int32) int {
		return len(must(queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.QueueURL, VisibilityTimeout: 30, WaitTimeSeconds: wait}))(t).Messages)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {29 * time.Second, 0}, {time.Second, 1}, {0, 0}} {
		w.clock.Advance(step.after)
		if got := receive(0); got != step.want {
			t.Errorf("after %s more: %d messages, want %d", step.after, got, step.want)
		}
	}
	got := make(chan int)
	go func() { got <- receive(20) }()
	w.clock.Advance(30 * time.Second)
	w.Deliver()
	if n := <-got; n != 1 {
		t.Errorf("a waiting receiver gets %d messages, want the one that came back", n)
	}
}

// TestPoisonMessage: what is received and never deleted ends in the dead-letter queue.
func TestPoisonMessage(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	w.drain(w.QueueURL)
	queues := sqs.NewFromConfig(w.root(account, region))
	must(0, w.stop(w.root(account, region)))(t)
	for i := range 5 {
		if n := len(must(queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.QueueURL}))(t).Messages); n != 1 {
			t.Fatalf("receive %d: %d messages", i+1, n)
		}
		w.clock.Advance(time.Minute)
	}
	if n := len(must(queues.ReceiveMessage(t.Context(), &sqs.ReceiveMessageInput{QueueUrl: &w.QueueURL}))(t).Messages); n != 0 {
		t.Errorf("a sixth receive gets %d messages", n)
	}
	if got := names(w.drain(w.DeadLetterURL)); got != "StopLogging" {
		t.Errorf("the dead-letter queue has %q", got)
	}
}

// TestConcurrentCallers: many goroutines, one account; each change is counted once.
func TestConcurrentCallers(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	before := len(w.Mutations())
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			cfg := w.as(w.AccessKeys["alice"], region)
			buckets := s3.NewFromConfig(cfg)
			for j := range 20 {
				key := fmt.Sprintf("%d/%d", i, j)
				if _, err := buckets.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &w.Bucket, Key: &key}); err != nil {
					t.Error(err)
				}
				if _, err := cloudtrailapi.NewFromConfig(cfg).GetTrailStatus(t.Context(), &cloudtrailapi.GetTrailStatusInput{Name: &w.TrailARN}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	list := must(w.buckets().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: &w.Bucket}))(t)
	if got := len(w.Mutations()) - before; got != 160 || len(list.Contents) != 160 {
		t.Errorf("%d mutations and %d objects, want 160 each", got, len(list.Contents))
	}
}

// TestInputsAndOutputsAreNotShared: what a caller does with its values afterwards changes nothing here.
func TestInputsAndOutputsAreNotShared(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	url := must(sqs.NewFromConfig(w.root(account, region)).CreateQueue(t.Context(), &sqs.CreateQueueInput{QueueName: aws.String("q")}))(t).QueueUrl
	attributes := map[string]string{"VisibilityTimeout": "7"}
	in := &sqs.SetQueueAttributesInput{QueueUrl: url, Attributes: attributes}
	must(sqs.NewFromConfig(w.root(account, region)).SetQueueAttributes(t.Context(), in))(t)
	attributes["VisibilityTimeout"] = "8"
	get := func() map[string]string {
		return must(sqs.NewFromConfig(w.root(account, region)).GetQueueAttributes(t.Context(), &sqs.GetQueueAttributesInput{
			QueueUrl: url, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
		}))(t).Attributes
	}
	get()["VisibilityTimeout"] = "9"
	if got := get()["VisibilityTimeout"]; got != "7" {
		t.Errorf("visibility timeout is %s, want 7", got)
	}
}

// TestOddRequests: what the SDK would never send.
func TestOddRequests(t *testing.T) {
	w := newWorld(t, sandbox.Seed{})
	for name, r := range map[string]gate.Request{
		"unknown operation": {Service: "EC2", Operation: "RunInstances"},
		"our own settings":  {Service: "Sandbox", Operation: "AddAccount"},
	} {
		_, err := w.Do(t.Context(), r)
		if code(err) != "NotImplemented" {
			t.Errorf("%s: %v, want NotImplemented", name, err)
		}
	}
	for name, in := range map[string]any{"no input": nil, "nil input": (*cloudtrailapi.StopLoggingInput)(nil), "another's input": &sqs.ListQueuesInput{}} {
		if _, err := w.Do(t.Context(), gate.Request{Service: "CloudTrail", Operation: "StopLogging", Input: in}); err == nil || code(err) == "" {
			t.Errorf("%s: error is %v", name, err)
		}
	}
	if _, err := sandbox.New(sandbox.Options{DeliveryDelay: -1}); err == nil {
		t.Error("a negative delay is taken")
	}
}

// BenchmarkCalls is the rate of reads, and of writes that are recorded and sent to a queue.
func BenchmarkCalls(b *testing.B) {
	w := newWorld(b, sandbox.Seed{})
	trails := cloudtrailapi.NewFromConfig(w.root(account, region))
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			must(trails.GetTrailStatus(b.Context(), &cloudtrailapi.GetTrailStatusInput{Name: &w.TrailARN}))(b)
		}
	})
	b.Run("kept", func(b *testing.B) {
		s := must(sandbox.Open(sandbox.Options{StateFile: filepath.Join(b.TempDir(), "state.jsonl")}))(b)
		w := &world{Sandbox: s, Seeded: must(s.Seed(b.Context(), sandbox.Seed{Region: region}))(b), t: b}
		trails := w.trails()
		for b.Loop() {
			must(trails.StartLogging(b.Context(), &cloudtrailapi.StartLoggingInput{Name: &w.TrailARN}))(b)
		}
		must(0, s.Close())(b)
	})
	b.Run("write", func(b *testing.B) {
		for b.Loop() {
			must(trails.StartLogging(b.Context(), &cloudtrailapi.StartLoggingInput{Name: &w.TrailARN}))(b)
		}
	})
}
