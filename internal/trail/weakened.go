// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Difference is one field in which a trail is worse than it should be.
type Difference struct {
	Field string `json:"field"` // AWS's name, "S3BucketName"; "Tags.team" for a tag
	Want  string `json:"want"`
	Have  string `json:"have"`
	// Note says in words what that means.
	Note string `json:"note,omitempty"`
}

// Names of fields that callers tell apart.
const (
	FieldIsLogging        = "IsLogging"
	FieldIsOrganization   = "IsOrganizationTrail"
	FieldS3BucketName     = "S3BucketName"
	FieldS3BucketOwner    = "S3BucketOwner"
	FieldS3KeyPrefix      = "S3KeyPrefix"
	FieldKmsKeyID         = "KmsKeyId"
	FieldEventSelectors   = "EventSelectors"
	FieldInsightSelectors = "InsightSelectors"
	fieldTags             = "Tags."
)

// Sentence says in words what is weaker.
func (d Difference) Sentence() string {
	if d.Note != "" {
		return d.Field + ": " + d.Note
	}
	return d.Field + " is " + d.Have + ", want " + d.Want
}

// IsTag reports whether the difference is one of tags.
func (d Difference) IsTag() bool { return strings.HasPrefix(d.Field, fieldTags) }

// IsDestination reports whether log files no longer arrive where they should, or arrive unreadable.
func (d Difference) IsDestination() bool {
	return slices.Contains([]string{FieldS3BucketName, FieldS3BucketOwner, FieldS3KeyPrefix, FieldKmsKeyID}, d.Field)
}

// IsUpdate reports whether UpdateTrail is the call that puts the field right.
func (d Difference) IsUpdate() bool {
	switch d.Field {
	case FieldIsLogging, FieldEventSelectors, FieldInsightSelectors, FieldS3BucketOwner:
		return false
	}
	return !d.IsTag()
}

// Weakened compares field by field and returns, in a fixed order, everything in which have is weaker than want. A field
// in which have is stronger is no difference and outweighs none. Another destination or key is a difference in both
// directions, also where there was none before: it may be somebody else's.
func Weakened(want, have Trail) []Difference {
	w := weakening{}
	w.flag(FieldIsLogging, want.IsLogging, have.IsLogging, "the trail does not record")
	w.flag("IsMultiRegionTrail", want.IsMultiRegionTrail, have.IsMultiRegionTrail, "other regions are not recorded")
	w.flag("IncludeGlobalServiceEvents", want.IncludeGlobalServiceEvents, have.IncludeGlobalServiceEvents, "IAM and STS are not recorded")
	w.flag("LogFileValidationEnabled", want.LogFileValidationEnabled, have.LogFileValidationEnabled, "no digest files: tampering cannot be proven")
	w.flag(FieldIsOrganization, want.IsOrganizationTrail, have.IsOrganizationTrail, "member accounts are not recorded")
	w.same(FieldS3BucketName, want.S3BucketName, have.S3BucketName, "log files go to another bucket")
	if want.S3BucketOwner != "" && have.S3BucketOwner != "" {
		w.same(FieldS3BucketOwner, want.S3BucketOwner, have.S3BucketOwner, "the bucket belongs to another account")
	}
	w.same(FieldS3KeyPrefix, want.S3KeyPrefix, have.S3KeyPrefix, "log files go to another place in the bucket")
	if !sameKey(want.KmsKeyId, have.KmsKeyId) {
		w.same(FieldKmsKeyID, want.KmsKeyId, have.KmsKeyId, keyNote(have.KmsKeyId))
	}
	if !sameTopic(want, have) {
		w.same("SnsTopicName", want.Topic(), have.Topic(), "notifications go elsewhere")
	}
	w.same("CloudWatchLogsLogGroupArn", trimGroup(want.CloudWatchLogsLogGroupArn), trimGroup(have.CloudWatchLogsLogGroupArn), "events go to another log group, or to none")
	w.same("CloudWatchLogsRoleArn", want.CloudWatchLogsRoleArn, have.CloudWatchLogsRoleArn, "events are delivered with another role")
	w.selectors(want, have)
	w.tags(want.Tags, have.Tags)
	return w.found
}

