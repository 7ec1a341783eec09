// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/gate"
)

// Digests reads digest files and log files from S3 and public keys from CloudTrail: the live digest.Fetcher. Each bucket
// is read in its own region, wherever a chain leads. It is safe for concurrent use.
type Digests struct {
	config  Configure
	owners  map[string]string
	mu      sync.Mutex
	buckets map[string]*digestBucket
}

var _ digest.Fetcher = (*Digests)(nil)

// Configure gives a configuration that came through the gate; a region of "" is the default one.
type Configure func(ctx context.Context, region string) (aws.Config, error)

// Through opens the gate for reads: in an account, or with the process's own credentials, which takes no call to STS.
// fallback is the region where none is asked for; "" is the default one.
func Through(door *gate.Door, account, fallback string) Configure {
	return func(ctx context.Context, region string) (aws.Config, error) {
		region = cmp.Or(region, fallback)
		if account == "" {
			return door.ReadConfig(region)
		}
		return door.Config(ctx, account, region)
	}
}

// digestBucket is a bucket's client, made with the first request to it: one of the default region, until a refusal makes
// us ask where the bucket is.
type digestBucket struct {
	name  string
	owner *string

	mu        sync.Mutex
	client    *s3.Client // nil at first
	region    string     // of client
	isLocated bool       // the bucket answered, or S3 said where it is
}

// NewDigests returns a Digests. owners says to which account a bucket must belong; one that is not listed is not checked:
// what is signed names its bucket, so a stranger's bucket can hold nothing that passes as valid.
func NewDigests(config Configure, owners map[string]string) *Digests {
	return &Digests{config: config, owners: owners, buckets: make(map[string]*digestBucket)}
}

// PublicKeys implements digest.Fetcher.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html
func (f *Digests) PublicKeys(ctx context.Context, region string, from, to time.Time) ([]digest.PublicKey, error) {
	cfg, err := f.config(ctx, region)
	if err != nil {
		return nil, fmt.Errorf("list public keys of %s: %w", region, err)
	}
	pages := cloudtrail.NewListPublicKeysPaginator(cloudtrail.NewFromConfig(cfg), &cloudtrail.ListPublicKeysInput{StartTime: &from, EndTime: &to})
	var keys []digest.PublicKey
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list public keys of %s: %w", region, answer(err))
		}
		for _, k := range page.PublicKeyList {
			keys = append(keys, digest.PublicKey{
				Fingerprint: aws.ToString(k.Fingerprint), Value: k.Value,
				NotBefore: aws.ToTime(k.ValidityStartTime).UTC(), NotAfter: aws.ToTime(k.ValidityEndTime).UTC(),
			})
		}
	}
	return keys, nil
}

// List implements digest.Fetcher.
func (f *Digests) List(ctx context.Context, req digest.ListRequest) (digest.Page, error) {
	var out *s3.ListObjectsV2Output
	err := f.ask(ctx, req.Bucket, func(client *s3.Client, owner *string) (err error) {
		out, err = client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{
			Bucket: &req.Bucket, Prefix: &req.Prefix, StartAfter: notEmpty(req.StartAfter), Delimiter: notEmpty(req.Delimiter),
			ContinuationToken: notEmpty(req.Token), ExpectedBucketOwner: owner,
		})
		return err
	})
	if err != nil {
		return digest.Page{}, fmt.Errorf("list s3://%s/%s: %w", req.Bucket, req.Prefix, answer(err))
	}
	page := digest.Page{Next: aws.ToString(out.NextContinuationToken)}
	for _, o := range out.Contents {
		page.Keys = append(page.Keys, aws.ToString(o.Key))
	}
	for _, p := range out.CommonPrefixes {
		page.Prefixes = append(page.Prefixes, aws.ToString(p.Prefix))
	}
	return page, nil
}

// Get implements digest.Fetcher.
func (f *Digests) Get(ctx context.Context, bucket, key string) (*digest.Object, error) {
	var out *s3.GetObjectOutput
	err := f.ask(ctx, bucket, func(client *s3.Client, owner *string) (err error) {
		out, err = client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key, ExpectedBucketOwner: owner})
		return err
	})
	var noKey *types.NoSuchKey
	if errors.As(err, &noKey) {
		return nil, fmt.Errorf("get s3://%s/%s: %w", bucket, key, digest.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("get s3://%s/%s: %w", bucket, key, answer(err))
	}
	return &digest.Object{Body: out.Body, Metadata: out.Metadata}, nil
}

func notEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// ask sends a request to a bucket, and again where the bucket is when it was refused elsewhere.
func (f *Digests) ask(ctx context.Context, name string, request func(client *s3.Client, owner *string) error) error {
	b := f.bucket(name)
	client, err := f.client(ctx, b)
	if err != nil {
		return err
	}
	err = request(client, b.owner)
	if err == nil {
		b.answered(client)
		return nil
	}
	if !mayBeElsewhere(err) {
		return err
	}
	there, locateErr := f.locate(ctx, b)
	switch {
	case locateErr != nil:
		return locateErr
	case there == client:
		return err
	}
	return request(there, b.owner)
}

// mayBeElsewhere reports whether a refusal may come from asking in the wrong region: S3 redirects, or cannot check a
// signature that was made for another region. That a key or a bucket is not there is true everywhere.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
func mayBeElsewhere(err error) bool {
	var refused *smithyhttp.ResponseError
	if !errors.As(err, &refused) {
		return false
	}
	status := refused.HTTPStatusCode()
	return status >= http.StatusMultipleChoices && status < http.StatusInternalServerError && status != http.StatusNotFound
}

func (f *Digests) bucket(name string) *digestBucket {
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.buckets[name]
	if b == nil {
		b = &digestBucket{name: name, owner: notEmpty(f.owners[name])}
		f.buckets[name] = b
	}
	return b
}

// client returns the client of a bucket, which the first request makes while the others wait.
func (f *Digests) client(ctx context.Context, b *digestBucket) (*s3.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		return b.client, nil
	}
	cfg, err := f.config(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", b.name, err)
	}
	b.client, b.region = newDigestClient(cfg), cfg.Region
	return b.client, nil
}

// answered notes that client reaches the bucket.
func (b *digestBucket) answered(client *s3.Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.isLocated = b.isLocated || b.client == client
}

// locate asks, once, where the bucket is and returns the client that reaches it.
func (f *Digests) locate(ctx context.Context, b *digestBucket) (*s3.Client, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.isLocated {
		return b.client, nil
	}
	region, err := bucketRegion(ctx, b.client, b.name, b.owner)
	if err != nil {
		return nil, fmt.Errorf("open bucket %s: %w", b.name, err)
	}
	if region != "" && region != b.region {
		cfg, err := f.config(ctx, region)
		if err != nil {
			return nil, fmt.Errorf("open bucket %s in %s: %w", b.name, region, err)
		}
		b.client, b.region = newDigestClient(cfg), region
	}
	b.isLocated = true
	return b.client, nil
}

// newDigestClient leaves S3's own checksums out: everything read is hashed anyway.
func newDigestClient(cfg aws.Config) *s3.Client {
	return s3.NewFromConfig(cfg, func(o *s3.Options) { o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired })
}

// bucketRegion finds out where a bucket is, "" when S3 does not say. S3 says it in a refusal too, also to who may not
// list the bucket.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func bucketRegion(ctx context.Context, client *s3.Client, name string, owner *string) (string, error) {
	out, err := client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name, ExpectedBucketOwner: owner})
	if err == nil {
		return aws.ToString(out.BucketRegion), nil
	}
	var refused *smithyhttp.ResponseError
	if !errors.As(err, &refused) || refused.Response == nil || refused.HTTPStatusCode() >= http.StatusInternalServerError {
		return "", err
	}
	return refused.Response.Header.Get("X-Amz-Bucket-Region"), nil
}

// answer makes an error of the SDK short, and one that may go away by itself a *digest.RetryError.
func answer(err error) error {
	short := err
	var api smithy.APIError
	if errors.As(err, &api) {
		short = &refusal{api.ErrorCode(), api.ErrorMessage(), err}
	}
	if isPassing(err) {
		return &digest.RetryError{Err: short}
	}
	return short
}

var (
	passing    = retry.IsErrorRetryables(retry.DefaultRetryables)
	throttling = retry.IsErrorThrottles(retry.DefaultThrottles)
)

func isPassing(err error) bool {
	return passing.IsErrorRetryable(err) == aws.TrueTernary || throttling.IsErrorThrottle(err) == aws.TrueTernary
}

// refusal is what AWS answered, without the request's ids and host names.
type refusal struct {
	code, message string
	cause         error
}

func (r *refusal) Error() string {
	if r.message == "" || r.message == r.code {
		return r.code
	}
	return r.code + ": " + r.message
}

func (r *refusal) Unwrap() error { return r.cause }
