// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
)

// LongestException bounds an exception from the moment when it was added.
const LongestException = 24 * time.Hour

// ErrOwnPart says that no exception covers a part of Switchback itself.
var ErrOwnPart = errors.New("it is a part of Switchback, which no exception covers")

// Exception is planned change: who may change what of one resource until when. Inside it the change is recorded and not
// undone; when it is over, the baseline is enforced again. One person adds it, and it holds once another has approved.
type Exception struct {
	ID string `json:"id"`
	// Resource is an ARN, exactly.
	Resource arn.ARN `json:"resource"`
	// Events are the names of the calls: "UpdateTrail".
	Events []string `json:"events"`
	// Fields, by AWS's names as differences spell them ("KmsKeyId", "Tags.team"), are what may change; empty is whatever
	// the events change.
	Fields []string `json:"fields,omitempty"`
	// Principals are ARNs of users, roles (all their sessions) or role sessions.
	Principals []string  `json:"principals"`
	Until      time.Time `json:"until"`
	Ticket     string    `json:"ticket"`

	AddedBy string `json:"added_by"`
	// AddedNames are all under which that person is known: one with two logins is still one.
	AddedNames []string  `json:"added_names"`
	AddedAt    time.Time `json:"added_at"`
	ApprovedBy string    `json:"approved_by,omitempty"`
	ApprovedAt time.Time `json:"approved_at,omitzero"`
	EndedBy    string    `json:"ended_by,omitempty"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	// SettledAt is when, after its end, the baseline was enforced again, or there was nothing to enforce.
	SettledAt time.Time `json:"settled_at,omitzero"`

	// Accepted is what the covered changes made of the resource.
	Accepted Accepted `json:"accepted,omitzero"`
}

// Accepted is the part of a resource that covered changes set.
type Accepted struct {
	// Fields are when each was set last; those are what counts of State.
	Fields map[string]time.Time `json:"fields,omitempty"`
	// State is the resource's configuration.
	State json.RawMessage `json:"state,omitempty"`
	// Events are the changes, the newest last, at most MaxEvents.
	Events []cloudtrail.EventID `json:"events,omitempty"`
}

// ExceptionStatus says where an exception stands.
type ExceptionStatus string

// The statuses, in order.
const (
	ExceptionPending ExceptionStatus = "pending" // waits for the second person
	ExceptionActive  ExceptionStatus = "active"
	ExceptionOver    ExceptionStatus = "over" // ended, expired, or never approved in time
)

// End is when it is over.
func (e Exception) End() time.Time {
	if !e.EndedAt.IsZero() && e.EndedAt.Before(e.Until) {
		return e.EndedAt
	}
	return e.Until
}

// Status is that at now.
func (e Exception) Status(now time.Time) ExceptionStatus {
	switch {
	case !now.Before(e.End()):
		return ExceptionOver
	case e.ApprovedAt.IsZero():
		return ExceptionPending
	}
	return ExceptionActive
}

// Covers reports whether a call falls under e at now. Principals are the ARNs of who made it: the user, or the session and
// its role. CloudTrail's times are cut to the second: a call of the very second of the approval counts.
func (e Exception) Covers(resource arn.ARN, event string, at time.Time, principals []string, now time.Time) bool {
	return e.Status(now) == ExceptionActive && e.Resource == resource && slices.Contains(e.Events, event) &&
		!at.Before(e.ApprovedAt.Truncate(time.Second)) && at.Before(e.End()) &&
		slices.ContainsFunc(principals, func(p string) bool { return p != "" && slices.Contains(e.Principals, p) })
}

// Allows reports whether a field may change.
func (e Exception) Allows(field string) bool {
	return len(e.Fields) == 0 || slices.Contains(e.Fields, field)
}

// Accept notes that a covered call set fields, and what the resource is with them.
func (e *Exception) Accept(event cloudtrail.EventID, at time.Time, fields []string, state json.RawMessage) {
	if e.Accepted.Fields == nil {
		e.Accepted.Fields = map[string]time.Time{}
	}
	for _, f := range fields {
		e.Accepted.Fields[f] = at.UTC()
	}
	e.Accepted.State = state
	if events := e.Accepted.Events; !slices.Contains(events, event) {
		e.Accepted.Events = append(events[max(0, len(events)+1-MaxEvents):], event)
	}
}

// Bounds of what one exception may list.
const (
	maxExceptionList = 32
	maxTicket        = 200
	maxARN           = 2048
)

var (
	eventName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_]{2,127}$`)
	fieldName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9 .:/_+=@-]{0,255}$`)
)

// Check refuses what is too wide, too long, or touches own, the ARNs of our own parts.
func (e Exception) Check(own []string) error {
	if err := checkARN(string(e.Resource)); err != nil {
		return fmt.Errorf("resource: %w", err)
	}
	if IsOwnPart(string(e.Resource), own) {
		return fmt.Errorf("resource %s: %w", e.Resource, ErrOwnPart)
	}
	if err := checkNames("event", e.Events, 1, eventName); err != nil {
		return err
	}
	if err := checkNames("field", e.Fields, 0, fieldName); err != nil {
		return err
	}
	if n := len(e.Principals); n == 0 || n > maxExceptionList {
		return fmt.Errorf("principals: %d, want 1 to %d", n, maxExceptionList)
	}
	for _, p := range e.Principals {
		if err := checkPrincipal(p, own); err != nil {
			return err
		}
	}
	return e.checkTime()
}

func (e Exception) checkTime() error {
	switch lasts := e.Until.Sub(e.AddedAt); {
	case lasts <= 0 || lasts > LongestException:
		return fmt.Errorf("it would last %s, want more than nothing and at most %s", lasts.Round(time.Second), LongestException)
	case strings.TrimSpace(e.Ticket) == "" || len(e.Ticket) > maxTicket:
		return fmt.Errorf("ticket: want 1 to %d bytes: it is what the others will read", maxTicket)
	}
	return nil
}

func checkNames(what string, all []string, least int, form *regexp.Regexp) error {
	if len(all) < least || len(all) > maxExceptionList {
		return fmt.Errorf("%ss: %d, want %d to %d", what, len(all), least, maxExceptionList)
	}
	for _, name := range all {
		if !form.MatchString(name) {
			return fmt.Errorf("%s %.60q: want a name as AWS spells it, without wildcards", what, name)
		}
	}
	return nil
}

// checkPrincipal: a user, a role or a session of one. Our own are none of these: what we do is never an exception.
func checkPrincipal(p string, own []string) error {
	if err := checkARN(p); err != nil {
		return fmt.Errorf("principal: %w", err)
	}
	parts, err := arn.Parse(p)
	if err != nil || !slices.Contains([]string{"iam user", "iam role", "sts assumed-role", "iam root"}, parts.Service+" "+kindOf(parts.Resource)) {
		return fmt.Errorf("principal %.200q: want the ARN of a user, a role or a role session", p)
	}
	if IsOwnPart(p, own) {
		return fmt.Errorf("principal %s: %w", p, ErrOwnPart)
	}
	return nil
}

func kindOf(resource string) string {
	kind, _, _ := strings.Cut(resource, "/")
	return kind
}

func checkARN(text string) error {
	if _, err := arn.Parse(text); err != nil || len(text) > maxARN || strings.ContainsAny(text, "*? \t\r\n") {
		return fmt.Errorf("%.200q is no ARN of one resource (wildcards are not taken)", text)
	}
	return nil
}

// IsOwnPart reports whether an ARN is one of own, or of something in or under one: an alias of a function, a session of a
// role.
func IsOwnPart(resource string, own []string) bool {
	return slices.ContainsFunc(own, func(o string) bool {
		return o != "" && (isUnder(resource, o) || isUnder(roleOf(resource), roleOf(o)))
	})
}

func isUnder(resource, own string) bool {
	resource, own = strings.ToLower(resource), strings.ToLower(own)
	rest, ok := strings.CutPrefix(resource, own)
	return ok && (rest == "" || rest[0] == '/' || rest[0] == ':')
}

// roleOf is the account and name of a role, however it is spelt: by its ARN, with a path, or by that of a session. Other
// ARNs come back as they are.
func roleOf(text string) string {
	p, err := arn.Parse(text)
	if err != nil {
		return text
	}
	parts := strings.Split(p.Resource, "/")
	switch {
	case p.Service == "iam" && parts[0] == "role" && len(parts) > 1:
		return p.AccountID + "/" + parts[len(parts)-1]
	case p.Service == "sts" && parts[0] == "assumed-role" && len(parts) > 1:
		return p.AccountID + "/" + parts[1]
	}
	return text
}

// IsSamePrincipal reports whether two ARNs mean the same user, or a role and a session of it.
func IsSamePrincipal(a, b string) bool { return a != "" && b != "" && roleOf(a) == roleOf(b) }

// HasPrincipal reports whether an ARN, or a session of the role that it names, is on the incident's identity chain.
func (i Incident) HasPrincipal(principal string) bool {
	return slices.ContainsFunc(append([]string{i.Who.Principal, i.Who.HumanARN}, i.Who.Chain...), func(on string) bool {
		return IsSamePrincipal(on, principal)
	})
}

// Exceptions keeps planned changes. Every method is durable when it returns.
type Exceptions interface {
	// AddException returns ErrConflict when there is one of that id.
	AddException(ctx context.Context, e Exception) error
	// UpdateException reads, changes and writes one without interference; ErrNotFound for an unknown id. An error of change
	// leaves it untouched.
	UpdateException(ctx context.Context, id string, change func(*Exception) error) (Exception, error)
	// ListExceptions returns them in the order in which they were added.
	ListExceptions(ctx context.Context, f ExceptionFilter) ([]Exception, error)
}

// ExceptionFilter narrows ListExceptions; its zero value means all.
type ExceptionFilter struct {
	Resource arn.ARN
	// Unsettled leaves out those that are over and done with.
	Unsettled bool
}
