// SPDX-FileCopyrightText: 2026 The Switchback Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/switchback-project/switchback/internal/source"
)

// refusedDelete is a call that AWS refused.
const refusedDelete = `{"eventVersion":"1.11","userIdentity":{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/alice","accountId":"111122223333","userName":"alice"},"eventTime":"2026-05-04T10:11:12Z","eventSource":"cloudtrail.amazonaws.com","eventName":"DeleteTrail","errorCode":"AccessDenied","awsRegion":"eu-west-1","sourceIPAddress":"198.51.100.7","requestParameters":{"name":"main"},"eventID":"one","eventType":"AwsApiCall","recipientAccountId":"111122223333","eventCategory":"Management"}`

// inbox is a webhook that keeps what it gets.
type inbox struct {
	mu   sync.Mutex
	list []string
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, string(body))
}

func (b *inbox) all() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

// TestPauseCommand: set, announced, refused where it would pause nothing, ended, and all of it in the ledger.
func TestPauseCommand(t *testing.T) {
	t.Parallel()
	var got inbox
	server := httptest.NewServer(&got)
	defer server.Close()
	dir := t.TempDir()
	conf := writeFile(t, dir, "switchback.yaml", fmt.Sprintf("state: %q\nchannels: [{type: webhook, url: %q, secret: 0123456789abcdef0123456789abcdef, reaches_human: true}]\n", filepath.Join(dir, "state"), server.URL))

	for _, bad := range [][]string{
		{"--for", "0s", "--reason", "x"},
		{"--for", "25h", "--reason", "x"},
		{"--for", "1h", "--reason", "  "},
		{"--for", "1h", "--reason", "x", "--account", "1111"},
		{"--for", "1h", "--reason", "x", "--runbook", "cloudtrail-of"},
		{"--for", "1h"},
		{"--reason", "x"},
	} {
		if status, out, errOut := switchback(append([]string{"--config", conf, "pause"}, bad...)...); status != exitError || out != "" {
			t.Errorf("pause %v: exit status %d: %s%s", bad, status, out, errOut)
		}
	}
	if list := got.all(); len(list) != 0 {
		t.Errorf("what was refused was announced: %q", list)
	}

	var p announced
	check(t, json.Unmarshal([]byte(fine(t, "--config", conf, "pause", "--for", "1h", "--reason", "bucket migration", "--account", "111122223333", "-o", "json")), &p))
	if p.Account != "111122223333" || len(p.Announced) != 1 || p.Announced[0] != "webhook/1" || p.Until.Sub(p.CreatedAt).Hours() != 1 {
		t.Errorf("pause is %+v", p)
	}
	if list := got.all(); len(list) != 1 || !strings.Contains(list[0], "bucket migration") || !strings.Contains(list[0], "111122223333") {
		t.Errorf("announced was %q", list)
	}
	out := fine(t, "--config", conf, "resume", p.ID)
	if !strings.Contains(out, p.ID+": ended") || !strings.Contains(out, "announced by webhook/1") || len(got.all()) != 2 {
		t.Errorf("resume printed %s and announced %q", out, got.all())
	}
	if status, _, errOut := switchback("--config", conf, "resume"); status != exitError || !strings.Contains(errOut, "no such pause") {
		t.Errorf("resume again: exit status %d: %s", status, errOut)
	}
	// Four entries: two decisions, two messages.
	if out := fine(t, "--config", conf, "ledger", "verify", "-o", "json"); !strings.Contains(out, `"entries":4,`) {
		t.Errorf("ledger verify: %s", out)
	}
}

// TestPauseUntold: a channel that is down does not keep the pause from holding, and the person is told to tell.
func TestPauseUntold(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusGone) }))
	defer server.Close()
	dir := t.TempDir()
	conf := writeFile(t, dir, "switchback.yaml", fmt.Sprintf("state: %q\nchannels: [{type: webhook, url: %q, secret: 0123456789abcdef0123456789abcdef}]\n", filepath.Join(dir, "state"), server.URL))
	status, out, errOut := switchback("--config", conf, "pause", "--for", "1h", "--reason", "x")
	if status != exitError || !strings.Contains(out, "nobody was told") || !strings.Contains(errOut, "hint: it is done all the same") {
		t.Errorf("exit status %d: %s%s", status, out, errOut)
	}
	if status, out, _ := switchback("--config", conf, "resume"); status != exitError || !strings.Contains(out, "ended") {
		t.Errorf("resume: exit status %d: %s; want it ended, and told that nobody was told", status, out)
	}
}

