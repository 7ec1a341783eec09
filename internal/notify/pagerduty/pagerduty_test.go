// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package pagerduty_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/pagerduty"
)

const key = "0123456789abcdef0123456789abcdef"

// event is an event as PagerDuty reads it.
type event struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action"`
	DedupKey   string `json:"dedup_key"`
	Payload    *struct {
		Summary, Source, Severity, Timestamp string
		Details                              map[string]string `json:"custom_details"`
	}
}

func open(t *testing.T, b notifytest.Behaviour) (*pagerduty.Pager, func() []event) {
	t.Helper()
	url, posts := notifytest.HTTP(t, b)
	n, err := pagerduty.New(notify.NewSecret(key), url+"/v2/enqueue")
	if err != nil {
		t.Fatal(err)
	}
	return n, func() []event {
		var all []event
		for _, p := range posts() {
			all = append(all, read(t, p))
		}
		return all
	}
}

// read fails on what PagerDuty would refuse.
func read(t *testing.T, p notifytest.Post) event {
	t.Helper()
	var e event
	if err := json.Unmarshal(p.Body, &e); err != nil {
		t.Fatal(err)
	}
	if e.RoutingKey != key || e.DedupKey == "" || len(e.DedupKey) > 255 || len(p.Body) > 512<<10 {
		t.Errorf("key %q, dedup key %q, %d bytes", e.RoutingKey, e.DedupKey, len(p.Body))
	}
	if e.Action == "trigger" && (e.Payload == nil || e.Payload.Summary == "" || len([]rune(e.Payload.Summary)) > 1024 || e.Payload.Source == "") {
		t.Errorf("payload %+v", e.Payload)
	}
	return e
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, func(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
		n, events := open(t, b)
		return n, func() []notifytest.Received {
			var all []notifytest.Received
			for _, e := range events() {
				all = append(all, notifytest.Received{ID: e.DedupKey, Text: e.Payload.Summary + "\n" + e.Payload.Details["text"]})
			}
			return all
		}
	})
}

func TestAnAlertFollowsItsIncident(t *testing.T) {
	t.Parallel()
	n, events := open(t, notifytest.Accepts)
	m := notifytest.Message()
	inc := incident.Incident{ID: m.Incident, Status: incident.Open}
	if _, _, err := n.Notify(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Follow(t.Context(), inc); !errors.Is(err, notify.ErrNotAddressed) {
		t.Errorf("open: %v", err)
	}
	for _, inc.Status = range []incident.Status{incident.Acknowledged, incident.Closed} {
		if to, _, err := n.Follow(t.Context(), inc); err != nil || len(to) != 1 {
			t.Fatal(to, err)
		}
	}
	var got []string
	for _, e := range events() {
		got = append(got, e.Action+" "+e.DedupKey)
	}
	id := string(m.Incident)
	if diff := cmp.Diff([]string{"trigger " + id, "acknowledge " + id, "resolve " + id}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSeverityAndKey(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*incident.Message)
		want   string
	}{
		"critical":      {func(*incident.Message) {}, "critical i"},
		"high":          {func(m *incident.Message) { m.Severity = incident.High }, "error i"},
		"medium":        {func(m *incident.Message) { m.Severity = incident.Medium }, "warning i"},
		"low":           {func(m *incident.Message) { m.Severity = incident.Low }, "info i"},
		"none":          {func(m *incident.Message) { m.Severity = "" }, "info i"},
		"a reminder":    {func(m *incident.Message) { m.Kind = incident.Reminder }, "critical i"},
		"a pause":       {func(m *incident.Message) { m.Incident, m.Kind = "", incident.Notice }, "critical m"},
		"an undo":       {func(m *incident.Message) { m.Kind = incident.Notice }, "critical m"},
		"nothing to it": {func(m *incident.Message) { m.Subject, m.Text = "", "" }, "critical i"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, events := open(t, notifytest.Accepts)
			m := notifytest.Message()
			m.ID, m.Incident = "m", "i"
			tt.change(&m)
			if _, _, err := n.Notify(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if e := events()[0]; e.Payload.Severity+" "+e.DedupKey != tt.want {
				t.Errorf("got %s %s, want %s", e.Payload.Severity, e.DedupKey, tt.want)
			}
		})
	}
}

func TestThePersonIsNotOnCall(t *testing.T) {
	t.Parallel()
	n, events := open(t, notifytest.Accepts)
	m := notifytest.Message()
	m.Kind = incident.ToPerson
	if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, notify.ErrNotAddressed) || len(events()) > 0 {
		t.Errorf("got %v", err)
	}
}

// PagerDuty answers 400 to a key that is nobody's.
func TestAnUnknownRoutingKeyIsSaid(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"status":"invalid event","message":"Event object is invalid","errors":["Invalid routing key"]}`))
	}))
	t.Cleanup(s.Close)
	n, err := pagerduty.New(notify.NewSecret(key), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, retry, err := n.Notify(t.Context(), notifytest.Message())
	if !errors.Is(err, notify.ErrDenied) || retry || strings.Contains(err.Error(), key) {
		t.Errorf("got retry %t, %v", retry, err)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		n, err := notify.New(notify.Config{Type: "pagerduty", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{})
		if err == nil && !n.ReachesHuman() {
			t.Error("a pager reaches humans")
		}
		return err
	}
	if err := from("routing_key: " + key); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"{}", "routing_key: k\nkey: k", "routing_key: k\nurl: http://pager.example.com"} {
		if err := from(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
