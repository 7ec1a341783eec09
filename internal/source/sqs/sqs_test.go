// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
	"github.com/switchback-project/switchback/internal/source/sqs"
)

// stories are told in the sandbox and, if they are not only for it, on moto.
var stories = []struct {
	name        string
	tell        func(*world)
	sandboxOnly string // why
}{
	{"acknowledged when durable", acknowledgedWhenDurable, ""},
	{"an error comes again", anErrorComesAgain, ""},
	{"poison is put aside", poisonIsPutAside, ""},
	{"nothing is lost when it cannot be put aside", notPutAside, ""},
	{"visibility is extended", visibilityIsExtended, ""},
	{"log files are fetched", logFilesAreFetched, ""},
	{"a broken log file keeps no other back", brokenLogFile, ""},
	{"a missing log file is given up after five times", missingLogFile, "five times its visibility is long"},
	{"another owner's bucket is not read", anotherOwner, "moto does not look at the expected owner"},
	{"an unreachable queue is tried again", unreachableQueue, ""},
	{"a long message keeps nobody waiting", longMessage, ""},
	{"the end gives messages back", theEndGivesBack, ""},
	{"the end acknowledges what is durable", theEndAcknowledges, ""},
}

func TestInSandbox(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) { sourcetest.InSandbox(t, with(s.tell)) })
	}
}

func TestOnMoto(t *testing.T) {
	if testing.Short() {
		t.Skip("moto takes real time")
	}
	for _, s := range stories {
		if s.sandboxOnly == "" {
			t.Run(s.name, func(t *testing.T) { sourcetest.OnMoto(t, with(s.tell)) })
		}
	}
}

func acknowledgedWhenDurable(w *world) {
	w.send(event("StopLogging"))
	in := sourcetest.NewInbox()
	in.Before = func(context.Context, string) error {
		w.expectQueued(0, 1)
		return nil
	}
	if n := w.poll(in.Handle); n != 1 {
		w.Errorf("received %d messages", n)
	}
	w.expectQueued(0, 0)
	d := in.Deliveries()[0]
	if d.Via != "sqs" || d.From != w.queueURL || d.DeliveredAt.IsZero() || time.Since(d.DeliveredAt) > time.Minute || d.Envelope.ID != "e-StopLogging" {
		w.Errorf("delivered %+v", d)
	}
	if n := w.poll(in.Handle); n != 0 {
		w.Errorf("%d messages come again", n)
	}
}

func anErrorComesAgain(w *world) {
	w.send(event("StopLogging"))
	tries := 0
	in := sourcetest.NewInbox()
	in.Before = func(context.Context, string) error {
		if tries++; tries == 1 {
			return errors.New("database is locked")
		}
		return nil
	}
	stop := w.start(in.Handle)
	sourcetest.Await(w.World, "the second try", in.Arrived)
	stop()
	w.expectQueued(0, 0)
	if line := sourcetest.Await(w.World, "a warning", w.Log.Lines()); tries != 2 || !strings.Contains(line, "message comes again") || !strings.Contains(line, "database is locked") {
		w.Errorf("%d tries, logged %q", tries, line)
	}
	if dead := w.Dead.Kept(); len(dead) > 0 {
		w.Errorf("put aside: %+v", dead)
	}
}

func poisonIsPutAside(w *world) {
	w.send("hello", event("A")[:100], event("Poison"), `{"Records":[7,`+sourcetest.Record("Fine")+"]}")
	in := sourcetest.NewInbox()
	in.Before = func(_ context.Context, name string) error {
		if name == "Poison" {
			return fmt.Errorf("too long: %w", source.ErrPoison)
		}
		return nil
	}
	w.pollAll(in.Handle)
	w.expectQueued(0, 0)
	if got := in.Take(); !slices.Equal(got, []string{"Fine"}) {
		w.Errorf("delivered %v", got)
	}
	got := map[string]string{}
	for _, d := range w.Dead.Kept() {
		got[string(d.Body)] = d.Reason
		if d.Via != "sqs" || d.From != w.queueURL || time.Since(d.At) > time.Minute {
			w.Errorf("put aside: %+v", d)
		}
	}
	for body, says := range map[string]string{
		"hello": "not a CloudTrail record", event("A")[:100]: "cut short", event("Poison"): "record 0: too long",
		`{"Records":[7,` + sourcetest.Record("Fine") + "]}": "record 0 at byte",
	} {
		if !strings.Contains(got[body], says) {
			w.Errorf("the reason for %.50q is %q, want one that says %q", body, got[body], says)
		}
	}
}

func notPutAside(w *world) {
	w.send("hello")
	w.Dead.Refuse(errors.New("disk full"))
	stop := w.start(sourcetest.NewInbox().Handle)
	if line := sourcetest.Await(w.World, "a warning", w.Log.Lines()); !strings.Contains(line, "disk full") || !strings.Contains(line, "not a CloudTrail record") {
		w.Errorf("logged %q", line)
	}
	w.Dead.Refuse(nil)
	for line := ""; !strings.HasPrefix(line, "put aside what cannot be processed"); {
		line = sourcetest.Await(w.World, "putting aside", w.Log.Lines())
	}
	stop()
	w.expectQueued(0, 0)
}

