// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package objects lists and reads objects of an S3 bucket or of a local folder in the same way: log files where they were
// delivered, or where somebody downloaded them to. It writes nothing into buckets.
//
// What is read was made by strangers: Read inflates gzip only up to a limit. Every call to S3 names the expected owner of
// the bucket where it is known, since a deleted bucket can be made again by anybody.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
package objects

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"
)

// Errors, by meaning.
var (
	// ErrNotFound: no such object, or no such bucket or folder.
	ErrNotFound = errors.New("not found")
	// ErrTooLarge: the object, or what it inflates to, is larger than the limit.
	ErrTooLarge = errors.New("larger than the limit")
	// ErrCorrupt: gzip that is damaged or cut short.
	ErrCorrupt = errors.New("damaged gzip")
)

// Object is one entry of a listing.
type Object struct {
	Key  string
	Size int64
	// ModifiedAt is S3's LastModified: when the object was delivered.
	ModifiedAt time.Time
}

// Source is a place that holds objects: S3 or Local.
type Source interface {
	// List yields the objects whose keys begin with prefix and sort after startAfter, in the order of their keys' bytes.
	// It ends after the first error.
	List(ctx context.Context, prefix, startAfter string) iter.Seq2[Object, error]
	// Folders returns the distinct beginnings of keys from prefix up to the next slash, it included, sorted.
	Folders(ctx context.Context, prefix string) ([]string, error)
	// Open returns the object's bytes as they are stored. The caller closes it.
	Open(ctx context.Context, key string) (io.ReadCloser, error)
	// URL names an object for people: "s3://bucket/key", or a path.
	URL(key string) string
}

// Limits bound what Read returns. The zero value sets the defaults.
type Limits struct {
	MaxStored   int64 // bytes as stored; default 64 MiB. CloudTrail's log files have at most some 50 MB
	MaxInflated int64 // bytes after gunzip; default 512 MiB
}

const (
	defaultMaxStored   = 64 << 20
	defaultMaxInflated = 512 << 20
)

func (l Limits) orDefaults() Limits {
	if l.MaxStored <= 0 {
		l.MaxStored = defaultMaxStored
	}
	if l.MaxInflated <= 0 {
		l.MaxInflated = defaultMaxInflated
	}
	return l
}

// Read returns the content of an object, gunzipped where it begins like gzip. Errors wrap ErrNotFound, ErrTooLarge,
// ErrCorrupt or are the source's.
func Read(ctx context.Context, from Source, key string, l Limits) ([]byte, error) {
	l = l.orDefaults()
	stored, err := readStored(ctx, from, key, l.MaxStored)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from.URL(key), err)
	}
	if !bytes.HasPrefix(stored, []byte{0x1f, 0x8b}) {
		return stored, nil
	}
	content, err := inflate(stored, l.MaxInflated)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", from.URL(key), err)
	}
	return content, nil
}

func readStored(ctx context.Context, from Source, key string, limit int64) (data []byte, err error) {
	body, err := from.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, body.Close()) }()
	return readAtMost(body, limit)
}

func inflate(stored []byte, limit int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(stored))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	content, err := readAtMost(r, limit)
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return content, err
}

func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("%w of %d bytes", ErrTooLarge, limit)
	}
	return data, nil
}
