// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/trail"
)

// readBucket reads everything of a bucket that trails depend on, as its owner. A bucket of the name that belongs to
// somebody else is no error, see trail.Bucket.Owner: nothing more is read of it then.
func readBucket(ctx context.Context, door *gate.Door, d trail.Dependency) (any, error) {
	name, err := bucketNameOf(d.ARN)
	if err != nil {
		return nil, err
	}
	home, err := HomeOf(d) // of the bucket's partition, where no region is given
	if err != nil {
		return nil, err
	}
	d.Region = home.Region
	b, err := findBucket(ctx, door, d, name)
	if err != nil || !b.Exists || b.Owner != d.Account {
		return b, err
	}
	cfg, err := door.Config(ctx, d.Account, b.Region)
	if err != nil {
		return nil, err
	}
	r := bucketReader{s3.NewFromConfig(cfg), aws.String(name), aws.String(d.Account)}
	for _, part := range []func(context.Context, *trail.Bucket) error{
		r.policy, r.lifecycle, r.versioning, r.objectLock, r.encryption, r.publicAccess, r.ownership, r.acl,
		r.notification, r.replication, r.payer, r.logging,
	} {
		if err := part(ctx, &b); err != nil {
			return nil, err
		}
	}
	return b.Canonical(), nil
}

// bucketNameOf is the name in a bucket's ARN.
func bucketNameOf(bucket arn.ARN) (string, error) {
	p, err := bucket.Parse()
	if err != nil {
		return "", err
	}
	if p.Service != "s3" || strings.Contains(p.Resource, "/") {
		return "", fmt.Errorf("%.200q is not the ARN of a bucket", bucket)
	}
	return p.Resource, nil
}

// findBucket finds out whether there is a bucket, where it lies and whether the account owns it. HeadBucket alone cannot
// tell a bucket of somebody else from one whose policy keeps us out; the account's own list can.
func findBucket(ctx context.Context, door *gate.Door, d trail.Dependency, name string) (trail.Bucket, error) {
	out := trail.Bucket{Exists: true, Name: name, Owner: d.Account}
	head, err := ReadBucket(ctx, door, name, d.Account, Place{d.Account, d.Region})
	switch {
	case errors.Is(err, ErrNoBucket):
		return trail.Bucket{Name: name}, nil
	case err == nil:
		out.Region = cmp.Or(head.Region, d.Region)
		return out, nil
	case !errors.Is(err, ErrBucketDenied) && !isElsewhere(err):
		return out, err
	}
	region, isOwn, listErr := listedBucket(ctx, door, d, name)
	if listErr != nil {
		return out, errors.Join(err, listErr)
	}
	if !isOwn {
		out.Owner = notOwner + d.Account
		return out, nil
	}
	out.Region = cmp.Or(region, d.Region)
	return out, nil
}

// isElsewhere reports whether S3 may have been asked in the wrong region without saying which is the right one.
func isElsewhere(err error) bool {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) {
		return false
	}
	status := answer.HTTPStatusCode()
	return status >= http.StatusMultipleChoices && status <= http.StatusBadRequest
}

// listedBucket looks for a bucket in the list of those that the account owns.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
func listedBucket(ctx context.Context, door *gate.Door, d trail.Dependency, name string) (region string, isOwn bool, err error) {
	caller, err := ReadCaller(ctx, door, d.Account, d.Region)
	if err != nil {
		return "", false, err
	}
	if caller.Account != d.Account {
		return "", false, fmt.Errorf("list the buckets of %s: our credentials belong to %s", d.Account, caller.Account)
	}
	cfg, err := door.Config(ctx, d.Account, d.Region)
	if err != nil {
		return "", false, err
	}
	pages := s3.NewListBucketsPaginator(s3.NewFromConfig(cfg), &s3.ListBucketsInput{Prefix: aws.String(name), MaxBuckets: aws.Int32(1000)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return "", false, fmt.Errorf("list the buckets of %s: %w", d.Account, err)
		}
		for _, b := range page.Buckets {
			if aws.ToString(b.Name) == name {
				return aws.ToString(b.BucketRegion), true, nil
			}
		}
	}
	return "", false, nil
}

// bucketReader reads the parts of one bucket. A part that is not configured is left as it is: empty.
type bucketReader struct {
	client      *s3.Client
	name, owner *string
}

// absent are the codes with which S3 says that a part is not configured.
//
// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
var absent = map[string]bool{
	"NoSuchBucketPolicy": true, "NoSuchLifecycleConfiguration": true, "ObjectLockConfigurationNotFoundError": true,
	"ServerSideEncryptionConfigurationNotFoundError": true, "NoSuchPublicAccessBlockConfiguration": true,
	"OwnershipControlsNotFoundError": true, "ReplicationConfigurationNotFoundError": true,
}

