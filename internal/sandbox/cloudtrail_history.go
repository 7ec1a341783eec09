// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sandbox

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// historyOperations reads Event history, which needs no trail.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func historyOperations(t table) {
	handle(t, cloudtrailService, "LookupEvents", reads, lookupEvents)
}

// maxLookup is the largest and the default page of LookupEvents.
const maxLookup = 50

func lookupEvents(c *call, in *cloudtrail.LookupEventsInput) (*cloudtrail.LookupEventsOutput, error) {
	limit := maxLookup
	if in.MaxResults != nil {
		limit = int(*in.MaxResults)
	}
	if limit < 1 || limit > maxLookup {
		return nil, fail(400, &types.InvalidMaxResultsException{Message: msg("MaxResults must be between 1 and 50.")})
	}
	if in.StartTime != nil && in.EndTime != nil && in.StartTime.After(*in.EndTime) {
		return nil, fail(400, &types.InvalidTimeRangeException{Message: msg("Start time cannot be after end time.")})
	}
	match, err := lookupBy(in.LookupAttributes)
	if err != nil {
		return nil, err
	}
	out := &cloudtrail.LookupEventsOutput{Events: []types.Event{}}
	if in.EventCategory != "" {
		return out, nil // Insights events: the sandbox makes none
	}
	h := c.account().historyOf(c.region)
	next, err := h.from(in.NextToken)
	if err != nil {
		return nil, err
	}
	for i := next; i >= 0; i-- {
		e := &h.events[i]
		if in.StartTime != nil && e.at.Before(*in.StartTime) || in.EndTime != nil && e.at.After(*in.EndTime) || !match(e) {
			continue
		}
		if len(out.Events) == limit {
			out.NextToken = aws.String(strconv.Itoa(h.dropped + i + 1))
			break
		}
		out.Events = append(out.Events, e.shown())
	}
	return out, nil
}

// from is the index of the event to go on with, newest first. A token counts from the first event ever, so that neither
// new nor dropped events move it.
func (h *history) from(token *string) (int, error) {
	if token == nil {
		return len(h.events) - 1, nil
	}
	i, err := strconv.Atoi(*token)
	if err != nil || i < 1 || i-h.dropped > len(h.events) {
		return 0, fail(400, &types.InvalidNextTokenException{Message: msg("Invalid token.")})
	}
	return i - h.dropped - 1, nil
}

// lookupBy makes the filter of the one lookup attribute that may be given.
func lookupBy(attributes []types.LookupAttribute) (func(*event) bool, error) {
	if len(attributes) == 0 {
		return func(*event) bool { return true }, nil
	}
	if len(attributes) > 1 {
		return nil, fail(400, &types.InvalidLookupAttributesException{Message: msg("You can specify only one lookup attribute.")})
	}
	want := aws.ToString(attributes[0].AttributeValue)
	field := map[types.LookupAttributeKey]func(*event) string{
		types.LookupAttributeKeyEventId:     func(e *event) string { return e.id },
		types.LookupAttributeKeyEventName:   func(e *event) string { return e.name },
		types.LookupAttributeKeyEventSource: func(e *event) string { return e.source },
		types.LookupAttributeKeyUsername:    func(e *event) string { return e.user },
		types.LookupAttributeKeyAccessKeyId: func(e *event) string { return e.key },
		types.LookupAttributeKeyReadOnly:    func(e *event) string { return boolText(e.readOnly) },
	}[attributes[0].AttributeKey]
	switch attributes[0].AttributeKey {
	case types.LookupAttributeKeyResourceName:
		return func(e *event) bool { return e.touches(func(t touched) bool { return t.name == want }) }, nil
	case types.LookupAttributeKeyResourceType:
		return func(e *event) bool { return e.touches(func(t touched) bool { return t.kind == want }) }, nil
	}
	if field == nil {
		return nil, fail(400, &types.InvalidLookupAttributesException{Message: msg("Unknown lookup attribute %.40q.", attributes[0].AttributeKey)})
	}
	return func(e *event) bool { return field(e) == want }, nil
}

func (e *event) touches(is func(touched) bool) bool {
	for _, t := range e.touched {
		if is(t) {
			return true
		}
	}
	return false
}

// shown is the event as the API shows it; its ReadOnly is text.
func (e *event) shown() types.Event {
	at := e.at
	out := types.Event{
		EventId: aws.String(e.id), EventName: aws.String(e.name), EventSource: aws.String(e.source), EventTime: &at,
		Username: filled(e.user), AccessKeyId: filled(e.key), ReadOnly: aws.String(boolText(e.readOnly)),
		CloudTrailEvent: aws.String(string(e.record)), Resources: []types.Resource{},
	}
	for _, t := range e.touched {
		out.Resources = append(out.Resources, types.Resource{ResourceName: aws.String(t.name), ResourceType: aws.String(t.kind)})
	}
	return out
}
