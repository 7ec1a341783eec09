// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/switchback-project/switchback/internal/arn"
)

func showReplication(b *bucket) any { return b.replication }

// putReplication keeps the rules; nothing is copied.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-requirements.html
func putReplication(c *call, in *s3.PutBucketReplicationInput) (*s3.PutBucketReplicationOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showReplication, func(b *bucket) error {
		if !b.versioned() {
			return s3Error(http.StatusBadRequest, "InvalidRequest", "Versioning must be 'Enabled' on the bucket to apply a replication configuration")
		}
		for _, r := range in.ReplicationConfiguration.Rules {
			p, err := arn.Parse(aws.ToString(r.Destination.Bucket))
			to := c.s.bucketIn(c.account().partition, p.Resource)
			if err != nil || to == nil || !to.versioned() {
				return s3Error(http.StatusBadRequest, "InvalidRequest", "Destination bucket must exist and have versioning enabled.")
			}
		}
		b.replication = in.ReplicationConfiguration
		return nil
	})
	return &s3.PutBucketReplicationOutput{}, err
}

func getReplication(c *call, in *s3.GetBucketReplicationInput) (*s3.GetBucketReplicationOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.replication == nil {
		return nil, s3Error(http.StatusNotFound, "ReplicationConfigurationNotFoundError", "The replication configuration was not found")
	}
	return &s3.GetBucketReplicationOutput{ReplicationConfiguration: clone(b.replication)}, nil
}

func deleteReplication(c *call, in *s3.DeleteBucketReplicationInput) (*s3.DeleteBucketReplicationOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, showReplication, func(b *bucket) error {
		b.replication = nil
		return nil
	})
	return &s3.DeleteBucketReplicationOutput{}, err
}

// putLogging keeps where the server access log goes; none is written.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLogging.html
func putLogging(c *call, in *s3.PutBucketLoggingInput) (*s3.PutBucketLoggingOutput, error) {
	err := c.configure(in.Bucket, in.ExpectedBucketOwner, func(b *bucket) any { return b.logging }, func(b *bucket) error {
		to := in.BucketLoggingStatus.LoggingEnabled
		if to != nil {
			target := c.s.bucketIn(c.account().partition, aws.ToString(to.TargetBucket))
			if target == nil || target.owner != b.owner || target.region != b.region {
				return s3Error(http.StatusBadRequest, "InvalidTargetBucketForLogging", "The target bucket for logging does not exist, is not owned by you, or does not have the appropriate grants for the log-delivery group")
			}
		}
		b.logging = to
		return nil
	})
	return &s3.PutBucketLoggingOutput{}, err
}

func getLogging(c *call, in *s3.GetBucketLoggingInput) (*s3.GetBucketLoggingOutput, error) {
	b, err := c.bucketFor(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &s3.GetBucketLoggingOutput{LoggingEnabled: clone[*types.LoggingEnabled](b.logging)}, nil
}
