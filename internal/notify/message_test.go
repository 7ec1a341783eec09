// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package notify_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/identity"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

var update = flag.Bool("update", false, "write the golden files")

var them = []incident.Person{{Name: "Alice Example", Email: "alice@example.com", Source: "file"}}

var occurred = time.Date(2026, 5, 4, 10, 11, 12, 0, time.UTC)

func stopped() notify.Case {
	mfa := true
	return notify.Case{
		Incident: incident.Incident{
			ID: "20260504-cloudtrail-off-1a2b3c4d", Title: "StopLogging on main", Trigger: "logging stopped",
			Severity: incident.Critical, Status: incident.Open, Region: "eu-west-1", Count: 2,
			Key: incident.Key{
				Runbook: "cloudtrail-off", Account: "111122223333", EventName: "StopLogging", Outcome: incident.Succeeded,
				Resource: "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main",
			},
			Times: incident.Times{Occurred: occurred, Received: occurred.Add(4 * time.Second), Contained: occurred.Add(5 * time.Second)},
			Who: incident.Who{
				Principal: "arn:aws:sts::111122223333:assumed-role/Admin/s", Status: "resolved", Human: "alice",
				HumanARN: "arn:aws:iam::111122223333:user/alice",
				Chain:    []string{"arn:aws:sts::111122223333:assumed-role/Admin/s", "arn:aws:iam::111122223333:user/alice", "alice"},
			},
			Summary: "alice through role session Admin/s at 2026-05-04 10:11:12 UTC called StopLogging on main in eu-west-1 (Europe (Ireland)) from 198.51.100.7 with AWS CLI 2.17 on Linux",
			Open:    []string{"delivery is not proven yet"},
		},
		Facts: identity.Facts{
			EventID: "0a6c6a43", EventName: "StopLogging", Principal: "arn:aws:sts::111122223333:assumed-role/Admin/s",
			AccessKeyID: "ASIAIOSFODNN7EXAMPLE", MFA: &mfa, SourceIP: "198.51.100.7", Agent: "AWS CLI 2.17 on Linux", Region: "eu-west-1",
		},
		Done: []string{"Logging of the trail main is on again since 2026-05-04 10:11:17 UTC."},
		Call: "the security team, +49 30 1234567",
	}
}

// hostile is a case in which the attacker chose every text.
func hostile() notify.Case {
	c := stopped()
	const evil = "<script>alert(1)</script>\r\nBcc: evil@example.com\u202e[x](http://evil.example.com)<!channel>"
	c.Incident.Summary, c.Incident.Who.Human, c.Facts.SourceIP = evil, evil, identity.Printable(evil, 256)
	c.Incident.Key.Resource = evil + strings.Repeat("A", 100_000)
	c.Incident.Title = evil + strings.Repeat("A", 100_000)
	c.Incident.Open, c.Done = []string{evil}, []string{evil}
	return c
}

func TestMessages(t *testing.T) {
	t.Parallel()
	attempt := stopped()
	attempt.Incident.Key.Outcome, attempt.Incident.Severity, attempt.Done = incident.Attempted, incident.Medium, nil
	attempt.Incident.Times.Contained = time.Time{}
	attempt.Facts.ErrorCode = "AccessDenied"
	unread := stopped()
	unread.Facts, unread.Incident.Summary, unread.Incident.Who, unread.Done = identity.Facts{}, "", incident.Who{}, nil
	at := occurred.Add(10 * time.Second)
	for name, write := range map[string]func() (incident.Message, error){
		"security":         func() (incident.Message, error) { return notify.SecurityMessage("m1", stopped(), at) },
		"security-attempt": func() (incident.Message, error) { return notify.SecurityMessage("m1", attempt, at) },
		"security-hostile": func() (incident.Message, error) { return notify.SecurityMessage("m1", hostile(), at) },
		"security-unknown": func() (incident.Message, error) { return notify.SecurityMessage("m1", unread, at) },
		"person":           func() (incident.Message, error) { return notify.PersonMessage("m1", stopped(), them, at) },
		"person-attempt":   func() (incident.Message, error) { return notify.PersonMessage("m1", attempt, them, at) },
		"person-stand-in": func() (incident.Message, error) {
			return notify.PersonMessage("m1", stopped(), []incident.Person{{Name: "Security", Source: "fallback"}}, at)
		},
		"person-hostile": func() (incident.Message, error) { return notify.PersonMessage("m1", hostile(), them, at) },
		"reminder":       func() (incident.Message, error) { return notify.ReminderMessage("m1", stopped(), 2, at) },
		"fallback":       func() (incident.Message, error) { return notify.FallbackMessage("m1", stopped(), them, at) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, err := write()
			if err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", "Subject: "+m.Subject+"\n\n"+m.Text)
			golden(t, name+".html", m.HTML)
			if strings.ContainsAny(m.Subject, "\r\n") || len(m.Subject) > 500 || len(m.Text) > 20_000 {
				t.Errorf("subject of %d bytes %q, text of %d bytes", len(m.Subject), m.Subject, len(m.Text))
			}
		})
	}
}

// What the person gets must not help whoever holds the person's identity.
func TestPersonMessageGivesNothingAway(t *testing.T) {
	t.Parallel()
	c := stopped()
	m, err := notify.PersonMessage("m1", c, them, occurred)
	if err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{
		"incident": string(c.Incident.ID), "runbook": c.Incident.Key.Runbook, "account": c.Incident.Key.Account,
		"principal": "assumed-role", "key": c.Facts.AccessKeyID, "chain": "arn:", "command": "switchback incident",
		"open points": c.Incident.Open[0], "human": c.Incident.Who.HumanARN,
	} {
		if strings.Contains(m.Subject+m.Text+m.HTML, secret) {
			t.Errorf("the message tells the %s: %s", name, secret)
		}
	}
	for _, need := range []string{"StopLogging on main", "2026-05-04 10:11:12 UTC", "198.51.100.7", c.Done[0], c.Call} {
		if !strings.Contains(m.Text, need) {
			t.Errorf("the message does not say %q", need)
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}
