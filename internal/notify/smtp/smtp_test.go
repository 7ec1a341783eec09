// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package smtp_test

import (
	"crypto/tls"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/smtp"
)

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
		s, o := notifytest.StartMail(t, notifytest.MailOptions{Behaviour: b}), smtp.Options{TLS: smtp.None}
		if b == notifytest.Denies {
			s = notifytest.StartMail(t, notifytest.MailOptions{Password: "hunter2"})
			o = smtp.Options{Username: "switchback", Password: notify.NewSecret("wrong")}
		}
		n := channel(t, s, o)
		return n, func() []notifytest.Received {
			var all []notifytest.Received
			for _, m := range s.Mails() {
				all = append(all, received(t, m))
			}
			return all
		}
	})
}

func channel(t *testing.T, s *notifytest.MailServer, o smtp.Options) *smtp.Mail {
	t.Helper()
	o.Host, o.Port, o.From = s.Host, s.Port, "switchback@example.com"
	o.TLSConfig = &tls.Config{RootCAs: s.Roots, ServerName: s.Host}
	n, err := smtp.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// received reads a mail as a mail program does.
func received(t *testing.T, m notifytest.Mail) notifytest.Received {
	t.Helper()
	letter, err := mail.ReadMessage(strings.NewReader(m.Data))
	if err != nil {
		t.Fatal(err)
	}
	for name := range letter.Header {
		if !known[name] {
			t.Errorf("unexpected header %s", name)
		}
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return notifytest.Received{
		ID: letter.Header.Get("Message-Id"), To: m.To, Raw: m.Data, Text: subject + "\n" + plain(t, letter),
	}
}

var known = map[string]bool{
	"Auto-Submitted": true, "Content-Type": true, "Date": true, "From": true, "Message-Id": true, "Mime-Version": true,
	"Subject": true, "To": true, "Content-Transfer-Encoding": true,
}

// plain is the text part.
func plain(t *testing.T, letter *mail.Message) string {
	t.Helper()
	kind, params, err := mime.ParseMediaType(letter.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	part, err := multipart.NewReader(letter.Body, params["boundary"]).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(part) // decoded: multipart undoes quoted-printable
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

func TestProtection(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		server  notifytest.MailOptions
		options smtp.Options
		wantErr bool
	}{
		"STARTTLS":             {options: smtp.Options{}},
		"implicit TLS":         {server: notifytest.MailOptions{Implicit: true}, options: smtp.Options{TLS: smtp.Implicit}},
		"password":             {server: notifytest.MailOptions{Password: "hunter2"}, options: smtp.Options{Username: "switchback", Password: notify.NewSecret("hunter2")}},
		"wrong password":       {server: notifytest.MailOptions{Password: "hunter2"}, options: smtp.Options{Username: "switchback", Password: notify.NewSecret("wrong")}, wantErr: true},
		"password not offered": {server: notifytest.MailOptions{Password: "hunter2"}, wantErr: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := notifytest.StartMail(t, tt.server)
			_, retry, err := channel(t, s, tt.options).Notify(t.Context(), notifytest.Message())
			if (err != nil) != tt.wantErr || retry {
				t.Fatalf("got retry %t, %v", retry, err)
			}
			if err != nil && strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error tells the password: %v", err)
			}
			for _, m := range s.Mails() {
				if !m.IsTLS {
					t.Error("the mail went in the clear")
				}
			}
		})
	}
}

func TestAForeignCertificateIsRefused(t *testing.T) {
	t.Parallel()
	s := notifytest.StartMail(t, notifytest.MailOptions{})
	n, err := smtp.New(smtp.Options{Host: s.Host, Port: s.Port, From: "switchback@example.com"})
	if err != nil {
		t.Fatal(err)
	}
	if _, retry, err := n.Notify(t.Context(), notifytest.Message()); err == nil || retry || len(s.Mails()) > 0 {
		t.Errorf("got retry %t, %v", retry, err)
	}
}

// One bad address must not keep the mail from the others, and nobody learns of them.
func TestEachAddresseeGetsAMail(t *testing.T) {
	t.Parallel()
	s := notifytest.StartMail(t, notifytest.MailOptions{Refuse: "gone@example.com"})
	m := notifytest.Message()
	m.To = []incident.Person{{Name: "A", Email: "a@example.com"}, {Name: "Gone", Email: "gone@example.com"}, {Name: "No mail"}, {Name: "B", Email: "b@example.com"}}
	to, _, err := channel(t, s, smtp.Options{TLS: smtp.None}).Notify(t.Context(), m)
	if diff := cmp.Diff([]string{"a@example.com", "b@example.com"}, to); diff != "" || err == nil || !strings.Contains(err.Error(), "gone@example.com") {
		t.Errorf("%v\n%s", err, diff)
	}
	for _, mail := range s.Mails() {
		if len(mail.To) != 1 || strings.Contains(mail.Data, "a@example.com") && strings.Contains(mail.Data, "b@example.com") {
			t.Errorf("one mail for %v:\n%s", mail.To, mail.Data)
		}
	}
}

func TestNobodyHasAnAddress(t *testing.T) {
	t.Parallel()
	s := notifytest.StartMail(t, notifytest.MailOptions{})
	m := notifytest.Message()
	m.To[0].Email = ""
	if _, _, err := channel(t, s, smtp.Options{TLS: smtp.None}).Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) {
		t.Errorf("got %v", err)
	}
}

func TestMessageIDIsStable(t *testing.T) {
	t.Parallel()
	s := notifytest.StartMail(t, notifytest.MailOptions{})
	if _, _, err := channel(t, s, smtp.Options{TLS: smtp.None}).Notify(t.Context(), notifytest.Message()); err != nil {
		t.Fatal(err)
	}
	want := "<20260504-cloudtrail-off-1a2b3c4d-security-5f6e7d8c@example.com>"
	if got := received(t, s.Mails()[0]); got.ID != want {
		t.Errorf("got %s, want %s", got.ID, want)
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]smtp.Options{
		"no host":                   {From: "a@example.com"},
		"no sender":                 {Host: "mail.example.com"},
		"a sender with a line":      {Host: "mail.example.com", From: "a@example.com\r\nBcc: b@example.com"},
		"plain to another computer": {Host: "mail.example.com", From: "a@example.com", TLS: smtp.None},
		"an unknown protection":     {Host: "mail.example.com", From: "a@example.com", TLS: "maybe"},
		"a user without password":   {Host: "mail.example.com", From: "a@example.com", Username: "u"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := smtp.New(o); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		_, err := notify.New(notify.Config{Type: "smtp", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{})
		return err
	}
	if err := from("host: 127.0.0.1\ntls: none\nfrom: a@example.com"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"host: 127.0.0.1", "host: mail.example.com\nfrom: a@example.com\nhosts: x"} {
		if err := from(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
