// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package incident_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/arn"
	"github.com/switchback-project/switchback/internal/incident"
)

const (
	main     = arn.ARN("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main")
	operator = "arn:aws:iam::111122223333:role/Operator"
	ownRole  = "arn:aws:iam::111122223333:role/security/switchback"
	ownRule  = "arn:aws:events:eu-west-1:111122223333:rule/switchback"
)

var nine = time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)

func planned() incident.Exception {
	return incident.Exception{
		ID: "exception-1", Resource: main, Events: []string{"UpdateTrail"}, Principals: []string{operator},
		Until: nine.Add(2 * time.Hour), Ticket: "CHG-1", AddedBy: "alice", AddedAt: nine,
		ApprovedBy: "bob", ApprovedAt: nine.Add(10*time.Minute + 500*time.Millisecond),
	}
}

func TestExceptionCovers(t *testing.T) {
	session := []string{"arn:aws:sts::111122223333:assumed-role/Operator/deploy", operator}
	for name, tt := range map[string]struct {
		change   func(*incident.Exception)
		resource arn.ARN
		event    string
		at, now  time.Duration
		by       []string
		want     bool
	}{
		"inside":                        {at: time.Hour, now: time.Hour, want: true},
		"in the second of the approval": {at: 10 * time.Minute, now: 11 * time.Minute, want: true},
		"before the approval":           {at: 9 * time.Minute, now: time.Hour},
		"after the end":                 {at: 2 * time.Hour, now: 2 * time.Hour},
		"inside, and seen too late":     {at: time.Hour, now: 3 * time.Hour},
		"not approved":                  {change: func(e *incident.Exception) { e.ApprovedAt = time.Time{} }, at: time.Hour, now: time.Hour},
		"ended":                         {change: func(e *incident.Exception) { e.EndedAt = nine.Add(30 * time.Minute) }, at: 20 * time.Minute, now: time.Hour},
		"ended after it was over":       {change: func(e *incident.Exception) { e.EndedAt = nine.Add(3 * time.Hour) }, at: time.Hour, now: time.Hour, want: true},
		"another resource":              {resource: main + "2", at: time.Hour, now: time.Hour},
		"another call":                  {event: "StopLogging", at: time.Hour, now: time.Hour},
		"somebody else":                 {by: []string{"arn:aws:iam::111122223333:user/mallory", ""}, at: time.Hour, now: time.Hour},
		"nobody":                        {by: []string{""}, at: time.Hour, now: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			e := planned()
			if tt.change != nil {
				tt.change(&e)
			}
			if tt.resource == "" {
				tt.resource = main
			}
			if tt.event == "" {
				tt.event = "UpdateTrail"
			}
			if tt.by == nil {
				tt.by = session
			}
			if got := e.Covers(tt.resource, tt.event, nine.Add(tt.at), tt.by, nine.Add(tt.now)); got != tt.want {
				t.Errorf("covers: %t, want %t", got, tt.want)
			}
		})
	}
}

func TestExceptionCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*incident.Exception)
		want   string // part of the error, "" when it is fine
	}{
		"fine":                    {func(*incident.Exception) {}, ""},
		"24 hours":                {func(e *incident.Exception) { e.Until = nine.Add(24 * time.Hour) }, ""},
		"a second more":           {func(e *incident.Exception) { e.Until = nine.Add(24*time.Hour + time.Second) }, "at most 24h"},
		"no time":                 {func(e *incident.Exception) { e.Until = nine }, "more than nothing"},
		"no ticket":               {func(e *incident.Exception) { e.Ticket = " " }, "ticket"},
		"a wildcard":              {func(e *incident.Exception) { e.Resource = main[:20] + "*:trail/*" }, "no ARN of one resource"},
		"no ARN":                  {func(e *incident.Exception) { e.Resource = "main" }, "no ARN"},
		"no event":                {func(e *incident.Exception) { e.Events = nil }, "events: 0"},
		"every event":             {func(e *incident.Exception) { e.Events = []string{"*"} }, "without wildcards"},
		"a hostile field":         {func(e *incident.Exception) { e.Fields = []string{"<script>"} }, "field"},
		"tags":                    {func(e *incident.Exception) { e.Fields = []string{"Tags.cost center", "KmsKeyId"} }, ""},
		"no principal":            {func(e *incident.Exception) { e.Principals = nil }, "principals: 0"},
		"everybody":               {func(e *incident.Exception) { e.Principals = []string{"*"} }, "principal"},
		"an account":              {func(e *incident.Exception) { e.Principals = []string{"arn:aws:iam::111122223333:root"} }, ""},
		"a policy as principal":   {func(e *incident.Exception) { e.Principals = []string{"arn:aws:iam::111122223333:policy/x"} }, "want the ARN of a user"},
		"our rule":                {func(e *incident.Exception) { e.Resource = ownRule }, "no exception covers"},
		"our rule, in other case": {func(e *incident.Exception) { e.Resource = arn.ARN(ownRule[:len(ownRule)-10] + "SWITCHBACK") }, "no exception covers"},
		"a part of our rule":      {func(e *incident.Exception) { e.Resource = ownRule + "/target" }, "no exception covers"},
		"one that begins like it": {func(e *incident.Exception) { e.Resource = ownRule + "-2" }, ""},
		"our role":                {func(e *incident.Exception) { e.Resource = ownRole }, "no exception covers"},
		"our role without path":   {func(e *incident.Exception) { e.Resource = "arn:aws:iam::111122223333:role/switchback" }, "no exception covers"},
		"a session of ours": {func(e *incident.Exception) {
			e.Principals = []string{"arn:aws:sts::111122223333:assumed-role/switchback/x"}
		}, "no exception covers"},
		"our role, of another one": {func(e *incident.Exception) { e.Resource = "arn:aws:iam::444455556666:role/switchback" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			e := planned()
			tt.change(&e)
			err := e.Check([]string{"", ownRole, ownRule})
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("check: %v, want %q", err, tt.want)
			}
			if strings.Contains(tt.want, "no exception covers") && !errors.Is(err, incident.ErrOwnPart) {
				t.Errorf("check: %v, want ErrOwnPart", err)
			}
		})
	}
}

func TestExceptionKeepsTheNewestChanges(t *testing.T) {
	e := planned()
	for range 2 * incident.MaxEvents {
		e.Accept("again", nine, []string{"KmsKeyId"}, nil)
	}
	for n := range 2 * incident.MaxEvents {
		e.Accept(cloudtrail.EventID(fmt.Sprint(n)), nine, []string{"KmsKeyId"}, nil)
	}
	if got := e.Accepted.Events; len(got) != incident.MaxEvents || got[len(got)-1] != cloudtrail.EventID(fmt.Sprint(2*incident.MaxEvents-1)) || slices.Contains(got, "again") {
		t.Errorf("%d events: %v", len(got), got)
	}
}

func TestHasPrincipal(t *testing.T) {
	i := incident.Incident{Who: incident.Who{Principal: "arn:aws:sts::111122223333:assumed-role/Operator/x", Chain: []string{"arn:aws:iam::111122223333:user/mallory"}}}
	for p, want := range map[string]bool{
		operator: true, "arn:aws:iam::111122223333:user/mallory": true, "arn:aws:sts::111122223333:assumed-role/Operator/y": true,
		"arn:aws:iam::444455556666:role/Operator": false, "arn:aws:iam::111122223333:user/alice": false, "": false,
	} {
		if got := i.HasPrincipal(p); got != want {
			t.Errorf("HasPrincipal(%q) is %t, want %t", p, got, want)
		}
	}
}
