// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package heartbeat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"

	"github.com/switchback-project/switchback/cloudtrail"
	"github.com/switchback-project/switchback/internal/gate"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/sandbox"
	"github.com/switchback-project/switchback/internal/source"
	"github.com/switchback-project/switchback/internal/source/heartbeat"
	"github.com/switchback-project/switchback/internal/source/sourcetest"
	"github.com/switchback-project/switchback/internal/source/sqs"
	"github.com/switchback-project/switchback/internal/sqlite"
)

const (
	account = "111122223333"
	region  = "eu-west-1"
	key     = "R0UTINGKEYEXAMPLE0000000000000000"
)

// world is an account with a trail, a rule and a queue, the source that empties it, and a heart that listens to that. Time
// stands until it is told to pass.
type world struct {
	*testing.T
	now    time.Time
	box    *sandbox.Sandbox
	seeded sandbox.Seeded
	gate   *gate.Gate
	db     *sqlite.DB
	dead   sourcetest.Shelf
	log    strings.Builder
	queue  *sqs.Source
	heart  *heartbeat.Heart
	around func(source.Handler) source.Handler

	isLost, isDown bool // events on the way, the store behind them
	found          []heartbeat.Silence
	ids            []string
}

func newWorld(t *testing.T, config string) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)}
	var err error
	w.box, err = sandbox.New(sandbox.Options{Clock: w.clock})
	w.check(err)
	w.seeded, err = w.box.Seed(t.Context(), sandbox.Seed{Account: account, Region: region})
	w.check(err)
	w.gate, err = gate.Open(t.Context(), gate.Options{Backend: w.box, Region: region, Clock: w.clock})
	w.check(err)
	w.db, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "switchback.db"), sqlite.Options{})
	w.check(err)
	t.Cleanup(func() { w.check(w.db.Close()) })
	src := w.open("sqs", fmt.Sprintf("{queue_url: %q, account: %q, region: %s, workers: 1}", w.seeded.QueueURL, account, region))
	w.queue = src.(*sqs.Source)
	w.start(config)
	return w
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) clock() time.Time { return w.now }

func (w *world) open(kind, config string) source.Source {
	w.Helper()
	src, err := newSource(kind, config, source.Services{
		Gate: w.gate, Dead: &w.dead, Clock: w.clock, Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Hearings: w.db,
	})
	w.check(err)
	return src
}

func newSource(kind, config string, s source.Services) (source.Source, error) {
	return source.New(source.Config{Type: kind, Decode: func(v any) error {
		return yaml.UnmarshalWithOptions([]byte(config), v, yaml.Strict())
	}}, s)
}

// start makes a heart as a new process would.
func (w *world) start(config string) {
	w.Helper()
	w.heart = w.open("heartbeat", config).(*heartbeat.Heart)
	k, ok := source.Find("sqs")
	if !ok {
		w.Fatal("no sqs")
	}
	w.around = w.heart.Hear("sqs/1", k.SilentAfter)
	w.heart.Hear("files/2", 0)
}

// handle is the pipeline.
func (w *world) handle(_ context.Context, d source.Delivery) error {
	switch {
	case w.isDown:
		return errors.New("database is locked")
	case d.Envelope.DetailType == heartbeat.DetailType:
		var s heartbeat.Silence
		w.check(json.Unmarshal(d.Envelope.Detail, &s))
		w.found, w.ids = append(w.found, s), append(w.ids, d.Envelope.ID)
	}
	return nil
}

// minutes lets time pass, a round of the heart and a look into the queue a minute.
func (w *world) minutes(n int) {
	w.Helper()
	for range n {
		if err := w.heart.Poll(w.Context(), w.handle); err != nil {
			w.log.WriteString(err.Error() + "\n")
		}
		w.now = w.now.Add(time.Minute)
		taken := w.around(w.handle)
		if w.isLost {
			taken = func(context.Context, source.Delivery) error { return nil }
		}
		w.drain(taken)
	}
}

// drain takes everything out of the queue that is visible.
func (w *world) drain(taken source.Handler) {
	w.Helper()
	for {
		n, err := w.queue.Poll(w.Context(), 0, taken)
		w.check(err)
		if n == 0 {
			return
		}
	}
}

// A beat goes out for each canary that came home, and only then.
func TestABeatForEachCanary(t *testing.T) {
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	w := newWorld(t, fmt.Sprintf("{url: %q, account: %q, region: %s}", url+"/SECRET", account, region))
	w.minutes(1)
	if n := len(posts()); n != 0 {
		t.Fatalf("%d beats before a canary came home", n)
	}
	w.minutes(10)
	if n := len(posts()); n != 10 {
		t.Errorf("%d beats in 10 minutes\n%s", n, w.log.String())
	}
	w.isLost = true
	w.minutes(10)
	if n := len(posts()); n != 11 { // one canary was home already
		t.Errorf("%d beats, though no canary comes home", n)
	}
	w.isLost = false
	w.minutes(2)
	if n := len(posts()); n != 12 {
		t.Errorf("%d beats, though canaries come home again", n)
	}
	before := len(posts())
	_, err := w.box.Invoke(t.Context(), "CloudTrail.StopLogging", json.RawMessage(`{"Name":"main"}`), gate.Request{
		Account: account, Region: region, AccessKeyID: w.seeded.AccessKeys["alice"], RequestID: "r",
	})
	w.check(err)
	w.minutes(10)
	if n := len(posts()) - before; n != 1 {
		t.Errorf("%d beats, though the trail does not record", n)
	}
}

