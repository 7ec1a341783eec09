// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/switchback-project/switchback/internal/arn"
)

// Trail is the whole configuration of a trail, in AWS's words. Its JSON form has the names of DescribeTrails and
// GetEventSelectors; S3BucketOwner is ours.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_Trail.html
type Trail struct {
	Name         string  `json:"Name,omitempty"`
	ARN          arn.ARN `json:"TrailARN,omitempty"`
	HomeRegion   string  `json:"HomeRegion,omitempty"`
	S3BucketName string  `json:"S3BucketName,omitempty"`
	S3KeyPrefix  string  `json:"S3KeyPrefix,omitempty"`
	// S3BucketOwner is the account that the bucket belonged to, "" when that was not found out. A bucket that was
	// deleted can be made again by anybody.
	S3BucketOwner string `json:"S3BucketOwner,omitempty"`
	// SnsTopicARN is "" where only the name is known (old records).
	SnsTopicName               string `json:"SnsTopicName,omitempty"`
	SnsTopicARN                string `json:"SnsTopicARN,omitempty"`
	IncludeGlobalServiceEvents bool   `json:"IncludeGlobalServiceEvents"`
	IsMultiRegionTrail         bool   `json:"IsMultiRegionTrail"`
	LogFileValidationEnabled   bool   `json:"LogFileValidationEnabled"`
	CloudWatchLogsLogGroupArn  string `json:"CloudWatchLogsLogGroupArn,omitempty"`
	CloudWatchLogsRoleArn      string `json:"CloudWatchLogsRoleArn,omitempty"`
	//lint:ignore ST1003 AWS's spelling, also in JSON
	KmsKeyId            string `json:"KmsKeyId,omitempty"`
	IsOrganizationTrail bool   `json:"IsOrganizationTrail"`
	// A trail has event selectors of one kind; none at all means AWS's default, every management event.
	EventSelectors         []EventSelector         `json:"EventSelectors,omitempty"`
	AdvancedEventSelectors []AdvancedEventSelector `json:"AdvancedEventSelectors,omitempty"`
	InsightSelectors       []InsightSelector       `json:"InsightSelectors,omitempty"`
	Tags                   map[string]string       `json:"Tags,omitempty"`
	IsLogging              bool                    `json:"IsLogging"`
}

// EventSelector is a classic (basic) event selector.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_EventSelector.html
type EventSelector struct {
	ReadWriteType                 string         `json:"ReadWriteType"` // ReadOnly, WriteOnly, All
	IncludeManagementEvents       bool           `json:"IncludeManagementEvents"`
	ExcludeManagementEventSources []string       `json:"ExcludeManagementEventSources,omitempty"`
	DataResources                 []DataResource `json:"DataResources,omitempty"`
}

// DataResource selects data events by the beginnings of ARNs. No values select nothing.
type DataResource struct {
	Type   string   `json:"Type"`
	Values []string `json:"Values"`
}

// AdvancedEventSelector matches the events that all of its field selectors match.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedEventSelector.html
type AdvancedEventSelector struct {
	Name           string          `json:"Name,omitempty"`
	FieldSelectors []FieldSelector `json:"FieldSelectors"`
}

// FieldSelector is one condition: any of the positive values, none of the negative ones.
type FieldSelector struct {
	Field         string   `json:"Field"`
	Equals        []string `json:"Equals,omitempty"`
	StartsWith    []string `json:"StartsWith,omitempty"`
	EndsWith      []string `json:"EndsWith,omitempty"`
	NotEquals     []string `json:"NotEquals,omitempty"`
	NotStartsWith []string `json:"NotStartsWith,omitempty"`
	NotEndsWith   []string `json:"NotEndsWith,omitempty"`
}

// InsightSelector turns on one kind of Insights events. No categories mean management events.
type InsightSelector struct {
	InsightType     string   `json:"InsightType"`
	EventCategories []string `json:"EventCategories,omitempty"`
}

