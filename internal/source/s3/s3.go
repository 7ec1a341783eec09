// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package s3 brings in events from the log files in a trail's bucket, found by listing: for buckets that announce
// nothing, and as a second way beside a queue. It walks accounts and regions under AWSLogs/ and looks only into the
// folders of yesterday and today, behind the newest key seen, so that a large bucket is never listed whole.
//
// Nothing is kept from one start to the next: a start reads the two days once more, and what was seen is known by its
// event ids. What was delivered while the process was down for longer is for `switchback replay s3://…`.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html
package s3

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/objects"
	"github.com/switchback-project/switchback/internal/source"
)

// via is the type of this source.
const via = "s3"

func init() {
	source.Register(source.Kind{Type: via, Gives: []string{"s3 log files", "cloudtrail event"}, SilentAfter: silentAfter, New: New})
}

// silentAfter: log files come about every five minutes, and within fifteen; then they are found by listing.
const silentAfter = 30 * time.Minute

// Options are the source's entry in the configuration.
type Options struct {
	Bucket string `yaml:"bucket"`
	Prefix string `yaml:"prefix"` // of the trail, before AWSLogs/
	// Account is the one to act in, and Region the bucket's; empty: those of the credentials.
	Account string `yaml:"account"`
	Region  string `yaml:"region"`
	// ExpectedBucketOwner is the account that owns the bucket; empty: Account, else that of the credentials.
	ExpectedBucketOwner string `yaml:"expected_bucket_owner"`
	// Every is the wait between two looks, each of which lists one folder for each account and region; zero is 1 minute.
	Every time.Duration `yaml:"every"`
}

// Source lists one bucket.
type Source struct {
	o        Options
	services source.Services
	// regions are the folders of accounts and regions that have been seen.
	regions map[string]*region
}

var _ source.Source = (*Source)(nil)

// New reads the configuration.
func New(c source.Config, s source.Services) (source.Source, error) {
	src := &Source{services: s, regions: map[string]*region{}}
	if err := c.Decode(&src.o); err != nil {
		return nil, err
	}
	if src.o.Bucket == "" {
		return nil, errors.New("bucket is missing")
	}
	if src.o.Prefix != "" && !strings.HasSuffix(src.o.Prefix, "/") {
		src.o.Prefix += "/"
	}
	if src.o.Every <= 0 {
		src.o.Every = time.Minute
	}
	return src, nil
}

// Run lists until ctx is done. What cannot be listed or fetched now is tried again the next time.
func (s *Source) Run(ctx context.Context, handle source.Handler) error {
	tick := time.NewTicker(s.o.Every)
	defer tick.Stop()
	for {
		if _, err := s.Poll(ctx, handle); err != nil && ctx.Err() == nil {
			s.services.Logger.WarnContext(ctx, "look for log files", slog.String("bucket", s.o.Bucket), slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// parallel is how many folders are worked on at once.
const parallel = 8

// Poll delivers every log file that is new since the last time, several folders at once, and returns how many there
// were. An error names what could not be listed or fetched; the rest goes on. Poll MUST NOT run twice at once.
func (s *Source) Poll(ctx context.Context, handle source.Handler) (int, error) {
	bucket, err := s.open(ctx)
	if err != nil {
		return 0, err
	}
	found, failures := s.find(ctx, bucket)
	look := look{s, bucket, s.services.Clock().UTC(), handle}
	var files atomic.Int64
	group := new(errgroup.Group)
	group.SetLimit(parallel)
	errs := make([]error, len(found))
	for i, r := range found {
		group.Go(func() error {
			n, err := look.region(ctx, r)
			files.Add(int64(n))
			errs[i] = err
			return nil
		})
	}
	err = group.Wait()
	return int(files.Load()), errors.Join(failures, err, errors.Join(errs...))
}

func (s *Source) open(ctx context.Context) (*objects.S3, error) {
	owner, err := s.services.BucketOwner(ctx, s.o.ExpectedBucketOwner, s.o.Account, s.o.Region)
	if err != nil {
		return nil, err
	}
	cfg, err := s.services.Gate.Door(gate.Scope{Action: source.ActionPrefix + via}).Config(ctx, s.o.Account, s.o.Region)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", s.o.Bucket, err)
	}
	return objects.NewS3(cfg, s.o.Bucket, owner), nil
}

var (
	accountForm      = regexp.MustCompile(`^\d{12}$`)
	organizationForm = regexp.MustCompile(`^o-[a-z0-9]{10,32}$`)
)

// find returns the folders of all accounts and regions, with or without an organization, with the error of what could
// not be listed.
func (s *Source) find(ctx context.Context, bucket *objects.S3) ([]*region, error) {
	var accounts, found []string
	var failures []error
	list := func(folder string) []string {
		children, err := bucket.Folders(ctx, folder)
		failures = append(failures, err)
		return children
	}
	for _, child := range list(s.o.Prefix + "AWSLogs/") {
		if organizationForm.MatchString(path.Base(child)) {
			accounts = append(accounts, list(child)...)
			continue
		}
		accounts = append(accounts, child)
	}
	for _, account := range accounts {
		if accountForm.MatchString(path.Base(account)) {
			found = append(found, list(account+string(cloudtrail.KindLog)+"/")...)
		}
	}
	regions := make([]*region, len(found))
	for i, folder := range found {
		if s.regions[folder] == nil {
			s.regions[folder] = &region{folder: folder, days: map[string]*day{}}
		}
		regions[i] = s.regions[folder]
	}
	return regions, errors.Join(failures...)
}
