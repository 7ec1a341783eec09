// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/switchback-project/switchback/asl"
)

// storedEvent is a history event as it is stored: a JSON array of them a transition, with short names. The JSON form of
// asl.Event is AWS's, which lacks the state. After the first of an array, numbers that follow from the event before are
// left out: most of what an installation stores is history.
type storedEvent struct {
	ID       *int64          `json:"i"` // absent: one more
	Previous *int64          `json:"p"` // absent: the id of the event before
	At       *int64          `json:"t"` // Unix nanoseconds; absent: at the same time
	Type     string          `json:"y"`
	State    string          `json:"s"`
	Details  json.RawMessage `json:"d"`
}

// encodeEvents writes by hand what encoding/json would: it runs on every transition.
func encodeEvents(events []asl.Event) []byte {
	size := 64
	for _, e := range events {
		size += 32 + len(e.Type) + len(e.State) + len(e.Details)
	}
	b := append(make([]byte, 0, size), '[')
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '{')
		if i == 0 || e.ID != events[i-1].ID+1 {
			b = append(strconv.AppendInt(append(b, `"i":`...), e.ID, 10), ',')
		}
		if i == 0 || e.PreviousEventID != events[i-1].ID {
			b = append(strconv.AppendInt(append(b, `"p":`...), e.PreviousEventID, 10), ',')
		}
		if i == 0 || !e.Timestamp.Equal(events[i-1].Timestamp) {
			b = append(strconv.AppendInt(append(b, `"t":`...), nanos(e.Timestamp), 10), ',')
		}
		b = appendText(append(b, `"y":`...), e.Type)
		if e.State != "" {
			b = appendText(append(b, `,"s":`...), e.State)
		}
		if len(e.Details) > 0 {
			b = append(append(b, `,"d":`...), e.Details...)
		}
		b = append(b, '}')
	}
	return append(b, ']')
}

// appendText quotes s.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			quoted, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...) // a string is always encodable
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

func decodeEvents(encoded []byte) ([]asl.Event, error) {
	var stored []storedEvent
	if err := json.Unmarshal(encoded, &stored); err != nil {
		return nil, fmt.Errorf("decode history: %w", err)
	}
	events := make([]asl.Event, len(stored))
	var before asl.Event
	for i, e := range stored {
		before = e.after(before)
		events[i] = before
	}
	return events, nil
}

// after returns the event, given the one before it.
func (e storedEvent) after(before asl.Event) asl.Event {
	event := asl.Event{
		ID: before.ID + 1, PreviousEventID: before.ID, Timestamp: before.Timestamp, Type: e.Type, State: e.State, Details: e.Details,
	}
	if e.ID != nil {
		event.ID = *e.ID
	}
	if e.Previous != nil {
		event.PreviousEventID = *e.Previous
	}
	if e.At != nil {
		event.Timestamp = fromNanos(*e.At)
	}
	return event
}