func visibilityIsExtended(w *world) {
	w.send(event("StopLogging"))
	extended := make(chan struct{}, 100)
	w.Calls.OnSent(func(name string) {
		if name == "SQS.ChangeMessageVisibility" {
			extended <- struct{}{}
		}
	})
	in := sourcetest.NewInbox()
	in.Before = func(context.Context, string) error {
		for range 4 { // at half time each: twice its visibility
			sourcetest.Await(w.World, "an extension", extended)
		}
		return nil
	}
	stop := w.start(in.Handle)
	sourcetest.Await(w.World, "the end of long work", in.Arrived)
	stop()
	w.expectQueued(0, 0)
	if got := in.Take(); len(got) != 1 {
		w.Errorf("it was delivered %d times", len(got))
	}
}

func logFilesAreFetched(w *world) {
	w.PutObject(logKey, sourcetest.Zip(w.T, `{"Records":[`+sourcetest.Record("A")+","+sourcetest.Record("B")+"]}"))
	w.PutObject(logKey2, sourcetest.Zip(w.T, `{"Records":[`+sourcetest.Record("C")+"]}"))
	w.send(sns(fromCloudTrail(logKey, digest)), s3Notification(fromS3("ObjectCreated:Put", logKey2)), testEvent)
	in := sourcetest.NewInbox()
	w.pollAll(in.Handle)
	w.expectQueued(0, 0)
	for _, d := range in.Deliveries() {
		if !strings.HasPrefix(d.From, "s3://"+bucket+"/AWSLogs/") {
			w.Errorf("delivered from %q", d.From)
		}
	}
	if diff := cmp.Diff([]string{"A", "B", "C"}, in.Take()); diff != "" {
		w.Errorf("delivered (-want +got):\n%s", diff)
	}
	fetched := w.Calls.Take("S3.GetObject")
	if len(fetched) != 2 {
		w.Errorf("%d objects were fetched", len(fetched))
	}
	for _, call := range fetched {
		var input struct{ ExpectedBucketOwner string }
		if err := json.Unmarshal(call.Input, &input); err != nil || input.ExpectedBucketOwner != sourcetest.Account {
			w.Errorf("the expected owner is %q, %v", input.ExpectedBucketOwner, err)
		}
	}
}

func brokenLogFile(w *world) {
	w.PutObject(logKey, []byte("hello"))
	w.PutObject(logKey2, sourcetest.Zip(w.T, `{"Records":[`+sourcetest.Record("C")+"]}"))
	w.send(fromCloudTrail(logKey, logKey2))
	in := sourcetest.NewInbox()
	w.poll(in.Handle)
	w.expectQueued(0, 0)
	dead := w.Dead.Kept()
	if got := in.Take(); !slices.Equal(got, []string{"C"}) || len(dead) != 1 || !strings.Contains(dead[0].Reason, "s3://"+bucket+"/"+logKey+": ") {
		w.Errorf("delivered %v, put aside %+v", got, dead)
	}
}

func missingLogFile(w *world) {
	whole := sourcetest.Zip(w.T, `{"Records":[`+sourcetest.Record("C")+"]}")
	w.PutObject(logKey2, whole[:len(whole)-9])
	w.send(fromCloudTrail(logKey), fromCloudTrail(logKey2))
	stop := w.start(sourcetest.NewInbox().Handle)
	again := 0
	for len(w.Dead.Kept()) < 2 {
		if strings.Contains(sourcetest.Await(w.World, "a line", w.Log.Lines()), "message comes again") {
			again++
		}
	}
	stop()
	w.expectQueued(0, 0)
	reasons := w.Dead.Kept()[0].Reason + w.Dead.Kept()[1].Reason
	if again != 8 || !strings.Contains(reasons, "not found") || !strings.Contains(reasons, "cut short") {
		w.Errorf("they came again %d times, reasons %q", again, reasons)
	}
}

func anotherOwner(w *world) {
	w.PutObject(logKey, sourcetest.Zip(w.T, `{"Records":[`+sourcetest.Record("A")+"]}"))
	w.send(fromCloudTrail(logKey))
	w.options.ExpectedBucketOwner = "444455556666"
	in := sourcetest.NewInbox()
	w.poll(in.Handle)
	line := sourcetest.Await(w.World, "a warning", w.Log.Lines())
	if got := in.Take(); len(got) > 0 || !strings.Contains(line, "must belong to account 444455556666") || !strings.Contains(line, "AccessDenied") {
		w.Errorf("delivered %v, logged %q", got, line)
	}
	w.expectQueued(0, 1)
}

