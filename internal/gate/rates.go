// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"strings"
)

// quota is a limit of AWS on one group of operations, for each account and region.
type quota struct {
	service string
	// prefixes or names of the operations; none is all that no line above took.
	prefixes, names  []string
	perSecond, burst float64
}

// quotas: the first line that fits holds. A service without a line has otherQuota; a nil quota is no limit.
//
// Where AWS publishes a number it stands here with its page. Where it publishes none, ours is one that leaves room for the
// account's own tools.
var quotas = []*quota{
	// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html: 10 a second for Get,
	// Describe and List, 2 for LookupEvents, 1 for all others; none can be raised.
	{service: "CloudTrail", names: []string{"LookupEvents"}, perSecond: 2, burst: 2},
	{service: "CloudTrail", prefixes: []string{"Get", "Describe", "List"}, perSecond: 10, burst: 10},
	{service: "CloudTrail", perSecond: 1, burst: 1},
	// https://repost.aws/knowledge-center/cloudwatch-logs-throttling: 5 a second for FilterLogEvents.
	{service: "CloudWatch Logs", names: []string{"FilterLogEvents"}, perSecond: 5, burst: 5},
	{service: "CloudWatch Logs", perSecond: 5, burst: 10},
	// https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: buckets of 100 refilled with 20 a second
	// for reads, of 50 with 5 for changes. Half of the buckets is left to others.
	{service: "EC2", prefixes: []string{"Describe", "Get"}, perSecond: 20, burst: 50},
	{service: "EC2", perSecond: 5, burst: 25},
	// https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html: changes of keys 5 to 15 a second.
	{service: "KMS", prefixes: []string{"Describe", "Get", "List", "Decrypt", "Verify"}, perSecond: 100, burst: 100},
	{service: "KMS", perSecond: 5, burst: 5},
	{service: "Organizations", perSecond: 5, burst: 10},
	// https://docs.aws.amazon.com/AmazonS3/latest/userguide/optimizing-performance.html: 5,500 reads and 3,500 writes a
	// second for each prefix; the gate does not know prefixes. The SDK backs off from SlowDown.
	{service: "S3", names: []string{
		"GetObject", "HeadObject", "ListObjectsV2", "ListObjectVersions", "PutObject", "UploadPart", "GetObjectAttributes",
	}, perSecond: 3000, burst: 3000},
	// https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html: 10 a second, bursts of 30.
	{service: "SecurityHub", names: []string{"BatchImportFindings"}, perSecond: 10, burst: 30},
}

var (
	otherQuota = &quota{perSecond: 20, burst: 20}
	// unlimited services are the queues and the stores that we work on ourselves: standard queues and on-demand tables
	// have no quota that we could reach, and a wait would only make messages late.
	unlimited = []string{"DynamoDB", "SQS"}
)

// quotaOf finds the quota of a call, nil for none. Services without a line of their own share otherQuota's numbers, and
// its bucket too: a bucket for each would let a sweep over all services take a multiple of what was meant.
func quotaOf(service, operation string) *quota {
	for _, q := range quotas {
		if q.service == service && q.fits(operation) {
			return q
		}
	}
	if slices.Contains(unlimited, service) {
		return nil
	}
	return otherQuota
}

func (q *quota) fits(operation string) bool {
	if len(q.names) == 0 && len(q.prefixes) == 0 {
		return true
	}
	return slices.Contains(q.names, operation) ||
		slices.ContainsFunc(q.prefixes, func(p string) bool { return strings.HasPrefix(operation, p) })
}
