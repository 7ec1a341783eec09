// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package watcher

import (
	"time"

	"github.com/switchback-project/switchback/internal/trail"
)

// Call is an API call that one look at one resource makes, once.
type Call struct {
	Service   string // the SDK's ServiceID, "CloudTrail"
	Operation string
}

// trailCalls are those of a look at a trail, by tier.
var trailCalls = map[Tier][]Call{
	TierStatus:        {{"CloudTrail", "GetTrailStatus"}},
	TierConfiguration: {{"CloudTrail", "DescribeTrails"}, {"CloudTrail", "GetEventSelectors"}},
	TierRest:          {{"CloudTrail", "GetInsightSelectors"}, {"CloudTrail", "ListTags"}},
}

// dependencyCalls are those of a look at what trails depend on. A role has as many inline policies as it has; one is
// counted.
var dependencyCalls = map[trail.Kind][]Call{
	trail.KindKey: {{"KMS", "DescribeKey"}, {"KMS", "GetKeyPolicy"}, {"KMS", "ListGrants"}, {"KMS", "ListAliases"}},
	trail.KindBucket: {
		{"S3", "HeadBucket"}, {"S3", "GetBucketPolicy"}, {"S3", "GetBucketLifecycleConfiguration"}, {"S3", "GetBucketVersioning"},
		{"S3", "GetObjectLockConfiguration"}, {"S3", "GetBucketEncryption"}, {"S3", "GetPublicAccessBlock"},
		{"S3", "GetBucketOwnershipControls"}, {"S3", "GetBucketAcl"}, {"S3", "GetBucketNotificationConfiguration"},
		{"S3", "GetBucketReplication"}, {"S3", "GetBucketRequestPayment"}, {"S3", "GetBucketLogging"},
	},
	trail.KindRule:  {{"EventBridge", "DescribeRule"}, {"EventBridge", "ListTargetsByRule"}},
	trail.KindTopic: {{"SNS", "GetTopicAttributes"}, {"SNS", "ListSubscriptionsByTopic"}},
	trail.KindLogGroup: {
		{"CloudWatch Logs", "DescribeLogGroups"}, {"CloudWatch Logs", "DescribeMetricFilters"}, {"CloudWatch Logs", "DescribeSubscriptionFilters"},
	},
	trail.KindRole:  {{"IAM", "GetRole"}, {"IAM", "ListRolePolicies"}, {"IAM", "GetRolePolicy"}, {"IAM", "ListAttachedRolePolicies"}},
	trail.KindQueue: {{"SQS", "GetQueueAttributes"}},
	trail.KindAlarm: {{"CloudWatch", "DescribeAlarms"}},
}

// Load is what one call amounts to in a time.
type Load struct {
	Call
	Tier  Tier
	Every time.Duration
	// Resources is how many are looked at with it, Calls how often it is made.
	Resources int
	Calls     float64
}

// LoadOf is what the watcher calls in a time, of so many trails, and of so many resources of each kind that they depend
// on: in the order of the tiers.
func (o Options) LoadOf(trails int, dependencyCount func(trail.Kind) int, in time.Duration) []Load {
	o = o.Defaults()
	var all []Load
	add := func(t Tier, calls []Call, n int) {
		every := o.every(t)
		for _, c := range calls {
			if n > 0 {
				all = append(all, Load{c, t, every, n, float64(n) * float64(in) / float64(every)})
			}
		}
	}
	for _, t := range Tiers() {
		add(t, trailCalls[t], trails)
		for _, d := range dependencies {
			if d.tier == t {
				add(t, dependencyCalls[d.kind], dependencyCount(d.kind))
			}
		}
	}
	return all
}
