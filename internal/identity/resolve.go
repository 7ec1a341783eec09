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

// Resolution is the answer to "who was it?", with its evidence. Its texts are as recorded: not yet printable, not capped.
type Resolution struct {
	Status Status `json:"status"`
	// Human is a user name, SAML subject, Identity Center user (name, or id where only that is recorded) or "root";
	// "" unless resolved.
	Human    string `json:"human,omitempty"`
	HumanARN string `json:"humanARN,omitempty"`
	// HumanID is the user's id in the identity store of IAM Identity Center, where AWS recorded it.
	HumanID string `json:"humanID,omitempty"`
	// Chain is nearest hop first; empty where the record itself names the human.
	Chain []Hop `json:"chain"`
	// Confidence is the weakest link, "" when there is none.
	Confidence Confidence `json:"confidence,omitempty"`
	// Workload is the CI job or pod that the chain ends at.
	Workload *Workload `json:"workload,omitempty"`
	// Carrier is the instance or function that carries the credentials, an ARN or an instance's id. Nearby are those who
	// launched that instance or had hands on it, latest first: they may have used its credentials, nothing says that
	// they did.
	Carrier string `json:"carrier,omitempty"`
	Nearby  []Hop  `json:"nearby,omitempty"`
	// Reason says why it is unresolved.
	Reason string `json:"reason,omitempty"`
	// Missing is what was looked for at the end of an unresolved chain and not found: once such an event arrives, it is
	// worth trying again. See Waiting.
	Missing []Clue `json:"-"`
}

// MaxHops bounds a chain. AWS's own are far shorter; a day of roles that assume each other in turn, each for the hour that
// AWS allows, is not.
const MaxHops = 24

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
	if i, ok := IssueOf(r); ok {
		at.UserIdentity = i.Caller // who switched roles, not what into
	}
	for {
		w.notice(at)
		next, found, err := w.step(ctx, at)
		if err != nil {
			return w.result(unresolved("the search was cut short")), err
		}
		if !found {
			return w.finish(ctx, r, at)
		}
		at = next
	}
}

// finish judges the end of the walk, and looks around where it is a machine.
func (w *walk) finish(ctx context.Context, r, end cloudtrail.Record) (Resolution, error) {
	res := w.result(w.end(end))
	if end.UserIdentity.Type == cloudtrail.IdentityWebIdentityUser {
		res.Workload = workloadOf(end.UserIdentity)
	}
	if w.carrier == "" || res.Status == Resolved {
		return res, nil
	}
	var err error
	res.Carrier = w.carrier
	res.Nearby, err = w.nearby(ctx, r, w.carrier)
	return res, err
}

// Principals lists everybody on the chain of r, nearest first: r's principal, the callers, the human, any source identity,
// who started the job, and who was near the instance. None of them may answer for the incident.
func (res Resolution) Principals(r cloudtrail.Record) []string {
	all := []string{PrincipalOf(r.UserIdentity).String(), sourceIdentity(r.UserIdentity)}
	for _, hop := range res.Chain {
		all = append(all, hop.Caller)
	}
	all = append(all, res.HumanARN, res.Human, res.HumanID)
	if res.Workload != nil {
		all = append(all, res.Workload.Actor)
	}
	for _, hop := range res.Nearby {
		all = append(all, hop.Caller)
	}
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
	index   Index
	seen    map[cloudtrail.EventID]bool
	chain   []Hop
	broken  string // why the last step found nothing
	missing []Clue // what it looked for
	carrier string
	// sourced is the first record on the way that bears a source identity.
	sourced *cloudtrail.Record
}

// notice takes what the records on the way say in passing.
func (w *walk) notice(at cloudtrail.Record) {
	if w.carrier == "" {
		w.carrier = carrierOf(at.UserIdentity)
	}
	if w.sourced == nil && sourceIdentity(at.UserIdentity) != "" {
		w.sourced = &at
	}
}

// step finds the event that issued the credentials of at, and adds its hop. Not found: the walk ends here.
func (w *walk) step(ctx context.Context, at cloudtrail.Record) (cloudtrail.Record, bool, error) {
	w.broken = ""
	if at.UserIdentity.Type != cloudtrail.IdentityAWSAccount { // of which only the caller's copy is missing
		w.missing = nil
	}
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
	w.chain = append(w.chain, hopOf(issue.Record, issue.Caller, how, issue.Source))
	next := issue.Record
	next.UserIdentity = issue.Caller
	return next, true, nil
}

