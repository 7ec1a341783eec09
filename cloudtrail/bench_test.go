// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cloudtrail_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// logFile is a log file of n records that differ in what differs in real ones.
func logFile(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"Records":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		r := strings.Replace(stopLogging, "0a6c6a43-0000", fmt.Sprintf("%08x-0000", i), 1)
		r = strings.Replace(r, `"5d1c0e6a"`, fmt.Sprintf(`"%016x"`, i), 1)
		b.WriteString(strings.Replace(r, "10:11:12", time.Unix(int64(i), 0).UTC().Format("15:04:05"), 1))
	}
	b.WriteString("]}")
	return b.Bytes()
}

func BenchmarkDecoder(b *testing.B) {
	file := logFile(2000)
	b.SetBytes(int64(len(file)))
	b.ReportAllocs()
	for b.Loop() {
		d := cloudtrail.NewDecoder(bytes.NewReader(file), cloudtrail.Limits{})
		for {
			if _, err := d.Next(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkParseRecord(b *testing.B) {
	text := []byte(stopLogging)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cloudtrail.ParseRecord(text); err != nil {
			b.Fatal(err)
		}
	}
}

// peer is Record as encoding/json reads it.
type peer struct {
	EventVersion string `json:"eventVersion"`
	UserIdentity struct {
		Type           string `json:"type"`
		PrincipalID    string `json:"principalId"`
		ARN            string `json:"arn"`
		AccountID      string `json:"accountId"`
		AccessKeyID    string `json:"accessKeyId"`
		UserName       string `json:"userName"`
		InvokedBy      string `json:"invokedBy"`
		SessionContext *struct {
			SessionIssuer struct {
				Type        string `json:"type"`
				PrincipalID string `json:"principalId"`
				ARN         string `json:"arn"`
				AccountID   string `json:"accountId"`
				UserName    string `json:"userName"`
			} `json:"sessionIssuer"`
			Attributes struct {
				CreationDate     time.Time `json:"creationDate"`
				MFAAuthenticated string    `json:"mfaAuthenticated"`
			} `json:"attributes"`
			SourceIdentity  string `json:"sourceIdentity"`
			EC2RoleDelivery string `json:"ec2RoleDelivery"`
		} `json:"sessionContext"`
	} `json:"userIdentity"`
	EventTime           time.Time       `json:"eventTime"`
	EventSource         string          `json:"eventSource"`
	EventName           string          `json:"eventName"`
	AWSRegion           string          `json:"awsRegion"`
	SourceIPAddress     string          `json:"sourceIPAddress"`
	UserAgent           string          `json:"userAgent"`
	ErrorCode           string          `json:"errorCode"`
	ErrorMessage        string          `json:"errorMessage"`
	RequestParameters   json.RawMessage `json:"requestParameters"`
	ResponseElements    json.RawMessage `json:"responseElements"`
	AdditionalEventData json.RawMessage `json:"additionalEventData"`
	RequestID           string          `json:"requestID"`
	EventID             string          `json:"eventID"`
	EventType           string          `json:"eventType"`
	ReadOnly            *bool           `json:"readOnly"`
	ManagementEvent     *bool           `json:"managementEvent"`
	Resources           []struct {
		ARN       string `json:"ARN"`
		AccountID string `json:"accountId"`
		Type      string `json:"type"`
	} `json:"resources"`
	RecipientAccountID string `json:"recipientAccountId"`
	SharedEventID      string `json:"sharedEventID"`
	EventCategory      string `json:"eventCategory"`
	TLSDetails         *struct {
		TLSVersion               string `json:"tlsVersion"`
		CipherSuite              string `json:"cipherSuite"`
		ClientProvidedHostHeader string `json:"clientProvidedHostHeader"`
		KeyExchange              string `json:"keyExchange"`
	} `json:"tlsDetails"`
}

// BenchmarkEncodingJSON is what the others are compared with.
func BenchmarkEncodingJSON(b *testing.B) {
	text := []byte(stopLogging)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		var r peer
		if err := json.Unmarshal(text, &r); err != nil {
			b.Fatal(err)
		}
	}
}
