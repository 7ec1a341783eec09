// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package identity

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
)

// Status of a resolution.
type Status string

// What a resolution can end with.
const (
	Resolved   Status = "resolved"
	Unresolved Status = "unresolved"
	// Service is a machine: an AWS service, or a workload with a web identity.
	Service Status = "service"
)

// Confidence says how a hop, or the human's name, was found. Strongest first in the order of the constants.
type Confidence string

// Ways to know, strongest first.
const (
	// ByKey: the event issued exactly the access key that was used, to the principal that used it, in time.
	ByKey Confidence = "key"
	// BySession: the record has no key; the event issued the session of this id at the moment it was created, and no
	// other event did.
	BySession Confidence = "session"
	// ByPrincipal: AWS itself names the one behind the call (session issuer of a federated user, onBehalfOf, a web
	// identity's provider).
	ByPrincipal Confidence = "principal"
	// BySourceIdentity: set when the first session was opened, and unchangeable since.
	BySourceIdentity Confidence = "source_identity"
	// ByIdentityCenter: the session name of a role that only IAM Identity Center can assume is its user's name.
	ByIdentityCenter Confidence = "identity_center_session_name"
	// BySAML: the session name that a SAML provider asserted, where it withheld the subject.
	BySAML Confidence = "saml_session_name"
)

// Hop is one step back: an event, and who called it.
type Hop struct {
	EventID    cloudtrail.EventID `json:"eventID"`
	EventName  string             `json:"eventName"`
	At         time.Time          `json:"at"`
	Caller     string             `json:"caller"`
	CallerType string             `json:"callerType"`
	Confidence Confidence         `json:"confidence"`
	Source     string             `json:"source,omitempty"`
	// Note says what does not fit: the chain's end and the source identity name different people.
	Note string `json:"note,omitempty"`
}

// Resolution is the answer to "who was it?", with its evidence.
type Resolution struct {
	Status Status `json:"status"`
	// Human is a user name, SAML subject, Identity Center user (name, or id where only that is recorded) or "root";
	// "" unless resolved. It is as recorded: not yet printable.
	Human    string `json:"human,omitempty"`
	HumanARN string `json:"humanARN,omitempty"`
	// Chain is nearest hop first; empty where the record itself names the human.
	Chain []Hop `json:"chain"`
	// Confidence is the weakest link, "" when there is none.
	Confidence Confidence `json:"confidence,omitempty"`
	// Reason says why it is unresolved.
	Reason string `json:"reason,omitempty"`
}

// MaxHops bounds a chain; AWS's own chains are far shorter.
const MaxHops = 10

// Clocks of AWS's hosts differ a little, and a call that began with valid credentials may end after they expired.
const (
	clockTolerance = 2 * time.Second
	expiryGrace    = time.Minute
)

// Resolve follows r back to a human. What index does not have leaves the answer unresolved, with the chain as far as it
// goes; more events can only add to it. The error is the index's, with the resolution as far as it came.
func Resolve(ctx context.Context, r cloudtrail.Record, index Index) (Resolution, error) {
	w := walk{index: index, seen: map[cloudtrail.EventID]bool{r.EventID: true}}
	at := r
	for {
		next, found, err := w.step(ctx, at)
		if err != nil {
			return w.result(verdict{status: Unresolved, reason: "the search was cut short"}), err
		}
		if !found {
			return w.result(w.end(at)), nil
		}
		at = next
	}
}

// Principals lists everybody on the chain of r, nearest first: r's principal, the callers, the human and any source
// identity. None of them may answer for the incident.
func (res Resolution) Principals(r cloudtrail.Record) []string {
	all := []string{PrincipalOf(r.UserIdentity).String(), sourceIdentity(r.UserIdentity)}
	for _, hop := range res.Chain {
		all = append(all, hop.Caller)
	}
	all = append(all, res.HumanARN, res.Human)
	var distinct []string
	for _, name := range all {
		if name != "" && !slices.Contains(distinct, name) {
			distinct = append(distinct, name)
		}
	}
	return distinct
}

// walk is one resolution under way.
type walk struct {
	index  Index
	seen   map[cloudtrail.EventID]bool
	chain  []Hop
	broken string // why the last step found nothing
}

// step finds the event that issued the credentials of at, and adds its hop. Not found: the walk ends here.
func (w *walk) step(ctx context.Context, at cloudtrail.Record) (cloudtrail.Record, bool, error) {
	w.broken = ""
	s, ok := SessionOf(at.UserIdentity)
	switch at.UserIdentity.Type {
	case cloudtrail.IdentitySAMLUser, cloudtrail.IdentityWebIdentityUser, cloudtrail.IdentityAWSService:
		ok = false // a service, or the assertion that opened the session: nothing lies behind it
	}
	if !ok {
		return cloudtrail.Record{}, false, nil
	}
	issue, how, err := w.issuer(ctx, at, s)
	if err != nil || how == "" {
		return cloudtrail.Record{}, false, err
	}
	if w.seen[issue.Record.EventID] {
		w.broken = "the chain leads back to itself"
		return cloudtrail.Record{}, false, nil
	}
	if len(w.chain) == MaxHops {
		w.broken = fmt.Sprintf("the chain is longer than %d hops", MaxHops)
		return cloudtrail.Record{}, false, nil
	}
	w.seen[issue.Record.EventID] = true
	w.add(issue.Record, how, issue.Source)
	return issue.Record, true, nil
}

