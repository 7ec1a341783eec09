// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import "time"

// Person is a human and how to reach them, as a directory knows them.
type Person struct {
	Name  string `json:"name" yaml:"name"`
	Email string `json:"email,omitempty" yaml:"email"`
	Slack string `json:"slack,omitempty" yaml:"slack"` // member id
	Phone string `json:"phone,omitempty" yaml:"phone"`
	// Source says where the answer came from: a directory ("file", "iam tags", …), or in whose stead they are told
	// ("account contact", "manager", "on-call", "fallback").
	Source string `json:"source,omitempty" yaml:"-"`
	// IsHint marks an answer that must never be the only addressee (IAM tags: whoever may tag can redirect us).
	IsHint bool   `json:"is_hint,omitempty" yaml:"-"`
	Note   string `json:"note,omitempty" yaml:"-"`
}

// MessageKind says why a message is sent.
type MessageKind string

// The kinds of messages.
const (
	ToSecurity MessageKind = "security" // first and in full
	ToPerson   MessageKind = "person"   // what, when, from which address, what was undone, whom to call
	Reminder   MessageKind = "reminder"
	ToFallback MessageKind = "fallback"
	Notice     MessageKind = "notice" // a pause, an exception, an undo
)

// Message is what a channel carries. Text is the canonical form; HTML is escaped by whoever rendered it. All of it may
// quote the attacker: channels must treat every field as text of their own medium.
type Message struct {
	// ID is stable over retries and restarts: mail uses it as Message-ID, others as dedupe key.
	ID       string      `json:"id"`
	Incident ID          `json:"incident,omitempty"`
	Kind     MessageKind `json:"kind"`
	Severity Severity    `json:"severity,omitempty"`
	To       []Person    `json:"to"`
	Subject  string      `json:"subject"`
	Text     string      `json:"text"`
	HTML     string      `json:"html,omitempty"`
	At       time.Time   `json:"at"`
}

// Delivery is the outcome of a message on one channel.
type Delivery struct {
	Message string      `json:"message"`
	Kind    MessageKind `json:"kind"`
	Channel string      `json:"channel"`
	// To are the addresses that the channel accepted, never secrets.
	To       []string `json:"to,omitempty"`
	Accepted bool     `json:"accepted"`
	// ReachesHuman is false for channels that only write down (console log).
	ReachesHuman bool      `json:"reaches_human"`
	Attempts     int       `json:"attempts"`
	Error        string    `json:"error,omitempty"`
	At           time.Time `json:"at"`
}

// Artefact is something the incident produced: a report, an evidence file.
type Artefact struct {
	Name   string `json:"name"`
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}
