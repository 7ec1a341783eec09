// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/switchback-project/switchback/internal/arn"
)

// LogGroup is the configuration of the CloudWatch Logs log group of a trail, in AWS's words.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogGroup.html
type LogGroup struct {
	Exists bool `json:"Exists"`
	// ARN has no ":*" at its end.
	ARN arn.ARN `json:"logGroupArn,omitempty"`
	// CreationTime in milliseconds tells a group from an earlier one of its name.
	CreationTime int64 `json:"creationTime,omitempty"`
	// RetentionInDays is 0 where events are kept for ever.
	RetentionInDays int32 `json:"retentionInDays,omitempty"`
	//lint:ignore ST1003 AWS's spelling, also in JSON
	KmsKeyId      string `json:"kmsKeyId,omitempty"`
	LogGroupClass string `json:"logGroupClass,omitempty"` // "" is STANDARD
	// DataProtectionPolicy masks parts of events, canonical; see CanonicalPolicy.
	DataProtectionPolicy json.RawMessage `json:"dataProtectionPolicy,omitempty"`
	// The filters are sorted by their names.
	MetricFilters       []MetricFilter       `json:"metricFilters,omitempty"`
	SubscriptionFilters []SubscriptionFilter `json:"subscriptionFilters,omitempty"`
}

// MetricFilter makes numbers of events; alarms hang on them.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricFilter.html
type MetricFilter struct {
	FilterName             string                 `json:"filterName"`
	FilterPattern          string                 `json:"filterPattern"`
	ApplyOnTransformedLogs bool                   `json:"applyOnTransformedLogs,omitempty"`
	FieldSelectionCriteria string                 `json:"fieldSelectionCriteria,omitempty"`
	EmitSystemFields       []string               `json:"emitSystemFieldDimensions,omitempty"`
	MetricTransformations  []MetricTransformation `json:"metricTransformations,omitempty"`
}

// MetricTransformation is what a metric filter counts.
type MetricTransformation struct {
	MetricName      string            `json:"metricName"`
	MetricNamespace string            `json:"metricNamespace"`
	MetricValue     string            `json:"metricValue"`
	DefaultValue    *float64          `json:"defaultValue,omitempty"`
	Dimensions      map[string]string `json:"dimensions,omitempty"`
	Unit            string            `json:"unit,omitempty"` // "" is None
}

// SubscriptionFilter sends events on as they come.
//
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_SubscriptionFilter.html
type SubscriptionFilter struct {
	FilterName             string   `json:"filterName"`
	FilterPattern          string   `json:"filterPattern"`
	DestinationArn         string   `json:"destinationArn"`
	RoleArn                string   `json:"roleArn,omitempty"`
	Distribution           string   `json:"distribution,omitempty"` // "" is ByLogStream
	ApplyOnTransformedLogs bool     `json:"applyOnTransformedLogs,omitempty"`
	FieldSelectionCriteria string   `json:"fieldSelectionCriteria,omitempty"`
	EmitSystemFields       []string `json:"emitSystemFields,omitempty"`
}

// Fields of a log group that callers tell apart. Those of filters end in the filter's name.
const (
	FieldRetention           = "retentionInDays"
	FieldGroupKey            = "kmsKeyId"
	FieldGroupClass          = "logGroupClass"
	FieldDataProtection      = "dataProtectionPolicy"
	fieldMetricFilters       = "metricFilters."
	fieldSubscriptionFilters = "subscriptionFilters."
)

// FieldMetricFilter is the field of a difference in a metric filter.
func FieldMetricFilter(name string) string { return fieldMetricFilters + brief(name) }

// FieldSubscriptionFilter is the field of a difference in a subscription filter.
func FieldSubscriptionFilter(name string) string { return fieldSubscriptionFilters + brief(name) }

