// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/switchback-project/switchback/internal/action"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/identity"
)

// plan is what a containment is to change, and what it cannot: a person approves exactly this.
type plan struct {
	// Subject is the principal whose call it began with.
	Subject string    `json:"subject"`
	At      time.Time `json:"at"`
	// Until is when the denies end by themselves.
	Until   time.Time `json:"until"`
	Targets []target  `json:"targets"`
	// Others are hit, too, although they are not meant.
	Others []other `json:"others"`
	// Steps are for a person: what no call of ours ends.
	Steps []step `json:"steps"`
	// Gaps say what may be missing in the plan.
	Gaps    []string `json:"gaps"`
	Summary string   `json:"summary"`
}

// target is a role or user and what of it is to end.
type target struct {
	ARN arn.ARN `json:"arn"`
	// ID is AWS's unique id, "AROA…" or "AIDA…": another one is another role of the same name.
	ID       string    `json:"id"`
	Sessions []session `json:"sessions,omitempty"`
	// Keys are the long-term keys to deactivate.
	Keys []string `json:"keys,omitempty"`
}

// session is a session to end.
type session struct {
	// ID is its aws:userid.
	ID string `json:"id"`
	// From is the moment it was issued, less what clocks may differ by.
	From time.Time `json:"from"`
	// Open: whoever has it can get it anew, so later ones of its id are denied, too.
	Open      bool      `json:"open,omitempty"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}

// other is somebody else who would be hit.
type other struct {
	Who string `json:"who"`
	Why string `json:"why"`
}

// step is one thing that a person has to do, or has to know.
type step struct {
	// Outcome is one of the constants below.
	Outcome string `json:"outcome"`
	Who     string `json:"who"`
	Why     string `json:"why"`
	// Until is when the credentials end by themselves, zero for never; Left is the time from the plan until then.
	Until time.Time `json:"until,omitzero"`
	Left  string    `json:"left,omitempty"`
	// WhoCan is empty where nobody has to act.
	WhoCan  string `json:"who_can,omitempty"`
	Command string `json:"command,omitempty"`
}

// Outcomes of what is not contained by a call.
const (
	outcomeIdentityCenter = "identity-center"
	outcomeServiceLinked  = "service-linked-role"
	outcomeOtherAccount   = "account-out-of-reach"
	outcomeSAML           = "saml-provider"
	outcomeOIDC           = "oidc-provider"
	outcomeRoot           = "root"
	outcomeService        = "service"
	outcomePassword       = "console-password"
	outcomeFull           = "inline-policies-full"
	outcomeOwn            = "own-part"
	outcomeUnknown        = "unknown"
	outcomeGone           = "gone"
	outcomeSpared         = "spared"
)

// What the ids and names of AWS look like. Everything else may hold a variable, or worse, and goes into no policy.
//
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
var (
	roleSession      = regexp.MustCompile(`^(AROA[A-Z0-9]{1,124}):[\w+=,.@-]{2,64}$`)
	userID           = regexp.MustCompile(`^AIDA[A-Z0-9]{1,124}$`)
	federatedSession = regexp.MustCompile(`^[0-9]{12}:[\w+=,.@-]{2,32}$`)
	keyID            = regexp.MustCompile(`^AKIA[A-Z0-9]{1,124}$`)
	entityName       = regexp.MustCompile(`^[\w+=,.@-]{1,128}$`)
	accountID        = regexp.MustCompile(`^[0-9]{12}$`)
)

// longest bounds how far a plan reaches, most its targets and the sessions of each.
const (
	longest = 2 * identity.LongestSession
	most    = identity.MaxMembers
)

// check refuses a plan that no planning made.
func (p *plan) check(env *action.Env) error {
	switch {
	case len(p.Targets) == 0:
		return errors.New("plan: nothing in it can be contained by a call; see its steps")
	case len(p.Targets) > most:
		return fmt.Errorf("plan: %d targets, at most %d", len(p.Targets), most)
	case p.At.IsZero() || !p.Until.After(p.At) || p.Until.Sub(p.At) > longest:
		return fmt.Errorf("plan: from %s until %s", p.At, p.Until)
	}
	for i, t := range p.Targets {
		if err := t.check(p); err != nil {
			return fmt.Errorf("plan: target %d: %w", i+1, err)
		}
		if isOwn(env, t.ARN) {
			return fmt.Errorf("plan: %s is a part of Switchback: nothing would be left to undo it", t.ARN)
		}
		if slices.ContainsFunc(p.Targets[:i], func(o target) bool { return o.ARN == t.ARN }) {
			return fmt.Errorf("plan: %s twice", t.ARN)
		}
	}
	return nil
}

func (t target) check(p *plan) error {
	a, err := t.ARN.Parse()
	if err != nil || a.Service != "iam" || !accountID.MatchString(a.AccountID) || !entityName.MatchString(lastName(a)) {
		return fmt.Errorf("%.200q is the ARN of no role or user", t.ARN)
	}
	if _, ok := arn.PartitionByID(a.Partition); !ok || len(t.Sessions) > most || len(t.Sessions)+len(t.Keys) == 0 {
		return fmt.Errorf("%s: %d sessions and %d keys", t.ARN, len(t.Sessions), len(t.Keys))
	}
	isUser := strings.HasPrefix(a.Resource, "user/")
	if !isUser && (!strings.HasPrefix(a.Resource, "role/") || len(t.Keys) > 0) {
		return fmt.Errorf("%s: neither a user nor a role without keys", t.ARN)
	}
	for _, s := range t.Sessions {
		known := userID.MatchString(s.ID) || federatedSession.MatchString(s.ID)
		if m := roleSession.FindStringSubmatch(s.ID); !isUser {
			known = m != nil && m[1] == t.ID
		}
		if !known || s.From.IsZero() || s.From.After(p.Until) || s.From.Year() < 2000 {
			return fmt.Errorf("%s: %.200q from %s is no session of it", t.ARN, s.ID, s.From)
		}
	}
	for _, k := range t.Keys {
		if !keyID.MatchString(k) {
			return fmt.Errorf("%s: %.200q is no long-term key", t.ARN, k)
		}
	}
	return nil
}

// isOwn reports whether a is what Switchback itself consists of.
func isOwn(env *action.Env, a arn.ARN) bool {
	for _, d := range env.Own {
		if d.ARN == a {
			return true
		}
	}
	return false
}