// What a trail reads and writes, and the kinds of ReadWriteType.
const (
	readOnlyEvents  = "ReadOnly"
	writeOnlyEvents = "WriteOnly"
	allEvents       = "All"
)

// DefaultEventSelectors are those of a trail that was given none.
func DefaultEventSelectors() []EventSelector {
	return []EventSelector{{ReadWriteType: allEvents, IncludeManagementEvents: true}}
}

// Account is the account that owns the trail, "" for a trail without an ARN.
func (t Trail) Account() string {
	p, err := t.ARN.Parse()
	if err != nil {
		return ""
	}
	return p.AccountID
}

// Topic is what the SNS topic is known by: its ARN, else its name.
func (t Trail) Topic() string { return cmp.Or(t.SnsTopicARN, t.SnsTopicName) }

// HasDefaultSelectors reports whether the trail has no event selectors of its own.
func (t Trail) HasDefaultSelectors() bool {
	return len(t.EventSelectors) == 0 && len(t.AdvancedEventSelectors) == 0
}

// Canonical returns t in the one form in which equal configurations are equal: everything whose order means nothing is
// sorted, empty lists are absent. It shares no memory with t.
func (t Trail) Canonical() Trail {
	t.EventSelectors = canonicalList(t.EventSelectors, EventSelector.canonical)
	t.AdvancedEventSelectors = canonicalList(t.AdvancedEventSelectors, AdvancedEventSelector.canonical)
	t.InsightSelectors = canonicalList(t.InsightSelectors, InsightSelector.canonical)
	tags := t.Tags
	t.Tags = nil
	for k, v := range tags {
		if t.Tags == nil {
			t.Tags = make(map[string]string, len(tags))
		}
		t.Tags[k] = v
	}
	return t
}

// JSON is the canonical form as JSON: the same bytes for the same configuration.
func (t Trail) JSON() json.RawMessage { return mustJSON(t.Canonical()) }

func (s EventSelector) canonical() EventSelector {
	s.ReadWriteType = cmp.Or(s.ReadWriteType, allEvents)
	s.ExcludeManagementEventSources = sorted(s.ExcludeManagementEventSources)
	s.DataResources = canonicalList(s.DataResources, func(d DataResource) DataResource {
		d.Values = append([]string{}, sorted(d.Values)...)
		return d
	})
	return s
}

func (s AdvancedEventSelector) canonical() AdvancedEventSelector {
	s.FieldSelectors = canonicalList(s.FieldSelectors, func(f FieldSelector) FieldSelector {
		return FieldSelector{
			Field: f.Field, Equals: sorted(f.Equals), StartsWith: sorted(f.StartsWith), EndsWith: sorted(f.EndsWith),
			NotEquals: sorted(f.NotEquals), NotStartsWith: sorted(f.NotStartsWith), NotEndsWith: sorted(f.NotEndsWith),
		}
	})
	return s
}

func (s InsightSelector) canonical() InsightSelector {
	s.EventCategories = sorted(s.EventCategories)
	return s
}

// canonicalList returns the canonical elements sorted by their JSON, without repetition; nil for none.
func canonicalList[T any](list []T, canonical func(T) T) []T {
	type keyed struct {
		key  string
		elem T
	}
	all := make([]keyed, 0, len(list))
	for _, elem := range list {
		elem = canonical(elem)
		all = append(all, keyed{string(mustJSON(elem)), elem})
	}
	slices.SortFunc(all, func(a, b keyed) int { return strings.Compare(a.key, b.key) })
	all = slices.CompactFunc(all, func(a, b keyed) bool { return a.key == b.key })
	var out []T
	for _, k := range all {
		out = append(out, k.elem)
	}
	return out
}

// sorted returns a sorted copy without repetition, nil for none.
func sorted(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	out := slices.Clone(list)
	slices.Sort(out)
	return slices.Compact(out)
}

// mustJSON encodes values of this package, which always can be.
func mustJSON(v any) json.RawMessage {
	b, err := json.Marshal(v)
	if err != nil {
		panic("trail: encode: " + err.Error())
	}
	return b
}
