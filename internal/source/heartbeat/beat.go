// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package heartbeat

import (
	"bytes"
	"context"
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

// pagerDuty is where Events API v2 takes events.
const pagerDuty = "https://events.pagerduty.com/v2/enqueue"

// postTimeout keeps a receiver that hangs from stopping the next canary.
const postTimeout = 10 * time.Second

// target is one receiver of beats.
type target struct {
	name   string
	url    notify.Secret
	body   func(pulse) any
	beaten time.Time // the canary of the last beat that it took; one round at a time uses it
	client *http.Client
}

// pulse is what a beat tells.
type pulse struct {
	name            string
	started, canary time.Time
	source          string // that brought the canary
}

const summary = "Switchback is alive: the event of a call of its own came from AWS through its sources into its store"

// aim makes the targets of the configuration.
func (h *Heart) aim() error {
	if h.o.URL.Reveal() != "" || h.o.URLFile != "" {
		url, err := notify.SecretFrom("url", h.o.URL, h.o.URLFile)
		if err != nil {
			return err
		}
		if err := notify.CheckURL(url.Reveal()); err != nil {
			return fmt.Errorf("url: %w", err)
		}
		h.targets = append(h.targets, &target{name: "alertmanager webhook", url: url, body: watchdog, client: notify.HTTPClient()})
	}
	if h.o.PagerDutyKey.Reveal() == "" && h.o.PagerDutyKeyFile == "" {
		return nil
	}
	key, err := notify.SecretFrom("pagerduty_key", h.o.PagerDutyKey, h.o.PagerDutyKeyFile)
	if err != nil {
		return err
	}
	url := h.o.PagerDutyURL
	if url == "" {
		url = pagerDuty
	}
	if err := notify.CheckURL(url); err != nil {
		return fmt.Errorf("pagerduty_url: %w", err)
	}
	h.targets = append(h.targets, &target{
		name: "pagerduty", url: notify.NewSecret(url), client: notify.HTTPClient(),
		body: func(p pulse) any { return trigger(p, key) },
	})
	return nil
}

// beat tells every receiver that has not been told yet of the newest canary that came home since we began. Without a new
// one there is no beat.
func (h *Heart) beat(ctx context.Context, heard map[string]incident.Heard) error {
	h.mu.Lock()
	p := pulse{name: h.o.Name, started: h.started}
	for _, st := range h.streams {
		if at := heard[st.name].CanaryAt; at.After(p.canary) && !at.Before(h.started) {
			p.canary, p.source = at, st.name
		}
	}
	h.mu.Unlock()
	if p.canary.IsZero() {
		return nil
	}
	var failures []error
	for _, t := range h.targets {
		if !p.canary.After(t.beaten) {
			continue
		}
		if err := t.post(ctx, p); err != nil {
			failures = append(failures, fmt.Errorf("beat to %s: %w", t.name, err))
			continue
		}
		t.beaten = p.canary
	}
	return errors.Join(failures...)
}

func (t *target) post(ctx context.Context, p pulse) error {
	text, err := json.Marshal(t.body(p))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, postTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.url.Reveal(), bytes.NewReader(text))
	if err != nil {
		return notify.WithoutURL(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.client.Do(req)
	if err != nil {
		return notify.WithoutURL(err)
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10)) // only to use the connection again
	if resp.StatusCode/100 != 2 {
		return errors.New("it answered " + strconv.Itoa(resp.StatusCode) + " " + http.StatusText(resp.StatusCode))
	}
	return nil
}

// alerts is the body of Alertmanager's webhook.
//
// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config
type alerts struct {
	Version           string            `json:"version"`
	GroupKey          string            `json:"groupKey"`
	TruncatedAlerts   int               `json:"truncatedAlerts"`
	Status            string            `json:"status"`
	Receiver          string            `json:"receiver"`
	GroupLabels       map[string]string `json:"groupLabels"`
	CommonLabels      map[string]string `json:"commonLabels"`
	CommonAnnotations map[string]string `json:"commonAnnotations"`
	ExternalURL       string            `json:"externalURL"`
	Alerts            []alert           `json:"alerts"`
}

type alert struct {
	Status       string            `json:"status"`
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"` // zero while it fires
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// watchdog is the alert that always fires.
func watchdog(p pulse) any {
	labels := map[string]string{"alertname": "Watchdog", "severity": "none", "service": "switchback", "instance": p.name}
	annotations := map[string]string{"summary": summary, "last_canary": p.canary.Format(time.RFC3339), "source": p.source}
	sum := sha256.Sum256([]byte("Watchdog\n" + p.name))
	return alerts{
		Version: "4", GroupKey: `{}:{alertname="Watchdog"}`, Status: "firing", Receiver: "switchback-heartbeat",
		GroupLabels: map[string]string{"alertname": "Watchdog"}, CommonLabels: labels, CommonAnnotations: annotations,
		Alerts: []alert{{
			Status: "firing", Labels: labels, Annotations: annotations, StartsAt: p.started, Fingerprint: hex.EncodeToString(sum[:8]),
		}},
	}
}

// trigger is an event of PagerDuty's: the same alert again and again, for a rule of the service to notice the absence of.
//
// https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
func trigger(p pulse, key notify.Secret) any {
	return map[string]any{
		"routing_key": key.Reveal(), "event_action": "trigger", "dedup_key": "switchback-heartbeat/" + p.name, "client": "Switchback",
		"payload": map[string]any{
			"summary": summary, "source": p.name, "severity": "info", "timestamp": p.canary.Format(time.RFC3339),
			"component": "heartbeat", "class": "Watchdog", "custom_details": map[string]string{"source": p.source},
		},
	}
}
