// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

// Package pagerduty pages whoever is on call, by Events API v2.
//
//	type: pagerduty
//	routing_key_file: /etc/switchback/pagerduty-key   # or routing_key; of an integration "Events API v2"
//	url: https://events.eu.pagerduty.com/v2/enqueue   # default: https://events.pagerduty.com/v2/enqueue
//	kinds: [security, fallback]                       # as for every channel
//
// An incident is one alert, however many messages there are about it: its id is the dedup_key. The alert is acknowledged
// when the incident is acknowledged here, and resolved when it is closed. What belongs to no incident, or announces
// something about one (a pause, an undo), is an alert of its own. What is for the person behind a call is not sent: those
// on call are not that person.
//
// https://developer.pagerduty.com/docs/events-api-v2-overview
package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
)

func init() {
	notify.Register(notify.Kind{Type: "pagerduty", PerMinute: perMinute, New: func(c notify.Config, _ notify.Services) (notify.Notifier, error) {
		var o struct {
			Key     notify.Secret `yaml:"routing_key"`
			KeyFile string        `yaml:"routing_key_file"`
			URL     string        `yaml:"url"`
		}
		if err := c.Decode(&o); err != nil {
			return nil, err
		}
		key, err := notify.SecretFrom("routing_key", o.Key, o.KeyFile)
		if err != nil {
			return nil, err
		}
		return New(key, o.URL)
	}})
}

// perMinute is what one integration takes.
//
// https://developer.pagerduty.com/docs/events-api-v2-overview#response-codes--retry-logic
const perMinute = 120

// enqueue is where PagerDuty takes events, in its US region.
const enqueue = "https://events.pagerduty.com/v2/enqueue"

// Pager is the channel. It is safe for concurrent use.
type Pager struct {
	key    notify.Secret
	url    notify.Secret
	client *http.Client
}

var _ notify.Follower = (*Pager)(nil)

// New makes a channel to the integration that the routing key is of. The URL is https, or http on this computer; "" is
// PagerDuty's in the US.
func New(key notify.Secret, url string) (*Pager, error) {
	url = cmp.Or(url, enqueue)
	if err := notify.CheckURL(url); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	return &Pager{key, notify.NewSecret(url), notify.HTTPClient()}, nil
}

// ReachesHuman implements notify.Notifier.
func (*Pager) ReachesHuman() bool { return true }

// What PagerDuty takes: 1,024 characters of summary, 255 of a key, 512 KB of an event.
//
// https://developer.pagerduty.com/docs/send-alert-event
const (
	maxSummary = 1000
	maxKey     = 255
	maxText    = 64 << 10
)

// event is the body. Details are shown as text.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     string   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Client     string   `json:"client,omitempty"`
	Payload    *payload `json:"payload,omitempty"`
}

type payload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp time.Time         `json:"timestamp"`
	Component string            `json:"component"`
	Group     string            `json:"group,omitempty"`
	Class     string            `json:"class"`
	Details   map[string]string `json:"custom_details"`
}

// Notify implements notify.Notifier.
func (p *Pager) Notify(ctx context.Context, m incident.Message) ([]string, bool, error) {
	if m.Kind == incident.ToPerson {
		return nil, false, notify.ErrNotAddressed
	}
	key := string(m.Incident)
	if key == "" || m.Kind == incident.Notice {
		key = m.ID
	}
	return p.send(ctx, event{
		Action: "trigger", DedupKey: notify.Line(key, maxKey), Client: "Switchback",
		Payload: &payload{
			Summary: notify.Line(cmp.Or(m.Subject, "(no subject)"), maxSummary), Source: "switchback", Severity: severity(m.Severity),
			Timestamp: m.At.UTC(), Component: "switchback", Group: string(m.Incident), Class: string(m.Kind),
			Details: map[string]string{"text": notify.Plain(m.Text, maxText), "incident": string(m.Incident), "message_id": m.ID},
		},
	})
}

// Follow implements notify.Follower.
func (p *Pager) Follow(ctx context.Context, inc incident.Incident) ([]string, bool, error) {
	action := ""
	switch inc.Status {
	case incident.Acknowledged:
		action = "acknowledge"
	case incident.Closed:
		action = "resolve"
	default:
		return nil, false, notify.ErrNotAddressed
	}
	return p.send(ctx, event{Action: action, DedupKey: notify.Line(string(inc.ID), maxKey)})
}

func (p *Pager) send(ctx context.Context, e event) ([]string, bool, error) {
	e.RoutingKey = p.key.Reveal()
	req, _, err := notify.NewRequest(ctx, http.MethodPost, p.url, e)
	if err != nil {
		return nil, false, fmt.Errorf("pagerduty: %w", err)
	}
	answer, retry, err := notify.Exchange(p.client, req, "pagerduty")
	if err == nil {
		return []string{"pagerduty"}, false, nil
	}
	// A key that is nobody's is a bad request like any other, but for its words.
	if bytes.Contains(bytes.ToLower(answer), []byte("routing key")) || bytes.Contains(answer, []byte("routing_key")) {
		err = fmt.Errorf("%w: %w (the routing key)", err, notify.ErrDenied)
	}
	return nil, retry, err
}

// severity is PagerDuty's word.
func severity(s incident.Severity) string {
	switch s {
	case incident.Critical:
		return "critical"
	case incident.High:
		return "error"
	case incident.Medium:
		return "warning"
	}
	return "info"
}
