// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/switchback-project/switchback/internal/arn"
)

// Queue is the configuration of the SQS queue from which we take events, in AWS's words.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_GetQueueAttributes.html
type Queue struct {
	Exists bool    `json:"Exists"`
	ARN    arn.ARN `json:"QueueArn,omitempty"`
	// CreatedTimestamp in seconds tells a queue from an earlier one of its name.
	CreatedTimestamp string `json:"CreatedTimestamp,omitempty"`
	// Policy is canonical, see CanonicalPolicy; so are RedrivePolicy, see CanonicalRedrive, and RedriveAllowPolicy, see
	// CanonicalPattern.
	Policy             json.RawMessage `json:"Policy,omitempty"`
	RedrivePolicy      json.RawMessage `json:"RedrivePolicy,omitempty"`
	RedriveAllowPolicy json.RawMessage `json:"RedriveAllowPolicy,omitempty"`
	// Attributes are the others of QueueAttributes that are set, by AWS's names.
	Attributes map[string]string `json:"Attributes,omitempty"`
}

// Fields of a queue that callers tell apart: AWS's names of attributes.
const (
	FieldQueueRedrive      = "RedrivePolicy"
	FieldQueueRedriveAllow = "RedriveAllowPolicy"
	FieldQueueKey          = "KmsMasterKeyId"
	FieldQueueSSE          = "SqsManagedSseEnabled"
)

// queueAttributes is what a queue's plain attributes are compared by: "more" is worse when it is less, "less" when it is
// more, "same" when it is anything else, "true" when it is not; those with "" do not matter to who only waits for events.
var queueAttributes = []struct{ name, better, note string }{
	{"FifoQueue", "same", "the queue was made again as one of another kind"},
	{"MessageRetentionPeriod", "more", "events are kept for less long"},
	{"MaximumMessageSize", "more", "large events are refused"},
	{"DelaySeconds", "less", "events are held back"},
	{"VisibilityTimeout", "same", "an event that was not finished comes again too late, or too early"},
	{FieldQueueKey, "key", "events are encrypted with another key, or with none: who sends or reads them may not use it"},
	{FieldQueueSSE, "true", "events are not encrypted any more"},
	{"ReceiveMessageWaitTimeSeconds", "", ""},
	{"KmsDataKeyReusePeriodSeconds", "", ""},
	{"ContentBasedDeduplication", "", ""},
	{"DeduplicationScope", "", ""},
	{"FifoThroughputLimit", "", ""},
}

// QueueAttributes are the names of a queue's attributes that a baseline holds, apart from its three policies.
func QueueAttributes() []string {
	var out []string
	for _, a := range queueAttributes {
		out = append(out, a.name)
	}
	return out
}

// WeakenedQueue returns, in a fixed order, everything in which have is weaker than want.
func WeakenedQueue(want, have Queue) []Difference {
	w := weakening{}
	if w.gone(want.Exists, have.Exists, "the queue is gone: no events reach us") {
		return w.found
	}
	w.policy(FieldPolicy, want.Policy, have.Policy)
	for _, a := range queueAttributes {
		if isWorse(a.better, want.Attributes[a.name], have.Attributes[a.name]) {
			w.add(a.name, want.Attributes[a.name], have.Attributes[a.name], a.note)
		}
	}
	w.document(FieldQueueRedrive, want.RedrivePolicy, have.RedrivePolicy, "events that fail go elsewhere, sooner, or are tried for ever")
	w.document(FieldQueueRedriveAllow, want.RedriveAllowPolicy, have.RedriveAllowPolicy, "other queues may send their failures here")
	return w.found
}

func isWorse(better, want, have string) bool {
	switch better {
	case "":
		return false
	case "key":
		return !sameKey(want, have)
	case "true":
		return want == "true" && have != "true"
	case "same":
		return want != have
	}
	w, err := strconv.Atoi(want)
	h, alsoErr := strconv.Atoi(have)
	switch {
	case err != nil || alsoErr != nil:
		return want != have
	case better == "more":
		return h < w
	}
	return h > w
}

// document compares two canonical documents that can only be compared as a whole.
func (w *weakening) document(field string, want, have json.RawMessage, note string) {
	if !bytes.Equal(want, have) {
		w.add(field, string(want), string(have), note)
	}
}

// CanonicalRedrive is a redrive policy with its keys sorted. AWS takes maxReceiveCount as a number and as its text.
//
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
func CanonicalRedrive(document string) json.RawMessage {
	policy := CanonicalPattern(document)
	var members map[string]any
	if json.Unmarshal(policy, &members) != nil {
		return policy
	}
	if n, ok := members["maxReceiveCount"].(float64); ok {
		members["maxReceiveCount"] = strconv.FormatFloat(n, 'f', -1, 64)
	}
	return mustJSON(members)
}
