// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail

import "encoding/json"

// The methods of this file map AWS's names to fields. A switch over constants is several times faster than a map here.

func (r *Record) textField(name []byte) *string {
	switch string(name) {
	case "eventVersion":
		return &r.EventVersion
	case "eventSource":
		return &r.EventSource
	case "eventName":
		return &r.EventName
	case "awsRegion":
		return &r.AWSRegion
	case "sourceIPAddress":
		return &r.SourceIPAddress
	case "userAgent":
		return &r.UserAgent
	case "errorCode":
		return &r.ErrorCode
	case "errorMessage":
		return &r.ErrorMessage
	case "requestID":
		return &r.RequestID
	case "eventID":
		return (*string)(&r.EventID)
	case "eventType":
		return &r.EventType
	case "apiVersion":
		return &r.APIVersion
	case "recipientAccountId":
		return &r.RecipientAccountID
	case "sharedEventID":
		return &r.SharedEventID
	case "vpcEndpointId":
		return &r.VPCEndpointID
	case "vpcEndpointAccountId":
		return &r.VPCEndpointAccountID
	case "eventCategory":
		return &r.EventCategory
	}
	return nil
}

func (r *Record) rawField(name []byte) *json.RawMessage {
	switch string(name) {
	case "requestParameters":
		return &r.RequestParameters
	case "responseElements":
		return &r.ResponseElements
	case "additionalEventData":
		return &r.AdditionalEventData
	case "serviceEventDetails":
		return &r.ServiceEventDetails
	case "insightDetails":
		return &r.InsightDetails
	case "edgeDeviceDetails":
		return &r.EdgeDeviceDetails
	case "eventContext":
		return &r.EventContext
	}
	return nil
}

func (u *UserIdentity) textField(name []byte) *string {
	switch string(name) {
	case "type":
		return &u.Type
	case "principalId":
		return &u.PrincipalID
	case "arn":
		return &u.ARN
	case "accountId":
		return &u.AccountID
	case "accessKeyId":
		return &u.AccessKeyID
	case "userName":
		return &u.UserName
	case "invokedBy":
		return &u.InvokedBy
	case "identityProvider":
		return &u.IdentityProvider
	case "credentialId":
		return &u.CredentialID
	}
	return nil
}

func (s *SessionIssuer) textField(name []byte) *string {
	switch string(name) {
	case "type":
		return &s.Type
	case "principalId":
		return &s.PrincipalID
	case "arn":
		return &s.ARN
	case "accountId":
		return &s.AccountID
	case "userName":
		return &s.UserName
	}
	return nil
}

func (o *OnBehalfOf) textField(name []byte) *string {
	switch string(name) {
	case "userId":
		return &o.UserID
	case "identityStoreArn":
		return &o.IdentityStoreARN
	}
	return nil
}

func (i *InScopeOf) textField(name []byte) *string {
	switch string(name) {
	case "sourceArn":
		return &i.SourceARN
	case "sourceAccount":
		return &i.SourceAccount
	case "issuerType":
		return &i.IssuerType
	case "credentialsIssuedTo":
		return &i.CredentialsIssuedTo
	}
	return nil
}

// textField takes "arn" for "ARN": some services write it so.
func (r *Resource) textField(name []byte) *string {
	switch string(name) {
	case "ARN", "arn":
		return &r.ARN
	case "ARNPrefix":
		return &r.ARNPrefix
	case "accountId":
		return &r.AccountID
	case "type":
		return &r.Type
	}
	return nil
}

func (a *Addendum) textField(name []byte) *string {
	switch string(name) {
	case "reason":
		return &a.Reason
	case "updatedFields":
		return &a.UpdatedFields
	case "originalRequestID":
		return &a.OriginalRequestID
	case "originalEventID":
		return (*string)(&a.OriginalEventID)
	}
	return nil
}

func (t *TLSDetails) textField(name []byte) *string {
	switch string(name) {
	case "tlsVersion":
		return &t.TLSVersion
	case "cipherSuite":
		return &t.CipherSuite
	case "clientProvidedHostHeader":
		return &t.ClientProvidedHostHeader
	case "keyExchange":
		return &t.KeyExchange
	}
	return nil
}
