// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	kmstypes "github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
)

// Place is the account and region from which to look at something that does not say itself where it belongs.
type Place struct{ Account, Region string }

// Key is the state of a KMS key.
type Key struct {
	ARN string
	// State is KMS's: "Enabled", "Disabled", "PendingDeletion", …
	State     string
	IsEnabled bool
}

// ReadKey asks for a key by ARN, id or alias. A key with an ARN is looked at in its own region, from its own account if
// we may go there, else from that of from. https://docs.aws.amazon.com/kms/latest/APIReference/API_DescribeKey.html
func ReadKey(ctx context.Context, door *gate.Door, id string, from Place) (Key, error) {
	home := from
	if p, err := arn.Parse(id); err == nil {
		home = Place{cmp.Or(p.AccountID, from.Account), cmp.Or(p.Region, from.Region)}
	}
	cfg, err := door.Config(ctx, home.Account, home.Region)
	if errors.Is(err, gate.ErrNoAccess) {
		cfg, err = door.Config(ctx, from.Account, home.Region)
	}
	if err != nil {
		return Key{}, fmt.Errorf("read key %s: %w", id, err)
	}
	out, err := kms.NewFromConfig(cfg).DescribeKey(ctx, &kms.DescribeKeyInput{KeyId: aws.String(id)})
	if err != nil {
		return Key{}, fmt.Errorf("read key %s: %w", id, err)
	}
	m := out.KeyMetadata
	return Key{ARN: aws.ToString(m.Arn), State: string(m.KeyState), IsEnabled: m.KeyState == kmstypes.KeyStateEnabled}, nil
}

// Bucket is what HeadBucket tells.
type Bucket struct {
	// Region of the bucket, "" when AWS did not say.
	Region string
	// OwnerConfirmed: the bucket belongs to the expected account.
	OwnerConfirmed bool
}

// Errors of ReadBucket, by meaning.
var (
	// ErrNoBucket: there is no bucket of the name.
	ErrNoBucket = errors.New("no such bucket")
	// ErrBucketDenied: the bucket belongs to another account than expected, or we may not ask. AWS does not say which.
	ErrBucketDenied = errors.New("the bucket belongs to another account, or we may not look at it")
)

// ReadBucket asks whether a bucket can be reached and, where owner is not "", belongs to that account. It follows the
// bucket to its region. https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
func ReadBucket(ctx context.Context, door *gate.Door, bucket, owner string, from Place) (Bucket, error) {
	region, err := headBucket(ctx, door, bucket, owner, from)
	if moved := regionOf(err); moved != "" && moved != from.Region {
		region, err = headBucket(ctx, door, bucket, owner, Place{from.Account, moved})
		region = cmp.Or(region, moved)
	}
	if err != nil {
		return Bucket{}, fmt.Errorf("read bucket %s: %w", bucket, err)
	}
	return Bucket{Region: region, OwnerConfirmed: owner != ""}, nil
}

func headBucket(ctx context.Context, door *gate.Door, bucket, owner string, from Place) (string, error) {
	cfg, err := door.Config(ctx, from.Account, from.Region)
	if err != nil {
		return "", err
	}
	in := &s3.HeadBucketInput{Bucket: aws.String(bucket)}
	if owner != "" {
		in.ExpectedBucketOwner = aws.String(owner)
	}
	out, err := s3.NewFromConfig(cfg).HeadBucket(ctx, in)
	if err == nil {
		return aws.ToString(out.BucketRegion), nil
	}
	// HeadBucket's answers have no body, so only the status tells.
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) {
		switch answer.HTTPStatusCode() {
		case http.StatusNotFound:
			return "", fmt.Errorf("%w: %w", ErrNoBucket, err)
		case http.StatusForbidden:
			return "", fmt.Errorf("%w: %w", ErrBucketDenied, err)
		}
	}
	return "", err
}

// regionOf is the region that S3 sends us to instead, "" when it does not.
func regionOf(err error) string {
	var answer *awshttp.ResponseError
	if !errors.As(err, &answer) || answer.Response == nil || answer.HTTPStatusCode() != http.StatusMovedPermanently {
		return ""
	}
	return answer.Response.Header.Get("X-Amz-Bucket-Region")
}

// Caller is who our calls in an account are made by.
type Caller struct{ Account, ARN string }

// ReadCaller asks STS who we are in an account and region.
func ReadCaller(ctx context.Context, door *gate.Door, account, region string) (Caller, error) {
	cfg, err := door.Config(ctx, account, region)
	if err != nil {
		return Caller{}, fmt.Errorf("read caller in %s: %w", account, err)
	}
	out, err := sts.NewFromConfig(cfg).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, fmt.Errorf("read caller in %s: %w", account, err)
	}
	return Caller{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}
