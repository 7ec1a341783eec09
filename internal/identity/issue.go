// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"sort"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Index finds the events that issued credentials.
type Index interface {
	// IssuedBy returns the records, of any number of sources, that issued id: an access key id, a session id
	// ("AROA…:name"), or the sharedEventID of an issuing call. Records that do not belong are harmless, missing ones
	// only leave a chain unresolved. An error stops the resolution: a source that is merely down returns none.
	IssuedBy(ctx context.Context, id string, use Use) ([]Found, error)
}

// Use is where and when the credentials were used: it bounds what an index has to search.
type Use struct {
	At              time.Time
	Account, Region string
}

// Found is a record and the name of the source that had it.
type Found struct {
	Record cloudtrail.Record
	Source string
}

// LongestSession is the longest life of temporary credentials (GetSessionToken and GetFederationToken): an index that
// keeps issuing events that long misses none.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const LongestSession = 36 * time.Hour

// Issue is what an issuing event issued.
type Issue struct {
	Record      cloudtrail.Record
	AccessKeyID string
	SessionID   string // assumedRoleId or federatedUserId; "" for GetSessionToken and AssumeRoot
	IssuedAt    time.Time
	ExpiresAt   time.Time
	// Source is where the record was found; IssueOf leaves it empty.
	Source string
}

// issuers are the calls of STS that issue credentials.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
var issuers = map[string]bool{
	"AssumeRole": true, "AssumeRoleWithSAML": true, "AssumeRoleWithWebIdentity": true, "AssumeRoot": true,
	"GetFederationToken": true, "GetSessionToken": true,
}

// IssuerNames lists the event names that IssueOf accepts, sorted.
func IssuerNames() []string {
	names := make([]string, 0, len(issuers))
	for name := range issuers {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// IssueOf reads what r issued; false for any other event, and for an issuing call that failed. Where the expiration
// cannot be read, the longest life there is holds.
func IssueOf(r cloudtrail.Record) (Issue, bool) {
	if !issuers[r.EventName] || !arn.IsServiceHost(r.EventSource, "sts") || r.Failed() {
		return Issue{}, false
	}
	i := Issue{Record: r, IssuedAt: r.EventTime, ExpiresAt: r.EventTime.Add(LongestSession)}
	i.AccessKeyID, _ = r.ResponseElement("credentials", "accessKeyId")
	role, _ := r.ResponseElement("assumedRoleUser", "assumedRoleId")
	federated, _ := r.ResponseElement("federatedUser", "federatedUserId")
	i.SessionID = role + federated // never both
	text, _ := r.ResponseElement("credentials", "expiration")
	if at, ok := cloudtrail.ParseExpiration(text); ok {
		i.ExpiresAt = at
	}
	return i, i.AccessKeyID != "" || i.SessionID != ""
}

// Memory is an Index over records at hand. Its zero value is empty and usable; Add is not safe beside IssuedBy.
type Memory struct {
	// Source is the name that Found carries.
	Source string
	byID   map[string][]cloudtrail.Record
	events map[cloudtrail.EventID]bool
}

var _ Index = (*Memory)(nil)

// Add indexes r when it issued credentials; the same event twice counts once.
func (m *Memory) Add(r cloudtrail.Record) {
	i, ok := IssueOf(r)
	if !ok || m.events[r.EventID] {
		return
	}
	if m.byID == nil {
		m.byID, m.events = map[string][]cloudtrail.Record{}, map[cloudtrail.EventID]bool{}
	}
	m.events[r.EventID] = r.EventID != ""
	for _, id := range []string{i.AccessKeyID, i.SessionID, r.SharedEventID} {
		if id != "" {
			m.byID[id] = append(m.byID[id], r)
		}
	}
}

// IssuedBy implements Index.
func (m *Memory) IssuedBy(_ context.Context, id string, _ Use) ([]Found, error) {
	var all []Found
	for _, r := range m.byID[id] {
		all = append(all, Found{Record: r, Source: m.Source})
	}
	return all, nil
}
