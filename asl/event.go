// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package asl

import (
	"encoding/json"
	"strings"
	"time"
)

// Event is one event of an execution's history. Its JSON form is that of GetExecutionHistory, with an RFC 3339
// timestamp; Details stands under a name that follows from the type, such as "stateEnteredEventDetails".
// https://docs.aws.amazon.com/step-functions/latest/apireference/API_HistoryEvent.html
type Event struct {
	// ID counts from 1 without gaps.
	ID int64
	// PreviousEventID is the event that led to this one; 0 for the first event and for the first state entered.
	PreviousEventID int64
	Timestamp       time.Time
	// Type is AWS's name of the event, such as "TaskStateEntered".
	Type string
	// State is the name of the state that the event belongs to; empty for those of the execution. AWS has no such
	// member, so it is not part of the JSON form.
	State string
	// Details is the JSON object of the event's details; nil where the type has none.
	Details json.RawMessage
}

type eventHead struct {
	Timestamp       time.Time `json:"timestamp"`
	Type            string    `json:"type"`
	ID              int64     `json:"id"`
	PreviousEventID int64     `json:"previousEventId"`
}

// MarshalJSON writes AWS's form of the event.
func (e Event) MarshalJSON() ([]byte, error) {
	head, err := json.Marshal(eventHead{e.Timestamp, e.Type, e.ID, e.PreviousEventID})
	if err != nil || e.Details == nil {
		return head, err
	}
	out := append(head[:len(head)-1], `,"`...)
	out = append(out, DetailsName(e.Type)...)
	out = append(out, `":`...)
	out = append(out, e.Details...)
	return append(out, '}'), nil
}

// DetailsName returns the name of the member that holds the details of an event of that type.
func DetailsName(eventType string) string {
	if name, ok := strings.CutSuffix(eventType, "StateEntered"); ok && name != "" {
		return "stateEnteredEventDetails"
	}
	if name, ok := strings.CutSuffix(eventType, "StateExited"); ok && name != "" {
		return "stateExitedEventDetails"
	}
	if eventType == "" {
		return "eventDetails"
	}
	return strings.ToLower(eventType[:1]) + eventType[1:] + "EventDetails"
}
