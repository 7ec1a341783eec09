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
// asl.Event is AWS's, which lacks the state.
type storedEvent struct {
	ID       int64           `json:"i"`
	Previous int64           `json:"p"`
	At       int64           `json:"t"` // Unix nanoseconds
	Type     string          `json:"y"`
	State    string          `json:"s,omitempty"`
	Details  json.RawMessage `json:"d,omitempty"`
}

// encodeEvents writes by hand what encoding/json would: it runs on every transition.
func encodeEvents(events []asl.Event) []byte {
	size := 2
	for _, e := range events {
		size += 80 + len(e.Type) + len(e.State) + len(e.Details)
	}
	b := append(make([]byte, 0, size), '[')
	for i, e := range events {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"i":`...), e.ID, 10)
		b = strconv.AppendInt(append(b, `,"p":`...), e.PreviousEventID, 10)
		b = strconv.AppendInt(append(b, `,"t":`...), nanos(e.Timestamp), 10)
		b = appendText(append(b, `,"y":`...), e.Type)
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
	for i, e := range stored {
		events[i] = asl.Event{ID: e.ID, PreviousEventID: e.Previous, Timestamp: fromNanos(e.At), Type: e.Type, State: e.State, Details: e.Details}
	}
	return events, nil
}
