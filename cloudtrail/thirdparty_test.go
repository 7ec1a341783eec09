// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/thirdparty"
)

// decodeAll reads a stream to its end; unreadable records are collected.
func decodeAll(r io.Reader, l cloudtrail.Limits) (items []cloudtrail.Item, bad []*cloudtrail.RecordError, err error) {
	for d := cloudtrail.NewDecoder(r, l); ; {
		item, err := d.Next()
		var record *cloudtrail.RecordError
		switch {
		case errors.Is(err, io.EOF):
			return items, bad, nil
		case errors.As(err, &record):
			bad = append(bad, record)
		case err != nil:
			return items, bad, err
		default:
			items = append(items, item)
		}
	}
}

func decodeFile(t *testing.T, path string) (items []cloudtrail.Item, bad []*cloudtrail.RecordError, err error) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return decodeAll(f, cloudtrail.Limits{})
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s matches nothing (%v)", pattern, err)
	}
	return paths
}

func lines(t *testing.T, path string, each func(line []byte)) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := bufio.NewScanner(f)
	s.Buffer(nil, 16<<20)
	for s.Scan() {
		each(s.Bytes())
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
}

// checkAgainstMap compares a parsed record with what encoding/json reads from the same text.
func checkAgainstMap(t *testing.T, r *cloudtrail.Record, text []byte) {
	t.Helper()
	if !bytes.Equal(r.Raw, bytes.TrimSpace(text)) {
		t.Errorf("event %s: Raw is not the text that was read", r.EventID)
	}
	var m map[string]any
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	got, want := recordTexts(r), map[string]string{}
	for name := range got {
		want[name] = textAt(m, strings.Split(name, "."))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("event %s differs from encoding/json (-want +got):\n%s", r.EventID, diff)
	}
	for name, raw := range map[string]json.RawMessage{
		"requestParameters": r.RequestParameters, "responseElements": r.ResponseElements, "additionalEventData": r.AdditionalEventData,
	} {
		var value any
		if raw != nil {
			if err := json.Unmarshal(raw, &value); err != nil {
				t.Errorf("event %s: %s: %v", r.EventID, name, err)
			}
		}
		if diff := cmp.Diff(m[name], value); diff != "" {
			t.Errorf("event %s: %s (-want +got):\n%s", r.EventID, name, diff)
		}
	}
	if resources, _ := m["resources"].([]any); len(resources) != len(r.Resources) {
		t.Errorf("event %s: %d resources, want %d", r.EventID, len(r.Resources), len(resources))
	}
}

func textAt(v any, path []string) string {
	for _, step := range path {
		m, _ := v.(map[string]any)
		v = m[step]
	}
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return "true"
		}
		return "false"
	}
	return ""
}

// recordTexts gives the record's text fields under their names in JSON.
func recordTexts(r *cloudtrail.Record) map[string]string {
	u := r.UserIdentity
	m := map[string]string{
		"eventVersion": r.EventVersion, "eventSource": r.EventSource, "eventName": r.EventName, "awsRegion": r.AWSRegion,
		"sourceIPAddress": r.SourceIPAddress, "userAgent": r.UserAgent, "errorCode": r.ErrorCode,
		"errorMessage": r.ErrorMessage, "requestID": r.RequestID, "eventID": string(r.EventID), "eventType": r.EventType,
		"apiVersion": r.APIVersion, "recipientAccountId": r.RecipientAccountID, "sharedEventID": r.SharedEventID,
		"vpcEndpointId": r.VPCEndpointID, "vpcEndpointAccountId": r.VPCEndpointAccountID, "eventCategory": r.EventCategory,
		"userIdentity.type": u.Type, "userIdentity.principalId": u.PrincipalID, "userIdentity.arn": u.ARN,
		"userIdentity.accountId": u.AccountID, "userIdentity.accessKeyId": u.AccessKeyID,
		"userIdentity.userName": u.UserName, "userIdentity.invokedBy": u.InvokedBy,
	}
	s := cloudtrail.SessionContext{}
	if u.SessionContext != nil {
		s = *u.SessionContext
	}
	m["userIdentity.sessionContext.sessionIssuer.arn"] = s.SessionIssuer.ARN
	m["userIdentity.sessionContext.sessionIssuer.principalId"] = s.SessionIssuer.PrincipalID
	m["userIdentity.sessionContext.sessionIssuer.userName"] = s.SessionIssuer.UserName
	m["userIdentity.sessionContext.sourceIdentity"] = s.SourceIdentity
	tls := cloudtrail.TLSDetails{}
	if r.TLSDetails != nil {
		tls = *r.TLSDetails
	}
	m["tlsDetails.tlsVersion"], m["tlsDetails.cipherSuite"] = tls.TLSVersion, tls.CipherSuite
	m["tlsDetails.clientProvidedHostHeader"] = tls.ClientProvidedHostHeader
	return m
}