// What arrives is what Alertmanager would send.
func TestWatchdogIsAlertmanagers(t *testing.T) {
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	w := newWorld(t, fmt.Sprintf("{url: %q, name: production, account: %q, region: %s}", url, account, region))
	w.minutes(2)
	type labels map[string]string
	var body struct {
		Version, GroupKey, Status, Receiver, ExternalURL string
		TruncatedAlerts                                  int
		GroupLabels, CommonLabels, CommonAnnotations     labels
		Alerts                                           []struct {
			Status, GeneratorURL, Fingerprint string
			Labels, Annotations               labels
			StartsAt, EndsAt                  time.Time
		}
	}
	d := json.NewDecoder(bytes.NewReader(posts()[0].Body))
	d.DisallowUnknownFields()
	w.check(d.Decode(&body))
	want := labels{"alertname": "Watchdog", "severity": "none", "service": "switchback", "instance": "production"}
	if len(body.Alerts) != 1 || body.Version != "4" || body.Status != "firing" || body.Alerts[0].Status != "firing" || len(body.Alerts[0].Fingerprint) != 16 ||
		!body.Alerts[0].EndsAt.IsZero() || !body.Alerts[0].StartsAt.Equal(time.Date(2026, 5, 4, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("body %s", posts()[0].Body)
	}
	if diff := cmp.Diff([]labels{want, want}, []labels{body.CommonLabels, body.Alerts[0].Labels}); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
	if a := body.CommonAnnotations; a["source"] != "sqs/1" || a["last_canary"] != "2026-05-04T09:01:00Z" || posts()[0].Header.Get("Content-Type") != "application/json" {
		t.Errorf("annotations %v", a)
	}
}

func TestPagerDuty(t *testing.T) {
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	w := newWorld(t, fmt.Sprintf("{pagerduty_key: %s, pagerduty_url: %q, account: %q, region: %s}", key, url, account, region))
	w.minutes(2)
	var body struct {
		RoutingKey  string `json:"routing_key"`
		EventAction string `json:"event_action"`
		DedupKey    string `json:"dedup_key"`
		Payload     struct{ Summary, Source, Severity, Timestamp, Class string }
	}
	w.check(json.Unmarshal(posts()[0].Body, &body))
	if body.RoutingKey != key || body.EventAction != "trigger" || body.DedupKey != "switchback-heartbeat/switchback" ||
		body.Payload.Severity != "info" || body.Payload.Source == "" || body.Payload.Summary == "" || body.Payload.Timestamp == "" {
		t.Errorf("body %s", posts()[0].Body)
	}
}

// A receiver that does not take a beat is given it again, and keeps the other from nothing. No error tells a secret.
func TestReceiversThatRefuse(t *testing.T) {
	good, posts := notifytest.HTTP(t, notifytest.Accepts)
	for name, b := range map[string]notifytest.Behaviour{"busy": notifytest.Busy, "refuses": notifytest.Refuses, "down": notifytest.IsDown} {
		t.Run(name, func(t *testing.T) {
			bad, _ := notifytest.HTTP(t, b)
			before := len(posts())
			w := newWorld(t, fmt.Sprintf("{url: %q, pagerduty_key: %s, pagerduty_url: %q, account: %q, region: %s}", bad+"/SECRET", key, good, account, region))
			w.minutes(4)
			if n := len(posts()) - before; n != 3 {
				t.Errorf("the other got %d beats", n)
			}
			text := w.log.String()
			if n := strings.Count(text, "beat to alertmanager webhook"); n != 3 || strings.Contains(text, "SECRET") || strings.Contains(text, key) {
				t.Errorf("%d errors: %s", n, text)
			}
		})
	}
}

// A source that falls silent is one event, and another the next time. It is given its time after a start.
func TestASourceFallsSilent(t *testing.T) {
	w := newWorld(t, fmt.Sprintf("{account: %q, region: %s}", account, region))
	w.minutes(60)
	if len(w.found) != 0 {
		t.Fatalf("found %+v", w.found)
	}
	lastHeard := w.now
	w.isLost = true
	w.minutes(16)
	if len(w.found) != 0 {
		t.Errorf("found after 15 minutes: %+v", w.found)
	}
	w.minutes(10)
	if len(w.found) != 1 {
		t.Fatalf("found %d times", len(w.found))
	}
	if f := w.found[0]; f.Source != "sqs/1" || f.Account != account || !f.LastHeard.Equal(lastHeard) || f.FoundAt.Sub(lastHeard) != 16*time.Minute {
		t.Errorf("found %+v", f)
	}
	w.start(fmt.Sprintf("{account: %q, region: %s}", account, region))
	w.minutes(16)
	if len(w.found) != 1 {
		t.Errorf("a new process gives no time: found %d times", len(w.found))
	}
	w.minutes(2)
	if len(w.found) != 2 || w.ids[0] != w.ids[1] {
		t.Errorf("the same silence has the ids %v", w.ids)
	}
	w.isLost = false
	w.minutes(3)
	w.isLost = true
	w.minutes(20)
	if len(w.found) != 3 || w.ids[2] == w.ids[1] {
		t.Errorf("another silence has the ids %v", w.ids)
	}
}

// Nobody but we can send a canary; an event is a sign of life all the same.
func TestForgedCanaries(t *testing.T) {
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	w := newWorld(t, fmt.Sprintf("{url: %q, account: %q, region: %s}", url, account, region))
	w.isLost = true
	w.minutes(2)
	for i := range 20 {
		r, err := cloudtrail.ParseRecord(fmt.Appendf(nil, `{"eventVersion":"1.11","eventID":"e%d","eventName":"LookupEvents","eventSource":"cloudtrail.amazonaws.com",
			"requestParameters":{"lookupAttributes":[{"attributeKey":"EventId","attributeValue":"0b0c7c3e-0000-4000-8000-%012d"}]}}`, i, i))
		w.check(err)
		w.check(w.around(w.handle)(t.Context(), source.Delivery{Envelope: cloudtrail.Wrap(r)}))
		w.minutes(1)
	}
	if len(posts()) != 0 || len(w.found) != 0 {
		t.Errorf("%d beats, %d silences", len(posts()), len(w.found))
	}
}

// An event that the pipeline does not take is no sign of life, and a canary that cannot be kept comes again.
func TestOnlyWhatIsStoredCounts(t *testing.T) {
	url, posts := notifytest.HTTP(t, notifytest.Accepts)
	w := newWorld(t, fmt.Sprintf("{url: %q, account: %q, region: %s}", url, account, region))
	w.isDown = true
	w.minutes(10)
	if len(posts()) != 0 {
		t.Errorf("%d beats, though nothing is stored", len(posts()))
	}
	w.isDown = false
	w.minutes(5)
	if len(posts()) == 0 {
		t.Error("no beat, though it is stored again")
	}
	lost := &deaf{Hearings: w.db}
	heart, err := newSource("heartbeat", fmt.Sprintf("{account: %q, region: %s}", account, region), source.Services{
		Gate: w.gate, Clock: w.clock, Logger: slog.New(slog.NewTextHandler(&w.log, nil)), Hearings: lost,
	})
	w.check(err)
	w.heart = heart.(*heartbeat.Heart)
	w.around = w.heart.Hear("sqs/1", time.Minute)
	w.check(w.heart.Poll(t.Context(), w.handle))
	var refused int
	w.drain(func(ctx context.Context, d source.Delivery) error {
		err := w.around(w.handle)(ctx, d)
		if err != nil {
			refused++
		}
		return err
	})
	if refused != 1 {
		t.Errorf("%d deliveries refused: the canary must come again", refused)
	}
}

// deaf is a store that keeps nothing.
type deaf struct{ incident.Hearings }

func (deaf) PutHeard(context.Context, incident.Heard) error { return errors.New("disk full") }

func TestOptions(t *testing.T) {
	g, err := gate.Open(t.Context(), gate.Options{Backend: &sandbox.Sandbox{}, Region: region})
	if err != nil {
		t.Fatal(err)
	}
	for config, want := range map[string]string{
		"{}":                           "",
		"{url: https://example.com/x}": "",
		"{url: http://example.com/x}":  "url",
		"{url: https://example.com, url_file: x}":              "url",
		"{pagerduty_key: k, pagerduty_url: ftp://example.com}": "pagerduty_url",
		"{every: 10ms}":  "every",
		"{beat: always}": "beat",
	} {
		_, err := newSource("heartbeat", config, source.Services{Gate: g})
		if (want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", config, err)
		}
	}
}

// Run goes on whatever happens.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, err := gate.Open(t.Context(), gate.Options{Backend: &sandbox.Sandbox{}, Region: region})
		if err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		src, err := newSource("heartbeat", "{}", source.Services{Gate: g, Clock: time.Now, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 150*time.Second)
		defer cancel()
		err = src.Run(ctx, func(context.Context, source.Delivery) error { return nil })
		if n := strings.Count(log.String(), "no store of what was heard is wired"); !errors.Is(err, context.DeadlineExceeded) || n != 3 {
			t.Errorf("%d rounds, %v\n%s", n, err, log.String())
		}
	})
}
