// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"maps"
	"strings"
)

// IsSoft reports whether a field says nothing about what is recorded, where it is kept and whether that can be trusted: a
// copy that goes elsewhere, or a tag.
func IsSoft(field string) bool {
	switch field {
	case "SnsTopicName", "CloudWatchLogsLogGroupArn", "CloudWatchLogsRoleArn":
		return true
	}
	return strings.HasPrefix(field, fieldTags)
}

// With returns t with one field, named as differences name it, as it is in from. A bucket comes with its owner, selectors
// of events in both their kinds. A name that is none changes nothing.
func (t Trail) With(field string, from Trail) Trail {
	switch field {
	case FieldIsLogging:
		t.IsLogging = from.IsLogging
	case "IsMultiRegionTrail":
		t.IsMultiRegionTrail = from.IsMultiRegionTrail
	case "IncludeGlobalServiceEvents":
		t.IncludeGlobalServiceEvents = from.IncludeGlobalServiceEvents
	case "LogFileValidationEnabled":
		t.LogFileValidationEnabled = from.LogFileValidationEnabled
	case "IsOrganizationTrail":
		t.IsOrganizationTrail = from.IsOrganizationTrail
	case FieldS3BucketName, FieldS3BucketOwner:
		t.S3BucketName, t.S3BucketOwner = from.S3BucketName, from.S3BucketOwner
	case FieldS3KeyPrefix:
		t.S3KeyPrefix = from.S3KeyPrefix
	case FieldKmsKeyID:
		t.KmsKeyId = from.KmsKeyId
	case "SnsTopicName":
		t.SnsTopicName, t.SnsTopicARN = from.SnsTopicName, from.SnsTopicARN
	case "CloudWatchLogsLogGroupArn":
		t.CloudWatchLogsLogGroupArn = from.CloudWatchLogsLogGroupArn
	case "CloudWatchLogsRoleArn":
		t.CloudWatchLogsRoleArn = from.CloudWatchLogsRoleArn
	case FieldEventSelectors:
		t.EventSelectors, t.AdvancedEventSelectors = from.EventSelectors, from.AdvancedEventSelectors
	case FieldInsightSelectors:
		t.InsightSelectors = from.InsightSelectors
	}
	if key, ok := strings.CutPrefix(field, fieldTags); ok {
		t.Tags = withTag(t.Tags, key, from.Tags)
	}
	return t
}

func withTag(tags map[string]string, key string, from map[string]string) map[string]string {
	out := maps.Clone(tags)
	value, ok := from[key]
	switch {
	case !ok:
		delete(out, key)
	case out == nil:
		return map[string]string{key: value}
	default:
		out[key] = value
	}
	return out
}

// Changed lists the fields in which b differs from a in either direction, as differences name them, in a fixed order.
func Changed(a, b Trail) []string {
	return fieldsOf(append(Weakened(a, b), Weakened(b, a)...))
}

// fieldsOf are the fields of differences, each once.
func fieldsOf(differences []Difference) []string {
	var fields []string
	seen := map[string]bool{}
	for _, d := range differences {
		if !seen[d.Field] {
			seen[d.Field] = true
			fields = append(fields, d.Field)
		}
	}
	return fields
}
