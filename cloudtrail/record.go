// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"time"
)

// EventID is the id of a record, a GUID. It is the primary key for removing duplicates: a record delivered twice, or
// over two channels, has the same one. A corrected record (see [Addendum]) has an id of its own.
type EventID string

// Record is one CloudTrail event record, of format version 1.0 to 1.11 or a later minor version.
//
// Fields carry AWS's names. A field that the record lacks, or that is null, is the zero value; the raw fields keep
// null as null, so that absent and null can be told apart. Whatever has no field here is kept in Raw. The texts are
// written by whoever made the call: treat all of them as hostile.
//
// A Record parsed by this package owns its memory; several fields share it, so none of the raw fields may be modified.
//
// Shape: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
type Record struct {
	// EventVersion is the format's version, "major.minor"; compare it with [Record.VersionAtLeast], never as text.
	EventVersion string
	// UserIdentity is who made the call; zero when the record has none, as an Insights event.
	UserIdentity UserIdentity
	// EventTime is when the call was completed, in UTC, at a resolution of one second; zero when absent.
	EventTime time.Time
	// EventSource is the service called, such as "s3.amazonaws.com".
	EventSource string
	// EventName is the API action, for some services with an API date ("UpdateFunctionCode20150331v2").
	EventName string
	// AWSRegion is the region of the call, global services' records bear their partition's home region.
	AWSRegion string
	// SourceIPAddress is an IPv4 or IPv6 address, a service's DNS name, or "AWS Internal".
	SourceIPAddress string
	// UserAgent is what the caller says it is, at most 1 KB.
	UserAgent string
	// ErrorCode is set when the call failed; see also [Record.Failed].
	ErrorCode string
	// ErrorMessage describes the error; a failed ConsoleLogin has only this one.
	ErrorMessage string
	// RequestParameters is an object or null, at most 100 KB; see [Record.RequestParameter] and [Record.Omitted].
	RequestParameters json.RawMessage
	// ResponseElements is an object or null, at most 100 KB. It may hold a session token: see [Redacted].
	ResponseElements json.RawMessage
	// AdditionalEventData is an object, at most 28 KB.
	AdditionalEventData json.RawMessage
	// RequestID is the called service's id of the request.
	RequestID string
	// EventID identifies the record.
	EventID EventID
	// EventType is one of the EventType constants, or a newer one.
	EventType string
	// APIVersion goes with AwsApiCall.
	APIVersion string
	// ReadOnly says whether the operation changes nothing; nil when the record does not say.
	ReadOnly *bool
	// ManagementEvent says whether this is a management event; nil when the record does not say.
	ManagementEvent *bool
	// Resources lists what the call touched.
	Resources []Resource
	// RecipientAccountID is the account that received this copy of the record.
	RecipientAccountID string
	// SharedEventID joins the copies of one action that several accounts received, and an Insights event's start and
	// end.
	SharedEventID string
	// VPCEndpointID is the VPC endpoint that the request came through.
	VPCEndpointID string
	// VPCEndpointAccountID is the owner of that endpoint.
	VPCEndpointAccountID string
	// EventCategory is one of the EventCategory constants, or a newer one.
	EventCategory string
	// Addendum is set when the record is late, or corrects an earlier one.
	Addendum *Addendum
	// SessionCredentialFromConsole tells that the credentials came from a console session.
	SessionCredentialFromConsole bool
	// TLSDetails describes the connection; nil when a service called, or a console proxy.
	TLSDetails *TLSDetails
	// ServiceEventDetails goes with AwsServiceEvent.
	ServiceEventDetails json.RawMessage
	// InsightDetails goes with an Insights event.
	InsightDetails json.RawMessage
	// EdgeDeviceDetails goes with S3 on Outposts.
	EdgeDeviceDetails json.RawMessage
	// EventContext is found only in event data stores with enrichment.
	EventContext json.RawMessage

	// Raw is the record exactly as it was read, byte by byte, without surrounding white space. It is nil in a record
	// made by hand; [Record.MarshalJSON] then writes the fields.
	Raw json.RawMessage
}

// Values of Record.EventType.
const (
	EventTypeAPICall       = "AwsApiCall"
	EventTypeServiceEvent  = "AwsServiceEvent"
	EventTypeConsoleAction = "AwsConsoleAction"
	EventTypeConsoleSignIn = "AwsConsoleSignIn"
	EventTypeInsight       = "AwsCloudTrailInsight"
	// EventTypeVPCEvent is what records of network activity bear; AWS's documentation writes EventTypeVPCEvents.
	EventTypeVPCEvent  = "AwsVpceEvent"
	EventTypeVPCEvents = "AwsVpceEvents"
)

// Values of Record.EventCategory.
const (
	CategoryManagement      = "Management"
	CategoryData            = "Data"
	CategoryNetworkActivity = "NetworkActivity"
	CategoryInsight         = "Insight"
)

// Resource is something that a call touched.
type Resource struct {
	// ARN names the resource; empty where the record gives only a prefix.
	ARN string
	// ARNPrefix is given by some data events in place of the ARN.
	ARNPrefix string
	// AccountID is the owner; absent for some, as S3 objects.
	AccountID string
	// Type is as CloudFormation spells it: "AWS::S3::Bucket".
	Type string
}

// Addendum tells why a record is late or differs from an earlier one. A late record is not new activity, and a
// corrected one is not a second action.
type Addendum struct {
	// Reason is one of the Addendum constants.
	Reason string
	// UpdatedFields names the fields that were corrected, with UPDATED_DATA only.
	UpdatedFields string
	// OriginalRequestID and OriginalEventID are those of the record that this one corrects, with UPDATED_DATA only.
	OriginalRequestID string
	OriginalEventID   EventID
}

// Values of Addendum.Reason.
const (
	AddendumDeliveryDelay = "DELIVERY_DELAY"
	AddendumUpdatedData   = "UPDATED_DATA"
	AddendumServiceOutage = "SERVICE_OUTAGE"
)

// TLSDetails describes the TLS connection of the call.
type TLSDetails struct {
	TLSVersion               string
	CipherSuite              string
	ClientProvidedHostHeader string
	KeyExchange              string
}
