// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sqs brings in events from an SQS queue: EventBridge events, notifications of new log files by S3 or by
// CloudTrail's SNS topic, wrapped or raw. A message is deleted only once everything in it is durable; while that takes
// long its visibility is extended; a message that can never be read is put aside with the reason.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html
package sqs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/source"
)

// via is the type of this source.
const via = "sqs"

func init() {
	source.Register(source.Kind{
		Type: via, Gives: []string{"eventbridge", "cloudtrail event", "s3 log files"}, SilentAfter: silentAfter, New: New,
	})
}

// silentAfter: EventBridge hands events over within seconds, but what a queue announces may be log files, which come about
// every five minutes and within fifteen.
const silentAfter = 15 * time.Minute

// Options are the source's entry in the configuration.
type Options struct {
	QueueURL string `yaml:"queue_url"`
	// Account is the one to act in, the queue's; empty: that of the credentials.
	Account string `yaml:"account"`
	// Region is the queue's; empty: the one in QueueURL, else that of the credentials.
	Region string `yaml:"region"`
	// Workers is how many messages are worked on at once; zero is 8.
	Workers int `yaml:"workers"`
	// Visibility is how long a message stays ours before it must be extended, in whole seconds; zero is 20 s: what a
	// process was killed with comes again within the 30 s that a trail may be off.
	Visibility time.Duration `yaml:"visibility"`
	// Wait is the long poll, in whole seconds; zero is SQS's longest, 20 s.
	Wait time.Duration `yaml:"wait"`
	// BucketRegion is that of the buckets of announced log files; empty: the queue's.
	BucketRegion string `yaml:"bucket_region"`
	// ExpectedBucketOwner is the account that owns these buckets; empty: Account, else that of the credentials.
	ExpectedBucketOwner string `yaml:"expected_bucket_owner"`
}

// Limits of ReceiveMessage.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
const (
	maxBatch      = 10
	maxWait       = 20 * time.Second
	maxVisibility = 12 * time.Hour
)

const defaultVisibility = 20 * time.Second

// Source polls one queue.
type Source struct {
	o        Options
	services source.Services
}

var _ source.Source = (*Source)(nil)

// New reads the configuration.
func New(c source.Config, s source.Services) (source.Source, error) {
	q := &Source{services: s}
	if err := c.Decode(&q.o); err != nil {
		return nil, err
	}
	if q.o.Workers <= 0 {
		q.o.Workers = 8
	}
	q.o.Visibility = cmp.Or(q.o.Visibility, defaultVisibility)
	q.o.Wait = cmp.Or(q.o.Wait, maxWait)
	q.o.Region = cmp.Or(q.o.Region, regionOf(q.o.QueueURL))
	return q, q.o.check()
}

func (o Options) check() error {
	switch {
	case o.QueueURL == "":
		return errors.New("queue_url is missing")
	case o.Visibility < time.Second || o.Visibility > maxVisibility || o.Visibility%time.Second != 0:
		return fmt.Errorf("visibility: want whole seconds from 1s to %s, not %s", maxVisibility, o.Visibility)
	case o.Wait < time.Second || o.Wait > maxWait || o.Wait%time.Second != 0:
		return fmt.Errorf("wait: want whole seconds from 1s to %s, not %s", maxWait, o.Wait)
	}
	return nil
}

// regionOf is the region in the URL of a queue on AWS, "" for any other.
func regionOf(queueURL string) string {
	u, err := url.Parse(queueURL)
	if err != nil {
		return ""
	}
	isAWS := slices.ContainsFunc(arn.Partitions(), func(p arn.Partition) bool { return strings.HasSuffix(u.Hostname(), "."+p.DNSSuffix) })
	service, rest, _ := strings.Cut(u.Hostname(), ".")
	region, _, _ := strings.Cut(rest, ".")
	if !isAWS || service != "sqs" {
		return ""
	}
	return region
}

// Run polls until ctx is done, and waits for the messages in work. A queue that cannot be reached is tried again, ever
// slower up to a minute. It asks for as many messages as can be worked on at once, so that one long log file keeps nobody
// waiting and no message lies here while its visibility runs out.
func (q *Source) Run(ctx context.Context, handle source.Handler) error {
	var working sync.WaitGroup
	busy := make(desks, q.o.Workers)
	pause := firstPause
	for {
		n := busy.take(ctx, maxBatch)
		if n == 0 {
			break
		}
		client, messages, err := q.receive(ctx, q.o.Wait, n)
		busy.free(n - len(messages))
		for _, m := range messages {
			working.Go(func() {
				defer busy.free(1)
				q.work(ctx, client, m, handle)
			})
		}
		pause = q.rest(ctx, pause, err)
	}
	working.Wait()
	return ctx.Err()
}

// desks are the places where messages are worked on, one entry for each that is taken.
type desks chan struct{}

// take waits for a free desk and takes what is free, up to most; 0 when ctx is done.
func (d desks) take(ctx context.Context, most int) int {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case d <- struct{}{}:
	}
	for n := 1; n < most; n++ {
		select {
		case d <- struct{}{}:
		default:
			return n
		}
	}
	return most
}

