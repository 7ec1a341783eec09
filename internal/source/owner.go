// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package source

import (
	"cmp"
	"context"
	"fmt"
)

// BucketOwner is the account that a bucket must belong to: the expected one of the configuration, else the account that
// is acted in, else that of the credentials. A bucket that was deleted can be made again by anybody, with records of
// anybody's making in it.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
func (s Services) BucketOwner(ctx context.Context, expected, account, region string) (string, error) {
	if owner := cmp.Or(expected, account); owner != "" {
		return owner, nil
	}
	own, err := s.Gate.Caller(ctx, "", region)
	if err != nil {
		return "", fmt.Errorf("find the account of our credentials, which must own the bucket: %w", err)
	}
	return own.Account, nil
}
