// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package sourcetest is the world in which sources are tested: an account in the sandbox, in simulated time, or the same
// story on moto, in real time; with an inbox for what is delivered, and records of the calls, the log and the dead
// letters.
package sourcetest

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/gate/gatetest"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
)

// Where the stories happen.
const (
	Account = "111122223333"
	Region  = "eu-west-1"
	Bucket  = "logs-111122223333"
)

// World is an account with the bucket Bucket in it.
type World struct {
	*testing.T
	// Admin is an administrator of the account, past the gate.
	Admin aws.Config
	Gate  *gate.Gate
	Calls *Calls
	Log   *Log
	Dead  *Shelf
}

// InSandbox tells a story in the sandbox, in simulated time that begins on 1 January 2000 at midnight UTC.
func InSandbox(t *testing.T, story func(*World)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		box, err := sandbox.New(sandbox.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := box.Seed(t.Context(), sandbox.Seed{Account: Account, Region: Region}); err != nil {
			t.Fatal(err)
		}
		root, err := box.Root(Account)
		if err != nil {
			t.Fatal(err)
		}
		admin := gate.BackendConfig(box, Account, Region, root, "")
		story(newWorld(t, admin, gate.Options{Backend: box, Region: Region}))
	})
}

// OnMoto tells a story on moto, in real time. Without moto the test is skipped.
func OnMoto(t *testing.T, story func(*World)) {
	t.Helper()
	endpoint := gatetest.StartMoto(t)
	admin := gatetest.MotoConfig(t, Account, Region)
	own, err := admin.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	story(newWorld(t, admin, gate.Options{
		Endpoint: endpoint, Region: Region, Credentials: credentials.StaticCredentialsProvider{Value: own},
	}))
}

func newWorld(t *testing.T, admin aws.Config, o gate.Options) *World {
	t.Helper()
	w := &World{T: t, Admin: admin, Calls: &Calls{}, Log: &Log{lines: make(chan string, 100)}, Dead: &Shelf{}}
	o.Journal = w.Calls
	var err error
	if w.Gate, err = gate.Open(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	_, err = w.buckets().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String(Bucket), CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: Region},
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *World) buckets() *s3.Client {
	return s3.NewFromConfig(w.Admin, func(o *s3.Options) { o.UsePathStyle = true })
}

// PutObject puts an object into Bucket.
func (w *World) PutObject(key string, content []byte) {
	w.Helper()
	_, err := w.buckets().PutObject(w.Context(), &s3.PutObjectInput{Bucket: aws.String(Bucket), Key: &key, Body: bytes.NewReader(content)})
	if err != nil {
		w.Fatal(err)
	}
}

// Services are those of the world.
func (w *World) Services() source.Services {
	return source.Services{Gate: w.Gate, Dead: w.Dead, Clock: time.Now, Logger: slog.New(w.Log)}
}

// Start runs a source; stop ends it and waits.
func (w *World) Start(src source.Source, handle source.Handler) (stop func()) {
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan error, 1)
	go func() { ended <- src.Run(ctx, handle) }()
	return func() {
		w.Helper()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			w.Errorf("Run: %v", err)
		}
	}
}

// Await is the next value of a channel.
func Await[T any](w *World, what string, from <-chan T) T {
	w.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		w.Fatalf("%s did not happen", what)
		panic("unreachable")
	}
}

// Record is an event record with a name and little else: no userIdentity.
func Record(name string) string {
	return fmt.Sprintf(`{"eventVersion":"1.11","eventID":"id-%s","eventName":%q,"eventSource":"cloudtrail.amazonaws.com","eventTime":"2026-05-04T10:11:12Z"}`, name, name)
}

// LogFile is a log file with a Record for each name.
func LogFile(names ...string) string {
	var records []string
	for _, n := range names {
		records = append(records, Record(n))
	}
	return `{"Records":[` + strings.Join(records, ",") + "]}"
}

// Zip compresses a text.
func Zip(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
