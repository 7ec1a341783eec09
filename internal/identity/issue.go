// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"context"
	"slices"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// Index finds events that lead back: those that issued credentials, and those that put hands on an instance.
type Index interface {
	// Find returns the records, of any number of sources, that the clue may mean. Records that do not belong are
	// harmless, missing ones only leave a chain unresolved. An error stops the resolution: a source that is merely down
	// returns none.
	Find(ctx context.Context, c Clue) ([]Found, error)
}

// Store is an Index that events are put into as they come: late, twice, in any order.
type Store interface {
	Index
	// Put indexes those of the records that issue sessions, all in one step; the same event again changes nothing.
	Put(ctx context.Context, records ...cloudtrail.Record) error
	// Prune forgets what no event of the moment now can need any more; see KeepFor.
	Prune(ctx context.Context, now time.Time) error
}

// ClueKind says what the id of a clue is.
type ClueKind string

// What is looked for by.
const (
	// ClueKey is an issued access key, "ASIA…".
	ClueKey ClueKind = "access key"
	// ClueSession is the id of a role or federated session, "AROA…:name".
	ClueSession ClueKind = "session"
	// ClueShared is the sharedEventID of a call across accounts.
	ClueShared ClueKind = "shared event"
	// ClueSignIn is the ARN of a console sign-in session, or the id of the principal that signed in.
	ClueSignIn ClueKind = "sign-in"
	// ClueInstance is the id of an EC2 instance: who launched it, who opened a session on it.
	ClueInstance ClueKind = "instance"
)

// Clue is what is known of an event that is looked for. Kind and ID decide; the rest bounds the search of an index that
// has to search: the event happened from Since to Until, and the account and region are those of the trace that led here.
type Clue struct {
	Kind            ClueKind
	ID              string
	Since, Until    time.Time
	Account, Region string
}

// Found is a record and the name of the source that had it.
type Found struct {
	Record cloudtrail.Record
	Source string
}

// LongestSession is the longest life of temporary credentials (GetSessionToken and GetFederationToken).
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
const LongestSession = 36 * time.Hour

// KeepFor is how long after its session has ended an issuing event is kept: what that session issued in its last moment
// lives for as long again, and leads back through it.
const KeepFor = LongestSession

// Issue is what an issuing event issued, and to whom.
type Issue struct {
	Record cloudtrail.Record
	// Caller is who got the session; of a console's SwitchRole the identity that was switched from.
	Caller      cloudtrail.UserIdentity
	AccessKeyID string
	// SessionID is the assumedRoleId or federatedUserId, of a sign-in the principal's id; "" for GetSessionToken and
	// AssumeRoot.
	SessionID string
	// SharedID joins the copies that a call across accounts leaves. One that has nothing else only tells the caller.
	SharedID string
	// SignInARN names a sign-in session.
	SignInARN string
	// IsSignIn: a console session, whose keys nobody records when they are issued.
	IsSignIn  bool
	IssuedAt  time.Time
	ExpiresAt time.Time
	// Source is where the record was found; IssueOf leaves it empty.
	Source string
}

// issuers are the calls of STS that issue credentials.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_request.html
var issuers = []string{
	"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "AssumeRoot", "GetFederationToken", "GetSessionToken",
}

// IssuerNames lists the calls of STS that issue credentials, sorted.
func IssuerNames() []string { return slices.Clone(issuers) }

// MaxID bounds the ids that are indexed, in bytes. AWS's own are far shorter; a longer one leads nowhere.
const MaxID = 512

// IssueOf reads what r issued; false for any other event, and for an issuing call that failed. Where the expiration
// cannot be read, the longest life there is holds.
func IssueOf(r cloudtrail.Record) (Issue, bool) {
	if r.Failed() {
		return Issue{}, false
	}
	i := Issue{Record: r, Caller: r.UserIdentity, IssuedAt: r.EventTime, ExpiresAt: r.EventTime.Add(LongestSession)}
	switch {
	case arn.IsServiceHost(r.EventSource, "sts") && slices.Contains(issuers, r.EventName):
		i.readCredentials()
	case arn.IsServiceHost(r.EventSource, "signin") && slices.Contains(signIns, r.EventName):
		i.readSignIn()
	}
	return i, len(i.IDs()) > 0
}

func (i *Issue) readCredentials() {
	r := &i.Record
	i.AccessKeyID, _ = r.ResponseElement("credentials", "accessKeyId")
	role, _ := r.ResponseElement("assumedRoleUser", "assumedRoleId")
	federated, _ := r.ResponseElement("federatedUser", "federatedUserId")
	i.SessionID = role + federated // never both
	i.SharedID = r.SharedEventID
	text, _ := r.ResponseElement("credentials", "expiration")
	if at, ok := cloudtrail.ParseExpiration(text); ok {
		i.ExpiresAt = at
	}
}

// IDs are those by which the issue is found: key, session, shared event, sign-in.
func (i *Issue) IDs() []string {
	var ids []string
	for _, id := range []string{i.AccessKeyID, i.SessionID, i.SharedID, i.SignInARN} {
		if id != "" && len(id) <= MaxID {
			ids = append(ids, id)
		}
	}
	return ids
}
