// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import (
	"encoding/json"
	"fmt"
	"time"
)

// UnmarshalJSON is [ParseRecord].
func (r *Record) UnmarshalJSON(data []byte) error {
	record, err := ParseRecord(data)
	if err != nil {
		return err
	}
	*r = record
	return nil
}

// MarshalJSON returns Raw, so that what was read is written unchanged; for a record made by hand it writes the fields,
// in AWS's order.
func (r Record) MarshalJSON() ([]byte, error) {
	if r.Raw != nil {
		return r.Raw, nil
	}
	return r.fieldsJSON(), nil
}

// fieldsJSON writes the fields that are set.
func (r *Record) fieldsJSON() json.RawMessage {
	b := append(make(object, 0, 1<<10+len(r.RequestParameters)+len(r.ResponseElements)), '{')
	b.text("eventVersion", r.EventVersion)
	b.object("userIdentity", r.UserIdentity.appendTo)
	b.time("eventTime", r.EventTime)
	b.text("eventSource", r.EventSource)
	b.text("eventName", r.EventName)
	b.text("awsRegion", r.AWSRegion)
	b.text("sourceIPAddress", r.SourceIPAddress)
	b.text("userAgent", r.UserAgent)
	b.text("errorCode", r.ErrorCode)
	b.text("errorMessage", r.ErrorMessage)
	b.orNull("requestParameters", r.RequestParameters)
	b.orNull("responseElements", r.ResponseElements)
	b.raw("additionalEventData", r.AdditionalEventData)
	b.text("requestID", r.RequestID)
	b.text("eventID", string(r.EventID))
	b.bool("readOnly", r.ReadOnly)
	b.resources(r.Resources)
	b.text("eventType", r.EventType)
	b.text("apiVersion", r.APIVersion)
	b.bool("managementEvent", r.ManagementEvent)
	b.text("recipientAccountId", r.RecipientAccountID)
	b.raw("serviceEventDetails", r.ServiceEventDetails)
	b.text("sharedEventID", r.SharedEventID)
	b.text("vpcEndpointId", r.VPCEndpointID)
	b.text("vpcEndpointAccountId", r.VPCEndpointAccountID)
	b.text("eventCategory", r.EventCategory)
	b.raw("insightDetails", r.InsightDetails)
	b.raw("edgeDeviceDetails", r.EdgeDeviceDetails)
	b.raw("eventContext", r.EventContext)
	r.appendRest(&b)
	return append(json.RawMessage(b), '}')
}

func (r *Record) appendRest(b *object) {
	if a := r.Addendum; a != nil {
		b.object("addendum", func(b *object) {
			b.text("reason", a.Reason)
			b.text("updatedFields", a.UpdatedFields)
			b.text("originalRequestID", a.OriginalRequestID)
			b.text("originalEventID", string(a.OriginalEventID))
		})
	}
	if r.SessionCredentialFromConsole {
		b.text("sessionCredentialFromConsole", "true") // a text in AWS's records too
	}
	if t := r.TLSDetails; t != nil {
		b.object("tlsDetails", func(b *object) {
			b.text("tlsVersion", t.TLSVersion)
			b.text("cipherSuite", t.CipherSuite)
			b.text("clientProvidedHostHeader", t.ClientProvidedHostHeader)
			b.text("keyExchange", t.KeyExchange)
		})
	}
}

func (u *UserIdentity) appendTo(b *object) {
	b.text("type", u.Type)
	b.text("principalId", u.PrincipalID)
	b.text("arn", u.ARN)
	b.text("accountId", u.AccountID)
	b.text("accessKeyId", u.AccessKeyID)
	b.text("userName", u.UserName)
	if s := u.SessionContext; s != nil {
		b.object("sessionContext", s.appendTo)
	}
	b.text("invokedBy", u.InvokedBy)
	b.text("identityProvider", u.IdentityProvider)
	b.text("credentialId", u.CredentialID)
	if id := u.InvokedByDelegateAccountID; id != "" {
		b.object("invokedByDelegate", func(b *object) { b.text("accountId", id) })
	}
	if o := u.OnBehalfOf; o != nil {
		b.object("onBehalfOf", func(b *object) {
			b.text("userId", o.UserID)
			b.text("identityStoreArn", o.IdentityStoreARN)
		})
	}
	if i := u.InScopeOf; i != nil {
		b.object("inScopeOf", func(b *object) {
			b.text("sourceArn", i.SourceARN)
			b.text("sourceAccount", i.SourceAccount)
			b.text("issuerType", i.IssuerType)
			b.text("credentialsIssuedTo", i.CredentialsIssuedTo)
		})
	}
}

func (s *SessionContext) appendTo(b *object) {
	if i := s.SessionIssuer; i != (SessionIssuer{}) {
		b.object("sessionIssuer", func(b *object) {
			b.text("type", i.Type)
			b.text("principalId", i.PrincipalID)
			b.text("arn", i.ARN)
			b.text("accountId", i.AccountID)
			b.text("userName", i.UserName)
		})
	}
	if w := s.WebIDFederationData; w != nil {
		b.object("webIdFederationData", func(b *object) {
			b.text("federatedProvider", w.FederatedProvider)
			b.raw("attributes", w.Attributes)
		})
	}
	b.object("attributes", func(b *object) {
		b.time("creationDate", s.CreationDate)
		if s.MFAAuthenticated != nil {
			b.text("mfaAuthenticated", fmt.Sprint(*s.MFAAuthenticated)) // a text in AWS's records
		}
	})
	b.text("sourceIdentity", s.SourceIdentity)
	b.text("ec2RoleDelivery", s.EC2RoleDelivery)
	if s.AssumedRoot {
		b.text("assumedRoot", "true")
	}
	b.text("signInSessionArn", s.SignInSessionARN)
}

// object is the text of a JSON object under construction. Its methods leave out what is not set.
type object []byte

func (b *object) name(name string) {
	if len(*b) > 0 && (*b)[len(*b)-1] != '{' {
		*b = append(*b, ',')
	}
	*b = append(appendText(*b, name), ':')
}

func (b *object) text(name, value string) {
	if value != "" {
		b.name(name)
		*b = appendText(*b, value)
	}
}

func (b *object) time(name string, t time.Time) {
	if !t.IsZero() {
		b.text(name, t.UTC().Format(time.RFC3339))
	}
}

func (b *object) bool(name string, value *bool) {
	if value != nil {
		b.name(name)
		*b = fmt.Append(*b, *value)
	}
}

func (b *object) raw(name string, value json.RawMessage) {
	if value != nil {
		b.name(name)
		*b = append(*b, value...)
	}
}

func (b *object) orNull(name string, value json.RawMessage) {
	if value == nil {
		value = json.RawMessage("null")
	}
	b.raw(name, value)
}

func (b *object) object(name string, members func(*object)) {
	b.name(name)
	*b = append(*b, '{')
	members(b)
	*b = append(*b, '}')
}

func (b *object) resources(resources []Resource) {
	if len(resources) == 0 {
		return
	}
	b.name("resources")
	list := object{'['}
	for i, r := range resources {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, '{')
		list.text("ARN", r.ARN)
		list.text("ARNPrefix", r.ARNPrefix)
		list.text("accountId", r.AccountID)
		list.text("type", r.Type)
		list = append(list, '}')
	}
	*b = append(append(*b, list...), ']')
}
