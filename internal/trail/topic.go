// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/switchback-project/switchback/internal/arn"
)

// Topic is the configuration of the SNS topic of a trail, in AWS's words.
//
// https://docs.aws.amazon.com/sns/latest/api/API_GetTopicAttributes.html
type Topic struct {
	Exists bool    `json:"Exists"`
	ARN    arn.ARN `json:"TopicArn,omitempty"`
	// Policy is canonical; see CanonicalPolicy.
	Policy json.RawMessage `json:"Policy,omitempty"`
	//lint:ignore ST1003 AWS's spelling, also in JSON
	KmsMasterKeyId string `json:"KmsMasterKeyId,omitempty"`
	// Subscriptions are sorted; those that nobody has confirmed yet are left out, for nothing is sent to them.
	Subscriptions []TopicSubscription `json:"Subscriptions,omitempty"`
	// HasMoreSubscriptions: there are more than were read.
	HasMoreSubscriptions bool `json:"HasMoreSubscriptions,omitempty"`
}

// TopicSubscription is one subscriber of a topic.
//
// https://docs.aws.amazon.com/sns/latest/api/API_GetSubscriptionAttributes.html
type TopicSubscription struct {
	Protocol string `json:"Protocol"`
	Endpoint string `json:"Endpoint"`
	// ARN is another one when the subscription is made again.
	ARN string `json:"SubscriptionArn,omitempty"`
	// Attributes are those of SubscriptionAttributes that are set.
	Attributes map[string]string `json:"Attributes,omitempty"`
}

// SubscriptionAttributes are the attributes that decide what a subscriber gets, in an order in which they can be set: what
// a filter policy may say depends on its scope.
//
// https://docs.aws.amazon.com/sns/latest/api/API_SetSubscriptionAttributes.html
func SubscriptionAttributes() []string {
	return []string{"DeliveryPolicy", "FilterPolicyScope", "FilterPolicy", "RawMessageDelivery", "RedrivePolicy", "SubscriptionRoleArn"}
}

// Fields of a topic that callers tell apart.
const (
	FieldTopicKey      = "KmsMasterKeyId"
	fieldSubscriptions = "Subscriptions."
	fieldNew           = "Subscriptions.new."
)

// FieldSubscription is the field of a difference in one subscription, and FieldNewSubscription that of one which is new.
func FieldSubscription(s TopicSubscription) string { return fieldSubscriptions + brief(s.place()) }

// FieldNewSubscription is the field of the difference that a new subscription is.
func FieldNewSubscription(s TopicSubscription) string { return fieldNew + brief(s.place()) }

func (s TopicSubscription) place() string { return s.Protocol + ":" + s.Endpoint }

// SubscriptionIn finds the subscription of the same protocol and endpoint.
func (t Topic) SubscriptionIn(s TopicSubscription) (TopicSubscription, bool) {
	i := slices.IndexFunc(t.Subscriptions, func(x TopicSubscription) bool { return x.place() == s.place() })
	if i < 0 {
		return TopicSubscription{}, false
	}
	return t.Subscriptions[i], true
}

// WeakenedTopic returns, in a fixed order, everything in which have is weaker than want.
func WeakenedTopic(want, have Topic) []Difference {
	w := weakening{}
	if w.gone(want.Exists, have.Exists, "the topic is gone: nobody is notified of log files") {
		return w.found
	}
	w.policy(FieldPolicy, want.Policy, have.Policy)
	if !sameKey(want.KmsMasterKeyId, have.KmsMasterKeyId) {
		w.same(FieldTopicKey, want.KmsMasterKeyId, have.KmsMasterKeyId, "messages are encrypted with another key, or with none")
	}
	for _, s := range want.Subscriptions {
		w.subscription(s, have)
	}
	for _, s := range have.Subscriptions {
		if _, known := want.SubscriptionIn(s); !known && !want.HasMoreSubscriptions {
			w.add(FieldNewSubscription(s), "", s.place(), "a new subscriber is told of every log file")
		}
	}
	return w.found
}

func (w *weakening) subscription(s TopicSubscription, in Topic) {
	have, ok := in.SubscriptionIn(s)
	switch {
	case ok && !maps.Equal(s.Attributes, have.Attributes):
		w.add(FieldSubscription(s), string(mustJSON(s.Attributes)), string(mustJSON(have.Attributes)), "the subscriber gets other messages than before, or none")
	case !ok && !in.HasMoreSubscriptions:
		w.add(FieldSubscription(s), s.place(), "", "the subscriber is no longer notified")
	}
}

// Canonical returns t in the one form in which equal topics are equal.
func (t Topic) Canonical() Topic {
	t.Subscriptions = canonicalList(t.Subscriptions, func(s TopicSubscription) TopicSubscription { return s })
	return t
}