// found reports whether there is something to take from an answer.
func found(err error) (bool, error) {
	var answer smithy.APIError
	if errors.As(err, &answer) && absent[answer.ErrorCode()] {
		return false, nil
	}
	return err == nil, err
}

// as turns a type of the SDK into ours, whose members have the same names.
func as[T any](v any) (T, error) {
	var out T
	encoded, err := json.Marshal(v)
	if err != nil {
		return out, fmt.Errorf("encode %T: %w", v, err)
	}
	if err := json.Unmarshal(encoded, &out); err != nil {
		return out, fmt.Errorf("decode %T: %w", v, err)
	}
	return out, nil
}

func (r bucketReader) policy(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	b.Policy, err = trail.CanonicalBucketPolicy(aws.ToString(out.Policy))
	return err
}

func (r bucketReader) lifecycle(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	b.Lifecycle = &trail.Lifecycle{TransitionDefaultMinimumObjectSize: string(out.TransitionDefaultMinimumObjectSize)}
	b.Lifecycle.Rules, err = as[[]trail.LifecycleRule](out.Rules)
	return err
}

func (r bucketReader) versioning(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketVersioning(ctx, &s3.GetBucketVersioningInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if err != nil {
		return err
	}
	b.Versioning = trail.Versioning{Status: string(out.Status), MFADelete: string(out.MFADelete)}
	return nil
}

func (r bucketReader) objectLock(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetObjectLockConfiguration(ctx, &s3.GetObjectLockConfigurationInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	b.ObjectLock, err = as[*trail.ObjectLock](out.ObjectLockConfiguration)
	return err
}

func (r bucketReader) encryption(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	b.Encryption, err = as[[]trail.EncryptionRule](out.ServerSideEncryptionConfiguration.Rules)
	return err
}

func (r bucketReader) publicAccess(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	b.PublicAccessBlock, err = as[*trail.PublicAccessBlock](out.PublicAccessBlockConfiguration)
	return err
}

func (r bucketReader) ownership(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketOwnershipControls(ctx, &s3.GetBucketOwnershipControlsInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	for _, rule := range out.OwnershipControls.Rules {
		b.ObjectOwnership = string(rule.ObjectOwnership)
	}
	return nil
}

func (r bucketReader) acl(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketAcl(ctx, &s3.GetBucketAclInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if err != nil {
		return err
	}
	if out.Owner != nil {
		b.ACL.Owner = aws.ToString(out.Owner.ID)
	}
	b.ACL.Grants, err = as[[]trail.Grant](out.Grants)
	return err
}

func (r bucketReader) notification(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketNotificationConfiguration(ctx, &s3.GetBucketNotificationConfigurationInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if err != nil {
		return err
	}
	b.Notification, err = as[trail.Notification](out)
	return err
}

func (r bucketReader) replication(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketReplication(ctx, &s3.GetBucketReplicationInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if ok, err := found(err); !ok {
		return err
	}
	c := out.ReplicationConfiguration
	b.Replication = &trail.Replication{Role: aws.ToString(c.Role)}
	for _, rule := range c.Rules {
		members, err := bare(rule)
		if err != nil {
			return err
		}
		b.Replication.Rules = append(b.Replication.Rules, members)
	}
	return nil
}

func (r bucketReader) payer(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketRequestPayment(ctx, &s3.GetBucketRequestPaymentInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if err != nil {
		return err
	}
	b.Payer = string(out.Payer)
	return nil
}

func (r bucketReader) logging(ctx context.Context, b *trail.Bucket) error {
	out, err := r.client.GetBucketLogging(ctx, &s3.GetBucketLoggingInput{Bucket: r.name, ExpectedBucketOwner: r.owner})
	if err != nil || out.LoggingEnabled == nil {
		return err
	}
	members, err := bare(out.LoggingEnabled)
	if err != nil {
		return err
	}
	b.Logging, err = as[*trail.Logging](members)
	return err
}

// bare is the JSON of a type of the SDK without the members that are not set.
func bare(v any) (json.RawMessage, error) {
	tree, err := as[any](v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(withoutUnset(tree))
}

// withoutUnset drops null, and the empty text that the SDK's enumerations are when they are not set. The only text that may
// be meant to be empty is a prefix.
func withoutUnset(tree any) any {
	switch v := tree.(type) {
	case map[string]any:
		for k, member := range v {
			if member == nil || member == "" && k != "Prefix" && k != "TargetPrefix" {
				delete(v, k)
				continue
			}
			v[k] = withoutUnset(member)
		}
	case []any:
		for i := range v {
			v[i] = withoutUnset(v[i])
		}
	}
	return tree
}
