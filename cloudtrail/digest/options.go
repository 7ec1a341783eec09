// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Errors of a request. Those that the AWS CLI has too are worded as there.
const (
	ErrInvalidARN   = cliError("Invalid trail ARN provided")
	ErrInvalidRange = cliError("Invalid time range specified: start-time must occur before end-time")
	ErrInvalidTime  = cliError("Unable to parse date value")
	ErrNoPublicKeys = cliError("No public keys found")
	ErrRequest      = cliError("incomplete request")
)

// cliError is an error with the AWS CLI's text, which scripts look for.
type cliError string

func (e cliError) Error() string { return string(e) }

// Trail is a trail's ARN and the parts of it that digest files are named after.
type Trail struct {
	ARN        string
	Name       string
	HomeRegion string
	AccountID  string
}

var trailARN = regexp.MustCompile(`^arn:.+:cloudtrail:.+:\d{12}:trail/.+`)

// ParseTrailARN splits a trail's ARN as the AWS CLI does. Errors wrap ErrInvalidARN.
func ParseTrailARN(arn string) (Trail, error) {
	fields := strings.Split(arn, ":")
	if !trailARN.MatchString(arn) || len(fields) < 6 {
		return Trail{}, fmt.Errorf("%w: %s", ErrInvalidARN, arn)
	}
	return Trail{ARN: arn, Name: arn[strings.LastIndexByte(arn, '/')+1:], HomeRegion: fields[3], AccountID: fields[4]}, nil
}

var timeLayouts = []string{
	time.RFC3339, keyLayout, "2006-01-02T15:04:05", "2006-01-02T15:04Z07:00", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00",
	"2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly, "20060102T150405", "20060102", "2006/01/02",
}

// ParseTime reads a time in the usual forms; one without a zone is UTC. With compatible, a zone is replaced by UTC
// rather than converted, as the AWS CLI does it: 10:00+02:00 is 10:00Z. Errors wrap ErrInvalidTime.
func ParseTime(text string, compatible bool) (time.Time, error) {
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, text)
		if err != nil {
			continue
		}
		if compatible {
			return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC), nil
		}
		return t.UTC(), nil
	}
	return time.Time{}, fmt.Errorf("%w: %s", ErrInvalidTime, text)
}

// Request says what to validate. Bucket, Start and End are required.
type Request struct {
	Bucket       string
	Prefix       string   // the trail's S3KeyPrefix
	Organization string   // o-… of an organization trail; empty: every organization found in the bucket as well
	Trail        Trail    // zero: every trail found
	Accounts     []string // empty: every account found
	Regions      []string // regions whose log files are meant; empty: every region found

	Start, End time.Time // of delivery; inclusive
}

// Options say how. The zero value works.
type Options struct {
	// Now is the current time. Without it, nothing says whether the newest digest files may still be on their way, and the
	// chain is expected to reach End.
	Now time.Time
	// AWSCompatible gives the rules and the scope of the AWS CLI: one account, one region (the trail's, unless Request
	// names another), no findings of ours. Trail is required then, and an unreadable file ends the run with an error.
	AWSCompatible bool
	// Resume is what was proven before: those digest files and their log files are not read again.
	Resume *Progress
	// Concurrency bounds the requests under way; 64 if zero. Each takes about 150 KB. Where a request takes 20 ms, 64 are
	// 3,200 a second at most; S3 answers 5,500 a second for each prefix before it throttles, which is waited for.
	//
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html
	Concurrency int
	// Attempts bounds how often a request that may be repeated is sent; 6 if zero.
	Attempts int
	// MaxInflated bounds what a log file may inflate to, against bombs; 64 GiB if zero. Nothing of it is held in memory.
	MaxInflated int64
	// Wait waits before a request is repeated; a timer if nil.
	Wait func(context.Context, time.Duration) error
	// OnStats is called, from the caller's goroutine, after each result.
	OnStats func(Stats)
}

// Stats is how far a run has come.
type Stats struct {
	Scopes, ScopesDone int   // accounts x regions
	DigestsListed      int   // in the scopes listed so far
	Digests, LogFiles  int   // with a verdict
	Bytes              int64 // read
}

func (o Options) withDefaults() Options {
	if o.Concurrency <= 0 {
		o.Concurrency = 64
	}
	if o.Attempts <= 0 {
		o.Attempts = 6
	}
	if o.MaxInflated <= 0 {
		o.MaxInflated = 64 << 30
	}
	if o.Wait == nil {
		o.Wait = waitTimer
	}
	return o
}

func (r Request) check(o Options) error {
	switch {
	case r.Bucket == "":
		return fmt.Errorf("%w: no bucket", ErrRequest)
	case r.Start.IsZero() || r.End.IsZero():
		return fmt.Errorf("%w: no time range", ErrRequest)
	case r.Start.After(r.End):
		return ErrInvalidRange
	case !o.AWSCompatible:
		return nil
	case r.Trail.Name == "":
		return fmt.Errorf("%w: no trail", ErrRequest)
	case len(r.Accounts) > 1 || len(r.Regions) > 1:
		return fmt.Errorf("%w: the AWS CLI validates one account and one region at a time", ErrRequest)
	}
	return nil
}

// compatibleScope is the one scope of the AWS CLI.
func (r Request) compatibleScope() Scope {
	s := Scope{Bucket: r.Bucket, Prefix: r.Prefix, Organization: r.Organization, Account: r.Trail.AccountID, Region: r.Trail.HomeRegion}
	if len(r.Accounts) == 1 {
		s.Account = r.Accounts[0]
	}
	if len(r.Regions) == 1 {
		s.Region = r.Regions[0]
	}
	return s
}
