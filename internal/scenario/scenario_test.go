// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package scenario

import (
	"context"
	"flag"
	"fmt"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	_ "github.com/switchback-project/switchback/internal/action/cloudtrail"
	_ "github.com/switchback-project/switchback/internal/action/cloudwatch"
	_ "github.com/switchback-project/switchback/internal/action/contact"
	_ "github.com/switchback-project/switchback/internal/action/events"
	_ "github.com/switchback-project/switchback/internal/action/evidence"
	_ "github.com/switchback-project/switchback/internal/action/guide"
	_ "github.com/switchback-project/switchback/internal/action/iam"
	_ "github.com/switchback-project/switchback/internal/action/identity"
	_ "github.com/switchback-project/switchback/internal/action/kms"
	_ "github.com/switchback-project/switchback/internal/action/logs"
	_ "github.com/switchback-project/switchback/internal/action/notify"
	_ "github.com/switchback-project/switchback/internal/action/report"
	_ "github.com/switchback-project/switchback/internal/action/s3"
	_ "github.com/switchback-project/switchback/internal/action/sns"
	_ "github.com/switchback-project/switchback/internal/action/source"
	_ "github.com/switchback-project/switchback/internal/action/sqs"
	_ "github.com/switchback-project/switchback/internal/action/trail"
	"github.com/switchback-project/switchback/internal/incident"
	"github.com/switchback-project/switchback/internal/notify"
	"github.com/switchback-project/switchback/internal/notify/notifytest"
	"github.com/switchback-project/switchback/internal/notify/smtp"
	"github.com/switchback-project/switchback/internal/runbook"
	"github.com/switchback-project/switchback/runbooks"
)

var update = flag.Bool("update", false, "write what came as the new expectation")

func builtIn(t *testing.T) []*runbook.Runbook {
	t.Helper()
	books, err := runbook.LoadAll(runbooks.FS)
	if err != nil {
		t.Fatal(err)
	}
	if len(books) == 0 {
		t.Fatal("no runbooks are built in")
	}
	return books
}

// Every scenario of every runbook holds in every partition.
func TestScenarios(t *testing.T) {
	for _, book := range builtIn(t) {
		if len(book.Scenarios) < 3 {
			t.Errorf("%s has only %d scenarios", book.Manifest.ID, len(book.Scenarios))
		}
		for name, text := range book.Scenarios {
			for _, place := range Places() {
				t.Run(fmt.Sprintf("%s/%s/%s", book.Manifest.ID, name, place.Partition), func(t *testing.T) {
					t.Parallel()
					s, err := Parse(name, text)
					if err != nil {
						t.Fatal(err)
					}
					got, err := Run(t.Context(), s, Options{Runbooks: []*runbook.Runbook{book}, Place: place})
					if err != nil {
						t.Fatal(err)
					}
					if *update && place == Places()[0] {
						file := filepath.Join("..", "..", "runbooks", string(book.Manifest.ID), "scenarios", name+".txtar")
						if err := os.WriteFile(file, s.Update(text, got), 0o600); err != nil {
							t.Fatal(err)
						}
					}
					if diff := cmp.Diff(s.Want, got); diff != "" {
						t.Errorf("outcome (-want +got):\n%s", diff)
					}
				})
			}
		}
	}
}

