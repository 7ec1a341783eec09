// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/jsonscan"
)

// Values of Envelope.DetailType for CloudTrail's events.
const (
	DetailTypeAPICall       = "AWS API Call via CloudTrail"
	DetailTypeConsoleSignIn = "AWS Console Sign In via CloudTrail"
	DetailTypeServiceEvent  = "AWS Service Event via CloudTrail"
	DetailTypeConsoleAction = "AWS Console Action via CloudTrail"
	DetailTypeInsight       = "AWS Insight via CloudTrail"
)

// Envelope is an EventBridge event.
//
// Shape: https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type Envelope struct {
	ID string
	// DetailType is one of the DetailType constants for CloudTrail's events, any text for others.
	DetailType string
	// Source is "aws." and the service's label for AWS's events, as "aws.cloudtrail".
	Source  string
	Account string
	// Time is when the event happened, in UTC; zero when absent.
	Time      time.Time
	Region    string
	Resources []string
	// Record is the CloudTrail record in Detail; zero, with a nil Raw, for events that are not CloudTrail's.
	Record Record
	// Detail is the event's detail, as read.
	Detail json.RawMessage
	// Raw is the whole event, as read.
	Raw json.RawMessage
}

// ParseEnvelope parses one EventBridge event. It copies data.
//
// Errors are those of [ParseRecord]: [ErrShape] when it is no EventBridge event (one has a detail, and a detail-type or
// source). A detail-type "… via CloudTrail" promises a record, and a detail that is none is an error; other events may
// carry anything, and Record is set when that is a record.
func ParseEnvelope(data []byte) (Envelope, error) {
	e := Envelope{Raw: bytes.Clone(bytes.TrimSpace(data))}
	p := parser{data: e.Raw}
	end, err := p.envelope(&e)
	if err == nil && end != len(e.Raw) {
		err = fmt.Errorf("%w: text follows the event at byte %d", ErrSyntax, end)
	}
	if err == nil && (len(e.Detail) == 0 || e.Detail[0] != '{' || e.DetailType == "" && e.Source == "") {
		err = fmt.Errorf("%w: it has no detail, or neither detail-type nor source", ErrShape)
	}
	if err == nil {
		e.Record, err = e.detailRecord()
	}
	if err != nil {
		return Envelope{}, fmt.Errorf("parse event: %w", textError(err))
	}
	return e, nil
}

func (p *parser) envelope(e *Envelope) (int, error) {
	return jsonscan.Members(p.data, 0, func(name []byte, at int) (int, error) {
		if field := e.textField(name); field != nil {
			return p.text(field, name, at)
		}
		switch string(name) {
		case "time":
			return p.time(&e.Time, name, at)
		case "resources":
			return p.list(&e.Resources, name, at)
		case "detail":
			end, err := jsonscan.Value(p.data, at)
			e.Detail = p.data[at:end:end]
			return end, err
		}
		return jsonscan.Value(p.data, at)
	})
}

func (e *Envelope) textField(name []byte) *string {
	switch string(name) {
	case "id":
		return &e.ID
	case "detail-type":
		return &e.DetailType
	case "source":
		return &e.Source
	case "account":
		return &e.Account
	case "region":
		return &e.Region
	}
	return nil
}

// list reads an array of texts.
func (p *parser) list(dst *[]string, name []byte, at int) (int, error) {
	*dst = nil
	if p.isNull(at) {
		return jsonscan.Value(p.data, at)
	}
	if p.data[at] != '[' {
		return at, &FieldError{string(name), "must be an array, is " + p.kind(at)}
	}
	return jsonscan.Elements(p.data, at, func(at int) (int, error) {
		var text string
		end, err := p.text(&text, name, at)
		*dst = append(*dst, text)
		return end, err
	})
}

func (e *Envelope) detailRecord() (Record, error) {
	r, err := ParseRecord(e.Detail)
	if err == nil && (r.EventVersion != "" || e.promisesRecord()) {
		return r, nil
	}
	if e.promisesRecord() {
		return Record{}, within("detail", err)
	}
	var field *FieldError
	if err == nil || errors.Is(err, ErrShape) || errors.As(err, &field) {
		return Record{}, nil // another service's event
	}
	return Record{}, err
}

func (e *Envelope) promisesRecord() bool {
	return strings.HasSuffix(e.DetailType, " via CloudTrail")
}

// HasRecord tells whether the event carries a CloudTrail record.
func (e *Envelope) HasRecord() bool { return e.Record.Raw != nil }

// Wrap returns the EventBridge event that AWS would have made of the record, so that event patterns can be matched
// against records of log files. It differs from AWS's in its id, which is the record's.
//
// See https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html
func Wrap(r Record) Envelope {
	e := Envelope{
		ID:         string(r.EventID),
		DetailType: detailType(r.EventType),
		Source:     sourceOf(&r),
		Account:    r.RecipientAccountID,
		Time:       r.EventTime,
		Region:     r.AWSRegion,
		Resources:  []string{},
		Record:     r,
		Detail:     r.Raw,
	}
	if e.Account == "" {
		e.Account = r.UserIdentity.AccountID
	}
	if e.Detail == nil {
		e.Detail = r.fieldsJSON()
		e.Record.Raw = e.Detail
	}
	e.Raw = e.encode()
	return e
}

func detailType(eventType string) string {
	switch eventType {
	case EventTypeConsoleSignIn:
		return DetailTypeConsoleSignIn
	case EventTypeServiceEvent:
		return DetailTypeServiceEvent
	case EventTypeConsoleAction:
		return DetailTypeConsoleAction
	case EventTypeInsight:
		return DetailTypeInsight
	}
	return DetailTypeAPICall
}

// sourceOf is the first label of the service's host name behind "aws.".
func sourceOf(r *Record) string {
	if r.EventType == EventTypeInsight {
		return "aws.cloudtrail"
	}
	label, _, _ := strings.Cut(r.EventSource, ".")
	return "aws." + label
}

// encode writes the event with its members in AWS's order. The detail is put in as it stands, byte by byte.
func (e *Envelope) encode() json.RawMessage {
	at := ""
	if !e.Time.IsZero() {
		at = e.Time.UTC().Format(time.RFC3339)
	}
	b := make([]byte, 0, len(e.Detail)+384)
	b = append(b, `{"version":"0"`...)
	for _, m := range [...]struct{ name, value string }{
		{"id", e.ID}, {"detail-type", e.DetailType}, {"source", e.Source}, {"account", e.Account}, {"time", at}, {"region", e.Region},
	} {
		b = append(b, `,"`...)
		b = append(b, m.name...)
		b = append(b, `":`...)
		b = appendText(b, m.value)
	}
	b = append(b, `,"resources":[],"detail":`...)
	b = append(b, e.Detail...)
	return append(b, '}')
}

// appendText appends s as a JSON string. Most texts need no escapes.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c > '~' {
			quoted, err := json.Marshal(s)
			if err != nil {
				panic("cloudtrail: encoding a string: " + err.Error()) // json.Marshal cannot fail on strings
			}
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}