type weakening struct{ found []Difference }

func (w *weakening) add(field, want, have, note string) {
	w.found = append(w.found, Difference{Field: field, Want: brief(want), Have: brief(have), Note: note})
}

func (w *weakening) flag(field string, want, have bool, note string) {
	if want && !have {
		w.add(field, "true", "false", note)
	}
}

func (w *weakening) same(field, want, have, note string) {
	if want != have {
		w.add(field, want, have, note)
	}
}

func (w *weakening) selectors(want, have Trail) {
	lost := describeAll(uncovered(want.eventClauses(), have.eventClauses()))
	if len(lost) > 0 {
		w.add(FieldEventSelectors, want.selectorText(), have.selectorText(), "not recorded any more: "+joinSome(lost))
	}
	lost = describeAll(uncovered(want.insightClauses(), have.insightClauses()))
	if len(lost) > 0 {
		w.add(FieldInsightSelectors, string(mustJSON(want.InsightSelectors)), string(mustJSON(have.InsightSelectors)),
			"not watched any more: "+joinSome(lost))
	}
}

func (w *weakening) tags(want, have map[string]string) {
	for _, k := range slices.Sorted(maps.Keys(want)) {
		got, ok := have[k]
		switch {
		case !ok:
			w.add(fieldTags+k, want[k], "", "the tag was removed")
		case got != want[k]:
			w.add(fieldTags+k, want[k], got, "the tag has another value")
		}
	}
}

func (t Trail) selectorText() string {
	switch {
	case t.HasDefaultSelectors():
		return "default"
	case len(t.AdvancedEventSelectors) > 0:
		return string(mustJSON(t.AdvancedEventSelectors))
	}
	return string(mustJSON(t.EventSelectors))
}

// sameKey compares what AWS accepts for one key: its id, its ARN. An alias is not resolved here and differs from both.
func sameKey(a, b string) bool {
	return a == b || a != "" && b != "" && (keyID(a) == b || keyID(b) == a)
}

// keyID is the id in a key's ARN, "" for anything else.
func keyID(key string) string {
	p, err := arn.Parse(key)
	if err != nil {
		return ""
	}
	id, _ := strings.CutPrefix(p.Resource, "key/")
	return id
}

func keyNote(have string) string {
	if have == "" {
		return "log files are no longer encrypted with the key"
	}
	return "log files are encrypted with another key"
}

// sameTopic compares by ARN, or by name where one side has only that.
func sameTopic(a, b Trail) bool {
	if a.SnsTopicARN != "" && b.SnsTopicARN != "" {
		return a.SnsTopicARN == b.SnsTopicARN
	}
	return topicName(a.Topic()) == topicName(b.Topic())
}

func topicName(topic string) string {
	p, err := arn.Parse(topic)
	if err != nil {
		return topic
	}
	return p.Resource
}

// trimGroup takes the ":*" from a log group's ARN, which AWS accepts and returns with and without it.
func trimGroup(group string) string { return strings.TrimSuffix(group, ":*") }

// maxText bounds what a difference quotes: half of it was written by whoever changed the trail.
const maxText = 400

func brief(s string) string {
	if len(s) <= maxText {
		return s
	}
	return strings.ToValidUTF8(s[:maxText], "") + "… (" + strconv.Itoa(len(s)) + " bytes)"
}

// maxListed bounds the lists in notes.
const maxListed = 12

func joinSome(list []string) string {
	if len(list) <= maxListed {
		return strings.Join(list, "; ")
	}
	return strings.Join(list[:maxListed], "; ") + "; and " + strconv.Itoa(len(list)-maxListed) + " more"
}