func (w *walk) add(r cloudtrail.Record, how Confidence, source string) {
	w.chain = append(w.chain, Hop{
		EventID: r.EventID, EventName: r.EventName, At: r.EventTime,
		Caller: PrincipalOf(r.UserIdentity).String(), CallerType: r.UserIdentity.Type,
		Confidence: how, Source: source,
	})
}

// issuer finds the one event that issued s, by key, else by session id where no key was recorded.
func (w *walk) issuer(ctx context.Context, at cloudtrail.Record, s Session) (Issue, Confidence, error) {
	use := Use{At: at.EventTime, Account: cmp.Or(at.UserIdentity.AccountID, at.RecipientAccountID), Region: at.AWSRegion}
	id, how, fits := s.AccessKeyID, ByKey, fitsKey
	if id == "" {
		id, how, fits = s.ID, BySession, fitsSession
	}
	if id == "" {
		w.broken = "the record names neither access key nor session"
		return Issue{}, "", nil
	}
	issues, err := w.lookUp(ctx, id, use)
	if err != nil {
		return Issue{}, "", err
	}
	issues = slices.DeleteFunc(issues, func(i Issue) bool { return !fits(i, at, s) })
	issue, ok := oneOf(issues)
	if !ok {
		w.broken = reasonNotOne(len(issues), id)
		return Issue{}, "", nil
	}
	issue, err = w.callersCopy(ctx, issue, use)
	return issue, how, err
}

func reasonNotOne(found int, id string) string {
	if found == 0 {
		return fmt.Sprintf("no event at hand issued %s", Printable(id, 200))
	}
	return fmt.Sprintf("several events claim to have issued %s", Printable(id, 200))
}

func (w *walk) lookUp(ctx context.Context, id string, use Use) ([]Issue, error) {
	found, err := w.index.IssuedBy(ctx, id, use)
	if err != nil {
		return nil, fmt.Errorf("find who issued %s: %w", Printable(id, 200), err)
	}
	var issues []Issue
	for _, f := range found {
		if i, ok := IssueOf(f.Record); ok {
			i.Source = f.Source
			issues = append(issues, i)
		}
	}
	slices.SortStableFunc(issues, func(a, b Issue) int {
		return cmp.Or(a.IssuedAt.Compare(b.IssuedAt), strings.Compare(string(a.Record.EventID), string(b.Record.EventID)))
	})
	return slices.CompactFunc(issues, func(a, b Issue) bool { return a.Record.EventID == b.Record.EventID }), nil
}

// callersCopy prefers, of the copies that a call across accounts leaves, that of the caller's account: the role's owner
// sees only an account and an id.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html
func (w *walk) callersCopy(ctx context.Context, i Issue, use Use) (Issue, error) {
	shared := i.Record.SharedEventID
	if i.Record.UserIdentity.Type != cloudtrail.IdentityAWSAccount || shared == "" {
		return i, nil
	}
	use.At = i.IssuedAt
	use.Account = i.Record.UserIdentity.AccountID
	copies, err := w.lookUp(ctx, shared, use)
	for _, c := range copies {
		if c.Record.SharedEventID == shared && c.Record.EventName == i.Record.EventName &&
			c.Record.UserIdentity.Type != cloudtrail.IdentityAWSAccount {
			return c, err
		}
	}
	return i, err
}

// oneOf returns the event of issues if they are one: copies of the same call count once, the most telling is taken.
func oneOf(issues []Issue) (Issue, bool) {
	if len(issues) == 0 {
		return Issue{}, false
	}
	best := issues[0]
	for _, i := range issues[1:] {
		if !isSameCall(best, i) {
			return Issue{}, false
		}
		if best.Record.UserIdentity.Type == cloudtrail.IdentityAWSAccount {
			best = i
		}
	}
	return best, true
}

// isSameCall joins the copies of a call across accounts, and a record with the one that corrects it.
func isSameCall(a, b Issue) bool {
	switch {
	case a.Record.SharedEventID != "" && a.Record.SharedEventID == b.Record.SharedEventID:
		return true
	case a.Record.RequestID != "" && a.Record.RequestID == b.Record.RequestID:
		return true
	}
	return false
}

// fitsKey demands more than the key: the event came before the use, the credentials had not expired, and they were
// issued to the principal that used them.
func fitsKey(i Issue, at cloudtrail.Record, s Session) bool {
	return i.AccessKeyID == s.AccessKeyID && isInTime(i, at) && isFor(i, at.UserIdentity)
}

// fitsSession demands that the session was created when the event issued it.
func fitsSession(i Issue, at cloudtrail.Record, s Session) bool {
	return i.SessionID == s.ID && isInTime(i, at) && !s.CreatedAt.IsZero() &&
		i.IssuedAt.Sub(s.CreatedAt).Abs() <= clockTolerance
}

func isInTime(i Issue, at cloudtrail.Record) bool {
	return !i.IssuedAt.After(at.EventTime.Add(clockTolerance)) && !at.EventTime.After(i.ExpiresAt.Add(expiryGrace))
}

func isFor(i Issue, u cloudtrail.UserIdentity) bool {
	switch {
	case i.SessionID != "":
		return u.PrincipalID == "" || u.PrincipalID == i.SessionID
	case i.Record.EventName == "AssumeRoot":
		return u.Type == cloudtrail.IdentityRoot
	}
	// GetSessionToken gives a user, or root, credentials of its own.
	caller := i.Record.UserIdentity
	return caller.Type == u.Type && (u.PrincipalID == "" || caller.PrincipalID == "" || u.PrincipalID == caller.PrincipalID)
}