// TestLedgerCommand: in order, cut, changed; and what a daemon does with one that is damaged.
func TestLedgerCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fine(t, "--state", dir, "demo", "--once", "-o", "json")
	segment := filepath.Join(dir, "ledger", "0001.jsonl")
	whole, err := os.ReadFile(segment)
	check(t, err)
	var ok ledgerVerdict
	check(t, json.Unmarshal([]byte(fine(t, "ledger", "verify", filepath.Join(dir, "ledger"), "-o", "json")), &ok))
	if ok.Broken != nil || ok.Entries < 20 {
		t.Errorf("ledger is %+v", ok)
	}
	fine(t, "--state", dir, "ledger", "verify", "--checkpoint", ok.Head)

	lines := strings.SplitAfter(string(whole), "\n")
	changed := strings.Replace(string(whole), "198.51.100.7", "198.51.100.8", 1)
	tests := []struct {
		name, text, say string
		args            []string
	}{
		{"an address changed", changed, "entry ", nil},
		{"an entry left out", strings.Join(append(lines[:4:4], lines[5:]...), ""), "entry 5", nil},
		{"the end cut off", strings.Join(lines[:len(lines)-3], ""), "", []string{"--checkpoint", ok.Head}},
	}
	for _, tt := range tests {
		check(t, os.WriteFile(segment, []byte(tt.text), 0o600))
		status, _, errOut := switchback(append([]string{"--state", dir, "ledger", "verify"}, tt.args...)...)
		if status != exitFound || !strings.Contains(errOut, tt.say) || !strings.Contains(errOut, "0001.jsonl") {
			t.Errorf("%s: exit status %d: %s; want 1, naming the place and %q", tt.name, status, errOut, tt.say)
		}
	}
	if status, _, errOut := switchback("--state", dir, "ledger", "verify", "--checkpoint", "x"); status != exitError || !strings.Contains(errOut, "hint: ") {
		t.Errorf("a checkpoint that is none: exit status %d: %s", status, errOut)
	}

	// The daemon refuses to go on from an end that is damaged; people may still look.
	last := len(lines) - 2
	lines[last] = strings.Replace(lines[last], `"kind"`, `"kund"`, 1)
	check(t, os.WriteFile(segment, []byte(strings.Join(lines, "")), 0o600))
	status, _, errOut := switchback("--state", dir, "serve")
	if status != exitError || !strings.Contains(errOut, "ledger is broken") || !strings.Contains(errOut, "hint: switchback ledger verify") {
		t.Errorf("serve: exit status %d: %s", status, errOut)
	}
	if out := fine(t, "--state", dir, "incident", "list", "-o", "json"); strings.Count(out, "\n") != 2 {
		t.Errorf("incident list: %s", out)
	}
}