func story(t *testing.T, name string) Scenario {
	t.Helper()
	for _, book := range builtIn(t) {
		if text, ok := book.Scenarios[name]; ok {
			s, err := Parse(name, text)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	t.Fatalf("no scenario %s", name)
	return Scenario{}
}

// With a real mail server: one message to security and one to the right person, reminders at their times until a valid
// acknowledgement, else the fallback.
func TestMail(t *testing.T) {
	tests := []struct {
		scenario string
		want     []string // addressee and kind of subject, in order
	}{
		{"nobody-answers", []string{
			"security@example.com put back", "mallory@example.com Did you call", "mallory@example.com Did you call",
			"security@example.com Reminder 1", "carol@example.com Did one of yours call", "dave@example.com Needs a person",
			"security@example.com Reminder 2", "security@example.com Needs a person", "security@example.com Reminder 3",
			"security@example.com Reminder 4", "dave@example.com Needs a person",
		}},
		{"stopped-trail-restarts", []string{"security@example.com put back", "mallory@example.com Did you call"}},
		{"deleted-trail-is-recreated", []string{
			"security@example.com put back", "mallory@example.com Did you call", "mallory@example.com Did you call", "security@example.com Reminder 1",
		}},
		{"harmless-change-is-recorded", nil},
	}
	for _, tt := range tests {
		t.Run(tt.scenario, func(t *testing.T) {
			server := notifytest.StartMail(t, notifytest.MailOptions{})
			channel, err := smtp.New(smtp.Options{Host: server.Host, Port: server.Port, TLS: "none", From: "switchback@example.com"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = Run(t.Context(), story(t, tt.scenario), Options{
				Runbooks: builtIn(t), Place: Places()[0], Channels: []notify.Channel{{Name: "smtp", Notifier: channel}},
			})
			if err != nil {
				t.Fatal(err)
			}
			checkMails(t, server.Mails(), tt.want)
		})
	}
}

func checkMails(t *testing.T, mails []notifytest.Mail, want []string) {
	t.Helper()
	var got []string
	ids := map[string]bool{}
	for _, m := range mails {
		message, err := mail.ReadMessage(strings.NewReader(m.Data))
		if err != nil {
			t.Fatal(err)
		}
		if id := message.Header.Get("Message-ID"); id == "" || ids[id] {
			t.Errorf("Message-ID %q is missing or not unique", id)
		} else {
			ids[id] = true
		}
		got = append(got, strings.Join(m.To, ",")+" "+subject(message.Header.Get("Subject")))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mails (-want +got):\n%s", diff)
	}
}

// subject names the kind of message by the words of its subject.
func subject(text string) string {
	for _, words := range []string{"Reminder 1", "Reminder 2", "Reminder 3", "Reminder 4", "Needs a person", "Did you call", "Did one of yours call", "put back"} {
		if strings.Contains(text, words) {
			return words
		}
	}
	return text
}

// The report of the main job, whole, in the forms that people and programs read.
func TestReport(t *testing.T) {
	st := played(t, "stopped-trail-restarts")
	list, err := st.system.Services.Store.List(t.Context(), incident.Filter{})
	if err != nil || len(list) != 1 {
		t.Fatalf("incidents: %v %v", list, err)
	}
	for _, name := range []string{"report.md", "report.json"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join(st.dir, "reports", string(list[0].ID), name))
			if err != nil {
				t.Fatal(err)
			}
			got := st.place.generalize(strings.ReplaceAll(string(text), st.dir+string(filepath.Separator), ""))
			golden := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
			for _, fact := range []string{"user/mallory", "2026-05-04", "09:00:30", "198.51.100.7", "09:05:30"} {
				if !strings.Contains(got, fact) {
					t.Errorf("the report lacks %q", fact)
				}
			}
		})
	}
}

// played is the stage after a story.
func played(t *testing.T, name string) *stage {
	t.Helper()
	o := Options{Runbooks: builtIn(t), Place: Places()[0]}
	s, err := story(t, name).in(o.Place)
	if err != nil {
		t.Fatal(err)
	}
	st, err := build(t.Context(), t.TempDir(), s, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.close(context.WithoutCancel(t.Context())) })
	if err := st.play(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	return st
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no story":      "-- want.txt --\n",
		"unknown part":  "-- scenario.yaml --\nsteps: [{call: X}]\n-- other --\n",
		"unknown field": "-- scenario.yaml --\nstep: []\n",
		"no steps":      "-- scenario.yaml --\ntitle: x\n",
		"bad duration":  "-- scenario.yaml --\nsteps: [{at: soon}]\n",
	} {
		if _, err := Parse(name, []byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestRunSaysWhatCouldNotBePlayed(t *testing.T) {
	for name, step := range map[string]string{
		"nobody is called":  "{as: eve, call: CloudTrail.StopLogging, input: {Name: main}}",
		"no such operation": "{as: admin, call: CloudTrail.Nothing}",
		"want the error":    "{as: admin, call: CloudTrail.StopLogging, input: {Name: main}, fails: AccessDenied}",
		"no incident":       "{as: alice, answer: ack}",
		"needs assume":      "{as: alice}",
	} {
		s, err := Parse(name, []byte("-- scenario.yaml --\nsteps: ["+step+"]\n"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Run(t.Context(), s, Options{Runbooks: builtIn(t), Place: Places()[0]})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestFold(t *testing.T) {
	got := fold(strings.Fields("a b b b c d c d c d e"))
	if want := []string{"a", "(b)x3", "(c d)x3", "e"}; !slices.Equal(got, want) {
		t.Errorf("fold = %q, want %q", got, want)
	}
}

func TestDiffIsBounded(t *testing.T) {
	got := Diff(strings.Repeat("x\n", 100), strings.Repeat("y\n", 100))
	if n := strings.Count(got, "line "); n != maxDiff {
		t.Errorf("%d lines, want %d", n, maxDiff)
	}
}
