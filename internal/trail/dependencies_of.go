// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Kinds lists the kinds of dependencies in the order of repair.
func Kinds() []Kind {
	return []Kind{KindKey, KindBucket, KindTopic, KindLogGroup, KindRole, KindRule, KindQueue, KindAlarm}
}

// Dependencies lists what the trail names and cannot do without, in the order of repair: key, bucket, topic, log group and
// the role that writes there. What a trail names by an alias, or in no form that an ARN can be made of, is left out.
//
// A bucket of unknown owner is looked for in the trail's own account.
func Dependencies(t Trail) []Dependency {
	home := arn.Parts{Partition: arn.PartitionOf(t.HomeRegion).ID, Region: t.HomeRegion, AccountID: t.Account()}
	var out []Dependency
	add := func(kind Kind, a arn.ARN) {
		p, err := a.Parse()
		if err != nil {
			return
		}
		out = append(out, Dependency{Kind: kind, ARN: a, Account: cmp.Or(p.AccountID, home.AccountID), Region: cmp.Or(p.Region, t.HomeRegion)})
	}
	add(KindKey, keyARN(home, t.KmsKeyId))
	if t.S3BucketName != "" {
		out = append(out, Dependency{Kind: KindBucket, ARN: arn.Bucket(t.HomeRegion, t.S3BucketName), Account: bucketAccount(t)})
	}
	add(KindTopic, topicARN(home, t.Topic()))
	add(KindLogGroup, arn.ARN(trimGroup(t.CloudWatchLogsLogGroupArn)))
	add(KindRole, arn.ARN(t.CloudWatchLogsRoleArn))
	return out
}

// bucketAccount is the known owner of the trail's bucket, else the trail's.
func bucketAccount(t Trail) string {
	if isAccount(t.S3BucketOwner) {
		return t.S3BucketOwner
	}
	return t.Account()
}

func isAccount(id string) bool { return len(id) == 12 && strings.Trim(id, "0123456789") == "" }

// keyARN is the ARN of a key that is named by it or by its id, "" for none and for an alias.
func keyARN(home arn.Parts, key string) arn.ARN {
	switch {
	case key == "" || strings.Contains(key, "alias/"):
		return ""
	case arn.IsARN(key):
		return arn.ARN(key)
	}
	home.Service, home.Resource = "kms", "key/"+key
	return home.ARN()
}

func topicARN(home arn.Parts, topic string) arn.ARN {
	if topic == "" || arn.IsARN(topic) {
		return arn.ARN(topic)
	}
	home.Service, home.Resource = "sns", topic
	return home.ARN()
}

// InOrder sorts dependencies into the order of repair, those of a kind by ARN, each once.
func InOrder(list []Dependency) []Dependency {
	out := slices.Clone(list)
	slices.SortStableFunc(out, func(a, b Dependency) int {
		return cmp.Or(slices.Index(Kinds(), a.Kind)-slices.Index(Kinds(), b.Kind), strings.Compare(string(a.ARN), string(b.ARN)))
	})
	return slices.CompactFunc(out, func(a, b Dependency) bool { return a.Kind == b.Kind && a.ARN == b.ARN })
}