// TestDeadletterCommand: what could not be read is listed, shown, and read again once it is mended; what fails again
// stays.
func TestDeadletterCommand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	state := filepath.Join(dir, "state")
	conf := writeFile(t, dir, "switchback.yaml", fmt.Sprintf("state: %q\nregion: eu-west-1\naws: sandbox\n", state))
	check(t, os.Mkdir(state, 0o700))
	if out := fine(t, "--config", conf, "deadletter", "list"); out != "" {
		t.Errorf("an empty folder: %s", out)
	}
	good, bad := writeFile(t, dir, "good.json", "{\"truncated"), writeFile(t, dir, "bad.json", "no JSON")
	c, _, err := loadConfig(&grammar{Config: conf})
	check(t, err)
	folder, err := openDead(c)
	check(t, err)
	for _, from := range []string{good, bad} {
		check(t, folder.PutDead(t.Context(), source.Dead{Via: "files", From: from, Reason: "cannot be read\x1b[2J", Body: []byte("\x1b[31m")}))
	}
	status, out, errOut := switchback("--config", conf, "deadletter", "list")
	if status != exitFound || strings.Count(out, "\n") != 3 || strings.Contains(out, "\x1b") {
		t.Fatalf("list: exit status %d: %q %s", status, out, errOut)
	}
	_, out, _ = switchback("--config", conf, "deadletter", "list", "-o", "json")
	var first source.Dead
	check(t, json.NewDecoder(strings.NewReader(out)).Decode(&first))
	if out := fine(t, "--config", conf, "deadletter", "show", first.ID); !strings.Contains(out, first.From) || strings.Contains(out, "\x1b") {
		t.Errorf("show: %q", out)
	}
	if out := fine(t, "--config", conf, "deadletter", "show", first.ID, "-o", "json"); !strings.Contains(out, `"body":"G1szMW0="`) {
		t.Errorf("show as JSON: %s", out)
	}
	for _, args := range [][]string{{"show", "nope"}, {"redrive", "nope"}, {"redrive"}, {"redrive", first.ID, "--all"}} {
		if status, _, errOut := switchback(append([]string{"--config", conf, "deadletter"}, args...)...); status != exitError || !strings.Contains(errOut, "hint: ") {
			t.Errorf("deadletter %v: exit status %d: %s", args, status, errOut)
		}
	}

	// Mended: the file holds a call that AWS refused.
	check(t, os.WriteFile(good, []byte(refusedDelete), 0o600))
	status, out, errOut = switchback("--config", conf, "deadletter", "redrive", "--all")
	if status != exitError || strings.Count(out, ": sent back\n") != 1 || !strings.Contains(errOut, bad) {
		t.Errorf("redrive: exit status %d: %s%s; want one sent back and %s named", status, out, errOut, bad)
	}
	_, out, _ = switchback("--config", conf, "deadletter", "list", "-o", "json")
	if strings.Contains(out, good) || !strings.Contains(out, bad) {
		t.Errorf("left are %s, want only %s", out, bad)
	}
	if list := incidents(t, conf); len(list) != 1 || list[0].Events[0] != "one" || len(list[0].Runs) != 1 {
		t.Errorf("incidents are %+v, want one with a run that the daemon goes on with", list)
	}
}

// TestRedriveMessage: a message goes through its queue's source again, also where nothing may be changed, and stays where
// it still cannot be read.
func TestRedriveMessage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const queue = "https://sqs.eu-west-1.amazonaws.com/111122223333/switchback-events"
	conf := writeFile(t, dir, "switchback.yaml", fmt.Sprintf("state: %q\nregion: eu-west-1\naws: sandbox\nsources: [{type: sqs, queue_url: %q}]\n", filepath.Join(dir, "state"), queue))
	c, _, err := loadConfig(&grammar{Config: conf})
	check(t, err)
	folder, err := openDead(c)
	check(t, err)
	event := `{"version":"0","id":"one","detail-type":"AWS API Call via CloudTrail","source":"aws.cloudtrail","account":"111122223333","time":"2026-05-04T10:11:12Z","region":"eu-west-1","resources":[],"detail":` + refusedDelete + `}`
	for _, body := range []string{event, "no JSON"} {
		check(t, folder.PutDead(t.Context(), source.Dead{Via: "sqs", From: queue, Reason: "the store was full", Body: []byte(body)}))
	}
	status, out, errOut := switchback("--config", conf, "deadletter", "redrive", "--all", "-o", "json")
	if status != exitError || strings.Count(out, `"sent_back":true`) != 1 || strings.Count(out, `"sent_back":false,"error":"`) != 1 {
		t.Errorf("redrive: exit status %d: %s%s", status, out, errOut)
	}
	if list, err := folder.List(); err != nil || len(list) != 1 || string(list[0].Body) != "no JSON" {
		t.Errorf("left is %+v, %v", list, err)
	}
	if list := incidents(t, conf); len(list) != 1 || list[0].Events[0] != "one" {
		t.Errorf("incidents are %+v", list)
	}
}
