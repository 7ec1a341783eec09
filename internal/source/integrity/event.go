// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package integrity

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/arn"
)

// What the events of this source say that they are.
const (
	EventSource = "switchback"
	DetailType  = "Log File Integrity"
)

// Detail is the detail of an event: one finding. Texts come from object keys, which an attacker may choose.
type Detail struct {
	Code     digest.Code     `json:"code"`
	Severity digest.Severity `json:"severity"`
	Subject  digest.Subject  `json:"subject"`
	Account  string          `json:"account"` // whose log files it is about
	Region   string          `json:"region"`
	Trail    string          `json:"trail,omitempty"`
	Bucket   string          `json:"bucket"`
	Key      string          `json:"key,omitempty"` // of the file, if it is about one
	// BucketAccount is the account that the bucket was read in, "" for that of the credentials.
	BucketAccount string    `json:"bucket_account,omitempty"`
	Message       string    `json:"message"` // one sentence
	From          time.Time `json:"from,omitzero"`
	To            time.Time `json:"to,omitzero"`
	Count         int       `json:"count,omitempty"` // files meant, if not one
}

// envelope is the event in EventBridge's form.
//
// https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html
type envelope struct {
	Version    string    `json:"version"`
	ID         string    `json:"id"`
	DetailType string    `json:"detail-type"`
	Source     string    `json:"source"`
	Account    string    `json:"account"`
	Time       time.Time `json:"time"`
	Region     string    `json:"region"`
	Resources  []arn.ARN `json:"resources"`
	Detail     Detail    `json:"detail"`
}

// event makes an event of a finding. Its resource is the bucket: that findings about many files of one bucket and account
// are one incident is meant.
func (s *Source) event(r digest.Result, now time.Time) (cloudtrail.Envelope, error) {
	bucket := cmp.Or(r.Bucket, r.Scope.Bucket)
	d := Detail{
		Code: r.Code, Severity: r.Severity, Subject: r.Subject, Account: cmp.Or(r.Scope.Account, s.trail.AccountID, s.o.ExpectedBucketOwner),
		Region: cmp.Or(r.Scope.Region, s.trail.HomeRegion, s.o.Region), Trail: r.Scope.Trail, Bucket: bucket, Key: r.Key,
		BucketAccount: s.o.Account, Message: r.Detail, From: r.From, To: r.To, Count: r.Count,
	}
	data, err := json.Marshal(envelope{
		Version: "0", ID: eventID(r), DetailType: DetailType, Source: EventSource, Account: d.Account, Time: now.Truncate(time.Second),
		Region: d.Region, Resources: []arn.ARN{arn.Bucket(d.Region, bucket)}, Detail: d,
	})
	if err != nil {
		return cloudtrail.Envelope{}, fmt.Errorf("encode event: %w", err)
	}
	return cloudtrail.ParseEnvelope(data)
}

// eventID is equal for the same finding, also when its end moves as time passes (no digest file since …), and in the
// form of AWS's ids.
func eventID(r digest.Result) string {
	parts := []string{string(r.Code), r.Scope.Bucket, r.Scope.Prefix, r.Scope.Organization, r.Scope.Account, r.Scope.Region, r.Scope.Trail, r.Bucket, r.Key}
	if r.Key == "" && !isMoving[r.Code] {
		parts = append(parts, r.From.UTC().Format(time.RFC3339))
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\n")))
	id := hex.EncodeToString(sum[:16])
	return strings.Join([]string{id[:8], id[8:12], id[12:16], id[16:20], id[20:]}, "-")
}

// isMoving are the findings whose beginning is that of the validation, which moves.
var isMoving = map[digest.Code]bool{digest.CodeNothingFound: true, digest.CodeMissingHead: true}
