// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Sizes of the facts, in bytes. AWS's own names and ARNs stay below the first two.
const (
	maxName  = 256
	maxARN   = 512
	maxAgent = 512
	maxError = 512
)

// Facts are what one record says about who, when, what and from where. Every text is printable and capped; absent
// members are empty.
type Facts struct {
	EventID          string    `json:"event_id"`
	EventName        string    `json:"event_name"`
	EventSource      string    `json:"event_source"`
	At               time.Time `json:"at"`
	Date             string    `json:"date"` // "2026-05-04"
	Time             string    `json:"time"` // "10:11:12", UTC
	Principal        string    `json:"principal"`
	PrincipalType    string    `json:"principal_type"`
	PrincipalID      string    `json:"principal_id,omitempty"`
	PrincipalName    string    `json:"principal_name,omitempty"`
	PrincipalAccount string    `json:"principal_account,omitempty"`
	// Account is the one that received the record.
	Account        string `json:"account"`
	SessionName    string `json:"session_name,omitempty"`
	SourceIdentity string `json:"source_identity,omitempty"`
	// InvokedBy is the service that called on the principal's behalf.
	InvokedBy   string `json:"invoked_by,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	// MFA is absent where the record does not say.
	MFA       *bool  `json:"mfa,omitempty"`
	SourceIP  string `json:"source_ip"` // or a service's name, or "AWS Internal"
	UserAgent string `json:"user_agent,omitempty"`
	// Agent is the user agent in words: "Firefox on macOS". It is what the caller says it is.
	Agent  string `json:"agent,omitempty"`
	Region string `json:"region"`
	// Place is where the region is, "Europe (Ireland)"; absent for regions that the SDK does not know.
	Place string `json:"place,omitempty"`
	// Target is what the call was about: an ARN or a name.
	Target string `json:"target,omitempty"`
	// Failed: the call was refused or went wrong; ErrorCode is then set but for console sign-ins.
	Failed       bool   `json:"failed,omitempty"`
	ErrorCode    string `json:"error_code,omitempty"`
	ErrorMessage string `json:"error_message,omitempty"`
}

// Extract reads the facts of r.
func Extract(r cloudtrail.Record) Facts {
	p := PrincipalOf(r.UserIdentity)
	s, _ := SessionOf(r.UserIdentity)
	at := r.EventTime.UTC()
	return Facts{
		EventID: Printable(string(r.EventID), maxName), EventName: Printable(r.EventName, maxName),
		EventSource: Printable(r.EventSource, maxName),
		At:          at, Date: at.Format(time.DateOnly), Time: at.Format(time.TimeOnly),
		Principal: Printable(p.String(), maxARN), PrincipalType: Printable(p.Type, maxName),
		PrincipalID: Printable(p.ID, maxName), PrincipalName: Printable(p.Name, maxName),
		PrincipalAccount: Printable(p.Account, maxName),
		Account:          Printable(cmp.Or(r.RecipientAccountID, r.UserIdentity.AccountID), maxName),
		SessionName:      Printable(s.Name, maxName), SourceIdentity: Printable(s.SourceIdentity, maxName),
		InvokedBy:   Printable(r.UserIdentity.InvokedBy, maxName),
		AccessKeyID: Printable(r.UserIdentity.AccessKeyID, maxName), MFA: mfa(r),
		SourceIP: Printable(r.SourceIPAddress, maxName), UserAgent: Printable(r.UserAgent, maxAgent),
		Agent: Agent(r.UserAgent), Region: Printable(r.AWSRegion, maxName), Place: arn.Place(r.AWSRegion),
		Target: Printable(target(r), maxARN), Failed: r.Failed(),
		ErrorCode: Printable(r.ErrorCode, maxName), ErrorMessage: Printable(r.ErrorMessage, maxError),
	}
}

// FactsOfFinding are the facts of an event that is no call: a finding, which names nobody.
func FactsOfFinding(e cloudtrail.Envelope) Facts {
	at := e.Time.UTC()
	f := Facts{
		EventID: Printable(e.ID, maxName), EventName: Printable(e.DetailType, maxName), EventSource: Printable(e.Source, maxName),
		At: at, Date: at.Format(time.DateOnly), Time: at.Format(time.TimeOnly),
		Account: Printable(e.Account, maxName), Region: Printable(e.Region, maxName), Place: arn.Place(e.Region),
	}
	if len(e.Resources) > 0 {
		f.Target = Printable(e.Resources[0], maxARN)
	}
	return f
}

// FindingSentence says what a finding says: its reason, and since when.
func FindingSentence(e cloudtrail.Envelope) string {
	reason, _ := cloudtrail.Lookup(e.Detail, "reason")
	if reason == "" {
		reason = e.DetailType
	}
	return "Switchback found: " + Printable(reason, maxError) + ", since " + e.Time.UTC().Format(time.DateTime) + " UTC; who did it is not known"
}

// ParseEvidence reads the record out of an event as it was received: an EventBridge event or a bare record.
func ParseEvidence(raw json.RawMessage) (cloudtrail.Record, error) {
	envelope, err := cloudtrail.ParseEnvelope(raw)
	if err == nil && envelope.HasRecord() {
		return envelope.Record, nil
	}
	r, err := cloudtrail.ParseRecord(raw)
	if err != nil {
		return cloudtrail.Record{}, fmt.Errorf("read evidence: %w", err)
	}
	return r, nil
}

// mfa is the session's second factor; a console sign-in tells it elsewhere.
//
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html
func mfa(r cloudtrail.Record) *bool {
	if c := r.UserIdentity.SessionContext; c != nil && c.MFAAuthenticated != nil {
		return c.MFAAuthenticated
	}
	text, ok := cloudtrail.Lookup(r.AdditionalEventData, "MFAUsed")
	if !ok {
		return nil
	}
	used := text == "Yes"
	return &used
}

// targetNames are the request parameters that name what a call is about, most telling first.
var targetNames = []string{
	"name", "trailName", "trailARN", "bucketName", "instanceId", "functionName", "keyId", "policyArn", "roleName",
	"userName", "roleArn", "groupId", "secretId", "target", "resourceArn",
}

// target reads what the call was about: the first request parameter that names something, else the first resource.
func target(r cloudtrail.Record) string {
	for _, name := range targetNames {
		if text, ok := r.RequestParameter(name); ok && text != "" {
			return text
		}
	}
	for _, res := range r.Resources {
		if text := cmp.Or(res.ARN, res.ARNPrefix); text != "" {
			return text
		}
	}
	return ""
}
