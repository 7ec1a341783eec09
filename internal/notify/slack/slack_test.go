// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package slack_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/slack"
)

func open(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
	t.Helper()
	url, posts := notifytest.HTTP(t, b)
	n, err := slack.New(notify.NewSecret(url + "/services/T000/B000/SECRET"))
	if err != nil {
		t.Fatal(err)
	}
	return n, func() []notifytest.Received {
		var all []notifytest.Received
		for _, p := range posts() {
			all = append(all, received(t, p))
		}
		return all
	}
}

// received reads a post as Slack does, and fails on what Slack would interpret or refuse.
func received(t *testing.T, p notifytest.Post) notifytest.Received {
	t.Helper()
	var m struct {
		Text, Parse string
		Blocks      []struct {
			Type string
			Text struct{ Type, Text string }
		}
	}
	if err := json.Unmarshal(p.Body, &m); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(m.Text, "<>") || m.Parse != "none" || len(m.Blocks) > 50 {
		t.Errorf("text %q, parse %q, %d blocks", m.Text, m.Parse, len(m.Blocks))
	}
	got := notifytest.Received{Raw: string(p.Body)}
	for _, b := range m.Blocks {
		limit := 3000
		if b.Type == "header" {
			limit = 150
		}
		if n := len([]rune(b.Text.Text)); n == 0 || n > limit {
			t.Errorf("%s block of %d characters", b.Type, n)
		}
		if b.Text.Type != "plain_text" && b.Text.Text != "<@U012AB3CD>" {
			t.Errorf("markup %q", b.Text.Text)
		}
		got.Text += b.Text.Text + "\n"
	}
	return got
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, open)
}

func TestPerson(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		slack string
		want  string
		err   error
	}{
		"with a member id": {"U012AB3CD", "<@U012AB3CD>", nil},
		"without":          {"", "", notify.ErrNotAddressed},
		"a forged one":     {"!channel", "", notify.ErrNotAddressed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, received := open(t, notifytest.Accepts)
			m := notifytest.Message()
			m.Kind, m.To[0].Slack = incident.ToPerson, tt.slack
			if _, _, err := n.Notify(t.Context(), m); !errors.Is(err, tt.err) {
				t.Fatalf("got %v", err)
			}
			if tt.err == nil && !strings.Contains(received()[0].Text, tt.want) {
				t.Errorf("no mention in %q", received()[0].Text)
			}
		})
	}
}

func TestErrorsKeepTheSecret(t *testing.T) {
	t.Parallel()
	for _, b := range []notifytest.Behaviour{notifytest.Busy, notifytest.Refuses, notifytest.IsDown} {
		n, _ := open(t, b)
		_, _, err := n.Notify(t.Context(), notifytest.Message())
		if err == nil || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("got %v", err)
		}
		asked := (*notify.RetryAfter)(nil)
		if errors.As(err, &asked) != (b == notifytest.Busy) || asked != nil && asked.After != 7*time.Second {
			t.Errorf("behaviour %d: asked to wait %+v", b, asked)
		}
	}
	if _, err := slack.New(notify.NewSecret("http://hooks.example.com/SECRET")); err == nil || strings.Contains(err.Error(), "SECRET") {
		t.Errorf("got %v", err)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		_, err := notify.New(notify.Config{Type: "slack", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{})
		return err
	}
	if err := from("webhook_url: https://hooks.example.com/x"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"{}", "webhook_url: https://x\nurl: y"} {
		if err := from(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