func (d desks) free(n int) {
	for range n {
		<-d
	}
}

const (
	firstPause = time.Second
	maxPause   = time.Minute
)

// rest waits after a poll that failed, and returns the pause after the next one that fails.
func (q *Source) rest(ctx context.Context, pause time.Duration, err error) time.Duration {
	if err == nil || ctx.Err() != nil {
		return firstPause
	}
	q.services.Logger.WarnContext(ctx, "poll queue", slog.String("queue_url", q.o.QueueURL), slog.Duration("again_in", pause), slog.Any("error", err))
	select {
	case <-ctx.Done():
	case <-time.After(pause):
	}
	return min(2*pause, maxPause)
}

// Poll receives up to ten messages, waiting for the first at most wait, and works them off. It returns how many there
// were. An error means that the queue could not be read; a message that could not be handled comes again by itself.
func (q *Source) Poll(ctx context.Context, wait time.Duration, handle source.Handler) (int, error) {
	client, messages, err := q.receive(ctx, wait, min(maxBatch, q.o.Workers))
	if err != nil {
		return 0, err
	}
	var working sync.WaitGroup
	for _, m := range messages {
		working.Go(func() { q.work(ctx, client, m, handle) })
	}
	working.Wait()
	return len(messages), nil
}

func (q *Source) receive(ctx context.Context, wait time.Duration, most int) (*sqs.Client, []types.Message, error) {
	cfg, err := q.door().Config(ctx, q.o.Account, q.o.Region)
	if err != nil {
		return nil, nil, fmt.Errorf("open queue: %w", err)
	}
	client := sqs.NewFromConfig(cfg)
	out, err := client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &q.o.QueueURL, MaxNumberOfMessages: int32(most),
		WaitTimeSeconds: int32(wait / time.Second), VisibilityTimeout: int32(q.o.Visibility / time.Second),
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{
			types.MessageSystemAttributeNameSentTimestamp, types.MessageSystemAttributeNameApproximateReceiveCount,
		},
	})
	if err != nil {
		return nil, nil, fmt.Errorf("receive messages: %w", err)
	}
	return client, out.Messages, nil
}

// door may receive and delete on our own queue in every mode.
func (q *Source) door() *gate.Door {
	return q.services.Gate.Door(gate.Scope{Action: source.ActionPrefix + via, Own: []string{q.o.QueueURL}})
}

// work handles one message and acknowledges it, by itself or as a dead letter. After any other error it stays in the
// queue.
func (q *Source) work(ctx context.Context, client *sqs.Client, m types.Message, handle source.Handler) {
	stop := q.keepVisible(ctx, client, m)
	faults, err := q.deliver(ctx, m, handle)
	stop()
	// What is durable is acknowledged also when the process is about to end.
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), ackTimeout)
	defer cancel()
	if err == nil && len(faults) > 0 {
		err = q.services.PutAside(last, via, q.o.QueueURL, []byte(aws.ToString(m.Body)), errors.Join(faults...))
	}
	switch {
	case err == nil:
		_, err = client.DeleteMessage(last, &sqs.DeleteMessageInput{QueueUrl: &q.o.QueueURL, ReceiptHandle: m.ReceiptHandle})
	case ctx.Err() != nil:
		err = q.setVisibility(last, client, m, 0) // the next process need not wait
	default:
		err = errors.Join(err, q.setVisibility(last, client, m, q.backoff(received(m))))
	}
	if err != nil {
		q.warn(last, "message comes again", m, err)
	}
}

// backoff is when a message comes again whose attempt failed: soon at first, for a database that was locked must not make
// a stopped trail wait, then ever later, so that a queue's own limit of receives is not used up by a short outage.
func (q *Source) backoff(attempt int) time.Duration {
	d := q.o.Visibility / 10
	for ; attempt > 1 && d < 15*q.o.Visibility; attempt-- {
		d *= 4
	}
	return min(max(d.Truncate(time.Second), time.Second), 15*q.o.Visibility, maxVisibility)
}

// ackTimeout bounds the last calls about a message after ctx is done.
const ackTimeout = 10 * time.Second

// keepVisible extends the message's visibility at half time until stopped.
func (q *Source) keepVisible(ctx context.Context, client *sqs.Client, m types.Message) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(q.o.Visibility / 2)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if err := q.setVisibility(ctx, client, m, q.o.Visibility); err != nil && ctx.Err() == nil {
					q.warn(ctx, "extend visibility", m, err)
				}
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (q *Source) setVisibility(ctx context.Context, client *sqs.Client, m types.Message, d time.Duration) error {
	_, err := client.ChangeMessageVisibility(ctx, &sqs.ChangeMessageVisibilityInput{
		QueueUrl: &q.o.QueueURL, ReceiptHandle: m.ReceiptHandle, VisibilityTimeout: int32(d / time.Second),
	})
	return err
}

func (q *Source) warn(ctx context.Context, what string, m types.Message, err error) {
	q.services.Logger.WarnContext(ctx, what, slog.String("message_id", aws.ToString(m.MessageId)), slog.Any("error", err))
}
