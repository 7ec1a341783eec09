// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs_test

import (
	"os"
	"strconv"
	"testing"
	"time"

	api "github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
	"github.com/switchback-project/switchback/internal/source/sqs"
)

func TestMain(m *testing.M) { os.Exit(gatetest.Main(m)) }

// world has a queue.
type world struct {
	*sourcetest.World
	queues   *api.Client // an administrator's
	queueURL string
	options  sqs.Options
}

// with gives the world of a story its queue.
func with(story func(*world)) func(*sourcetest.World) {
	return func(base *sourcetest.World) {
		w := &world{World: base, queues: api.NewFromConfig(base.Admin)}
		w.queueURL = w.newQueue("events")
		w.options = sqs.Options{QueueURL: w.queueURL, Region: sourcetest.Region, Visibility: time.Second, Wait: time.Second}
		story(w)
	}
}

func (w *world) newQueue(name string) string {
	w.Helper()
	out, err := w.queues.CreateQueue(w.Context(), &api.CreateQueueInput{QueueName: &name})
	if err != nil {
		w.Fatal(err)
	}
	return *out.QueueUrl
}

func (w *world) send(bodies ...string) {
	w.Helper()
	for _, body := range bodies {
		if _, err := w.queues.SendMessage(w.Context(), &api.SendMessageInput{QueueUrl: &w.queueURL, MessageBody: &body}); err != nil {
			w.Fatal(err)
		}
	}
}

// expectQueued compares how many messages are in the queue, visible and in flight.
func (w *world) expectQueued(visible, inFlight int) {
	w.Helper()
	out, err := w.queues.GetQueueAttributes(w.Context(), &api.GetQueueAttributesInput{
		QueueUrl: &w.queueURL, AttributeNames: []types.QueueAttributeName{types.QueueAttributeNameAll},
	})
	if err != nil {
		w.Fatal(err)
	}
	for name, want := range map[string]int{"ApproximateNumberOfMessages": visible, "ApproximateNumberOfMessagesNotVisible": inFlight} {
		if out.Attributes[name] != strconv.Itoa(want) {
			w.Errorf("%s of the queue is %s, want %d", name, out.Attributes[name], want)
		}
	}
}

func (w *world) source() *sqs.Source {
	w.Helper()
	src, err := source.New(source.Config{Type: "sqs", Decode: func(v any) error {
		*v.(*sqs.Options) = w.options
		return nil
	}}, w.Services())
	if err != nil {
		w.Fatal(err)
	}
	return src.(*sqs.Source)
}

func (w *world) poll(handle source.Handler) int {
	w.Helper()
	n, err := w.source().Poll(w.Context(), time.Second, handle)
	if err != nil {
		w.Fatal(err)
	}
	return n
}

// pollAll polls until the queue is empty.
func (w *world) pollAll(handle source.Handler) {
	w.Helper()
	for n := w.poll(handle); n > 0; n = w.poll(handle) {
		w.Logf("worked on %d messages", n)
	}
}

func (w *world) start(handle source.Handler) (stop func()) { return w.Start(w.source(), handle) }
