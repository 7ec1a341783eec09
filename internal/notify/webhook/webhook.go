// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package webhook posts messages as JSON to any receiver: an incident tool, a chat bridge (Microsoft Teams through a
// flow), a script.
//
//	type: webhook
//	url: https://receiver.example.com/switchback   # or url_file, when it is a secret
//	secret_file: /etc/switchback/webhook-secret    # or secret; at least 16 bytes
//	reaches_human: true    # somebody is paged by it; the default is that it only writes down
//
// The body, in UTF-8:
//
//	{"version": 1, "id": "…", "incident": "…", "kind": "security", "severity": "critical",
//	 "to": [{"name": "…", "email": "…", "slack": "…", "phone": "…"}],
//	 "subject": "…", "text": "…", "at": "2026-05-04T10:11:12Z"}
//
// Headers: Switchback-Timestamp, in seconds since 1970; Switchback-Signature, "v1=" and in hex the HMAC-SHA256, with the
// secret, of the timestamp, a dot and the body; Switchback-Message-Id, equal for every repetition of a message. A
// receiver compares the signature in constant time, refuses a timestamp more than five minutes off, and drops ids that
// it has. Everything in the body may quote the attacker.
//
// Any 2xx is acceptance; 408, 429 (with Retry-After) and 5xx are tried again; redirects are not followed.
package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "webhook", New: func(c notify.Config, s notify.Services) (notify.Notifier, error) {
		var o struct {
			URL          notify.Secret `yaml:"url"`
			URLFile      string        `yaml:"url_file"`
			Secret       notify.Secret `yaml:"secret"`
			SecretFile   string        `yaml:"secret_file"`
			ReachesHuman bool          `yaml:"reaches_human"`
		}
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		url, err := notify.SecretFrom("url", o.URL, o.URLFile)
		if err != nil {
			return nil, err
		}
		secret, err := notify.SecretFrom("secret", o.Secret, o.SecretFile)
		if err != nil {
			return nil, err
		}
		return New(url, secret, Options{ReachesHuman: o.ReachesHuman, Clock: s.Clock})
	}})
}

// minSecret is what makes guessing hopeless.
const minSecret = 16

// Options of a Webhook. The zero value works.
type Options struct {
	// ReachesHuman tells that somebody is paged by the receiver.
	ReachesHuman bool
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

// New makes a channel that posts to url (https, or http on this computer).
func New(url, secret notify.Secret, o Options) (*Webhook, error) {
	if err := notify.CheckURL(url.Reveal()); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	if len(secret.Reveal()) < minSecret {
		return nil, fmt.Errorf("secret: shorter than %d bytes", minSecret)
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

// Notify implements notify.Notifier.
func (w *Webhook) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	req, err := w.request(ctx, m)
	if err != nil {
		return nil, false, err
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return nil, true, fmt.Errorf("post to webhook: %w", notify.WithoutURL(err))
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // only to use the connection again
	if resp.StatusCode/100 == 2 {
		return []string{"webhook"}, false, nil
	}
	return nil, notify.IsRetryable(resp.StatusCode), answer(resp)
}

func (w *Webhook) request(ctx context.Context, m incident.Message) (*http.Request, error) {
	b := body{1, m.ID, m.Incident, m.Kind, m.Severity, []person{}, m.Subject, m.Text, m.At.UTC()}
	for _, p := range m.To {
		b.To = append(b.To, person{p.Name, p.Email, p.Slack, p.Phone})
	}
	text, err := json.Marshal(b)
	if err != nil {
		return nil, fmt.Errorf("encode message %s: %w", m.ID, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url.Reveal(), bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("post to webhook: %w", notify.WithoutURL(err))
	}
	stamp := strconv.FormatInt(w.o.Clock().Unix(), 10)
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("Switchback-Timestamp", stamp)
	req.Header.Set("Switchback-Signature", "v1="+w.sign(stamp, text))
	req.Header.Set("Switchback-Message-Id", m.ID)
	return req, nil
}

func (w *Webhook) sign(stamp string, text []byte) string {
	mac := hmac.New(sha256.New, []byte(w.secret.Reveal()))
	mac.Write([]byte(stamp + "."))
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

// answer is the error of a status that is no acceptance.
func answer(resp *http.Response) error {
	err := errors.New("webhook answered " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
	if seconds, e := strconv.Atoi(resp.Header.Get("Retry-After")); e == nil && seconds > 0 {
		return &notify.RetryAfter{After: time.Duration(seconds) * time.Second, Err: err}
	}
	return err
}

// ReachesHuman implements notify.Notifier.
func (w *Webhook) ReachesHuman() bool { return w.o.ReachesHuman }
