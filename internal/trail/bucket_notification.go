// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"slices"
	"strings"
)

// Notification says who is told of new objects.
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_NotificationConfiguration.html
type Notification struct {
	QueueConfigurations          []Notified   `json:",omitempty"`
	TopicConfigurations          []Notified   `json:",omitempty"`
	LambdaFunctionConfigurations []Notified   `json:",omitempty"`
	EventBridgeConfiguration     *EventBridge `json:",omitempty"`
}

// Notified is one destination; one of its ARNs is set.
type Notified struct {
	ID                *string         `json:"Id,omitempty"`
	QueueArn          string          `json:",omitempty"`
	TopicArn          string          `json:",omitempty"`
	LambdaFunctionArn string          `json:",omitempty"`
	Events            []string        `json:",omitempty"`
	Filter            *NotifiedFilter `json:",omitempty"`
}

// NotifiedFilter takes objects by the beginning and the end of their keys.
type NotifiedFilter struct {
	Key *NotifiedKey `json:",omitempty"`
}

// NotifiedKey holds the rules of a filter.
type NotifiedKey struct {
	FilterRules []NotifiedRule `json:",omitempty"`
}

// NotifiedRule is "prefix" or "suffix", in any case, and its value.
type NotifiedRule struct {
	Name  string
	Value string
}

// EventBridge is there when all events go to EventBridge.
type EventBridge struct{}

func (n Notification) canonical() Notification {
	one := func(d Notified) Notified {
		d.Events = sorted(d.Events)
		return d
	}
	n.QueueConfigurations = canonicalList(n.QueueConfigurations, one)
	n.TopicConfigurations = canonicalList(n.TopicConfigurations, one)
	n.LambdaFunctionConfigurations = canonicalList(n.LambdaFunctionConfigurations, one)
	return n
}

func (n Notification) all() []Notified {
	return slices.Concat(n.QueueConfigurations, n.TopicConfigurations, n.LambdaFunctionConfigurations)
}

func (d Notified) destination() string { return d.QueueArn + d.TopicArn + d.LambdaFunctionArn }

// lost lists the destinations of n that have does not tell of everything.
func (n Notification) lost(have Notification) []string {
	var out []string
	for _, d := range n.all() {
		if !slices.ContainsFunc(have.all(), d.within) {
			out = append(out, brief(d.destination()))
		}
	}
	if n.EventBridgeConfiguration != nil && have.EventBridgeConfiguration == nil {
		out = append(out, "EventBridge")
	}
	return out
}

// within reports whether other tells the same destination of at least as much.
func (d Notified) within(other Notified) bool {
	if d.destination() != other.destination() {
		return false
	}
	for _, e := range d.Events {
		if !slices.ContainsFunc(other.Events, func(o string) bool { return globWithin(e, o) }) {
			return false
		}
	}
	prefix, suffix := d.affixes()
	otherPrefix, otherSuffix := other.affixes()
	return strings.HasPrefix(prefix, otherPrefix) && strings.HasSuffix(suffix, otherSuffix)
}

func (d Notified) affixes() (prefix, suffix string) {
	if d.Filter == nil || d.Filter.Key == nil {
		return "", ""
	}
	for _, r := range d.Filter.Key.FilterRules {
		switch strings.ToLower(r.Name) {
		case "prefix":
			prefix = r.Value
		case "suffix":
			suffix = r.Value
		}
	}
	return prefix, suffix
}

// overlaps reports whether S3 refuses the two beside each other: they share an event and may take the same object.
//
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html
func (d Notified) overlaps(other Notified) bool {
	share := slices.ContainsFunc(d.Events, func(e string) bool {
		return slices.ContainsFunc(other.Events, func(o string) bool { return globsMeet(e, o) })
	})
	prefix, suffix := d.affixes()
	otherPrefix, otherSuffix := other.affixes()
	return share && (strings.HasPrefix(prefix, otherPrefix) || strings.HasPrefix(otherPrefix, prefix)) &&
		(strings.HasSuffix(suffix, otherSuffix) || strings.HasSuffix(otherSuffix, suffix))
}

// With returns have with everything that n wants. The call that puts a notification configuration replaces all of it, so
// what others added since stays, unless S3 would refuse it beside what is wanted.
func (n Notification) With(have Notification) Notification {
	wanted := n.all()
	merge := func(want, have []Notified) []Notified {
		out := slices.Clone(want)
		for _, d := range have {
			if !slices.ContainsFunc(wanted, func(w Notified) bool { return w.overlaps(d) || given(w.ID) != "" && given(w.ID) == given(d.ID) }) {
				out = append(out, d)
			}
		}
		return out
	}
	out := Notification{
		QueueConfigurations:          merge(n.QueueConfigurations, have.QueueConfigurations),
		TopicConfigurations:          merge(n.TopicConfigurations, have.TopicConfigurations),
		LambdaFunctionConfigurations: merge(n.LambdaFunctionConfigurations, have.LambdaFunctionConfigurations),
		EventBridgeConfiguration:     n.EventBridgeConfiguration,
	}
	if out.EventBridgeConfiguration == nil {
		out.EventBridgeConfiguration = have.EventBridgeConfiguration
	}
	return out.canonical()
}
