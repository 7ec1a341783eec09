// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package notifytest is the contract of notify.Notifier: every channel runs it against a real receiver on this computer.
package notifytest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

// Behaviour is what a receiver does with what it gets.
type Behaviour int

// The behaviours.
const (
	Accepts Behaviour = iota
	Busy              // refuses for now
	Refuses           // refuses for good
	Denies            // does not believe our credentials
	Gone              // has not what we send to, or not any more; a mail server: that address
	Hangs             // takes the connection and never answers
	IsDown            // nothing listens
)

// Received is one message as the receiver got it.
type Received struct {
	// ID is what the receiver can recognise a repetition by; "" where the medium has no such thing.
	ID string
	// To are the addresses it was sent to; empty where the medium has one addressee.
	To []string
	// Text is all that people see of it, decoded.
	Text string
	// Raw is everything that arrived.
	Raw string
}

// Open starts a receiver that ends with the test, and returns the channel that sends to it and what has arrived so far.
type Open func(t *testing.T, b Behaviour) (notify.Notifier, func() []Received)

// Message is what the contract sends: to the person who has every address.
func Message() incident.Message {
	return incident.Message{
		ID: "20260504-cloudtrail-off-1a2b3c4d-security-5f6e7d8c", Incident: "20260504-cloudtrail-off-1a2b3c4d",
		Kind: incident.ToSecurity, Severity: incident.Critical,
		To:      []incident.Person{{Name: "Alice Example", Email: "alice@example.com", Slack: "U012AB3CD", Phone: "+49 30 1", Source: "file"}},
		Subject: "[critical] StopLogging on main", Text: "alice called StopLogging on main.\n\nWhat was put back:\n- logging\n",
		HTML: "<p>alice called StopLogging on main.</p>", At: time.Date(2026, 5, 4, 10, 11, 12, 0, time.UTC),
	}
}

// Incident is what the message of the contract is about.
func Incident() incident.Incident {
	at := time.Date(2026, 5, 4, 10, 11, 0, 0, time.UTC)
	return incident.Incident{
		ID: Message().Incident, Title: "CloudTrail turned off", Severity: incident.Critical, Status: incident.Open, Region: "eu-west-1", Count: 1,
		Key: incident.Key{
			Runbook: "cloudtrail-off", Account: "444455556666", Resource: "arn:aws:cloudtrail:eu-west-1:444455556666:trail/main",
			EventName: "StopLogging", Outcome: incident.Succeeded,
		},
		Times: incident.Times{Occurred: at, Received: at.Add(5 * time.Second)}, Summary: "alice called StopLogging on main",
		Who: incident.Who{Principal: "arn:aws:sts::444455556666:assumed-role/admin/alice", Status: "resolved", Human: "alice"},
	}
}

// Evil is a text that tries every medium at once.
const Evil = "x\r\nBcc: evil@example.com\r\n\r\n.\r\n<script>alert(1)</script> <!channel> <!everyone> <@U0EVIL000> <https://evil.example.com|click> \u202e\x1b[31m\x00"

// Run holds a channel to the contract.
func Run(t *testing.T, open Open) {
	t.Helper()
	t.Run("repeated with the same id", func(t *testing.T) { t.Parallel(); repeated(t, open) })
	run(t, open)
}

// RunOnce holds a channel to the contract of which the receiver keeps one case however often it is told.
func RunOnce(t *testing.T, open Open) {
	t.Helper()
	t.Run("repeated, kept once", func(t *testing.T) { t.Parallel(); once(t, open) })
	run(t, open)
}

func run(t *testing.T, open Open) {
	t.Helper()
	t.Run("accepted", func(t *testing.T) { t.Parallel(); accepted(t, open) })
	t.Run("hostile content", func(t *testing.T) { t.Parallel(); hostile(t, open) })
	t.Run("100 KB", func(t *testing.T) { t.Parallel(); large(t, open) })
	for _, c := range []struct {
		name  string
		b     Behaviour
		retry bool
		want  []error // one of them
	}{
		{"busy", Busy, true, nil}, {"refused", Refuses, false, nil}, {"wrong credentials", Denies, false, []error{notify.ErrDenied}},
		{"gone", Gone, false, []error{notify.ErrGone, notify.ErrBounced}}, {"down", IsDown, true, []error{notify.ErrDown}},
	} {
		t.Run(c.name, func(t *testing.T) { t.Parallel(); fails(t, open, c.b, c.retry, c.want) })
	}
	t.Run("hanging", func(t *testing.T) { t.Parallel(); hangs(t, open) })
}