func TestStratus(t *testing.T) {
	byID := map[cloudtrail.EventID]int{}
	for _, path := range glob(t, filepath.Join(thirdparty.Path(t, "stratus/raw"), "*.json")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var want []json.RawMessage
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		items, bad, err := decodeFile(t, path)
		if err != nil || len(bad) > 0 || len(items) != len(want) {
			t.Fatalf("%s: %d records of %d, bad %v, error %v", filepath.Base(path), len(items), len(want), bad, err)
		}
		for i, item := range items {
			checkAgainstMap(t, &item.Record, want[i])
			if !bytes.HasPrefix(text[item.Offset:], item.Record.Raw) {
				t.Errorf("%s: record %d is not at its offset %d", filepath.Base(path), i, item.Offset)
			}
			byID[item.Record.EventID]++
		}
	}
	if total := sum(byID); total != 310 || len(byID) != 310 {
		t.Errorf("%d records with %d ids, want 310", total, len(byID))
	}
	seen := 0
	lines(t, thirdparty.Path(t, "stratus/events.jsonl"), func(line []byte) {
		var wrapped struct{ Event cloudtrail.Record }
		if err := json.Unmarshal(line, &wrapped); err != nil {
			t.Fatal(err)
		}
		byID[wrapped.Event.EventID]--
		seen++
	})
	if seen != 310 || sum(byID) != 0 {
		t.Errorf("events.jsonl has %d records, want the same 310 as raw/", seen)
	}
}

func sum(m map[cloudtrail.EventID]int) (n int) {
	for _, count := range m {
		n += count
	}
	return n
}

func TestStratusValues(t *testing.T) {
	path := filepath.Join(thirdparty.Path(t, "stratus/raw"), "aws.defense-evasion.cloudtrail-stop.json")
	items, _, err := decodeFile(t, path)
	if err != nil {
		t.Fatal(err)
	}
	var stops []cloudtrail.Record
	for _, item := range items {
		if item.Record.EventName == "StopLogging" {
			stops = append(stops, item.Record)
		}
	}
	if len(stops) != 1 {
		t.Fatalf("%d StopLogging records, want 1", len(stops))
	}
	stop := stops[0]
	name, ok := stop.RequestParameter("name")
	if !ok || name == "" || stop.Failed() || !stop.VersionAtLeast(1, 8) || stop.ReadOnly == nil || *stop.ReadOnly {
		t.Errorf("StopLogging: name %q, failed %v, version %s, readOnly %v", name, stop.Failed(), stop.EventVersion, stop.ReadOnly)
	}
	if stop.EventTime.IsZero() || stop.EventTime.Location() != time.UTC {
		t.Errorf("EventTime = %v, want a time in UTC", stop.EventTime)
	}
}