func hopOf(r cloudtrail.Record, caller cloudtrail.UserIdentity, how Confidence, source string) Hop {
	return Hop{
		EventID: r.EventID, EventName: r.EventName, At: r.EventTime,
		Caller: PrincipalOf(caller).String(), CallerType: caller.Type, Confidence: how, Source: source,
	}
}

// trace is one way to look for the event that issued a session.
type trace struct {
	clue Clue
	how  Confidence
	fits func(Issue, cloudtrail.Record, Session) bool
}

// traces are the ways that the record at offers, the most exact first.
func (w *walk) traces(at cloudtrail.Record, s Session) []trace {
	since, until := at.EventTime.Add(-LongestSession), at.EventTime.Add(clockTolerance)
	created, createdBy := since, until
	if !s.CreatedAt.IsZero() {
		created, createdBy = s.CreatedAt.Add(-clockTolerance), s.CreatedAt.Add(clockTolerance)
	}
	var all []trace
	switch {
	case s.AccessKeyID != "":
		all = append(all, trace{w.clue(at, ClueKey, s.AccessKeyID, since, until), ByKey, fitsKey})
	case s.ID != "":
		all = append(all, trace{w.clue(at, ClueSession, s.ID, created, createdBy), BySession, fitsSession})
	}
	if slices.Contains(signIns, at.EventName) || !isConsole(&at) {
		return all
	}
	if s.SignInARN != "" {
		all = append(all, trace{w.clue(at, ClueSignIn, s.SignInARN, since, until), BySession, fitsSignIn})
	}
	if s.ID != "" && !s.CreatedAt.IsZero() {
		all = append(all, trace{w.clue(at, ClueSignIn, s.ID, created, createdBy), BySession, fitsSignIn})
	}
	return all
}

func (w *walk) clue(at cloudtrail.Record, kind ClueKind, id string, since, until time.Time) Clue {
	return Clue{
		Kind: kind, ID: id, Since: since, Until: until,
		Account: cmp.Or(at.UserIdentity.AccountID, at.RecipientAccountID), Region: at.AWSRegion,
	}
}

// issuer finds the one event that issued s. How is "" when there is none, or more than one.
func (w *walk) issuer(ctx context.Context, at cloudtrail.Record, s Session) (issue Issue, how Confidence, err error) {
	w.broken = "the record names neither access key nor session"
	for i, t := range w.traces(at, s) {
		issues, err := w.lookUp(ctx, t.clue)
		if err != nil {
			return Issue{}, "", err
		}
		issues = slices.DeleteFunc(issues, func(i Issue) bool { return !t.fits(i, at, s) })
		if one, ok := oneOf(issues); ok {
			w.missing = nil
			one, err = w.callersCopy(ctx, one, t.clue)
			return one, t.how, err
		}
		if i == 0 || len(issues) > 0 {
			w.broken = reasonNotOne(len(issues), t.clue.ID)
		}
		if len(issues) > 0 { // more events cannot make them one
			w.missing = nil
			return Issue{}, "", nil
		}
		w.missing = append(w.missing, t.clue)
	}
	return Issue{}, "", nil
}

func reasonNotOne(found int, id string) string {
	if found == 0 {
		return fmt.Sprintf("no event at hand issued %s", Printable(id, 200))
	}
	return fmt.Sprintf("several events claim to have issued %s", Printable(id, 200))
}

// lookUp returns what the index finds, each event once, in a fixed order. An id that AWS never made is not looked for.
func (w *walk) lookUp(ctx context.Context, c Clue) ([]Issue, error) {
	if len(c.ID) > MaxID {
		return nil, nil
	}
	found, err := w.index.Find(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("find who issued %s: %w", Printable(c.ID, 200), err)
	}
	var issues []Issue
	for _, f := range found {
		if i, ok := IssueOf(f.Record); ok {
			i.Source = f.Source
			issues = append(issues, i)
		}
	}
	slices.SortStableFunc(issues, func(a, b Issue) int {
		return compareEvents(a.IssuedAt, b.IssuedAt, a.Record.EventID, b.Record.EventID)
	})
	return slices.CompactFunc(issues, func(a, b Issue) bool { return a.Record.EventID == b.Record.EventID }), nil
}

func compareEvents(a, b time.Time, first, second cloudtrail.EventID) int {
	return cmp.Or(a.Compare(b), strings.Compare(string(first), string(second)))
}