// WeakenedLogGroup returns, in a fixed order, everything in which have is weaker than want.
func WeakenedLogGroup(want, have LogGroup) []Difference {
	w := weakening{}
	if w.gone(want.Exists, have.Exists, "the log group is gone: no metrics, alarms or subscribers see events") {
		return w.found
	}
	switch {
	case isShorter(want.RetentionInDays, have.RetentionInDays):
		w.add(FieldRetention, days(want.RetentionInDays), days(have.RetentionInDays), "events are kept for less long")
	case want.CreationTime != have.CreationTime:
		w.same(FieldRetention, days(want.RetentionInDays), days(have.RetentionInDays), "the group was made again, without its retention")
	}
	if !sameKey(want.KmsKeyId, have.KmsKeyId) {
		w.same(FieldGroupKey, want.KmsKeyId, have.KmsKeyId, "events are encrypted with another key, or with none")
	}
	w.same(FieldGroupClass, want.LogGroupClass, have.LogGroupClass, "the group was made again in another class, which has no such filters")
	if !bytes.Equal(want.DataProtectionPolicy, have.DataProtectionPolicy) {
		w.add(FieldDataProtection, string(want.DataProtectionPolicy), string(have.DataProtectionPolicy), "other parts of events are masked")
	}
	for _, f := range want.MetricFilters {
		compareFilter(&w, FieldMetricFilter, f, have.MetricFilters, MetricFilter.name, "the metric does not count any more what it counted")
	}
	for _, f := range want.SubscriptionFilters {
		compareFilter(&w, FieldSubscriptionFilter, f, have.SubscriptionFilters, SubscriptionFilter.name, "the subscriber gets other events than before, or none")
	}
	for _, f := range AddedSubscriptionFilters(want, have) {
		w.add(FieldSubscriptionFilter(f.FilterName), "", string(mustJSON(f)), "events are copied to a new destination")
	}
	return w.found
}

// isShorter reports whether events are kept for less long; 0 days are for ever.
func isShorter(want, have int32) bool {
	return have != 0 && (want == 0 || have < want)
}

// AddedSubscriptionFilters are those of have whose names want does not know.
func AddedSubscriptionFilters(want, have LogGroup) []SubscriptionFilter {
	return slices.DeleteFunc(slices.Clone(have.SubscriptionFilters), func(f SubscriptionFilter) bool {
		return slices.ContainsFunc(want.SubscriptionFilters, func(x SubscriptionFilter) bool { return x.FilterName == f.FilterName })
	})
}

func (f MetricFilter) name() string       { return f.FilterName }
func (f SubscriptionFilter) name() string { return f.FilterName }

// compareFilter: a filter of the same name must be the same filter.
func compareFilter[F any](w *weakening, field func(name string) string, want F, list []F, name func(F) string, note string) {
	i := slices.IndexFunc(list, func(f F) bool { return name(f) == name(want) })
	have := ""
	if i >= 0 {
		have = string(mustJSON(list[i]))
	}
	w.same(field(name(want)), string(mustJSON(want)), have, note)
}

func days(n int32) string {
	if n == 0 {
		return "for ever"
	}
	return strconv.Itoa(int(n)) + " days"
}

// Values that AWS writes out for what was not said.
const (
	standardClass = "STANDARD"
	byLogStream   = "ByLogStream"
	unitNone      = "None"
)

// Canonical returns g in the one form in which equal log groups are equal.
func (g LogGroup) Canonical() LogGroup {
	g.LogGroupClass = unless(standardClass, g.LogGroupClass)
	g.MetricFilters = canonicalList(g.MetricFilters, func(f MetricFilter) MetricFilter {
		f.EmitSystemFields = sorted(f.EmitSystemFields)
		f.MetricTransformations = canonicalList(f.MetricTransformations, func(t MetricTransformation) MetricTransformation {
			t.Unit = unless(unitNone, t.Unit)
			if len(t.Dimensions) == 0 {
				t.Dimensions = nil
			}
			return t
		})
		return f
	})
	g.SubscriptionFilters = canonicalList(g.SubscriptionFilters, func(f SubscriptionFilter) SubscriptionFilter {
		f.Distribution = unless(byLogStream, f.Distribution)
		f.EmitSystemFields = sorted(f.EmitSystemFields)
		return f
	})
	return g
}

// unless is s, or "" where it is only what AWS takes for nothing.
func unless(usual, s string) string {
	if s == usual {
		return ""
	}
	return s
}
