// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/switchback-project/switchback/internal/incident"
)

// TestIncidentAnswer: what anybody says is kept, and decides nothing; whoever says that it was theirs is no second person.
func TestIncidentAnswer(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	answer := func(person string, v incident.Verdict) incident.Answer {
		var got incident.Answer
		out := fine(t, "--config", p.as(person), "incident", "answer", string(p.stop), string(v), "--comment", "a\u202eb", "-o", "json")
		check(t, json.Unmarshal([]byte(out), &got))
		return got
	}
	if got := answer("alice", incident.MineExpected); !got.IsOnChain || !got.IsKnown || got.By != "alice Example" || strings.Contains(got.Comment, "\u202e") {
		t.Errorf("alice, whose session it was: %+v", got)
	}
	if got := answer("", incident.NotMe); got.IsKnown || got.By != p.me {
		t.Errorf("an unmapped user: %+v", got)
	}
	if one := showIncident(t, p.as("carol"), p.stop); one.Status != incident.Open || len(one.Answers) != 2 || len(answersOf(one)) != 2 {
		t.Errorf("the incident is %s with the answers %+v, want it open with two", one.Status, one.Answers)
	}
	out := fine(t, "--config", p.as("dave"), "incident", "answer", string(p.attempt), "mine-mistake")
	if !strings.Contains(out, "dave Example says that it was theirs and a mistake") {
		t.Errorf("said %s", out)
	}
	if got := p.say("dave", "ack", p.attempt, exitFound); !strings.Contains(got.Refused, "said that it was theirs") {
		t.Errorf("ack by dave, who said so: %+v", got)
	}
	fine(t, "--state", p.dir, "ledger", "verify")
}

var opened = regexp.MustCompile(`name="opened" value="([^"]*)"`)

// TestAnswerLinks: as it is configured, from the link in a message to the timeline.
func TestAnswerLinks(t *testing.T) {
	t.Parallel()
	p := playDemo(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	address := free.Addr().String()
	check(t, free.Close())
	text, err := os.ReadFile(p.as("carol"))
	check(t, err)
	config := writeFile(t, t.TempDir(), "switchback.yaml", string(text)+fmt.Sprintf("answers: {public_url: \"http://%s/x\", listen: %q}\n", address, address))

	c, _, err := loadConfig(&grammar{Config: config})
	check(t, err)
	in, err := openInstallation(t.Context(), c, slog.New(slog.DiscardHandler))
	check(t, err)
	check(t, in.openDecisions(t.Context()))
	link, err := in.system.Services.Links.Link(t.Context(), incident.Link{Message: "m", Incident: p.stop, Person: "alice", Verdicts: incident.Verdicts()})
	check(t, err)
	keys, err := filepath.Glob(filepath.Join(p.dir, "answers", "*.key"))
	check(t, err)
	if len(keys) != 1 || !strings.HasPrefix(link, "http://"+address+"/x/a/") {
		t.Fatalf("keys %v, link %s", keys, link)
	}
	serve, err := in.listenForAnswers(t.Context())
	check(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()

	jar, err := cookiejar.New(nil)
	check(t, err)
	browser := &http.Client{Jar: jar}
	res, err := browser.Get(link)
	check(t, err)
	page, err := io.ReadAll(res.Body)
	check(t, err)
	check(t, res.Body.Close())
	field := opened.FindStringSubmatch(string(page))
	if field == nil {
		t.Fatalf("no form in %s", page)
	}
	res, err = browser.PostForm(link, url.Values{"opened": {field[1]}, "answer": {"not-me"}})
	check(t, err)
	check(t, res.Body.Close())
	cancel()
	check(t, <-ended)
	check(t, in.close(t.Context()))
	one := showIncident(t, config, p.stop)
	if res.StatusCode != http.StatusOK || len(one.Answers) != 1 || one.Answers[0].Via != incident.ViaLink || one.Answers[0].Verdict != incident.NotMe {
		t.Errorf("status %d, answers %+v", res.StatusCode, one.Answers)
	}
}
