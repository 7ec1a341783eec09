// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook posts messages as JSON to any receiver: an incident tool, a chat bridge, a script, or a channel of
// Microsoft Teams.
//
//	type: webhook
//	url: https://receiver.example.com/switchback   # or url_file, when it is a secret
//	secret_file: /etc/switchback/webhook-secret    # or secret; at least 16 bytes
//	reaches_human: true    # somebody is paged by it; the default is that it only writes down
//	format: json           # or teams; then the secret may be left out, since the URL is one
//
// The body of format json, in UTF-8:
//
//	{"version": 1, "id": "…", "incident": "…", "kind": "security", "severity": "critical",
//	 "to": [{"name": "…", "email": "…", "slack": "…", "phone": "…"}],
//	 "subject": "…", "text": "…", "at": "2026-05-04T10:11:12Z"}
//
// That of format teams is a message with one Adaptive Card, as the Workflows of Teams take it ("Post to a channel when a
// webhook request is received").
//
// Headers: Switchback-Timestamp, in seconds since 1970; Switchback-Signature, "v1=" and in hex the HMAC-SHA256, with the
// secret, of the timestamp, a dot and the body; Switchback-Message-Id, equal for every repetition of a message. A
// receiver compares the signature in constant time, refuses a timestamp more than five minutes off, and drops ids that
// it has. Everything in the body may quote the attacker.
//
// Any 2xx is acceptance; 408, 429 (with Retry-After) and 5xx are tried again; redirects are not followed.
package webhook

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "webhook", PerMinute: perMinute, New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
		var o struct {
			URL          notify.Secret `yaml:"url"`
			URLFile      string        `yaml:"url_file"`
			Secret       notify.Secret `yaml:"secret"`
			SecretFile   string        `yaml:"secret_file"`
			ReachesHuman bool          `yaml:"reaches_human"`
			Format       string        `yaml:"format"`
		}
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		url, err := notify.SecretFrom("url", o.URL, o.URLFile)
		if err != nil {
			return nil, err
		}
		var secret notify.Secret
		if o.Format != Teams || o.Secret.Reveal() != "" || o.SecretFile != "" {
			if secret, err = notify.SecretFrom("secret", o.Secret, o.SecretFile); err != nil {
				return nil, err
			}
		}
		return New(url, secret, Options{ReachesHuman: o.ReachesHuman, Format: o.Format, Clock: s.Clock})
	}})
}

// perMinute keeps a receiver that nobody thought of as a target of storms from becoming one.
const perMinute = 120

// The formats.
const (
	JSON  = "json"
	Teams = "teams"
)

// Options of a Webhook. The zero value works.
type Options struct {
	// ReachesHuman tells that somebody is paged by the receiver.
	ReachesHuman bool
	// Format of the body; "" is JSON.
	Format string
	// Clock is time.Now by default.
	Clock func() time.Time
}

// Webhook is the channel. It is safe for concurrent use.
type Webhook struct {
	url, secret notify.Secret
	o           Options
	client      *http.Client
}

var _ notify.Notifier = (*Webhook)(nil)

// New makes a channel that posts to url (https, or http on this computer) and signs with secret, which only format Teams
// may lack.
func New(url, secret notify.Secret, o Options) (*Webhook, error) {
	if err := notify.CheckURL(url.Reveal()); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	switch o.Format = cmp.Or(o.Format, JSON); {
	case o.Format != JSON && o.Format != Teams:
		return nil, fmt.Errorf("format: %.40q is not %s or %s", o.Format, JSON, Teams)
	case o.Format == JSON || secret.Reveal() != "":
		if err := notify.CheckSigningKey(secret); err != nil {
			return nil, err
		}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	return &Webhook{url, secret, o, notify.HTTPClient()}, nil
}

type body struct {
	Version  int                  `json:"version"`
	ID       string               `json:"id"`
	Incident incident.ID          `json:"incident,omitempty"`
	Kind     incident.MessageKind `json:"kind"`
	Severity incident.Severity    `json:"severity,omitempty"`
	To       []person             `json:"to"`
	Subject  string               `json:"subject"`
	Text     string               `json:"text"`
	At       time.Time            `json:"at"`
}

type person struct {
	Name  string `json:"name"`
	Email string `json:"email,omitempty"`
	Slack string `json:"slack,omitempty"`
	Phone string `json:"phone,omitempty"`
}

// What bounds a message, in bytes.
const (
	maxSubject = 1000
	maxText    = 256 << 10
)

// Notify implements notify.Notifier.
func (w *Webhook) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	req, text, err := notify.NewRequest(ctx, http.MethodPost, w.url, w.body(m))
	if err != nil {
		return nil, false, fmt.Errorf("webhook: %w", err)
	}
	if w.secret.Reveal() != "" {
		notify.Sign(req.Header, w.secret, w.o.Clock(), text)
	}
	req.Header.Set(notify.MessageID, m.ID)
	if _, retry, err := notify.Exchange(w.client, req, "webhook"); err != nil {
		return nil, retry, err
	}
	return []string{"webhook"}, false, nil
}

func (w *Webhook) body(m incident.Message) any {
	if w.o.Format == Teams {
		return newCard(m)
	}
	b := body{1, m.ID, m.Incident, m.Kind, m.Severity, []person{}, notify.Line(m.Subject, maxSubject), notify.Plain(m.Text, maxText), m.At.UTC()}
	for _, p := range m.To {
		b.To = append(b.To, person{notify.Line(p.Name, maxSubject), p.Email, p.Slack, p.Phone})
	}
	return b
}

// ReachesHuman implements notify.Notifier.
func (w *Webhook) ReachesHuman() bool { return w.o.ReachesHuman }
