// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package digest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// ErrNotFound is wrapped by Fetcher.Get when the bucket is there and the object is not (S3's NoSuchKey). Everything
// else that keeps an object from being read, a vanished bucket included, is another error: absence is evidence of
// deletion, being refused is not.
var ErrNotFound = errors.New("object not found")

// Fetcher is where digest files, log files and public keys come from. It MUST be safe for concurrent use. Errors are
// retried only when they wrap a *RetryError.
type Fetcher interface {
	// List returns one page of the keys under a prefix in ascending byte order (S3's ListObjectsV2).
	List(ctx context.Context, req ListRequest) (Page, error)
	// Get opens an object. The caller closes its body. An object that does not exist is an error wrapping ErrNotFound.
	Get(ctx context.Context, bucket, key string) (*Object, error)
	// PublicKeys returns the keys with which CloudTrail signed digest files in a region at some time between from and to
	// (CloudTrail's ListPublicKeys, all pages).
	PublicKeys(ctx context.Context, region string, from, to time.Time) ([]PublicKey, error)
}

// ListRequest asks for one page of keys.
type ListRequest struct {
	Bucket     string
	Prefix     string
	StartAfter string // only keys greater than this; may be empty
	Delimiter  string // "/" to get the folders under Prefix, else empty
	Token      string // Page.Next of the page before; empty for the first
}

// Page is one page of a listing.
type Page struct {
	Keys     []string // objects, ascending
	Prefixes []string // folders, each ending in the delimiter; only with a Delimiter
	Next     string   // token of the next page; empty on the last
}

// Object is an open S3 object. SSE-KMS and the other encryptions of S3 are transparent: Body yields the plain bytes.
type Object struct {
	Body     io.ReadCloser
	Metadata map[string]string // x-amz-meta-* without that prefix, names in lower case
}

// RetryError wraps the cause of a request that was refused for now: throttled, timed out, answered with a 5xx. Validate
// waits and asks again, up to Options.Attempts times.
type RetryError struct {
	After time.Duration // wait at least this long (Retry-After); 0 leaves it to Validate
	Err   error
}

// Error says that the request may be repeated.
func (e *RetryError) Error() string { return fmt.Sprintf("retry later: %v", e.Err) }

// Unwrap returns the cause.
func (e *RetryError) Unwrap() error { return e.Err }
