// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package console_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/console"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
)

func TestChannels(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(b *bytes.Buffer) notify.Notifier{
		"log": func(b *bytes.Buffer) notify.Notifier {
			return console.Log{Logger: slog.New(slog.NewJSONHandler(b, nil))}
		},
		"writer": func(b *bytes.Buffer) notify.Notifier { return console.NewWriter(b) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			n := open(&b)
			m := notifytest.Message()
			to, retry, err := n.Notify(t.Context(), m)
			if err != nil || retry || len(to) != 1 || n.ReachesHuman() {
				t.Errorf("got %v, retry %t, %v, reaches human %t", to, retry, err, n.ReachesHuman())
			}
			for _, want := range []string{"Alice Example", m.Subject, "StopLogging on main."} {
				if !strings.Contains(b.String(), want) {
					t.Errorf("%q is missing in %s", want, b.String())
				}
			}
			b.Reset()
			m.Subject, m.Text, m.To[0].Name = notifytest.Evil, notifytest.Evil, notifytest.Evil
			if _, _, err := n.Notify(t.Context(), m); err != nil || strings.ContainsAny(b.String(), "\x1b\x00\u202e\r") {
				t.Errorf("%v: %q", err, b.String())
			}
		})
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestABrokenWriterMayWorkAgain(t *testing.T) {
	t.Parallel()
	if _, retry, err := console.NewWriter(broken{}).Notify(t.Context(), notifytest.Message()); err == nil || !retry {
		t.Errorf("got retry %t, %v", retry, err)
	}
}

func TestConfiguration(t *testing.T) {
	t.Parallel()
	from := func(text string) error {
		_, err := notify.New(notify.Config{Type: "console", Decode: func(v any) error {
			return yaml.UnmarshalWithOptions([]byte(text), v, yaml.Strict())
		}}, notify.Services{Logger: slog.New(slog.DiscardHandler)})
		return err
	}
	if err := from("{}"); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"path: x"} {
		if err := from(text); err == nil {
			t.Errorf("accepted %q", text)
		}
	}
}
