// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/organizations"

	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
)

// DigestPlace is where a trail delivers log files and digest files.
type DigestPlace struct {
	Bucket, Prefix      string
	IsOrganizationTrail bool
}

// FindDigestPlace asks the region, which is the trail's home or shows it as a shadow, where a trail delivers to, with the
// process's own credentials. An ARN that the region does not list is an error wrapping incident.ErrNotFound.
func FindDigestPlace(ctx context.Context, door *gate.Door, region string, trail arn.ARN) (DigestPlace, error) {
	cfg, err := door.ReadConfig(region)
	if err != nil {
		return DigestPlace{}, fmt.Errorf("find trail %s: %w", trail, err)
	}
	list, err := describe(ctx, cloudtrail.NewFromConfig(cfg))
	if err != nil {
		return DigestPlace{}, fmt.Errorf("find trail %s: %w", trail, err)
	}
	for _, t := range list {
		if t.ARN == trail {
			return DigestPlace{t.S3BucketName, t.S3KeyPrefix, t.IsOrganizationTrail}, nil
		}
	}
	return DigestPlace{}, fmt.Errorf("a trail could not be found for %s: %w", trail, incident.ErrNotFound)
}

// OrganizationID is the id of the organization that our account belongs to: a folder name in an organization trail's
// bucket.
//
// https://docs.aws.amazon.com/organizations/latest/APIReference/API_DescribeOrganization.html
func OrganizationID(ctx context.Context, door *gate.Door, region string) (string, error) {
	cfg, err := door.ReadConfig(region)
	if err != nil {
		return "", fmt.Errorf("find our organization: %w", err)
	}
	out, err := organizations.NewFromConfig(cfg).DescribeOrganization(ctx, &organizations.DescribeOrganizationInput{})
	if err != nil {
		return "", fmt.Errorf("find our organization: %w", err)
	}
	if out.Organization == nil {
		return "", fmt.Errorf("find our organization: %w", incident.ErrNotFound)
	}
	return aws.ToString(out.Organization.Id), nil
}
