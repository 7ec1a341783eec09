// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package ses_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/ses"
)

// mail is a request of SendEmail as SES reads it.
type mail struct {
	FromEmailAddress string
	Destination      struct{ ToAddresses, CcAddresses, BccAddresses []string }
	Content          struct {
		Simple struct {
			Subject struct{ Data string }
			Body    struct {
				Text, HTML struct{ Data string }
			}
			Headers []struct{ Name, Value string }
		}
	}
}

// sesOf answers as SES does; refuse is an address that it does not take.
func sesOf(refuse string) func(w http.ResponseWriter, p notifytest.Post) {
	return func(w http.ResponseWriter, p notifytest.Post) {
		w.Header().Set("Content-Type", "application/json")
		if refuse != "" && strings.Contains(string(p.Body), refuse) {
			w.Header().Set("X-Amzn-Errortype", "MessageRejected")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = w.Write([]byte(`{"message":"Email address is not verified."}`))
			return
		}
		_, _ = w.Write([]byte(`{"MessageId":"0102"}`))
	}
}

func open(t *testing.T, b notifytest.Behaviour, refuse string) (notify.Notifier, func() []mail) {
	t.Helper()
	g, posts := notifytest.AWS(t, b, sesOf(refuse))
	n, err := ses.New(ses.Options{From: "switchback@example.com"}, notify.Services{Gate: g})
	if err != nil {
		t.Fatal(err)
	}
	return n, func() []mail {
		var all []mail
		for _, p := range posts() {
			var m mail
			if err := json.Unmarshal(p.Body, &m); err != nil || p.Path != "/v2/email/outbound-emails" {
				t.Fatal(p.Path, err)
			}
			all = append(all, m)
		}
		return all
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
		n, mails := open(t, b, "")
		return n, func() []notifytest.Received {
			var all []notifytest.Received
			for _, m := range mails() {
				s := m.Content.Simple
				if strings.ContainsAny(s.Subject.Data, "\r\n") || len(s.Headers) != 2 || s.Body.HTML.Data == "" {
					t.Errorf("got %+v", m)
				}
				all = append(all, notifytest.Received{ID: s.Headers[0].Value, To: m.Destination.ToAddresses, Text: s.Subject.Data + "\n" + s.Body.Text.Data})
			}
			return all
		}
	})
}

// One bad address must not keep the mail from the others, and nobody learns of them.
func TestEachAddresseeGetsAMail(t *testing.T) {
	t.Parallel()
	n, mails := open(t, notifytest.Accepts, "gone@example.com")
	m := notifytest.Message()
	m.To = []incident.Person{
		{Name: "A", Email: "a@example.com"}, {Name: "Gone", Email: "gone@example.com"}, {Name: "No mail"},
		{Name: "Two", Email: "c@example.com, d@example.com"}, {Name: "B", Email: "b@example.com"},
	}
	to, retry, err := n.Notify(t.Context(), m)
	if diff := cmp.Diff([]string{"a@example.com", "b@example.com"}, to); diff != "" || retry || err == nil || !strings.Contains(err.Error(), "gone@example.com") {
		t.Errorf("retry %t, %v\n%s", retry, err, diff)
	}
	for _, m := range mails() {
		if len(m.Destination.ToAddresses) != 1 || m.Destination.CcAddresses != nil || m.Destination.BccAddresses != nil || m.FromEmailAddress != "switchback@example.com" {
			t.Errorf("got %+v", m)
		}
	}
}

func TestNobodyIsAddressed(t *testing.T) {
	t.Parallel()
	n, _ := open(t, notifytest.Accepts, "")
	m := notifytest.Message()
	m.To[0].Email = ""
	if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutAWayToAWS(t *testing.T) {
	t.Parallel()
	n, err := ses.New(ses.Options{From: "switchback@example.com"}, notify.Services{})
	if err != nil {
		t.Fatal(err)
	}
	if _, retry, err := n.Notify(t.Context(), notifytest.Message()); err == nil || retry {
		t.Errorf("got retry %t, %v", retry, err)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	config := func(text string) notify.Config {
		return notify.Config{Type: "ses", Decode: func(v any) error { return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict()) }}
	}
	n, err := notify.New(config("from: a@example.com\nregion: eu-west-1"), notify.Services{})
	if err != nil || !n.ReachesHuman() {
		t.Fatal(err)
	}
	for _, text := range []string{"{}", "from: A <a@example.com>", "from: a@example.com\nto: b"} {
		if _, err := notify.New(config(text), notify.Services{}); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
	k, _ := notify.Find("ses")
	got, err := k.Permissions(config("from: a@example.com"))
	want := []notify.Permission{{Action: "ses:SendEmail", Resource: "*", Condition: map[string]map[string][]string{"StringEquals": {"ses:FromAddress": {"a@example.com"}}}}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(err, diff)
	}
}
