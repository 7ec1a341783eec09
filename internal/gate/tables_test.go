// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/gate"
)

func TestPermission(t *testing.T) {
	for call, want := range map[string]string{
		"CloudTrail.StartLogging":           "cloudtrail:StartLogging",
		"CloudWatch Logs.DescribeLogGroups": "logs:DescribeLogGroups",
		"EventBridge.PutEvents":             "events:PutEvents",
		"S3.ListObjectsV2":                  "s3:ListBucket",
		"S3.HeadBucket":                     "s3:ListBucket",
		"S3.HeadObject":                     "s3:GetObject",
		"S3.PutPublicAccessBlock":           "s3:PutBucketPublicAccessBlock",
		"S3.DeletePublicAccessBlock":        "s3:PutBucketPublicAccessBlock",
		"S3.GetBucketPolicy":                "s3:GetBucketPolicy",
		"S3.DeleteBucketEncryption":         "s3:PutEncryptionConfiguration",
		"S3 Control.PutPublicAccessBlock":   "s3:PutAccountPublicAccessBlock",
		"SQS.DeleteMessageBatch":            "sqs:DeleteMessage",
		"STS.AssumeRole":                    "sts:AssumeRole",
		"Lambda.Invoke":                     "lambda:InvokeFunction",
		"SFN.StartExecution":                "states:StartExecution",
		"Unheard Of.GetThing":               "",
		"CloudTrail.":                       "",
	} {
		service, op, _ := strings.Cut(call, ".")
		if got := gate.Permission(service, op); got != want {
			t.Errorf("%s: %q, want %q", call, got, want)
		}
	}
}

// TestEveryReadHasAPermission keeps the tables together: a generated policy must be able to name every read.
func TestEveryReadHasAPermission(t *testing.T) {
	services := gate.Services()
	for _, name := range gate.Reads() {
		service, op, _ := strings.Cut(name, ".")
		if gate.Permission(service, op) == "" {
			t.Errorf("%s has none", name)
		}
		if !slices.Contains(services, service) {
			t.Errorf("%s is of an unknown service", name)
		}
	}
	for service := range linked {
		if !slices.Contains(services, service) {
			t.Errorf("%s is linked and unknown", service)
		}
	}
}
