// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package state_test

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/switchback-project/switchback/internal/gate"
)

func tags(key, value string) []types.Tag {
	return []types.Tag{{Key: aws.String(key), Value: aws.String(value)}}
}

// assumeRole lets alice assume the role and returns the key that was issued.
func assumeRole(w *world) (string, error) {
	alice, err := w.s.Credentials(w.seeded.AccessKeys["alice"])
	if err != nil {
		return "", err
	}
	client := sts.NewFromConfig(gate.BackendConfig(w.s, account, w.seeded.Region, alice, "aws-cli"))
	out, err := client.AssumeRole(w.t.Context(), &sts.AssumeRoleInput{RoleArn: &w.seeded.RoleARN, RoleSessionName: aws.String("deploy")})
	if err != nil {
		return "", err
	}
	return *out.Credentials.AccessKeyId, nil
}

// openBucket lets the trail write for a whole organization.
func openBucket(w *world) error {
	client := s3.NewFromConfig(w.root(account, w.seeded.Region))
	out, err := client.GetBucketPolicy(w.t.Context(), &s3.GetBucketPolicyInput{Bucket: &w.seeded.Bucket})
	if err != nil {
		return err
	}
	wider := strings.ReplaceAll(*out.Policy, "AWSLogs/"+account+"/", "AWSLogs/")
	_, err = client.PutBucketPolicy(w.t.Context(), &s3.PutBucketPolicyInput{Bucket: &w.seeded.Bucket, Policy: &wider})
	return err
}
