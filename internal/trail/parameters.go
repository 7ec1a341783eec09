// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package trail

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/switchback-project/switchback/cloudtrail"
)

// parameters are the request parameters, or response elements, of calls about trails. CloudTrail writes the API's
// members in lower camel case; encoding/json matches names without regard to case. A nil pointer is a member that the
// call did not give.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_UpdateTrail.html
type parameters struct {
	Name, TrailName, TrailARN, ResourceID *text

	S3BucketName, S3KeyPrefix                        *text
	SnsTopicName, SnsTopicARN                        *text
	IncludeGlobalServiceEvents, IsMultiRegionTrail   *boolean
	EnableLogFileValidation                          *boolean // in requests
	LogFileValidationEnabled                         *boolean // in responses
	CloudWatchLogsLogGroupArn, CloudWatchLogsRoleArn *text
	//lint:ignore ST1003 AWS's spelling, also in JSON
	KmsKeyId            *text
	IsOrganizationTrail *boolean

	EventSelectors         *[]eventSelectorParameters
	AdvancedEventSelectors *[]AdvancedEventSelector
	InsightSelectors       *[]InsightSelector
	TagsList               []struct{ Key, Value string }

	Omitted bool
}

type eventSelectorParameters struct {
	ReadWriteType                 string
	IncludeManagementEvents       *bool // default true
	ExcludeManagementEventSources []string
	DataResources                 []DataResource
}

// text and boolean accept what old record versions write: numbers and booleans as text, a list of one.
type (
	text    string
	boolean bool
)

// UnmarshalJSON accepts a string or a list of one.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = text(s)
		return nil
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil || len(list) != 1 {
		return fmt.Errorf("want text, have %.100s", b)
	}
	*t = text(list[0])
	return nil
}

// UnmarshalJSON accepts true, false and both as text.
func (v *boolean) UnmarshalJSON(b []byte) error {
	parsed, err := strconv.ParseBool(string(bytes.Trim(b, `"`)))
	if err != nil {
		return fmt.Errorf("want true or false, have %.100s", b)
	}
	*v = boolean(parsed)
	return nil
}

// read decodes the request parameters of a record. Parameters that AWS left out for their size are an error, as is
// anything of another shape: what cannot be read must not look like a call that gave nothing.
func read(r cloudtrail.Record) (request, response parameters, err error) {
	if err := decode(r.RequestParameters, &request); err != nil {
		return request, response, fmt.Errorf("read request parameters of %s %s: %w", r.EventName, r.EventID, err)
	}
	if err := decode(r.ResponseElements, &response); err != nil {
		return request, response, fmt.Errorf("read response elements of %s %s: %w", r.EventName, r.EventID, err)
	}
	if request.Omitted {
		return request, response, fmt.Errorf("read request parameters of %s %s: AWS left them out for their size", r.EventName, r.EventID)
	}
	return request, response, nil
}

func decode(raw json.RawMessage, into *parameters) error {
	if len(raw) == 0 {
		return nil
	}
	return json.Unmarshal(raw, into)
}

// apply sets what the call gave.
func (p parameters) apply(t *Trail) {
	setText(&t.S3BucketName, p.S3BucketName)
	setText(&t.S3KeyPrefix, p.S3KeyPrefix)
	p.applyTopic(t)
	setBool(&t.IncludeGlobalServiceEvents, p.IncludeGlobalServiceEvents)
	setBool(&t.IsMultiRegionTrail, p.IsMultiRegionTrail)
	setBool(&t.LogFileValidationEnabled, p.EnableLogFileValidation)
	setBool(&t.LogFileValidationEnabled, p.LogFileValidationEnabled)
	setText(&t.CloudWatchLogsLogGroupArn, p.CloudWatchLogsLogGroupArn)
	setText(&t.CloudWatchLogsRoleArn, p.CloudWatchLogsRoleArn)
	setText(&t.KmsKeyId, p.KmsKeyId)
	setBool(&t.IsOrganizationTrail, p.IsOrganizationTrail)
}

// applyTopic: a request names the topic, a response has its ARN too.
func (p parameters) applyTopic(t *Trail) {
	if p.SnsTopicName != nil {
		t.SnsTopicName, t.SnsTopicARN = string(*p.SnsTopicName), ""
	}
	if p.SnsTopicARN != nil {
		t.SnsTopicARN = string(*p.SnsTopicARN)
	}
}

// applySelectors replaces the set, and the other kind, as PutEventSelectors does.
func (p parameters) applySelectors(t *Trail) {
	switch {
	case p.EventSelectors != nil:
		t.EventSelectors, t.AdvancedEventSelectors = classic(*p.EventSelectors), nil
	case p.AdvancedEventSelectors != nil:
		t.EventSelectors, t.AdvancedEventSelectors = nil, *p.AdvancedEventSelectors
	}
}

func classic(list []eventSelectorParameters) []EventSelector {
	out := make([]EventSelector, 0, len(list))
	for _, s := range list {
		out = append(out, EventSelector{
			ReadWriteType:                 s.ReadWriteType,
			IncludeManagementEvents:       s.IncludeManagementEvents == nil || *s.IncludeManagementEvents,
			ExcludeManagementEventSources: s.ExcludeManagementEventSources,
			DataResources:                 s.DataResources,
		}.canonical())
	}
	return out
}

func setText(field *string, v *text) {
	if v != nil {
		*field = string(*v)
	}
}

func setBool(field *bool, v *boolean) {
	if v != nil {
		*field = bool(*v)
	}
}
