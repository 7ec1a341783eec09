// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package webhook_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/webhook"
)

const secret = "0123456789abcdef0123456789abcdef"

var now = time.Date(2026, 5, 4, 10, 11, 12, 0, time.UTC)

func open(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
	t.Helper()
	url, posts := notifytest.HTTP(t, b)
	n, err := webhook.New(notify.NewSecret(url+"/SECRET"), notify.NewSecret(secret), webhook.Options{Clock: func() time.Time { return now }})
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

// received checks the signature by the words of the documentation, and reads the body.
func received(t *testing.T, p notifytest.Post) notifytest.Received {
	t.Helper()
	stamp := p.Header.Get("Switchback-Timestamp")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(stamp + "." + string(p.Body)))
	if want, got := "v1="+hex.EncodeToString(mac.Sum(nil)), p.Header.Get("Switchback-Signature"); got != want || stamp != "1777889472" {
		t.Errorf("signature %s at %s, want %s", got, stamp, want)
	}
	var m struct {
		Version           int
		ID, Subject, Text string
		To                []struct{ Email string }
	}
	if err := json.Unmarshal(p.Body, &m); err != nil {
		t.Fatal(err)
	}
	if m.Version != 1 || m.ID != p.Header.Get("Switchback-Message-Id") || len(m.To) != 1 {
		t.Errorf("got %+v", m)
	}
	return notifytest.Received{ID: m.ID, To: []string{m.To[0].Email}, Text: m.Subject + "\n" + m.Text, Raw: string(p.Body)}
}

func TestContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, open)
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere, posts := notifytest.HTTP(t, notifytest.Accepts)
	s := httptest.NewServer(http.RedirectHandler(elsewhere, http.StatusTemporaryRedirect))
	defer s.Close()
	n, err := webhook.New(notify.NewSecret(s.URL), notify.NewSecret(secret), webhook.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, retry, err := n.Notify(t.Context(), notifytest.Message()); err == nil || retry || len(posts()) > 0 {
		t.Errorf("got retry %t, %v, %d posts elsewhere", retry, err, len(posts()))
	}
}

func TestErrorsKeepTheSecret(t *testing.T) {
	t.Parallel()
	for _, b := range []notifytest.Behaviour{notifytest.Busy, notifytest.Refuses, notifytest.IsDown} {
		n, _ := open(t, b)
		_, _, err := n.Notify(t.Context(), notifytest.Message())
		if err == nil || strings.Contains(err.Error(), "SECRET") || strings.Contains(err.Error(), secret) {
			t.Errorf("got %v", err)
		}
		if asked := (*notify.RetryAfter)(nil); errors.As(err, &asked) != (b == notifytest.Busy) {
			t.Errorf("behaviour %d: %v", b, err)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ url, secret string }{
		"http to another computer": {"http://example.com/hook", secret},
		"no URL":                   {"", secret},
		"a file":                   {"file:///etc/passwd", secret},
		"credentials in the URL":   {"https://user:pass@example.com", secret},
		"a short secret":           {"https://example.com/hook", "short"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := webhook.New(notify.NewSecret(tt.url), notify.NewSecret(tt.secret), webhook.Options{}); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		_, err := notify.New(notify.Config{Type: "webhook", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{})
		return err
	}
	if err := from("url: https://example.com\nsecret: 0123456789abcdef\nreaches_human: true"); err != nil {
		t.Error(err)
	}
	if err := from("url: https://example.com\nformat: teams"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"url: https://example.com", "url: https://example.com\nsecret: 0123456789abcdef\nmethod: PUT", "url: https://example.com\nformat: xml\nsecret: 0123456789abcdef"} {
		if err := from(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}

func openTeams(t *testing.T, b notifytest.Behaviour) (notify.Notifier, func() []notifytest.Received) {
	t.Helper()
	url, posts := notifytest.HTTP(t, b)
	n, err := webhook.New(notify.NewSecret(url+"/SECRET"), notify.Secret{}, webhook.Options{Format: webhook.Teams})
	if err != nil {
		t.Fatal(err)
	}
	return n, func() []notifytest.Received {
		var all []notifytest.Received
		for _, p := range posts() {
			all = append(all, card(t, p))
		}
		return all
	}
}

// card reads a post as Teams does, and fails on what it would interpret or refuse.
func card(t *testing.T, p notifytest.Post) notifytest.Received {
	t.Helper()
	var m struct {
		Type        string
		Attachments []struct {
			ContentType string
			Content     struct {
				Type, Version string
				Body          []struct {
					Type    string
					Inlines []struct{ Type, Text string }
				}
			}
		}
	}
	if err := json.Unmarshal(p.Body, &m); err != nil {
		t.Fatal(err)
	}
	if len(p.Body) > 28<<10 || m.Type != "message" || len(m.Attachments) != 1 || m.Attachments[0].ContentType != "application/vnd.microsoft.card.adaptive" {
		t.Fatalf("%d bytes: %.300s", len(p.Body), p.Body)
	}
	got := notifytest.Received{ID: p.Header.Get("Switchback-Message-Id"), Raw: string(p.Body)}
	for _, b := range m.Attachments[0].Content.Body {
		if b.Type != "RichTextBlock" { // a TextBlock reads Markdown
			t.Errorf("a %s", b.Type)
		}
		for _, r := range b.Inlines {
			got.Text += r.Text + "\n"
		}
	}
	return got
}

func TestTeamsContract(t *testing.T) {
	t.Parallel()
	notifytest.Run(t, openTeams)
}

func TestALargeCardFits(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{"escaped": "<", "many blocks": "x\n\n", "quotes": `"`, "wide": "\U0001f4a9"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n, received := openTeams(t, notifytest.Accepts)
			m := notifytest.Message()
			m.Subject, m.Text = strings.Repeat(unit, 30_000), strings.Repeat(unit, 30_000)
			if _, _, err := n.Notify(t.Context(), m); err != nil {
				t.Fatal(err)
			}
			if got := received(); len(got) != 1 || !strings.Contains(got[0].Text, "bytes)") {
				t.Errorf("%d cards, or none that says what it leaves out", len(got))
			}
		})
	}
}