func accepted(t *testing.T, open Open) {
	n, received := open(t, Accepts)
	m := Message()
	to, retry, err := n.Notify(t.Context(), m)
	if err != nil || retry || len(to) == 0 {
		t.Fatalf("got %v, retry %t, %v", to, retry, err)
	}
	got := one(t, received())
	for _, line := range append(strings.Split(strings.TrimSpace(m.Text), "\n"), m.Subject) {
		if !strings.Contains(got.Text, line) {
			t.Errorf("%q is missing in what arrived:\n%s", line, got.Text)
		}
	}
}

func repeated(t *testing.T, open Open) {
	n, received := open(t, Accepts)
	for range 2 {
		if _, _, err := n.Notify(t.Context(), Message()); err != nil {
			t.Fatal(err)
		}
	}
	got := received()
	if len(got) != 2 || got[0].ID != got[1].ID {
		t.Errorf("got %+v, want the same twice", got)
	}
}

func once(t *testing.T, open Open) {
	n, received := open(t, Accepts)
	for range 3 {
		if to, _, err := n.Notify(t.Context(), Message()); err != nil || len(to) == 0 {
			t.Fatalf("got %v, %v", to, err)
		}
	}
	one(t, received())
}

func hostile(t *testing.T, open Open) {
	n, received := open(t, Accepts)
	m := Message()
	m.Subject, m.Text, m.To[0].Name = Evil, Evil, Evil
	if _, _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatalf("hostile text must be carried, not refused: %v", err)
	}
	got := one(t, received())
	if slices.ContainsFunc(got.To, func(to string) bool { return strings.Contains(to, "evil") }) {
		t.Errorf("sent to %q", got.To)
	}
	for _, markup := range []string{"<!channel>", "<!everyone>", "<@U0EVIL000>"} {
		if strings.Contains(got.Raw, `"text":"`+markup) {
			t.Errorf("markup %s went through", markup)
		}
	}
	if strings.ContainsAny(got.Text, "\u202e\x1b\x00") {
		t.Errorf("a screen would obey %q", got.Text)
	}
	if !strings.Contains(got.Text, "alert(1)") {
		t.Errorf("the text was lost: %q", got.Text)
	}
}

func large(t *testing.T, open Open) {
	n, received := open(t, Accepts)
	m := Message()
	m.Subject, m.Text = strings.Repeat("S", 100_000), strings.Repeat("T", 100_000)
	if _, _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	one(t, received())
}

func fails(t *testing.T, open Open, b Behaviour, wantRetry bool, want []error) {
	n, received := open(t, b)
	to, retry, err := n.Notify(t.Context(), Message())
	if err == nil || len(to) != 0 || retry != wantRetry {
		t.Fatalf("got %v, retry %t, %v, want an error and retry %t", to, retry, err, wantRetry)
	}
	if len(want) > 0 && !slices.ContainsFunc(want, func(w error) bool { return errors.Is(err, w) }) {
		t.Errorf("%v is none of %v", err, want)
	}
	if got := received(); len(got) != 0 {
		t.Errorf("%d messages arrived", len(got))
	}
}

// hangs gives the channel little time: it must end with its context, and say that it may be tried again.
func hangs(t *testing.T, open Open) {
	n, _ := open(t, Hangs)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	begun := time.Now()
	_, retry, err := n.Notify(ctx, Message())
	if err == nil || !retry || errors.Is(err, notify.ErrNotAddressed) {
		t.Errorf("got retry %t, %v", retry, err)
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %s", took)
	}
}

func one(t *testing.T, got []Received) Received {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("%d messages arrived, want 1: %+v", len(got), got)
	}
	return got[0]
}