func TestDeliveredLogFiles(t *testing.T) {
	for name, want := range map[string]int{
		"trailscraper/raw/tests/cloudtrail/data/111111111111_CloudTrail_eu-central-1_20171211T1505Z_A6kvhMoVeCsc7v8U.json.gz": 2,
		"trailscraper/raw/tests/cloudtrail/data/111111111111_CloudTrail_eu-central-1_20171211T1505Z_A6kvhMoVeCsc7v8U.json":    2,
		"trailscraper/raw/tests/smoke/events-for-smoke-test.json":                                                             3,
		"cloudgrep/raw/tests/data/cloudtrail.json":                                                                            1,
		"cloudgrep/raw/tests/data/cloudtrail_singleline.json":                                                                 1,
	} {
		items, bad, err := decodeFile(t, thirdparty.Path(t, name))
		if err != nil || len(bad) > 0 {
			t.Errorf("%s: bad %v, error %v", name, bad, err)
		}
		if len(items) != want {
			t.Errorf("%s: %d records, want %d", name, len(items), want)
		}
		for _, item := range items {
			checkAgainstMap(t, &item.Record, item.Record.Raw)
		}
	}
}

func TestBrokenFilesAreNamed(t *testing.T) {
	items, bad, err := decodeFile(t, thirdparty.Path(t, "cloudgrep/raw/tests/data/bad_cloudtrail.json"))
	if !errors.Is(err, cloudtrail.ErrTruncated) || len(bad) > 0 {
		t.Errorf("bad_cloudtrail.json: %d records, bad %v, error %v, want ErrTruncated", len(items), bad, err)
	}
	_, bad, err = decodeFile(t, thirdparty.Path(t, "trailscraper/raw/tests/smoke/policy-to-guess.json"))
	if err != nil || len(bad) != 1 || !errors.Is(bad[0], cloudtrail.ErrShape) {
		t.Errorf("a policy document: bad %v, error %v, want ErrShape", bad, err)
	}
}

func TestCloudCustodian(t *testing.T) {
	var records, events, others, foreign int
	for _, path := range glob(t, filepath.Join(thirdparty.Path(t, "cloud-custodian/cwe"), "*.json")) {
		items, bad, err := decodeFile(t, path)
		if err != nil || len(items)+len(bad) != 1 {
			t.Fatalf("%s: %d items, bad %v, error %v", filepath.Base(path), len(items), bad, err)
		}
		switch {
		case len(bad) == 1:
			foreign++
			if !errors.Is(bad[0], cloudtrail.ErrShape) {
				t.Errorf("%s: %v, want ErrShape", filepath.Base(path), bad[0])
			}
		case items[0].Envelope == nil:
			records++
		case items[0].Envelope.HasRecord():
			events++
			e := items[0].Envelope
			checkAgainstMap(t, &e.Record, e.Detail)
			if want := "aws." + strings.Split(e.Record.EventSource, ".")[0]; e.Source != want && e.Record.EventSource != "" {
				t.Errorf("%s: source %q, want %q", filepath.Base(path), e.Source, want)
			}
		default:
			others++
		}
	}
	got := [4]int{records, events, others, foreign}
	if want := [4]int{14, 10, 11, 2}; got != want {
		t.Errorf("records, events with records, other events, foreign = %v, want %v", got, want)
	}
}

func TestPanther(t *testing.T) {
	var good, foreign int
	lines(t, thirdparty.Path(t, "panther/tests.dev.jsonl"), func(line []byte) {
		var test struct {
			RuleID string `json:"rule_id"`
			Event  json.RawMessage
		}
		if err := json.Unmarshal(line, &test); err != nil {
			t.Fatal(err)
		}
		r, err := cloudtrail.ParseRecord(test.Event)
		if errors.Is(err, cloudtrail.ErrShape) {
			foreign++ // Okta, GitHub and other logs, and records in lower case
			return
		}
		if err != nil {
			t.Errorf("%s: %v", test.RuleID, err)
			return
		}
		good++
		checkAgainstMap(t, &r, test.Event)
		var wire struct{ EventTime string }
		if json.Unmarshal(test.Event, &wire) == nil && wire.EventTime != "" && r.EventTime.IsZero() {
			t.Errorf("%s: eventTime %q was not read", test.RuleID, wire.EventTime)
		}
	})
	if good != 241 || foreign != 64 {
		t.Errorf("%d records and %d others, want 241 and 64", good, foreign)
	}
}
