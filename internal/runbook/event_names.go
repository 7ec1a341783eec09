// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package runbook

import "encoding/json"

// EventNames returns the names that the pattern asks detail.eventName to equal: what to search a history for. It is
// empty where the pattern names none outright.
func (t Trigger) EventNames() []string {
	var p struct {
		Detail struct {
			EventName []any `json:"eventName"`
		} `json:"detail"`
	}
	// A pattern that does not parse names nothing; Check says what is wrong with it.
	if json.Unmarshal(t.Pattern, &p) != nil {
		return nil
	}
	var names []string
	for _, v := range p.Detail.EventName {
		if name, ok := v.(string); ok {
			names = append(names, name)
		}
	}
	return names
}
