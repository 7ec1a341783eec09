// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"fmt"
	"time"
)

// Rung is a step of the escalation that begins when a person was asked "was it you?", and ends only when somebody who may
// acknowledges.
type Rung int

// The rungs, in their order. What is behind the fallback is the fallback again.
const (
	AskAgain    Rung = iota + 1 // the person, reminded
	AskManager                  // of the person
	AskOnCall                   // of the security team
	AskFallback                 // the configured last resort
)

// After is how long after the person was asked a rung comes where nobody says "not me".
func (r Rung) After() time.Duration {
	switch r {
	case AskAgain:
		return 15 * time.Minute
	case AskManager:
		return 30 * time.Minute
	case AskOnCall:
		return time.Hour
	}
	return 2 * time.Hour
}

// The kinds of timers of answers.
const (
	TimerAsk      = "ask"      // the next rung, in Attempt
	TimerAnswered = "answered" // an answer that security may not have been told of yet
	TimerApproval = "approval" // somebody must approve: told again, then over
)

// AskTimer is the timer of a rung.
func AskTimer(id ID, rung Rung, due time.Time) Timer {
	return Timer{Incident: id, Key: fmt.Sprintf("%s/%d", TimerAsk, rung), Kind: TimerAsk, DueAt: due.UTC(), Attempt: int(rung)}
}

// AskedFact names the fact that keeps an Asked.
const AskedFact = "asked"

// Asked is when the escalation began.
type Asked struct {
	// Message is the one that asked the person; later ones do not put the escalation off.
	Message string    `json:"message"`
	Person  string    `json:"person"`
	At      time.Time `json:"at"`
	// HurriedAt is when somebody said "not me": from then on rungs follow each other in minutes.
	HurriedAt time.Time `json:"hurried_at,omitzero"`
}
