// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package integrity makes events of what continuous log file integrity validation finds. It validates the digest chains
// of a bucket again and again, goes on from what was proven, and delivers an event for everything that is changed, gone
// or slipped in: an EventBridge event with the source "switchback" and the detail type "Log File Integrity", which the
// runbook log-integrity responds to.
//
// A finding has one id for ever, so that it is one event however often it is found. What could not be read is logged and
// looked at again; it is neither proven nor an event. What was proven is kept in the state folder, and only once every
// event was taken.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-intro.html
package integrity

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/source"
)

// via is the type of this source.
const via = "integrity"

func init() {
	source.Register(source.Kind{Type: via, Gives: []string{"log file integrity"}, New: New})
}

// Options are the source's entry in the configuration.
type Options struct {
	Bucket string `yaml:"bucket"`
	Prefix string `yaml:"prefix"` // of the trail, before AWSLogs/
	// TrailARN limits the validation to one trail; empty: every trail that delivers there.
	TrailARN string `yaml:"trail_arn"`
	// Account is the one to act in; empty: that of the credentials. Region is only where to begin: buckets and keys are
	// asked for where they are.
	Account string `yaml:"account"`
	Region  string `yaml:"region"`
	// ExpectedBucketOwner is the account that owns the bucket; empty: Account, and without it any. What is signed names
	// its bucket, so a stranger's bucket can hold nothing that passes as valid.
	ExpectedBucketOwner string `yaml:"expected_bucket_owner"`
	// Every is the wait between two validations; zero is 1 hour, since CloudTrail writes a digest file an hour.
	Every time.Duration `yaml:"every"`
	// Lookback is how far the first validation goes back; zero is 48 hours. Later ones go on where the last one ended.
	Lookback time.Duration `yaml:"lookback"`
}

// maxLookback bounds how far a validation goes back for a chain that ended.
const maxLookback = 90 * 24 * time.Hour

// concurrency leaves most of the gate's connections to responses.
const concurrency = 16

// Source validates one bucket.
type Source struct {
	o        Options
	services source.Services
	trail    digest.Trail
	progress *digest.Progress
}

var _ source.Source = (*Source)(nil)

// New reads the configuration.
func New(c source.Config, s source.Services) (source.Source, error) {
	src := &Source{services: s}
	if err := c.Decode(&src.o); err != nil {
		return nil, err
	}
	if src.o.Bucket == "" {
		return nil, errors.New("bucket is missing")
	}
	if src.o.TrailARN != "" {
		var err error
		if src.trail, err = digest.ParseTrailARN(src.o.TrailARN); err != nil {
			return nil, fmt.Errorf("trail_arn: %w", err)
		}
	}
	if src.o.ExpectedBucketOwner == "" {
		src.o.ExpectedBucketOwner = src.o.Account
	}
	if src.o.Every <= 0 {
		src.o.Every = time.Hour
	}
	if src.o.Lookback <= 0 {
		src.o.Lookback = 48 * time.Hour
	}
	return src, nil
}

// Run validates until ctx is done. What cannot be read now is tried again the next time.
func (s *Source) Run(ctx context.Context, handle source.Handler) error {
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		if _, err := s.Poll(ctx, handle); err != nil && ctx.Err() == nil {
			s.services.Logger.WarnContext(ctx, "validate log files", slog.String("bucket", s.o.Bucket), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// Poll validates what is not proven yet and delivers what is found. The summary counts this validation. Poll MUST NOT
// run twice at once.
func (s *Source) Poll(ctx context.Context, handle source.Handler) (digest.Summary, error) {
	if err := s.load(); err != nil {
		return digest.Summary{}, err
	}
	now := s.services.Clock().UTC()
	request := digest.Request{Bucket: s.o.Bucket, Prefix: s.o.Prefix, Trail: s.trail, Start: s.start(now), End: now}
	options := digest.Options{Now: now, Resume: s.progress, Concurrency: concurrency}
	door := s.services.Gate.Door(gate.Scope{Action: source.ActionPrefix + via})
	fetcher := objects.NewDigests(objects.Through(door, s.o.Account, s.o.Region), map[string]string{s.o.Bucket: s.o.ExpectedBucketOwner})
	summary, err := digest.Validate(ctx, fetcher, request, options, func(r digest.Result) error {
		return s.take(ctx, r, now, handle)
	})
	if err != nil {
		return summary, fmt.Errorf("validate log files of %s: %w", s.o.Bucket, err)
	}
	s.progress = summary.Progress
	return summary, s.save()
}

// start is the lookback, or the end of the chain that was proven the shortest way, if that is longer ago: after a long
// stop, the time between is validated too.
func (s *Source) start(now time.Time) time.Time {
	start := now.Add(-s.o.Lookback)
	if s.progress == nil {
		return start
	}
	for _, c := range s.progress.Chains {
		if len(c.Intervals) > 0 && c.Intervals[0].To.Before(start) {
			start = c.Intervals[0].To
		}
	}
	if oldest := now.Add(-maxLookback); start.Before(oldest) {
		return oldest
	}
	return start
}

// take delivers a result that is an event.
func (s *Source) take(ctx context.Context, r digest.Result, now time.Time, handle source.Handler) error {
	if r.Code == digest.CodeUnreadable {
		s.services.Logger.WarnContext(ctx, "could not be read, so nothing is proven of it",
			slog.String("scope", r.Scope.String()), slog.String("object", r.URI()), slog.Any("error", r.Err()))
		return nil
	}
	if r.Severity != digest.SeverityError {
		return nil
	}
	event, err := s.event(r, now)
	if err != nil {
		return err
	}
	from := "s3://" + s.o.Bucket + "/" + s.o.Prefix
	err = handle(ctx, source.Delivery{Envelope: event, Via: via, From: from, DeliveredAt: now})
	if errors.Is(err, source.ErrPoison) {
		return s.services.PutAside(ctx, via, from, event.Raw, err)
	}
	return err
}

// file is where the progress is kept, one for each bucket, prefix and trail; "" keeps none.
func (s *Source) file() string {
	if s.services.State == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(strings.Join([]string{s.o.Bucket, s.o.Prefix, s.o.TrailARN}, "\n")))
	return filepath.Join(s.services.State, via+"-"+hex.EncodeToString(sum[:6])+".json")
}

// load reads what an earlier process proved.
func (s *Source) load() error {
	if s.progress != nil || s.file() == "" {
		return nil
	}
	data, err := os.ReadFile(s.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		s.progress, err = digest.ParseProgress(data)
	}
	if err != nil {
		return fmt.Errorf("read what was proven (%s; without the file all is validated again): %w", s.file(), err)
	}
	return nil
}

func (s *Source) save() error {
	if s.file() == "" {
		return nil
	}
	data, err := json.Marshal(s.progress)
	if err != nil {
		return fmt.Errorf("keep what was proven: %w", err)
	}
	if err := os.MkdirAll(s.services.State, 0o700); err != nil {
		return fmt.Errorf("keep what was proven: %w", err)
	}
	return objects.WriteFile(s.file(), append(data, '\n'))
}