func unreachableQueue(w *world) {
	w.options.QueueURL = strings.TrimSuffix(w.queueURL, "events") + "later"
	in := sourcetest.NewInbox()
	stop := w.start(in.Handle)
	if line := sourcetest.Await(w.World, "a warning", w.Log.Lines()); !strings.Contains(line, "poll queue") || !strings.Contains(line, "again_in=1s") {
		w.Errorf("logged %q", line)
	}
	w.queueURL = w.newQueue("later")
	w.send(event("StopLogging"))
	sourcetest.Await(w.World, "the delivery", in.Arrived)
	stop()
}

func longMessage(w *world) {
	w.options.Workers = 2
	w.send(event("Long"))
	begun, other := make(chan struct{}), make(chan struct{})
	in := sourcetest.NewInbox()
	in.Before = func(_ context.Context, name string) error {
		if name == "Long" {
			close(begun)
			sourcetest.Await(w.World, "the other message", other)
		} else if name == "Last" {
			close(other)
		}
		return nil
	}
	stop := w.start(in.Handle)
	sourcetest.Await(w.World, "the long message", begun)
	for i := range 5 {
		w.send(event(fmt.Sprint("Short", i)))
	}
	w.send(event("Last"))
	for range 7 {
		sourcetest.Await(w.World, "a delivery", in.Arrived)
	}
	stop()
	w.expectQueued(0, 0)
}

func theEndGivesBack(w *world) {
	w.options.Visibility = time.Hour
	w.options.Workers = 1 // moto answers a long poll whose caller has gone: no other may be open when the message is given back
	w.send(event("StopLogging"))
	begun := make(chan struct{})
	stop := w.start(func(ctx context.Context, _ source.Delivery) error {
		close(begun)
		<-ctx.Done()
		return ctx.Err()
	})
	sourcetest.Await(w.World, "the delivery", begun)
	stop()
	w.expectQueued(1, 0)
}

func theEndAcknowledges(w *world) {
	w.send(event("StopLogging"))
	begun := make(chan struct{})
	stop := w.start(func(ctx context.Context, _ source.Delivery) error {
		close(begun)
		<-ctx.Done()
		return nil // made durable all the same
	})
	sourcetest.Await(w.World, "the delivery", begun)
	stop()
	w.expectQueued(0, 0)
}

func TestOptions(t *testing.T) {
	const queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/events"
	cases := []struct {
		name string
		o    sqs.Options
		says string // "" is fine
	}{
		{"the queue is enough", sqs.Options{QueueURL: queue}, ""},
		{"no queue", sqs.Options{}, "source sqs: queue_url is missing"},
		{"visibility too short", sqs.Options{QueueURL: queue, Visibility: 500 * time.Millisecond}, "visibility: want whole seconds from 1s to 12h0m0s, not 500ms"},
		{"visibility too long", sqs.Options{QueueURL: queue, Visibility: 13 * time.Hour}, "visibility"},
		{"visibility below zero", sqs.Options{QueueURL: queue, Visibility: -time.Second}, "visibility"},
		{"wait too long", sqs.Options{QueueURL: queue, Wait: 21 * time.Second}, "wait: want whole seconds from 1s to 20s, not 21s"},
		{"wait too short", sqs.Options{QueueURL: queue, Wait: time.Millisecond}, "wait"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := source.New(source.Config{Type: "sqs", Decode: func(v any) error {
				*v.(*sqs.Options) = c.o
				return nil
			}}, source.Services{})
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("error %v, want %q", err, c.says)
			}
		})
	}
}

// TestBackoff: by default the second attempt comes well within the 30 s of the objective, and five of them last longer than
// a short outage.
func TestBackoff(t *testing.T) {
	src, err := source.New(source.Config{Type: "sqs", Decode: func(v any) error {
		v.(*sqs.Options).QueueURL = "https://sqs.eu-west-1.amazonaws.com/111122223333/events"
		return nil
	}}, source.Services{})
	if err != nil {
		t.Fatal(err)
	}
	var got []time.Duration
	for n := range 7 {
		got = append(got, sqs.Backoff(src.(*sqs.Source), n)/time.Second)
	}
	if diff := cmp.Diff([]time.Duration{2, 2, 8, 32, 128, 300, 300}, got); diff != "" {
		t.Errorf("seconds (-want +got):\n%s", diff)
	}
}

func TestRegionOfTheQueue(t *testing.T) {
	for url, want := range map[string]string{
		"https://sqs.eu-west-1.amazonaws.com/111122223333/events":     "eu-west-1",
		"https://sqs.cn-north-1.amazonaws.com.cn/111122223333/events": "cn-north-1",
		"https://sqs.us-gov-west-1.amazonaws.com/111122223333/events": "us-gov-west-1",
		"http://127.0.0.1:5000/111122223333/events":                   "",
		"https://sqs.eu-west-1.amazonaws.com.example.com/1/events":    "",
		"https://vpce-1.sqs.eu-west-1.vpce.amazonaws.com/1/events":    "",
		"https://queue.eu-west-1.example.com/111122223333/events":     "",
		"://": "",
		"":    "",
	} {
		if got := sqs.RegionOf(url); got != want {
			t.Errorf("region of %q is %q, want %q", url, got, want)
		}
	}
}
