// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package iam

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// window is one deny: sessions of the ids that were issued from one moment to another can do nothing until a third.
type window struct {
	ids []string // sorted
	// from and to bound aws:TokenIssueTime, to zero for no end; until is when AWS stops to apply it.
	from, to, until time.Time
}

// settling is how long after the containment a session of a contained name is still denied: who could open one may go on
// until IAM has told all of AWS.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency
const settling = 2 * time.Minute

// exactSize is up to which size, in characters, each session has a window of its own. Beyond, the sessions of a role share
// theirs, from the first of them on: what is denied beyond the plan are only older sessions of the same names.
const exactSize = 4000

// windowsOf are the narrowest windows of the sessions that fit.
func windowsOf(sessions []session, at, until time.Time) []window {
	exact := group(sessions, at, until, func(s session) time.Time { return s.From })
	if len(document(exact)) <= exactSize {
		return exact
	}
	first := slices.MinFunc(sessions, func(a, b session) int { return a.From.Compare(b.From) }).From
	return group(sessions, at, until, func(session) time.Time { return first })
}

func group(sessions []session, at, until time.Time, from func(session) time.Time) []window {
	var all []window
	for _, s := range sessions {
		w := window{from: whole(from(s)), until: whole(until.Add(time.Second - 1))}
		if !s.Open {
			w.to = whole(at.Add(settling))
		}
		i := slices.IndexFunc(all, func(o window) bool { return o.from.Equal(w.from) && o.to.Equal(w.to) })
		if i < 0 {
			all, i = append(all, w), len(all)
		}
		if !slices.Contains(all[i].ids, s.ID) {
			all[i].ids = append(all[i].ids, s.ID)
		}
	}
	return sorted(all)
}

func sorted(all []window) []window {
	for _, w := range all {
		slices.Sort(w.ids)
	}
	slices.SortFunc(all, func(a, b window) int {
		return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to), a.until.Compare(b.until), slices.Compare(a.ids, b.ids))
	})
	return all
}

// whole is the moment as policies write it.
func whole(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// covers reports whether a session of a plan is denied by one of the windows for as long as the plan asks for.
func covers(all []window, s session, p *plan) bool {
	return slices.ContainsFunc(all, func(w window) bool {
		reaches := w.to.IsZero() || !s.Open && !w.to.Before(whole(p.At))
		return reaches && slices.Contains(w.ids, s.ID) && !w.from.After(s.From) && !w.until.Before(whole(p.Until))
	})
}

// with adds windows to those that still count.
func with(have, want []window, now time.Time) []window {
	all := append(alive(have, now), want...)
	return slices.CompactFunc(sorted(all), func(a, b window) bool {
		return a.from.Equal(b.from) && a.to.Equal(b.to) && a.until.Equal(b.until) && slices.Equal(a.ids, b.ids)
	})
}

// alive are the windows that are not over.
func alive(all []window, now time.Time) []window {
	return slices.DeleteFunc(slices.Clone(all), func(w window) bool { return !now.Before(w.until) })
}

// statement is a deny as we write it. Long-term credentials have no aws:TokenIssueTime, so that it never hits them. It
// ends by itself, whatever becomes of us.
//
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tokenissuetime
type statement struct {
	Effect, Action, Resource string
	Condition                struct {
		StringEquals struct {
			UserID []string `json:"aws:userid"`
		}
		DateGreaterThanEquals issued
		DateLessThanEquals    *issued `json:",omitempty"`
		DateLessThan          struct {
			CurrentTime time.Time `json:"aws:CurrentTime"`
		}
	}
}

type issued struct {
	TokenIssueTime time.Time `json:"aws:TokenIssueTime"`
}

type denial struct {
	Version   string
	Statement []statement
}

// document is the policy of the windows, "" for none.
func document(all []window) string {
	if len(all) == 0 {
		return ""
	}
	d := denial{Version: "2012-10-17"}
	for _, w := range all {
		s := statement{Effect: "Deny", Action: "*", Resource: "*"}
		s.Condition.StringEquals.UserID = w.ids
		s.Condition.DateGreaterThanEquals.TokenIssueTime = w.from
		if !w.to.IsZero() {
			s.Condition.DateLessThanEquals = &issued{w.to}
		}
		s.Condition.DateLessThan.CurrentTime = w.until
		d.Statement = append(d.Statement, s)
	}
	text, _ := json.Marshal(d) // texts and times of years that JSON can write: see plan.check
	return string(text)
}

// parseDocument reads a policy that document wrote; none for any other, which somebody changed.
func parseDocument(text string) []window {
	var d denial
	if text == "" || json.Unmarshal([]byte(text), &d) != nil {
		return nil
	}
	var all []window
	for _, s := range d.Statement {
		w := window{
			ids: s.Condition.StringEquals.UserID, from: s.Condition.DateGreaterThanEquals.TokenIssueTime, until: s.Condition.DateLessThan.CurrentTime,
		}
		if to := s.Condition.DateLessThanEquals; to != nil {
			w.to = to.TokenIssueTime
		}
		all = append(all, w)
	}
	if document(all) != strings.TrimSpace(text) {
		return nil
	}
	return all
}
