// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

// S3 is a bucket, or the objects of a bucket that a prefix selects in each call.
type S3 struct {
	client *s3.Client
	bucket string
	owner  *string
}

var _ Source = (*S3)(nil)

// NewS3 returns a bucket as cfg, which came through the gate, reaches it: cfg's region must be the bucket's. owner is the
// account that the bucket must belong to; "" does not check, and is only for buckets whose owner nobody knows.
func NewS3(cfg aws.Config, bucket, owner string) *S3 {
	b := &S3{client: s3.NewFromConfig(cfg), bucket: bucket}
	if owner != "" {
		b.owner = aws.String(owner)
	}
	return b
}

// List implements Source. https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
func (b *S3) List(ctx context.Context, prefix, startAfter string) iter.Seq2[Object, error] {
	in := &s3.ListObjectsV2Input{Bucket: &b.bucket, Prefix: aws.String(prefix), ExpectedBucketOwner: b.owner}
	if startAfter != "" {
		in.StartAfter = aws.String(startAfter)
	}
	return func(yield func(Object, error) bool) {
		pages := s3.NewListObjectsV2Paginator(b.client, in)
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				yield(Object{}, fmt.Errorf("list %s: %w", b.URL(prefix), meaning(err)))
				return
			}
			for _, o := range page.Contents {
				found := Object{Key: aws.ToString(o.Key), Size: aws.ToInt64(o.Size), ModifiedAt: aws.ToTime(o.LastModified).UTC()}
				if !yield(found, nil) {
					return
				}
			}
		}
	}
}

// Folders implements Source.
func (b *S3) Folders(ctx context.Context, prefix string) ([]string, error) {
	pages := s3.NewListObjectsV2Paginator(b.client, &s3.ListObjectsV2Input{
		Bucket: &b.bucket, Prefix: aws.String(prefix), Delimiter: aws.String("/"), ExpectedBucketOwner: b.owner,
	})
	var out []string
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list folders of %s: %w", b.URL(prefix), meaning(err))
		}
		for _, p := range page.CommonPrefixes {
			out = append(out, aws.ToString(p.Prefix))
		}
	}
	slices.Sort(out)
	return out, nil
}

// Open implements Source. https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
func (b *S3) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.bucket, Key: &key, ExpectedBucketOwner: b.owner})
	if err != nil {
		return nil, fmt.Errorf("get %s: %w", b.URL(key), meaning(err))
	}
	return out.Body, nil
}

// URL implements Source.
func (b *S3) URL(key string) string { return "s3://" + b.bucket + "/" + key }

// meaning adds ErrNotFound where S3 says so in one of its ways.
func meaning(err error) error {
	var noKey *types.NoSuchKey
	var noBucket *types.NoSuchBucket
	var other smithy.APIError
	if errors.As(err, &noKey) || errors.As(err, &noBucket) || errors.As(err, &other) && other.ErrorCode() == "NotFound" {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}
