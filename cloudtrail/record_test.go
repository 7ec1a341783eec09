// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
)

// stopLogging is a record with most fields, as CloudTrail writes it.
const stopLogging = `{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROAEXAMPLEADMIN00001:alice@example.com",` +
	`"arn":"arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com","accountId":"111122223333","accessKeyId":"ASIAIOSFODNN7EXAMPLE",` +
	`"sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAEXAMPLEADMIN00001","arn":"arn:aws:iam::111122223333:role/team/Admin",` +
	`"accountId":"111122223333","userName":"Admin"},"webIdFederationData":{},"attributes":{"creationDate":"2026-05-04T09:00:00Z","mfaAuthenticated":"true"},` +
	`"sourceIdentity":"alice","ec2RoleDelivery":"2.0"},"onBehalfOf":{"userId":"94d00cd8","identityStoreArn":"arn:aws:identitystore::111122223333:identitystore/d-1"},` +
	`"inScopeOf":{"issuerType":"AWS::EC2::Instance","credentialsIssuedTo":"arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc"}},` +
	`"eventTime":"2026-05-04T10:11:12Z","eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging","awsRegion":"eu-west-1",` +
	`"sourceIPAddress":"198.51.100.7","userAgent":"aws-cli/2.17.60 \u00e9","requestParameters":{"name":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"},` +
	`"responseElements":null,"requestID":"5d1c0e6a","eventID":"0a6c6a43-0000-4000-8000-000000000002","readOnly":false,` +
	`"resources":[{"ARN":"arn:aws:cloudtrail:eu-west-1:111122223333:trail/main","accountId":"111122223333","type":"AWS::CloudTrail::Trail"}],` +
	`"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333","sharedEventID":"77","eventCategory":"Management",` +
	`"addendum":{"reason":"UPDATED_DATA","updatedFields":"responseElements","originalRequestID":"r1","originalEventID":"e1"},` +
	`"sessionCredentialFromConsole":"true","tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"TLS_AES_128_GCM_SHA256","clientProvidedHostHeader":"cloudtrail.eu-west-1.amazonaws.com","keyExchange":"x25519"},` +
	`"somethingNew":{"kept":[1,2,3]}}`

