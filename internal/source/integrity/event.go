// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package integrity

import (
	"cmp"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/cloudtrail/digest"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/source"
)

// DetailType is what the events of this source say that they are.
const DetailType = "Log File Integrity"

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

// event makes an event of a finding. Its resource is the bucket: that findings about many files of one bucket and account
// are one incident is meant.
func (s *Source) event(r digest.Result, now time.Time) (cloudtrail.Envelope, error) {
	bucket := cmp.Or(r.Bucket, r.Scope.Bucket)
	d := Detail{
		Code: r.Code, Severity: r.Severity, Subject: r.Subject, Account: cmp.Or(r.Scope.Account, s.trail.AccountID, s.o.ExpectedBucketOwner),
		Region: cmp.Or(r.Scope.Region, s.trail.HomeRegion, s.o.Region), Trail: r.Scope.Trail, Bucket: bucket, Key: r.Key,
		BucketAccount: s.o.Account, Message: r.Detail, From: r.From, To: r.To, Count: r.Count,
	}
	return source.Finding{
		ID: eventID(r), DetailType: DetailType, Account: d.Account, Region: d.Region, At: now,
		Resources: []string{string(arn.Bucket(d.Region, bucket))}, Detail: d,
	}.Event()
}

// eventID is equal for the same finding, also when its end moves as time passes (no digest file since …), and in the
// form of AWS's ids.
func eventID(r digest.Result) string {
	parts := []string{string(r.Code), r.Scope.Bucket, r.Scope.Prefix, r.Scope.Organization, r.Scope.Account, r.Scope.Region, r.Scope.Trail, r.Bucket, r.Key}
	if r.Key == "" && !isMoving[r.Code] {
		parts = append(parts, r.From.UTC().Format(time.RFC3339))
	}
	return source.FindingID(parts...)
}

// isMoving are the findings whose beginning is that of the validation, which moves.
var isMoving = map[digest.Code]bool{digest.CodeNothingFound: true, digest.CodeMissingHead: true}