func mustParse(t *testing.T, text string) cloudtrail.Record {
	t.Helper()
	r, err := cloudtrail.ParseRecord([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestParseRecord(t *testing.T) {
	yes, no := true, false
	trail := "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
	want := cloudtrail.Record{
		EventVersion: "1.11",
		UserIdentity: cloudtrail.UserIdentity{
			Type: "AssumedRole", PrincipalID: "AROAEXAMPLEADMIN00001:alice@example.com",
			ARN: "arn:aws:sts::111122223333:assumed-role/Admin/alice@example.com", AccountID: "111122223333",
			AccessKeyID: "ASIAIOSFODNN7EXAMPLE",
			SessionContext: &cloudtrail.SessionContext{
				SessionIssuer: cloudtrail.SessionIssuer{
					Type: "Role", PrincipalID: "AROAEXAMPLEADMIN00001", ARN: "arn:aws:iam::111122223333:role/team/Admin",
					AccountID: "111122223333", UserName: "Admin",
				},
				CreationDate:     time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC),
				MFAAuthenticated: &yes, SourceIdentity: "alice", EC2RoleDelivery: "2.0",
			},
			OnBehalfOf: &cloudtrail.OnBehalfOf{UserID: "94d00cd8", IdentityStoreARN: "arn:aws:identitystore::111122223333:identitystore/d-1"},
			InScopeOf:  &cloudtrail.InScopeOf{IssuerType: "AWS::EC2::Instance", CredentialsIssuedTo: "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc"},
		},
		EventTime:   time.Date(2026, 5, 4, 10, 11, 12, 0, time.UTC),
		EventSource: "cloudtrail.amazonaws.com", EventName: "StopLogging", AWSRegion: "eu-west-1",
		SourceIPAddress: "198.51.100.7", UserAgent: "aws-cli/2.17.60 é",
		RequestParameters: json.RawMessage(`{"name":"` + trail + `"}`), ResponseElements: json.RawMessage(`null`),
		RequestID: "5d1c0e6a", EventID: "0a6c6a43-0000-4000-8000-000000000002", EventType: "AwsApiCall",
		ReadOnly: &no, ManagementEvent: &yes,
		Resources:          []cloudtrail.Resource{{ARN: trail, AccountID: "111122223333", Type: "AWS::CloudTrail::Trail"}},
		RecipientAccountID: "111122223333", SharedEventID: "77", EventCategory: "Management",
		Addendum: &cloudtrail.Addendum{
			Reason: "UPDATED_DATA", UpdatedFields: "responseElements", OriginalRequestID: "r1", OriginalEventID: "e1",
		},
		SessionCredentialFromConsole: true,
		TLSDetails: &cloudtrail.TLSDetails{
			TLSVersion: "TLSv1.3", CipherSuite: "TLS_AES_128_GCM_SHA256",
			ClientProvidedHostHeader: "cloudtrail.eu-west-1.amazonaws.com", KeyExchange: "x25519",
		},
		Raw: json.RawMessage(stopLogging),
	}
	if diff := cmp.Diff(want, mustParse(t, " \n"+stopLogging+"\n")); diff != "" {
		t.Errorf("ParseRecord (-want +got):\n%s", diff)
	}
}

// TestFieldsRoundTrip writes a record without Raw and reads it back.
func TestFieldsRoundTrip(t *testing.T) {
	for _, text := range []string{stopLogging, `{"eventVersion":"1.0"}`, `{"eventVersion":"1.08","userIdentity":{"type":"AWSService","invokedBy":"x.amazonaws.com","invokedByDelegate":{"accountId":"111122223333"},"sessionContext":{"webIdFederationData":{"federatedProvider":"p","attributes":{"a":1}},"assumedRoot":"true","signInSessionArn":"s"}},"eventTime":"2026-05-04T10:11:12Z","serviceEventDetails":{"a":[1]},"insightDetails":{"state":"Start"},"errorMessage":"\"quoted\" <b>"}`} {
		want := mustParse(t, text)
		byHand := want
		byHand.Raw = nil
		encoded, err := json.Marshal(byHand)
		if err != nil {
			t.Fatal(err)
		}
		got := mustParse(t, string(encoded))
		got.Raw, want.Raw = nil, nil
		if want.RequestParameters == nil {
			want.RequestParameters = json.RawMessage("null")
		}
		if want.ResponseElements == nil {
			want.ResponseElements = json.RawMessage("null")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("fields do not survive (-want +got):\n%s", diff)
		}
	}
}

func TestMarshalKeepsRaw(t *testing.T) {
	const text = `{ "eventVersion" : "1.08", "unknown" : [ 1.0 ] }`
	got, err := mustParse(t, text).MarshalJSON()
	if err != nil || string(got) != text {
		t.Errorf("MarshalJSON = %s, %v, want the text read", got, err)
	}
}

func TestParseRecordIsTolerant(t *testing.T) {
	cases := []struct {
		name, text string
		check      func(r cloudtrail.Record) bool
	}{
		{"no userIdentity", `{"eventVersion":"1.08"}`, func(r cloudtrail.Record) bool { return r.UserIdentity.Type == "" }},
		{"null userIdentity", `{"eventVersion":"1.08","userIdentity":null}`, func(r cloudtrail.Record) bool { return r.UserIdentity.Type == "" }},
		{"null session", `{"eventVersion":"1.08","userIdentity":{"sessionContext":null,"invokedBy":null}}`, func(r cloudtrail.Record) bool { return r.UserIdentity.SessionContext == nil }},
		{"empty access key", `{"eventVersion":"1.08","userIdentity":{"accessKeyId":""}}`, func(r cloudtrail.Record) bool { return r.UserIdentity.AccessKeyID == "" }},
		{"boolean as text", `{"eventVersion":"1.08","readOnly":"True"}`, func(r cloudtrail.Record) bool { return r.ReadOnly != nil && *r.ReadOnly }},
		{"text as boolean", `{"eventVersion":"1.08","sessionCredentialFromConsole":true}`, func(r cloudtrail.Record) bool { return r.SessionCredentialFromConsole }},
		{"number as text", `{"eventVersion":1.08,"recipientAccountId":111122223333}`, func(r cloudtrail.Record) bool {
			return r.EventVersion == "1.08" && r.RecipientAccountID == "111122223333"
		}},
		{"null resources", `{"eventVersion":"1.08","resources":null}`, func(r cloudtrail.Record) bool { return r.Resources == nil }},
		{"resource by prefix", `{"eventVersion":"1.08","resources":[{"ARNPrefix":"p","type":"AWS::S3::Object"}]}`, func(r cloudtrail.Record) bool { return r.Resources[0].ARNPrefix == "p" }},
		{"last of duplicates", `{"eventVersion":"1.08","eventName":"A","userIdentity":{"type":"Root","arn":"x"},"eventName":"B","userIdentity":{"type":"IAMUser"}}`, func(r cloudtrail.Record) bool {
			return r.EventName == "B" && r.UserIdentity.Type == "IAMUser" && r.UserIdentity.ARN == ""
		}},
		{"escaped name", `{"\u0065ventVersion":"1.08"}`, func(r cloudtrail.Record) bool { return r.EventVersion == "1.08" }},
		{"unknown version", `{"eventVersion":"2.0"}`, func(r cloudtrail.Record) bool { return r.EventVersion == "2.0" }},
		{"region of nowhere", `{"eventVersion":"1.08","awsRegion":"apiso-centralnorth-2r"}`, func(r cloudtrail.Record) bool { return r.AWSRegion == "apiso-centralnorth-2r" }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if r := mustParse(t, c.text); !c.check(r) {
				t.Errorf("read as %+v", r)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	want := time.Date(2013, 11, 2, 1, 6, 28, 0, time.UTC)
	for _, text := range []string{
		"2013-11-02T01:06:28Z", "20131102T010628Z", "2013-11-02 01:06:28", "2013-11-02 01:06:28.000000000",
		"2013-11-02T01:06:28.000Z", "2013-11-02T02:06:28+01:00", "2013-11-02T01:06:28",
	} {
		r := mustParse(t, `{"eventVersion":"1.08","eventTime":"`+text+`"}`)
		if !r.EventTime.Equal(want) || r.EventTime.Location() != time.UTC {
			t.Errorf("eventTime %q = %v, want %v", text, r.EventTime, want)
		}
	}
	for _, text := range []string{"yesterday", "2013-02-30T01:06:28Z", "2013-11-02T25:06:28Z", "0000-00-00T00:00:00Z"} {
		_, err := cloudtrail.ParseRecord([]byte(`{"eventVersion":"1.08","eventTime":"` + text + `"}`))
		var field *cloudtrail.FieldError
		if !errors.As(err, &field) || field.Field != "eventTime" {
			t.Errorf("eventTime %q gives %v, want a FieldError", text, err)
		}
	}
}

func TestParseRecordErrors(t *testing.T) {
	cases := []struct {
		name, text string
		is         error
		says       string
	}{
		{"empty", ``, cloudtrail.ErrTruncated, "cut short"},
		{"cut short", stopLogging[:300], cloudtrail.ErrTruncated, "cut short"},
		{"not JSON", `{"eventVersion":"1.08",}`, cloudtrail.ErrSyntax, "at byte 23"},
		{"text behind", `{"eventVersion":"1.08"} x`, cloudtrail.ErrSyntax, "follows the record"},
		{"an array", `[]`, cloudtrail.ErrSyntax, "beginning of an object"},
		{"something else", `{"Version":"2012-10-17"}`, cloudtrail.ErrShape, "no eventVersion"},
		{"S3 notification", `{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put"}`, cloudtrail.ErrShape, "notification"},
		{"wrong type", `{"eventVersion":"1.08","userIdentity":"root"}`, nil, "field userIdentity: must be an object"},
		{"wrong type inside", `{"eventVersion":"1.08","userIdentity":{"sessionContext":{"sessionIssuer":{"arn":[]}}}}`, nil, "field userIdentity.sessionContext.sessionIssuer.arn: must be a string"},
		{"not a boolean", `{"eventVersion":"1.08","readOnly":"perhaps"}`, nil, "field readOnly: must be true or false"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := cloudtrail.ParseRecord([]byte(c.text))
			if err == nil || c.is != nil && !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("error = %v, want %v saying %q", err, c.is, c.says)
			}
		})
	}
}

func TestFailed(t *testing.T) {
	for text, want := range map[string]bool{
		`{"eventVersion":"1.08","eventName":"StopLogging"}`:                                                                                                                      false,
		`{"eventVersion":"1.08","eventName":"StopLogging","errorCode":"AccessDenied"}`:                                                                                           true,
		`{"eventVersion":"1.08","eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn","responseElements":{"ConsoleLogin":"Success"}}`:                                        false,
		`{"eventVersion":"1.08","eventName":"ConsoleLogin","eventType":"AwsConsoleSignIn","responseElements":{"ConsoleLogin":"Failure"},"errorMessage":"Failed authentication"}`: true,
		`{"eventVersion":"1.08","eventName":"SwitchRole","eventType":"AwsConsoleSignIn","responseElements":{"SwitchRole":"Failure"}}`:                                            true,
		`{"eventVersion":"1.08","eventName":"ConsoleLogin","errorMessage":"Failed authentication","responseElements":null}`:                                                      true,
	} {
		if r := mustParse(t, text); r.Failed() != want {
			t.Errorf("Failed() = %v of %s", !want, text)
		}
	}
}

func TestOmittedAndVersion(t *testing.T) {
	if r := mustParse(t, `{"eventVersion":"1.10","requestParameters":{"omitted":true,"originalSize":107023}}`); !r.Omitted() {
		t.Error("omitted parameters are not seen")
	}
	if r := mustParse(t, stopLogging); r.Omitted() {
		t.Error("complete parameters count as omitted")
	}
	for _, c := range []struct {
		version      string
		major, minor int
		want         bool
	}{
		{"1.09", 1, 8, true},
		{"1.09", 1, 9, true},
		{"1.09", 1, 10, false},
		{"1.10", 1, 9, true},
		{"1.11", 1, 11, true},
		{"2.0", 1, 8, false},
		{"1", 1, 0, false},
		{"", 1, 0, false},
		{"1.x", 1, 0, false},
	} {
		r := cloudtrail.Record{EventVersion: c.version}
		if got := r.VersionAtLeast(c.major, c.minor); got != c.want {
			t.Errorf("%q at least %d.%d = %v", c.version, c.major, c.minor, got)
		}
	}
}

func TestLookup(t *testing.T) {
	const raw = `{"name":"main","acl":["private"],"many":["a","b"],"none":[],"days":7,"on":false,"null":null,
		"rule":[{"id":"x","deep":{"er":[["y"]]}}],"dup":1,"dup":2,"caf\u00e9":"\u00e9","Name":"other"}`
	for path, want := range map[string]string{
		"name": "main", "Name": "other", "acl": "private", "days": "7", "on": "false", "rule/id": "x", "rule/deep/er": "y",
		"dup": "2", "café": "é",
		"many": "-", "none": "-", "null": "-", "rule": "-", "NAME": "-", "name/x": "-", "missing/x": "-", "": "-",
	} {
		var steps []string
		if path != "" {
			steps = strings.Split(path, "/")
		}
		got, ok := cloudtrail.Lookup(json.RawMessage(raw), steps...)
		if !ok {
			got = "-"
		}
		if got != want {
			t.Errorf("Lookup(%q) = %q, want %q", path, got, want)
		}
	}
	if got, ok := cloudtrail.Lookup(nil, "x"); ok {
		t.Errorf("Lookup in nothing = %q", got)
	}
}

func TestParseExpiration(t *testing.T) {
	want := time.Date(2026, 5, 4, 11, 11, 12, 0, time.UTC)
	for _, s := range []string{"May 4, 2026, 11:11:12 AM", "May 4, 2026 11:11:12 AM", "May 4, 2026, 11:11:12\u202fAM", "2026-05-04T11:11:12Z"} {
		if got, ok := cloudtrail.ParseExpiration(s); !ok || !got.Equal(want) {
			t.Errorf("ParseExpiration(%q) = %v, %v", s, got, ok)
		}
	}
	if got, ok := cloudtrail.ParseExpiration("Jul 18, 2014, 4:07:39 PM"); !ok || got.Hour() != 16 {
		t.Errorf("afternoon = %v, %v", got, ok)
	}
	if got, ok := cloudtrail.ParseExpiration("soon"); ok {
		t.Errorf("ParseExpiration(soon) = %v", got)
	}
}

func TestRedacted(t *testing.T) {
	const raw = ` {"a":1, "responseElements": {"credentials": {"accessKeyId":"ASIAIOSFODNN7EXAMPLE","sessionToken":"hush","expiration":"x"},
		"list":[{"SecretAccessKey":"hush"},[],{}, "sessionToken"]}, "\u0070assword":{"deep":"hush"}, "z":"\u00e9"}`
	const want = `{"a":1,"responseElements":{"credentials":{"accessKeyId":"ASIAIOSFODNN7EXAMPLE","expiration":"x"},"list":[{},[],{},"sessionToken"]},"z":"\u00e9"}`
	if got := string(cloudtrail.Redacted(json.RawMessage(raw))); got != want {
		t.Errorf("Redacted = %s, want %s", got, want)
	}
	for _, broken := range []string{``, `{"sessionToken":"hush"`, `{"a":1} {"sessionToken":"hush"}`} {
		if got := cloudtrail.Redacted(json.RawMessage(broken)); got != nil {
			t.Errorf("Redacted(%s) = %s, want nil", broken, got)
		}
	}
}

func TestWrap(t *testing.T) {
	e := cloudtrail.Wrap(mustParse(t, stopLogging))
	back, err := cloudtrail.ParseEnvelope(e.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(e, back, cmp.Transformer("resources", func(e cloudtrail.Envelope) cloudtrail.Envelope {
		e.Resources = nil // [] is read as nil
		return e
	})); diff != "" {
		t.Errorf("ParseEnvelope(Wrap) (-want +got):\n%s", diff)
	}
	if e.DetailType != "AWS API Call via CloudTrail" || e.Source != "aws.cloudtrail" || e.Account != "111122223333" || !e.HasRecord() {
		t.Errorf("envelope %q %q %q", e.DetailType, e.Source, e.Account)
	}
	for eventType, want := range map[string]string{
		cloudtrail.EventTypeConsoleSignIn: "AWS Console Sign In via CloudTrail", cloudtrail.EventTypeServiceEvent: "AWS Service Event via CloudTrail",
		cloudtrail.EventTypeInsight: "AWS Insight via CloudTrail", cloudtrail.EventTypeConsoleAction: "AWS Console Action via CloudTrail",
	} {
		byHand := cloudtrail.Wrap(cloudtrail.Record{EventVersion: "1.08", EventType: eventType, EventSource: "signin.amazonaws.com"})
		if byHand.DetailType != want || !json.Valid(byHand.Raw) {
			t.Errorf("%s is wrapped as %s", eventType, byHand.Raw)
		}
	}
}

func TestParseEnvelopeErrors(t *testing.T) {
	for text, want := range map[string]error{
		`{"detail-type":"x","source":"y"}`:                               cloudtrail.ErrShape,
		`{"detail":{}}`:                                                  cloudtrail.ErrShape,
		`{"detail-type":"x","detail":"y"}`:                               cloudtrail.ErrShape,
		`{"detail-type":"AWS API Call via CloudTrail","detail":{"a":1}}`: cloudtrail.ErrShape,
		`{"detail-type":"x","detail":{`:                                  cloudtrail.ErrTruncated,
		`{"detail-type":"x","detail":{}} x`:                              cloudtrail.ErrSyntax,
	} {
		if _, err := cloudtrail.ParseEnvelope([]byte(text)); !errors.Is(err, want) {
			t.Errorf("ParseEnvelope(%s) = %v, want %v", text, err, want)
		}
	}
	_, err := cloudtrail.ParseEnvelope([]byte(`{"detail-type":"AWS API Call via CloudTrail","detail":{"eventVersion":"1.08","userIdentity":7}}`))
	if err == nil || !strings.Contains(err.Error(), "detail.userIdentity") {
		t.Errorf("error %v does not name detail.userIdentity", err)
	}
	e, err := cloudtrail.ParseEnvelope([]byte(`{"detail-type":"EC2 Instance State-change Notification","source":"aws.ec2","detail":{"eventName":7,"state":"running"}}`))
	if err != nil || e.HasRecord() {
		t.Errorf("another service's event: %v, has a record: %v", err, e.HasRecord())
	}
}
